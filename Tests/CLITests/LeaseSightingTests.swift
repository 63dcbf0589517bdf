import Terminal
import Testing

@testable import CLI
@testable import Manager
@testable import Store

/// A leader whose clock is another than this host's.
@Suite struct LeaseSightingTests {
    /// In milliseconds.
    @Test(arguments: [3_600_000, -86_400_000])
    func aLeaderWhoseClockIsWrongIsSeenToRenew(_ ahead: Int) async throws {
        try await Scene.scripted { scene in
            let fence = try await scene.fence()
            let renew = { () async throws -> Void in
                _ = try await scene.store.writer.run(within: patience) { connection in
                    try connection.renewLease(fence, time: Scene.now.milliseconds + ahead)
                }
            }
            try await renew()
            let renewing = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: .milliseconds(50), clock: .suspending)
                    try await renew()
                }
            }
            defer { renewing.cancel() }
            let clock = "its clock is about \(ahead > 0 ? "1h ahead of" : "24h behind") this host's"
            let status = await scene.run("status")
            #expect(status.status == .done, "\(status)")
            #expect(status.output.contains("in epoch 2, renewing its lease; \(clock)\n"), "\(status)")
            let doctor = await scene.run("doctor")
            let warning =
                "warning  leadership: n2/group leads in epoch 2, and \(clock): times in the history are misleading\n"
            #expect(doctor.output.contains(warning), "\(doctor)")
        }
    }

    /// By its times it has an hour left; but nobody renews it.
    @Test func aLeaderThatIsGoneIsNotTakenForOneWhoseClockIsAhead() async throws {
        try await Scene.scripted { scene in
            let fence = try await scene.fence()
            _ = try await scene.store.writer.run(within: patience) { connection in
                try connection.renewLease(fence, time: Scene.time(120))
            }
            let status = await scene.run("status")
            #expect(status.status == .noLeader, "\(status)")
            #expect(status.output.contains("lease not renewed during 9s of watching it\n"), "\(status)")
        }
    }

    @Test func whatARenewalTakesTellsTheTTL() {
        #expect(ElectionSettings.ttl(whenRenewalsTake: .milliseconds(3)) == .seconds(1))
        #expect(ElectionSettings.ttl(whenRenewalsTake: .milliseconds(1500)) == .seconds(9))
        #expect(ElectionSettings.ttl(whenRenewalsTake: .milliseconds(8800)) == .seconds(53))
    }
}
