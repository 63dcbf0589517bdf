/// Joins the lines of each paragraph, so that a terminal of any width breaks them where it needs to. Lines that begin with a blank
/// are lists and examples, and stay lines.
func flowing(_ text: String) -> String {
    var lines: [Substring] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if let last = lines.last, !last.isEmpty, !line.isEmpty, !last.hasPrefix(" "), !line.hasPrefix(" ") {
            lines[lines.count - 1] = Substring("\(last) \(line)")
        } else {
            lines.append(line)
        }
    }
    return lines.joined(separator: "\n")
}
