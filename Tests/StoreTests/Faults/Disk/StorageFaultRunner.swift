import Foundation
import GroupSPI
import Synchronization
import Testing

@testable import Store

/// Runs a script once for every call that a fault can hit.
struct StorageFaultRunner: Sendable {
    let kind: Fault
    let seed: UInt64
    let length: ScriptedRun.Script
    /// A store's files, and what it may hold; nil for a store without content.
    let start: (directory: String, ledger: Ledger?)
    let scratch: String

    /// - Returns: how many runs were hit.
    func run() async throws -> Int {
        let progress = Progress(from: kind.firstCall, by: kind.stride)
        // A run that hangs takes no processor.
        let width = kind.effect == .hang ? 12 : 3
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<width {
                tasks.addTask {
                    while let n = progress.next() {
                        var fault = kind
                        fault.n = n
                        fault.seed = seed &* 1_000_003 &+ UInt64(n)
                        progress.note(wasHit: try await run(fault))
                    }
                }
            }
            try await tasks.waitForAll()
        }
        return progress.hits
    }

    /// - Returns: whether the script made so many calls that the fault was hit.
    private func run(_ fault: Fault) async throws -> Bool {
        let directory = "\(scratch)/\(fault.effect)-\(fault.n)-\(fault.seed)"
        try FileManager.default.copyItem(atPath: start.directory, toPath: directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let disk = try FaultDisk(directory)
        let (wasHit, before, after) = try await script(fault, disk, directory)
        try await disk.untilClosed()
        for (index, image) in images(fault).enumerated() {
            let words = "\(fault), and no power with \(image.survival) % of what was not synced, seed \(image.seed)"
            let copy = "\(directory)/after-\(index)"
            if fault.effect == .lie {
                await checkAfterLies(copy, before.ledger, words)
            } else {
                await check(copy, before.ledger, words)
            }
        }
        #expect(before.contradictions.isEmpty, "\(fault): \(before.contradictions)")
        guard let after else { return wasHit }
        #expect(after.contradictions.isEmpty, "\(fault): \(after.contradictions)")
        await check(directory, after.ledger, "\(fault)")
        if !fault.isForEver, fault.effect != .hang, fault.call != .unlock {
            // One fault ends what it hits, and what follows goes on. A lock that could not be let go is let go when its
            // connection is used again.
            #expect(after.ledger.answers.count { $0 != .stored } <= 2, "\(fault): \(after.ledger.answers)")
        }
        return wasHit
    }

    /// What survives of that which was not synced when the power goes.
    private func images(_ fault: Fault) -> [(survival: Int, seed: UInt64)] {
        let nothing = (survival: 0, seed: fault.seed)
        return switch fault.effect {
        case .powerCut: [nothing, (100, fault.seed), (50, fault.seed), (50, ~fault.seed)]
        case .lie: [nothing, (50, fault.seed)]
        // What an error of a sync or of a removal leaves unsynced.
        case .failDone, .failLost: [nothing]
        default: StorageFaultTests.isThorough ? [nothing] : []
        }
    }

    /// Runs the script; writes what a loss of power right after it would leave; lets the disk work again, and goes on with
    /// the same store, unless the power is gone.
    ///
    /// Of its own, so that the store's end is the function's.
    private func script(
        _ fault: Fault,
        _ disk: FaultDisk,
        _ directory: String
    ) async throws -> (wasHit: Bool, before: ScriptedRun.Result, after: ScriptedRun.Result?) {
        var configuration = StoreConfiguration(path: StoreConfiguration.path(in: directory), busyTimeout: 20)
        configuration.vfs = FaultDisk.vfs
        let late = Counter()
        var run = ScriptedRun(Store.openForCommand(configuration), after: start.ledger) {
            guard fault.effect == .hang, late.value < 2 else { return patience }
            guard disk.isHanging else { return .milliseconds(100) }
            // The disk comes back after two calls to the store that it has kept waiting.
            late.add()
            guard late.value == 2 else { return .milliseconds(10) }
            disk.release()
            return patience
        }
        disk.arm(fault)
        await run.run(length)
        let before = run.result
        for (index, image) in images(fault).enumerated() {
            let copy = "\(directory)/after-\(index)"
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
            try disk.cutPower(into: copy, survival: image.survival, seed: image.seed)
        }
        let wasHit = disk.hits > 0
        disk.release()
        guard fault.effect != .powerCut else { return (wasHit, before, nil) }
        let goesOn = await run.runAfterwards()
        #expect(goesOn, "\(fault): the store does not recover")
        return (wasHit, before, run.result)
    }

    /// The store as the next process finds it.
    private func check(_ directory: String, _ ledger: Ledger, _ words: String) async {
        do {
            let store = Store.openForCommand(StoreConfiguration(path: StoreConfiguration.path(in: directory)))
            #expect(try await store.verifyFile(within: patience) == [], "\(words)")
            #expect(try await store.verify(within: patience).problems == [], "\(words)")
            let content = try await Content.read(store, within: patience)
            let contradictions = ledger.contradictions(content, isAll: true)
            #expect(contradictions.isEmpty, "\(words): \(contradictions)")
            try await lead(store, as: "next").append([.set("a", 99)])
        } catch {
            Issue.record("\(words): \(error)")
        }
    }

    /// Nothing can be promised for what a disk has not kept that said so. It is found, or it is a loss of the newest
    /// writes: what is still there is as it was written.
    private func checkAfterLies(_ directory: String, _ ledger: Ledger, _ words: String) async {
        let store = Store.openForCommand(StoreConfiguration(path: StoreConfiguration.path(in: directory)))
        guard
            let file = try? await store.verifyFile(within: patience), file.isEmpty,
            let chain = try? await store.verify(within: patience), chain.isSound
        else { return }
        do {
            let content = try await Content.read(store, within: patience).filter { $0.key.hasPrefix("revision ") }
            let contradictions = ledger.contradictions(content, isAll: false)
            #expect(contradictions.isEmpty, "\(words): \(contradictions)")
        } catch {
            Issue.record("\(words): \(error)")
        }
    }
}

/// Hands out the calls, until one was not reached.
private final class Progress: Sendable {
    private let state: Mutex<(next: Int, hits: Int, isOver: Bool)>
    private let stride: Int

    init(from first: Int, by stride: Int) {
        state = Mutex((first, 0, false))
        self.stride = stride
    }

    func next() -> Int? {
        state.withLock { state in
            guard !state.isOver else { return nil }
            defer { state.next += stride }
            return state.next
        }
    }

    func note(wasHit: Bool) {
        state.withLock { state in
            if wasHit { state.hits += 1 } else { state.isOver = true }
        }
    }

    var hits: Int { state.withLock { $0.hits } }
}
