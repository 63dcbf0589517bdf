import NIOPosix
import NIOSSL
import Testing

@testable import Swarm

@Suite("TLS to the Engine")
struct EngineTLSTests {
    private static let folder = "\(Recorded.folder)/tls"
    private static let info: StubEngine.Behaviour = { _ in (try? .recorded("leader-info")) ?? .drop }

    private static func tls(authority: String? = "ca.pem", isVerified: Bool = true, hasCertificate: Bool = false)
        -> EngineTLS
    {
        EngineTLS(
            authorityFile: authority.map { "\(folder)/\($0)" },
            certificateFile: hasCertificate ? "\(folder)/cert.pem" : nil,
            keyFile: hasCertificate ? "\(folder)/key.pem" : nil,
            isVerified: isVerified
        )
    }

    @Test func `Nobody asks for TLS: there is none`() throws {
        #expect(try EngineTLS.resolve(.init(), environment: [:]) == nil)
        #expect(try EngineTLS.resolve(.init(), environment: ["DOCKER_CERT_PATH": "", "DOCKER_TLS_VERIFY": ""]) == nil)
        #expect(try EngineTLS.resolve(.init(isVerified: false), environment: [:]) == nil)
        #expect(try EngineTLS.resolve(.init(), environment: ["DOCKER_TLS_VERIFY": "0"]) == nil)
    }

    @Test(
        arguments: [
            (nil, nil, true), (nil, "", true), (nil, "1", true), (nil, "yes", true), (nil, "anything", true),
            (nil, "0", false), (nil, "False", false), (nil, "off", false), (nil, "no", false),
            (true, "0", true), (false, "1", false), (false, nil, false), (true, nil, true),
        ] as [(Bool?, String?, Bool)]
    )
    func `The Engine's certificate is checked unless somebody says no`(
        _ flag: Bool?,
        _ variable: String?,
        _ isVerified: Bool
    ) throws {
        var environment = ["DOCKER_CERT_PATH": Self.folder]
        environment["DOCKER_TLS_VERIFY"] = variable
        let tls = try #require(try EngineTLS.resolve(.init(isVerified: flag), environment: environment))
        #expect(tls.isVerified == isVerified)
    }

