import Foundation
import GroupSPI
import Store
import Testing

@testable import Manager

/// Every course that a change can take, and whether what its user was told is so, whatever comes after it.
struct WriteLifecycleTests {
    @Test func noAnswerIsUntrue() {
        let result = WriteExploration { $0.handle($1) }.run()
        #expect(result.violation == nil)
        #expect(result.courses > 200)
        // Otherwise the search has not come to every answer.
        #expect(
            result.answers == [
                "applied", "kept", "refused", "nothingChanged", "maybeStored", "noAnswer", "holdingUnknown",
                "refusalNotRecorded", "mayBeAcknowledged", "agreementNotRecorded",
            ]
        )
    }

    /// The search finds what it is there to find.
    @Test(
        arguments: [
            ("a refusal is told before it is stored", "refused"),
            ("the plugin is not asked what it holds", "refused"),
            ("what may have been acknowledged is refused", "refused, and it may"),
            ("what may have been acknowledged gets words", "gets words"),
            ("an outcome is told although it could not be stored", "may say rejected"),
            ("a commit that failed is one that did not take place", "nothingChanged"),
        ]
    )
    func aBrokenLifecycleIsFound(_ fault: String, _ word: String) throws {
        let exploration = WriteExploration { lifecycle, event in
            switch (fault, event) {
            case ("a refusal is told before it is stored", _):
                let directive = lifecycle.handle(event)
                guard case .record(.rejected, _) = directive else { return directive }
                return lifecycle.handle(.recorded)
            case ("an outcome is told although it could not be stored", .recordingFailed):
                return lifecycle.handle(.recorded)
            case ("the plugin is not asked what it holds", .holds(.new)): return lifecycle.handle(.holds(.before))
            case ("a commit that failed is one that did not take place", .storingUncertain(let error)):
                return lifecycle.handle(.notStored(error))
            case ("what may have been acknowledged gets words", .noAnswer(let error)) where !lifecycle.isRefusable:
                guard case .answer(let answer, _) = lifecycle.handle(event) else { return nil }
                return .answer(answer, recording: WriteLifecycle.Noted(status: .pending, words: error.message))
            case ("what may have been acknowledged is refused", .refused(let error)) where !lifecycle.isRefusable:
                return .answer(.refused(error))
            default: return lifecycle.handle(event)
            }
        }
        let violation = try #require(exploration.run().violation)
        #expect(violation.contains(word), "\(violation)")
    }

    /// Every moment of every life, and every event: each has a meaning exactly where it may come, and else changes nothing.
    @Test func everyEventAtEveryMoment() {
        let no = GroupError(.rejected, "no")
        let unknown = GroupError(.unsupported, "no such method")
        let events: [WriteLifecycle.Event] =
            [
                .stored(revision: 1), .notStored(no), .storingUncertain(no), .agreed(.ok), .refused(no),
                .refused(unknown),
                .noAnswer(no), .recorded, .recordingFailed, .termEnded,
            ] + [PluginHolding.new, .before, .nothing, .unknown].map { .holds($0) }
        func isExpected(_ event: WriteLifecycle.Event, after directive: WriteLifecycle.Directive) -> Bool {
            switch (directive, event) {
            case (.store, .stored), (.store, .notStored), (.store, .storingUncertain): true
            case (.tellPlugin, .agreed), (.tellPlugin, .refused), (.tellPlugin, .noAnswer), (.tellPlugin, .termEnded):
                true
            case (.inspectPlugin, .holds), (.record, .recorded), (.record, .recordingFailed): true
            default: false
            }
        }
        var open: [(WriteLifecycle, WriteLifecycle.Directive)] = []
        for isRefusable in [true, false] {
            for flag in [true, false] {
                for start in [
                    WriteLifecycle(isOutcomeFirst: flag, isRefusable: isRefusable),
                    WriteLifecycle(pending: 1, isRefusable: isRefusable, isStopped: flag),
                ] {
                    var begun = start
                    let first = begun.begin()
                    open.append((begun, first))
                }
            }
        }
        var seen: Set<WriteLifecycle> = []
        while let (lifecycle, directive) = open.popLast() {
            guard seen.insert(lifecycle).inserted else { continue }
            for event in events {
                var next = lifecycle
                let step = next.handle(event)
                #expect((step != nil) == isExpected(event, after: directive), "\(event) after \(directive)")
                if let step { open.append((next, step)) } else { #expect(next == lifecycle) }
            }
        }
        // Otherwise the search has not come far.
        #expect(seen.count > 15)
    }

    /// The table of the documentation has each answer, with what a user gets for it, and no other.
    @Test func theDocumentationHasEveryAnswer() throws {
        let no = GroupError(.rejected, "no")
        let answers: [(String, WriteLifecycle.Answer)] = [
            ("applied", .applied(.ok)), ("kept", .kept(revision: 1, no)), ("refused", .refused(no)),
            ("pending: no answer", .pending(revision: 1, .noAnswer(no))),
            ("pending: holding unknown", .pending(revision: 1, .holdingUnknown(no))),
            ("pending: refusal not recorded", .pending(revision: 1, .refusalNotRecorded(no))),
            ("pending: may be acknowledged", .pending(revision: 1, .mayBeAcknowledged(no))),
            ("pending: agreement not recorded", .pending(revision: 1, .agreementNotRecorded)),
        ]
        let page = try String(
            contentsOfFile: #filePath.components(separatedBy: "/Tests/")[0] + "/docs/architecture.md",
            encoding: .utf8
        )
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") && $0.split(separator: "|").count == 4 }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces).replacing("`", with: "") } }
        let told = Dictionary(rows.map { ($0[0], $0[3]) }, uniquingKeysWith: { first, _ in first })
        for (name, answer) in answers {
            let code =
                switch answer.result(plugin: "p") {
                case .success: "none"
                case .failure(let error): error.code.rawValue
                }
            #expect(told[name] == code, "\(name)")
        }
        // Those take the error's own code.
        #expect(Set(told.keys) == Set(answers.map(\.0) + ["nothingChanged", "maybeStored"]))
    }

    /// What a user is told of a write under way is in these words.
    @Test func theWords() {
        let no = GroupError(.rejected, "no")
        func words(_ answer: WriteLifecycle.Answer) -> String {
            switch answer.result(plugin: "p") {
            case .success: "ok"
            case .failure(let error): "\(error.code): \(error.message)"
            }
        }
        #expect(words(.applied(.ok)) == "ok")
        #expect(words(.refused(no)) == "rejected: no")
        #expect(
            words(.kept(revision: 3, no))
                == "pending: no: recorded as revision 3 and applied nevertheless, because the group plugin 'p' keeps it"
        )
        for (reason, expected) in [
            (.noAnswer(no), "but the group plugin 'p' has not confirmed it yet and will be asked again: no"),
            (
                .holdingUnknown(no),
                "but the group plugin 'p' failed without saying what it did, and will be asked again: no"
            ),
            (
                .refusalNotRecorded(no),
                "and the group plugin 'p' refused it, but that is not stored: it may still be tried again: no"
            ),
            (.mayBeAcknowledged(no), "but the group plugin 'p' refuses it now and will be asked again: no"),
            (
                .agreementNotRecorded,
                "and the group plugin 'p' has agreed, but that is not known to be stored: it will be asked again"
            ),
        ] as [(WriteLifecycle.PendingReason, String)] {
            #expect(words(.pending(revision: 3, reason)) == "pending: recorded as revision 3, \(expected)")
        }
    }
}

/// What a change has come to in the world, beside what its lifecycle knows.
private struct WriteWorld: Hashable {
    enum History: Hashable {
        case absent
        /// - Parameter hasWords: a later leader may let its plugin refuse it.
        case pending(hasWords: Bool)
        case applied, rejected
    }

    var history = History.absent
    /// The plugin holds what the change sets.
    var isHeld = false

    /// What may come of it later, under this leader or another.
    var futures: Set<History> {
        switch history {
        case .pending(true): [history, .applied, .rejected]
        case .pending(false): [history, .applied]
        default: [history]
        }
    }

    /// Why an answer is untrue; nil when it is true.
    func objection(to answer: WriteLifecycle.Answer, recording: WriteLifecycle.Noted?) -> String? {
        let isStored = history != .absent
        switch answer {
        case .applied:
            guard isStored, !futures.contains(.rejected) else { return "applied, and the history may say rejected" }
            return isHeld ? nil : "applied, and the plugin does not hold it"
        case .kept: return history == .applied && isHeld ? nil : "kept, and it is \(self)"
        case .refused: return futures == [.rejected] && !isHeld ? nil : "refused, and it may take effect: \(self)"
        case .nothingChanged: return isStored ? "nothingChanged, and it is stored" : nil
        case .maybeStored: return nil
        case .pending: return isStored ? nil : "pending, and it is not stored"
        }
    }
}

/// All courses, depth first: each event that may follow a directive, with all that it may mean in the world.
private struct WriteExploration {
    struct Result {
        var violation: String?
        var courses = 0
        var answers: Set<String> = []
    }

    let handle: (inout WriteLifecycle, WriteLifecycle.Event) -> WriteLifecycle.Directive?

    private static let no = GroupError(.rejected, "no")
    private static let other = GroupError(.unknownOutcome, "lost")

    func run() -> Result {
        var result = Result()
        for isOutcomeFirst in [true, false] {
            go(WriteLifecycle(isOutcomeFirst: isOutcomeFirst), WriteWorld(), &result)
            guard isOutcomeFirst else { continue }
            // What undoes something that nobody has confirmed.
            go(WriteLifecycle(isOutcomeFirst: true, isRefusable: false), WriteWorld(), &result)
        }
        for isRefusable in [true, false] {
            for isStopped in [true, false] {
                for isHeld in [true, false] {
                    // An earlier attempt may have been carried out; without words, somebody may have been told that it was.
                    let world = WriteWorld(history: .pending(hasWords: isRefusable), isHeld: isHeld)
                    go(WriteLifecycle(pending: 1, isRefusable: isRefusable, isStopped: isStopped), world, &result)
                }
            }
        }
        return result
    }

    private func go(_ lifecycle: WriteLifecycle, _ world: WriteWorld, _ result: inout Result) {
        var lifecycle = lifecycle
        let first = lifecycle.begin()
        follow(first, lifecycle, world, steps: 0, &result)
    }

    private func follow(
        _ directive: WriteLifecycle.Directive,
        _ lifecycle: WriteLifecycle,
        _ world: WriteWorld,
        steps: Int,
        _ result: inout Result
    ) {
        guard result.violation == nil else { return }
        if case .answer(let answer, let recording) = directive {
            result.courses += 1
            result.answers.insert(Self.name(answer))
            if !lifecycle.isRefusable, world.history == .rejected {
                result.violation = "what may have been acknowledged is rejected"
            }
            if !lifecycle.isRefusable, recording?.words != nil {
                result.violation =
                    "what may have been acknowledged gets words, and a later leader lets its plugin refuse it"
            }
            if case .refused = answer, !lifecycle.isRefusable {
                result.violation = "what may have been acknowledged is refused"
            }
            if let objection = world.objection(to: answer, recording: recording) { result.violation = objection }
            return
        }
        guard steps < 8 else {
            result.violation = "it never ends"
            return
        }
        for (event, world) in events(after: directive, lifecycle, world) {
            var lifecycle = lifecycle
            guard let next = handle(&lifecycle, event) else {
                result.violation = "\(event) after \(directive) has no meaning"
                return
            }
            follow(next, lifecycle, world, steps: steps + 1, &result)
        }
    }

    private func events(
        after directive: WriteLifecycle.Directive,
        _ lifecycle: WriteLifecycle,
        _ world: WriteWorld
    ) -> [(WriteLifecycle.Event, WriteWorld)] {
        func with(_ change: (inout WriteWorld) -> Void) -> WriteWorld {
            var changed = world
            change(&changed)
            return changed
        }
        let stored = with { $0.history = .pending(hasWords: lifecycle.isOutcomeFirst && lifecycle.isRefusable) }
        switch directive {
        case .store:
            return [
                (.stored(revision: 1), stored), (.notStored(Self.other), world), (.storingUncertain(Self.other), world),
                (.storingUncertain(Self.other), stored),
            ]
        case .tellPlugin:
            let held = with { $0.isHeld = true }
            return [
                (.agreed(.ok), held), (.refused(Self.no), world), (.refused(Self.no), held),
                // It does not know the method: whatever it holds, it has not begun this.
                (.refused(GroupError(.unsupported, "no such method")), with { $0.isHeld = false }),
                (.noAnswer(Self.other), world), (.noAnswer(Self.other), held), (.termEnded, world),
            ]
        case .inspectPlugin:
            // What it tells is so, or it does not tell.
            return [(.holds(.unknown), world)]
                + (world.isHeld ? [(.holds(.new), world)] : [(.holds(.before), world), (.holds(.nothing), world)])
        case .record(let status, _):
            let history: WriteWorld.History = status == .applied ? .applied : .rejected
            let recorded = with { $0.history = history }
            return [(.recorded, recorded), (.recordingFailed, world), (.recordingFailed, recorded)]
        case .answer: return []
        }
    }

    private static func name(_ answer: WriteLifecycle.Answer) -> String {
        switch answer {
        case .applied: "applied"
        case .kept: "kept"
        case .refused: "refused"
        case .nothingChanged: "nothingChanged"
        case .maybeStored: "maybeStored"
        case .pending(_, .noAnswer): "noAnswer"
        case .pending(_, .holdingUnknown): "holdingUnknown"
        case .pending(_, .refusalNotRecorded): "refusalNotRecorded"
        case .pending(_, .mayBeAcknowledged): "mayBeAcknowledged"
        case .pending(_, .agreementNotRecorded): "agreementNotRecorded"
        }
    }
}
