import GroupSPI
import Testing

@testable import Store

@Suite struct RequestTests {
    private func request(_ id: String, _ kind: Request.Kind = .rollback(to: 1, group: "a", expectedCurrent: 7))
        -> Request
    {
        Request(id: id, kind: kind, author: Author(user: "ana", uid: 1000, host: "n9"), message: "back, please")
    }

    private func draft() -> RevisionDraft {
        RevisionDraft(author: .tester, operation: .rollback, target: 1, changes: [.set("a", 1)])
    }

    @Test(
        arguments: [
            .rollback(to: 1, group: "a", expectedCurrent: 7), .rollback(to: 2, group: nil, expectedCurrent: nil),
            .stepDown,
            .commit(
                [
                    GlobalConfig.Entry(
                        spec: GroupSpec(id: "é", properties: RawJSON(checked: Array("{\"a\" :1.0}".utf8))),
                        plugin: "p"
                    )
                ],
                expectedCurrent: 4,
                confirmWithin: 60_000
            ),
            .import([GlobalConfig.Entry(spec: GroupSpec(id: "a", properties: .size(1)), plugin: "")]),
            .write(.watch(GroupSpec(id: "a", properties: .size(1)))),
            .write(.update(GroupSpec(id: "a", properties: .size(1)))),
            .write(.commit(GroupSpec(id: "a", properties: .size(1)), pretend: false)),
            .write(.commit(GroupSpec(id: "a", properties: .size(1)), pretend: true)),
            .write(.unwatch(id: "a")), .write(.free(id: "a")), .write(.destroy(id: "a")), .write(.stopUpdate(id: "a")),
            .write(.setSize(id: "a", 7)), .write(.destroyInstances(id: "a", ["i-1", "i-2"])),
        ] as [Request.Kind]
    )
    func aRequestReachesTheLeaderAsItWasMade(_ kind: Request.Kind) async throws {
        try await withStore { store in
            let request = request("r1", kind)
            try await store.submit(request, within: patience)
            let read = request.asked(in: 0)
            #expect(try await store.waitingRequests(within: patience) == [read])
            #expect(try await store.request("r1", within: patience) == read)
            #expect(try await store.sight(of: request, within: patience).request == read)
            #expect(try await store.request("r2", within: patience) == nil)
        }
    }

    @Test func requestsWaitInTheOrderInWhichTheyCame() async throws {
        try await withStore { store in
            for id in ["z", "a", "m"] { try await store.submit(request(id), within: patience) }
            #expect(try await store.waitingRequests(within: patience).map(\.id) == ["z", "a", "m"])
        }
    }

    @Test func aRequestIsTakenUpOnce() async throws {
        try await withLeader { leader in
            let (store, request) = (leader.store, request("r1"))
            try await store.submit(request, within: patience)
            let revision = try await store.append(
                draft(),
                resolving: .request(request.id),
                fence: leader.fence,
                within: patience
            )
            let taken = try await store.request("r1", within: patience)
            #expect(taken?.state == .done && taken?.revision == revision.number)
            #expect(try await store.waitingRequests(within: patience).isEmpty)
            let error = try await failure {
                try await store.append(draft(), resolving: .request(request.id), fence: leader.fence, within: patience)
            }
            #expect(error.code == .conflict)
            #expect(try await store.summary(within: patience).newest == 1)
            // Too late to take it back.
            #expect(try await store.cancelRequest("r1", within: patience) == false)
            let late = try await failure {
                try await store.finishRequest(
                    "r1",
                    state: .refused,
                    error: "no",
                    fence: leader.fence,
                    within: patience
                )
            }
            #expect(late.code == .conflict)
            let done = try await store.request("r1", within: patience)
            #expect(done?.state == .done && done?.revision == 1 && done?.error == nil)
        }
    }

