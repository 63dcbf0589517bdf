internal import GroupSPI

extension ProcessGroupSpec {
    /// The largest group that is accepted: a slip of the keyboard must not fork until the host falls over.
    static let maximumCount = 1000

    /// Reads a specification. Unknown members are ignored, names are compared without regard to case.
    ///
    /// - Throws: ``GroupError`` `rejected` with one sentence that says what is wrong and what would be accepted.
    init(_ spec: GroupSpec) throws(GroupError) {
        guard spec.id.text.contains(where: { !$0.isWhitespace }) else {
            throw GroupError(.rejected, "Group ID must not be blank")
        }
        do throws(SpecProblem) {
            let properties = JSONView(spec.properties)
            guard properties.kind == .object else {
                throw SpecProblem(
                    "Properties must be an object with Allocation and Instance, not \(properties.kind.rawValue)"
                )
            }
            let allocation = try Self.allocation(properties)
            let instance = try Self.instanceProperties(properties)
            self.init(
                declared: spec,
                allocation: allocation,
                command: try Self.command(instance),
                environment: try Self.environment(instance),
                directory: try Self.directory(instance)
            )
        } catch {
            throw GroupError(.rejected, "Invalid properties of group '\(spec.id)': \(error.sentence)")
        }
    }

    // MARK: - Allocation

