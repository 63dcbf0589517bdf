internal import Glibc

/// What a service manager such as systemd tells a program in its environment (sd_notify(3), sd_watchdog_enabled(3)).
struct ServiceEnvironment: Hashable, Sendable {
    /// They are meant for this process alone: a child that had them would speak in its name.
    static let names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

    /// Where to send notifications; nil when nobody wants any.
    private(set) var socket: NotificationSocket?
    /// The service manager acts when it has not been pinged for so long; nil when it does not wait for pings.
    private(set) var watchdog: Duration?
    /// What was given and cannot be used, one sentence each.
    private(set) var troubles: [String] = []

    /// - Parameter pid: of this process: a watchdog may be meant for another.
    init(_ environment: [String: String], pid: pid_t) {
        guard let name = environment["NOTIFY_SOCKET"], !name.isEmpty else { return }
        socket = NotificationSocket(name)
        if socket == nil {
            troubles.append("NOTIFY_SOCKET '\(name)' is not an absolute path or @name, or is too long")
        }
        guard let time = environment["WATCHDOG_USEC"], !time.isEmpty else { return }
        guard let microseconds = UInt64(time), microseconds > 0, microseconds < UInt64.max else {
            troubles.append("WATCHDOG_USEC '\(time)' is not a number of microseconds")
            return
        }
        if let owner = environment["WATCHDOG_PID"], !owner.isEmpty {
            guard let number = pid_t(owner), number > 0 else {
                troubles.append("WATCHDOG_PID '\(owner)' is not a process id")
                return
            }
            guard number == pid else { return }
        }
        watchdog = .microseconds(microseconds)
    }

    /// Takes the variables out of this process's environment, and so out of that of every child that gets a copy of it.
    /// Only while no other thread reads the environment.
    static func unset() {
        for name in names { unsetenv(name) }
    }
}