    @Test func ofTwoWhoTakeItUpAtOnceOneDoes() async throws {
        try await withLeader { leader in
            let request = request("r1")
            try await leader.store.submit(request, within: patience)
            let stored = await withTaskGroup(of: Bool.self) { tasks in
                for _ in 0..<10 {
                    tasks.addTask {
                        let append = try? await leader.store.append(
                            self.draft(),
                            resolving: .request(request.id),
                            fence: leader.fence,
                            within: patience
                        )
                        return append != nil
                    }
                }
                return await tasks.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(stored == 1)
            #expect(try await leader.store.summary(within: patience).newest == 1)
        }
    }

    @Test func whatWasTakenBackIsNotCarriedOut() async throws {
        try await withLeader { leader in
            let (store, request) = (leader.store, request("r1"))
            try await store.submit(request, within: patience)
            #expect(try await store.cancelRequest("r1", within: patience))
            #expect(try await store.waitingRequests(within: patience).isEmpty)
            let append = try await failure {
                try await store.append(draft(), resolving: .request(request.id), fence: leader.fence, within: patience)
            }
            #expect(append.code == .conflict && append.message.contains("cancelled"))
            let finish = try await failure {
                try await store.finishRequest(
                    "r1",
                    state: .done,
                    error: nil,
                    fence: leader.fence,
                    within: patience
                )
            }
            #expect(finish.code == .conflict)
            #expect(try await store.request("r1", within: patience)?.state == .cancelled)
            #expect(try await store.summary(within: patience).newest == 0)
            #expect(try await store.cancelRequest("r1", within: patience))
        }
    }

    @Test func onlyTheLeaderTakesUpAndEnds() async throws {
        try await withStore { store in
            let first = try await lead(store)
            let request = request("r1")
            try await store.submit(request, within: patience)
            _ = try await lead(store, as: "n2/group")
            let append = try await failure {
                try await store.append(draft(), resolving: .request(request.id), fence: first.fence, within: patience)
            }
            #expect(append.code == .fenced)
            let finish = try await failure {
                try await store.finishRequest(
                    "r1",
                    state: .refused,
                    error: "no",
                    fence: first.fence,
                    within: patience
                )
            }
            #expect(finish.code == .fenced)
            #expect(try await store.waitingRequests(within: patience) == [request.asked(in: first.fence.epoch)])
        }
    }

    @Test func aRefusalKeepsItsWords() async throws {
        try await withLeader { leader in
            try await leader.store.submit(request("r1"), within: patience)
            try await leader.store.finishRequest(
                "r1",
                state: .refused,
                error: "there is no revision 9",
                fence: leader.fence,
                within: patience
            )
            let refused = try await leader.store.request("r1", within: patience)
            #expect(refused?.state == .refused && refused?.error == "there is no revision 9")
        }
    }

    @Test func oneNameIsGivenOnce() async throws {
        try await withStore { store in
            try await store.submit(request("r1"), within: patience)
            let error = try await failure { try await store.submit(request("r1", .stepDown), within: patience) }
            #expect(error.code == .conflict)
        }
    }

    /// A newer program on another host may ask for something that this leader has never heard of.
    @Test func anUnknownKindKeepsNobodyWaiting() async throws {
        try await withStore { store in
            try await store.submit(request("r1"), within: patience)
            try await store.submit(request("r2"), within: patience)
            let raw = try rawConnection(store.path)
            try raw.execute("UPDATE request SET kind = 'dance' WHERE id = 'r1'")
            #expect(try await store.waitingRequests(within: patience).map(\.id) == ["r2"])
            #expect(try await store.cancelRequest("r1", within: patience))
        }
    }

    /// What is asked is stored inside other JSON: it must not become too deep by that.
    @Test func theDeepestSpecThatIsAcceptedIsReadAgain() async throws {
        let depth = JSONLimits.standard.maximumDepth - 1
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let spec = GroupSpec(id: "a", properties: RawJSON(checked: Array(text.utf8)))
        // As it comes, from a file or a socket.
        _ = try JSONView(spec.json.raw.bytes)
        let entry = GlobalConfig.Entry(spec: spec, plugin: "p")
        let kinds: [Request.Kind] = [
            .commit([entry], expectedCurrent: nil, confirmWithin: nil), .import([entry]),
            .write(.commit(spec, pretend: false)), .write(.watch(spec)),
        ]
        try await withStore { store in
            for (number, kind) in kinds.enumerated() {
                try await store.submit(request("r\(number)", kind), within: patience)
            }
            #expect(try await store.waitingRequests(within: patience).map(\.kind) == kinds)
        }
    }

    @Test(arguments: ["commit", "import", "write"])
    func oneThatCannotBeReadKeepsNobodyWaiting(_ kind: String) async throws {
        try await withStore { store in
            try await store.submit(request("r1"), within: patience)
            try await store.submit(request("r2"), within: patience)
            let raw = try rawConnection(store.path)
            try raw.execute("UPDATE request SET kind = '\(kind)', body = x'7b22' WHERE id = 'r1'")
            #expect(try await store.waitingRequests(within: patience).map(\.id) == ["r2"])
            #expect(try await store.cancelRequest("r1", within: patience))
        }
    }

    /// What was asked may be many megabytes, and whoever waits for it looks often.
    @Test func whoWaitsDoesNotReadAgainWhatWasAsked() async throws {
        try await withStore { store in
            let asked = request("r1")
            try await store.submit(asked, within: patience)
            try rawConnection(store.path).execute("UPDATE request SET kind = 'write', body = x'7b22' WHERE id = 'r1'")
            #expect(try await failure { _ = try await store.request("r1", within: patience) }.code == .corrupt)
            #expect(try await store.sight(of: asked, within: patience).request == asked.asked(in: 0))
        }
    }

    /// A leader that looks at it a second time, late, has nothing more to say.
    @Test func anAnswerIsGivenOnce() async throws {
        try await withLeader { leader in
            let store = leader.store
            try await store.submit(request("r1", .write(.free(id: "a"))), within: patience)
            try await store.answerRequest("r1", .success(.ok), fence: leader.fence, within: patience)
            let second = GroupError(.rejected, "Group 'a' is not being watched")
            try await store.answerRequest("r1", .failure(second), fence: leader.fence, within: patience)
            #expect(try await store.request("r1", within: patience)?.answer == .success(.ok))
        }
    }

    @Test(
        arguments: [
            .success(.ok), .success(.details("would do \"this\"")), .success(.plan("")),
            .failure(GroupError(.rejected, "no room")), .failure(GroupError(.pending, "recorded as revision 3")),
        ] as [Result<GroupReply, GroupError>]
    )
    func theAnswerToAPassedOnCallReachesWhoeverPassedItOn(_ answer: Result<GroupReply, GroupError>) async throws {
        try await withLeader { leader in
            let store = leader.store
            try await store.submit(request("r1", .write(.free(id: "a"))), within: patience)
            _ = try await store.append(
                draft(),
                resolving: .request("r1"),
                fence: leader.fence,
                within: patience
            )
            #expect(try await store.request("r1", within: patience)?.answer == nil)
            try await store.answerRequest("r1", answer, fence: leader.fence, within: patience)
            let request = try await store.request("r1", within: patience)
            #expect(request?.answer == answer && request?.revision == 1 && request?.state == .done)
        }
    }

    /// However many there are, and whatever the clocks of those who asked: one is ten years behind, one as far ahead.
    @Test func requestsThatHaveEndedAreForgottenAfterSoManyRenewals() async throws {
        try await withLeader { leader in
            let store = leader.store
            let decade = 315_360_000_000
            for (id, time) in [("behind", -decade), ("ahead", decade), ("waiting", -decade)] {
                let request = Request(
                    id: id,
                    kind: .stepDown,
                    author: .tester,
                    time: Store.wallClock() + time
                )
                try await store.submit(request, within: patience)
            }
            for id in ["behind", "ahead"] {
                try await store.finishRequest(id, state: .done, error: nil, fence: leader.fence, within: patience)
            }
            let mark = try await store.removeRequests(endedBefore: 0, fence: leader.fence, within: patience)
            let lease = try await store.lease(within: patience)
            #expect(mark == RequestRemoval(removed: 0, sequence: lease.sequence))
            let early = try await store.removeRequests(
                endedBefore: mark.sequence,
                fence: leader.fence,
                within: patience
            )
            #expect(early.removed == 0)
            _ = try await store.renewLease(leader.fence, within: patience)
            let late = try await store.removeRequests(
                endedBefore: mark.sequence + 1,
                fence: leader.fence,
                within: patience
            )
            #expect(late.removed == 2)
            #expect(try await store.waitingRequests(within: patience).map(\.id) == ["waiting"])
            #expect(try await store.cancelRequest("waiting", within: patience))
        }
    }

    /// One step takes some; so many steps take all.
    @Test func allThatHaveEndedAreForgottenHoweverManyTheyAre() async throws {
        try await withLeader { leader in
            let store = leader.store
            try await store.writer.run(within: patience) { connection in
                for number in 0..<1700 {
                    try connection.insertRequest(
                        Request(id: "r\(number)", kind: .stepDown, author: .tester),
                        EncodedRequest(.stepDown)
                    )
                    _ = try connection.cancelRequest("r\(number)")
                }
            }
            let lease = try await store.renewLease(leader.fence, within: patience)
            var removed: [Int] = []
            repeat {
                let step = try await store.removeRequests(
                    endedBefore: lease.sequence,
                    fence: leader.fence,
                    within: patience
                )
                removed.append(step.removed)
            } while removed.last != 0
            #expect(removed.reduce(0, +) == 1700 && removed.allSatisfy { $0 <= 500 })
        }
    }

    /// Leaders that never last long enough to remember when something ended do not keep the table growing; nor does a copy
    /// whose manager has begun to count anew.
    @Test(arguments: [-6000, 7]) func whatNoLeaderRemembersIsForgottenToo(_ distance: Int) async throws {
        try await withLeader { leader in
            let store = leader.store
            try await store.submit(request("r1", .stepDown), within: patience)
            #expect(try await store.cancelRequest("r1", within: patience))
            let raw = try rawConnection(store.path)
            try raw.execute("UPDATE lease SET sequence = 10000")
            try raw.execute("UPDATE request SET ended = 10000 + \(distance)")
            let step = try await store.removeRequests(endedBefore: 0, fence: leader.fence, within: patience)
            #expect(step.removed == 1)
        }
    }

    // MARK: - Those who ask

    @Test func whoeverAsksIsHeardOfInTheEpochOfThatMoment() async throws {
        try await withLeader { leader in
            let store = leader.store
            try await store.submit(request("r1", .stepDown), within: patience)
            #expect(try await store.request("r1", within: patience)?.epoch == leader.fence.epoch)
            let raw = try rawConnection(store.path)
            try raw.execute("UPDATE lease SET epoch = epoch + 3")
            #expect(try await store.request("r1", within: patience)?.epoch == leader.fence.epoch)
            let sight = try await store.sight(of: request("r1"), within: patience)
            #expect(sight.lease.epoch == leader.fence.epoch + 3 && sight.request?.id == "r1")
            try await store.renewRequest("r1", within: patience)
            #expect(try await store.request("r1", within: patience)?.epoch == leader.fence.epoch + 3)
        }
    }

    /// Asked once more, because nobody knows whether the first time it was stored: the answer is the same.
    @Test func takingBackTwiceIsTakingBack() async throws {
        try await withLeader { leader in
            let store = leader.store
            try await store.submit(request("r1", .stepDown), within: patience)
            for _ in 0..<2 { #expect(try await store.cancelRequest("r1", within: patience)) }
            #expect(try await store.cancelRequest("another", within: patience) == false)
        }
    }

    @Test func aSightTellsTheRequestItsRevisionAndTheLeaseOfOneMoment() async throws {
        try await withLeader { leader in
            let store = leader.store
            #expect(try await store.sight(of: request("r1"), within: patience).request == nil)
            try await store.submit(request("r1", .write(.free(id: "a"))), within: patience)
            try await store.noteRequests(["r1": "the change of group 'a'"], fence: leader.fence, within: patience)
            let waiting = try await store.sight(of: request("r1"), within: patience)
            #expect(waiting.request?.waitsFor == "the change of group 'a'" && waiting.revision == nil)
            let revision = try await store.append(
                draft(),
                resolving: .request("r1"),
                fence: leader.fence,
                within: patience
            )
            let done = try await store.sight(of: request("r1"), within: patience)
            #expect(done.request?.state == .done && done.revision == revision)
            let lease = try await store.lease(within: patience)
            #expect(done.lease == lease && done.trouble == nil)
        }
    }
}

extension Request {
    /// As the store tells of it.
    fileprivate func asked(in epoch: Int) -> Request {
        Request(id: id, kind: kind, author: author, message: message, time: time, patience: patience, epoch: epoch)
    }
}
