public import Store

/// Waits for the end of a lease's holder, where it can be seen from here, so that nobody has to wait for the next look.
public protocol LeaseHolderMonitor: Sendable {
    /// From now on waits for the end of this holder, and of no other; of none when it is nil. Of the same one it may be told
    /// again and again.
    func watch(_ lease: Lease?)
    func stop()
}

/// Sees nobody: each change is found by the next look.
public struct NoLeaseHolderMonitor: LeaseHolderMonitor {
    public init() {}
    public func watch(_ lease: Lease?) {}
    public func stop() {}
}
