import GroupSPI
import NIOCore
import Synchronization
import Testing

@testable import PluginRPC

@Suite("All requests together take no more memory than they may")
struct ServerMemoryTests {
    private static let configuration: PluginServerConfiguration = {
        var configuration = PluginServerConfiguration()
        configuration.limits = JSONLimits(maximumBytes: 256 * 1024)
        configuration.requestMemory = 1024 * 1024
        return configuration
    }()

    /// A commit of nearly the largest size, cut in two; the second part is short.
    private static func request(_ number: Int, _ isStream: Bool) -> (first: String, rest: String) {
        let spec = #"{"ID":"g\#(number)","Properties":"\#(String(repeating: "x", count: 250_000))"}"#
        let parameters = #"{"Spec":\#(spec),"Pretend":false}"#
        let text =
            isStream
            ? #"{"method":"Group.CommitGroup","params":[\#(parameters)],"id":1}"# + "\n"
            : HTTPText.call("Group.CommitGroup", parameters)
        return (String(text.dropLast(20)), String(text.suffix(20)))
    }

    @Test("and who has to wait goes on in the end", arguments: [true, false])
    func staysBelow(isStream: Bool) async throws {
        try await withPluginServer(configuration: Self.configuration) { fixture in
            let memory = fixture.server.memory
            var clients: [(client: RawClient, rest: String)] = []
            for number in 0..<40 {
                let client = try await fixture.connect()
                let (first, rest) = Self.request(number, isStream)
                client.send(first)
                clients.append((client, rest))
            }
            try await eventually { memory.waitingCount > 30 }
            // What nobody counts, and one reading, of each.
            let most = Self.configuration.requestMemory + 40 * (RequestMemory.small + RequestMemory.largestReading)
            #expect(memory.used <= most, "\(memory.used)")
            // What is small does not wait.
            let small = try await fixture.connect()
            for _ in 0..<3 {
                small.send(#"{"method":"Group.InspectGroups","params":[{"ID":""}],"id":1}"# + "\n")
            }
            _ = try await small.lines(3)
            // The rest comes from all of them, and from those first that must wait for longest.
            for (client, rest) in clients.reversed() { client.send(rest) }
            for (client, _) in clients {
                _ = try await client.text { $0.contains("Managing") }
                #expect(memory.used <= most, "\(memory.used)")
            }
            for (client, _) in clients { client.close() }
            small.close()
            try await eventually { memory.used == 0 && memory.waitingCount == 0 }
        }
    }

    /// Those that hold it all send no more, and leave.
    @Test("and what was held is there for those who waited")
    func goesOnWhenTheOthersLeave() async throws {
        try await withPluginServer(configuration: Self.configuration) { fixture in
            let memory = fixture.server.memory
            var greedy: [RawClient] = []
            for number in 0..<20 {
                let client = try await fixture.connect()
                client.send(Self.request(number, true).first)
                greedy.append(client)
            }
            try await eventually { memory.waitingCount > 10 }
            let client = try await fixture.connect()
            let (first, rest) = Self.request(99, true)
            client.send(first + rest)
            for client in greedy { client.close() }
            _ = try await client.text { $0.contains("Managing g99") }
            client.close()
            try await eventually { memory.used == 0 && memory.waitingCount == 0 }
        }
    }

    /// A client that is not read from cannot send in time, and is not closed for it. Those that are read from are.
    @Test("and only who is read from runs out of time")
    func doesNotBlameThoseThatWait() async throws {
        let configuration = Self.configuration.with(\.requestTimeout, .milliseconds(300))
        try await withPluginServer(configuration: configuration) { fixture in
            var clients: [RawClient] = []
            for number in 0..<20 {
                let client = try await fixture.connect()
                client.send(Self.request(number, true).first)
                clients.append(client)
            }
            // Each in its turn, and nothing stays behind.
            for client in clients { try await client.textUntilEnd(orFailAfter: .seconds(60)) }
            try await eventually { fixture.server.memory.used == 0 }
        }
    }

    // MARK: - The rule alone

    @Test("the one whose user has least goes on first")
    func isFair() {
        let memory = RequestMemory(limit: 300_000, largest: 100_000)
        let woken = Mutex<[Int]>([])
        func mayRead(_ number: Int) -> Bool {
            memory.mayRead(UInt64(number)) { woken.withLock { $0.append(number) } }
        }
        // The first user fills what is shared, and has what is kept apart.
        for number in 1...5 { memory.set(50_000, of: UInt64(number), uid: 1) }
        #expect(mayRead(1))
        for number in 2...5 { #expect(!mayRead(number)) }
        // Another has one.
        memory.set(20_000, of: 6, uid: 2)
        #expect(!mayRead(6))
        memory.set(0, of: 1, uid: 1)
        #expect(woken.withLock { $0 } == [6])
        #expect(mayRead(6))
        #expect(memory.waitingCount == 4)
        // The one that began first gets what is kept apart; for the others there is room in what is shared.
        memory.set(0, of: 6, uid: 2)
        #expect(woken.withLock { $0 } == [6, 2, 3, 4, 5])
        for number in 2...5 { memory.set(0, of: UInt64(number), uid: 1) }
        #expect(memory.used == 0)
    }

    /// Whatever the order in which requests come, go on and end: never more than there is, and nobody waits for ever.
    @Test("in every order", arguments: 0..<20)
    func holdsInEveryOrder(seed: UInt64) {
        var random = SeededRandom(seed)
        let (limit, largest, step) = (600_000, 150_000, RequestMemory.largestReading)
        let memory = RequestMemory(limit: limit, largest: largest)
        var held: [UInt64: Int] = [:]
        var wanted: [UInt64: Int] = [:]
        let woken = Mutex<Set<UInt64>>([])
        var next: UInt64 = 0
        var steps = 0
        while next < 200 || !wanted.isEmpty {
            steps += 1
            guard steps < 200_000 else { break }
            if next < 200, wanted.isEmpty || random.below(4) == 0 {
                next += 1
                wanted[next] = RequestMemory.small + 1 + random.below(largest - RequestMemory.small)
                held[next] = 0
                woken.withLock { _ = $0.insert(next) }
            }
            // Somebody that is not waiting reads on.
            let ready = woken.withLock { $0 }.sorted()
            guard !ready.isEmpty else {
                Issue.record("all wait for one another")
                break
            }
            let number = ready[random.below(ready.count)]
            let uid = UInt32(number % 3)
            guard held[number] == 0 || memory.mayRead(number, wake: { woken.withLock { _ = $0.insert(number) } })
            else {
                woken.withLock { _ = $0.remove(number) }
                continue
            }
            let more = min(1 + random.below(step), (wanted[number] ?? 0) - (held[number] ?? 0))
            held[number, default: 0] += more
            memory.set(held[number] ?? 0, of: number, uid: uid)
            // What is small, and the first reading of each, is beside the limit.
            #expect(memory.used <= limit + held.count * (RequestMemory.small + step))
            if held[number] == wanted[number] {
                (held[number], wanted[number]) = (nil, nil)
                woken.withLock { _ = $0.remove(number) }
                memory.set(0, of: number, uid: uid)
            }
        }
        #expect(steps < 200_000 && memory.used == 0)
    }

    private struct SeededRandom {
        private var state: UInt64
        init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }
}
