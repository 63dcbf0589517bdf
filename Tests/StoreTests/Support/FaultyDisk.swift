import CSQLite
import Foundation
import Synchronization

/// What goes wrong with one database and its journal, and how often what happened.
///
/// SQLite reaches files through a table of functions, its VFS. This one stands before the real one for the databases
/// that a test names, and passes everything on for all others.
final class FaultyDisk: Sendable {
    enum File: Sendable {
        case database, journal
    }

    /// Asked before something is done; a code other than `SQLITE_OK` is the answer, and nothing is done.
    typealias Hook = @Sendable (File) -> Int32

    private struct State {
        var beforeSync: Hook?
        var beforeWrite: Hook?
        var afterDelete: Int32?
        var isReadOnly = false
        var transactions = 0
    }

    private let state = Mutex(State())
    private let path: String

    init(_ path: String) {
        self.path = path
        _ = Faults.installed
        Faults.registry.withLock { $0.disks[path] = self }
    }

    func remove() { Faults.registry.withLock { $0.disks[path] = nil } }

    func beforeSync(_ hook: Hook?) { state.withLock { $0.beforeSync = hook } }
    func beforeWrite(_ hook: Hook?) { state.withLock { $0.beforeWrite = hook } }

    /// The journal's removal is the commit. It takes place, and then reports this code.
    func afterDelete(_ code: Int32?) { state.withLock { $0.afterDelete = code } }

    func makeReadOnly() { state.withLock { $0.isReadOnly = true } }

    /// How many times a journal was removed: how many transactions have written.
    var transactions: Int { state.withLock { $0.transactions } }

    // MARK: - What the functions ask

    fileprivate var isReadOnly: Bool { state.withLock { $0.isReadOnly } }

    fileprivate func willSync(_ file: File) -> Int32 { state.withLock { $0.beforeSync }?(file) ?? SQLITE_OK }
    fileprivate func willWrite(_ file: File) -> Int32 { state.withLock { $0.beforeWrite }?(file) ?? SQLITE_OK }

    fileprivate func didDelete() -> Int32? {
        state.withLock { state in
            state.transactions += 1
            defer { state.afterDelete = nil }
            return state.afterDelete
        }
    }
}

private typealias FilePointer = UnsafeMutablePointer<sqlite3_file>
private typealias Methods = UnsafePointer<sqlite3_io_methods>

private enum Faults {
    struct OpenFile {
        let disk: FaultyDisk
        let file: FaultyDisk.File
        let methods: UInt
    }

    struct Registry {
        var disks: [String: FaultyDisk] = [:]
        /// By the address of the file.
        var files: [UInt: OpenFile] = [:]
        /// Our table for each original one, by address.
        var tables: [UInt: UInt] = [:]
    }

    static let registry = Mutex(Registry())

    /// The VFS that was there before, by address.
    static let original = Mutex<UInt>(0)

    /// Puts ours before it, once.
    static let installed: Bool = {
        guard let real = sqlite3_vfs_find(nil) else { return false }
        original.withLock { $0 = UInt(bitPattern: real) }
        let ours = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        ours.initialize(to: real.pointee)
        ours.pointee.zName = UnsafePointer(strdup("faulty"))
        ours.pointee.pNext = nil
        ours.pointee.xOpen = { _, name, file, flags, outFlags in
            Faults.open(name, file, flags, outFlags)
        }
        ours.pointee.xDelete = { _, name, syncDirectory in
            guard let real = Faults.real else { return SQLITE_ERROR }
            let code = real.pointee.xDelete(real, name, syncDirectory)
            guard let name, code == SQLITE_OK, let (disk, file) = Faults.disk(String(cString: name)), file == .journal
            else { return code }
            return disk.didDelete() ?? code
        }
        return sqlite3_vfs_register(ours, 1) == SQLITE_OK
    }()

    static var real: UnsafeMutablePointer<sqlite3_vfs>? {
        UnsafeMutablePointer(bitPattern: original.withLock { $0 })
    }

    static func disk(_ name: String) -> (FaultyDisk, FaultyDisk.File)? {
        registry.withLock { registry in
            if let disk = registry.disks[name] { return (disk, .database) }
            guard name.hasSuffix("-journal"), let disk = registry.disks[String(name.dropLast(8))] else { return nil }
            return (disk, .journal)
        }
    }

    static func open(
        _ name: UnsafePointer<CChar>?,
        _ file: FilePointer?,
        _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let real, let file else { return SQLITE_ERROR }
        guard let name, let (disk, kind) = disk(String(cString: name)) else {
            return real.pointee.xOpen(real, name, file, flags, outFlags)
        }
        var flags = flags
        if disk.isReadOnly {
            // As the real one does when the operating system allows no more.
            if kind == .journal { return SQLITE_CANTOPEN }
            flags = flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_READONLY
        }
        let code = real.pointee.xOpen(real, name, file, flags, outFlags)
        guard code == SQLITE_OK, let methods = file.pointee.pMethods else { return code }
        registry.withLock { registry in
            let address = UInt(bitPattern: methods)
            let table = registry.tables[address] ?? UInt(bitPattern: table(for: methods))
            registry.tables[address] = table
            registry.files[UInt(bitPattern: file)] = OpenFile(disk: disk, file: kind, methods: address)
            file.pointee.pMethods = Methods(bitPattern: table)
        }
        return code
    }

    static func table(for methods: Methods) -> UnsafeMutablePointer<sqlite3_io_methods> {
        let table = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        table.initialize(to: methods.pointee)
        table.pointee.xSync = { file, flags in
            guard let (open, methods) = Faults.find(file) else { return SQLITE_ERROR }
            let code = open.disk.willSync(open.file)
            return code == SQLITE_OK ? methods.pointee.xSync(file, flags) : code
        }
        table.pointee.xWrite = { file, bytes, count, offset in
            guard let (open, methods) = Faults.find(file) else { return SQLITE_ERROR }
            let code = open.disk.willWrite(open.file)
            return code == SQLITE_OK ? methods.pointee.xWrite(file, bytes, count, offset) : code
        }
        table.pointee.xClose = { file in
            guard let (_, methods) = Faults.find(file) else { return SQLITE_ERROR }
            Faults.registry.withLock { $0.files[UInt(bitPattern: file)] = nil }
            return methods.pointee.xClose(file)
        }
        return table
    }

    static func find(_ file: FilePointer?) -> (OpenFile, Methods)? {
        guard let open = registry.withLock({ $0.files[UInt(bitPattern: file)] }),
            let methods = Methods(bitPattern: open.methods)
        else { return nil }
        return (open, methods)
    }
}
