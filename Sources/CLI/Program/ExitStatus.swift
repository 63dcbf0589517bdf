/// What a command's end tells scripts. The numbers never change.
enum ExitStatus: Int32 {
    case done = 0
    case failed = 1
    /// Wrong words on the command line.
    case usage = 2
    /// This replica follows.
    case notLeader = 3
    /// Nobody leads.
    case noLeader = 4
    case storeUnusable = 5
    /// The plugin refused it.
    case rejected = 6
    /// Recorded; how it came out is not known yet.
    case pending = 7
    /// Nobody reads its output any more: as the shell tells of a program that SIGPIPE has ended.
    case readerGone = 141
}
