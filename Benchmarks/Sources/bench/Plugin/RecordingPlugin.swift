internal import BenchmarkSupport
internal import GroupSPI
internal import Logging
internal import NIOPosix
internal import PluginRPC
internal import Synchronization

/// A group plugin in this process, on a real socket, that does nothing but remember: so what is measured is the manager.
final class RecordingPlugin: GroupEndpoint {
    /// A group was told to it.
    struct Act: Sendable {
        let group: Identifier
        let time: ContinuousClock.Instant
    }

    private struct State {
        var groups: [Identifier: GroupSpec] = [:]
        var acts: [Act] = []
        var delay = Duration.zero
    }

    private let state = Mutex(State())

    /// Serves until this program ends; the socket's file goes with the directory that it is in.
    static func start(at path: String) async throws -> RecordingPlugin {
        let plugin = RecordingPlugin()
        _ = try await PluginServer.start(
            ServedPlugin(name: Predecessor.plugin, group: plugin, manager: nil),
            at: path,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "plugin") { _ in SwiftLogNoOpLogHandler() }
        )
        return plugin
    }

    /// From now on, a change takes so long.
    func delay(_ duration: Duration) { state.withLock { $0.delay = duration } }

    var groupCount: Int { state.withLock { $0.groups.count } }

    /// Every group that it was told to watch, or to change, since ``forgetActs()``.
    var acts: [Act] { state.withLock { $0.acts } }

    func forgetActs() { state.withLock { $0.acts = [] } }

    func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        let now = ContinuousClock.now
        switch request {
        case .inspect: return .groups(state.withLock { $0.groups.values.sorted { $0.id < $1.id } })
        case .commit(_, pretend: true): return .details("nothing would change")
        case .commit(let spec, pretend: false):
            await take(spec, now)
            return .details("done")
        case .watch(let spec), .update(let spec):
            await take(spec, now)
            return .ok
        case .free(let id), .unwatch(let id), .destroy(let id):
            state.withLock { $0.groups[id] = nil }
            return .ok
        default: throw GroupError(.unsupported, "a benchmark's plugin does not know \(request.method)")
        }
    }

    private func take(_ spec: GroupSpec, _ now: ContinuousClock.Instant) async {
        let delay = state.withLock { state in
            state.acts.append(Act(group: spec.id, time: now))
            state.groups[spec.id] = spec
            return state.delay
        }
        if delay > .zero { try? await Task.sleep(for: delay, clock: .suspending) }
    }
}
