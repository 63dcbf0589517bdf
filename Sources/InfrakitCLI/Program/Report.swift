internal import GroupSPI
internal import PluginRPC
internal import Terminal

/// What came of a verb. All that `infrakit` prints on standard output is worded here, as the original words it.
enum Report {
    case watching(id: Identifier)
    case updated(id: Identifier)
    case plan(String)
    case updateStopped(id: Identifier)
    case unwatched(id: Identifier)
    case committed(id: Identifier, details: String)
    case pretended(id: Identifier, details: String)
    case freed(id: Identifier)
    case instances([InstanceDescription], header: Bool)
    case configuration(GroupSpec)
    case groups(ids: [Identifier], header: Bool)
    case destroyed(id: Identifier)
    case plugins([PluginEntry], header: Bool)
    case version(String)

    /// Lines, each with its line feed.
    var text: TerminalText {
        switch self {
        case .watching(let id): "watching \(id)\n"
        case .updated(let id): "update \(id) completed\n"
        case .plan(let plan): TerminalText(paragraph: plan + "\n")
        case .updateStopped(let id): "update \(id) stopped\n"
        case .unwatched(let id): "unwatched \(id)\n"
        case .committed(let id, let details): "Committed \(id): \(TerminalText(paragraph: details))\n"
        case .pretended(let id, let details): "Committing \(id) would involve: \(TerminalText(paragraph: details))\n"
        case .freed(let id): "Freed \(id)\n"
        case .instances(let instances, let header):
            Self.table(header ? ["ID", "LOGICAL", "TAGS"] : nil, instances.map(Self.row), widths: [30, 30])
        case .configuration(let spec): TerminalText(exact: spec.json.indented + "\n")
        case .groups(let ids, let header): Self.table(header ? ["ID"] : nil, ids.map { [$0.text] }, widths: [])
        case .destroyed(let id): "destroy \(id) initiated\n"
        case .plugins(let plugins, let header):
            Self.table(header ? ["NAME", "LISTEN"] : nil, plugins.map { [$0.name.text, $0.listen] }, widths: [20])
        case .version(let version): "infrakit \(version)\n"
        }
    }

    private static func row(_ instance: InstanceDescription) -> [String] {
        let tags = instance.tags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [instance.id.text, instance.logicalID?.text ?? "  -  ", tags.joined(separator: ",")]
    }

    /// Columns padded to their widths, a tab between them; the last one is as long as it is.
    private static func table(_ header: [String]?, _ rows: [[String]], widths: [Int]) -> TerminalText {
        var lines: TerminalText = ""
        for row in (header.map { [$0] } ?? []) + rows {
            let cells = row.enumerated().map { index, cell in
                let cell = TerminalText.escaped(cell)
                return index < widths.count ? cell.padded(toWidth: widths[index]) : cell
            }
            lines += TerminalText(exact: cells.joined(separator: "\t") + "\n")
        }
        return lines
    }
}
