/// Tells one process from every other that ever had, or will have, its number.
struct ProcessIdentity: Hashable, Sendable {
    let pid: Int32
    /// Clock ticks from the start of the kernel to the start of the process.
    let startTime: UInt64
    /// The run of the kernel, and the namespace in which the number counts. See ``ProcessTable/bootID``.
    let bootID: String
}
