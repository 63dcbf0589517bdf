internal import Glibc
internal import HTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

extension EngineError {
    /// Reads what a request ended with.
    init(_ error: any Error, at address: EngineAddress, longest: Int) {
        switch error {
        case let error as EngineError:
            self = error
        case is CancellationError, ExchangeError.cancelled:
            self = .cancelled
        case ExchangeError.poolClosed:
            self.init(.cancelled, "the client of the Engine at \(address) was closed")
        case ExchangeError.closedByServer:
            self = .lost(address, "closed by the Engine")
        case ExchangeError.tooLarge:
            self = .malformed("\(address)", "more than \(longest) bytes")
        case ExchangeError.noConnection(let cause), ExchangeError.notSent(let cause), ExchangeError.broken(let cause):
            self.init(cause, at: address, longest: longest)
        case ChannelError.connectTimeout:
            self.init(.timeout, "the Engine at \(address) gave no answer in time. It may be busy or stopped.")
        case let error as HTTPParserError:
            self = .malformed("\(address)", "\(error)")
        case let error as IOError:
            self.init(errno: error.errnoCode, at: address)
        case let error as NIOConnectionError:
            self.init(error, at: address)
        case SocketAddressError.unixDomainSocketPathTooLong:
            self.init(.settings, "the socket's path is too long: \(address). Use a shorter one.")
        case _ where TLSFailure.isUncleanShutdown(error):
            self = .lost(address, "closed within TLS")
        case _ where TLSFailure.isOne(error):
            self = .handshake(error, at: address)
        default:
            self = .lost(address, TLSFailure.plain("\(error)"))
        }
    }

    static let cancelled = EngineError(.cancelled, "the request to the Engine was cancelled")

    static func timeout(_ address: EngineAddress, after limit: Duration) -> EngineError {
        EngineError(
            .timeout,
            "the Engine at \(address) gave no answer within \(limit.milliseconds) ms. It may be busy, stopped, or "
                + "without its swarm's leader: see docker node ls on another manager."
        )
    }

    static func lost(_ address: EngineAddress, _ reason: String) -> EngineError {
        EngineError(
            .lost,
            "the connection to the Engine at \(address) broke before its answer (\(reason)). Was the Engine restarted?"
        )
    }

    static func handshake(_ error: any Error, at address: EngineAddress) -> EngineError {
        let failure = TLSFailure(error)
        return EngineError(.tls, failure.sentence(of: address, nil), words: failure.word)
    }

    /// The same, when it was found out why a certificate is not trusted.
    static func distrusted(_ trouble: CertificateTrouble, at address: EngineAddress) -> EngineError {
        EngineError(.tls, "the Engine at \(address) \(trouble.sentence)", words: TLSFailure.untrusted)
    }

    private init(_ error: NIOConnectionError, at address: EngineAddress) {
        if let cause = error.connectionErrors.first?.error {
            if let cause = cause as? IOError {
                self.init(errno: cause.errnoCode, at: address)
            } else {
                self.init(
                    .unreachable,
                    "cannot connect to the Engine at \(address): \(TLSFailure.plain("\(cause)")). Check --host."
                )
            }
        } else if let cause = error.dnsAError ?? error.dnsAAAAError {
            self.init(.unreachable, "cannot look up the Engine's host of \(address): \(cause). Check --host.")
        } else {
            self.init(.unreachable, "cannot connect to the Engine at \(address). Check --host.")
        }
    }

    private init(errno: Int32, at address: EngineAddress) {
        let words = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        switch errno {
        case EACCES, EPERM:
            self.init(
                .noRights,
                "no permission to use the Engine's socket at \(address). Run as root, or as a member of the group "
                    + "docker.",
                words: words
            )
        case ECONNREFUSED, ENOENT, ENOTDIR:
            self.init(
                .notRunning,
                "no Docker Engine runs at \(address). Start it (systemctl start docker), or name it with --host.",
                words: words
            )
        case ECONNRESET, EPIPE, ENOTCONN, EBADF:
            self = .lost(address, words)
        default:
            self.init(.unreachable, "cannot connect to the Engine at \(address): \(words). Check --host.", words: words)
        }
    }
}

extension Duration {
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
