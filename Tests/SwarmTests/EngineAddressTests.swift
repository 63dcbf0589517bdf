import Swarm
import Testing

@Suite("Where the Engine listens")
struct EngineAddressTests {
    @Test(arguments: [
        ("unix:///var/run/docker.sock", false, EngineAddress.Place.socket("/var/run/docker.sock")),
        ("UNIX:///a b", false, .socket("/a b")),
        ("unix:///with tls", true, .socket("/with tls")),
        ("tcp://engine", false, .tcp(host: "engine", port: 2375, isSecure: false)),
        ("tcp://engine", true, .tcp(host: "engine", port: 2376, isSecure: true)),
        ("tcp://engine:1/", true, .tcp(host: "engine", port: 1, isSecure: true)),
        ("tcp://[::1]:2377", false, .tcp(host: "::1", port: 2377, isSecure: false)),
        ("tcp://[::1]", false, .tcp(host: "::1", port: 2375, isSecure: false)),
        ("http://10.0.0.1:65535", false, .tcp(host: "10.0.0.1", port: 65535, isSecure: false)),
        ("https://engine", false, .tcp(host: "engine", port: 2376, isSecure: true)),
        ("https://engine:443", true, .tcp(host: "engine", port: 443, isSecure: true)),
    ])
    func reads(_ text: String, _ isSecure: Bool, _ place: EngineAddress.Place) throws {
        let address = try EngineAddress(text, isSecure: isSecure)
        #expect(address.place == place)
        #expect("\(address)" == text)
    }

    @Test(arguments: [
        ("", "must begin with"), ("/var/run/docker.sock", "must begin with"), ("engine:2375", "must begin with"),
        ("ssh://me@engine", "'ssh' is not supported"), ("npipe:////./pipe/docker", "'npipe'"), ("fd://", "'fd'"),
        ("unix://", "must begin with /"), ("unix://docker.sock", "must begin with /"),
        ("unix:///" + String(repeating: "x", count: 103), "at most 103 bytes; this one has 104"),
        ("tcp://", "host is missing"), ("tcp://:2375", "host is missing"), ("tcp://engine:", "port must be"),
        ("tcp://engine:0", "port must be"), ("tcp://engine:65536", "port must be"), ("tcp://engine:+1", "port must be"),
        ("tcp://engine:12a", "port must be"), ("tcp://::1:2375", "in brackets"), ("tcp://[::1", "] is missing"),
        ("tcp://[::1]2375", "follow ]"), ("tcp://engine/path", "only a host and a port"),
        ("tcp://me@engine", "only a host and a port"), ("tcp://engine?x", "only a host and a port"),
    ])
    func refuses(_ text: String, _ reason: String) throws {
        let error = #expect(throws: EngineError.self) { try EngineAddress(text, isSecure: false) }
        #expect(error?.code == .settings)
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func `A wish for TLS is not answered in the clear`() throws {
        let error = #expect(throws: EngineError.self) { try EngineAddress("http://engine", isSecure: true) }
        #expect(error?.message.contains("has no TLS") == true)
    }

    @Test func `The flag comes before the variable, and that before Docker's own socket`() throws {
        func resolve(_ host: String?, _ environment: [String: String]) throws -> String {
            try EngineAddress.resolve(host: host, environment: environment, isSecure: false).text
        }
        #expect(try resolve("unix:///a", ["DOCKER_HOST": "unix:///b"]) == "unix:///a")
        #expect(try resolve(nil, ["DOCKER_HOST": "unix:///b"]) == "unix:///b")
        #expect(try resolve(nil, ["DOCKER_HOST": ""]) == "unix:///var/run/docker.sock")
        #expect(try resolve(nil, [:]) == "unix:///var/run/docker.sock")
        let error = #expect(throws: EngineError.self) { try resolve(nil, ["DOCKER_HOST": "nonsense"]) }
        #expect(error?.message.hasPrefix("DOCKER_HOST: ") == true)
    }
}
