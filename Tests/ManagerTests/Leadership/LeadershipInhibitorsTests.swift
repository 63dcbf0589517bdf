import Synchronization
import Testing

@testable import Manager

struct LeadershipInhibitorsTests {
    @Test func leadsWhenNobodyHasAReasonAgainstIt() {
        let reports = Mutex<[String?]>([])
        let inhibitors = LeadershipInhibitors(["file": "not read yet"]) { report in
            reports.withLock { $0.append(report) }
        }
        #expect(inhibitors.current == "not read yet")
        inhibitors.set("orphan guard", "not there yet")
        inhibitors.set("file", nil)
        inhibitors.set("file", nil)
        inhibitors.set("orphan guard", nil)
        inhibitors.set("orphan guard", "has ended")
        inhibitors.set("orphan guard", "has ended again")
        // Only what changes is told. The parties' reasons stand in the order of their names.
        #expect(reports.withLock { $0 } == ["not there yet", nil, "has ended", "has ended again"])
        #expect(inhibitors.current == "has ended again")
    }

    /// Reports of parties that speak at once come in the order in which they took effect.
    @Test func theLastReportIsTheOneThatStands() async {
        let last = Mutex<String?>(nil)
        let inhibitors = LeadershipInhibitors { report in last.withLock { $0 = report } }
        await withTaskGroup(of: Void.self) { tasks in
            for party in 0..<8 {
                tasks.addTask {
                    for turn in 0..<200 { inhibitors.set("\(party)", turn % 2 == 0 ? "\(party) \(turn)" : nil) }
                }
            }
        }
        #expect(last.withLock { $0 } == nil)
        #expect(inhibitors.current == nil)
    }
}
