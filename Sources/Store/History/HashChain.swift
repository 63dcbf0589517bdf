internal import Crypto
internal import GroupSPI

/// The chain that runs over the history: every revision's hash covers its content and the hash before it, so nobody can
/// change, drop or insert one without changing all that follow.
///
/// Outcomes are not covered: they come later than the revision.
enum HashChain {
    /// What the first revision follows.
    static let origin = [UInt8](repeating: 0, count: 32)

    static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// SHA-256 over the fields in this order, each text and blob after its length, numbers as eight bytes, big endian.
    static func hash(
        previous: [UInt8],
        number: Int,
        time: Int,
        epoch: Int,
        manager: String,
        draft: RevisionDraft
    ) -> [UInt8] {
        var encoder = Encoder()
        encoder.append(previous)
        encoder.append(number)
        encoder.append(draft.token)
        encoder.append(time)
        encoder.append(epoch)
        encoder.append(manager)
        encoder.append(draft.author.user ?? "")
        encoder.append(draft.author.uid ?? -1)
        encoder.append(draft.author.host)
        encoder.append(draft.operation.rawValue)
        encoder.append(draft.target ?? 0)
        encoder.append(draft.message)
        encoder.append(draft.changes.count)
        for change in draft.changes {
            encoder.append(change.group)
            switch change.action {
            case .set(let properties, let plugin):
                encoder.append(ActionCode.set)
                encoder.append(plugin)
                encoder.append(digest(properties.bytes))
            case .free: encoder.append(ActionCode.free)
            case .destroy: encoder.append(ActionCode.destroy)
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
    }
}

/// How an action is stored. Append only.
enum ActionCode {
    static let set = 1
    static let free = 2
    static let destroy = 3
}
