import GroupSPI
import Synchronization

/// What the fake plugins of a test were asked, all in one order.
final class Journal: Sendable {
    struct Entry: Sendable {
        let number: Int
        /// The host of the plugin.
        let host: String
        let request: GroupRequest
        let at: ContinuousClock.Instant
        /// What the plugin said; nil while it has not answered.
        var answer: Result<GroupReply, GroupError>?
    }

    /// Which hosts' plugins hold a group at this moment, and when two did.
    private struct Custody {
        var holders: [Identifier: Set<String>] = [:]
        var overlaps: [String] = []
    }

    private let entries = Mutex<[Entry]>([])
    private let custody = Mutex(Custody())

    func begin(_ host: String, _ request: GroupRequest) -> Int {
        entries.withLock { entries in
            entries.append(Entry(number: entries.count, host: host, request: request, at: .now))
            return entries.count - 1
        }
    }

    func end(_ number: Int, _ answer: Result<GroupReply, GroupError>) {
        entries.withLock { $0[number].answer = answer }
    }

    func hold(_ group: Identifier, by host: String) {
        custody.withLock { custody in
            let others = custody.holders[group, default: []].subtracting([host])
            custody.holders[group, default: []].insert(host)
            guard !others.isEmpty else { return }
            custody.overlaps.append("\(host) watches \(group) while \(others.sorted()) did, at entry \(mark)")
        }
    }

    func letGo(_ groups: some Sequence<Identifier>, by host: String) {
        custody.withLock { custody in
            for group in groups { custody.holders[group]?.remove(host) }
        }
    }

    /// What must never happen: two hosts' plugins with the same group at once.
    var overlaps: [String] { custody.withLock(\.overlaps) }

    var all: [Entry] { entries.withLock { $0 } }

    func of(_ host: String) -> [Entry] { all.filter { $0.host == host } }

    /// The number of the next entry.
    var mark: Int { entries.withLock { $0.count } }
}

extension GroupRequest {
    /// Makes the plugin act for a group.
    var isAct: Bool {
        switch self {
        case .commit(_, pretend: false), .watch, .update, .destroy, .setSize, .destroyInstances: true
        default: false
        }
    }

    /// Makes the plugin watch a group.
    var isWatch: Bool {
        switch self {
        case .commit(_, pretend: false), .watch: true
        default: false
        }
    }

    /// Lets a group go.
    var isFree: Bool {
        switch self {
        case .free, .unwatch: true
        default: false
        }
    }
}

extension [Journal.Entry] {
    /// The number of the last call that let a group go.
    func lastFree(on host: String) -> Int? { last { $0.host == host && $0.request.isFree }?.number }

    /// The number of the first call that made the plugin watch a group.
    func firstWatch(on host: String) -> Int? { first { $0.host == host && $0.request.isWatch }?.number }

    func lastWatch(of group: Identifier) -> Int? { last { $0.request.isWatch && $0.request.groupID == group }?.number }
}
