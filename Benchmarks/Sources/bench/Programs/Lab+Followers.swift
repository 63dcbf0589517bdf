extension Lab {
    /// Starts so many replicas beside a leader, and waits until they follow.
    func followers(_ count: Int) async throws -> [Host] {
        var hosts: [Host] = []
        for number in 0..<count {
            let host = try await Host("f\(number)", in: self)
            try host.launch()
            hosts.append(host)
        }
        for host in hosts { try await host.waitUntilFollowing() }
        return hosts
    }
}
