import GroupSPI
import Testing

/// Who asked, and who says to have logged in before that.
@Suite struct CallerTests {
    @Test(
        arguments: [
            (nil, nil, nil), ("root", nil, "root"), ("root", "alice", "alice (root)"), ("root", "root", "root"),
            (nil, "alice", "alice ()"), ("root", "CORP\\bob", "CORP\\bob (root)"), ("b(c", "al", "al (b(c)"),
        ] as [(Identifier?, Identifier?, Identifier?)]
    )
    func isKeptAsOneText(_ user: Identifier?, _ login: Identifier?, _ account: Identifier?) {
        let caller = Caller(user: user, uid: 0, host: "h", login: login)
        #expect(caller.account == account)
        #expect(Caller(account: account, uid: 0, host: "h") == caller)
    }

    /// A claim is no place for what could be taken for something else.
    @Test(arguments: ["", "a b", "eve (root)", "a\nb", "a(b", "\u{1B}[2J", String(repeating: "a", count: 65)])
    func whatIsNoNameIsNoClaim(_ login: String) {
        #expect(Caller(user: "root", uid: 0, host: "h", login: Identifier(login)).login == nil)
    }

    /// Names that histories have from before stay as they are.
    @Test(arguments: ["root", "a b", "x (y", "(y)", "a b (c)", "é ("])
    func otherTextsAreNames(_ text: String) {
        let caller = Caller(account: Identifier(text), uid: 1, host: "h")
        #expect(caller.account == Identifier(text))
        #expect(caller.user == Identifier(text) && caller.login == nil)
    }
}
