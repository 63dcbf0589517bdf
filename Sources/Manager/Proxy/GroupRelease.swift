internal import GroupSPI
internal import Logging

/// Lets all groups of a plugin go, and does not give up: a plugin that still watches while another replica leads would
/// act against it.
///
/// First those that are known, by their names, whatever the plugin says of itself; then those that it names. So nothing has to be
/// read before something can be let go.
///
/// A plugin that does not run counts as done: it keeps nothing over a restart. One that stands still does not: it goes on
/// where it stopped.
struct GroupRelease: Sendable {
    enum Outcome: Hashable, Sendable {
        /// The plugin says that it watches none, or does not run.
        case free
        /// The plugin has let the known groups go, and answers with something that cannot be read when it is asked for others.
        case knownAreFree
        /// The task was cancelled, or it is not wanted any more.
        case interrupted
    }

    let plugin: any GroupPlugin
    let clock: any ManagerClock
    let timeout: Duration
    /// Between two rounds.
    let pause: Duration
    let logger: Logger

    /// Calls under way at once: those behind them must not run out of time before they are sent.
    private static let concurrency = 64

    /// Not on the caller's actor, for the same reason as ``TermToken/run(_:)``.
    ///
    /// - Parameters:
    ///   - known: groups to let go also when the plugin does not name them.
    ///   - isWanted: asked before each call; from its first no on nothing is let go.
    @concurrent func run(
        _ known: Set<Identifier>,
        while isWanted: @escaping @Sendable () -> Bool = { true }
    ) async -> Outcome {
        var open = known
        // Those that the plugin has let go in the round before, and must not name any more.
        var before: Set<Identifier> = []
        while isWanted(), !Task.isCancelled {
            let tried = open
            switch await freeAll(open, isWanted) {
            case .notRunning: return Task.isCancelled ? .interrupted : .free
            case .left(let rest): open = rest
            }
            guard isWanted(), !Task.isCancelled else { break }
            switch await watched() {
            case .success(let reported):
                if open.isEmpty, reported.isEmpty { return .free }
                let isProgress = open.isEmpty && before.isDisjoint(with: reported) && tried.isDisjoint(with: reported)
                open.formUnion(reported)
                before = tried
                if isProgress { continue }
            // Not the same as one that listens and stands still: that one may go on acting.
            case .failure(let error) where error.code == .notRunning: return Task.isCancelled ? .interrupted : .free
            case .failure(let error):
                logger.warning("plugin does not tell its groups", metadata: ["error": "\(error)"])
                if error.code == .unreadable, open.isEmpty { return .knownAreFree }
            }
            try? await clock.sleep(until: clock.now() + pause)
        }
        return .interrupted
    }

    /// After ``run(_:while:)``: a call that was under way then may have reached the plugin since. Reading comes first, because it
    /// mostly finds nothing; what cannot be read is let go by name once more.
    @concurrent func lookAgain(_ known: Set<Identifier>) async -> Outcome {
        guard case .failure(let error) = await watched(), error.code != .notRunning else { return await run([]) }
        return await run(known)
    }

    private func watched() async -> Result<[Identifier], GroupError> {
        do {
            guard case .groups(let groups) = try await plugin.call(.inspect, within: timeout) else {
                return .success([])
            }
            return .success(groups.map(\.id))
        } catch {
            return .failure(error)
        }
    }

    private enum Round {
        case notRunning
        /// Those that are not free yet.
        case left(Set<Identifier>)
    }

    private enum Answer {
        case free, notFree, notRunning
    }

    private func freeAll(_ groups: Set<Identifier>, _ isWanted: @escaping @Sendable () -> Bool) async -> Round {
        await withTaskGroup(of: (Identifier, Answer).self) { tasks in
            var rest = groups
            var waiting = groups.makeIterator()
            func begin() {
                guard let group = waiting.next() else { return }
                tasks.addTask {
                    guard isWanted(), !Task.isCancelled else { return (group, .notFree) }
                    return (group, await free(group))
                }
            }
            for _ in 0..<Self.concurrency { begin() }
            while let (group, answer) = await tasks.next() {
                switch answer {
                case .free: rest.remove(group)
                case .notFree: break
                case .notRunning:
                    tasks.cancelAll()
                    return .notRunning
                }
                begin()
            }
            return .left(rest)
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
            return .notFree
        }
    }
}
