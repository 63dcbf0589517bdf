import Diff
import GroupSPI
import Testing

@Suite struct JSONPathTests {
    private func path(_ components: JSONPath.Component...) -> JSONPath {
        components.reduce(.root) { $0.appending($1) }
    }

    @Test func isWrittenForPeopleAndReadBack() throws {
        let cases: [(JSONPath, String)] = [
            (.root, "."),
            (path(.name("Allocation"), .name("Size")), "Allocation.Size"),
            (path(.name("Instances"), .index(2), .name("Name")), "Instances[2].Name"),
            (path(.name("Labels"), .name("a.b"), .name("c")), "Labels[\"a.b\"].c"),
            (path(.name("a.b")), "[\"a.b\"]"),
            (path(.index(0), .index(10)), "[0][10]"),
            (path(.name("")), "[\"\"]"),
            (path(.name("7"), .name("-_x9")), "7.-_x9"),
            (path(.name("]\"\\")), "[\"]\\\"\\\\\"]"),
            (path(.name("é")), "[\"é\"]"),
            (path(.name("a b")), "[\"a b\"]"),
            (path(.name("\u{1B}[2J\n\u{7F}\u{80}\u{9B}\u{A0}")), "[\"\\u001b[2J\\n\\u007f\\u0080\\u009b\u{A0}\"]"),
            (path(.index(.max)), "[\(Int.max)]"),
        ]
        for (path, text) in cases {
            #expect(path.description == text)
            #expect(try JSONPath(parsing: text) == path)
            #expect(try JSONPath(parsing: text).components == path.components)
        }
    }

    @Test func isReadInOtherSpellings() throws {
        #expect(try JSONPath(parsing: "[\"Allocation\"][\"\\u0053ize\"]").description == "Allocation.Size")
    }

    @Test(arguments: [
        ("", 0, "empty"), ("a.", 2, "a name"), (".a", 0, "a name"), ("a..b", 2, "a name"), ("a b", 1, "'.' or '['"),
        ("a[", 2, "an index"), ("a[]", 2, "an index"), ("a[-1]", 2, "an index"), ("a[1", 3, "']'"),
        ("a[1x]", 3, "']'"), ("a[01]", 2, "leading zero"), ("a[9223372036854775808]", 2, "too large"),
        ("a[\"b]", 2, "closing quotation mark"), ("a[\"b\\", 2, "closing quotation mark"), ("a[\"b\"", 5, "']'"),
        ("a[\"\\x\"]", 4, "escape"), ("a[\"\n\"]", 3, "control character"), ("a[1]b", 4, "'.' or '['"),
        ("é", 0, "a name"), ("a.[0]", 2, "a name"), ("]", 0, "a name"), ("..", 0, "a name"),
    ])
    func saysWhatIsWrongAndWhere(_ text: String, _ offset: Int, _ message: String) throws {
        let error = #expect(throws: JSONPathError.self) { try JSONPath(parsing: text) }
        #expect(error?.offset == offset)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.description.hasPrefix("invalid path at byte \(offset): ") == true)
    }

    @Test func isNoLongerThanDocumentsAreDeep() throws {
        let deepest = String(repeating: "[0]", count: 512)
        #expect(try JSONPath(parsing: deepest).components.count == 512)
        let error = #expect(throws: JSONPathError.self) { try JSONPath(parsing: deepest + "[0]") }
        #expect(error?.offset == deepest.utf8.count)
    }

    @Test(arguments: [
        ("Allocation.Size", "3"), ("allocation.SIZE", "3"), ("Instances[1].Name", "\"b\""), ("Labels[\"a.b\"]", "1"),
        ("Labels[\"é\"]", "2"), ("Labels[\"e\u{301}\"]", "3"), ("twice", "2"), ("Both.a", "1"), ("Both.A", "2"),
        ("Instances[2]", nil), ("Instances.Name", nil), ("Allocation[0]", nil), ("Allocation.Size.x", nil),
        ("Allocation.Size[0]", nil), ("nope", nil), ("Nothing", "null"),
    ])
    func findsValues(_ text: String, _ expected: String?) throws {
        let document = try view(
            "{\"Allocation\":{\"Size\":3},\"Instances\":[{\"Name\":\"a\"},{\"Name\":\"b\"}],\"Nothing\":null,"
                + "\"Labels\":{\"a.b\":1,\"\\u00e9\":2,\"e\u{301}\":3},\"twice\":1,\"twice\":2,\"Both\":{\"A\":2,\"a\":1}}"
        )
        #expect(try JSONPath(parsing: text).value(in: document)?.raw.text == expected)
        #expect(JSONPath.root.value(in: document)?.raw == document.raw)
    }

    @Test func namesAreComparedByTheirBytes() {
        #expect(path(.name("é")) != path(.name("e\u{301}")))
        #expect(Set([path(.name("é")), path(.name("e\u{301}")), path(.name("é")), path(.index(0))]).count == 3)
        #expect(path(.name("0")) != path(.index(0)))
    }
}
