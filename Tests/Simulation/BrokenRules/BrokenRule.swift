internal import GroupSPI
internal import Manager

/// One rule of the lease, or of a write, that is not kept.
public enum BrokenRule: String, CaseIterable, Sendable {
    /// A follower takes the lease over when its own wall clock has passed what the holder's clock wrote.
    case wallClocksCompared = "wall-clocks-compared"
    /// Time in which a follower did not look at the row counts as waiting.
    case unwatchedTimeCounts = "unwatched-time-counts"
    /// The row is given to whoever asks, also when it has changed since it was watched.
    case acquireWithoutComparing = "acquire-without-comparing"
    /// The deadline counts from the answer of a renewal, not from before the question.
    case deadlineFromTheAnswer = "deadline-from-the-answer"
    /// The deadline is looked at only when the store has answered.
    case deadlineAtTheAnswer = "deadline-at-the-answer"
    /// Writes do not check the lease.
    case unfencedWrite = "unfenced-write"
    /// A commit of which nobody knows whether it took place counts as one that did not.
    case ambiguousCommitIsFailure = "ambiguous-commit-is-failure"
    /// The same as one that did.
    case ambiguousCommitIsSuccess = "ambiguous-commit-is-success"
    /// A release starts the epochs anew.
    case releaseResetsEpoch = "release-resets-epoch"
    /// The lease is released before the groups were let go.
    case releaseBeforeFree = "release-before-free"
    /// A holder counts as dead when no process here has its number, also when it runs on another host.
    case deadHolderAcrossHosts = "dead-holder-across-hosts"
    /// The row promises a ttl that is shorter than the holder's deadline.
    case ttlBelowDeadline = "ttl-below-deadline"
    /// Whether a call to the plugin may start is asked when it is queued.
    case checkedAtEnqueue = "checked-at-enqueue"
    /// Whether this replica may act is a flag, and not asked of the clock.
    case gateIsAFlag = "gate-is-a-flag"
    /// The plugin is told before the store has the revision.
    case pluginBeforeStore = "plugin-before-store"
    /// A plugin's no settles a pending change whose user may have been told that it had agreed.
    case acknowledgedRefused = "acknowledged-refused"
    /// A request is settled in a transaction of its own, after that of its revision.
    case causeSettledApart = "cause-settled-apart"
    /// What nobody has confirmed is undone when the leader's wall clock has passed the deadline that another's has set.
    case confirmedByWallClock = "confirmed-by-wall-clock"
    /// A renewal does not tell how much time has passed.
    case nothingCountedByRenewals = "nothing-counted-by-renewals"
    /// Ages are counted by the leader's wall clock.
    case agedByWallClock = "aged-by-wall-clock"
    /// What was asked in an earlier epoch is carried out, also when whoever asked has ended long ago.
    case requestOfAnyEpoch = "request-of-any-epoch"
    /// Whether whoever asked still waits is concluded from the time that their host wrote.
    case requestAgedByWallClock = "request-aged-by-wall-clock"
    /// Trouble at the store while a command waits is taken for one of its submission.
    case troubleIsRefusal = "trouble-is-refusal"
    /// A revision takes the place of the one before.
    case revisionRewritten = "revision-rewritten"
    /// A refusal that could not be stored counts as stored: its user is told, and the next leader carries the change out.
    case refusalNotStored = "refusal-not-stored"
    /// That the plugin has agreed, and could not be stored, counts as stored.
    case agreementNotStored = "agreement-not-stored"
    /// That a change is in effect, although the plugin has failed, is told and not stored; nor is that any other was applied.
    case keptNotStored = "kept-not-stored"
    /// A write of which nobody knows whether it took place is made again.
    case uncertainWriteRepeated = "uncertain-write-repeated"
    /// A revision is told by the number that was the next one when it was asked for.
    case numberedBeforeStored = "numbered-before-stored"
    /// A change that was overtaken before its outcome was known is called rejected.
    case supersededRejected = "superseded-rejected"
    /// A change that was overtaken stays pending.
    case overtakenLeftPending = "overtaken-left-pending"
    /// Whoever reads the history does not have stored first what users were told already.
    case historyReadWithoutAsking = "history-read-without-asking"
    /// What is pending when a term begins is taken for what stands.
    case pendingStands = "pending-stands"
    /// What waits to be confirmed is taken for what stands for good.
    case unconfirmedStands = "unconfirmed-stands"
    /// What is undone goes back to what stood before, also when nobody has confirmed that either.
    case undoneToUnconfirmed = "undone-to-unconfirmed"
    /// A request to note something of a revision is settled, and nothing is noted.
    case markNotStored = "mark-not-stored"
    /// States that cannot be read count as none.
    case unreadIsEmpty = "unread-is-empty"
    /// A plugin that has begun a change, and then failed, is taken to hold what it held before.
    case begunCountsAsRefused = "begun-counts-as-refused"
    /// A file that is older than what was seen of it is taken for what is stored.
    case olderStateUnnoticed = "older-state-unnoticed"
    /// Of an older state that was accepted, numbers and epochs go on after the last that somebody happens to have seen.
    case acceptLeavesNoRoom = "accept-leaves-no-room"
    /// Whoever accepts an older state declares the lease to be free.
    case acceptWaitsForNobody = "accept-waits-for-nobody"

