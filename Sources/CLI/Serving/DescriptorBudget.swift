internal import CLinux
internal import Glibc
internal import PluginRPC

/// How the files that a process may have open are shared out: what it needs to lead comes first, what users open has its limit.
struct DescriptorBudget: Hashable {
    /// For the store, the lease, the guard, the event loop, and looks into /proc and at the socket's directory.
    static let reserve = 64
    /// With fewer, nothing would be left for users.
    static let least = 128

    /// To the plugin.
    let pluginConnections: Int
    /// Of users.
    let connections: Int
    /// What gets this number or above touches the reserve: numbers are given out from the lowest.
    let firstReserved: Int

    /// - Parameter limit: how many files may be open.
    /// - Throws: ``Failure`` when they are too few.
    init(limit: Int) throws {
        guard limit >= Self.least else {
            throw Failure(
                "at most \(limit) files can be open, but \(Self.least) are needed. Raise the limit: ulimit -n, or "
                    + "LimitNOFILE= of the unit.",
                .usage
            )
        }
        let rest = limit - Self.reserve
        pluginConnections = min(256, rest / 4)
        connections = min(4096, rest - pluginConnections)
        firstReserved = rest
    }

    /// Raises the limit of this process, as far as it may be raised.
    ///
    /// - Throws: ``Failure``, see ``init(limit:)``.
    static func raised() throws -> DescriptorBudget {
        try DescriptorBudget(limit: Int(clinux_raise_descriptor_limit(enough)))
    }

    /// Of a process that starts others, which get its limit: it stays as it is.
    ///
    /// - Throws: ``Failure``, see ``init(limit:)``.
    static func found() throws -> DescriptorBudget {
        try DescriptorBudget(limit: Int(clinux_raise_descriptor_limit(0)))
    }

    private static let enough: Int64 = 65_536

    func apply(to configuration: PluginServerConfiguration) -> PluginServerConfiguration {
        var configuration = configuration
        configuration.maximumConnections = min(configuration.maximumConnections, connections)
        configuration.descriptorLimit = firstReserved
        return configuration
    }
}
