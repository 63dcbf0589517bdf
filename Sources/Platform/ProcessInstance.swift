/// Tells one process from every other that ever had, or will have, its number.
package struct ProcessInstance: Hashable, Sendable {
    package let pid: Int32
    /// Clock ticks from the start of the kernel to the start of the process.
    package let startTime: UInt64
    /// The run of the kernel, and the namespace in which the number counts. See ``ProcessTable/bootID``.
    package let bootID: String

    package init(pid: Int32, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }
}
