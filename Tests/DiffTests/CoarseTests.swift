import GroupSPI
import Testing

@testable import Diff

/// Documents with more values than there is memory for.
@Suite(.timeLimit(.minutes(5)))
struct CoarseTests {
    private static let before = #"{"A":{"B":[1,2,3,4,5,6,7,8,9],"E":"x"},"C":1,"D":[[1],[2]]}"#
    private static let after = #"{"C":1.0,"A":{"E":"y","B":[1,2,3,4,5,6,7,8,0]},"D":[[1],[3]]}"#

    private func changes(_ before: String, _ after: String, _ most: Int) throws -> [JSONChange] {
        JSONDiff(before: try view(before), after: try view(after), limit: ValueLimit(most: most)).changes
    }

    @Test func whatIsTooMuchIsComparedAsAWhole() throws {
        let all = try changes(Self.before, Self.after, 38)
        #expect(all.map(\.path.description) == ["A.B[8]", "A.E", "D[1][0]"] && all.allSatisfy { !$0.isCoarse })
        // The small ones at the same level are still looked into.
        let some = try changes(Self.before, Self.after, 20)
        #expect(some.map(\.path.description) == ["A.B", "A.E", "D[1][0]"])
        #expect(some.map(\.isCoarse) == [true, false, false])
        #expect(some[0].before?.text == "[1,2,3,4,5,6,7,8,9]" && some[0].after?.text == "[1,2,3,4,5,6,7,8,0]")
        #expect(String(decoding: some[0].json.bytes, as: UTF8.self).hasSuffix(#""coarse":true}"#))
        #expect(!String(decoding: some[1].json.bytes, as: UTF8.self).contains("coarse"))
        let few = try changes(Self.before, Self.after, 8)
        #expect(few.map(\.path.description) == ["A", "D"] && few.allSatisfy(\.isCoarse))
        let none = try changes(Self.before, Self.after, 0)
        #expect(none.map(\.path) == [.root] && none.map(\.isCoarse) == [true])
    }

    /// At every limit: equal documents are equal, other white space is no difference, and no difference is missed.
    @Test func noLimitHidesADifference() throws {
        let spaced = #" {"A":{ "B":[1,2,3,4,5,6,7,8, 9],"E":"x"},"C":1,"D": [[1],[2]]}"#
        for most in 0..<40 {
            #expect(try changes(Self.before, Self.before, most).isEmpty)
            #expect(try changes(Self.before, spaced, most).isEmpty)
            for other in [#"["#, "]", "1,2", "8"] {
                let text = Self.before.replacing("9", with: "[\"\(other)\"]")
                let found = try changes(Self.before, text, most)
                #expect(found.count == 1)
                let path = try #require(found.first?.path)
                #expect(path.value(in: try view(text))?.raw == found.first?.after)
            }
        }
    }

    /// Of what only one side has too much, the value is a change, and says so.
    @Test func oneSideIsTooLarge() throws {
        let found = try changes(#"{"a":[1],"b":1}"#, #"{"a":[1,2,3,4,5,6,7,8],"b":2}"#, 9)
        #expect(found.map(\.path.description) == ["a", "b"] && found.map(\.isCoarse) == [true, false])
    }

    @Test func theTextTellsLengthAndSum() throws {
        func text(_ last: Int) -> String {
            "{\"A\":{\"B\":[\(String(repeating: "1,", count: 60))\(last)],\"E\":\"x\(last)\"},\"C\":[[1],[\(last)]]}"
        }
        let effort = Effort(mostValues: 30)
        let (before, after) = (try view(text(1)), try view(text(2)))
        let diff = UnifiedDiff(before: before, after: after, context: 0, effort: effort)
        #expect(diff.isCoarse)
        #expect(
            diff.text(before: "a", after: "b") == """
                --- a
                +++ b
                @@ -3,2 +3,2 @@ A
                -    "B": [ 123 bytes, SHA-256 ab6ce6d7fecea17fe808805b82fabb53f8440f661dd03f566ae046036c53cc61 ],
                -    "E": "x1"
                +    "B": [ 123 bytes, SHA-256 ef58187e70f3c244343315d1c13e44a625f92cb219867ab0d71e7ec6b65aadf6 ],
                +    "E": "x2"
                @@ -11 +11 @@ C[1]
                -      1
                +      2

                """
        )
        #expect(UnifiedDiff(before: before, after: before, context: 0, effort: effort).isEmpty)
        #expect(!UnifiedDiff(before: before, after: after).isCoarse)
    }

    /// Two million values in each.
    @Test func theLargestSpecifications() throws {
        func text(_ last: Int) -> String {
            #"{"Labels":{"a":\#(last)},"Data":["# + String(repeating: "1,", count: 1 << 21) + "\(last)]}"
        }
        let (before, after) = (try view(text(1)), try view(text(2)))
        let changes = JSONDiff(before: before, after: after).changes
        #expect(changes.map(\.path.description) == ["Labels.a", "Data"])
        #expect(changes.map(\.isCoarse) == [false, true])
        let lines = UnifiedDiff(before: before, after: after).text(before: "a", after: "b").split(separator: "\n")
        #expect(lines.contains(#"+    "a": 2"#) && lines.count < 20 && lines.allSatisfy { $0.utf8.count < 200 })
    }

    /// Documents that are compared at one time share the room: the small ones are looked at to the end.
    @Test func manyShareTheRoom() throws {
        let small = (before: try view("[1,2]"), after: try view("[1,3]"))
        let large = try view("[" + String(repeating: "1,", count: 600_000) + "1]")
        #expect(ValueLimit(sharedBy: [small, small]).most == ValueLimit.total)
        #expect(ValueLimit(sharedBy: [(large, nil)]).most == ValueLimit.total)
        let shared = ValueLimit(sharedBy: [(large, nil), small, (nil, large)])
        #expect(shared.most == (ValueLimit.total - 6) / 2)
        #expect(!UnifiedDiff(before: small.before, after: small.after, limit: shared).isCoarse)
        #expect(UnifiedDiff(before: large, after: nil, limit: shared).isCoarse)
    }
}
