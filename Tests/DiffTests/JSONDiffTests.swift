import GroupSPI
import Testing

@testable import Diff

@Suite struct JSONDiffTests {
    @Test(arguments: [
        ("{\"Allocation\":{\"Size\":3}}", "{\"Allocation\":{\"Size\":5}}", ["changed Allocation.Size 3 5"]),
        ("{\"a\":1,\"b\":2}", "{\"c\":3,\"b\":2}", ["removed a 1", "added c 3"].sorted()),
        ("{\"a\":null}", "{}", ["removed a null"]),
        ("{}", "{\"a\":null}", ["added a null"]),
        ("1", "\"1\"", ["changed . 1 \"1\""]),
        ("true", "false", ["changed . true false"]),
        ("null", "0", ["changed . null 0"]),
        ("{}", "[]", ["changed . {} []"]),
        ("{\"a\":{\"b\":[1]}}", "{\"a\":[{\"b\":1}]}", ["changed a {\"b\":[1]} [{\"b\":1}]"]),
        ("[[]]", "[{}]", ["changed [0] [] {}"]),
        ("{\"a.b\":{\"é\":1}}", "{\"a.b\":{\"é\":2}}", ["changed [\"a.b\"][\"é\"] 1 2"]),
    ])
    func findsChanges(_ before: String, _ after: String, _ expected: [String]) throws {
        #expect(try summary(before, after).sorted() == expected)
    }

    @Test(arguments: [
        // Inserted, removed, at either end and in between.
        ("[1,2,3]", "[1,9,2,3]", ["added [1] 9"]),
        ("[1,2,3]", "[9,1,2,3]", ["added [0] 9"]),
        ("[1,2,3]", "[1,2,3,9]", ["added [3] 9"]),
        ("[1,2,3]", "[1,3]", ["removed [1] 2"]),
        ("[1,1,1]", "[1,1]", ["removed [2] 1"]),
        ("[1,2,3,4,5]", "[2,3,9,4,5,1]", ["removed [0] 1", "added [2] 9", "added [5] 1"]),
        // What is overridden does not keep an element from its equal.
        ("[{\"a\":2,\"a\":1},7]", "[0,{\"a\":1},7]", ["added [0] 0"]),
        // In the same place: descended into, at the place where it is now.
        ("[{\"N\":1,\"k\":0},7]", "[8,7,9]", ["changed [0] {\"N\":1,\"k\":0} 8", "added [2] 9"]),
        ("[7,{\"N\":1,\"k\":0},6]", "[5,7,{\"N\":2,\"k\":0},6]", ["added [0] 5", "changed [2].N 1 2"]),
        ("[[1,2],[3]]", "[[1,2,4],[3]]", ["added [0][2] 4"]),
        ("[7,{\"a\":[1,2]}]", "[6,7,{\"a\":[2]}]", ["added [0] 6", "removed [1].a[0] 1"]),
        // The first one-by-one, the rest added or removed.
        ("[1,2]", "[3,4,5]", ["changed [0] 1 3", "changed [1] 2 4", "added [2] 5"]),
        ("[3,4,5]", "[1,2]", ["changed [0] 3 1", "changed [1] 4 2", "removed [2] 5"]),
    ])
    func alignsArrays(_ before: String, _ after: String, _ expected: [String]) throws {
        #expect(try summary(before, after) == expected)
    }

    @Test func keepsTheOrderOfTheDocuments() throws {
        let found = try summary("{\"z\":1,\"m\":1,\"a\":1}", "{\"n\":0,\"a\":2,\"b\":0,\"z\":2,\"y\":0}")
        #expect(found == ["added n 0", "changed z 1 2", "added y 0", "removed m 1", "changed a 1 2", "added b 0"])
    }

    @Test func knowsAbsentFromNull() throws {
        #expect(try summary(nil, "null") == ["added . null"])
        #expect(try summary("{\"a\": 1}", nil) == ["removed . {\"a\": 1}"])
        #expect(try summary(nil, nil) == [])
    }

    @Test(arguments: [
        ["1", "1.0", "1e0", "10e-1", "0.1E1", "1.00e+00", "100000e-5", "1e-0"],
        ["100", "1e2", "1E+2", "0.1e3", "1e0002"],
        ["0", "-0", "0.000", "0e99999999999999999999999", "-0.0e-5"],
        ["-2.5", "-25e-1", "-0.25e1"],
        ["12345678901234567890123", "12345678901234567890123.0", "1.2345678901234567890123e22"],
        ["1e999999999", "10e999999998", "0.1e1000000000", "1e0999999999"],
        ["1e-999999999", "0.1e-999999998"],
        ["1e100000000000000000000", "0.1e100000000000000000001", "10e99999999999999999999"],
        ["1e-100000000000000000000", "10e-100000000000000000001", "0.1e-99999999999999999999"],
        ["1e100000000000000000", "10e99999999999999999", "100e99999999999999998"],
        ["\"é/\\n\"", "\"\\u00e9\\/\\u000a\"", "\"\\u00E9\\u002f\\n\""],
        ["\"😀\"", "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\""],
        ["\"\\ud800\"", "\"\\udfff\"", "\"\u{FFFD}\"", "\"\\ufffd\""],
        ["\"\\ud800x\"", "\"\\ud801x\""],
        ["{\"a\":1,\"b\":[ 2 ]}", " {\n\"b\" : [2],\r\t\"a\":1.0 }\n"],
        ["{\"a\":1}", "{\"\\u0061\":1}", "{\"a\":2,\"a\":1}", "{\"a\":{},\"\\u0061\":3,\"a\":1}"],
        ["{}", "{ }"], ["[]", "[\n]"],
        ["{\"\\ud800\":1}", "{\"\\ud801\":2,\"\\ud802\":1}"],
    ])
    func takesSpellingsForEqual(_ texts: [String]) throws {
        for before in texts {
            for after in texts {
                #expect(try summary(before, after) == [], "\(before) and \(after)")
                #expect(UnifiedDiff(before: try view(before), after: try view(after)).isEmpty)
            }
        }
    }

