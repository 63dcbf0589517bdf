import Diff
import GroupSPI
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ExtremeTests {
    private static func nested(_ depth: Int, _ open: String, _ core: String, _ close: String) -> String {
        String(repeating: open, count: depth) + core + String(repeating: close, count: depth)
    }

    // In a task of its own: the threads of the pool have a small stack.
    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func deepDocuments(_ open: String, _ close: String) async throws {
        let found = try await Task.detached {
            let before = try view(Self.nested(512, open, close == "]" ? "" : "1", close))
            let after = try view(Self.nested(512, open, "2", close))
            let changes = JSONDiff(before: before, after: after).changes
            let path = try #require(changes.first?.path)
            #expect(try JSONPath(parsing: path.description) == path)
            #expect(path.value(in: after)?.raw.text == "2")
            #expect(JSONDiff(before: after, after: after).changes.isEmpty)
            let text = UnifiedDiff(before: before, after: after).text(before: "a", after: "b")
            #expect(text.split(separator: "\n").contains { $0.hasPrefix("+") && $0.hasSuffix(" 2") })
            return (changes.count, path.components.count)
        }.value
        #expect(found == (1, 512))
    }

    /// Reading a deep and wide document level by level would be 512 times its size.
    @Test func deepAndWideDocuments() throws {
        let filler = "\"" + String(repeating: "x", count: 1_000_000) + "\""
        let before = try view(Self.nested(510, "[", filler + ",1", "]"))
        let after = try view(Self.nested(510, "[", filler + ",2", "]"))
        #expect(JSONDiff(before: before, after: after).changes.count == 1)
        #expect(!UnifiedDiff(before: before, after: after).isEmpty)
    }

    @Test func largeDocuments() throws {
        func text(_ indices: some Sequence<Int>, size: (Int) -> Int) -> String {
            let items = indices.map {
                "{\"Name\":\"instance-\($0)\",\"Labels\":{\"n\":\($0 % 10)},\"Size\":\(size($0))}"
            }
            return "{\"Instances\":[" + items.joined(separator: ",") + "]}"
        }
        let before = try view(text(0..<10_000) { _ in 1 })
        let after = try view(text(-1..<9_999) { $0 % 100 == 50 ? 2 : 1 })
        let changes = JSONDiff(before: before, after: after).changes
        #expect(changes.count(where: { $0.kind == .added }) == 1)
        #expect(changes.count(where: { $0.kind == .removed }) == 1)
        #expect(changes.count(where: { $0.kind == .changed && $0.path.components.last == .name("Size") }) == 100)
        #expect(changes.count == 102)
        let lines = UnifiedDiff(before: before, after: after, context: 0).text(before: "a", after: "b")
            .split(separator: "\n")
        #expect(lines.count(where: { $0 == "+      \"Size\": 2" }) == 100)
        // Sizes, twice; six lines for each of the new and the lost element; a comma that the new last element has not.
        #expect(lines.count(where: { $0.hasPrefix("+ ") || $0.hasPrefix("- ") }) == 200 + 2 * 7)
    }

    @Test func everythingHasChanged() throws {
        let before = try view("[" + (0..<50_000).map(String.init).joined(separator: ",") + "]")
        let after = try view("[" + (50_000..<100_000).map(String.init).joined(separator: ",") + "]")
        let changes = JSONDiff(before: before, after: after).changes
        #expect(changes.count == 50_000)
        #expect(changes.allSatisfy { $0.kind == .changed })
    }
}
