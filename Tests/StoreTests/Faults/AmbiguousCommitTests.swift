import CSQLite
import GroupSPI
import Testing

@testable import Store

/// A COMMIT that fails says nothing about what was stored: only the file does.
@Suite struct AmbiguousCommitTests {
    private enum Fault: CaseIterable {
        /// The journal is gone, which is the commit; then the directory is not synced.
        case afterTheCommit
        /// The database is not synced; the journal undoes what was written.
        case beforeTheCommit

        func arm(_ disk: FaultyDisk) {
            switch self {
            case .afterTheCommit: disk.afterDelete(SQLITE_IOERR | 5 << 8)
            case .beforeTheCommit:
                disk.beforeSync { file in
                    guard file == .database else { return SQLITE_OK }
                    disk.beforeSync(nil)
                    return SQLITE_IOERR | 4 << 8
                }
            }
        }
    }

    private func withFault(_ fault: Fault, _ body: (Leader) async throws -> Void) async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            try await leader.append([.set("a", 1)])
            let request = Request(id: "r", kind: .stepDown, author: .tester, message: "")
            try await leader.store.submit(request, within: patience)
            fault.arm(disk)
            try await body(leader)
            // What was left behind hinders nobody.
            try await leader.append([.set("z", 1)])
            #expect(try await leader.store.verify(within: patience).isSound)
        }
    }

    @Test(arguments: Fault.allCases) private func append(_ fault: Fault) async throws {
        try await withFault(fault) { leader in
            switch fault {
            case .afterTheCommit: #expect(try await leader.append([.set("a", 2)]).number == 2)
            case .beforeTheCommit:
                let error = try await failure { try await leader.append([.set("a", 2)]) }
                #expect(error.code == .io && error.cause?.extendedCode == SQLITE_IOERR | 4 << 8)
            }
            let newest = try await leader.store.summary(within: patience).newest
            #expect(newest == (fault == .afterTheCommit ? 2 : 1))
        }
    }

    @Test(arguments: Fault.allCases) private func everyOtherWrite(_ fault: Fault) async throws {
        let writes: [(String, @Sendable (Leader) async throws -> Void)] = [
            ("renew", { _ = try await $0.store.renewLease($0.fence, within: patience) }),
            ("release", { try await $0.store.releaseLease($0.fence, reason: "x", within: patience) }),
            ("acquire", { _ = try await lead($0.store, as: "n2/group") }),
            (
                "cancel",
                {
                    let wasCancelled = try await $0.store.cancelRequest("r", within: patience)
                    #expect(wasCancelled)
                }
            ),
            (
                "finish",
                {
                    try await $0.store.finishRequest(
                        "r",
                        state: .done,
                        error: nil,
                        fence: $0.fence,
                        within: patience
                    )
                }
            ),
            (
                "submit",
                {
                    let request = Request(id: "s", kind: .stepDown, author: .tester, message: "")
                    try await $0.store.submit(request, within: patience)
                }
            ),
            (
                "outcome",
                {
                    let outcome = Outcome(revision: 1, group: "a", status: .applied)
                    try await $0.store.recordOutcomes([outcome], fence: $0.fence, within: patience)
                }
            ),
        ]
        for (name, write) in writes {
            try await withScratch { directory in
                let disk = FaultyDisk(StoreConfiguration.path(in: directory))
                defer { disk.remove() }
                let leader = try await lead(try await openStore(in: directory))
                try await leader.append([.set("a", 1)])
                let request = Request(id: "r", kind: .stepDown, author: .tester, message: "")
                try await leader.store.submit(request, within: patience)
                fault.arm(disk)
                switch fault {
                case .afterTheCommit:
                    await #expect(throws: Never.self, "\(name)") { try await write(leader) }
                case .beforeTheCommit:
                    let error = try await failure { try await write(leader) }
                    #expect(error.code == .io, "\(name): \(error)")
                    // Not stored, so it can be done again.
                    await #expect(throws: Never.self, "\(name)") { try await write(leader) }
                }
            }
        }
    }

    /// When not even a look is possible, the caller hears that nobody knows.
    @Test func whatCannotBeLookedAtIsUnknown() async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            try await leader.append([.set("a", 1)])
            // From the commit on, whatever is synced or rolled back fails.
            disk.beforeSync { $0 == .database ? SQLITE_IOERR | 4 << 8 : SQLITE_OK }
            let error = try await failure { try await leader.append([.set("a", 2)]) }
            #expect(error.code == .unknownOutcome && error.cause != nil)
            disk.beforeSync(nil)
            #expect(try await leader.store.summary(within: patience).newest == 1)
            #expect(try await leader.append([.set("a", 2)]).number == 2)
        }
    }

    /// An error amid a batch, after which the connection is not trusted any more, ends the whole batch unstored.
    @Test func ioErrorsBeforeTheCommitStoreNothing() async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            disk.beforeWrite { $0 == .journal ? SQLITE_IOERR | 3 << 8 : SQLITE_OK }
            let error = try await failure { try await leader.append([.set("a", 1)]) }
            #expect(error.code == .io)
            disk.beforeWrite(nil)
            #expect(try await leader.append([.set("a", 1)]).number == 1)
        }
    }
}
