import Synchronization
import Testing

@testable import Manager

struct HindrancesTests {
    @Test func leadsWhenNobodyHasAReasonAgainstIt() {
        let reports = Mutex<[String?]>([])
        let hindrances = Hindrances(["file": "not read yet"]) { report in reports.withLock { $0.append(report) } }
        #expect(hindrances.current == "not read yet")
        hindrances.set("orphan guard", "not there yet")
        hindrances.set("file", nil)
        hindrances.set("file", nil)
        hindrances.set("orphan guard", nil)
        hindrances.set("orphan guard", "has ended")
        hindrances.set("orphan guard", "has ended again")
        // Only what changes is told. The parties' reasons stand in the order of their names.
        #expect(reports.withLock { $0 } == ["not there yet", nil, "has ended", "has ended again"])
        #expect(hindrances.current == "has ended again")
    }

    /// Reports of parties that speak at once come in the order in which they took effect.
    @Test func theLastReportIsTheOneThatStands() async {
        let last = Mutex<String?>(nil)
        let hindrances = Hindrances { report in last.withLock { $0 = report } }
        await withTaskGroup(of: Void.self) { tasks in
            for party in 0..<8 {
                tasks.addTask {
                    for turn in 0..<200 { hindrances.set("\(party)", turn % 2 == 0 ? "\(party) \(turn)" : nil) }
                }
            }
        }
        #expect(last.withLock { $0 } == nil)
        #expect(hindrances.current == nil)
    }
}