    private static func allocation(_ properties: JSONView) throws(SpecProblem) -> Allocation {
        guard let allocation = properties.present("Allocation") else {
            throw SpecProblem(#"Allocation is missing; give {"Size": 3} or {"LogicalIDs": ["a", "b"]}"#)
        }
        guard allocation.kind == .object else {
            throw SpecProblem(#"Allocation must be an object such as {"Size": 3}, not \#(allocation.kind.rawValue)"#)
        }
        let size = try allocation.present("Size").map { (view) throws(SpecProblem) in try count(view) }
        let ids = try logicalIDs(allocation)
        switch (size, ids.isEmpty) {
        case (nil, true):
            throw SpecProblem(#"Allocation names neither Size nor LogicalIDs; give {"Size": 3}"#)
        case (let size?, true):
            return .size(size)
        case (nil, false), (0, false):
            return .logicalIDs(ids)
        default:
            throw SpecProblem("Allocation gives both Size and LogicalIDs; give only one of the two")
        }
    }

    private static func count(_ view: JSONView) throws(SpecProblem) -> Int {
        guard let size = view.int, (0...maximumCount).contains(size) else {
            throw SpecProblem("Allocation.Size must be a whole number from 0 to \(maximumCount), not \(view.excerpt)")
        }
        return size
    }

    private static func logicalIDs(_ allocation: JSONView) throws(SpecProblem) -> [Identifier] {
        guard let list = allocation.present("LogicalIDs") else { return [] }
        guard list.kind == .array else {
            throw SpecProblem("Allocation.LogicalIDs must be a list of strings, not \(list.kind.rawValue)")
        }
        var ids: [Identifier] = []
        for element in list.elements {
            guard let id = element.identifier, !id.isEmpty else {
                throw SpecProblem("Allocation.LogicalIDs must hold strings that are not empty, not \(element.excerpt)")
            }
            guard !ids.contains(id) else {
                throw SpecProblem("Allocation.LogicalIDs names '\(id)' twice; every ID must be unique")
            }
            ids.append(id)
        }
        guard ids.count <= maximumCount else {
            throw SpecProblem("Allocation.LogicalIDs has \(ids.count) entries; at most \(maximumCount) are accepted")
        }
        return ids
    }

    // MARK: - Instance

    private static func instanceProperties(_ properties: JSONView) throws(SpecProblem) -> JSONView {
        let example = #"{"Plugin": "process", "Properties": {"Command": ["sleep", "1000"]}}"#
        guard let instance = properties.present("Instance") else {
            throw SpecProblem("Instance is missing; give \(example)")
        }
        guard instance.kind == .object else {
            throw SpecProblem("Instance must be an object such as \(example), not \(instance.kind.rawValue)")
        }
        if let plugin = instance.present("Plugin") {
            guard let name = plugin.string else {
                throw SpecProblem("Instance.Plugin must be a string, not \(plugin.kind.rawValue)")
            }
            guard ["", "process", "instance-process"].contains(name) else {
                throw SpecProblem("unknown Instance.Plugin '\(name)'; this plugin runs only 'process'")
            }
        }
        guard let result = instance.present("Properties") else {
            throw SpecProblem("Instance.Properties is missing; give Instance as \(example)")
        }
        guard result.kind == .object else {
            throw SpecProblem("Instance.Properties must be an object with a Command, not \(result.kind.rawValue)")
        }
        return result
    }

    private static func command(_ instance: JSONView) throws(SpecProblem) -> [String] {
        let accepted = #"a list of strings such as ["sleep", "1000"] or one string for the shell"#
        guard let view = instance.present("Command") else {
            throw SpecProblem("Instance.Properties.Command is missing; give \(accepted)")
        }
        if let line = view.string {
            guard line.contains(where: { !$0.isWhitespace }) else {
                throw SpecProblem("Instance.Properties.Command is empty; give \(accepted)")
            }
            return ["/bin/sh", "-c", try text(line, "Command")]
        }
        guard view.kind == .array else {
            throw SpecProblem("Instance.Properties.Command must be \(accepted), not \(view.kind.rawValue)")
        }
        var arguments: [String] = []
        for element in view.elements {
            guard let argument = element.string else {
                throw SpecProblem("Instance.Properties.Command must be \(accepted); it holds \(element.excerpt)")
            }
            arguments.append(try text(argument, "Command"))
        }
        guard let program = arguments.first, !program.isEmpty else {
            throw SpecProblem("Instance.Properties.Command is empty; give \(accepted)")
        }
        return arguments
    }

    private static func environment(_ instance: JSONView) throws(SpecProblem) -> [Identifier: String] {
        guard let view = instance.present("Environment") else { return [:] }
        var result: [Identifier: String] = [:]
        func add(_ name: Identifier, _ value: String) throws(SpecProblem) {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else {
                throw SpecProblem(
                    "'\(name)' is not a valid name of an environment variable: it is empty or contains '='"
                )
            }
            result[Identifier(try text(name.text, "Environment"))] = try text(value, "Environment")
        }
        switch view.kind {
        case .object:
            for (name, value) in view.members {
                switch value.kind {
                case .string: try add(name, value.string ?? "")
                // What people write for a port or a switch: taken as spelled.
                case .number, .bool: try add(name, value.raw.text)
                default:
                    throw SpecProblem("Environment '\(name)' must be a string, not \(value.kind.rawValue)")
                }
            }
        case .array:
            for element in view.elements {
                guard let pair = element.string, let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                    throw SpecProblem(#"Environment as a list must hold strings "NAME=value", not \#(element.excerpt)"#)
                }
                try add(Identifier(String(pair[..<equals])), String(pair[pair.utf8.index(after: equals)...]))
            }
        default:
            throw SpecProblem(
                #"Instance.Properties.Environment must be an object such as {"NAME": "value"}, not \#(view.kind.rawValue)"#
            )
        }
        return result
    }

    private static func directory(_ instance: JSONView) throws(SpecProblem) -> String? {
        guard let view = instance.present("Directory") else { return nil }
        guard let path = view.string else {
            throw SpecProblem("Instance.Properties.Directory must be a string, not \(view.kind.rawValue)")
        }
        if path.isEmpty { return nil }
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw SpecProblem("Instance.Properties.Directory must be an absolute path, not '\(path)'")
        }
        return try text(path, "Directory")
    }

    /// A text that can be handed to the kernel, for which a NUL ends a string.
    private static func text(_ text: String, _ member: String) throws(SpecProblem) -> String {
        guard !text.utf8.contains(0) else {
            throw SpecProblem("Instance.Properties.\(member) holds a NUL character, which no process can be given")
        }
        return text
    }
}

/// What is wrong with a specification, before the group's name is put in front of it.
struct SpecProblem: Error {
    let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

extension JSONView {
    /// The member, unless it is missing or `null`, which mean the same in Go.
    fileprivate func present(_ name: String) -> JSONView? {
        guard let view = member(name), !view.isNull else { return nil }
        return view
    }

    /// The value's text, cut to what fits into a sentence.
    fileprivate var excerpt: String {
        let text = raw.text
        return text.count <= 60 ? text : text.prefix(57) + "…"
    }
}
