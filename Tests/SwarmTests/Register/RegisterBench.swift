import GroupSPI
import Replication
import Store
import Synchronization
import Testing

@testable import Swarm

/// Every kind of register that there is.
enum RegisterKind: CaseIterable, CustomTestStringConvertible {
    case memory, swarm

    var testDescription: String { "\(self)" }

    /// What can go wrong at one write.
    enum Turn {
        case appliedThenDrop, held, versionRises
        case foreign(Snapshot)
        case appliedThenOverwritten(Snapshot)
    }

    /// - Parameter attempts: how often a write is sent of which no answer tells what became of it.
    func with(
        attempts: Int = 5,
        _ body: (RegisterBench) async throws -> Void
    ) async throws {
        let settings = SwapSettings(
            requestLimit: .seconds(60),
            attempts: attempts,
            limit: .seconds(60),
            pause: .milliseconds(1)
        )
        switch self {
        case .memory:
            let register = MemoryRegister(settings)
            try await body(
                RegisterBench(
                    register: register,
                    turn: { turn in
                        let next: MemoryRegister.Turn =
                            switch turn {
                            case .appliedThenDrop: .appliedThenDrop
                            case .held: .held
                            case .versionRises: .versionRises
                            case .foreign(let snapshot): .foreign(snapshot)
                            case .appliedThenOverwritten(let snapshot): .appliedThenOverwritten(snapshot)
                            }
                        register.state.withLock { $0.turns.append(next) }
                    },
                    cut: { register.state.withLock { $0.past = ($0.version, $0.content) } },
                    heal: { register.state.withLock { $0.past = nil } },
                    applyHeld: { register.applyHeld() },
                    writes: { register.state.withLock(\.writes) }
                )
            )
        case .swarm:
            let swarm = try StubSwarm()
            let behaviour: StubEngine.Behaviour = { swarm.answer($0, at: "n1") }
            try await withEngine(behaviour) { _, client in
                try await body(
                    RegisterBench(
                        register: SwarmRegister(
                            client,
                            settings: settings,
                            label: EncodedAnnotation.Limit(maximum: 4000)
                        ),
                        turn: { turn in
                            switch turn {
                            case .appliedThenDrop: swarm.turn(.appliedThenDrop)
                            case .held: swarm.turn(.held)
                            case .versionRises: swarm.turn(.versionRises)
                            case .foreign(let snapshot): swarm.turn(.foreign(try Annotation(snapshot).encoded().text))
                            case .appliedThenOverwritten(let snapshot):
                                swarm.turn(.appliedThenOverwritten(try Annotation(snapshot).encoded().text))
                            }
                        },
                        cut: { swarm.mood("n1", .old(swarm.past)) },
                        heal: { swarm.mood("n1", .well) },
                        applyHeld: { swarm.applyHeld() },
                        writes: { swarm.writes }
                    )
                )
            }
        }
    }
}

/// A register, and what can happen to it.
struct RegisterBench: Sendable {
    let register: any ReplicatedRegister
    /// At the next write.
    let turn: @Sendable (RegisterKind.Turn) throws -> Void
    /// From now on it tells what is so now.
    let cut: @Sendable () -> Void
    let heal: @Sendable () -> Void
    /// What was sent, and hung.
    let applyHeld: @Sendable () -> Void
    /// How many writes were sent.
    let writes: @Sendable () -> Int

    /// - Returns: nil when it was written.
    @discardableResult
    func swap(
        _ snapshot: Snapshot,
        over state: RegisterState,
        taking: Set<String> = [],
        while mayWrite: @escaping @Sendable () -> Bool = { true }
    ) async -> RegisterError? {
        do throws(RegisterError) {
            let write = try await register.swap(
                snapshot,
                over: state,
                taking: taking,
                within: .seconds(60),
                while: mayWrite
            )
            return write.tag == state.tag ? RegisterError(.malformed, "the tag is the old one") : nil
        } catch {
            return error
        }
    }

    @discardableResult
    func swap(_ requests: RequestQueue, over state: RegisterState) async -> RegisterError? {
        do throws(RegisterError) {
            _ = try await register.swap(requests, over: state, within: .seconds(60))
            return nil
        } catch {
            return error
        }
    }

    /// The snapshot that lies there now.
    var snapshot: Snapshot? { get async throws { try await register.read().snapshot } }
}

extension RegisterState {
    var snapshot: Snapshot? { if case .ours(let snapshot) = content { snapshot } else { nil } }
}

extension Snapshot {
    /// The one of so many writes, each with a group of its own.
    static func numbered(_ number: Int, size: Int = 10) -> Snapshot {
        let hash = [UInt8](repeating: UInt8(number), count: 32)
        let noise = (0..<size).map { _ in UInt8.random(in: 0...255) }.hexadecimal
        let spec = GroupSpec(id: Identifier("g\(number)"), properties: RawJSON(checked: JSON.string(noise).bytes))
        return Snapshot(
            base: Base(revision: number, hash: hash, groups: [spec.id: GlobalConfig.Entry(spec: spec, plugin: "p")]),
            lease: .nobody(since: 1),
            sequence: number
        )
    }
}

extension RequestQueue {
    static func of(_ ids: String...) -> RequestQueue {
        var queue = RequestQueue()
        for id in ids {
            queue.add(Request(id: id, kind: .stepDown, author: .tester, message: "m", time: 9, patience: 5))
        }
        return queue
    }
}
