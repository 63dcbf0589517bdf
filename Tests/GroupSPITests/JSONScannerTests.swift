import Testing

@testable import GroupSPI

@Suite struct JSONScannerTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "10", "1.0", "-1.5e+10", "1E5", "12345678901234567890123", "\"\"",
        "\"a\\u00e9\\n\\/\\\"\"", "\"é€😀\"", "[]", "{}", "[1,[2,{\"a\":[]}],null]", " { \"a\" : 1 , \"a\" : 2 } ",
        "{\"\":{}}", "[{}]", "[[],[]]", "{\"a\":{},\"b\":[]}",
    ])
    func acceptsValidText(_ text: String) throws {
        _ = try RawJSON(text)
    }

    @Test(arguments: [
        ("", JSONError.Code.truncated), ("  ", .truncated), ("{", .truncated), ("[1,", .truncated), ("\"a", .truncated),
        ("{\"a\":", .truncated), ("tru", .truncated), ("\"\\u12", .truncated), ("-", .truncated), ("1.", .truncated),
        ("1e", .truncated), ("{\"a\" oops}", .unexpectedByte), ("{oops}", .unexpectedByte), ("[1 2]", .unexpectedByte),
        ("{\"a\":1,}", .unexpectedByte), ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte),
        ("{1:2}", .unexpectedByte),
        ("nul!", .unexpectedByte), ("'a'", .unexpectedByte), ("\"\\x\"", .unexpectedByte),
        ("\"\\u12g4\"", .unexpectedByte),
        ("\"a\nb\"", .unexpectedByte), ("+1", .unexpectedByte), (".5", .unexpectedByte), ("-a", .unexpectedByte),
        ("[1}", .unexpectedByte), ("{\"a\":1]", .unexpectedByte), ("}", .unexpectedByte), ("NaN", .unexpectedByte),
        ("01", .trailingData), ("1 2", .trailingData), ("{} x", .trailingData), ("\"a\"\"b\"", .trailingData),
    ])
    func refusesInvalidText(_ text: String, _ code: JSONError.Code) {
        #expect { try RawJSON(text) } throws: { ($0 as? JSONError)?.code == code }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0x22, 0x80, 0x22], [0x22, 0xF0, 0x8F, 0xBF, 0xBF, 0x22],
        ] as [[UInt8]]
    )
    func refusesWhatIsNotUTF8(_ text: [UInt8]) {
        #expect { try RawJSON(text) } throws: { ($0 as? JSONError)?.code == .invalidUTF8 }
    }

    @Test func namesTheOffset() {
        #expect { try RawJSON("{\"a\":1,\n  oops}") } throws: { ($0 as? JSONError)?.offset == 10 }
    }

    @Test func everyTruncationOfAValidTextIsRefused() throws {
        let text = Array("{\"a\":[1.5e3,\"é\\u0041\",{\"b\":null}],\"c\":true}".utf8)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try RawJSON(Array(text[..<length])) }
        }
    }

    @Test func depthIsLimitedWithoutTheCallStack() throws {
        let limits = JSONLimits(maximumDepth: 100)
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try RawJSON(nested(100), limits: limits)
        #expect { try RawJSON(nested(101), limits: limits) } throws: { ($0 as? JSONError)?.code == .tooDeep }
        // A million levels would end the process if each took a frame of the stack.
        _ = try RawJSON(nested(1_000_000), limits: JSONLimits(maximumDepth: 1_000_000))
    }

    @Test func sizeIsLimited() {
        #expect { try RawJSON("\"abc\"", limits: JSONLimits(maximumBytes: 4)) } throws: {
            ($0 as? JSONError)?.code == .tooLarge
        }
    }
}
