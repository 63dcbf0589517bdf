/// Which peer new calls go to, and which ones are kept only until their last call ends. A value: it closes nothing
/// itself but says what to close.
struct ConnectionTable {
    private(set) var current: Peer?
    private(set) var isShutDown = false
    private var calls: [ObjectIdentifier: Int] = [:]
    private var retired: [ObjectIdentifier: Peer] = [:]

    /// Takes the current peer for one call; nil when there is none that can be used.
    ///
    /// - Parameter identity: the file that announces the plugin now; nil when there is none or it does not matter. A
    ///   peer that was found by another file is a plugin of the past: it is retired.
    /// - Parameter mayBeGuess: also one that has not said what it speaks.
    /// - Returns: the peer, and one to close.
    mutating func checkOut(identity: FileIdentity?, mayBeGuess: Bool = false) -> (peer: Peer?, close: Peer?) {
        guard let peer = current else { return (nil, nil) }
        let isReplaced = identity != nil && peer.identity != nil && identity != peer.identity
        guard peer.transport.isOpen, !isReplaced else { return (nil, retire(peer)) }
        // Kept for those that let go; whoever finds out more takes its place.
        guard mayBeGuess || peer.isKnown else { return (nil, nil) }
        calls[ObjectIdentifier(peer), default: 0] += 1
        return (peer, nil)
    }

    /// Ends one call on a peer.
    ///
    /// - Returns: the peer when it is to be closed.
    mutating func checkIn(_ peer: Peer) -> Peer? {
        let key = ObjectIdentifier(peer)
        let left = (calls[key] ?? 1) - 1
        calls[key] = left > 0 ? left : nil
        return left > 0 ? nil : retired.removeValue(forKey: key)
    }

    /// New calls go elsewhere from now on.
    ///
    /// - Returns: the peer when no call is left on it and it is to be closed.
    mutating func retire(_ peer: Peer) -> Peer? {
        guard current === peer else { return nil }
        current = nil
        let key = ObjectIdentifier(peer)
        guard calls[key] != nil else { return peer }
        retired[key] = peer
        return nil
    }

    /// Makes a peer the current one and takes it for one call.
    ///
    /// - Returns: false when the client was shut down meanwhile: the peer is to be closed and not to be used. And one to close, whose
    ///   place it has taken.
    mutating func install(_ peer: Peer) -> (isDone: Bool, close: Peer?) {
        guard !isShutDown else { return (false, nil) }
        let closing = current.flatMap { retire($0) }
        current = peer
        calls[ObjectIdentifier(peer)] = 1
        return (true, closing)
    }

    /// Ends everything.
    ///
    /// - Returns: the peers to close.
    mutating func shutDown() -> [Peer] {
        isShutDown = true
        var peers = Array(retired.values)
        if let current { peers.append(current) }
        current = nil
        retired.removeAll()
        return peers
    }
}
