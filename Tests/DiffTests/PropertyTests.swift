import GroupSPI
import Testing

@testable import Diff

@Suite struct PropertyTests {
    private static let seed: UInt64 = 424_242

    /// Calls `body` with two documents, the second made from the first by some changes, in any spelling.
    private func forEachPair(
        _ rounds: Int = 1500,
        _ body: (_ before: JSONView, _ after: JSONView, _ models: (Model, Model), _ comment: Comment) throws -> Void
    ) throws {
        var generator = Generator(seed: Self.seed)
        for round in 0..<rounds {
            let before = generator.value(depth: 4)
            var after = before
            for _ in 0..<generator.below(5) { after = generator.changed(after) }
            let texts = (generator.text(before), generator.text(after))
            let comment: Comment = "seed \(Self.seed), round \(round): \(texts.0) | \(texts.1)"
            try body(try view(texts.0), try view(texts.1), (before, after), comment)
        }
    }

    @Test(arguments: [Effort(), Effort(maximumEdits: 0, steps: 0)])
    func changesLeadFromBeforeToAfter(_ effort: Effort) throws {
        try forEachPair { before, after, models, comment in
            let changes = JSONDiff(before: before, after: after, effort: effort).changes
            let applied = try models.0.applying(changes)
            #expect(applied == models.1, comment)
            #expect(changes.isEmpty == (models.0 == models.1), comment)
            #expect(Set(changes).count == changes.count, comment)
            for change in changes {
                let document = change.kind == .removed ? before : after
                let value = change.kind == .removed ? change.before : change.after
                #expect(change.path.value(in: document)?.raw == value, comment)
                let parsed = try JSONPath(parsing: change.path.description)
                #expect(parsed == change.path, comment)
                #expect(change.kind != .changed || change.before != nil, comment)
            }
        }
    }

    @Test func otherSpellingsAreNoChange() throws {
        var generator = Generator(seed: Self.seed)
        for round in 0..<1500 {
            let model = generator.value(depth: 4)
            let texts = (generator.text(model), generator.text(model))
            let comment: Comment = "seed \(Self.seed), round \(round): \(texts.0) | \(texts.1)"
            let (before, after) = (try view(texts.0), try view(texts.1))
            #expect(JSONDiff(before: before, after: before).changes.isEmpty, comment)
            #expect(JSONDiff(before: before, after: after).changes.isEmpty, comment)
            #expect(UnifiedDiff(before: before, after: after).isEmpty, comment)
        }
    }

    @Test func linesLeadFromBeforeToAfter() throws {
        try forEachPair { before, after, models, comment in
            let whole = UnifiedDiff(before: before, after: after, context: .max).hunks
            #expect(whole.isEmpty == (models.0 == models.1), comment)
            guard let hunk = whole.first else { return }
            #expect(whole.count == 1, comment)
            let old = hunk.lines.filter { $0.kind != .after }.map(Self.text)
            let new = hunk.lines.filter { $0.kind != .before }.map(Self.text)
            let shown = (
                try Model(view(old.joined(separator: "\n"))), try Model(view(new.joined(separator: "\n")))
            )
            #expect(shown == models, comment)
            for context in [0, 1, 3] {
                let hunks = UnifiedDiff(before: before, after: after, context: context).hunks
                #expect(Self.patch(old, hunks) == new, comment)
                for hunk in hunks {
                    #expect(hunk.lines.filter { $0.kind != .after }.map(Self.text) == Array(old[hunk.before]), comment)
                    #expect(hunk.lines.filter { $0.kind != .before }.map(Self.text) == Array(new[hunk.after]), comment)
                    #expect(hunk.lines.prefix { $0.kind == .both }.count <= context, comment)
                    #expect(hunk.lines.reversed().prefix { $0.kind == .both }.count <= context, comment)
                }
                for (hunk, next) in zip(hunks, hunks.dropFirst()) {
                    #expect(hunk.before.upperBound < next.before.lowerBound || context == 0, comment)
                }
            }
        }
    }

    private static func text(_ line: UnifiedDiff.Hunk.Line) -> String {
        String(repeating: "  ", count: line.depth) + String(decoding: line.content, as: UTF8.self)
    }

    /// What `patch` would make of the lines.
    private static func patch(_ lines: [String], _ hunks: [UnifiedDiff.Hunk]) -> [String] {
        var result: [String] = []
        var position = 0
        for hunk in hunks {
            result += lines[position..<hunk.before.lowerBound]
            result += hunk.lines.filter { $0.kind != .before }.map(text)
            position = hunk.before.upperBound
        }
        return result + lines[position...]
    }
}
