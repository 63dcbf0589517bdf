internal import CLinux

extension String {
    /// How many columns of a terminal the text takes: two for wide East Asian characters and emoji, none for marks that
    /// stand above another character.
    ///
    /// By the C library's table (`wcwidth`) of Unicode's East Asian widths.
    public var displayWidth: Int {
        utf8.allSatisfy { (0x20..<0x7F).contains($0) } ? utf8.count : reduce(0) { $0 + $1.displayWidth }
    }

    /// The text, if it is at most `width` columns wide; else its beginning with `…` at the end.
    public func cut(toWidth width: Int) -> String {
        guard width > 0, displayWidth > width else { return self }
        var kept = ""
        var used = 0
        for character in self {
            let next = used + character.displayWidth
            guard next < width else { break }
            kept.append(character)
            used = next
        }
        while kept.hasSuffix(" ") { kept.removeLast() }
        return kept + "…"
    }

    /// The text with blanks behind it, so that it takes `width` columns.
    public func padded(toWidth width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - displayWidth))
    }
}

extension Character {
    fileprivate var displayWidth: Int {
        // A flag is one picture of two letters; the selector asks for the picture of a sign that is else a letter.
        let isPicture = unicodeScalars.contains { $0.value == 0xFE0F || (0x1F1E6...0x1F1FF).contains($0.value) }
        return isPicture ? 2 : unicodeScalars.reduce(0) { max($0, Int(clinux_columns($1.value))) }
    }
}
