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

    /// Writes all of the text, however long the reader takes.
    ///
    /// - Throws: ``StreamError``; a part may have been written.
    public func write(_ text: String) throws(StreamError) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes.removeFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            // Another process may have made it so: the description of the stream is shared.
            case EAGAIN: wait(for: POLLOUT, atMost: -1)
            default: throw StreamError(errno)
            }
        }
    }

    /// Whether somebody still reads a pipe, or sits at a terminal. Of a file it is always true.
    public var hasReader: Bool { wait(for: 0, atMost: 0) & Int16(POLLERR | POLLHUP) == 0 }

    /// Closes the stream: some file systems tell only now that what was written could not be kept.
    ///
    /// - Throws: ``StreamError``.
    public func close() throws(StreamError) {
        guard Glibc.close(rawValue) != 0, errno != EBADF, errno != EINTR else { return }
        throw StreamError(errno)
    }

    @discardableResult
    private func wait(for events: Int32, atMost milliseconds: Int32) -> Int16 {
        var entry = pollfd(fd: rawValue, events: Int16(events), revents: 0)
        return poll(&entry, 1, milliseconds) > 0 ? entry.revents : 0
    }
}

/// Why a stream did not take what was written to it.
public struct StreamError: Error, Hashable {
    /// The system's number.
    public let code: Int32

    public init(_ code: Int32) {
        self.code = code
    }

    /// Nobody reads any more, as after `| head -1`: no trouble that anybody has to hear of.
    public var isReaderGone: Bool { code == EPIPE }

    /// The system's words.
    public var reason: String { String(cString: strerror(code)) }
}
