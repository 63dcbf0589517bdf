package import Logging

/// What a register is called in sentences for people, and how what happens to it goes into the log.
package struct RegisterTerminology: Sendable {
    /// What it is a part of, without an article: "swarm".
    package let cluster: String
    /// Who answers for it: "the Engine".
    package let server: String
    /// "the swarm's label".
    package let place: String
    /// The same with its name.
    package let content: String
    /// Where the requests lie.
    package let requests: String
    /// That there is no content.
    package let absence: String
    /// A sentence: where to look when it does not answer.
    package let advice: String
    package let log: @Sendable (ReplicationEvent, Logger) -> Void

    package init(
        cluster: String,
        server: String,
        place: String,
        content: String,
        requests: String,
        absence: String,
        advice: String,
        log: @escaping @Sendable (ReplicationEvent, Logger) -> Void
    ) {
        self.cluster = cluster
        self.server = server
        self.place = place
        self.content = content
        self.requests = requests
        self.absence = absence
        self.advice = advice
        self.log = log
    }
}

/// What people are told of a register and of a replica of it.
package enum ReplicationEvent: Hashable, Sendable {
    /// Groups that somebody else had written there are the next revision.
    case adopted(groups: Int)
    case nearlyFull(warning: String)
    /// It holds less than is known.
    case lost(reason: String)
    case restored(reason: String, revision: Int)
    /// The whole cluster is an older one.
    case putBack(version: UInt64)
    case requestsUnreadable
    /// The replica was made anew; the path is of the damaged file, which is kept.
    case replicaDamaged(reason: String, path: String)
    /// The replica was of another history, and was made anew.
    case replicaQuarantined(reason: String, path: String)
}
