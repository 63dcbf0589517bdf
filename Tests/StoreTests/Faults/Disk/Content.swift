import GroupSPI

@testable import Store

/// All that a store holds, as a ``Ledger`` speaks of it.
enum Content {
    static func read(_ store: Store, within timeout: Duration) async throws -> [String: String] {
        var content: [String: String] = [:]
        func add(_ key: String, _ value: String) { content[key] = content[key].map { "\($0), and \(value)" } ?? value }
        let revisions = try await store.history(HistoryQuery(), within: timeout).revisions
        let messages = Dictionary(revisions.map { ($0.number, $0.message) }, uniquingKeysWith: { first, _ in first })
        for revision in revisions {
            add(key(revision.message), text(revision.operation, revision.changes))
            for change in revision.changes {
                add(key(revision.message, outcomeOf: change.group), text(change.status, change.error))
            }
            if let confirmation = revision.confirmation {
                add(key(confirmationOf: revision.message), "\(confirmation.state)")
            }
        }
        for tag in try await store.tags(within: timeout) {
            add(key(tag: tag.name), messages[tag.revision] ?? "revision \(tag.revision), which is not there")
        }
        add(lease, text(try await store.lease(within: timeout)))
        for term in try await store.terms(within: timeout) {
            add(key(term: term.epoch), "\(term.manager): \(term.reason ?? "lasts")")
        }
        for id in requests {
            if let request = try await store.request(id, within: timeout) {
                add(key(request: id), "\(request.state)")
            }
        }
        return content
    }

    /// The requests that a ``ScriptedRun`` makes.
    static let requests = ["r1", "r2", "r3"]
    static let lease = "the lease"

    static func key(_ message: String) -> String { "revision \(message)" }
    static func key(_ message: String, outcomeOf group: Identifier) -> String { "outcome of \(group) in \(message)" }
    static func key(confirmationOf message: String) -> String { "confirmation of \(message)" }
    static func key(tag: Identifier) -> String { "tag \(tag)" }
    static func key(term: Int) -> String { "term \(term)" }
    static func key(request: String) -> String { "request \(request)" }

    static func text(_ status: Status, _ error: String?) -> String { "\(status) \(error ?? "")" }
    static func text(_ lease: Lease) -> String { "\(lease.holder), epoch \(lease.epoch), sequence \(lease.sequence)" }

    static func text(_ operation: Operation, _ changes: [Change]) -> String {
        let parts = changes.map { change in
            switch change.action {
            case .set(let properties, let plugin):
                "\(change.group) = \(plugin) \(HashChain.digest(properties.bytes).hexadecimal.prefix(16))"
            case .free, .destroy: "\(change.action) \(change.group)"
            }
        }
        return "\(operation): \(parts.joined(separator: ", "))"
    }
}
