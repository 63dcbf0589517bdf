#if TLS
import NIOPosix
import NIOSSL
import Testing

@testable import Swarm

@Suite("TLS to the Engine")
struct EngineTLSConnectionTests {
    private static let info: StubEngine.Behaviour = { _ in (try? .recorded("leader-info")) ?? .drop }

    @Test func `A trusted Engine is talked to`() async throws {
        try await withTCPEngine(secure: true, tls: EngineTLSTests.tls(), Self.info) { _, client async throws in
            #expect(try await client.info().isManager)
        }
    }

    @Test func `An Engine of another authority is not, unless it is not to be verified`() async throws {
        try await withTCPEngine(secure: true, tls: EngineTLSTests.tls(authority: "other-ca.pem"), Self.info) {
            stub,
            client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tls, "\(String(describing: error))")
            #expect(stub.requests.isEmpty)
        }
        try await withTCPEngine(secure: true, tls: EngineTLSTests.tls(authority: nil), Self.info) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tls, "\(String(describing: error))")
            #expect(stub.requests.isEmpty)
        }
        let careless = EngineTLSTests.tls(authority: "other-ca.pem", isVerified: false)
        try await withTCPEngine(secure: true, tls: careless, Self.info) { _, client async throws in
            #expect(try await client.info().isManager)
        }
    }

    @Test func `The certificate has to be for the host of the address`() async throws {
        for (isVerified, code) in [(true, EngineError.Code.tls), (false, nil)] {
            let tls = EngineTLSTests.tls(authority: "elsewhere.pem", isVerified: isVerified)
            try await withTCPEngine(secure: true, certificate: "elsewhere", tls: tls, Self.info) { _, client in
                do {
                    _ = try await client.info()
                    #expect(code == nil)
                } catch let error as EngineError {
                    #expect(error.code == code, "\(error)")
                }
            }
        }
    }

    /// Each in words of its own, and none with a path of the machine that built the program.
    @Test(arguments: [
        ("expired", "expired.pem", "its certificate expired on 2020-06-01"),
        ("early", "early.pem", "its certificate is valid only from 2090-01-01 on"),
        ("server", "other-ca.pem", "no authority that this program knows has signed its certificate"),
        ("elsewhere", "elsewhere.pem", "shows a certificate for another host"),
    ])
    func `Why an Engine is not trusted`(_ certificate: String, _ authority: String, _ sentence: String) async throws {
        let tls = EngineTLSTests.tls(authority: authority)
        try await withTCPEngine(secure: true, certificate: certificate, tls: tls, Self.info) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            let message = error?.message ?? ""
            #expect(error?.code == .tls && message.contains(sentence), "\(message)")
            #expect(!message.contains(".cc") && !message.contains("/Sources/") && !message.contains("checkouts"))
            #expect(stub.requests.isEmpty)
        }
    }

    @Test(arguments: [(TLSVersion.tlsv11, false), (.tlsv12, true), (.tlsv13, true)])
    func `TLS is 1.2 or newer`(_ newest: TLSVersion, _ isTaken: Bool) async throws {
        try await withTCPEngine(secure: true, newest: newest, tls: EngineTLSTests.tls(), Self.info) { stub, client in
            do throws(EngineError) {
                let info = try await client.info()
                #expect(info.isManager && isTaken)
            } catch {
                #expect(!isTaken && error.code == .tls && error.message.contains("1.2 or newer"), "\(error)")
                #expect(stub.requests.isEmpty)
            }
        }
    }

    @Test func `An Engine that wants to know its clients gets the certificate`() async throws {
        try await withTCPEngine(
            secure: true,
            clients: "ca.pem",
            tls: EngineTLSTests.tls(hasCertificate: true),
            Self.info
        ) {
            _,
            client async throws in
            #expect(try await client.info().isManager)
        }
        try await withTCPEngine(secure: true, clients: "ca.pem", tls: EngineTLSTests.tls(), Self.info) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect([.tls, .lost].contains(error?.code), "\(String(describing: error))")
            #expect(stub.requests.isEmpty)
        }
    }

    @Test func `TLS to a port without, and the other way round`() async throws {
        try await withTCPEngine(secure: false, tls: EngineTLSTests.tls(), Self.info) { _, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tls, "\(String(describing: error))")
        }
        let refusal = EngineErrorTests.read(400, "Client sent an HTTP request to an HTTPS server.\n")
        #expect(refusal.code == .tls)
    }

    @Test(arguments: [
        EngineTLS(authorityFile: "/nowhere/ca.pem"), EngineTLS(authorityFile: "\(EngineTLSTests.folder)/key.pem"),
        EngineTLS(certificateFile: "\(EngineTLSTests.folder)/key.pem", keyFile: "\(EngineTLSTests.folder)/key.pem"),
        EngineTLS(certificateFile: "\(EngineTLSTests.folder)/cert.pem", keyFile: "\(EngineTLSTests.folder)/cert.pem"),
        EngineTLS(certificateFile: "\(EngineTLSTests.folder)/cert.pem", keyFile: "/nowhere/key.pem"),
    ])
    func `A file that is none is named`(_ tls: EngineTLS) throws {
        let endpoint = EngineEndpoint(try EngineAddress("tcp://127.0.0.1", isSecure: true), tls: tls)
        let error = #expect(throws: EngineError.self) { try EngineClient(endpoint, on: loops) }
        #expect(error?.code == .tls)
        #expect(error?.message.contains(".pem (--tls") == true, "\(String(describing: error))")
    }
}
#endif
