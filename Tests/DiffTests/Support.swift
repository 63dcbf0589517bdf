import Diff
import GroupSPI

func view(_ text: String) throws -> JSONView { try JSONView(Array(text.utf8)) }

func changes(_ before: String?, _ after: String?) throws -> [JSONChange] {
    JSONDiff(before: try before.map(view), after: try after.map(view)).changes
}

/// The changes as lines such as `changed Allocation.Size 3 5`.
func summary(_ before: String?, _ after: String?) throws -> [String] {
    try changes(before, after).map { change in
        ([change.kind.rawValue, change.path.description] + [change.before, change.after].compactMap { $0?.text })
            .joined(separator: " ")
    }
}
