#if TLS
import NIOCore
import NIOPosix
import NIOSSL
import Swarm
import Synchronization
import Testing

/// Runs an Engine at a TCP port of 127.0.0.1.
///
/// - Parameter clients: the authority of the clients' certificates; nil: they need none.
func withTCPEngine<Result>(
    secure: Bool,
    certificate: String = "server",
    clients: String? = nil,
    newest: TLSVersion? = nil,
    tls: EngineTLS?,
    _ behaviour: @escaping StubEngine.Behaviour,
    _ body: (StubEngine, EngineClient) async throws -> Result
) async throws -> Result {
    var handler: (@Sendable (any Channel) throws -> Void)?
    if secure {
        let folder = "\(Recorded.folder)/tls"
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile("\(folder)/\(certificate).pem").map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(folder)/\(certificate)-key.pem", format: .pem))
        )
        if let newest {
            configuration.minimumTLSVersion = .tlsv1
            configuration.maximumTLSVersion = newest
        }
        if let clients {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile("\(folder)/\(clients)"))
            configuration.certificateVerification = .noHostnameVerification
        }
        let context = try NIOSSLContext(configuration: configuration)
        handler = { try $0.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
    }
    // The port is known after the stub is there, and the stub has to be there for the channels.
    let box = Mutex<StubEngine?>(nil)
    let server = try await bootstrap({ box.withLock { $0 } }, handler, behaviour).bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(server.localAddress?.port)
    let address = try EngineAddress("tcp://127.0.0.1:\(port)", isSecure: tls != nil)
    let stub = StubEngine(EngineEndpoint(address, tls: tls))
    box.withLock { $0 = stub }
    return try await run(stub, server, EngineClient.largestAnswer, body)
}
#endif
