public import NIOCore

/// Runs a task's steps on an event loop, between its sockets' events.
///
/// What is asked on a connection and answered over another of the same loop then needs no other thread. Waking one costs more than
/// all the rest of a read does.
public final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    public init(_ loop: any EventLoop) {
        self.loop = loop
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