    @Test(arguments: [
        ("1", "-1"), ("1", "10"), ("1", "1.00000000000000000000000000001"), ("0.1", "0.01"), ("100", "1e3"),
        ("12345678901234567890123", "12345678901234567890124"), ("9007199254740993", "9007199254740992"),
        ("1e999999999", "1e999999998"), ("1e999999999", "1e-999999999"), ("1e999999999", "2e999999999"),
        ("1e100000000000000000000", "1e100000000000000000001"), ("1e100000000000000000000", "1e-100000000000000000000"),
        ("1e400", "1e500"), ("101", "11"), ("1e-400", "0"),
        ("\"é\"", "\"e\u{301}\""), ("\"a\"", "\"A\""), ("\"\"", "\" \""), ("\"\\ud800\"", "\"\\ud800\\ud800\""),
        ("\"\\r\\n\"", "\"\\n\""), ("\"true\"", "true"), ("\"1\"", "1"), ("null", "false"),
        ("{\"é\":1}", "{\"e\u{301}\":1}"), ("{\"a\":1}", "{\"A\":1}"), ("{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}"),
        ("[[],1]", "[[1]]"), ("[[1],2]", "[1,[2]]"), ("{\"a\":{}}", "{\"a\":[]}"), ("[]", "{}"),
        ("{\"a\":\"b\"}", "{\"b\":\"a\"}"), ("[1,2]", "[2,1]"), ("[\"a\",1]", "{\"a\":1}"),
    ])
    func tellsValuesApart(_ before: String, _ after: String) throws {
        #expect(try summary(before, after) != [])
        #expect(try summary(after, before) != [])
        #expect(UnifiedDiff(before: try view(before), after: try view(after)).isEmpty == false)
    }

    @Test func comparesAsManyDigitsAsThereAre() throws {
        let zeros = String(repeating: "0", count: 100_000)
        #expect(try summary("1\(zeros)", "1e100000") == [])
        #expect(try summary("0.\(zeros)1", "1e-100001") == [])
        #expect(try changes("1\(zeros)1", "1\(zeros)2").count == 1)
        #expect(try summary("1e\(zeros)1", "10") == [])
        #expect(try changes("1e1\(zeros)", "1e2\(zeros)").count == 1)
    }

    @Test func theLastOfManyDuplicatesCounts() throws {
        #expect(try summary("{\"a\":1,\"b\":0,\"a\":2}", "{\"a\":3,\"a\":4}") == ["removed b 0", "changed a 2 4"])
    }

    @Test(arguments: [
        ("[{\"Size\":3}]", "[{\"Size\":5}]", "{\"path\":\"[0].Size\",\"kind\":\"changed\",\"before\":3,\"after\":5}"),
        ("{}", "{\"a\":null}", "{\"path\":\"a\",\"kind\":\"added\",\"after\":null}"),
        ("{\"a\":1.0}", "{}", "{\"path\":\"a\",\"kind\":\"removed\",\"before\":1.0}"),
        (
            "{}", "{\"a\\\"b\":\"\\u0041\"}",
            "{\"path\":\"[\\\"a\\\\\\\"b\\\"]\",\"kind\":\"added\",\"after\":\"\\u0041\"}"
        ),
    ])
    func isWrittenAsJSON(_ before: String, _ after: String, _ expected: String) throws {
        let json = try #require(try changes(before, after).first).json
        #expect(json.raw.text == expected)
        #expect(try view(json.raw.text).member("kind") != nil)
    }

    @Test func readsAPartOfALargerText() throws {
        let whole = try view("{\"x\": [0, {\"a\": [1, \"two\"]}], \"y\":  {\"a\": [1, \"2\"], \"b\": 3} }")
        let before = try #require(try JSONPath(parsing: "x[1]").value(in: whole))
        let diff = JSONDiff(before: before, after: whole.member("y"))
        #expect(diff.changes.map(\.path.description) == ["a[1]", "b"])
        #expect(diff.changes.map { $0.before?.text } == ["\"two\"", nil])
        #expect(diff.changes.map { $0.after?.text } == ["\"2\"", "3"])
    }
}
