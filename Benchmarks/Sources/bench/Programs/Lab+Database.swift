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

    /// Has a leader take writes, one after the other, with a transaction of the bare disk after each: so much of it is
    /// the disk's at that moment.
    func commits(_ count: Int, at host: Host, bytes: Int? = nil) async throws -> CommitTimes {
        try await BlockingThread.run { [path] in
            let client = try Client(host.socket, .stream)
            let disk = try Disk(in: path)
            var (commits, bares): ([Double], [Double]) = ([], [])
            // The first ones are not like the others.
            let warmUp = 5
            for number in 0..<count + warmUp {
                // Another specification each time, also in the next call: what stands already may be less work.
                let spec = Specs.spec(0, Int.random(in: 0..<1 << 40) + number, bytes: bytes)
                let start = ContinuousClock.now
                try client.commit(spec)
                let time = (ContinuousClock.now - start).inMilliseconds
                let bare = try disk.transaction()
                guard number >= warmUp else { continue }
                commits.append(time)
                bares.append(bare)
            }
            return CommitTimes(commit: Sample(commits).p50, disk: Sample(bares).p50)
        }
    }
}
