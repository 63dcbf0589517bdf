internal import GroupSPI
internal import Logging
internal import Platform
import Synchronization

/// Keeps the processes of one group as its specification wants them.
///
/// Every method between two waits runs to its end on the group's own queue, so calls take effect one after the other
/// in the order of their arrival; only a watch that waits for another plugin lets others pass. What to do is
/// ``GroupPlan``'s to decide; this type looks, acts and remembers.
///
/// It is in charge of the group, and knows anything of its instances, only while it holds the group's lock: from the
/// watch until the group is freed or destroyed and all that was told to end has ended.
actor GroupSupervisor {
    /// What a watched group is kept to.
    struct Watch {
        var spec: ProcessGroupSpec
        var plan: GroupPlan
        /// An update is under way: it is what `stopUpdate` stops.
        var isUpdating = false
    }

    let id: Identifier
    let options: ProcessGroupOptions
    let directory: StateDirectory
    let host: HostEnvironment
    let logger: Logger

    var watch: Watch? {
        didSet {
            let spec = watch?.spec.declared
            published.withLock { $0 = spec }
        }
    }
    /// Held while the group is in this plugin's charge. See `GroupSupervisor+Charge.swift`.
    var lock: FileLock?
    /// Empty without the lock.
    var instances: [Identifier: ManagedInstance] = [:]
    /// Children of this process in nobody's or another plugin's charge: only their parent can collect them.
    var leftChildren: Set<RunningProcess> = []
    /// Updates that wait for the roll to end. See ``update(_:)``.
    var waiters: [Int: CheckedContinuation<Result<Void, GroupError>, Never>] = [:]
    var nextWaiter = 0
    /// The logs go when the last process of a destroyed group has gone.
    var removesLogs = false
    private(set) var isStopped = false

    private let finishesDoomed: Bool
    private let executor: QueueExecutor
    private let published = Mutex<GroupSpec?>(nil)
    /// A start takes milliseconds: a large group is started in parts, so that calls are answered in between.
    private static let startsPerRound = 32
    private var hasMoreToDo = false
    /// The pause between two looks; cancelled to look at once.
    private var pause: Task<Void, Never>?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// What the group is watched with; nil when it is not. Answers also while the group's queue is busy.
    nonisolated var watchedSpec: GroupSpec? { published.withLock { $0 } }

    /// - Parameter finishesDoomed: take charge once, without a watch, of what was told to end and has not.
    init(
        id: Identifier,
        finishesDoomed: Bool,
        options: ProcessGroupOptions,
        directory: StateDirectory,
        host: HostEnvironment,
        logger: Logger
    ) {
        self.id = id
        self.finishesDoomed = finishesDoomed
        self.options = options
        self.directory = directory
        self.host = host
        var logger = logger
        logger[metadataKey: "group.id"] = "\(id)"
        self.logger = logger
        executor = QueueExecutor(label: "process-group.\(File.safeName(id))")
    }

    // MARK: - Supervision

    /// Looks after the group until the task is cancelled, and then leaves its processes running.
    func run() async {
        if finishesDoomed { await finishDoomed() }
        while !Task.isCancelled {
            step()
            await rest(for: pauseLength)
        }
        // Accepting calls now would act beside the plugin that comes next.
        isStopped = true
        answerWaiters(
            .failure(GroupError(.unknownOutcome, "The plugin stopped while group '\(id)' was being updated"))
        )
        // A destroy that was answered must not stay half done: what was told to end gets its grace, then SIGKILL.
        watch = nil
        while instances.values.contains(where: { $0.isStopping && !$0.isGivenUp(.now) }) {
            step()
            await Task { [interval = options.pollInterval / 4] in
                try? await Task.sleep(for: interval, clock: .suspending)
            }.value
        }
        giveUpCharge()
    }

    /// Has ``run()`` look at the group at once.
    func wake() { pause?.cancel() }

    private func rest(for length: Duration) async {
        // Its own task, so that `wake` can end the pause without ending the supervision.
        let pause = Task { () -> Void in try? await Task.sleep(for: length, clock: .suspending) }
        self.pause = pause
        await withTaskCancellationHandler {
            await pause.value
        } onCancel: {
            pause.cancel()
        }
        self.pause = nil
    }

    private var pauseLength: Duration {
        if hasMoreToDo { return .zero }
        let isEmpty = instances.isEmpty && leftChildren.isEmpty
        if isEmpty && (watch == nil || watch?.spec.allocation.count == 0) { return .seconds(3600) }
        let now = ContinuousClock.now
        let isCalm = members(now).allSatisfy { $0.condition == .settled }
        return isCalm ? options.pollInterval : options.pollInterval / 4
    }

    /// One round: see who has ended, do what follows, answer who waits for it.
    func step() {
        let now = ContinuousClock.now
        collectLeftChildren()
        observe(now)
        follow(now)
        if watch == nil && !instances.values.contains(where: \.isStopping) { giveUpCharge() }
    }

    /// Carries out the plan's steps until something has to be waited for.
    private func follow(_ now: ContinuousClock.Instant) {
        hasMoreToDo = false
        var starts = 0
        while let watch {
            switch watch.plan.next(members(now)) {
            case .wait:
                return
            case .rest:
                if watch.isUpdating && !watch.plan.isHalted {
                    self.watch?.isUpdating = false
                    logger.info("the group is as its specification wants it")
                    answerWaiters(.success(()))
                }
                return
            case .act(let steps):
                directory.pruneLogs(group: id, keeping: instances.keys)
                for step in steps {
                    switch step {
                    case .start(let logicalID):
                        guard starts < Self.startsPerRound else {
                            hasMoreToDo = true
                            return
                        }
                        starts += 1
                        launch(watch.spec, logicalID: logicalID, now)
                    case .stop(let id):
                        stop(id, now)
                    }
                }
            }
        }
    }

    func members(_ now: ContinuousClock.Instant) -> [GroupPlan.Member] {
        instances.values.map { $0.member(now: now, settleTime: options.settleTime) }.sorted { $0.id < $1.id }
    }

    func answerWaiters(_ result: Result<Void, GroupError>) {
        let answered = waiters
        waiters = [:]
        for waiter in answered.values { waiter.resume(returning: result) }
    }
}
