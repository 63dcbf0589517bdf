internal import Dispatch
internal import Glibc
internal import Synchronization

/// Ctrl-C, and its like: the labs end, then this program.
enum Interruption {
    private struct State {
        var labs: [Lab] = []
        var sources: [any DispatchSourceSignal] = []
    }

    private static let state = Mutex(State())

    /// Has a lab end when this program is told to.
    static func end(with lab: Lab) {
        state.withLock { state in
            state.labs.append(lab)
            if state.sources.isEmpty { state.sources = [SIGINT, SIGTERM, SIGHUP].map(listen) }
        }
    }

    static func forget(_ lab: Lab) { state.withLock { $0.labs.removeAll { $0 === lab } } }

    private static func listen(to number: Int32) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            Terminal.say("interrupted: ending what was started")
            for lab in state.withLock({ $0.labs }) { lab.end() }
            exit(128 + number)
        }
        source.resume()
        return source
    }
}
