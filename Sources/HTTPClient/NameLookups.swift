internal import Dispatch
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Looks hosts up by name. A question may hang for as long as it likes: there is one at a time of each name, on a thread of its own,
/// and nobody waits for long.
final class NameLookups: Sendable {
    /// Nobody has answered in time.
    struct Late: Error, CustomStringConvertible {
        let description = "the name lookup does not answer"
    }

    /// There is no such host, or nobody who would know.
    struct Unknown: Error, CustomStringConvertible {
        let description: String
    }

    typealias Look = @Sendable (_ host: String, _ port: Int) -> Result<[SocketAddress], any Error>

    /// Of this process: connections come and go, and the question stays.
    static let shared = NameLookups()
    static let patience = TimeAmount.seconds(10)

    private struct Name: Hashable {
        let host: String
        let port: Int
    }

    private let look: Look
    private let waiting = Mutex<[Name: [EventLoopPromise<[SocketAddress]>]]>([:])

    /// - Parameter look: asks, and may block.
    init(look: @escaping Look = NameLookups.ask) {
        self.look = look
    }

    func addresses(_ host: String, _ port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        let name = Name(host: host, port: port)
        let promise = loop.makePromise(of: [SocketAddress].self)
        let isAsked = waiting.withLock { waiting in
            defer { waiting[name, default: []].append(promise) }
            return waiting[name] != nil
        }
        if !isAsked {
            DispatchQueue(label: "name look-up").async { [self] in
                let result = look(host, port)
                for promise in waiting.withLock({ $0.removeValue(forKey: name) }) ?? [] {
                    promise.completeWith(result)
                }
            }
        }
        let late = loop.scheduleTask(in: Self.patience) { self.giveUp(promise, name) }
        promise.futureResult.whenComplete { _ in late.cancel() }
        return promise.futureResult
    }

    private func giveUp(_ promise: EventLoopPromise<[SocketAddress]>, _ name: Name) {
        let isWaiting = waiting.withLock { waiting in
            guard let index = waiting[name]?.firstIndex(where: { $0.futureResult === promise.futureResult }) else {
                return false
            }
            // The question stands: whoever comes next waits for the same answer.
            waiting[name]?.remove(at: index)
            return true
        }
        if isWaiting { promise.fail(Late()) }
    }

    private static let ask: Look = { host, port in
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { return .failure(Unknown(description: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let raw = UnsafeRawPointer(entry.pointee.ai_addr) else { continue }
            switch entry.pointee.ai_family {
            case AF_INET: addresses.append(SocketAddress(raw.loadUnaligned(as: sockaddr_in.self), host: host))
            case AF_INET6: addresses.append(SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self), host: host))
            default: break
            }
        }
        return .success(addresses)
    }
}

/// How NIO asks, for one connection.
final class NameResolver: Resolver, Sendable {
    private let lookups: NameLookups
    private let loop: any EventLoop

    init(_ lookups: NameLookups = .shared, on loop: any EventLoop) {
        self.lookups = lookups
        self.loop = loop
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        lookups.addresses(host, port, on: loop).map { $0.filter { $0.protocol == .inet } }
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        lookups.addresses(host, port, on: loop).map { $0.filter { $0.protocol == .inet6 } }
    }

    /// Whoever gives up leaves the question to those who come next.
    func cancelQueries() {}
}
