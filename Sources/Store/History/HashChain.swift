internal import CSHA256
internal import GroupSPI

/// The chain that runs over the history: every revision's hash covers its content and the hash before it, so nobody can
/// change, drop or insert one without changing all that follow.
///
/// Outcomes are not covered: they come later than the revision.
public enum HashChain {
    /// What the first revision follows.
    public static let origin = [UInt8](repeating: 0, count: 32)

    static func digest(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            csha256(bytes, bytes.count, digest.baseAddress)
            count = 32
        }
    }

    /// What a revision's hash covers, as the rows have it.
    struct Entry {
        var number: Int
        var token: [UInt8]
        var time: Int
        var epoch: Int
        var manager: Identifier
        var user: Identifier
        var uid: Int
        var host: Identifier
        var operation: Int
        var target: Int
        var message: String
        /// In the order of the groups' names, compared byte by byte.
        var changes: [Effect]
    }

    /// What a revision did to one group.
    struct Effect {
        var group: Identifier
        var action: Int
        /// Of a set: the plugin and the SHA-256 of the specification.
        var content: (plugin: Identifier, hash: [UInt8])?
    }

    /// SHA-256 over the previous hash and the fields in their order, each text and blob after its length, numbers as
    /// eight bytes, big endian.
    static func hash(previous: [UInt8], _ entry: Entry) -> [UInt8] {
        var encoder = Encoder()
        encoder.append(previous)
        encoder.append(entry.number)
        encoder.append(entry.token)
        encoder.append(entry.time)
        encoder.append(entry.epoch)
        encoder.append(entry.manager)
        encoder.append(entry.user)
        encoder.append(entry.uid)
        encoder.append(entry.host)
        encoder.append(entry.operation)
        encoder.append(entry.target)
        encoder.append(entry.message)
        encoder.append(entry.changes.count)
        for change in entry.changes {
            encoder.append(change.group)
            encoder.append(change.action)
            if let content = change.content {
                encoder.append(content.plugin)
                encoder.append(content.hash)
            }
        }
        return digest(encoder.bytes)
    }

    private struct Encoder {
        var bytes: [UInt8] = []

        mutating func append(_ value: Int) {
            withUnsafeBytes(of: Int64(value).bigEndian) { bytes.append(contentsOf: $0) }
        }

        mutating func append(_ value: [UInt8]) {
            append(value.count)
            bytes.append(contentsOf: value)
        }

        mutating func append(_ value: String) { append(Array(value.utf8)) }
        mutating func append(_ value: Identifier) { append(value.text) }
    }
}

extension HashChain.Entry {
    init(_ draft: RevisionDraft, number: Int, time: Int, fence: Fence) {
        self.init(
            number: number,
            token: draft.token,
            time: time,
            epoch: fence.epoch,
            manager: fence.manager,
            user: draft.author.account ?? "",
            uid: draft.author.uid ?? -1,
            host: draft.author.host,
            operation: draft.operation.rawValue,
            target: draft.target ?? 0,
            message: draft.message,
            changes: draft.changes.map(HashChain.Effect.init)
        )
    }
}

extension HashChain.Effect {
    init(_ change: Change) {
        switch change.action {
        case .set(let properties, let plugin):
            let content = (plugin: plugin, hash: HashChain.digest(properties.bytes))
            self.init(group: change.group, action: ActionCode.set, content: content)
        case .free: self.init(group: change.group, action: ActionCode.free, content: nil)
        case .destroy: self.init(group: change.group, action: ActionCode.destroy, content: nil)
        }
    }
}

/// How an action is stored. Append only.
enum ActionCode {
    static let set = 1
    static let free = 2
    static let destroy = 3
}
