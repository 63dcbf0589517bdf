public import GroupSPI

/// What a guard has to know at the moment at which it acts. It asks for it then: a guard that stood still has not taken up
/// yet what it was sent meanwhile.
public protocol GuardKnowledge: Sendable {
    /// When to let the groups go, as the manager said last; nil for never.
    var deadline: BootInstant? { get }
    /// The groups that the manager has told its plugin, each before it did.
    var groups: Set<Identifier> { get }
}
