internal import Logging
internal import Synchronization

/// What is known of the plugin. Says once when it is away, and once when it is there again.
final class PluginHealth: Sendable {
    private let logger: Logger
    private let trouble = Mutex<String?>(nil)
    private let keeping = Mutex(false)

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// It starts others in the places of instances that it was told to destroy.
    var keepsSize: Bool { keeping.withLock(\.self) }

    func noteKeepsSize() { keeping.withLock { $0 = true } }

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
