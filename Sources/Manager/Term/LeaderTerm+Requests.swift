internal import GroupSPI
internal import Logging
internal import Store

extension LeaderTerm {
    /// Takes up what commands and other replicas leave in the store for the leader.
    func pollRequests() async {
        await withDiscardingTaskGroup { tasks in
            while goesOn {
                if requestLooks.begin(clock.now()) {
                    let waiting = await lookAtRequests()
                    for request in waiting where isToBeTakenUp(request) {
                        requestsUnderWay.insert(request.id)
                        tasks.addTask { await self.takeUp(request) }
                    }
                    if !waiting.isEmpty { tasks.addTask { await self.tellWhatRequestsWaitFor(waiting) } }
                }
                await requestTimer.sleep(until: requestLooks.due ?? clock.now() + settings.pollInterval)
            }
        }
    }

    /// - Returns: all that wait; none when that cannot be read, or is nothing to this term any more.
    private func lookAtRequests() async -> [Request] {
        let began = clock.now()
        let found = try? await store.waitingRequests(within: settings.storeTimeout)
        requestLooks.end()
        guard let found, lease.isValid else { return [] }
        requestWatch.saw(found, lookBegan: began, now: clock.now())
        return found
    }

    private func isToBeTakenUp(_ request: Request) -> Bool {
        !requestsUnderWay.contains(request.id)
            && requestWatch.verdict(on: request, epoch: lease.epoch, now: clock.now()) != .wait
    }

    /// Whoever asked is told, when it takes longer than a look.
    private func tellWhatRequestsWaitFor(_ waiting: [Request]) async {
        var notes: [String: String?] = [:]
        for request in waiting {
            let note = lanes.obstacle(of: request.id).map { "another change of group '\($0)'" }
            if note != request.waitsFor, note != nil || requestsUnderWay.contains(request.id) {
                notes[request.id] = note
            }
        }
        guard !notes.isEmpty, lease.isValid else { return }
        do {
            try await store.noteRequests(notes, fence: fence, within: settings.storeTimeout)
        } catch {
            // Only people read it.
            logger.debug("requests not noted", metadata: ["error": "\(error)"])
        }
    }

    /// Somebody has left a request: it is not to wait for the next look.
    func lookForRequests() {
        if requestLooks.ask(clock.now()) { requestTimer.wake() }
    }

    private func takeUp(_ request: Request) async {
        defer { requestsUnderWay.remove(request.id) }
        guard lease.isValid else { return }
        do throws(GroupError) {
            try refuseOverdue(request.id)
            switch request.kind {
            case .rollback(let target, let group, let expected):
                try await rollBack(request, to: target, group: group, expectedCurrent: expected)
            case .commit(let entries, let expected, let confirmWithin):
                try await commit(request, entries, expectedCurrent: expected, confirmWithin: confirmWithin)
            case .import(let entries):
                try await commit(request, entries, operation: .import, expectedCurrent: nil, confirmWithin: nil)
            case .write(let call): await carryOut(call, for: request)
            case .preview(let specs): await preview(specs, for: request)
            case .mark(let mark): try await apply(mark, for: request)
            case .stepDown: await stepDown(request)
            }
        } catch  where (error.code == .rejected || error.code == .badRequest) && lease.isValid {
            await finish(request, .refused, error.message)
        } catch {
            // Not leading any more, or no store: the request waits for the next leader.
            logger.warning("request not carried out", metadata: ["request": "\(request.id)", "error": "\(error)"])
        }
    }

    /// Whoever asked has given up meanwhile, and could not take it back: what they wanted then may be the wrong thing now.
    func refuseOverdue(_ id: String) throws(GroupError) {
        guard let patience = requestWatch.overdue(id, now: clock.now()) else { return }
        throw GroupError(
            .rejected,
            "the request was not processed within its timeout of \(patience.goText); nothing was changed. Send it "
                + "again if it is still wanted."
        )
    }

