import Glibc
import GroupSPI
import Testing

@testable import ProcessGroup

/// What only the host can say about a specification.
struct HostEnvironmentTests {
    private func refusal(_ command: String, more: String = "", path: String = "/usr/bin:/bin") throws -> String? {
        let spec = try ProcessGroupSpec(Specs.sized(1, id: "g", command: command, more: more))
        do throws(GroupError) {
            try HostEnvironment(variables: ["PATH": path]).check(spec)
            return nil
        } catch {
            #expect(error.code == .rejected)
            return error.message
        }
    }

    @Test(arguments: [
        #"["sleep", "1"]"#, #"["/bin/sh"]"#, #""anything at all""#,
    ])
    func accepts(command: String) throws {
        #expect(try refusal(command) == nil)
    }

    @Test(arguments: [
        (#"["no-such-program-here"]"#, "", "was not found in PATH (/usr/bin:/bin)"),
        (#"["/no/such/program"]"#, "", "Command '/no/such/program' does not exist"),
        (#"["/etc/passwd"]"#, "", "is not a file that may be executed"),
        (#"["/tmp"]"#, "", "is not a file that may be executed"),
        (#"["sleep"]"#, #", "Directory": "/no/such/folder""#, "Directory '/no/such/folder' is not a directory"),
        (#"["sleep"]"#, #", "Directory": "/etc/passwd""#, "Directory '/etc/passwd' is not a directory"),
        (#"["sleep"]"#, #", "Environment": {"PATH": "/etc"}"#, "'sleep' was not found in PATH (/etc)"),
        (#"["passwd"]"#, #", "Environment": {"PATH": "/etc"}"#, "found in PATH, but it may not be executed"),
    ])
    func refuses(command: String, more: String, expected: String) throws {
        let message = try #require(try refusal(command, more: more))
        #expect(message.hasPrefix("Invalid properties of group 'g': "))
        #expect(message.contains(expected), "\(message)")
    }

    @Test func relativePathsStartAtTheDirectory() throws {
        #expect(try refusal(#"["./sh"]"#, more: #", "Directory": "/bin""#) == nil)
        #expect(try refusal(#"["./sh"]"#, more: #", "Directory": "/tmp""#) != nil)
    }

    @Test func relativeEntriesOfPathAreLeftOut() throws {
        #expect(try refusal(#"["sleep"]"#, path: "::bin:") != nil)
    }

    /// The plugin's environment may hold passwords and tokens, of which its children need none.
    @Test func inheritsWhatIsNamedAndNothingElse() {
        let environment = """
            PATH=/bin\0HOME=/root\0LC_ALL=C\0TZ=UTC\0AWS_SECRET_ACCESS_KEY=x\0INFRAKIT_STORE_DIR=/x\0NOTIFY_SOCKET=@x\0\
            LD_PRELOAD=/x.so\0PATHS=/x\0SSH_AUTH_SOCK=/x\0=x\0
            """
        let host = HostEnvironment(inheritedFrom: Array(environment.utf8))
        #expect(host.variables == ["PATH": "/bin", "HOME": "/root", "LC_ALL": "C", "TZ": "UTC"])
    }

    @Test func inheritsTheOwnEnvironment() throws {
        let path = try #require(getenv("PATH").map { String(cString: $0) })
        #expect(HostEnvironment.inherited().variables["PATH"] == path)
    }
}
