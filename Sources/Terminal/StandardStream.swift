internal import Glibc

/// The process's own streams.
public enum StandardStream: Int32, Sendable {
    case input = 0
    case output = 1
    case error = 2

    public var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Columns of the terminal; nil when there is none, or it does not say.
    public var width: Int? {
        var size = winsize()
        guard ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes all of the text, and waits for a reader that is slow. One that is gone is no reason to fail.
    public func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                // Another program that has the same terminal or pipe has made it so that it does not block.
                var wait = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&wait, 1, -1)
                continue
            }
            guard count > 0 else { return }
            bytes.removeFirst(count)
        }
    }
}
