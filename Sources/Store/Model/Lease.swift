public import GroupSPI

/// Where a process runs, exactly enough to tell whether it still does.
public struct ProcessIdentity: Hashable, Sendable {
    public let host: Identifier
    /// `/proc/sys/kernel/random/boot_id`: tells two boots, and two hosts of one name, apart.
    public let bootID: String
    /// The inode of `/proc/self/ns/pid`: a pid means nothing in another namespace.
    public let pidNamespace: String
    public let pid: Int
    /// Field 22 of `/proc/<pid>/stat`: tells a process from a later one of the same pid.
    public let startTime: Int

    public init(host: Identifier, bootID: String, pidNamespace: String, pid: Int, startTime: Int) {
        self.host = host
        self.bootID = bootID
        self.pidNamespace = pidNamespace
        self.pid = pid
        self.startTime = startTime
    }
}

/// A replica that wants to lead, or leads.
public struct Candidate: Hashable, Sendable {
    public let id: ReplicaID
    /// Random, new at every start of the process: two starts of one replica never pass for one another.
    public let instance: String
    public let process: ProcessIdentity
    /// Where clients reach this replica.
    public let socket: String
    /// Where this replica reaches its group plugin.
    public let pluginSocket: String
    /// The file that its orphan guard keeps locked.
    public let guardLock: String

    public init(
        id: ReplicaID,
        instance: String,
        process: ProcessIdentity,
        socket: String,
        pluginSocket: String,
        guardLock: String
    ) {
        self.id = id
        self.instance = instance
        self.process = process
        self.socket = socket
        self.pluginSocket = pluginSocket
        self.guardLock = guardLock
    }
}

/// The lease row: one, never deleted.
public struct Lease: Hashable, Sendable {
    /// The leader's name; empty when the lease was released.
    public let holder: Identifier
    public let instance: String
    /// Rises by one at every acquisition and never falls, also across releases.
    public let epoch: Int
    /// Rises at every change of the row. Unchanged for a whole ttl on the watcher's own clock means: gone.
    public let sequence: Int
    /// How long after its last renewal the holder may be taken for gone, in milliseconds.
    public let ttl: Int
    /// Wall clock of the holder, milliseconds since 1970. For people; no decision compares them with another clock.
    public let acquiredAt: Int
    public let renewedAt: Int
    public let expiresAt: Int
    public let process: ProcessIdentity
    public let socket: String
    public let pluginSocket: String
    public let guardLock: String
    /// The newest revision when the row was written, as its holder knew it, and its hash; 0 when it knew none.
    public var revision: Int
    public var hash: [UInt8]
    /// Why nobody may act; nil while nothing is wrong.
    public var suspension: Suspension?

    public init(
        holder: Identifier,
        instance: String,
        epoch: Int,
        sequence: Int,
        ttl: Int,
        acquiredAt: Int,
        renewedAt: Int,
        expiresAt: Int,
        process: ProcessIdentity,
        socket: String,
        pluginSocket: String,
        guardLock: String,
        revision: Int = 0,
        hash: [UInt8] = [],
        suspension: Suspension? = nil
    ) {
        self.holder = holder
        self.instance = instance
        self.epoch = epoch
        self.sequence = sequence
        self.ttl = ttl
        self.acquiredAt = acquiredAt
        self.renewedAt = renewedAt
        self.expiresAt = expiresAt
        self.process = process
        self.socket = socket
        self.pluginSocket = pluginSocket
        self.guardLock = guardLock
        self.revision = revision
        self.hash = hash
        self.suspension = suspension
    }

    public var isHeld: Bool { !holder.isEmpty }

    public func isHeld(by fence: Fence) -> Bool { isHeld && instance == fence.instance && epoch == fence.epoch }

    /// Nobody has ever led.
    public static let none = nobody(since: 0)

    /// Nobody leads; that was the last epoch.
    public static func nobody(since epoch: Int) -> Lease {
        Lease(
            holder: "",
            instance: "",
            epoch: epoch,
            sequence: 0,
            ttl: 0,
            acquiredAt: 0,
            renewedAt: 0,
            expiresAt: 0,
            process: ProcessIdentity(host: "", bootID: "", pidNamespace: "", pid: 0, startTime: 0),
            socket: "",
            pluginSocket: "",
            guardLock: ""
        )
    }

    /// The same without a holder.
    var released: Lease { with(holder: "", renewedAt: renewedAt, sequence: sequence + 1) }

    /// The same, seen to stand at a moment.
    public func seen(at time: Int, sequence: Int) -> Lease {
        with(holder: holder, renewedAt: time, sequence: sequence)
    }

    func with(
        holder: Identifier? = nil,
        renewedAt: Int,
        epoch: Int? = nil,
        sequence: Int,
        ttl: Int? = nil
    ) -> Lease {
        let ttl = ttl ?? self.ttl
        return Lease(
            holder: holder ?? self.holder,
            instance: instance,
            epoch: epoch ?? self.epoch,
            sequence: sequence,
            ttl: ttl,
            acquiredAt: acquiredAt,
            renewedAt: renewedAt,
            expiresAt: renewedAt + ttl,
            process: process,
            socket: socket,
            pluginSocket: pluginSocket,
            guardLock: guardLock,
            revision: revision,
            hash: hash,
            suspension: suspension
        )
    }
}

/// What a write must prove inside its own transaction.
public struct Fence: Hashable, Sendable {
    public let instance: String
    public let epoch: Int
    /// The replica's name, for the history.
    public let manager: Identifier

    public init(instance: String, epoch: Int, manager: Identifier) {
        self.instance = instance
        self.epoch = epoch
        self.manager = manager
    }
}

/// One term of leadership.
public struct Term: Hashable, Sendable {
    public let epoch: Int
    public let manager: Identifier
    /// Milliseconds since 1970.
    public let from: Int
    /// Nil while it lasts, as far as anybody knows.
    public let until: Int?
    /// Why it ended.
    public let reason: String?

    public init(epoch: Int, manager: Identifier, from: Int, until: Int?, reason: String?) {
        self.epoch = epoch
        self.manager = manager
        self.from = from
        self.until = until
        self.reason = reason
    }
}
