import GroupSPI
import Testing

@testable import Terminal

@Suite struct LoginUserTests {
    @Test(
        arguments: [
            (1000, "mallory", "alice"), (0, "mallory", "root"), (4711, nil, "uid-4711"), (nil, "bob", "bob"),
            (nil, "", nil),
            (nil, nil, nil), (UInt32.max, "bob", "bob"), (UInt32.max, nil, nil),
        ] as [(UInt32?, String?, Identifier?)]
    )
    func theKernelsWordComesBeforeThatOfSudo(_ noted: UInt32?, _ sudo: String?, _ expected: Identifier?) {
        let names: [UInt32: Identifier] = [0: "root", 1000: "alice"]
        #expect(LoginUser.login(noted: noted, sudo: sudo) { names[$0] } == expected)
    }
}
