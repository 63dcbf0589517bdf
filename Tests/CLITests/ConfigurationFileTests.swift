import Documents
import GroupSPI
import Terminal
import Testing

@testable import CLI

@Suite struct ConfigurationFileTests {
    private func file(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile(try Document.read(Array(text.utf8)))
    }

    private let text = """
        store-dir: /mnt/shared
        lease-ttl: 3s
        log: 5
        unsafe-storage: true
        allow-uid: [1000, 1001]
        leader-file:
        """

    @Test func aFileSetsFlags() throws {
        let words = try ArgumentPreprocessor([:], try file(text)).inOrder(["os"])
        #expect(
            words == [
                "os", "--log=5", "--store-dir=/mnt/shared", "--lease-ttl=3s", "--unsafe-storage", "--allow-uid=1000",
                "--allow-uid=1001",
            ]
        )
        // Only those that the verb has.
        #expect(
            try ArgumentPreprocessor([:], try file(text)).inOrder(["show", "1"]) == [
                "show", "--store-dir=/mnt/shared", "1",
            ]
        )
    }

    @Test func theEnvironmentBeatsTheFileAndTheCommandLineBoth() throws {
        let words = ArgumentPreprocessor(["INFRAKIT_LEASE_TTL": "4s", "INFRAKIT_UNSAFE_STORAGE": "0"], try file(text))
        #expect(try words.inOrder(["os"]).contains("--lease-ttl=4s"))
        #expect(try !words.inOrder(["os"]).contains("--unsafe-storage"))
        let given = try words.inOrder(["os", "--lease-ttl", "5s", "--store-dir=/x"])
        #expect(given.suffix(3) == ["--lease-ttl", "5s", "--store-dir=/x"])
        #expect(!given.contains("--lease-ttl=4s") && !given.contains("--store-dir=/mnt/shared"))
    }

    @Test(arguments: [
        ("lease-tll: 3s", "'lease-tll' is not a flag that a file can set; accepted: allow-uid, "),
        ("- a", "expected flags and their values"), ("lease-ttl: {a: 1}", "must be a value or a list of values"),
    ])
    func whatIsWrongIsSaidWithWhatWouldBeRight(_ text: String, _ words: String) throws {
        let failure = try #require(throws: Failure.self) { try file(text) }
        #expect(failure.message.contains(words), "\(failure.message)")
    }

    @Test(arguments: [
        ("os --config f --id x", "os --id x"), ("--config=f os", "os"), ("os", "os"), ("os --config", "os"),
    ])
    func theFlagItselfIsReadBeforeTheOthers(_ words: String, _ rest: String) {
        let stripped = ConfigurationFile.stripped(words.split(separator: " ").map(String.init))
        #expect(stripped.joined(separator: " ") == rest)
    }

    @Test func aFileThatIsNotThereIsWrongUsage() throws {
        let session = Session(
            environment: [:],
            standardOutput: { _ in },
            standardError: { _ in },
            log: LogBuffer { _ in },
            isTerminal: false,
            isAttended: false,
            width: nil,
            now: { .now() }
        )
        let failure = try #require(throws: Failure.self) {
            try ConfigurationFile.load(for: ["os", "--config", "/nowhere/x.yaml"], in: session)
        }
        #expect(failure.status == .usage && failure.message.contains("/nowhere/x.yaml cannot be read"))
        #expect(try ConfigurationFile.load(for: ["os"], in: session) == nil)
        let missing = try #require(throws: Failure.self) { try ConfigurationFile.load(for: ["--config"], in: session) }
        #expect(missing.message == "--config needs the name of a file")
    }
}