    /// A file that is gone is taken for one that never was.
    case lostIsNew = "lost-is-new"
    /// All groups have one share of the calls that the plugin takes.
    case oneShareForAll = "one-share-for-all"

    /// A guard acts on the deadline that it has read, while newer ones wait to be read.
    case guardActsOnWhatItHasRead = "guard-acts-on-what-it-has-read"
    /// A guard lets go what the plugin names, and knows no group by itself.
    case guardKnowsNoGroups = "guard-knows-no-groups"
    /// Something goes on in a guard when all of it is to end.
    case guardNeverEnds = "guard-never-ends"

    /// A follower does not look at its own plugin.
    case followerLooksAway = "follower-looks-away"

    /// A label that holds less than was known of it, or nothing, is taken for what there is.
    case strangeLabelEmptied = "foreign-label-emptied"
    /// An older state that somebody has put back into the label is led with.
    case olderLabelLed = "older-label-led"
    /// A write of the label of which nobody knows whether it took place counts as one that did not.
    case unknownToldAsRefused = "unknown-told-as-refused"

    /// Broken in swarm mode.
    var isOfSwarm: Bool {
        [.strangeLabelEmptied, .olderLabelLed, .unknownToldAsRefused].contains(self)
    }

    /// The answer that it makes untrue. Only what that answer promises is looked at then: the promise alone has to find it.
    public var untrueAnswer: AnswerPromise? {
        switch self {
        case .acknowledgedRefused, .agreementNotStored: .applied
        case .keptNotStored: .kept
        case .refusalNotStored: .refused
        case .numberedBeforeStored: .pending
        case .ambiguousCommitIsFailure: .nothing
        case .uncertainWriteRepeated: .unknown
        case .pendingStands, .unconfirmedStands: .stands
        case .markNotStored: .noted
        default: nil
        }
    }

    var hasNoDeadline: Bool { self == .deadlineAtTheAnswer }

    /// The parts of a manager that is broken in this way.
    func managerDependencies(_ clock: SimulatedClock) -> ManagerDependencies {
        var managerDependencies = ManagerDependencies()
        switch self {
        case .unwatchedTimeCounts:
            let memory = ElectionMemory()
            managerDependencies.decide = { memory.decideAsIfAlwaysLooking(&$0, $1, $2) }
        case .deadlineFromTheAnswer:
            let memory = ElectionMemory()
            managerDependencies.decide = { memory.decideAsIfAskedNow(&$0, $1, $2) }
        case .deadlineAtTheAnswer:
            let memory = ElectionMemory()
            managerDependencies.decide = { memory.decideWhenAnswered(&$0, $1, $2) }
            managerDependencies.makeDeadline = { _ in NoDeadline() }
            managerDependencies.makeLeaseClock = { _ in StoppedClock(clock: clock) }
        case .gateIsAFlag:
            managerDependencies.makeLeaseClock = { _ in StoppedClock(clock: clock) }
        case .oneShareForAll: managerDependencies.share = { _ in "" }
        case .followerLooksAway: managerDependencies.followersLook = false
        case .releaseBeforeFree:
            managerDependencies.decide = { election, event, now in
                election.handle(event, now: now).flatMap { directive -> [ElectionDirective] in
                    guard case .resign(let epoch, let reason, _) = directive else { return [directive] }
                    return [directive, .release(epoch: epoch, reason: reason)]
                }
            }
        default: break
        }
        return managerDependencies
    }
}

/// No deadline ever passes by it.
struct StoppedClock: ManagerClock {
    let clock: SimulatedClock

    func now() -> BootInstant { BootInstant(nanoseconds: 0) }
    func sleep(until instant: BootInstant) async throws { try await clock.sleep(until: instant) }
}
