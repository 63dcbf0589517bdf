internal import GroupSPI

/// The sentences about tags, confirmations and acknowledgements.
extension StoreError {
    static func tagTaken(_ name: Identifier, by revision: Int) -> StoreError {
        StoreError(
            .conflict,
            "the tag '\(name)' already names revision \(revision); use --move to move it, or choose another name"
        )
    }

    static func noTag(_ name: Identifier, of names: [Identifier]) -> StoreError {
        StoreError(
            .notFound,
            "there is no tag '\(name)'; "
                + (names.isEmpty ? "there are no tags" : "there are: \(names.joined(separator: ", "))")
        )
    }

    static func needsNoConfirmation(_ revision: Int, waiting: [Int]) -> StoreError {
        StoreError(
            .notFound,
            "revision \(revision) needs no confirmation; "
                + (waiting.isEmpty ? "none does" : "these do: \(waiting.map(String.init).joined(separator: ", "))")
        )
    }

    static func confirmationEnded(_ confirmation: Confirmation) -> StoreError {
        let revision = confirmation.revision
        let reason =
            switch confirmation.state {
            case .waiting, .confirmed: "revision \(revision) is confirmed already"
            case .reverted: "revision \(revision) was reverted: nobody had confirmed it in time. Commit it again."
            case .overtaken:
                "later revisions have changed every group of revision \(revision): nothing is left to confirm"
            case .rejected: "the plugin refused revision \(revision): there is nothing to confirm"
            }
        return StoreError(.conflict, reason)
    }

    static func notRejected(_ revision: Int, _ status: Status) -> StoreError {
        StoreError(.conflict, "revision \(revision) is \(status.name), not rejected: there is nothing to acknowledge")
    }

    static func acknowledgedAlready(_ acknowledgement: Acknowledgement) -> StoreError {
        let author = acknowledgement.author
        return StoreError(
            .conflict,
            "revision \(acknowledgement.revision) is acknowledged already, by "
                + "\(author.account ?? "unknown")@\(author.host)"
        )
    }
}
