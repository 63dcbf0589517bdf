import GroupSPI
import Replication
import Store

@testable import Swarm

/// What nodes ask of the leader through the swarm: what can be read is passed on as it was read, what cannot stays for
/// whoever can.
enum RequestsTarget {
    static func run(_ input: [UInt8]) throws {
        let queue: RequestQueue
        do throws(AnnotationError) {
            queue = try RequestQueue(label: LabelText.encode(input))
        } catch {
            try require(
                (1...2000).contains(error.message.unicodeScalars.count),
                "a sentence of \(error.message.count) characters"
            )
            return
        }
        try same(RequestQueue(label: queue.encoded()), queue, "written and read again, it differs")
        for request in queue.requests {
            let again = try Request(JSONView(request.json.bytes, limits: RequestBody.limits))
            try same(again, request, "a request, written and read again")
            // As the leader does, and the node that asked. Said here, for a sum that nobody looks at is not made.
            try require(
                !Store.wallClock().subtractingReportingOverflow(request.time).overflow,
                "a time beyond reckoning"
            )
            try require(!request.patience.addingReportingOverflow(60_000).overflow, "a patience beyond reckoning")
            if case .commit(_, _, let within?) = request.kind {
                try require(!Store.wallClock().addingReportingOverflow(within).overflow, "a wait beyond reckoning")
            }
            var changed = queue
            changed.add(request)
            try same(changed.ids, queue.ids, "the ids, with a request added that is there")
            changed.remove([request.id])
            try require(!changed.ids.contains(request.id), "a request that was removed is there")
        }
    }
}
