import Testing

@testable import Swarm

@Suite("What is asked of TLS to the Engine")
struct EngineTLSTests {
    static let folder = "\(Recorded.folder)/tls"
    static func tls(authority: String? = "ca.pem", isVerified: Bool = true, hasCertificate: Bool = false)
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

    @Test func `A library's words lose the places in its sources`() {
        #expect(TLSFailure.plain("a (b at /x/y.cc:12), c at /d/e.swift:3") == "a (b), c")
        #expect(TLSFailure.plain("nothing at all") == "nothing at all")
    }

    #if !TLS
    @Test func `A build without TLS says so, and how to get one`() throws {
        let endpoint = EngineEndpoint(try EngineAddress("tcp://127.0.0.1", isSecure: true), tls: Self.tls())
        let error = #expect(throws: EngineError.self) { try EngineClient(endpoint, on: loops) }
        #expect(error?.code == .tls)
        #expect(error?.message.contains("built without TLS") == true, "\(String(describing: error))")
    }
    #endif
}
