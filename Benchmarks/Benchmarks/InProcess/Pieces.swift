import Benchmark
import BenchmarkSupport
import Diff
import GroupSPI
import Store

/// What a write is made of, piece by piece, without a disk but for the last.
enum Pieces {
    static func register() {
        let request =
            Array(#"{"method":"Group.CommitGroup","params":[{"Spec":"#.utf8) + Specs.spec(1, 1).json.raw.bytes
            + Array(#"}],"id":1}"#.utf8)
        Benchmark("parse a request") { benchmark in
            for _ in benchmark.scaledIterations {
                let spec = try JSONView(request).member("params")?.elements.first?.member("Spec")
                guard let spec else { throw BenchmarkError("the request has no spec") }
                blackHole(try GroupSpec(spec))
            }
        }
        let (before, after) = (JSONView(Specs.properties(1)), JSONView(Specs.properties(2)))
        Benchmark("diff of two specs") { benchmark in
            for _ in benchmark.scaledIterations { blackHole(JSONDiff(before: before, after: after)) }
        }
        image()
        append()
    }

    /// A revision with its hash, in memory.
    private static func image() {
        Benchmark("revision and its hash") { benchmark in
            var image = Snapshot()
            let candidate = try Predecessor.candidate("manager")
            let fence = Fence(instance: candidate.instance, epoch: 1, manager: candidate.id.name)
            _ = image.acquire(
                candidate,
                watched: image.lease,
                at: "here",
                floor: 0,
                ttl: 60_000,
                reason: "a benchmark",
                time: 0
            )
            let draft = RevisionDraft(
                author: Predecessor.author,
                operation: .commit,
                changes: [
                    Change(
                        group: "group-1",
                        action: .set(Specs.properties(1), plugin: Predecessor.plugin),
                        status: .applied
                    )
                ]
            )
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(try image.append(draft, fence: fence, time: 1)) }
        }
    }

    private static func append() {
        let stage = Stage<(scratch: Scratch, predecessor: Predecessor)>()
        let numbers = Counter()
        Benchmark("append to the store") { benchmark, staged in
            for _ in benchmark.scaledIterations {
                try await staged.predecessor.append(revisions: 1, groups: 1, from: numbers.next(), clients: 1) {
                    Specs.properties($0)
                }
            }
        } setup: {
            try await stage.make {
                let scratch = try Scratch()
                return (scratch, try await Predecessor(leading: StoreConfiguration.path(in: scratch.path)))
            }
        } teardown: {
            await stage.end { $0.scratch.remove() }
        }
    }
}
