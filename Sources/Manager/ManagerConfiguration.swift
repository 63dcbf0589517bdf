public import GroupSPI
public import Store

/// Who a manager is and how it works.
public struct ManagerConfiguration: Sendable {
    public var candidate: Candidate
    public var election: ElectionSettings
    public var term: TermSettings
    /// The file that names the leader, in the original way; nil for the lease alone.
    public var leaderFile: String?
    /// The names by which that file may call this manager.
    public var leaderNames: Set<Identifier>
    /// The store directory, where the Go manager may have left its configuration.
    public var legacyConfigDirectory: String?
    /// Whether it does not lead while another leads under its id. Not where the row moves without its holder.
    public var refusesNamesakes = true

    /// Asks the plugin whether it is a manager, and leads back to one of these, within so long.
    public typealias LoopFinder = @Sendable (_ managers: [Identifier], Duration) async -> Bool?
    /// Nil where the plugin is known to be none.
    public var findLoop: LoopFinder?

    public init(
        candidate: Candidate,
        election: ElectionSettings,
        term: TermSettings,
        leaderFile: String? = nil,
        leaderNames: Set<Identifier> = [],
        legacyConfigDirectory: String? = nil
    ) {
        self.candidate = candidate
        self.election = election
        self.term = term
        self.leaderFile = leaderFile
        self.leaderNames = leaderNames
        self.legacyConfigDirectory = legacyConfigDirectory
    }
}
