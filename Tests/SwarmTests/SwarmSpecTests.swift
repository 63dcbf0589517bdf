import GroupSPI
import Swarm
import Testing

@Suite("The swarm's specification")
struct SwarmSpecTests {
    private static func spec(_ text: String) throws -> SwarmSpec { try SwarmSpec(RawJSON(text)) }

    @Test(arguments: [
        ("{}", "{\"Labels\":{\"k\":\"v\"}}"),
        ("{ }", "{\"Labels\":{\"k\":\"v\"} }"),
        ("{\"Name\":\"default\" }", "{\"Name\":\"default\",\"Labels\":{\"k\":\"v\"} }"),
        ("{\"Labels\":null,\"N\":1.0}", "{\"Labels\":{\"k\":\"v\"},\"N\":1.0}"),
        ("{\"Labels\": {} ,\"N\":1e2}", "{\"Labels\": {\"k\":\"v\"} ,\"N\":1e2}"),
        ("{\"Labels\":{ \"a\" : \"b\" }}", "{\"Labels\":{ \"a\" : \"b\",\"k\":\"v\" }}"),
        ("{\"Labels\":{\"k\":\"old\"}}", "{\"Labels\":{\"k\":\"v\"}}"),
        (
            "{\"Labels\":{\"a\":\"1\", \"k\" : \"o\\\"ld\" ,\"z\":\"2\"}}",
            "{\"Labels\":{\"a\":\"1\", \"k\" : \"v\" ,\"z\":\"2\"}}"
        ),
        // Labels differ by case, members of Go's structures do not.
        ("{\"Labels\":{\"K\":\"old\"}}", "{\"Labels\":{\"K\":\"old\",\"k\":\"v\"}}"),
        ("{\"labels\":{\"k\":\"old\"}}", "{\"labels\":{\"k\":\"v\"}}"),
        // An escaped name is the same name.
        ("{\"Labels\":{\"\\u006b\":\"old\"}}", "{\"Labels\":{\"\\u006b\":\"v\"}}"),
        // Of two, Go takes the last.
        ("{\"Labels\":{\"k\":\"1\",\"k\":\"2\"}}", "{\"Labels\":{\"k\":\"1\",\"k\":\"v\"}}"),
        // What looks like the label elsewhere is not it.
        (
            "{\"X\":{\"Labels\":{\"k\":\"no\"}},\"Labels\":{}}",
            "{\"X\":{\"Labels\":{\"k\":\"no\"}},\"Labels\":{\"k\":\"v\"}}"
        ),
    ])
    func `Changes one label and not one byte more`(_ before: String, _ after: String) throws {
        let changed = try Self.spec(before).setting(label: "k", to: "v")
        #expect(changed.raw.text == after)
        #expect(changed.label("k") == "v")
        // The result is JSON, and again a specification.
        #expect(try Self.spec(changed.raw.text) == changed)
    }

    @Test func `A recorded specification`() throws {
        let body = try Recorded("leader-swarm").body
        let raw = try #require(try JSONView(body).member("Spec")?.raw)
        let spec = try SwarmSpec(raw)
        let label = try Recorded.text("go-manager-9.label")
        let changed = spec.setting(label: "infrakit", to: label)
        #expect(
            changed.raw.text
                == raw.text.replacing(
                    "\"Labels\":{}",
                    with: "\"Labels\":{\"infrakit\":\"\(label)\"}",
                    maxReplacements: 1
                )
        )
        #expect(changed.setting(label: "infrakit", to: "x").setting(label: "infrakit", to: label) == changed)
    }

    @Test func `Names and values with every character`() throws {
        let odd = "\"\\\u{0}\u{1F}\n/ä\u{1F600}"
        let spec = try Self.spec("{}").setting(label: odd, to: odd)
        #expect(spec.label(odd) == odd)
        #expect(try Self.spec(spec.raw.text).setting(label: odd, to: "").label(odd)?.isEmpty == true)
        // The same letter in two spellings makes two labels.
        let both = try Self.spec("{}").setting(label: "\u{E4}", to: "1").setting(label: "a\u{308}", to: "2")
        #expect(both.label("\u{E4}") == "1" && both.label("a\u{308}") == "2")
    }

    @Test func `No label`() throws {
        for text in ["{}", "{\"Labels\":null}", "{\"Labels\":{}}", "{\"Labels\":{\"K\":\"\"}}"] {
            #expect(try Self.spec(text).label("k") == nil)
        }
    }

    @Test(arguments: [
        "[]", "null", "{\"Labels\":[]}", "{\"Labels\":\"\"}", "{\"Labels\":{\"k\":1}}", "{\"Labels\":{\"a\":null}}",
    ])
    func `What is none`(_ text: String) throws {
        #expect(throws: EngineError.self) { try Self.spec(text) }
    }
}
