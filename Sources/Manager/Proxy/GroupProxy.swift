public import GroupSPI
internal import Store

/// The Group plugin that users see: writes go to the history and then to the plugin behind, reads go to the plugin.
///
/// On a replica that does not lead, the configuration is read from the store; writes are refused with the leader's name,
/// or passed on to the leader; what only the plugin knows is refused.
public struct GroupProxy: GroupEndpoint, ManagerEndpoint {
    let supervisor: TermSupervisor
    let plugin: any GroupPlugin
    let store: any StateStore
    let clock: any ManagerClock
    let board: RoleObserver
    let settings: TermSettings
    let makeRequestID: @Sendable () -> String
    let shares: CallShares
    let findLoop: ManagerConfiguration.LoopFinder?

    public func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        if request.isWrite {
            guard settings.forwardsWrites, board.current.role == .follower else {
                // Those that are stored come one after the other at each group.
                if request.isStored { return try await supervisor.carryOut(request, from: caller) }
                return try await shared(request) { _ throws(GroupError) in
                    try await supervisor.carryOut(request, from: caller)
                }
            }
            let forwarder = WriteForwarder(store: store, clock: clock, settings: settings)
            return try await forwarder.forward(request, from: caller, as: makeRequestID())
        }
        if case .inspect = request, supervisor.actingEpoch == nil { return try await storedGroups() }
        return try await passOn(request)
    }

    private func storedGroups() async throws(GroupError) -> GroupReply {
        do {
            let standing = try await store.standing(within: settings.storeTimeout)
            let age = standing.lease.epoch == 0 ? 0 : board.age(of: standing.lease).milliseconds
            return .storedGroups(
                standing.states.compactMap { $0.spec?.spec },
                ReadStamp(revision: standing.revision, epoch: standing.lease.epoch, age: age)
            )
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }

    private func passOn(_ request: GroupRequest) async throws(GroupError) -> GroupReply {
        guard supervisor.actingEpoch != nil else {
            throw GroupError(.notLeader, await supervisor.dependencies.refusal(of: .question))
        }
        return try await shared(request) { rest throws(GroupError) in try await plugin.call(request, within: rest) }
    }

    /// Makes a call with a share of its group's: one group at which the plugin hangs holds up nobody else.
    ///
    /// - Parameter body: is told how much time is left.
    private func shared(
        _ request: GroupRequest,
        _ body: (_ rest: Duration) async throws(GroupError) -> GroupReply
    ) async throws(GroupError) -> GroupReply {
        let deadline = clock.now() + settings.rpcTimeout
        let group = request.groupID ?? ""
        let result = await shares.run(for: group, until: deadline, on: clock) { () -> Result<GroupReply, GroupError> in
            do throws(GroupError) {
                return .success(try await body(deadline - clock.now()))
            } catch {
                return .failure(error)
            }
        }
        guard let result else {
            throw GroupError(
                .unreachable,
                "the group plugin '\(settings.pluginName)' has not answered earlier calls about "
                    + "\(group.isEmpty ? "all groups" : "group '\(group)'"); \(request.method) was not sent"
            )
        }
        return try result.get()
    }

    // MARK: - ManagerEndpoint

    /// Whether a write would be carried out now: whoever is told that this replica leads may send it one.
    public func isLeader() async -> Bool { supervisor.takesWrites }

    public func lookForRequests() async -> Bool {
        await supervisor.lookForRequests()
        return supervisor.takesWrites
    }

    /// A manager that finds itself among those that were asked before it is in a circle with them.
    public func findLoop(through managers: [Identifier]) async -> Bool? {
        let own = Identifier(supervisor.dependencies.candidate.instance)
        if managers.contains(own) || managers.count >= Self.longestChain { return true }
        return await findLoop?(managers + [own], .seconds(1)) ?? nil
    }

    /// More managers before one plugin than anybody has.
    private static let longestChain = 8

    public func storeOutcomes() async -> Bool { await supervisor.storeOutcomes() }

    public func leaderLocation() async -> String? {
        guard let lease = board.leader, supervisor.takesWrites || !board.isOwn(lease) else { return nil }
        return "unix://\(lease.process.host)\(lease.socket)"
    }

    public func specs(within limit: Duration?) async throws(GroupError) -> [GroupSpec] {
        do {
            let timeout = min(limit ?? settings.storeTimeout, settings.storeTimeout)
            return try await store.states(at: nil, within: timeout).compactMap { $0.spec?.spec }
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }
}
