import Testing

@testable import ProcessGroup

struct DigestTests {
    /// Another digest of the same specification would have a new release of the plugin replace every process.
    @Test(arguments: [
        ("", 20, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4"),
        ("abc", 20, "ba7816bf8f01cfea414140de5dae2223b00361a3"),
        ("abc", 16, "ba7816bf8f01cfea414140de5dae2223"),
    ])
    func hexadecimalDigits(text: String, length: Int, expected: String) {
        #expect(Digest.hex(Array(text.utf8), length: length) == expected)
    }
}
