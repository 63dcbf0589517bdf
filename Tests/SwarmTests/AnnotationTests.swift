import Glibc
import GroupSPI
import Store
import Testing

@testable import Swarm

@Suite("The state in a label")
struct AnnotationTests {
    private static func entry(_ id: Identifier, _ properties: String, plugin: Identifier = "group-stateless") throws
        -> GlobalConfig.Entry
    {
        GlobalConfig.Entry(spec: GroupSpec(id: id, properties: try RawJSON(properties)), plugin: plugin)
    }

    private static func label(_ text: String) throws -> String {
        String(decoding: Base64.encode(try Zlib.compress(Array(text.utf8))), as: UTF8.self)
    }

    private static func error(_ label: String) -> AnnotationError? {
        #expect(throws: AnnotationError.self) { try Annotation(label: label) }
    }

    @Test func `What is written is read, byte for byte`() throws {
        let properties = "{ \"N\" : 1.0, \"Big\":12345678901234567890123,\"b\":[ ],\"a\":\"\\u00e4\u{1F600}\" }"
        let groups = [try Self.entry("a\"b/ä", properties), try Self.entry("z", "null", plugin: "")]
        let annotation = Annotation(revision: 12, epoch: 3, historyHash: "00ff", groups: groups)
        let encoded = try annotation.encoded()
        #expect(encoded.size == encoded.text.utf8.count && encoded.warning == nil)
        let read = try Annotation(label: encoded.text)
        #expect(read == annotation)
        #expect(read.groups[0].spec.properties.text == properties)
        #expect(try annotation.encoded() == encoded)
    }

