extension Task where Success == Never, Failure == Never {
    /// Where the current task's steps run by its own preference; nil when it has none, or outside a task.
    static var currentPreference: (any TaskExecutor)? {
        withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() }
    }
}