    private func rollBack(
        _ request: Request,
        to target: Int,
        group: Identifier?,
        expectedCurrent: Int?
    ) async throws(GroupError) {
        let wanted = try await wholeStates(at: target, of: group)
        if let group, !wanted.contains(where: { $0.group == group }) {
            let known = try currentStates().map(\.group)
            guard known.contains(group) else {
                throw GroupError(
                    .rejected,
                    "there is no group '\(group)'; there are: \(known.sorted().joined(separator: ", "))"
                )
            }
        }
        try await lookAtUnconfirmed()
        let judged: Set<Identifier>? = expectedCurrent == nil ? group.map { [$0] } : nil
        let revision = try await changeGroups(resolving: .request(request.id), judgedBy: judged) { current in
            let changes = RollbackPlan.changes(from: current, to: wanted, group: group, unconfirmed: groups.unconfirmed)
            guard !changes.isEmpty else { return nil }
            return RevisionDraft(
                author: request.author,
                operation: .rollback,
                target: target,
                message: request.message,
                changes: changes,
                expectedCurrent: expectedCurrent
            )
        } check: { () async throws(GroupError) in
            try await check(expectedCurrent)
        }
        if revision == nil { await finish(request, .done, nil) }
    }

    private func commit(
        _ request: Request,
        _ entries: [GlobalConfig.Entry],
        operation: Operation = .commit,
        expectedCurrent: Int?,
        confirmWithin: Int?
    ) async throws(GroupError) {
        let plugin = settings.pluginName
        try await lookAtUnconfirmed()
        let judged: Set<Identifier>? = expectedCurrent == nil ? Set(entries.map(\.spec.id)) : nil
        let revision = try await changeGroups(resolving: .request(request.id), judgedBy: judged) { current in
            let unsettled = current.unsettled(refused: groups.refused, unconfirmed: groups.unconfirmed)
            let changes = CommitPlan.changes(from: current, to: entries, defaultPlugin: plugin, unsettled: unsettled)
            guard !changes.isEmpty else { return nil }
            return RevisionDraft(
                author: request.author,
                operation: operation,
                message: request.message,
                changes: changes,
                confirmWithin: confirmWithin,
                expectedCurrent: expectedCurrent
            )
        } check: { () async throws(GroupError) in
            try await check(expectedCurrent)
        }
        if revision == nil { await finish(request, .done, nil) }
    }

    /// A call that another replica passes on.
    private func carryOut(_ call: GroupRequest, for request: Request) async {
        let answer: Result<GroupReply, GroupError>
        do throws(GroupError) {
            if call.isStored {
                answer = .success(try await carryOut(call, from: request.author, resolving: .request(request.id)))
            } else {
                // It leaves no revision that would tell that it was carried out.
                guard await finish(request, .done, nil) else { return }
                answer = .success(try await carryOut(call, from: request.author))
            }
        } catch {
            // Nothing was stored: the next leader carries it out, unless who asks has had enough.
            guard error.code != .notLeader, error.code != .storeUnavailable else {
                return logger.warning(
                    "request not carried out",
                    metadata: ["request": "\(request.id)", "error": "\(error)"]
                )
            }
            answer = .failure(error)
        }
        do {
            try await self.answer(request, answer)
        } catch {
            logger.warning("request not answered", metadata: ["request": "\(request.id)", "error": "\(error)"])
        }
    }

    /// How many groups the plugin is asked about side by side.
    private static let widestPreview = 16

    private func preview(_ specs: [GroupSpec], for request: Request) async {
        // Whoever asks sees that the leader has it, also while the plugin does not answer.
        guard await finish(request, .done, nil) else { return }
        let reply = PlannedChanges(await plans(for: specs)).reply
        do throws(StoreError) {
            do throws(StoreError) {
                try await answer(request, .success(reply))
            } catch {
                guard error.code == .tooLarge else { throw error }
                try await answer(request, .failure(GroupError(.rejected, error.message)))
            }
        } catch {
            logger.warning("request not answered", metadata: ["request": "\(request.id)", "error": "\(error)"])
        }
    }

    private func answer(
        _ request: Request,
        _ answer: Result<GroupReply, GroupError>
    ) async throws(StoreError) {
        try await store.answerRequest(
            request.id,
            answer,
            fence: fence,
            within: settings.storeTimeout
        )
    }

