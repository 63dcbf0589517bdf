internal import Glibc
internal import GroupSPI
internal import NIOCore
internal import NIOPosix

/// A plugin's name and address, and the sentences that name them.
struct PluginPlace: Sendable, Hashable {
    /// As the user wrote it.
    let name: Identifier
    let address: PluginEndpoint.Address

    /// The socket's path or the URL.
    var shown: String {
        switch address {
        case .socket(let path): path
        case .http(let url): url
        }
    }

    /// Why there is no connection.
    func connectFailure(_ error: any Error) -> TransportError {
        switch error {
        case let error as IOError:
            return connectFailure(errno: error.errnoCode)
        case let error as NIOConnectionError:
            if let cause = error.connectionErrors.first?.error as? IOError {
                return connectFailure(errno: cause.errnoCode)
            }
            if let cause = error.dnsAError ?? error.dnsAAAAError {
                return .unreachable("cannot look up the host of plugin '\(name)' at \(shown): \(cause)")
            }
            return .unreachable("cannot connect to plugin '\(name)' at \(shown)")
        case is CancellationError:
            return .cancelled
        case SocketAddressError.unixDomainSocketPathTooLong:
            return .unreachable(
                "cannot connect to plugin '\(name)': \(SocketPath.trouble(shown) ?? "the socket's path is too long")"
            )
        default:
            return .unreachable("cannot connect to plugin '\(name)' at \(shown): \(error)")
        }
    }

    private func connectFailure(errno: Int32) -> TransportError {
        switch (address, errno) {
        case (.socket(let path), ENOENT), (.socket(let path), ENOTDIR):
            .notRunning("plugin '\(name)' is not running: no socket at \(path)")
        case (_, ECONNREFUSED):
            .notRunning("plugin '\(name)' is not running: nobody listens at \(shown)")
        case (.socket(let path), EACCES):
            .unreachable("plugin '\(name)' cannot be used: no permission to connect to \(path)")
        default:
            .unreachable("cannot connect to plugin '\(name)' at \(shown): \(SystemError.text(errno))")
        }
    }
}
