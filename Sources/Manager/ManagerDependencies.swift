package import GroupSPI
internal import Store

/// What a manager is made of, beside what its user chooses: a simulation brings parts of its own, also broken ones.
package struct ManagerDependencies: Sendable {
    package typealias Decide =
        @Sendable (inout Election, _ event: ElectionEvent, _ now: BootInstant) -> [ElectionDirective]
    package typealias MakeDeadline =
        @Sendable (_ action: @escaping @Sendable () -> Void) throws(SettingsError) -> any DeadlineTimer

    /// Of the election's jitter.
    package var seed = UInt64.random(in: .min ... .max)
    package var decide: Decide = { $0.handle($1, now: $2) }
    package var makeDeadline: MakeDeadline = { action throws(SettingsError) in try DeadlineThread(action: action) }
    /// The clock by which a lease is over.
    package var makeLeaseClock: @Sendable (any ManagerClock) -> any ManagerClock = { $0 }

    /// Whether a follower looks at its own plugin.
    package var followersLook = true

    /// Of whose share of the plugin's calls a question about a group is.
    package var share: @Sendable (Identifier) -> Identifier = { $0 }

    package var makeRequestID: @Sendable () -> String = { Request.makeID() }

    package init() {}
}
