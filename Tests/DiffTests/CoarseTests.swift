import GroupSPI
import Testing

@testable import Diff

/// Documents with more values than there is memory for.
@Suite(.timeLimit(.minutes(5)))
struct CoarseTests {
    private static let before = #"{"A":{"B":[1,2,3,4,5,6,7,8,9],"E":"x"},"C":1,"D":[[1],[2]]}"#
    private static let after = #"{"C":1.0,"A":{"E":"y","B":[1,2,3,4,5,6,7,8,0]},"D":[[1],[2]]}"#

    private func changes(_ before: String, _ after: String, _ most: Int) throws -> [JSONChange] {
        JSONDiff(before: try view(before), after: try view(after), effort: Effort(mostValues: most)).changes
    }

    @Test func whatIsTooMuchIsComparedAsAWhole() throws {
        let all = try changes(Self.before, Self.after, 100)
        #expect(all.map(\.path.description) == ["A.B[8]", "A.E"] && all.allSatisfy { !$0.isCoarse })
        let some = try changes(Self.before, Self.after, 20)
        #expect(some.map(\.path.description) == ["A.B", "A.E"])
        #expect(some.map(\.isCoarse) == [true, false])
        #expect(some[0].before?.text == "[1,2,3,4,5,6,7,8,9]" && some[0].after?.text == "[1,2,3,4,5,6,7,8,0]")
        #expect(RawJSON(some[0].json).text.hasSuffix(#""coarse":true}"#))
        #expect(!RawJSON(some[1].json).text.contains("coarse"))
        let few = try changes(Self.before, Self.after, 8)
        #expect(few.map(\.path.description) == ["A"] && few.map(\.isCoarse) == [true])
        let none = try changes(Self.before, Self.after, 0)
        #expect(none.map(\.path.description) == [""] && none.map(\.isCoarse) == [true])
        for most in 0..<40 { #expect(try changes(Self.before, Self.before, most) == []) }
    }

    @Test func theTextTellsLengthAndSum() throws {
        let effort = Effort(mostValues: 20)
        let diff = UnifiedDiff(before: try view(Self.before), after: try view(Self.after), context: 0, effort: effort)
        #expect(diff.isCoarse)
        #expect(
            diff.text(before: "a", after: "b") == """
                --- a
                +++ b
                @@ -3,2 +3,2 @@ A
                -    "B": [ 19 bytes, SHA-256 6c6e0ee2b0b2d2ba7ac1a5a0b5e0e4e7 ],
                -    "E": "x"
                +    "B": [ 19 bytes, SHA-256 6c6e0ee2b0b2d2ba7ac1a5a0b5e0e4e7 ],
                +    "E": "y"

                """
        )
        let same = UnifiedDiff(before: try view(Self.before), after: try view(Self.before), context: 0, effort: effort)
        #expect(same.isEmpty)
        let all = UnifiedDiff(before: try view(Self.before), after: try view(Self.after), context: 0, effort: Effort())
        #expect(!all.isCoarse)
    }

    /// Eight million values in each.
    @Test func theLargestSpecifications() throws {
        func text(_ last: Int) -> String {
            #"{"Labels":{"a":\#(last)},"Data":["# + String(repeating: "1,", count: (1 << 23) - 100) + "\(last)]}"
        }
        let (before, after) = (try view(text(1)), try view(text(2)))
        let changes = JSONDiff(before: before, after: after).changes
        #expect(changes.map(\.path.description) == ["Labels.a", "Data"])
        #expect(changes.map(\.isCoarse) == [false, true])
        let lines = UnifiedDiff(before: before, after: after).text(before: "a", after: "b").split(separator: "\n")
        #expect(lines.contains(#"+    "a": 2"#) && lines.count < 20 && lines.allSatisfy { $0.utf8.count < 200 })
    }
}
