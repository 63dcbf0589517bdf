import Foundation
import GroupSPI
import PluginFakes
import Synchronization
import Testing

@testable import PluginRPC

@Suite("The client, when things go wrong")
struct ClientFailureTests {
    static let dialects: [FakeAPIVersion] = [.seed, .v05]
    static let commit = GroupRequest.destroy(id: "cattle")

    @Test("passes the plugin's words on", arguments: FakeAPIVersion.released)
    func rejected(apiVersion: FakeAPIVersion) async throws {
        let words = "Group 'x' \"is\"\n<not> \u{1F404} \\ there"
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .error(words))) { client, _ in
            let error = try await failure(client, .destroy(id: "x"))
            #expect(error == GroupError(.rejected, words))
        }
    }

    /// They are stored with a revision, logged and shown.
    @Test("cuts words that nobody would read, and has some where there are none", arguments: dialects)
    func oddWords(apiVersion: FakeAPIVersion) async throws {
        let long = String(repeating: "é", count: 100_000)
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .error("x\(long)"))) { client, _ in
            let error = try await failure(client, .destroy(id: "x"))
            #expect(error.code == .rejected && error.message.hasSuffix("é … (200001 bytes in all)"))
            #expect(error.message.utf8.count < 4200)
        }
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .error(""))) { client, _ in
            let error = try await failure(client, .destroy(id: "x"))
            #expect(error == GroupError(.rejected, "plugin 'group-stateless' refused DestroyGroup without a reason"))
        }
    }

    @Test("gives up in time when no answer comes", arguments: dialects)
    func timeout(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .silence)) { client, fake in
            try await expect(client, .inspect, gives: .groups([]))
            let start = ContinuousClock.now
            let error = try await failure(client, .destroy(id: "cattle"), within: .seconds(3))
            #expect(start.duration(to: .now) >= .seconds(3))
            #expect(error.code == .unknownOutcome)
            #expect(
                error.message.contains("plugin 'group-stateless' did not answer DestroyGroup: no answer within 3.0")
            )
            // It may take the plugin longer to read what was sent than the client waits.
            #expect(await comesTrue { fake.methods.contains("DestroyGroup") })
            #expect(fake.methods.filter { $0 == "DestroyGroup" }.count == 1)
            // The next call finds a way past the stuck connection.
            try await expect(client, .inspect, gives: .groups([]))
            #expect(await comesTrue { fake.openConnections == 1 })
        }
    }

    @Test("says that nothing was sent when the plugin does not even answer the first question", arguments: dialects)
    func timeoutBeforeSending(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion, script: .always(.silence)) { client, fake in
            let error = try await failure(client, .destroy(id: "cattle"), within: .milliseconds(200))
            #expect(error.code == .unreachable)
            #expect(error.message.contains("DestroyGroup was not sent"))
            #expect(!fake.methods.contains("DestroyGroup"))
            #expect(await comesTrue { fake.openConnections == 0 })
        }
    }

    @Test(
        "takes any timeout",
        arguments: [Duration(secondsComponent: .max, attosecondsComponent: 0), .zero, .seconds(-5)]
    )
    func anyTimeout(timeout: Duration) async throws {
        try await withPlugin(.seed) { client, _ in
            if timeout > .zero {
                try await expect(client, .inspect, gives: .groups([]), within: timeout)
            } else {
                _ = await Result.of { try await client.call(.inspect, within: timeout) }
            }
        }
    }

    @Test("ends at once when its task is cancelled", arguments: dialects)
    func cancellation(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .silence)) { client, fake in
            let task = Task { try await client.call(.destroy(id: "cattle"), within: .seconds(3600)) }
            #expect(await comesTrue { fake.methods.contains("DestroyGroup") })
            task.cancel()
            let error = await #expect(throws: GroupError.self) { try await task.value }
            #expect(error?.code == .unknownOutcome)
            #expect(error?.message.contains("was cancelled") == true)
            try await expect(client, .inspect, gives: .groups([]))
        }
    }

    @Test("does not begin when its task is cancelled already", arguments: dialects)
    func cancelledBefore(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await client.call(.destroy(id: "cattle"), within: .seconds(3600))
            }
            task.cancel()
            let error = await #expect(throws: GroupError.self) { try await task.value }
            #expect(error?.code == .unreachable)
            #expect(!fake.methods.contains("DestroyGroup"))
        }
    }

    private static let partOfStream = FakeAnswer.rawAndHangUp(#"{"id":"#)
    private static let partOfHTTP = FakeAnswer.rawAndHangUp("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

    /// The beginning of an answer is a lost one. The beginning of something else is none, however it would have gone on.
    @Test(
        "does not know what became of a write whose connection broke",
        arguments: [
            (FakeAPIVersion.seed, FakeAnswer.hangUp, GroupError.Code.unknownOutcome),
            (.seed, partOfStream, .unknownOutcome), (.seed, partOfHTTP, .unreadable),
            (.v05, .hangUp, .unknownOutcome), (.v05, partOfStream, .unreadable), (.v05, partOfHTTP, .unknownOutcome),
        ]
    )
    func lostWrite(apiVersion: FakeAPIVersion, answer: FakeAnswer, code: GroupError.Code) async throws {
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", answer)) { client, fake in
            let error = try await failure(client, .destroy(id: "cattle"))
            #expect(error.code == code)
            #expect(error.message.hasSuffix("whether it was carried out is not known"))
            #expect(fake.methods.filter { $0 == "DestroyGroup" }.count == 1)
            #expect(await client.peer == nil)
            try await expect(client, .inspect, gives: .groups([]))
        }
    }

    @Test("finds a way past a connection that is stuck in the middle of an answer")
    func stuck() async throws {
        try await withPlugin(.seed, script: .on("Group.DestroyGroup", .raw(#"{"id":2,"resu"#))) { client, _ in
            try await expect(client, .inspect, gives: .groups([]))
            let error = try await failure(client, .destroy(id: "cattle"), within: .seconds(3))
            #expect(error.code == .unknownOutcome)
            try await expect(client, .inspect, gives: .groups([]))
        }
    }

    @Test("asks once more when a question's connection broke", arguments: dialects)
    func lostQuestion(apiVersion: FakeAPIVersion) async throws {
        let script = FakeScript.on("Group.DescribeGroup", .hangUp)
        try await withPlugin(apiVersion, script: script) { client, fake in
            try await expect(client, .inspect, gives: .groups([]))
            let error = try await failure(client, .describe(id: "cattle"))
            #expect(error.code == .unknownOutcome)
            // A question changes nothing.
            #expect(!error.message.contains("carried out"))
            #expect(fake.methods.filter { $0 == "DescribeGroup" }.count == 2)
        }
    }

    @Test(
        "refuses nonsense",
        arguments: [
            (FakeAPIVersion.seed, "oops\n", "not a JSON object: oops"),
            (.seed, "[1]", "not a JSON object: [1]"),
            (.seed, #"{"id":99,"result":{},"error":null}"#, "a call that was never made"),
            (.seed, #"{"id":null,"result":null,"error":"?"}"#, "a call that was never made"),
            (.seed, #"{"id":1,"result":}"#, "invalid JSON at byte 17"),
            (.seed, #"{"id":1}"#, "neither result nor error"),
            (.seed, String(repeating: #"{"a":"#, count: 600), "nested deeper than 512 levels"),
            (.v05, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "an empty reply"),
            (.v05, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops", "invalid JSON at byte 0"),
            (.v05, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "a reply that is array"),
            (.v05, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"id\":1,\"result\":{}}", "a reply to another call"),
            (.v05, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope\n", "HTTP status 404 Not Found: nope"),
            (.v05, "HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "HTTP status 301"),
            (
                .v05, "HTTP/1.1 200 OK\r\nContent-Length: 1200\r\n\r\n" + String(repeating: "[", count: 1200),
                "nested deeper"
            ),
            (.v05, "SSH-2.0-OpenSSH\r\n", "not HTTP"),
        ]
    )
    func malformedReply(apiVersion: FakeAPIVersion, text: String, words: String) async throws {
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .raw(text))) { client, _ in
            let error = try await failure(client, .destroy(id: "cattle"))
            #expect(error.code == .unreadable)
            #expect(error.message.contains(words), "\(error.message)")
            try await expect(client, .inspect, gives: .groups([]))
        }
    }

    @Test(
        "refuses results of another shape",
        arguments: dialects,
        [
            (GroupRequest.inspect, "{}"), (.inspect, #"{"Groups":{}}"#), (.inspect, #"{"Groups":[1]}"#),
            (.inspect, "[]"),
            (.describe(id: "x"), "{}"), (.describe(id: "x"), #"{"Description":{"Instances":5}}"#),
            (.describe(id: "x"), "null"), (.destroy(id: "x"), "5"),
        ]
    )
    func shapes(apiVersion: FakeAPIVersion, call: (request: GroupRequest, result: String)) async throws {
        let plugin: PluginProtocol = apiVersion.wireProtocol == .stream ? .stream : .http
        try await withPlugin(apiVersion, plugin, script: .always(.result(call.result))) { client, _ in
            let error = try await failure(client, call.request)
            #expect(error.code == .unreadable)
        }
    }

    @Test("takes keys in any case, unknown ones, and null lists", arguments: dialects)
    func tolerance(apiVersion: FakeAPIVersion) async throws {
        let script = FakeScript { request in
            switch request.method {
            case "Group.InspectGroups": .result(#"{"x":[],"GROUPS":[{"id":"a","properties":{"B":1.0},"y":0}]}"#)
            case "Group.DescribeGroup": .result(#"{"description":{"instances":null,"CONVERGED":false}}"#)
            case "Group.DestroyGroup": .result("null")
            case "Group.UpdateGroup": .result(#"{"ok":false}"#)
            default: nil
            }
        }
        try await withPlugin(apiVersion, script: script) { client, _ in
            try await expect(client, .inspect, gives: .groups([.text("a", #"{"B":1.0}"#)]))
            let description = GroupDescription(instances: .null, isConverged: false)
            try await expect(client, .describe(id: "x"), gives: .description(description))
            try await expect(client, .destroy(id: "x"), gives: .ok)
            let error = try await failure(client, .update(.text("x")))
            #expect(error.code == .rejected)
        }
    }

    @Test(
        "keeps no more than its limit of a reply that never ends",
        arguments: [
            (FakeAPIVersion.seed, #"{"id":1,"result":{"x":""#, "a reply of more than 65536 bytes"),
            (.seed, #"{"id":1,"result":["#, "a reply of more than 65536 bytes"),
            (.v05, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "a reply of more than 65536 bytes"),
            (.v05, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "a reply of more than 65536 bytes"),
            (.v05, "HTTP/1.1 200 OK\r\nX: ", "not HTTP"),
        ]
    )
    func endless(apiVersion: FakeAPIVersion, start: String, words: String) async throws {
        let chunk = "40\r\n\(String(repeating: "a", count: 64))\r\n"
        let more = start.contains("chunked") ? chunk : String(repeating: "a", count: 4096)
        let limits = JSONLimits(maximumBytes: 65536, maximumDepth: 64)
        let script = FakeScript.on("Group.DestroyGroup", .endless(start, more))
        try await withPlugin(apiVersion, limits: limits, script: script) { client, fake in
            let error = try await failure(client, .destroy(id: "cattle"))
            #expect(error.code == .unreadable)
            #expect(error.message.contains(words), "\(error.message)")
            // The connection is closed, so the plugin's writing fails and its thread ends.
            #expect(await comesTrue { fake.openConnections == 0 })
            try await expect(client, .inspect, gives: .groups([]))
        }
    }

    @Test("drops late answers and goes on", arguments: dialects)
    func lateAnswer(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion, script: .on("Group.DestroyGroup", .hold(#"{"OK":true}"#))) { client, fake in
            let task = Task { try await client.call(.destroy(id: "cattle"), within: .seconds(3600)) }
            #expect(await comesTrue { fake.heldReplies == 1 })
            task.cancel()
            _ = await task.result
            fake.releaseHeld()
            for _ in 0..<5 { try await expect(client, .inspect, gives: .groups([])) }
        }
    }

    @Test("says why there is no connection")
    func unreachable() async throws {
        try await withClient(name: "group-stateless/type") { client, socket in
            let none = try await failure(client, .inspect)
            #expect(
                none == GroupError(.notRunning, "plugin 'group-stateless/type' is not running: no socket at \(socket)")
            )
            try "".write(toFile: socket, atomically: true, encoding: .utf8)
            let dead = try await failure(client, .inspect)
            #expect(
                dead
                    == GroupError(
                        .notRunning,
                        "plugin 'group-stateless/type' is not running: nobody listens at \(socket)"
                    )
            )
        }
        let path = "/tmp/" + String(repeating: "long/", count: 40)
        for plugin in PluginProtocol.allCases {
            let client = PluginClient.of(.socket(path: path), plugin)
            let error = try await failure(client, .inspect)
            #expect(error.code == .unreachable)
            #expect(error.message.contains(path))
            await client.shutdown()
        }
    }

    /// The first generation answers an update when its last instance is replaced.
    @Test(
        "an update takes as long as it takes, while the plugin lives",
        arguments: [FakeAPIVersion.seed, .watchOverHTTP]
    )
    func longUpdate(apiVersion: FakeAPIVersion) async throws {
        let script = FakeScript.on("Group.UpdateGroup", .hold(#"{"OK":true}"#))
        try await withPlugin(apiVersion, script: script) { client, fake in
            fake.seed([.text("x")])
            _ = try await client.reply(to: .inspect)
            let update = Task { try await client.call(.update(.text("x")), within: .seconds(2)) }
            // It is asked whether it lives, again and again.
            try await eventually {
                fake.methods.drop { $0 != "UpdateGroup" }.count { $0 == "InspectGroups" } >= 2
            }
            fake.releaseHeld()
            #expect(try await update.value == .ok)
        }
    }

    @Test("but not while it stands still")
    func hangingUpdate() async throws {
        let hasBegun = Atomic(false)
        let script = FakeScript { request in
            if request.method == "Group.UpdateGroup" { hasBegun.store(true, ordering: .relaxed) }
            return hasBegun.load(ordering: .relaxed) ? .silence : nil
        }
        try await withPlugin(.seed, script: script) { client, fake in
            fake.seed([.text("x")])
            _ = try await client.reply(to: .inspect)
            let error = try await failure(client, .update(.text("x")), within: .seconds(2))
            #expect(error.code == .unknownOutcome)
        }
    }
}
