internal import GroupSPI
internal import Store

/// The life of one group's change, from its request to what its user is told: a value without clock, store or plugin. What
/// happened goes in, what is to be done next comes out.
///
/// ``Answer`` is all that a user can be told of it.
struct WriteLifecycle: Hashable, Sendable {
    enum Event: Hashable, Sendable {
        /// The store has it, as this revision.
        case stored(revision: Int)
        /// It is certain that nothing was stored.
        case notStored(GroupError)
        /// Nobody knows whether it was stored.
        case storingUncertain(GroupError)
        case agreed(GroupReply)
        /// The plugin's own no. It may have begun all the same.
        case refused(GroupError)
        case noAnswer(GroupError)
        /// What the plugin holds of the group.
        case holds(PluginHolding)
        /// The store has the outcome.
        case recorded
        /// The outcome is not known to be stored.
        case recordingFailed
        /// This replica does not lead any more.
        case termEnded
    }

    enum Directive: Hashable, Sendable {
        case store
        case tellPlugin
        case inspectPlugin
        /// The answer waits for it.
        case record(Status, words: String?)
        /// - Parameter recording: what to have stored behind the answer.
        case answer(Answer, recording: Noted? = nil)
    }

    /// An outcome that nobody waits for.
    struct Noted: Hashable, Sendable {
        let status: Status
        let words: String?
    }

    /// What a user is told. Each promises something of all that comes after it; see ``result(plugin:)``.
    enum Answer: Hashable, Sendable {
        /// It is in effect, and in the history for good; no leader ever calls it rejected.
        case applied(GroupReply)
        /// It is in the history as applied, and in effect, although the plugin has not brought all of it about.
        case kept(revision: Int, GroupError)
        /// It is in the history as rejected, and never takes effect.
        case refused(GroupError)
        /// It is not in the history.
        case nothingChanged(GroupError)
        /// It is in the history once, or not at all.
        case maybeStored(GroupError)
        /// It is in the history once; its outcome is open.
        case pending(revision: Int, PendingReason)
    }

    enum PendingReason: Hashable, Sendable {
        /// The plugin has not answered, or not been told.
        case noAnswer(GroupError)
        /// The plugin said no, and what it holds now is not known.
        case holdingUnknown(GroupError)
        /// The plugin said no, and that is not known to be stored.
        case refusalNotRecorded(GroupError)
        /// The plugin said no to what an earlier leader may have acknowledged, or to the undoing of what nobody has confirmed.
        case mayBeAcknowledged(GroupError)
        /// The plugin agreed, and that is not known to be stored.
        case agreementNotRecorded
    }

    private enum State: Hashable, Sendable {
        case new
        case storing
        case telling(Int)
        /// - Parameter refusal: nil when the plugin was not told, because its update was stopped.
        case inspecting(Int, refusal: GroupError?)
        case recording(Int, Answer)
        case ended
    }

    /// That it was applied is stored before anybody is told: what ends a group, and what is asked for through the database.
    let isOutcomeFirst: Bool
    /// The plugin's no settles it. Not so when an earlier leader may have told the user that the plugin had agreed, nor when it
    /// undoes what nobody has confirmed: there is nobody who would ask again.
    let isRefusable: Bool
    private var state: State

    /// A change that is to be stored.
    ///
    /// - Parameter isRefusable: see ``isRefusable``.
    init(isOutcomeFirst: Bool, isRefusable: Bool = true) {
        (self.isOutcomeFirst, self.isRefusable, state) = (isOutcomeFirst, isRefusable, .new)
    }

    /// A change that is stored and pending.
    init(pending revision: Int, isRefusable: Bool, isStopped: Bool) {
        (isOutcomeFirst, self.isRefusable) = (true, isRefusable)
        state = isStopped ? .inspecting(revision, refusal: nil) : .telling(revision)
    }

    /// What is to be done first.
    mutating func begin() -> Directive {
        switch state {
        case .telling: return .tellPlugin
        case .inspecting: return .inspectPlugin
        default:
            state = .storing
            return .store
        }
    }

