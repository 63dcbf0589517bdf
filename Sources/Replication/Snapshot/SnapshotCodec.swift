package import GroupSPI
package import Store

/// A snapshot as members of a JSON object, beside its `Groups`:
///
///     "Revision": 12, "Epoch": 3, "HistoryHash": hex, "Sequence": 40,
///     "Lease": {…}, "Terms": […], "Tags": […], "Acknowledged": […], "Settled": […], "SettledFrom": 2,
///     "Outcomes": {"From": 1, "Except": […]},
///     "Recent": [{"Revision": 11, …}, {"Revision": 12, …}],
///     "Before": {"Revision": 10, "HistoryHash": hex, "Groups": {group: {"Plugin", "Properties"} or null}}
///
/// `Before` names what stood before the first of `Recent`, of those groups that `Recent` changes. A specification of
/// `Recent` that is still the one in `Groups` is not written twice. `Sequence` counts the writes. `Outcomes`
/// tells how the changes from the revision `From` up to the one in `Before` came out: applied, but for those in `Except`.
package enum SnapshotCodec {
    package struct Unreadable: Error {
        package let reason: String
    }

    // MARK: - Writing

    package static func encode(_ snapshot: Snapshot) -> [JSON.Member] {
        var members: [JSON.Member] = [
            .init("Revision", .int(snapshot.newest)), .init("Epoch", .int(snapshot.lease.epoch)),
            .init("HistoryHash", .string(snapshot.hash.hexadecimal)),
        ]
        if snapshot.sequence > 0 { members.append(.init("Sequence", .int(snapshot.sequence))) }
        func add(_ name: Identifier, _ values: [JSON]) {
            if !values.isEmpty { members.append(.init(name, .array(values))) }
        }
        if !snapshot.lease.instance.isEmpty { members.append(.init("Lease", encode(snapshot.lease, snapshot.place))) }
        add("Terms", snapshot.terms.map(encode))
        add("Tags", snapshot.tags.map(encode))
        add("Acknowledged", snapshot.acknowledgements.map(encode))
        add("Settled", snapshot.settled.map(encode))
        if snapshot.settledFrom > 0 { members.append(.init("SettledFrom", .int(snapshot.settledFrom))) }
        if snapshot.outcomes.from <= snapshot.base.revision {
            members.append(.init("Outcomes", encode(snapshot.outcomes)))
        }
        guard !snapshot.records.isEmpty else { return members }
        let groups = snapshot.groups
        add("Recent", snapshot.records.map { encode($0, groups) })
        let before = snapshot.changedGroups.sorted().map { group in
            JSON.Member(group, snapshot.base.groups[group].map { encode($0.plugin, $0.spec.properties) } ?? .null)
        }
        members.append(
            .init(
                "Before",
                [
                    "Revision": .int(snapshot.base.revision), "HistoryHash": .string(snapshot.base.hash.hexadecimal),
                    "Groups": .object(before),
                ]
            )
        )
        return members
    }

    private static func encode(_ plugin: Identifier, _ properties: RawJSON) -> JSON {
        ["Plugin": .string(plugin), "Properties": .raw(properties)]
    }

    private static func encode(_ author: Author) -> JSON {
        ["User": .string(author.account), "UID": .int(author.uid), "Host": .string(author.host)]
    }

    private static func encode(_ lease: Lease, _ place: String) -> JSON {
        [
            "Node": .string(place), "Manager": .string(lease.holder), "Instance": .string(lease.instance),
            "TTL": .int(lease.ttl),
            "AcquiredAt": .int(lease.acquiredAt), "Host": .string(lease.process.host),
            "BootID": .string(lease.process.bootID), "PIDNamespace": .string(lease.process.pidNamespace),
            "PID": .int(lease.process.pid), "StartTime": .int(lease.process.startTime),
            "Socket": .string(lease.socket), "PluginSocket": .string(lease.pluginSocket),
            "GuardLock": .string(lease.guardLock),
        ]
    }

    private static func encode(_ term: Term) -> JSON {
        [
            "Epoch": .int(term.epoch), "Manager": .string(term.manager), "From": .int(term.from),
            "Until": .int(term.until), "Reason": .string(term.reason),
        ]
    }

    private static func encode(_ tag: Tag) -> JSON {
        [
            "Name": .string(tag.name), "Revision": .int(tag.revision), "Author": encode(tag.author),
            "Time": .int(tag.time),
        ]
    }

    private static func encode(_ acknowledgement: Acknowledgement) -> JSON {
        [
            "Revision": .int(acknowledgement.revision), "Author": encode(acknowledgement.author),
            "Time": .int(acknowledgement.time), "Message": .string(acknowledgement.message),
        ]
    }

    private static func encode(_ settled: Snapshot.Settled) -> JSON {
        [
            "ID": .string(settled.id), "State": .int(settled.state.rawValue), "Revision": .int(settled.revision),
            "Error": .string(settled.error), "Answer": settled.answer.map { .raw(RequestBody.encode($0)) } ?? .null,
            "Until": .int(settled.until),
        ]
    }

    private static func encode(_ outcomes: PastOutcomes) -> JSON {
        [
            "From": .int(outcomes.from),
            "Except": .array(
                outcomes.exceptions.map { outcome in
                    [
                        "Revision": .int(outcome.revision), "Group": .string(outcome.group.text),
                        "Status": .string(outcome.status.name), "Error": .string(outcome.error),
                    ]
                }
            ),
        ]
    }

    private static func encode(_ record: Snapshot.Record, _ groups: [Identifier: GlobalConfig.Entry]) -> JSON {
        let revision = record.revision
        return [
            "Revision": .int(revision.number), "Token": .string(record.token.hexadecimal),
            "Time": .int(revision.time), "Epoch": .int(revision.epoch), "Manager": .string(revision.manager),
            "Author": encode(revision.author), "Operation": .string(revision.operation.name),
            "Target": .int(revision.target), "Message": .string(revision.message),
            "Changes": .array(revision.changes.map { encode($0, groups[$0.group]) }),
            "HistoryHash": .string(revision.hash.hexadecimal),
            "Confirm": revision.confirmation.map { confirmation in
                [
                    "Allowed": .int(confirmation.allowed), "Deadline": .int(confirmation.deadline),
                    "State": .int(confirmation.state.rawValue),
                ]
            } ?? .null,
        ]
    }

    private static func encode(_ change: Change, _ standing: GlobalConfig.Entry?) -> JSON {
        var members: [JSON.Member] = [.init("Group", .string(change.group))]
        switch change.action {
        case .set(let properties, let plugin):
            members.append(.init("Action", "set"))
            if standing?.spec.properties != properties || standing?.plugin != plugin {
                members += [.init("Plugin", .string(plugin)), .init("Properties", .raw(properties))]
            }
        case .free: members.append(.init("Action", "free"))
        case .destroy: members.append(.init("Action", "destroy"))
        }
        members.append(.init("Status", .string(change.status.name)))
        if let error = change.error { members.append(.init("Error", .string(error))) }
        return .object(members)
    }

    // MARK: - Reading

    /// - Returns: nil when there is no revision: another kind of manager wrote it.
    package static func decode(_ view: JSONView, _ groups: [GlobalConfig.Entry]) throws -> Snapshot? {
        let fields = Fields(view, "it")
        let epoch = try fields.optional("Epoch")?.number() ?? 0
        let hash = try fields.optional("HistoryHash")?.hex() ?? HashChain.origin
        guard let revision = try fields.optional("Revision")?.number() else { return nil }
        let standing = Dictionary(groups.map { ($0.spec.id, $0) }, uniquingKeysWith: { first, _ in first })
        var snapshot = Snapshot(base: Snapshot.Base(revision: revision, hash: hash, groups: standing))
        snapshot.lease = try fields.optional("Lease").map { try lease($0, epoch) } ?? .nobody(since: epoch)
        snapshot.place = try fields.optional("Lease").map { try $0["Node"].text() } ?? ""
        snapshot.terms = try fields.list("Terms").map(term)
        snapshot.tags = try fields.list("Tags").map(tag)
        snapshot.acknowledgements = try fields.list("Acknowledged").map(acknowledgement)
        snapshot.settled = try fields.list("Settled").map(settled)
        snapshot.settledFrom = try fields.optional("SettledFrom")?.number() ?? 0
        snapshot.sequence = try fields.optional("Sequence")?.number() ?? 0
        if let before = fields.optional("Before") {
            snapshot.base.revision = try before["Revision"].number()
            snapshot.base.hash = try before["HistoryHash"].hex()
            for (group, value) in try before["Groups"].members() {
                snapshot.base.groups[group] = value.view.isNull ? nil : try entry(group, value)
            }
            snapshot.records = try fields.list("Recent").map { try record($0, standing) }
        } else if fields.optional("Recent") != nil {
            throw Unreadable(reason: "it has Recent without Before")
        }
        snapshot.outcomes = try outcomes(fields.optional("Outcomes"), through: snapshot.base.revision)
        guard snapshot.isSound, snapshot.newest == revision, snapshot.hash == hash else {
            throw Unreadable(reason: "its history does not match its hashes")
        }
        guard snapshot.groups == standing else {
            throw Unreadable(reason: "its Groups do not match its history")
        }
        return snapshot
    }

    private static func entry(_ group: Identifier, _ fields: Fields) throws -> GlobalConfig.Entry {
        GlobalConfig.Entry(
            spec: GroupSpec(id: group, properties: try fields["Properties"].view.raw),
            plugin: try fields["Plugin"].identifier()
        )
    }

    private static func author(_ fields: Fields) throws -> Author {
        Author(
            account: try fields.optional("User")?.identifier(),
            uid: try fields.optional("UID")?.integer(),
            host: try fields["Host"].identifier()
        )
    }

    private static func lease(_ fields: Fields, _ epoch: Int) throws -> Lease {
        let acquiredAt = try fields["AcquiredAt"].integer()
        return Lease(
            holder: try fields["Manager"].identifier(),
            instance: try fields["Instance"].text(),
            epoch: epoch,
            sequence: 0,
            ttl: try fields["TTL"].number(),
            acquiredAt: acquiredAt,
            renewedAt: acquiredAt,
            expiresAt: acquiredAt + (try fields["TTL"].number()),
            process: ProcessIdentity(
                host: try fields["Host"].identifier(),
                bootID: try fields["BootID"].text(),
                pidNamespace: try fields["PIDNamespace"].text(),
                pid: try fields["PID"].integer(),
                startTime: try fields["StartTime"].integer()
            ),
            socket: try fields["Socket"].text(),
            pluginSocket: try fields["PluginSocket"].text(),
            guardLock: try fields["GuardLock"].text()
        )
    }

    private static func term(_ fields: Fields) throws -> Term {
        Term(
            epoch: try fields["Epoch"].number(),
            manager: try fields["Manager"].identifier(),
            from: try fields["From"].integer(),
            until: try fields.optional("Until")?.integer(),
            reason: try fields.optional("Reason")?.text()
        )
    }

    private static func tag(_ fields: Fields) throws -> Tag {
        Tag(
            name: try fields["Name"].identifier(),
            revision: try fields["Revision"].number(),
            author: try author(fields["Author"]),
            time: try fields["Time"].integer()
        )
    }

    private static func acknowledgement(_ fields: Fields) throws -> Acknowledgement {
        Acknowledgement(
            revision: try fields["Revision"].number(),
            author: try author(fields["Author"]),
            time: try fields["Time"].integer(),
            message: try fields["Message"].text()
        )
    }

    private static func settled(_ fields: Fields) throws -> Snapshot.Settled {
        Snapshot.Settled(
            id: try fields["ID"].text(),
            state: try fields["State"].code(),
            revision: try fields.optional("Revision")?.number(),
            error: try fields.optional("Error")?.text(),
            answer: try fields.optional("Answer").map { try RequestBody.decodeAnswer(Array($0.view.bytes)) },
            until: try fields["Until"].integer()
        )
    }

    private static func outcomes(_ fields: Fields?, through last: Int) throws -> PastOutcomes {
        guard let fields else { return PastOutcomes(from: last + 1) }
        let from = min(try fields["From"].number(), last + 1)
        let exceptions = try fields.list("Except").map { outcome in
            Outcome(
                revision: try outcome["Revision"].number(),
                group: Identifier(try outcome["Group"].text()),
                status: try outcome["Status"].word(),
                error: try outcome.optional("Error")?.text()
            )
        }
        guard exceptions.allSatisfy({ ($0.revision >= from && $0.revision <= last) && $0.status != .pending }) else {
            throw Unreadable(reason: "its Outcomes name revisions that it does not contain")
        }
        return PastOutcomes(from: from, exceptions: exceptions)
    }

    private static func record(
        _ fields: Fields,
        _ standing: [Identifier: GlobalConfig.Entry]
    ) throws -> Snapshot.Record {
        let number = try fields["Revision"].number()
        let revision = Revision(
            number: number,
            time: try fields["Time"].integer(),
            epoch: try fields["Epoch"].number(),
            manager: try fields["Manager"].identifier(),
            author: try author(fields["Author"]),
            operation: try fields["Operation"].word(),
            target: try fields.optional("Target")?.number(),
            message: try fields["Message"].text(),
            changes: try fields.list("Changes").map { try change($0, standing) },
            hash: try fields["HistoryHash"].hex(),
            tags: [],
            confirmation: try fields.optional("Confirm").map { confirm in
                Confirmation(
                    revision: number,
                    allowed: try confirm["Allowed"].integer(),
                    deadline: try confirm["Deadline"].integer(),
                    state: try confirm["State"].code()
                )
            }
        )
        return Snapshot.Record(revision, token: try fields["Token"].hex())
    }

    private static func change(_ fields: Fields, _ standing: [Identifier: GlobalConfig.Entry]) throws -> Change {
        let group = try fields["Group"].identifier()
        let action: Change.Action
        switch try fields["Action"].text() {
        case "free": action = .free
        case "destroy": action = .destroy
        case "set":
            let entry = try fields.optional("Plugin") == nil ? standing[group] : entry(group, fields)
            guard let entry else { throw Unreadable(reason: "a change of the group '\(group)' has no Properties") }
            action = .set(entry.spec.properties, plugin: entry.plugin)
        case let word: throw Unreadable(reason: "a change of the group '\(group)' is '\(word)'")
        }
        return Change(
            group: group,
            action: action,
            status: try fields["Status"].word(),
            error: try fields.optional("Error")?.text()
        )
    }
}
