import GroupSPI
import Testing

@testable import Documents

@Suite struct DocumentTests {
    /// Some editors write it. As YAML, JSON would lose its spelling.
    @Test(arguments: [
        ("{ \"a\" : 1.0e2, \"b\":\"\\u00e9\" }", "{ \"a\" : 1.0e2, \"b\":\"\\u00e9\" }"), ("[ 1.00 ]", "[ 1.00 ]"),
        ("a: 1", #"{"a":1}"#),
    ])
    func aByteOrderMarkIsNoPartOfTheText(_ text: String, _ json: String) throws {
        #expect(try read("\u{FEFF}" + text) == [json])
    }

    @Test(arguments: [[0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], [0xFE, 0xFF, 0x00, 0x7B, 0x00, 0x7D]] as [[UInt8]])
    func otherEncodingsAreNamed(_ bytes: [UInt8]) {
        let error = #expect(throws: DocumentError.self) { try Document.read(bytes) }
        #expect(error?.description.contains("save it as UTF-8") == true)
    }

    private func read(_ text: String, _ limits: JSONLimits = .standard) throws -> [String] {
        try Document.read(Array(text.utf8), limits: limits).map { $0.raw.text }
    }

    @Test(arguments: [
        ("a: 1\nb: [x, 2, null]", #"{"a":1,"b":["x",2,null]}"#),
        ("- a\n- - b\n  - {c: d}", #"["a",["b",{"c":"d"}]]"#),
        ("a: ~\nb:\nc: true\nd: False", #"{"a":null,"b":null,"c":true,"d":false}"#),
        ("a: 'yes'\nb: \"1\"\nc: !!str 1", #"{"a":"yes","b":"1","c":"1"}"#),
        (
            "a: 0x1F\nb: 0o17\nc: +5\nd: .5\ne: 5.\nf: -0.0\ng: 1e3\nh: 1E-7",
            #"{"a":31,"b":15,"c":5,"d":0.5,"e":5.0,"f":-0.0,"g":1e3,"h":1e-7}"#
        ),
        ("a: 0x\nb: 0o8\nc: 0x１", #"{"a":"0x","b":"0o8","c":"0x１"}"#),
        ("a: 12345678901234567890123", #"{"a":12345678901234567890123}"#),
        ("a: 1.0\nb: 007.5", #"{"a":1.0,"b":7.5}"#),
        ("a: 1.2.3\nb: 1e\nc: \"-\"\nd: 0xZZ\ne: 12h", #"{"a":"1.2.3","b":"1e","c":"-","d":"0xZZ","e":"12h"}"#),
        ("a: |\n  one\n  two\nb: >-\n  one\n  two", #"{"a":"one\ntwo\n","b":"one two"}"#),
        ("base: &b {x: 1, y: 2}\nother:\n  <<: *b\n  y: 3", #"{"base":{"x":1,"y":2},"other":{"y":3,"x":1}}"#),
        ("base: &b {x: 1}\nother:\n  \"<<\": *b\n  '<<x': 1", #"{"base":{"x":1},"other":{"<<":{"x":1},"<<x":1}}"#),
        ("\"<<\": 1", #"{"<<":1}"#), ("!!str <<: 1", #"{"<<":1}"#),
        ("a: &l [1]\nb: *l", #"{"a":[1],"b":[1]}"#),
        ("1: a\ntrue: b", #"{"1":"a","true":"b"}"#),
        ("&k key: 1\nagain: *k", #"{"key":1,"again":"key"}"#),
        ("{a: 1}", #"{"a":1}"#), ("# nothing\na: \"\\u00e9\"", #"{"a":"é"}"#),
    ])
    func yamlIsReadAsTheCoreSchemaSays(_ text: String, _ json: String) throws {
        #expect(try read(text) == [json])
    }

    @Test func jsonKeepsItsBytes() throws {
        let text = #"{"b": 1.0, "a":[ 1e0,"\u00e9" ],"b":2}"#
        #expect(try read(text) == [text])
    }

    @Test func severalDocumentsAreSeveral() throws {
        #expect(try read("a: 1\n---\nb: 2\n...\n---\n- 3") == [#"{"a":1}"#, #"{"b":2}"#, "[3]"])
        #expect(try read("") == [] && read("# only a comment\n") == [])
    }

    @Test(arguments: [
        ("a: 1\na: 2", 2, "twice"), ("a: [1", 2, ""), ("a: yes", 1, "write true, false or \"yes\""),
        ("x: 1\nb: 0644", 2, "octal"), ("a: .inf", 1, "JSON has no number"), ("a: -Infinity", 1, "for a string write"),
        ("a: *b", 1, "names no earlier anchor"),
        ("? [a]\n: 1", 1, "a key must be a string"), ("a: !!int x", 1, "does not match its tag"),
        ("a: !foo x", 1, "is not known"), ("<<: 1", 1, "<< must be a mapping"), ("a:\n\t- b", 2, ""),
    ])
    func whatIsWrongIsSaidWithItsLine(_ text: String, _ line: Int, _ words: String) throws {
        let error = try #require(throws: DocumentError.self) { try read(text) }
        #expect(error.line == line, "\(error)")
        #expect(error.message.contains(words), "\(error)")
    }

    @Test func brokenJSONIsToldAsJSON() throws {
        let error = try #require(throws: DocumentError.self) { try read(#"{"a": 1,, "b"}"#) }
        #expect(!error.message.isEmpty)
    }

    /// It would become a text, where a number was meant.
    @Test func whatIsNoNumberIsRefusedInJSON() throws {
        for word in ["NaN", "Infinity", "-Infinity"] {
            #expect(throws: DocumentError.self, "\(word)") { try read("{\"V\": \(word)}") }
            #expect(try read("{\"V\": \"\(word)\"}") == ["{\"V\": \"\(word)\"}"])
        }
    }

    @Test func whatIsNoUTF8IsRefused() throws {
        #expect(throws: DocumentError.self) { try Document.read([0x61, 0x3A, 0x20, 0xFF, 0xFE]) }
    }

    /// A few lines that stand for gigabytes.
    @Test func aliasesDoNotMultiplyWithoutBound() throws {
        var text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...12 {
            text += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ","))]\n"
        }
        let error = try #require(throws: DocumentError.self) { try read(text) }
        #expect(error.message.contains("aliases"))
    }

    @Test func depthAndSizeAreLimited() throws {
        var limits = JSONLimits.standard
        limits.maximumDepth = 20
        let error = try #require(throws: DocumentError.self) {
            try read(String(repeating: "- ", count: 21) + "x", limits)
        }
        #expect(error.message.contains("nested deeper"))
        limits.maximumBytes = 10
        #expect(throws: DocumentError.self) { try read("a: aaaaaaaaaaaaaa", limits) }
    }

    /// Each level of text adds hundreds of levels of JSON: enough of them would take all stack.
    @Test func aliasesDoNotDeepenWithoutBound() throws {
        let (open, close) = (String(repeating: "[", count: 250), String(repeating: "]", count: 250))
        var text = "a0: &a0 \(open)x\(close)\n"
        for level in 1...400 { text += "a\(level): &a\(level) \(open)*a\(level - 1)\(close)\n" }
        let error = try #require(throws: DocumentError.self) { try read(text) }
        #expect(error.line == 3 && error.message.contains("nested deeper"), "\(error)")
        #expect(try read("a: &a [[1]]\nb: [[*a]]", JSONLimits(maximumDepth: 5)) == ["{\"a\":[[1]],\"b\":[[[[1]]]]}"])
        #expect(throws: DocumentError.self) { try read("a: &a [[1]]\nb: [[*a]]", JSONLimits(maximumDepth: 4)) }
    }

    /// An anchor on every level of a long text: what it names is not measured anew at each.
    @Test func anchorsAtEveryLevelAreNoTrouble() throws {
        let depth = 500
        let text =
            (0..<depth).map { "&a\($0) [" }.joined() + String(repeating: "x,", count: 200_000)
            + String(repeating: "]", count: depth)
        #expect(try Document.read(Array(text.utf8)).count == 1)
    }

    /// Twice as many keys take about twice as long: a run over 200,000 ends at all.
    @Test func manyKeysAreNoTrouble() throws {
        let text = (0..<200_000).map { "key\($0): \($0)\n" }.joined()
        #expect(try Document.read(Array(text.utf8))[0].members.count == 200_000)
    }
}
