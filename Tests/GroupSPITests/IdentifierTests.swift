import GroupSPI
import Testing

@Suite struct IdentifierTests {
    /// One text to Unicode, two to everybody else.
    private let composed: Identifier = "caf\u{E9}"
    private let decomposed: Identifier = "cafe\u{301}"

    @Test func whatUnicodeHoldsForEqualIsTwoNames() {
        #expect(composed.text == decomposed.text && composed != decomposed)
        #expect(Set([composed, decomposed, composed]).count == 2)
        var sizes = [composed: 1, decomposed: 2]
        sizes[composed] = nil
        #expect(sizes == [decomposed: 2])
    }

    @Test func theOrderIsThatOfTheBytes() {
        let names: [Identifier] = ["z", "\u{1F404}", "", "\u{FF5E}", composed, "Z", decomposed, "cafe", "caf", "z"]
        let sorted = names.sorted()
        #expect(sorted == ["", "Z", "caf", "cafe", decomposed, composed, "z", "z", "\u{FF5E}", "\u{1F404}"])
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { !($1.utf8.lexicographicallyPrecedes($0.utf8)) })
        #expect(!(composed < composed))
    }

    /// Short ones lie in the value itself, long ones on the heap.
    @Test(arguments: [0, 1, 14, 15, 16, 17, 300])
    func equalBytesAreEqual(_ count: Int) {
        let text = String(repeating: "é", count: count)
        let other = String(decoding: Array(text.utf8), as: UTF8.self)
        #expect(Identifier(text) == Identifier(other))
        #expect(Identifier(text).hashValue == Identifier(other).hashValue)
        #expect(Identifier(text) != Identifier(text + "x") && Identifier(text) < Identifier(text + "x"))
    }

    @Test func membersOfJSONAreNamedByTheirBytes() throws {
        let view = JSONView(try RawJSON("{\"caf\u{E9}\":1,\"cafe\\u0301\":2}"))
        #expect(view.members.map(\.name) == [composed, decomposed])
        #expect(view.member(composed.text)?.int == 1 && view.member(decomposed.text)?.int == 2)
    }
}
