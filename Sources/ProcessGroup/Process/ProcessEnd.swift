import Glibc

/// How a process ended.
enum ProcessEnd: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    /// It was not a child of this process, so nobody was told.
    case unknown
    /// It never ran.
    case notStarted(String)

    /// Reads what `waitpid` reports.
    init(waitStatus status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
}

extension ProcessEnd: CustomStringConvertible {
    var description: String {
        switch self {
        case .exited(let code): "ended with exit status \(code)"
        case .signalled(let signal): "was ended by signal \(signal)"
        case .unknown: "ended"
        case .notStarted(let reason): "could not be started: \(reason)"
        }
    }
}
