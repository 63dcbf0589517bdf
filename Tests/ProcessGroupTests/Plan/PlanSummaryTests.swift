import GroupSPI
import Testing

@testable import ProcessGroup

/// The words are InfraKit's own: people and scripts read them.
struct PlanSummaryTests {
    @Test(arguments: [
        (5, 5, 0, "Noop", "Noop"),
        (
            5, 5, 5, "Performs a rolling update on 5 instances", "Performing a rolling update on 5 instances"
        ),
        (
            5, 10, 5,
            "Performs a rolling update on 5 instances, then adds 5 instances to increase the group size to 10",
            "Performing a rolling update on 5 instances, then adding 5 instances to increase the group size to 10"
        ),
        (
            5, 10, 0, "Adds 5 instances to increase the group size to 10",
            "Adding 5 instances to increase the group size to 10"
        ),
        (
            5, 3, 0, "Terminates 2 instances to reduce the group size to 3",
            "Terminating 2 instances to reduce the group size to 3"
        ),
        (
            5, 3, 3,
            "Terminates 2 instances to reduce the group size to 3, then performs a rolling update on 3 instances",
            "Terminating 2 instances to reduce the group size to 3, then performing a rolling update on 3 instances"
        ),
    ])
    func words(old: Int, new: Int, replaced: Int, plan: String, details: String) {
        let summary = PlanSummary(oldSize: old, newSize: new, replaced: replaced)
        #expect(summary.plan == plan)
        #expect(summary.details == details)
        #expect(summary.isNoop == (plan == "Noop"))
    }

    @Test func firstCommit() {
        #expect(PlanSummary.managing(.size(5)) == "Managing 5 instances")
        #expect(PlanSummary.managing(.logicalIDs(["a"])) == "Managing 1 instances")
    }

    @Test(arguments: [
        (Allocation.size(5), Allocation.size(5), "old", "Noop"),
        (.size(5), .size(5), "new", "Performs a rolling update on 5 instances"),
        (
            .size(5), .size(3), "new",
            "Terminates 2 instances to reduce the group size to 3, then performs a rolling update on 3 instances"
        ),
        (.size(5), .size(0), "new", "Terminates 5 instances to reduce the group size to 0"),
        (.logicalIDs(["a", "b"]), .logicalIDs(["b", "a"]), "old", "Noop"),
        (.logicalIDs(["a", "b"]), .logicalIDs(["a", "c"]), "old", "Performs a rolling update on 1 instances"),
        (
            .logicalIDs(["a"]), .logicalIDs(["a", "b"]), "old",
            "Adds 1 instances to increase the group size to 2"
        ),
        (.size(2), .logicalIDs(["a", "b"]), "old", "Performs a rolling update on 2 instances"),
    ])
    func counts(from: Allocation, to wanted: Allocation, sha: String, expected: String) {
        let members =
            switch from {
            case .size(let size): GroupPlanTests.settled(size)
            case .logicalIDs(let ids): GroupPlanTests.settled(ids)
            }
        let current = GroupPlan(first: from, configSHA: "old")
        let next = GroupPlan(wanted: wanted, configSHA: sha, after: current, members: members)
        #expect(PlanSummary(next: next, current: current, members: members).plan == expected)
    }

    @Test func repeatedMidwayItCountsWhatIsLeft() {
        let first = GroupPlan(first: .size(3), configSHA: "old")
        let members =
            GroupPlanTests.settled(2) + [
                .init(id: "n1", logicalID: nil, configSHA: "new", condition: .settled),
                .init(id: "n2", logicalID: nil, configSHA: "new", condition: .settling),
            ]
        let current = GroupPlan(wanted: .size(3), configSHA: "new", after: first, members: members)
        let next = GroupPlan(wanted: .size(3), configSHA: "new", after: current, members: members)
        let summary = PlanSummary(next: next, current: current, members: members)
        #expect(summary.plan == "Performs a rolling update on 2 instances")
    }
}
