import Foundation
import Testing

/// Outputs that are checked in, under `Tests/CLITests/Golden`. A file's name begins with the verb, which is also the name of
/// its JSON schema: `history.all.json`, `docs/schema/history.json`.
enum Golden {
    static let directory =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden")

    /// True when the files are to be written anew, not compared: `UPDATE_GOLDEN=1` (`make golden`).
    static let isUpdating = !(ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] ?? "").isEmpty

    /// Compares text with a file, byte for byte.
    static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = directory.appendingPathComponent(name)
        if isUpdating { return try Data(text.utf8).write(to: file) }
        guard let wanted = try? String(decoding: Data(contentsOf: file), as: UTF8.self) else {
            Issue.record("Golden/\(name) is missing: `make golden` writes it", sourceLocation: sourceLocation)
            return
        }
        #expect(
            text == wanted,
            "Golden/\(name) differs; `make golden` takes the new text over\n\(difference(wanted, text))",
            sourceLocation: sourceLocation
        )
    }

    /// The first line in which two texts differ.
    private static func difference(_ wanted: String, _ text: String) -> String {
        let (old, new) = (lines(wanted), lines(text))
        let index = (0..<max(old.count, new.count)).first { index in
            index >= old.count || index >= new.count || old[index] != new[index]
        }
        guard let index else { return "" }
        return "line \(index + 1)\n- \(index < old.count ? old[index] : "(end)")\n"
            + "+ \(index < new.count ? new[index] : "(end)")"
    }

    private static func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}