    @Test func `The JSON is the Go manager's, with members beside Groups`() throws {
        let annotation = Annotation(
            revision: 1,
            epoch: 2,
            historyHash: "ab",
            groups: [try Self.entry("g", "{\"x\": 1}")]
        )
        let text = try Zlib.decompress(try Base64.decode(try annotation.encoded().text.utf8), limit: 1000)
        #expect(
            String(decoding: text, as: UTF8.self)
                == "{\"Groups\":{\"g\":{\"Plugin\":\"group-stateless\",\"Properties\":{\"ID\":\"g\",\"Properties\":{\"x\": 1}}}}"
                + ",\"Revision\":1,\"Epoch\":2,\"HistoryHash\":\"ab\"}"
        )
        #expect(try Annotation(label: Self.label("{\"Groups\":null}")) == Annotation(groups: []))
    }

    /// Written by Python's zlib and base64, at several levels.
    @Test(arguments: ["0", "1", "6", "9", "flushed"])
    func `A label of the Go manager is read`(_ level: String) throws {
        let annotation = try Annotation(label: try Recorded.text("go-manager-\(level).label"))
        #expect(annotation.snapshot == nil)
        #expect(annotation.groups.map(\.spec.id) == ["cattle", "pets"])
        #expect(annotation.groups.map(\.plugin) == ["group-stateless", "group-stateless"])
        let json = try Recorded.text("go-manager.json")
        #expect(json.contains(annotation.groups[0].spec.properties.text))
        #expect(annotation.groups[0].spec.properties.text.hasSuffix("\"Note\":\"<\\u00e4 & \\ud83d\\ude00>\"}"))
        #expect(annotation.groups[1].spec.properties == .null)
    }

    @Test func `Python reads what is written`() throws {
        let groups = [try Self.entry("cattle", "{\"Big\": 12345678901234567890123, \"s\": \"\u{1F600}\"}")]
        let label = try Annotation(revision: 7, epoch: 1, historyHash: "cd", groups: groups).encoded().text
        let path = "/tmp/ik-swarm-\(UInt64.random(in: 0 ... .max)).label"
        let file = try #require(fopen(path, "we"))
        fputs(label, file)
        fclose(file)
        defer { unlink(path) }
        let program =
            "import zlib,base64,json; t=open('\(path)').read(); d=json.loads(zlib.decompress(base64.b64decode(t, validate=True)));"
            + "g=d['Groups']['cattle']; print(d['Revision'], g['Plugin'], g['Properties']['ID'], g['Properties']['Properties']['Big'])"
        let pipe = try #require(popen("python3 -c \"\(program)\" 2>/dev/null", "re"))
        var line = [CChar](repeating: 0, count: 200)
        let read = fgets(&line, 200, pipe)
        guard pclose(pipe) == 0, read != nil else {
            print("Python reads what is written: skipped, no python3 with zlib here")
            return
        }
        let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(words == "7 group-stateless cattle 12345678901234567890123\n")
    }

    // MARK: - Damage

    @Test func `A damaged label is an error, never a state without groups`() throws {
        let good = try Recorded.text("go-manager-9.label")
        for end in 0..<good.utf8.count {
            #expect(throws: AnnotationError.self) { try Annotation(label: String(good.prefix(end))) }
        }
        for index in good.indices {
            var bad = good
            bad.replaceSubrange(index...index, with: good[index] == "A" ? "B" : "A")
            #expect(throws: AnnotationError.self, "\(index)") { try Annotation(label: bad) }
            bad.replaceSubrange(index...index, with: "!")
            #expect(throws: AnnotationError.self) { try Annotation(label: bad) }
        }
        #expect(throws: AnnotationError.self) { try Annotation(label: good + good) }
    }

    @Test func `Each kind of damage has its reason`() throws {
        #expect(Self.error("")?.message.contains("it is empty") == true)
        #expect(Self.error("{}")?.message.contains("cut off, or lacks its padding") == true)
        #expect(Self.error("====")?.message.contains("padding") == true)
        #expect(Self.error("AA-A")?.message.contains("byte 2 of it is not base64") == true)
        #expect(Self.error("AB==")?.message.contains("middle of a byte") == true)
        #expect(Self.error("AAAA")?.message.contains("zlib data are broken") == true)
        let good = try Recorded.text("go-manager-6.label")
        let packed = try Base64.decode(good.utf8)
        func packedError(_ bytes: [UInt8]) -> String {
            Self.error(String(decoding: Base64.encode(bytes), as: UTF8.self))?.message ?? ""
        }
        #expect(packedError(Array(packed.dropLast(5))).contains("cut off"))
        #expect(packedError(packed + [0]).contains("bytes after"))
        #expect(packedError(Array(packed.dropLast()) + [packed[packed.count - 1] ^ 1]).contains("incorrect data check"))
        for code in [Self.error(""), Self.error("AAAA")] { #expect(code?.code == .corrupt) }
    }

    @Test(arguments: [
        "", " ", "{}", "{\"groups_\":{}}", "null", "1", "{\"Groups\":[]}", "{\"Groups\":{\"g\":{}}}", "{\"Groups\":{}",
        "{\"Groups\":{},\"Revision\":\"1\"}", "{\"Groups\":{},\"Revision\":-1}", "{\"Groups\":{},\"Epoch\":1.5}",
        "{\"Groups\":{},\"HistoryHash\":1}", "{\"Groups\":{}} {}",
    ])
    func `JSON that is no state`(_ text: String) throws {
        let error = Self.error(try Self.label(text))
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("then the leader writes its own state") == true)
    }

    /// It goes into the log with every look at the label.
    @Test func `A reason that quotes the label is short`() throws {
        let name = String(repeating: "long", count: 120) + String(repeating: "\u{301}", count: 10_000)
        let group = "{\"Properties\":{\"ID\":\"\(name)\",\"Properties\":null}}"
        let other = "{\"Properties\":{\"ID\":\"\(name)\",\"Properties\":1}}"
        let error = Self.error(try Self.label("{\"Groups\":{\"\(name)\":\(group),\"\(name)\":\(other)}}"))
        #expect(error?.code == .corrupt && error?.message.contains("two different groups 'longlong") == true)
        #expect(error.map { $0.message.utf8.count < 2000 } == true)
    }

    @Test func `A bomb is not unfolded`() throws {
        let error = Self.error(try Recorded.text("bomb.label"))
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("16777216") == true)
        // The same shape within the limit is read.
        let text = "{\"Groups\":{" + String(repeating: " ", count: Annotation.largestText - 13) + "}}"
        #expect(text.utf8.count == Annotation.largestText)
        #expect(try Annotation(label: Self.label(text)).groups.isEmpty)
    }

    // MARK: - Size

    /// Text that does not get smaller.
    private static func noise(_ count: Int) throws -> GlobalConfig.Entry {
        var state: UInt64 = 1
        let text = (0..<count).map { _ -> Character in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Character(UnicodeScalar(UInt8(ascii: "A") + UInt8(state >> 58) % 58))
        }
        return try entry("g", JSON.string(String(text)).raw.text)
    }

    @Test func `What a label cannot carry is refused, and a warning comes before`() throws {
        let annotation = Annotation(groups: [try Self.noise(20_000)])
        let size = try annotation.encoded().size
        #expect(try annotation.encoded(limit: .init(maximum: size)).size == size)
        #expect(try annotation.encoded(limit: .init(maximum: size)).warning != nil)
        let error = #expect(throws: AnnotationError.self) { try annotation.encoded(limit: .init(maximum: size - 1)) }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("\(size) bytes") == true)
        #expect(
            try annotation.encoded(limit: .init(maximum: size * 2, warning: size)).warning?.contains("\(size)") == true
        )
        #expect(try annotation.encoded(limit: .init(maximum: size * 2, warning: size + 1)).warning == nil)
        #expect(EncodedAnnotation.Limit() == EncodedAnnotation.Limit(maximum: 1_400_000, warning: 1_120_000))
    }

    @Test func `The real limit`() throws {
        let small = try Annotation(groups: [Self.noise(1_000_000)]).encoded()
        #expect(small.warning == nil && small.size < 1_120_000)
        let error = #expect(throws: AnnotationError.self) { try Annotation(groups: [Self.noise(2_000_000)]).encoded() }
        #expect(error?.code == .tooLarge)
    }

    // MARK: - The parts

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `Base64 of the RFC`(_ plain: String, _ coded: String) throws {
        #expect(String(decoding: Base64.encode(Array(plain.utf8)), as: UTF8.self) == coded)
        #expect(try Base64.decode(coded.utf8) == Array(plain.utf8))
        #expect(Base64.length(of: plain.utf8.count) == coded.utf8.count)
    }

    @Test func `Base64 and zlib of all lengths and bytes`() throws {
        var generator = SystemRandomNumberGenerator()
        for count in Array(0...70) + [65_535, 65_536, 65_537, 200_000] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let coded = Base64.encode(bytes)
            #expect(coded.count == Base64.length(of: count))
            #expect(try Base64.decode(coded) == bytes)
            #expect(try Base64.decode(coded.flatMap { [$0, 0x0A] }) == bytes)
            let packed = try Zlib.compress(bytes)
            #expect(try Zlib.decompress(packed, limit: count) == bytes)
            if count > 0 {
                #expect(throws: ZlibError.tooLarge(count - 1)) { try Zlib.decompress(packed, limit: count - 1) }
            }
        }
    }
}
