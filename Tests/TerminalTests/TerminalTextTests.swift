import Testing

@testable import Terminal

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("plain é 日本 👩‍👩‍👧", "plain é 日本 👩‍👩‍👧"), ("a\u{1B}[31mb", "a\\x1b[31mb"), ("\u{9B}2J", "\\u009b2J"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"), ("\u{7}\u{0}\u{7F}", "\\x07\\x00\\x7f"), ("\u{202E}evil", "\\u202eevil"),
        ("\u{2028}\u{FEFF}\u{E0041}", "\\u2028\\ufeff\\U000e0041"),
    ])
    func whatATerminalWouldObeyIsEscaped(_ text: String, _ shown: String) {
        #expect(TerminalText.escaped(text) == shown)
        let line: TerminalText = "<\(text)>\n"
        #expect(line.text == "<\(shown)>\n")
        #expect(TerminalText(paragraph: text).text == shown.replacing("\\n", with: "\n"))
    }

    @Test func partsThatAreSafeStayAsTheyAre() {
        let inner = TerminalText(exact: "\u{1B}[31mred\u{1B}[0m")
        let whole: TerminalText = "<\(inner)> \(12) \("\u{1B}")\n"
        #expect(whole.text == "<\u{1B}[31mred\u{1B}[0m> 12 \\x1b\n")
        #expect((["a", whole] as [TerminalText]).joined() == TerminalText(exact: "a" + whole.text))
    }

    @Test func aLogLineShowsNoCommandsToTheTerminal() {
        let line = LogLine(
            level: "info",
            message: "m\u{9B}",
            time: Timestamp(milliseconds: 0),
            fields: [("id", "\u{202E}a"), ("plain", "é")]
        )
        #expect(line.text(.text).hasSuffix(#"msg="m\u009b" id="\u202ea" plain=é"# + "\n"))
    }
}

@Suite struct DisplayWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("❤️", 2), ("ｱ", 1), ("Ａ", 2),
    ])
    func columns(_ text: String, _ width: Int) {
        #expect(text.displayWidth == width)
    }

    @Test(arguments: [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 6, "日本語"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"),
        ("a bcd", 3, "a…"), ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
    ])
    func cuttingLeavesWholeCharacters(_ text: String, _ width: Int, _ kept: String) {
        #expect(text.cut(toWidth: width) == kept)
        #expect(kept.displayWidth <= width)
    }

    @Test func paddingCountsColumns() {
        #expect("日".padded(toWidth: 4) == "日  ")
        #expect("long".padded(toWidth: 2) == "long")
    }
}
