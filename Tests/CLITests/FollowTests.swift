import GroupSPI
import Synchronization
import Testing

@testable import CLI
@testable import Store

/// `history --follow`.
@Suite struct FollowTests {
    /// Looks on until a line has these words. The number of looks only ends a test that fails.
    private func follow(
        _ scene: Scene,
        until words: String,
        _ act: @escaping @Sendable () async throws -> Void
    ) async throws -> Scene.Finished {
        let seen = Mutex((text: "", looks: 0))
        let (first, next) = AsyncStream.makeStream(of: Void.self)
        let actor = Task {
            for await _ in first { break }
            try await act()
        }
        let finished = await scene.run(
            "history --follow -n 1 -o jsonl",
            hasReader: {
                seen.withLock { seen in
                    seen.looks += 1
                    return !seen.text.contains(words) && seen.looks < 60
                }
            },
            output: { line in
                seen.withLock { $0.text += line }
                next.yield()
            }
        )
        try await actor.value
        return finished
    }

    @Test func anOutcomeFollowsWhatWasShownPending() async throws {
        try await Scene.scripted { scene in
            let finished = try await follow(scene, until: #""status":"rejected""#) {
                let outcome = Outcome(revision: 12, group: "g1", status: .rejected, error: "no room")
                try await scene.store.recordOutcomes([outcome], fence: try await scene.fence(), within: patience)
            }
            let lines = finished.output.split(separator: "\n")
            #expect(lines.count == 2, "\(finished)")
            #expect(lines.first?.contains(#""status":"pending""#) == true, "\(finished)")
            #expect(lines.last?.contains(#""status":"rejected""#) == true, "\(finished)")
            #expect(lines.allSatisfy { $0.contains(#""revision":12"#) }, "\(finished)")
        }
    }
}
