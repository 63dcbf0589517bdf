import Foundation
import GroupSPI
import Testing

@testable import Store

/// Every call of a scripted run to the file system is made to fail once and for ever, in every way, and the power is cut
/// at each: what the store has acknowledged is there afterwards, what it has denied is not, and the file is sound.
@Suite(.serialized) struct StorageFaultTests {
    /// Every kind for ever, every call, a longer script and more seeds: `make faults`, a quarter of an hour.
    static let isThorough = ProcessInfo.processInfo.environment["FAULTS"] == "all"

    private static let errors: [(FaultDisk.Effect, [FaultDisk.Call])] = [
        (
            .fail,
            [.open, .delete, .access, .read, .write, .truncate, .sync, .fileSize, .lock, .unlock, .checkLock]
        ),
        (.full, [.write]), (.failDone, [.open, .delete, .read, .write, .truncate, .sync, .unlock]),
        (.failLost, [.sync]), (.tearPrefix, [.write]), (.tearSubset, [.write]),
    ]

    /// For the write that fails it makes a difference how; for all that follow it much less.
    private static let kinds: [Fault] = errors.flatMap { effect, calls in
        calls.flatMap { call in
            let isWorthMore = [.fail, .full].contains(effect) || isThorough
            return (isWorthMore ? [false, true] : [false]).map { Fault(call: call, effect: effect, isForEver: $0) }
        }
    }

    @Test(arguments: kinds) func everyErrorAtEveryCall(_ kind: Fault) async throws {
        try await Self.everywhere(kind)
    }

    @Test(arguments: isThorough ? [false, true] : [false]) func everyCallHangs(_ isForEver: Bool) async throws {
        try await Self.everywhere(Fault(call: .any, effect: .hang, isForEver: isForEver))
    }

    @Test func thePowerGoesAtEveryCall() async throws {
        try await Self.everywhere(Fault(call: .any, effect: .powerCut))
    }

    @Test func everySyncLies() async throws {
        try await Self.everywhere(Fault(call: .sync, effect: .lie, isForEver: true))
    }

    /// What the power has left is brought in order by the next who opens it, on a disk that fails again.
    @Test func everyErrorDuringARecovery() async throws {
        try await withScratch(inMemory: true) { scratch in
            let crashed = try await crash(in: scratch)
            var counts: [FaultDisk.Call: Int] = [:]
            for kind in Self.kinds + [Fault(call: .any, effect: .powerCut)] {
                counts[kind.call, default: 0] += try await Self.everywhere(
                    kind,
                    .brief,
                    crashed,
                    scratch,
                    " of a recovery"
                )
            }
            #expect(Set(counts.filter { $0.value > 0 }.keys) == Set(FaultDisk.Call.allCases))
        }
    }

    /// A store that is made for the first time, on a disk that fails: there is all of it afterwards, or nothing.
    @Test(arguments: kinds + [Fault(call: .any, effect: .powerCut)]) func everyErrorAtTheFirstStart(_ kind: Fault)
        async throws
    {
        try await withScratch(inMemory: true) { scratch in
            var runs = 0
            var fault = kind
            fault.n = kind.firstCall
            while try await Self.firstStart(fault, in: "\(scratch)/\(fault.n)") {
                runs += 1
                fault.n += kind.stride
                fault.seed += 1
            }
            print("storage faults: \(kind.effect) \(kind.scope) of a first start: \(runs) runs")
        }
    }

    private static func firstStart(_ fault: Fault, in directory: String) async throws -> Bool {
        try FileManager.default.createDirectory(atPath: "\(directory)/after", withIntermediateDirectories: true)
        let disk = try FaultDisk(directory)
        var configuration = StoreConfiguration(path: StoreConfiguration.path(in: directory), busyTimeout: 20)
        configuration.vfs = FaultDisk.vfs
        disk.arm(fault)
        let isThere = (try? await Store.openForManager(configuration, within: patience)) != nil
        let wasHit = disk.hits > 0
        try disk.cutPower(into: "\(directory)/after", survival: 50, seed: fault.seed)
        disk.release()
        try await disk.untilClosed()
        for (left, powerWent) in [(directory, false), ("\(directory)/after", true)] {
            if powerWent || fault.effect != .powerCut {
                let path = StoreConfiguration.path(in: left)
                if isThere {
                    let newest = try await Store.openForCommand(StoreConfiguration(path: path)).summary(
                        within: patience
                    )
                    #expect(newest.newest == 0, "\(fault)")
                }
                let leader = try await lead(try await openStore(in: left))
                try await leader.append([.set("a", 1)])
                #expect(try await leader.store.verifyFile(within: patience) == [], "\(fault)")
            }
        }
        try FileManager.default.removeItem(atPath: directory)
        return wasHit
    }

