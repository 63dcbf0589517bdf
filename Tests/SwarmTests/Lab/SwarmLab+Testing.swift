import SwarmLabSupport
import Testing

extension Trait where Self == ConditionTrait {
    static var swarmLab: Self {
        .enabled("there is a swarm lab here") {
            if let hindrance = SwarmLab.hindrance { print("SKIPPED: swarm lab: \(hindrance)") }
            return SwarmLab.hindrance == nil
        }
    }
}

/// Runs the lab for a test; one that does not start is no failure of what is tested.
func withLab(_ body: (SwarmLab) async throws -> Void) async throws {
    do {
        try await SwarmLab.run(body)
    } catch let trouble as SwarmLab.Trouble where trouble.isAbsent {
        try Test.cancel("SKIPPED: \(trouble)")
    }
}
