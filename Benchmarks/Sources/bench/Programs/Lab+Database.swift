internal import BenchmarkSupport
internal import GroupSPI
internal import Store

extension Lab {
    /// Makes a database in which so many groups stand.
    func fill(groups: Int) async throws {
        let predecessor = try await Predecessor(leading: database)
        if groups > 0 { try await predecessor.declare(groups: groups) }
        try await predecessor.release()
    }

    /// A database elsewhere, as any program may read it.
    func openStore(_ path: String) -> Store { Store.openForCommand(StoreConfiguration(path: path, busyTimeout: 5000)) }

    /// Has a leader take writes, one after the other.
    ///
    /// - Returns: what each took, in milliseconds.
    func commits(_ count: Int, at host: Host, bytes: Int? = nil) async throws -> Sample {
        try await BlockingThread.run {
            let client = try Client(host.socket, .stream)
            let times = try (0..<count + 5).map { number in
                // Another each time, also in the next call: what stands already may be less work.
                let spec = Specs.spec(0, Int.random(in: 0..<Int.max >> 8) + number, bytes: bytes)
                let start = ContinuousClock.now
                try client.commit(spec)
                return (ContinuousClock.now - start).inMilliseconds
            }
            return Sample(Array(times.dropFirst(5)))
        }
    }
}
