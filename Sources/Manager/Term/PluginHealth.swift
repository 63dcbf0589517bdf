internal import Logging
internal import Synchronization

/// Says once when the plugin is away, and once when it is there again.
final class PluginHealth: Sendable {
    private let logger: Logger
    private let trouble = Mutex<String?>(nil)

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// - Parameter trouble: why it cannot be reached; nil when it has answered.
    func note(_ trouble: String?) {
        let isNews = self.trouble.withLock { known in
            defer { known = trouble }
            return known != trouble
        }
        guard isNews else { return }
        if let trouble {
            logger.warning("plugin unreachable", metadata: ["error": "\(trouble)"])
        } else {
            logger.info("plugin reachable again")
        }
    }
}
