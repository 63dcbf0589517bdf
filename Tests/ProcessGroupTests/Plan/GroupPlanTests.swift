import GroupSPI
import Testing

@testable import ProcessGroup

/// Drives plans through a world in which everything started settles, and everything stopped ends, one look later.
struct GroupPlanTests {
    /// A world without processes.
    struct World {
        var members: [GroupPlan.Member] = []
        var nextID = 100
        var sha: String
        /// Called before every look.
        var log: [String] = []
        /// What is started never settles.
        var isBroken = false

        init(_ members: [GroupPlan.Member], sha: String) {
            self.members = members
            self.sha = sha
        }

        mutating func act(_ steps: [GroupPlan.Step]) {
            for step in steps {
                switch step {
                case .start(let logicalID):
                    members.append(
                        .init(id: "i\(nextID)", logicalID: logicalID, configSHA: sha, condition: .settling)
                    )
                    nextID += 1
                    log.append("+\(logicalID ?? "")")
                case .stop(let id):
                    guard let index = members.firstIndex(where: { $0.id == id }) else { continue }
                    log.append("-\(members[index].logicalID ?? "")")
                    if members[index].condition == .waiting {
                        members.remove(at: index)
                    } else {
                        members[index] = members[index].becoming(.stopping)
                    }
                }
            }
        }

        /// Time passes: what ends has ended, then what settles has settled.
        mutating func pass() {
            if members.contains(where: { $0.condition == .stopping }) {
                members.removeAll { $0.condition == .stopping }
            } else if !isBroken {
                members = members.map { $0.condition == .settling ? $0.becoming(.settled) : $0 }
            }
        }

        var running: Int { members.filter { $0.condition == .settled || $0.condition == .settling }.count }
        var settled: Int { members.filter { $0.condition == .settled }.count }
        func count(sha: String) -> Int { members.filter { $0.configSHA == sha }.count }
    }

    /// Follows the plan to its rest.
    ///
    /// - Returns: true when it rests, false when it waits for what never comes.
    static func follow(
        _ plan: GroupPlan,
        _ world: inout World,
        check: (World) -> Void = { _ in }
    ) -> Bool {
        for _ in 0..<500 {
            switch plan.next(world.members) {
            case .rest: return true
            case .act(let steps): world.act(steps)
            case .wait:
                let before = world.members
                world.pass()
                if world.members == before { return false }
            }
            check(world)
        }
        Issue.record("The plan never rests: \(world.log.suffix(20))")
        return false
    }

    static func settled(_ count: Int, sha: String = "old") -> [GroupPlan.Member] {
        (0..<count).map { .init(id: "i\($0)", logicalID: nil, configSHA: sha, condition: .settled) }
    }

    static func settled(_ ids: [Identifier], sha: String = "old") -> [GroupPlan.Member] {
        ids.enumerated().map { .init(id: "i\($0.offset)", logicalID: $0.element, configSHA: sha, condition: .settled) }
    }

    // MARK: - Interchangeable members

    @Test(arguments: 0...6, 0...6)
    func firstWatchFillsUpOrTrims(present: Int, size: Int) {
        var world = World(Self.settled(present, sha: "new"), sha: "new")
        let plan = GroupPlan(first: .size(size), configSHA: "new")
        #expect(Self.follow(plan, &world))
        #expect(world.settled == size)
        #expect(world.log.count == abs(present - size))
        #expect(plan.isConverged(world.members))
    }

