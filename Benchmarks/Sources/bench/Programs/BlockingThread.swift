internal import BenchmarkSupport
internal import Glibc

/// A thread for calls that wait in the kernel: the pool that runs tasks has as many as there are cores.
enum BlockingThread {
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job { continuation.resume(with: Result { try body() }) }
            var thread = pthread_t()
            let code = pthread_create(
                &thread,
                nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body()
                    return nil
                },
                Unmanaged.passRetained(job).toOpaque()
            )
            guard code == 0 else {
                return continuation.resume(throwing: BenchmarkError("no thread: \(String(cString: strerror(code)))"))
            }
            pthread_detach(thread)
        }
    }
}