    /// Asks the plugin what it would do to each of some groups. When it does not answer for one, it is asked about no other.
    private func plans(for specs: [GroupSpec]) async -> [PlannedChanges.Plan] {
        await withTaskGroup(of: (Int, Result<GroupReply, GroupError>).self) { tasks in
            var words: [Int: Result<String, GroupError>] = [:]
            var trouble: GroupError?
            var next = 0
            while true {
                while next < specs.count, next - words.count < Self.widestPreview, trouble == nil {
                    let (index, spec) = (next, specs[next])
                    tasks.addTask { (index, await self.callPlugin(.commit(spec, pretend: true))) }
                    next += 1
                }
                guard let (index, answer) = await tasks.next() else { break }
                switch answer {
                case .success(.details(let text)), .success(.plan(let text)): words[index] = .success(text)
                case .success: words[index] = .success("")
                case .failure(let error):
                    words[index] = .failure(error)
                    if !error.isRefusal, !error.saysUpdating { trouble = error }
                }
            }
            let missing = trouble ?? GroupError(.unreachable, "the plugin was not asked")
            return specs.enumerated().map { index, spec in
                PlannedChanges.Plan(group: spec.id, words: words[index] ?? .failure(missing))
            }
        }
    }

    private func apply(_ mark: MetadataChange, for request: Request) async throws(GroupError) {
        do throws(StoreError) {
            try await store.apply(
                mark,
                author: request.author,
                resolving: request.id,
                fence: fence,
                within: settings.storeTimeout
            )
        } catch {
            switch error.code {
            case .notFound, .conflict: throw GroupError(.rejected, error.message)
            case _ where error.isPassing: break
            default: abandon(error)
            }
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }

    private func stepDown(_ request: Request) async {
        // A request that could not be closed would make the next leader step down too.
        guard await finish(request, .done, nil) else { return }
        logger.notice("step-down requested", metadata: ["author": "\(request.author.account ?? "unknown")"])
        let who = "\(request.author.account ?? "unknown")@\(request.author.host)"
        dependencies.report(.stepDown(epoch: lease.epoch, "asked to step down by \(who)"))
    }

    // MARK: - Questions to the store

    /// Forgets those revisions that nobody has to confirm any more. That is done in the store, and so read there; where nothing of
    /// this term waits there is nothing to read. What is stored meanwhile, and afterwards, this term knows by itself: so it is asked
    /// for what waits when it decides, and not before.
    private func lookAtUnconfirmed() async throws(GroupError) {
        let known = groups.unconfirmed
        guard !known.isEmpty else { return }
        do {
            let waiting = Set(try await store.summary(within: settings.storeTimeout).unconfirmed.map(\.revision))
            groups.unconfirmed.subtract(known.subtracting(waiting))
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }

    /// Also where nothing has to change, and so nothing is stored. The store asks once more when it stores something: others may
    /// have stored theirs since.
    private func check(_ expectedCurrent: Int?) async throws(GroupError) {
        guard expectedCurrent != nil else { return }
        let current: Int
        do {
            current = try await store.summary(within: settings.storeTimeout).current ?? 0
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
        do {
            try RevisionDraft.requireExpected(expectedCurrent, current)
        } catch {
            throw GroupError(.rejected, error.message)
        }
    }

    private func wholeStates(at number: Int, of group: Identifier?) async throws(GroupError) -> [GroupState] {
        do {
            return try await store.wholeStates(at: number, of: group, within: settings.storeTimeout)
        } catch {
            guard error.code != .notFound else { throw GroupError(.rejected, error.message) }
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }

    /// - Returns: false when it is not known to be stored.
    @discardableResult
    private func finish(
        _ request: Request,
        _ state: Request.State,
        _ error: String?
    ) async -> Bool {
        do {
            try await store.finishRequest(
                request.id,
                state: state,
                error: error,
                fence: fence,
                within: settings.storeTimeout
            )
            return true
        } catch {
            logger.warning("request not closed", metadata: ["request": "\(request.id)", "error": "\(error)"])
            // A request that was taken back meanwhile says nothing against the lease.
            if !error.isPassing, error.code != .conflict { abandon(error) }
            return false
        }
    }
}
