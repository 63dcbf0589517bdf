import Testing

@testable import GroupSPI

@Suite struct JSONViewTests {
    private func view(_ text: String) throws -> JSONView { try JSONView(Array(text.utf8)) }

    @Test func keepsTheBytesOfEveryPart() throws {
        let properties = "{ \"b\" : 1.0, \"a\":12345678901234567890123 ,\"s\":\"\\u003c\\/é\", \"a\": [ ] }"
        let spec = try GroupSpec(try view("{\"ID\":\"x\",\"Properties\":  \(properties)  }"))
        #expect(spec.properties.text == properties)
    }

    @Test func findsMembersWithoutRegardToCaseAndTakesTheLast() throws {
        let view = try view("{\"Id\":1,\"other\":{\"ID\":9},\"id\":2}")
        #expect(view.member("ID")?.int == 2)
        #expect(view.member("nope") == nil)
        #expect(view.members.map(\.name) == ["Id", "other", "id"])
    }

    /// Go's decoder takes the Kelvin sign for a k and the long s for an s, escaped or not.
    @Test(arguments: ["\u{212A}eyſ", "\\u212aEY\\u017F", "KEYS"])
    func foldsTheLettersThatGoFolds(_ name: String) throws {
        #expect(try view("{\"keys\":1,\"\(name)\":2}").member("Keys")?.int == 2)
        #expect(try view("{\"keys\":1,\"keyß\":2,\"kéys\":3}").member("Keys")?.int == 1)
    }

    @Test(arguments: [
        ("\"plain\"", "plain"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t"), ("\"\\u00e9\"", "é"),
        ("\"\\ud83d\\ude00!\"", "😀!"), ("\"\\ud83d\"", "\u{FFFD}"), ("\"\\ude00x\"", "\u{FFFD}x"),
        ("\"\\ud83dx\"", "\u{FFFD}x"),
    ])
    func decodesStrings(_ text: String, _ expected: String) throws {
        #expect(try view(text).string == expected)
    }

    @Test func knowsKinds() throws {
        let kinds = try view("[{},[],\"\",-1,true,null]").elements.map(\.kind)
        #expect(kinds == [.object, .array, .string, .number, .bool, .null])
        #expect(try view("9223372036854775808").int == nil)
        #expect(try view("1.0").int == nil)
        #expect(try view("-42").int == -42)
        #expect(try view("\"1\"").int == nil)
        #expect(try view("false").bool == false)
    }

    @Test(arguments: [
        ("9007199254740992", 9_007_199_254_740_992), ("-9007199254740992", -9_007_199_254_740_992), ("0", 0),
        ("9007199254740993", nil), ("-9223372036854775808", nil), ("9223372036854775808", nil), ("1.0", nil),
        ("\"1\"", nil),
    ])
    func knowsWhichIntegersAreExactEverywhere(_ text: String, _ expected: Int?) throws {
        #expect(try view(text).exactInt == expected)
    }

    @Test func walksNestedArraysAndObjects() throws {
        let view = try view("{\"a\":[[1],[2,3]],\"b\":{\"c\":[\"],}\"]}}")
        #expect(view.member("a")?.elements.map { $0.elements.compactMap(\.int) } == [[1], [2, 3]])
        #expect(view.member("b")?.member("c")?.elements.map(\.string) == ["],}"])
    }
}

@Suite struct JSONTests {
    @Test func writesWhatTheScannerReads() throws {
        let value: JSON = [
            "text": "a\"\\\n\u{1}é", "list": [1, nil, true], "raw": .raw(try RawJSON("1.0")), "empty": [:], "none": [],
        ]
        let view = try JSONView(value.bytes)
        #expect(view.member("text")?.string == "a\"\\\n\u{1}é")
        #expect(view.member("raw")?.raw.text == "1.0")
        #expect(value.raw.text.hasSuffix("\"raw\":1.0,\"empty\":{},\"none\":[]}"))
    }

    @Test func indentsAsGoDoes() throws {
        let raw = try RawJSON("{\"a\":[1.0,{\"b\":\"x:,{}\"}],\"c\":{},\"d\":[ ]}")
        #expect(
            raw.indented()
                == """
                {
                  "a": [
                    1.0,
                    {
                      "b": "x:,{}"
                    }
                  ],
                  "c": {},
                  "d": []
                }
                """
        )
    }
}

@Suite struct GroupSpecTests {
    @Test func aNewSizeChangesNothingElse() throws {
        let spec = GroupSpec(
            id: "x",
            properties: try RawJSON("{ \"note\": 1.0, \"allocation\" : {\"Other\":5, \"size\" : 12 }, \"Size\": 7}")
        )
        let resized = try spec.settingSize(3)
        #expect(
            resized.properties.text == "{ \"note\": 1.0, \"allocation\" : {\"Other\":5, \"size\" : 3 }, \"Size\": 7}"
        )
    }

    @Test(arguments: ["{}", "{\"Allocation\":{}}", "{\"Allocation\":{\"Size\":\"3\"}}", "null"])
    func aSpecWithoutASizeHasNoneToChange(_ properties: String) throws {
        let spec = GroupSpec(id: "x", properties: try RawJSON(properties))
        #expect { try spec.settingSize(3) } throws: { ($0 as? GroupError)?.code == .badRequest }
    }

    @Test func aSpecsMembersAreFoundAsAnyOther() throws {
        let text = #"{"properties":1,"ID":"a","Properties":{"ID":"c"},"x":{"id":"d"},"\u0069d":"b"}"#
        let spec = try GroupSpec(JSONView(Array(text.utf8)))
        #expect(spec.id == "b" && spec.properties.text == #"{"ID":"c"}"#)
    }

    @Test(arguments: ["[]", "5", "{\"ID\":5}"])
    func aSpecOfAnotherShapeIsRefused(_ text: String) throws {
        let view = try JSONView(Array(text.utf8))
        #expect { try GroupSpec(view) } throws: { ($0 as? GroupError)?.code == .badRequest }
    }

    @Test func knowsThePluginsWords() {
        #expect(GroupError.notWatched("a").saysNotWatched)
        #expect(GroupError.alreadyWatched("a").saysAlreadyWatched)
        #expect(!GroupError(.unreachable, "Group 'a' is not being watched").saysNotWatched)
        #expect(GroupError(.rejected, "Update already in progress for group a").saysUpdating)
        #expect(!GroupError(.rejected, "Update halted by user").saysUpdating)
    }
}
