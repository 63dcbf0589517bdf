internal import GroupSPI
internal import Store

/// What a plugin holds of a group after it has said no to a change: an update that was stopped, or that failed on its way,
/// may have begun.
enum PluginHolding: Hashable, Sendable {
    /// What the change has set.
    case new
    /// What stood before the change.
    case before
    /// Not what stood before: it has forgotten that. The change is not in effect.
    case nothing
    /// It does not say, or what it says is neither the one nor the other.
    case unknown

    /// - Parameters:
    ///   - held: the specification as the plugin tells it, which may have been written anew from what it understands: without
    ///     fields that it does not know, with defaults; nil when it does not watch the group.
    ///   - action: what was refused.
    ///   - before: what stood before; nil for nothing.
    init(_ held: RawJSON?, after action: Change.Action, before: Change.Action?) {
        var earlier: RawJSON?
        if case .set(let properties, _) = before { earlier = properties }
        switch (action, held) {
        case (.set(let properties, _), let held?): self = Self.compare(held, new: properties, before: earlier)
        case (.set, nil): self = earlier == nil ? .before : .nothing
        case (.free, nil): self = earlier == nil ? .before : .new
        // It has let go before all instances were ended, or restarted: nobody knows whether any is left.
        case (.destroy, nil): self = earlier == nil ? .before : .unknown
        case (.free, _), (.destroy, _): self = .before
        }
    }

    private static func compare(_ held: RawJSON, new: RawJSON, before: RawJSON?) -> PluginHolding {
        if held == before { return .before }
        if held == new { return .new }
        let (held, new) = (Leaves(held), Leaves(new))
        guard let before = before.map({ Leaves($0) }) else {
            let common = new.values.keys.filter { held.values[$0] != nil }
            // Where nothing stood, what it holds otherwise is not what stood: it may be the change in its own words.
            return !common.isEmpty && common.allSatisfy { held.values[$0] == new.values[$0] } ? .new : .unknown
        }
        if held.values == before.values || new.values == before.values { return .before }
        if held.values == new.values { return .new }
        // Only the fields in which the two differ tell, and of those only the ones that the plugin knows.
        var (likeNew, likeBefore) = (0, 0)
        for (path, value) in held.values where new.values[path] != before.values[path] {
            if value == new.values[path] { likeNew += 1 }
            if value == before.values[path] { likeBefore += 1 }
        }
        if likeNew > 0, likeBefore == 0 { return .new }
        return likeBefore > 0 && likeNew == 0 ? .before : .unknown
    }
}

/// The values of a specification by their paths. Go reads names in any case, and writes what is not set as null, 0 or the like.
private struct Leaves {
    private(set) var values: [Identifier: [UInt8]] = [:]

    init(_ json: RawJSON) {
        // Not by recursion: how deep the value goes is up to whoever sent it.
        var open = [("", JSONView(json))]
        while let (path, view) = open.popLast() {
            switch view.kind {
            case .object:
                for member in view.members { open.append(("\(path)/\(member.name.text.lowercased())", member.value)) }
            case .array:
                for (index, element) in view.elements.enumerated() { open.append(("\(path)/\(index)", element)) }
            default:
                let bytes = view.string.map { Array("\"\($0)".utf8) } ?? Array(view.bytes)
                if !Self.empty.contains(bytes) { values[Identifier(path)] = bytes }
            }
        }
    }

    private static let empty = Set(["null", "0", "false", "\""].map { Array($0.utf8) })
}