    @Test func `Files come from the flags, else from DOCKER_CERT_PATH`() throws {
        let environment = ["DOCKER_CERT_PATH": Self.folder]
        let tls = try #require(try EngineTLS.resolve(.init(), environment: environment))
        #expect(tls == Self.tls(hasCertificate: true))
        let mixed = try #require(try EngineTLS.resolve(.init(authorityFile: "/mine"), environment: environment))
        #expect(mixed.authorityFile == "/mine")
        #expect(mixed.keyFile == "\(Self.folder)/key.pem")
        #expect(throws: EngineError.self) {
            try EngineTLS.resolve(.init(), environment: ["DOCKER_CERT_PATH": "/nowhere"])
        }
    }

    @Test(arguments: [EngineTLS.Flags(certificateFile: "/c"), EngineTLS.Flags(keyFile: "/k")])
    func `A certificate without its key is refused`(_ flags: EngineTLS.Flags) throws {
        let error = #expect(throws: EngineError.self) { try EngineTLS.resolve(flags, environment: [:]) }
        #expect(error?.code == .settings)
    }

    @Test func `A socket has no TLS, whatever the environment says; a flag is an error there`() throws {
        let environment = ["DOCKER_CERT_PATH": Self.folder, "DOCKER_TLS_VERIFY": "1"]
        let endpoint = try EngineEndpoint.resolve(host: "unix:///x", tls: .init(), environment: environment)
        #expect(endpoint.tls == nil)
        #expect(throws: EngineError.self) {
            try EngineEndpoint.resolve(host: "unix:///x", tls: .init(authorityFile: "/ca"), environment: [:])
        }
    }

    @Test func `An address is secure when TLS is asked for`() throws {
        func place(_ host: String, _ flags: EngineTLS.Flags, _ environment: [String: String]) throws
            -> EngineAddress.Place
        {
            try EngineEndpoint.resolve(host: host, tls: flags, environment: environment).address.place
        }
        #expect(try place("tcp://e", .init(), [:]) == .tcp(host: "e", port: 2375, isSecure: false))
        #expect(try place("tcp://e", .init(isVerified: true), [:]) == .tcp(host: "e", port: 2376, isSecure: true))
        #expect(
            try place("tcp://e", .init(), ["DOCKER_TLS_VERIFY": "1"]) == .tcp(host: "e", port: 2376, isSecure: true)
        )
        let own = try EngineEndpoint.resolve(host: "https://e", tls: .init(isVerified: false), environment: [:])
        #expect(own.tls?.isVerified == false)
        #expect(throws: EngineError.self) { try place("http://e", .init(isVerified: true), [:]) }
    }

    @Test func `A trusted Engine is talked to`() async throws {
        try await withTCPEngine(secure: true, tls: Self.tls(), Self.info) { _, client async throws in
            #expect(try await client.info().isManager)
        }
    }

    @Test func `An Engine of another authority is not, unless it is not to be verified`() async throws {
        try await withTCPEngine(secure: true, tls: Self.tls(authority: "other-ca.pem"), Self.info) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tls, "\(String(describing: error))")
            #expect(stub.requests.isEmpty)
        }
        try await withTCPEngine(secure: true, tls: Self.tls(authority: nil), Self.info) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tls, "\(String(describing: error))")
            #expect(stub.requests.isEmpty)
        }
        let careless = Self.tls(authority: "other-ca.pem", isVerified: false)
        try await withTCPEngine(secure: true, tls: careless, Self.info) { _, client async throws in
            #expect(try await client.info().isManager)
        }
    }

    @Test func `The certificate has to be for the host of the address`() async throws {
        for (isVerified, code) in [(true, EngineError.Code.tls), (false, nil)] {
            let tls = Self.tls(authority: "elsewhere.pem", isVerified: isVerified)
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
        let tls = Self.tls(authority: authority)
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
        try await withTCPEngine(secure: true, newest: newest, tls: Self.tls(), Self.info) { stub, client in
            do throws(EngineError) {
                let info = try await client.info()
                #expect(info.isManager && isTaken)
            } catch {
                #expect(!isTaken && error.code == .tls && error.message.contains("1.2 or newer"), "\(error)")
                #expect(stub.requests.isEmpty)
            }
        }
    }

    @Test func `A library's words lose the places in its sources`() {
        #expect(TLSFailure.plain("a (b at /x/y.cc:12), c at /d/e.swift:3") == "a (b), c")
        #expect(TLSFailure.plain("nothing at all") == "nothing at all")
    }

    @Test func `An Engine that wants to know its clients gets the certificate`() async throws {
        try await withTCPEngine(secure: true, clients: "ca.pem", tls: Self.tls(hasCertificate: true), Self.info) {
            _,
            client async throws in
            #expect(try await client.info().isManager)
        }
        try await withTCPEngine(secure: true, clients: "ca.pem", tls: Self.tls(), Self.info) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect([.tls, .lost].contains(error?.code), "\(String(describing: error))")
            #expect(stub.requests.isEmpty)
        }
    }

    @Test func `TLS to a port without, and the other way round`() async throws {
        try await withTCPEngine(secure: false, tls: Self.tls(), Self.info) { _, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tls, "\(String(describing: error))")
        }
        let refusal = EngineErrorTests.read(400, "Client sent an HTTP request to an HTTPS server.\n")
        #expect(refusal.code == .tls)
    }

    @Test(arguments: [
        EngineTLS(authorityFile: "/nowhere/ca.pem"), EngineTLS(authorityFile: "\(folder)/key.pem"),
        EngineTLS(certificateFile: "\(folder)/key.pem", keyFile: "\(folder)/key.pem"),
        EngineTLS(certificateFile: "\(folder)/cert.pem", keyFile: "\(folder)/cert.pem"),
        EngineTLS(certificateFile: "\(folder)/cert.pem", keyFile: "/nowhere/key.pem"),
    ])
    func `A file that is none is named`(_ tls: EngineTLS) throws {
        let endpoint = EngineEndpoint(try EngineAddress("tcp://127.0.0.1", isSecure: true), tls: tls)
        let error = #expect(throws: EngineError.self) { try EngineClient(endpoint, on: loops) }
        #expect(error?.code == .tls)
        #expect(error?.message.contains(".pem (--tls") == true, "\(String(describing: error))")
    }
}
