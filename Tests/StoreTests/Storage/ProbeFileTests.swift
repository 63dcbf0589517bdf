import Foundation
import Testing

@testable import Store

@Suite struct ProbeFileTests {
    /// Who hears of the end may end the process: by then nothing of the probe is there.
    @Test func aRenewalIsMeasuredAndLeavesNothing() async throws {
        try await withScratch { directory in
            for _ in 0..<20 {
                #expect(try await RenewalProbe.run(nextTo: "\(directory)/manager.db") > .zero)
                let left = try names(in: directory)
                #expect(left == [])
            }
        }
    }

    @Test func whereNoneCanBeCreatedTheReasonIsTold() async throws {
        await #expect(throws: StoreError.self) {
            _ = try await RenewalProbe.run(nextTo: "/no/such/directory/manager.db")
        }
    }

    /// As a probe leaves them that was killed.
    @Test func leftoversGoWhenTheyAreOldAndNothingElseDoes() async throws {
        try await withScratch { directory in
            let leftovers = [
                ".manager.lockprobe-1-a", ".manager.clockprobe-12", ".manager.renewalprobe-1-a",
                ".manager.renewalprobe-1-a-journal", ".manager.peerprobe", ".manager.peerprobe.notes",
            ]
            let others = [".manager.other-1", "manager.db", "manager.db-journal", "manager.lockprobe-1-a"]
            let fresh = [".manager.lockprobe-2-a", ".manager.renewalprobe-2-a-journal"]
            for name in leftovers + others + fresh {
                try write(name, in: directory, age: fresh.contains(name) ? 500 : 700)
            }
            try FileManager.default.createDirectory(
                atPath: "\(directory)/.manager.lockprobe-3-a",
                withIntermediateDirectories: false
            )
            ProbeFile.removeLeftovers(in: "\(directory)/")
            let left = try names(in: directory)
            #expect(left.sorted() == (others + fresh + [".manager.lockprobe-3-a"]).sorted())
        }
    }

    /// Somebody waits for another host, however long.
    @Test func aMeetingThatIsStillHeldStays() async throws {
        try await withScratch { directory in
            let meeting = [".manager.peerprobe", ".manager.peerprobe.notes"]
            for name in meeting { try write(name, in: directory, age: 7000) }
            // A lock of the open file (F_OFD_SETLK), as only another process could hold one of the other kind.
            let file = open("\(directory)/.manager.peerprobe", O_RDWR | O_CLOEXEC)
            var range = flock()
            range.l_type = Int16(F_WRLCK)
            range.l_len = 1
            #expect(fcntl(file, 37, &range) == 0)
            ProbeFile.removeLeftovers(in: "\(directory)/")
            let held = try names(in: directory)
            #expect(held.sorted() == meeting)
            // Not by closing it: a process that was forked just now may have it open as well.
            range.l_type = Int16(F_UNLCK)
            #expect(fcntl(file, 37, &range) == 0)
            close(file)
            ProbeFile.removeLeftovers(in: "\(directory)/")
            let left = try names(in: directory)
            #expect(left == [])
        }
    }

    private func write(_ name: String, in directory: String, age: TimeInterval) throws {
        let path = "\(directory)/\(name)"
        try Data().write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
    }
}
