package import NIOCore

/// How a pool treats its connections.
package struct PoolSettings: Sendable {
    /// Requests beyond this many wait for a connection.
    package var maximumConnections: Int
    /// How long an attempt to connect may take.
    package var connectTimeout: TimeAmount
    /// In bytes, of the body.
    package var largestAnswer: Int
    /// A connection that was not needed for so long is closed.
    package var longestIdleTime = TimeAmount.seconds(60)
    /// Puts what a connection needs below HTTP, such as TLS, into its pipeline.
    package var secure: (@Sendable (any Channel) throws -> Void)?

    package init(maximumConnections: Int, connectTimeout: TimeAmount, largestAnswer: Int) {
        self.maximumConnections = maximumConnections
        self.connectTimeout = connectTimeout
        self.largestAnswer = largestAnswer
    }
}
