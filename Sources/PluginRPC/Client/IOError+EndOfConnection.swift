internal import Glibc
internal import NIOCore

extension IOError {
    /// The connection existed, and broke: the request may have been delivered.
    var isEndOfConnection: Bool {
        switch errnoCode {
        case ECONNRESET, EPIPE, ETIMEDOUT, ENOTCONN, ECONNABORTED: true
        default: false
        }
    }
}
