import Foundation
import GroupSPI
import PluginFakes
import Testing

@testable import InfrakitCLI

@Suite("A group's configuration is read")
struct GroupConfigurationTests {
    @Test("from a path, a file URL and standard input, byte for byte")
    func sources() async throws {
        try await withTerminal(.v05) { terminal, fake in
            let properties = #"{"b": 1.0,  "a":123456789012345678901234, "\u0061": "x"}"#
            let path = terminal.directory + "/cattle.json"
            try "{\"ID\": \"cattle\", \"Properties\": \(properties)}".write(
                toFile: path,
                atomically: true,
                encoding: .utf8
            )
            for source in [path, "file://" + path] {
                await terminal.expect("group watch \(source)", prints: "watching cattle\n")
                #expect(fake.groups.map(\.properties.text) == [properties])
                fake.seed([])
            }
            let input = "{\"ID\": \"pigs\", \"Properties\": \(properties)}\n"
            await terminal.expect("group watch -", prints: "watching pigs\n", input: input)
            #expect(fake.groups.map(\.properties.text) == [properties])
        }
    }

    @Test("and a mistake in it is shown with its place")
    func mistakes() async throws {
        try await withTerminal(.v05) { terminal, fake in
            let path = terminal.directory + "/bad.json"
            try "{\n  \"ID\": \"cattle\",\n  oops\n}".write(toFile: path, atomically: true, encoding: .utf8)
            await terminal.expect(
                "group commit \(path)",
                fails: "\(path): line 3, column 3 (byte 22): 'o': looking for a member's name in quotes"
            )
            await terminal.expect(
                "group commit -",
                fails: "standard input: line 1, column 10 (byte 9): unexpected end of the text",
                input: #"{"ID":"x""#
            )
            await terminal.expect(
                "group commit -",
                fails: "standard input: a group spec is an object with ID and Properties, not array",
                input: "[]"
            )
            await terminal.expect(
                "group commit -",
                fails: "standard input: a group spec's ID is a string, not number",
                input: #"{"ID":5}"#
            )
            #expect(fake.requests.isEmpty)
        }
    }

    @Test("unless there is none")
    func missing() async throws {
        try await withTerminal(.v05) { terminal, _ in
            let path = terminal.directory + "/missing.json"
            await terminal.expect(
                "group watch \(path)",
                fails: "open \(path): no such file or directory",
                level: "error"
            )
            await terminal.expect(
                "group watch \(terminal.directory)",
                fails: "read \(terminal.directory): is a directory",
                level: "error"
            )
        }
    }

    @Test("Lines and columns count from one", arguments: [(0, 1, 1), (1, 1, 2), (3, 2, 1), (5, 3, 1), (99, 3, 2)])
    func position(offset: Int, line: Int, column: Int) {
        let found = GroupConfiguration.position(of: offset, in: Array("ab\nc\nd".utf8))
        #expect(found == (line, column))
    }
}
