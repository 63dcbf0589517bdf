import FaultVFS

@testable import Store

/// A directory on a disk that fails when it is told to (Tests/FaultVFS).
final class FaultDisk: @unchecked Sendable {
    /// What SQLite asks of a file system.
    enum Call: Int32, CaseIterable, Sendable {
        case open, delete, access, read, write, truncate, sync, fileSize, lock, unlock, checkLock, any
    }

    /// What happens to a call; FaultVFS.h tells it exactly.
    enum Effect: Int32, CaseIterable, Sendable {
        case fail, failDone, failLost, tearPrefix, tearSubset, full, hang, lie, powerCut
    }

    // The C functions lock it, hence unchecked.
    private let disk: OpaquePointer

    /// - Parameter directory: what lies there counts as synced.
    init(_ directory: String) throws {
        guard let disk = fault_disk_create(directory) else { throw Unexpected("no disk in \(directory)") }
        self.disk = disk
    }

    deinit { fault_disk_free(disk) }

    /// For ``StoreConfiguration/vfs``.
    static let vfs = String(cString: fault_vfs())

    func arm(_ fault: Fault) {
        fault_arm(disk, fault.call.rawValue, fault.effect.rawValue, fault.n, fault.isForEver ? 1 : 0, fault.seed)
    }

    /// Lets go what hangs. Nothing fails from now on.
    func release() { fault_release(disk) }

    var hits: Int { fault_hits(disk) }
    var isHanging: Bool { fault_hanging(disk) > 0 }

    /// Returns when no connection has a file of it any more: a store closes its files some time after it was let go.
    func untilClosed() async throws {
        while fault_open_files(disk) > 0 { try await Task.sleep(for: .milliseconds(1), clock: .suspending) }
    }

    /// Writes what a loss of power now would leave.
    ///
    /// - Parameter survival: how many percent of what was not synced are there after all.
    func cutPower(into directory: String, survival: Int, seed: UInt64) throws {
        let error = fault_disk_after_power_cut(disk, directory, Int32(survival), seed)
        guard error == 0 else { throw Unexpected("\(directory): error \(error)") }
    }
}

/// What goes wrong in one run.
struct Fault: CustomStringConvertible, Sendable {
    var call: FaultDisk.Call
    var effect: FaultDisk.Effect
    /// The n-th call of that kind, from 1.
    var n = 1
    var isForEver = false
    var seed: UInt64 = 0

    /// Of all runs of one kind.
    var scope: String { isForEver ? "from each \(call) on" : "at each \(call)" }

    var description: String {
        "\(effect) at \(call) number \(n)\(isForEver ? " and all after it" : ""), seed \(seed)"
    }
}