    @Test(arguments: 0...6, 0...6)
    func rollNeverHasFewerThanTheSmallerSizeNorMoreThanOneExtra(from old: Int, to size: Int) {
        var world = World(Self.settled(old), sha: "new")
        let before = GroupPlan(first: .size(old), configSHA: "old")
        let plan = GroupPlan(wanted: .size(size), configSHA: "new", after: before, members: world.members)
        let rests = Self.follow(plan, &world) { world in
            #expect(world.settled >= min(old, size))
            // Shrinking first, growing last: while old ones are there, one extra at most.
            if world.count(sha: "old") > 0 { #expect(world.running <= max(old, size, 1) + 1) }
            #expect(world.members.filter { $0.condition == .settling }.count <= max(1, size - old))
        }
        #expect(rests)
        #expect(world.settled == size)
        #expect(world.count(sha: "old") == 0)
        #expect(plan.isConverged(world.members))
        // No instance of the new version is started only to be stopped.
        #expect(world.log.filter { $0 == "+" }.count == size)
    }

    @Test(arguments: 1...6)
    func brokenVersionStopsAtOneInstance(size: Int) {
        var world = World(Self.settled(size), sha: "new")
        world.isBroken = true
        let before = GroupPlan(first: .size(size), configSHA: "old")
        let plan = GroupPlan(wanted: .size(size), configSHA: "new", after: before, members: world.members)
        #expect(!Self.follow(plan, &world))
        #expect(world.count(sha: "old") == size)
        #expect(world.count(sha: "new") == 1)
        #expect(!plan.isConverged(world.members))
    }

    @Test func haltLeavesTheOldVersionAndTakesBackTheUnsettled() {
        var world = World(Self.settled(3), sha: "new")
        let before = GroupPlan(first: .size(3), configSHA: "old")
        var plan = GroupPlan(wanted: .size(5), configSHA: "new", after: before, members: world.members)
        #expect(plan.next(world.members) == .act([.start(logicalID: nil)]))
        world.act([.start(logicalID: nil)])
        plan.halt()
        #expect(Self.follow(plan, &world))
        #expect(world.count(sha: "old") == 3)
        #expect(world.count(sha: "new") == 0)
        #expect(!plan.isConverged(world.members))
    }

    @Test func haltedGroupReplacesWhatDies() {
        var world = World(Self.settled(3), sha: "new")
        let before = GroupPlan(first: .size(3), configSHA: "old")
        var plan = GroupPlan(wanted: .size(3), configSHA: "new", after: before, members: world.members)
        plan.halt()
        world.members[1] = world.members[1].becoming(.waiting)
        #expect(Self.follow(plan, &world))
        #expect(world.count(sha: "old") == 2)
        #expect(world.count(sha: "new") == 1)
    }

    @Test func newerUpdateSupersedesOneThatIsStuck() {
        var world = World(Self.settled(3), sha: "broken")
        world.isBroken = true
        let first = GroupPlan(first: .size(3), configSHA: "old")
        let broken = GroupPlan(wanted: .size(3), configSHA: "broken", after: first, members: world.members)
        #expect(!Self.follow(broken, &world))
        world.members = world.members.map { $0.configSHA == "broken" ? $0.becoming(.waiting) : $0 }
        world.isBroken = false
        world.sha = "fixed"
        let fixed = GroupPlan(wanted: .size(3), configSHA: "fixed", after: broken, members: world.members)
        let rests = Self.follow(fixed, &world) { #expect($0.settled >= 3) }
        #expect(rests)
        #expect(world.count(sha: "fixed") == 3)
        #expect(world.members.count == 3)
    }

    @Test func oneThatDiesOfTheOldVersionIsReplacedAtOnce() {
        var world = World(Self.settled(3), sha: "new")
        let before = GroupPlan(first: .size(3), configSHA: "old")
        let plan = GroupPlan(wanted: .size(3), configSHA: "new", after: before, members: world.members)
        world.members[0] = world.members[0].becoming(.waiting)
        #expect(plan.next(world.members) == .act([.stop(id: "i0")]))
        world.act([.stop(id: "i0")])
        #expect(plan.next(world.members) == .act([.start(logicalID: nil)]))
    }

    // MARK: - Logical IDs

    @Test(arguments: [
        ([], ["a", "b"], "+a +b"),
        (["a", "b", "c"], ["b"], "-a -c"),
        (["a"], ["a", "b", "c"], "+b +c"),
        (["a", "b"], ["a", "c"], "+c -b"),
        (["a", "b", "c"], ["d"], "-a -b +d -c"),
        (["a", "b"], ["b", "a"], ""),
        (["a", "b"], [], "-a -b"),
    ])
    func logicalIDsOfTheSameVersion(from old: [Identifier], to new: [Identifier], expected: String) {
        var world = World(Self.settled(old, sha: "new"), sha: "new")
        let before = GroupPlan(first: .logicalIDs(old), configSHA: "new")
        let plan = GroupPlan(wanted: .logicalIDs(new), configSHA: "new", after: before, members: world.members)
        #expect(Self.follow(plan, &world, check: Self.noTwins))
        #expect(world.log.joined(separator: " ") == expected)
        #expect(Set(world.members.map(\.logicalID)) == Set(new))
        #expect(plan.isConverged(world.members))
    }

    @Test(arguments: [
        (["a", "b"], ["a", "b"], "-a +a -b +b"),
        (["a", "b"], ["a", "b", "c"], "-a +a -b +b +c"),
        (["a", "b", "c"], ["a"], "-b -c -a +a"),
        (["a"], ["b"], "+b -a"),
    ])
    func logicalIDsOfANewVersion(from old: [Identifier], to new: [Identifier], expected: String) {
        var world = World(Self.settled(old), sha: "new")
        let before = GroupPlan(first: .logicalIDs(old), configSHA: "old")
        let plan = GroupPlan(wanted: .logicalIDs(new), configSHA: "new", after: before, members: world.members)
        let least = min(old.count, new.count) - 1
        let rests = Self.follow(plan, &world) { world in
            Self.noTwins(world)
            #expect(world.settled >= least)
        }
        #expect(rests)
        #expect(world.log.joined(separator: " ") == expected)
        #expect(world.count(sha: "old") == 0)
    }

    @Test func brokenVersionStopsAtOneLogicalID() {
        var world = World(Self.settled(["a", "b", "c"]), sha: "new")
        world.isBroken = true
        let before = GroupPlan(first: .logicalIDs(["a", "b", "c"]), configSHA: "old")
        let plan = GroupPlan(
            wanted: .logicalIDs(["a", "b", "c"]),
            configSHA: "new",
            after: before,
            members: world.members
        )
        #expect(!Self.follow(plan, &world))
        #expect(world.count(sha: "old") == 2)
    }

    @Test func haltBetweenStopAndStartFillsTheGap() {
        var world = World(Self.settled(["a", "b"]), sha: "new")
        let before = GroupPlan(first: .logicalIDs(["a", "b"]), configSHA: "old")
        var plan = GroupPlan(wanted: .logicalIDs(["a", "b"]), configSHA: "new", after: before, members: world.members)
        world.act([.stop(id: "i0")])
        plan.halt()
        #expect(plan.next(world.members) == .wait)
        #expect(Self.follow(plan, &world, check: Self.noTwins))
        #expect(world.count(sha: "old") == 1)
        #expect(world.settled == 2)
    }

    @Test func twinsAreSeparated() {
        var world = World(Self.settled(["a", "a", "b"], sha: "new"), sha: "new")
        let plan = GroupPlan(first: .logicalIDs(["a", "b"]), configSHA: "new")
        #expect(Self.follow(plan, &world))
        #expect(world.log == ["-a"])
    }

    @Test func waitsForTheOneThatStillEnds() {
        let stopping = Self.settled(["a"], sha: "new").map { $0.becoming(.stopping) }
        let plan = GroupPlan(first: .logicalIDs(["a"]), configSHA: "new")
        #expect(plan.next(stopping) == .wait)
        #expect(plan.next([]) == .act([.start(logicalID: "a")]))
    }

    // MARK: - From one kind to the other

    @Test func namesAreGivenOneByOne() {
        var world = World(Self.settled(3, sha: "new"), sha: "new")
        let before = GroupPlan(first: .size(3), configSHA: "new")
        let wanted = Allocation.logicalIDs(["a", "b", "c"])
        let plan = GroupPlan(wanted: wanted, configSHA: "new", after: before, members: world.members)
        let rests = Self.follow(plan, &world) {
            #expect($0.settled >= 3)
            #expect($0.running <= 4)
        }
        #expect(rests)
        #expect(world.log == ["+a", "-", "+b", "-", "+c", "-"])
    }

    @Test func namesAreTakenOneByOne() {
        var world = World(Self.settled(["a", "b"], sha: "new"), sha: "new")
        let before = GroupPlan(first: .logicalIDs(["a", "b"]), configSHA: "new")
        let plan = GroupPlan(wanted: .size(2), configSHA: "new", after: before, members: world.members)
        let rests = Self.follow(plan, &world) { #expect($0.settled >= 2) }
        #expect(rests)
        #expect(world.log == ["+", "-a", "+", "-b"])
    }

    private static func noTwins(_ world: World) {
        let ids = world.members.compactMap(\.logicalID)
        #expect(Set(ids).count == ids.count, "two of one logical ID: \(ids)")
    }
}

extension GroupPlan.Member {
    func becoming(_ condition: Condition) -> GroupPlan.Member {
        .init(id: id, logicalID: logicalID, configSHA: configSHA, condition: condition)
    }
}
