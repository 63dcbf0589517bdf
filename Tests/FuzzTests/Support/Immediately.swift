import Synchronization

/// The result of work that never waits.
///
/// - Throws: ``Broken`` when it does.
func immediately<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) throws -> Value {
    let result = Box<Value>()
    // Runs on this thread until it would wait.
    _ = Task.immediate {
        let value = await work()
        result.value.withLock { $0 = value }
    }
    return try require(result.value.withLock { $0 }, "it waits")
}

private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}
