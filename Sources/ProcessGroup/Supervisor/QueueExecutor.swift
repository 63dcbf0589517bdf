internal import Dispatch

/// Runs an actor on a dispatch queue of its own.
///
/// Starting a process and writing a file block, at times for long; on the cooperative pool they would hold up everybody
/// else. One queue per group also keeps a group in trouble from delaying the others.
final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
