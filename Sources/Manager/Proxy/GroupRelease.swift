internal import GroupSPI
internal import Logging

/// Lets all groups of a plugin go, and does not give up: a plugin that still watches while another replica leads would
/// act against it.
///
/// A plugin that does not run counts as done: it keeps nothing over a restart. One that stands still does not: it goes on
/// where it stopped.
struct GroupRelease: Sendable {
    let plugin: any GroupPlugin
    let clock: any ManagerClock
    let timeout: Duration
    /// Between two rounds.
    let pause: Duration
    let logger: Logger

    /// Not on the caller's actor, for the same reason as ``TermToken/run(_:)``.
    ///
    /// - Parameter known: groups to let go also when the plugin does not name them.
    /// - Returns: false when the task was cancelled before all was done.
    @concurrent func run(_ known: Set<Identifier>) async -> Bool {
        var open = known
        while !Task.isCancelled {
            switch await watched() {
            case .success(let reported): open.formUnion(reported)
            // Not the same as one that listens and stands still: that one may go on acting.
            case .failure(let error) where error.code == .notRunning: return !Task.isCancelled
            case .failure(let error):
                logger.warning("plugin does not tell its groups", metadata: ["error": "\(error)"])
            }
            open = await freeAll(open)
            if open.isEmpty, case .success(let rest) = await watched(), rest.isEmpty { return true }
            try? await clock.sleep(until: clock.now() + pause)
        }
        return false
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

    /// - Returns: those that are not free yet.
    private func freeAll(_ groups: Set<Identifier>) async -> Set<Identifier> {
        await withTaskGroup(of: Identifier?.self) { tasks in
            for group in groups { tasks.addTask { await free(group) ? nil : group } }
            return await tasks.reduce(into: []) { rest, group in
                if let group { rest.insert(group) }
            }
        }
    }

    private func free(_ group: Identifier) async -> Bool {
        do {
            _ = try await plugin.call(.free(id: group), within: timeout)
            logger.info("group freed", metadata: ["group": "\(group)"])
            return true
        } catch {
            if error.saysNotWatched { return true }
            logger.warning("group not freed", metadata: ["group": "\(group)", "error": "\(error)"])
            return false
        }
    }
}
