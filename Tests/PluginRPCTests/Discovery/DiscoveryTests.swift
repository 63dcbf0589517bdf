import Foundation
import GroupSPI
import NIOCore
import NIOPosix
import PluginFakes
import Testing

@testable import PluginRPC

@Suite("Plugins are discovered")
struct DiscoveryTests {
    @Test("in the directory of the environment")
    func environment() {
        #expect(PluginDirectory.fromEnvironment(["INFRAKIT_PLUGINS_DIR": "/x", "HOME": "/h"]).path == "/x")
        #expect(PluginDirectory.fromEnvironment(["HOME": "/h"]).path == "/h/.infrakit/plugins")
        #expect(
            PluginDirectory.fromEnvironment(["INFRAKIT_PLUGINS_DIR": "", "HOME": "/h"]).path == "/h/.infrakit/plugins"
        )
    }

    @Test("by the name before the slash")
    func names() {
        let directory = PluginDirectory(path: "/p")
        #expect(directory.socketPath(for: "group-stateless") == "/p/group-stateless")
        #expect(directory.socketPath(for: "group-stateless/type/more") == "/p/group-stateless")
    }

    @Test("as sockets and .listen files, sorted, and nothing else")
    func entries() async throws {
        try await withScratchDirectory { path in
            let directory = PluginDirectory(path: path)
            #expect(try directory.entries().isEmpty)
            let zebra = try FakePlugin(.seed, at: path + "/zebra")
            let both = try FakePlugin(.seed, at: path + "/both")
            defer {
                zebra.stop()
                both.stop()
            }
            for (name, text) in [
                ("remote.listen", "  http://10.0.0.1:80/x\n"), ("both.listen", "tcp://h:1"), ("empty.listen", "\n"),
                ("plain", "file"), ("group.pid", "1"),
            ] {
                try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
            }
            try FileManager.default.createDirectory(atPath: path + "/dir.listen", withIntermediateDirectories: false)
            let entries = try directory.entries()
            #expect(
                entries == [
                    PluginEntry(name: "both", listen: path + "/both", endpoint: .socket(path: path + "/both")),
                    PluginEntry(name: "remote", listen: "http://10.0.0.1:80/x", endpoint: .url("http://10.0.0.1:80/x")),
                    PluginEntry(name: "zebra", listen: path + "/zebra", endpoint: .socket(path: path + "/zebra")),
                ]
            )
            #expect(directory.entry(named: "remote/type") == entries[1])
            #expect(directory.entry(named: "zebra") == entries[2])
            #expect(directory.entry(named: "nobody") == nil)
        }
        #expect(try PluginDirectory(path: "/nonexistent/directory").entries().isEmpty)
        let error = #expect(throws: PluginDirectoryError.self) { try PluginDirectory(path: "/dev/null").entries() }
        #expect(error?.description == "cannot list the plugin directory /dev/null: not a directory")
    }

    @Test("at the URL in a .listen file, read again at each connect")
    func listenFiles() async throws {
        try await withClient { client, socket in
            let first = try FakePlugin(.seed, at: socket + ".1")
            try "unix://\(first.path)".write(toFile: socket + ".listen", atomically: true, encoding: .utf8)
            try await expect(client, .inspect, gives: .groups([]))
            #expect(first.methods.contains("InspectGroups"))
            first.stop()

            let second = try FakePlugin(.head, at: socket + ".2")
            defer { second.stop() }
            let port = try await Relay.start(to: second.path)
            try "tcp://127.0.0.1:\(port.number)\n".write(toFile: socket + ".listen", atomically: true, encoding: .utf8)
            try await expect(client, .commit(.text("cattle"), pretend: false), gives: .details("Managing 5 instances"))
            #expect(second.groups == [.text("cattle")])
            await port.stop()
            second.dropConnections()
            #expect(await comesTrue { second.openConnections == 0 })

            let error = try await failure(client, .inspect)
            #expect(error.code == .notRunning)
            #expect(error.message.contains("nobody listens at http://127.0.0.1:\(port.number)"), "\(error.message)")
        }
    }

    @Test("and a URL that is none is said to be none", arguments: ["nonsense", "ftp://x/y", "https://x/y", "http://"])
    func badURL(url: String) async throws {
        try await withClient { client, socket in
            try url.write(toFile: socket + ".listen", atomically: true, encoding: .utf8)
            let error = try await failure(client, .inspect)
            #expect(error.code == .unreachable)
            #expect(error.message.contains(url))
        }
    }

    @Test("also at odd paths", arguments: [FakeAPIVersion.seed, .v05])
    func oddPaths(apiVersion: FakeAPIVersion) async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/Upper %41 ?#é:@\u{1F404}"
            let fake = try FakePlugin(apiVersion, at: path)
            defer { fake.stop() }
            let client = PluginClient.of(.socket(path: path), .auto)
            try await expect(client, .inspect, gives: .groups([]))
            await client.shutdown()
        }
    }
}
