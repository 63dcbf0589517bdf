internal import GroupSPI
internal import Logging

/// Lets groups of a plugin go: a plugin that still watches while another replica leads would act against it.
///
/// First those that are known, by their names, whatever the plugin says of itself; then those that it names. So nothing has to be
/// read before something can be let go. Only groups that are this manager's are let go: those that its store names, or that it
/// has told the plugin. Others are somebody else's.
///
/// It tries again and again, with growing pauses, for as long as it gets on and for a while longer. What it could not do it says.
struct GroupRelease: Sendable {
    enum Outcome: Hashable, Sendable {
        /// The plugin has let them go, and names none of them.
        case free
        /// The plugin answers, and keeps these.
        case held(Set<Identifier>)
        /// The plugin stands still, or was not there all the time: it is not known what it holds. A socket that is not there is no
        /// proof that nothing is held.
        case unknown
        /// The task was cancelled, or it is not wanted any more.
        case interrupted
    }

    let plugin: any GroupPlugin
    let clock: any ManagerClock
    let timeout: Duration
    /// For so long it goes on without having let a group go.
    let patience: Duration
    let logger: Logger
    /// Told that the plugin is away.
    var isAway: @Sendable () -> Void = {}
    /// Told when a group was let go.
    var gotOn: @Sendable () -> Void = {}
    /// Told how quick the plugin is at it.
    var pace: ReleasePace?
    /// Somebody waits for this to end. It is asked when each group was tried.
    var isAwaited: @Sendable () -> Bool = { false }

    /// Calls under way at once: those behind them must not run out of time before they are sent.
    private static let concurrency = 64
    /// Between two rounds, doubled each time.
    private static let firstPause = Duration.milliseconds(200)
    private static let longestPause = Duration.seconds(3)

    /// Not on the caller's actor, for the same reason as ``PluginCalls/run(outliving:_:)``.
    ///
    /// - Parameters:
    ///   - known: groups to let go also when the plugin does not name them.
    ///   - own: groups that may be let go when the plugin names them, beside those.
    ///   - looksFirst: whether to ask what the plugin watches before anything is let go: mostly that is nothing.
    ///   - isWanted: asked before each call; from its first no on nothing is let go.
    @concurrent func run(
        _ known: Set<Identifier>,
        own: Set<Identifier> = [],
        looksFirst: Bool = false,
        while isWanted: @escaping @Sendable () -> Bool = { true }
    ) async -> Outcome {
        var round = Round(open: known, own: own.union(known), isLookAlone: looksFirst)
        var limit = clock.now() + patience
        var pause = min(Self.firstPause, patience)
        while isWanted(), !Task.isCancelled {
            let before = round.open
            let isLookAlone = round.isLookAlone
            if !round.isLookAlone { await freeAll(&round, isWanted) }
            round.isLookAlone = false
            guard isWanted(), !Task.isCancelled else { break }
            if round.isRunning { await look(&round) }
            if Task.isCancelled { break }
            if round.isDone { return .free }
            if !round.isRunning {
                // It keeps nothing over its end; but who knows whether it has ended.
                if round.own.isEmpty { return .free }
                isAway()
            }
            if round.hasGotOn {
                limit = clock.now() + patience
                pause = min(Self.firstPause, patience)
            }
            // At once, if it named others than those that were just tried.
            if round.isRunning, isLookAlone || round.hasGotOn && before.isDisjoint(with: round.open) { continue }
            guard clock.now() < limit, !isAwaited() else { return round.outcome }
            try? await clock.sleep(until: min(limit, clock.now() + pause))
            pause = min(pause * 2, Self.longestPause)
        }
        return .interrupted
    }

    /// One pass over the groups.
    private struct Round {
        /// Those that the plugin has said to have let go. One that it names all the same, and lets go again, is no progress.
        var freed: Set<Identifier> = []
        /// Those that are not free yet.
        var open: Set<Identifier>
        let own: Set<Identifier>
        var isLookAlone: Bool
        var isRunning = true
        /// Those of which it has said in the last pass whether it lets them go.
        var answered: Set<Identifier> = []
        /// The plugin has told what it watches, or says more than anybody reads.
        var hasAnswered = false
        var hasGotOn = false

        init(open: Set<Identifier>, own: Set<Identifier>, isLookAlone: Bool) {
            (self.open, self.own, self.isLookAlone) = (open, own, isLookAlone)
        }

        var isDone: Bool { isRunning && hasAnswered && open.isEmpty }
        /// What it keeps although it was not told to let it go, or has not heard it, it does not keep for good.
        var outcome: Outcome { isRunning && hasAnswered && open.isSubset(of: answered) ? .held(open) : .unknown }
    }

    private func look(_ round: inout Round) async {
        round.hasAnswered = false
        do throws(GroupError) {
            var reported: Set<Identifier> = []
            if case .groups(let groups) = try await plugin.call(.inspect, within: timeout) {
                reported = Set(groups.map(\.id))
            }
            round.hasAnswered = true
            // What it does not name it does not hold, whatever it has said to a free; and the other way round.
            round.open = reported.intersection(round.own)
        } catch {
            switch error.code {
            case .notRunning: round.isRunning = false
            // Then what it says to a free has to do.
            case .unreadable: round.hasAnswered = true
            default: break
            }
            logger.warning("plugin does not tell its groups", metadata: ["error": "\(error)"])
        }
    }

    private enum Answer {
        case free, refused, notRunning
        /// It may still be carried out, or was not sent.
        case none
    }

    private func freeAll(_ round: inout Round, _ isWanted: @escaping @Sendable () -> Bool) async {
        (round.isRunning, round.hasGotOn, round.answered) = (true, false, [])
        await withTaskGroup(of: (Identifier, Answer).self) { tasks in
            var waiting = round.open.makeIterator()
            var calls = CallPace()
            func begin() {
                guard let group = waiting.next() else { return }
                calls.began(clock.now())
                tasks.addTask {
                    guard isWanted(), !Task.isCancelled else { return (group, .none) }
                    return (group, await free(group))
                }
            }
            for _ in 0..<Self.concurrency { begin() }
            while let (group, answer) = await tasks.next() {
                // The next one begins before this one counts as ended: as long as there are more, they are one row of calls.
                if answer != .notRunning { begin() }
                if let each = calls.ended(clock.now(), counts: answer == .free) { pace?.noteFreeing(each) }
                switch answer {
                case .free:
                    round.answered.insert(group)
                    round.open.remove(group)
                    guard round.freed.insert(group).inserted else { break }
                    round.hasGotOn = true
                    gotOn()
                case .refused: round.answered.insert(group)
                case .none: break
                case .notRunning:
                    round.isRunning = false
                    // The others would find the same.
                    return tasks.cancelAll()
                }
            }
        }
    }

    private func free(_ group: Identifier) async -> Answer {
        do {
            _ = try await plugin.call(.free(id: group), within: timeout)
            logger.info("group freed", metadata: ["group": "\(group)"])
            return .free
        } catch {
            if error.saysNotWatched { return .free }
            if error.code == .notRunning { return .notRunning }
            logger.warning("group not freed", metadata: ["group": "\(group)", "error": "\(error)"])
            switch error.code {
            case .unknownOutcome, .unreachable, .unreadable: return .none
            default: return .refused
            }
        }
    }
}