    /// - Returns: what is to be done next; nil when the event has no meaning at this point of its life.
    mutating func handle(_ event: Event) -> Directive? {
        switch (state, event) {
        case (.storing, .stored(let revision)):
            state = .telling(revision)
            return .tellPlugin
        case (.storing, .notStored(let error)): return end(.nothingChanged(error))
        case (.storing, .storingUncertain(let error)): return end(.maybeStored(error))

        case (.telling(let revision), .agreed(let reply)):
            guard !isOutcomeFirst else { return record(revision, .applied(reply)) }
            return end(.applied(reply), Noted(status: .applied, words: nil))
        case (.telling(let revision), .refused(let error)):
            // What the plugin does not know, or cannot read, it has not begun.
            guard error.code == .rejected else { return refuse(revision, error) }
            state = .inspecting(revision, refusal: error)
            return .inspectPlugin
        case (.telling(let revision), .noAnswer(let error)): return pending(revision, .noAnswer(error), error.message)

        case (.inspecting(let revision, nil), .holds(let holding)):
            guard holding == .new else {
                state = .telling(revision)
                return .tellPlugin
            }
            return record(revision, .kept(revision: revision, Self.updateStopped))
        case (.inspecting(let revision, let refusal?), .holds(.new)):
            return record(revision, .kept(revision: revision, refusal))
        case (.inspecting(let revision, let refusal?), .holds(.before)),
            (.inspecting(let revision, let refusal?), .holds(.nothing)):
            return refuse(revision, refusal)
        case (.inspecting(let revision, let refusal?), .holds(.unknown)):
            return pending(revision, .holdingUnknown(refusal), refusal.message)

        case (.recording(_, let answer), .recorded): return end(answer)
        case (.recording(let revision, let answer), .recordingFailed):
            guard case .refused(let error) = answer else {
                return end(.pending(revision: revision, .agreementNotRecorded))
            }
            return end(.pending(revision: revision, .refusalNotRecorded(error)))

        case (.telling(let revision), .termEnded): return end(.pending(revision: revision, .noAnswer(Self.termEnded)))
        default: return nil
        }
    }

    private mutating func refuse(_ revision: Int, _ error: GroupError) -> Directive {
        guard isRefusable else { return end(.pending(revision: revision, .mayBeAcknowledged(error))) }
        return record(revision, .refused(error))
    }

    private mutating func record(_ revision: Int, _ answer: Answer) -> Directive {
        state = .recording(revision, answer)
        if case .refused(let error) = answer { return .record(.rejected, words: error.message) }
        return .record(.applied, words: nil)
    }

    /// With words, from which the next leader knows that its plugin may refuse it. So what must not be refused gets none, whoever
    /// has asked the plugin in vain meanwhile.
    private mutating func pending(_ revision: Int, _ reason: PendingReason, _ words: String) -> Directive {
        end(.pending(revision: revision, reason), isRefusable ? Noted(status: .pending, words: words) : nil)
    }

    private mutating func end(_ answer: Answer, _ noted: Noted? = nil) -> Directive {
        state = .ended
        return .answer(answer, recording: noted)
    }

    static let termEnded = GroupError(.unreachable, "leadership ended before the plugin was told")
    static let updateStopped = GroupError(.rejected, "its update was stopped")
}

// MARK: - What a user is told

extension WriteLifecycle.Answer {
    /// The words for each; docs/architecture.md has the same table.
    ///
    /// - Parameter plugin: its name.
    func result(plugin: Identifier) -> Result<GroupReply, GroupError> {
        switch self {
        case .applied(let reply): .success(reply)
        case .refused(let error), .nothingChanged(let error), .maybeStored(let error): .failure(error)
        case .kept(let revision, let error):
            .failure(
                GroupError(
                    .pending,
                    "\(error.message): recorded as revision \(revision) and applied nevertheless, because the group "
                        + "plugin '\(plugin)' keeps it"
                )
            )
        case .pending(let revision, let reason):
            .failure(GroupError(.pending, "recorded as revision \(revision), \(reason.text(plugin: plugin))"))
        }
    }
}

extension WriteLifecycle.PendingReason {
    /// The plugin's words, or why it has not said any.
    var words: String {
        switch self {
        case .noAnswer(let error), .holdingUnknown(let error), .refusalNotRecorded(let error),
            .mayBeAcknowledged(let error):
            error.message
        case .agreementNotRecorded: "the outcome is not stored"
        }
    }

    fileprivate func text(plugin: Identifier) -> String {
        switch self {
        case .noAnswer(let error):
            "but the group plugin '\(plugin)' has not confirmed it yet and will be asked again: \(error.message)"
        case .holdingUnknown(let error):
            "but the group plugin '\(plugin)' failed without saying what it did, and will be asked again: "
                + error.message
        case .refusalNotRecorded(let error):
            "and the group plugin '\(plugin)' refused it, but that is not stored: it may still be tried again: "
                + error.message
        case .mayBeAcknowledged(let error):
            "but the group plugin '\(plugin)' refuses it now and will be asked again: \(error.message)"
        case .agreementNotRecorded:
            "and the group plugin '\(plugin)' has agreed, but that is not known to be stored: it will be asked again"
        }
    }
}
