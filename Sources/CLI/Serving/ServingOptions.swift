public import ArgumentParser
internal import Glibc
internal import GroupSPI
public import PluginRPC

/// Of the programs that serve a socket.
struct ServingOptions: ParsableArguments {
    static let defaultName: Identifier = "group"
    static let defaultPlugin: Identifier = "group-stateless"

    @Option(help: ArgumentHelp("Permissions of the socket, octal (INFRAKIT_SOCKET_MODE)", valueName: "mode"))
    var socketMode = OctalMode(0o600)

    @Option(
        help: ArgumentHelp(
            "Numeric user id that may connect, besides root and this user; repeatable (INFRAKIT_ALLOW_UID)",
            valueName: "uid"
        )
    )
    var allowUid: [UInt32] = []

    @Option(
        help: ArgumentHelp(
            "Memory limit for all requests in progress, in MiB (INFRAKIT_REQUEST_MEMORY)",
            valueName: "MiB"
        )
    )
    var requestMemory = 64

    @Option(
        help: ArgumentHelp(
            "Memory limit for all replies that clients have not read yet, in MiB (INFRAKIT_REPLY_MEMORY)",
            valueName: "MiB"
        )
    )
    var replyMemory = 64

    func validate() throws {
        guard (32...1_048_576).contains(requestMemory) else {
            throw ValidationError("--request-memory must be 32 to 1048576 (MiB), not \(requestMemory)")
        }
        guard (1...1_048_576).contains(replyMemory) else {
            throw ValidationError("--reply-memory must be 1 to 1048576 (MiB), not \(replyMemory)")
        }
    }

    var serverConfiguration: PluginServerConfiguration {
        var configuration = PluginServerConfiguration()
        configuration.socketMode = socketMode.value
        configuration.requestMemory = requestMemory << 20
        configuration.replyMemory = replyMemory << 20
        if !allowUid.isEmpty { configuration.allowedUIDs = Set(allowUid) }
        return configuration
    }
}

/// `600` as permissions.
struct OctalMode: ExpressibleByArgument {
    let value: mode_t

    init(_ value: mode_t) { self.value = value }

    init?(argument: String) {
        guard let value = mode_t(argument, radix: 8), value <= 0o777 else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { String(value, radix: 8) }
}

extension PluginProtocol: ExpressibleByArgument {}
