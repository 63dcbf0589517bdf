internal import GroupSPI
internal import Store
internal import Terminal

/// What changes would do: the difference, and what the plugin says that it would do.
struct ChangePreview {
    private struct Item {
        let change: Change
        /// The plugin's words; nil when there is nothing to ask it.
        let plan: Result<String, Failure>?
    }

    private let target: Int?
    private let items: [Item]
    private let diff: ConfigurationDiff

    /// - Parameters:
    ///   - standing: the groups that change, as they stand; others may be there.
    ///   - target: of a rollback, what it goes back to.
    ///   - asking: asks the leader, through the store, for the plugin's plan.
    init(_ changes: [Change], standing: [GroupState], target: Int?, asking: LeaderRequest) async throws {
        self.target = target
        let changed = Set(changes.map(\.group))
        diff = await ConfigurationDiff(
            before: standing.filter { changed.contains($0.group) },
            after: changes.map { GroupState(group: $0.group, change: $0, revision: 0) },
            labels: ("current", target.map { "revision \($0)" } ?? "proposed")
        )
        let specs = changes.compactMap { change -> GroupSpec? in
            guard case .set(let properties, _) = change.action else { return nil }
            return GroupSpec(id: change.group, properties: properties)
        }
        let plans = try await Self.plans(specs, asking)
        items = changes.map { change in
            Item(change: change, plan: change.action.isSet ? plans(change.group) : nil)
        }
    }

    /// One request, however many groups there are.
    private static func plans(
        _ specs: [GroupSpec],
        _ asking: LeaderRequest
    ) async throws -> (Identifier) -> Result<String, Failure> {
        guard !specs.isEmpty else { return { _ in .success("") } }
        do {
            let answer = try await asking.run(.preview(specs)).request.answer
            guard let reply = try answer?.get(), let plans = PlannedChanges(reply)?.plans else {
                return { _ in .failure(Failure("the plugin did not answer in time")) }
            }
            let words = Dictionary(plans.map { ($0.group, $0.words) }, uniquingKeysWith: { _, last in last })
            return { group in
                words[group]?.mapError { Failure($0) } ?? .failure(Failure("the plugin did not answer in time"))
            }
        } catch {
            let failure = Failure(error)
            if failure.isInterruption { throw failure }
            return { _ in .failure(failure) }
        }
    }

    func text(colored: Bool) -> TerminalText {
        guard !items.isEmpty else {
            return target.map { "nothing would change: already the same as in revision \($0)\n" }
                ?? "nothing would change: every group already has this specification\n"
        }
        return items.map { item -> TerminalText in
            var line: TerminalText = "would \(ChangeReport.words(item.change, target))\n"
            switch item.plan {
            case .success(let words) where !words.isEmpty: line += "  plugin: \(words)\n"
            case .failure(let failure): line += "  plugin's plan not available: \(failure.message)\n"
            case .success, nil: break
            }
            return line
        }.joined() + diff.text(colored: colored)
    }

    var json: JSON {
        [
            "target": .int(target), "changed": .bool(!items.isEmpty),
            "groups": .array(items.map { .string($0.change.group) }), "dryRun": true, "changes": diff.json,
            "plans": .object(items.map { .init($0.change.group, Self.json($0.plan)) }),
        ]
    }

    private static func json(_ plan: Result<String, Failure>?) -> JSON {
        switch plan {
        case .success(let words): ["plan": .string(words), "error": nil]
        case .failure(let failure): ["plan": nil, "error": .string(failure.message)]
        case nil: ["plan": nil, "error": nil]
        }
    }
}
