internal import Logging
internal import NIOCore
internal import NIOPosix

/// A socket that is served: its file, and the channel that takes its connections.
struct Listener: Sendable {
    private let socket: ListeningSocket
    private let channel: any Channel

    var path: String { socket.path }

    /// Makes the socket and begins to accept.
    ///
    /// - Throws: ``PluginServerError``.
    static func open(_ path: String, _ acceptor: Acceptor, group: any EventLoopGroup) async throws -> Self {
        let socket = try await NIOThreadPool.singleton.runIfActive {
            try ListeningSocket.claim(
                path,
                socketMode: acceptor.configuration.socketMode,
                directoryMode: acceptor.configuration.directoryMode
            )
        }
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        // Out of descriptors: wait a little instead of failing in a loop.
                        try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                    }
                }
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                // What one reading brings is little: only between two of them can a connection be made to wait.
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(
                        minimum: 1024,
                        initial: 2048,
                        maximum: RequestMemory.largestReading
                    )
                )
                .childChannelInitializer { acceptor.accept($0) }
                .withBoundSocket(socket.descriptor)
                .get()
            socket.makeRoom()
            return Self(socket: socket, channel: channel)
        } catch {
            try? await NIOThreadPool.singleton.runIfActive { socket.removeFile() }
            throw PluginServerError(.system, path: path, message: "cannot serve the socket \(path): \(error)")
        }
    }

    /// False when somebody has taken the file away, or put another in its place.
    var isInPlace: Bool {
        get async { (try? await NIOThreadPool.singleton.runIfActive { socket.isInPlace }) ?? true }
    }

    /// Removes the file if it is still this socket's, and accepts no more; connections stay.
    func close() async {
        // The file first: while the socket is open, its inode tells whether the file is still ours.
        try? await NIOThreadPool.singleton.runIfActive { socket.removeFile() }
        try? await channel.close()
    }

    func waitUntilClosed() async { try? await channel.closeFuture.get() }
}
