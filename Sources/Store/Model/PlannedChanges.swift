public import GroupSPI

/// What the plugin would do to several groups, in its own words; or why it does not say.
public struct PlannedChanges: Sendable {
    public struct Plan: Sendable {
        public let group: Identifier
        public let words: Result<String, GroupError>

        public init(group: Identifier, words: Result<String, GroupError>) {
            self.group = group
            self.words = words
        }
    }

    public let plans: [Plan]

    public init(_ plans: [Plan]) { self.plans = plans }

    /// The answer to ``Request/Kind/preview(_:)``.
    public var reply: GroupReply {
        let list = plans.map { plan -> JSON in
            switch plan.words {
            case .success(let words): ["group": .string(plan.group), "plan": .string(words)]
            case .failure(let error):
                [
                    "group": .string(plan.group), "code": .string(error.code.rawValue), "error": .string(error.message),
                ]
            }
        }
        return .plan(JSON.array(list).raw.text)
    }

    /// - Returns: nil for another answer.
    public init?(_ reply: GroupReply) {
        guard case .plan(let text) = reply, let view = try? JSONView(Array(text.utf8), limits: RequestBody.limits),
            view.kind == .array
        else { return nil }
        var plans: [Plan] = []
        for element in view.elements {
            guard let group = element.member("group")?.identifier else { return nil }
            if let words = element.member("plan")?.string {
                plans.append(Plan(group: group, words: .success(words)))
                continue
            }
            let code = element.member("code")?.string.flatMap(GroupError.Code.init) ?? .rejected
            let error = GroupError(code, element.member("error")?.string ?? "")
            plans.append(Plan(group: group, words: .failure(error)))
        }
        self.plans = plans
    }
}