    // MARK: - Runs

    /// Cuts the power at the first moment that leaves a journal and a database that has grown.
    private func crash(in scratch: String) async throws -> (directory: String, ledger: Ledger?) {
        let template = try await Self.template(in: scratch)
        for n in 1... {
            let before = "\(scratch)/before-\(n)"
            try FileManager.default.copyItem(atPath: template, toPath: before)
            let disk = try FaultDisk(before)
            disk.arm(Fault(call: .any, effect: .powerCut, n: n))
            let ledger = await Self.run(in: before)
            try await disk.untilClosed()
            let after = "\(scratch)/after-\(n)"
            try FileManager.default.createDirectory(atPath: after, withIntermediateDirectories: true)
            try disk.cutPower(into: after, survival: 100, seed: 1)
            guard disk.hits > 0 else { break }
            let sizes = try [template, after].map { try contents(of: StoreConfiguration.path(in: $0)).count }
            if try sizes[0] < sizes[1] && names(in: after).count == 2 { return (after, ledger) }
        }
        throw Unexpected("no loss of power leaves a journal")
    }

    private static func run(in directory: String) async -> Ledger {
        var configuration = StoreConfiguration(path: StoreConfiguration.path(in: directory), busyTimeout: 20)
        configuration.vfs = FaultDisk.vfs
        var run = ScriptedRun(Store.openForCommand(configuration)) { patience }
        await run.run(.short)
        return run.result.ledger
    }

    private static func template(in scratch: String) async throws -> String {
        let template = "\(scratch)/template"
        try FileManager.default.createDirectory(atPath: template, withIntermediateDirectories: true)
        _ = try await openStore(in: template)
        return template
    }

    private static func everywhere(_ kind: Fault) async throws {
        try await withScratch(inMemory: true) { scratch in
            let start = (directory: try await template(in: scratch), ledger: nil as Ledger?)
            let cases = try await everywhere(kind, isThorough ? .long : .short, start, scratch)
            // Nothing is ever truncated, and no reserved lock looked for, but in a recovery.
            #expect((cases > 0) == ![.truncate, .checkLock].contains(kind.call), "\(kind)")
        }
    }

    /// Runs the script with a fault at the first call of a kind, the second, and so on, until it has no such call.
    ///
    /// - Returns: how many runs it took.
    @discardableResult
    private static func everywhere(
        _ kind: Fault,
        _ length: ScriptedRun.Script,
        _ start: (directory: String, ledger: Ledger?),
        _ scratch: String,
        _ when: String = ""
    ) async throws -> Int {
        var cases = 0
        for seed: UInt64 in isThorough && kind.usesSeed ? [1, 2, 3] : [1] {
            let runner = StorageFaultRunner(kind: kind, seed: seed, length: length, start: start, scratch: scratch)
            cases += try await runner.run()
        }
        print("storage faults: \(kind.effect) \(kind.scope)\(when): \(cases) runs")
        return cases
    }
}

extension Fault {
    /// Whether two runs with different seeds differ.
    fileprivate var usesSeed: Bool { [.tearPrefix, .tearSubset, .full, .powerCut].contains(effect) }

    /// Of the calls that are made by the hundred every third is hit, each kind beginning at another; or every one.
    var stride: Int { StorageFaultTests.isThorough || ![.any, .read, .write, .access].contains(call) ? 1 : 3 }

    /// The first call to be hit.
    var firstCall: Int { 1 + Int(call.rawValue + effect.rawValue + (isForEver ? 1 : 0)) % stride }
}
