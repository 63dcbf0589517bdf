import GroupSPI
import Replication
import Store
import Testing

@testable import Swarm

/// What a replicated store relies on, of every register.
@Suite("Every register")
struct RegisterConformanceTests {
    @Test(arguments: RegisterKind.allCases)
    func `What is written is read, and the versions tell the order`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            #expect(empty.snapshot == nil && empty.size == 0 && empty.requests.queue == RequestQueue())
            guard case .absent = empty.content else { throw NeverCame(description: "an empty register") }
            let first = Snapshot.numbered(1)
            let write = try await bench.register.swap(
                first,
                over: empty,
                taking: [],
                within: .seconds(60),
                while: { true }
            )
            let found = try await bench.register.read()
            #expect(found.snapshot == first && found.tag == write.tag && found.size == write.size && write.size > 0)
            #expect(found.cluster == empty.cluster && found.size <= bench.register.limits.snapshot)
            #expect(ResourceVersion(seen: empty.version) < write.version)
            #expect(write.version < ResourceVersion(seen: found.version))
            // The same again is there already.
            #expect(await bench.swap(first, over: empty) == nil && bench.writes() == 1)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `Of two with the same beginning one alone succeeds`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            #expect(await bench.swap(.numbered(1), over: empty) == nil)
            let second = Snapshot.numbered(2)
            let known = try await bench.register.read()
            #expect(await bench.swap(second, over: known) == nil)
            #expect(await bench.swap(.numbered(3), over: empty)?.code == .lostRace)
            #expect(try await bench.snapshot == second && bench.writes() == 2)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `What a register tells that was cut off begins nothing`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            #expect(await bench.swap(.numbered(1), over: empty) == nil)
            let known = try await bench.register.read()
            bench.cut()
            let stale = try await bench.register.read()
            bench.heal()
            let second = Snapshot.numbered(2)
            #expect(await bench.swap(second, over: known) == nil)
            #expect(await bench.swap(.numbered(3), over: stale)?.code == .lostRace)
            #expect(try await bench.snapshot == second)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `A write whose answer is lost took place once`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            try bench.turn(.appliedThenDrop)
            #expect(await bench.swap(.numbered(1), over: empty) == nil)
            #expect(try await bench.snapshot?.sequence == 1 && bench.writes() == 1)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `A write that hung cannot come through once another was written`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            try bench.turn(.held)
            #expect(await bench.swap(.numbered(1), over: empty) == nil)
            let second = Snapshot.numbered(2)
            let known = try await bench.register.read()
            #expect(await bench.swap(second, over: known) == nil)
            bench.applyHeld()
            #expect(try await bench.snapshot == second && bench.writes() == 3)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `A write that may still come through is no clear no`(_ kind: RegisterKind) async throws {
        try await kind.with(attempts: 1) { bench in
            let empty = try await bench.register.read()
            let first = Snapshot.numbered(1)
            try bench.turn(.held)
            let outcome = Task { [register = bench.register] () -> RegisterError? in
                do throws(RegisterError) {
                    _ = try await register.swap(first, over: empty, taking: [], within: .seconds(60), while: { true })
                    return nil
                } catch {
                    return error
                }
            }
            try await eventually("a write") { bench.writes() == 1 }
            outcome.cancel()
            #expect(await outcome.value?.code == .unknownOutcome)
            #expect(try await bench.snapshot == nil)
            bench.applyHeld()
            #expect(try await bench.snapshot == first)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `Somebody else's write before it is a lost race, and over it nobody knows`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            let theirs = Snapshot.numbered(7)
            try bench.turn(.foreign(theirs))
            #expect(await bench.swap(.numbered(1), over: empty)?.code == .lostRace)
            #expect(try await bench.snapshot == theirs)
            let next = Snapshot.numbered(9)
            try bench.turn(.appliedThenOverwritten(next))
            let known = try await bench.register.read()
            #expect(await bench.swap(.numbered(8), over: known)?.code == .unknownOutcome)
            #expect(try await bench.snapshot == next)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `A version that rises by itself is tried again`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            for _ in 1...3 { try bench.turn(.versionRises) }
            #expect(await bench.swap(.numbered(1), over: empty) == nil && bench.writes() == 4)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `What is too large is refused before anything is written`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            #expect(await bench.swap(.numbered(1, size: 5000), over: empty)?.code == .tooLarge)
            #expect(bench.writes() == 0)
            // The same for as many requests as no register carries.
            var queue = RequestQueue()
            for number in 0..<4000 {
                let message = (0..<20).map { _ in UInt8.random(in: 0...255) }.hexadecimal
                queue.add(
                    Request(id: "\(number)", kind: .stepDown, author: .tester, message: message, time: 9, patience: 5)
                )
            }
            #expect(throws: RegisterError.self) { try bench.register.validate(queue) }
            #expect(await bench.swap(queue, over: empty)?.code == .tooLarge)
            #expect(bench.writes() == 0)
            try bench.register.validate(.of("a"))
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `Whoever may not write does not`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            #expect(await bench.swap(.numbered(1), over: empty, while: { false })?.code == .cancelled)
            #expect(try await bench.snapshot == nil && bench.writes() == 0)
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `Requests go with the snapshot that settles them, or not at all`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            #expect(await bench.swap(.of("a", "b"), over: empty) == nil)
            // Who began with an older queue has lost.
            #expect(await bench.swap(.of("c"), over: empty)?.code == .lostRace)
            let asked = try await bench.register.read()
            #expect(asked.requests.queue == .of("a", "b") && asked.snapshot == nil)
            #expect(await bench.swap(.numbered(1), over: asked, taking: ["a", "z"])?.code == .conflict)
            #expect(try await bench.snapshot == nil)
            #expect(await bench.swap(.numbered(1), over: asked, taking: ["a"]) == nil)
            let left = try await bench.register.read()
            #expect(left.requests.queue == .of("b") && left.snapshot?.sequence == 1)
            #expect(await bench.swap(RequestQueue(), over: left) == nil)
            #expect(try await bench.register.read().requests.queue == RequestQueue())
        }
    }

    @Test(arguments: RegisterKind.allCases)
    func `Changes tell what reading tells, however much came between`(_ kind: RegisterKind) async throws {
        try await kind.with { bench in
            let empty = try await bench.register.read()
            var state = empty
            for number in 1...6 {
                #expect(await bench.swap(.numbered(number), over: state) == nil)
                if number % 2 == 0 {
                    let known = try await bench.register.read()
                    #expect(await bench.swap(.of("r\(number)"), over: known) == nil)
                }
                let next = try await bench.register.read()
                // From the state before, from one long ago, and from the newest.
                for known in [state, empty, next] {
                    let changed = try await bench.register.changes(since: known)
                    #expect(changed.snapshot == next.snapshot && changed.tag == next.tag, "\(number)")
                    #expect(
                        changed.requests.queue == next.requests.queue && changed.version == next.version,
                        "\(number)"
                    )
                    #expect(changed.requests.tag == next.requests.tag && changed.size == next.size, "\(number)")
                }
                state = next
            }
        }
    }
}
