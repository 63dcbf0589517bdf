internal import Glibc

/// What kind of file system a path lies on, and with which options.
public struct StorageClass: Hashable, Sendable {
    public enum Kind: String, Sendable {
        case local, nfs, cifs, fuse, ninep, unknown
    }

    public let kind: Kind
    /// As `/proc/self/mountinfo` names it: `ext4`, `nfs4`, `fuse.s3fs`, …
    public let type: String
    /// What is mounted: a device, `server:/export`, or the name that a FUSE program gives itself.
    public let source: String
    public let mountPoint: String
    /// Of the mount and of its super block.
    public let options: [String]
    /// Of NFS: the kernel goes on as if it still held a lock that the server has given to another host.
    public let recoversLostLocks: Bool

    private init(
        kind: Kind,
        type: String,
        source: String,
        mountPoint: String,
        options: [String],
        recoversLostLocks: Bool
    ) {
        self.kind = kind
        self.type = type
        self.source = source
        self.mountPoint = mountPoint
        self.options = options
        self.recoversLostLocks = recoversLostLocks
    }

    /// Finds the mount that holds `path`, or its directory when there is no such file yet.
    ///
    /// - Throws: ``StoreError`` `directoryMissing`, `permission`.
    public init(of path: String) throws(StoreError) {
        let directory =
            path.utf8.lastIndex(of: UInt8(ascii: "/")).map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard let resolved = realpath(directory, nil) else { throw Self.unusable(directory, errno) }
        defer { free(resolved) }
        var status = stat()
        // Only what was looked at is known: a server that does not answer says nothing of what is there.
        guard stat(resolved, &status) == 0 else { throw Self.unusable(directory, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw Self.noDirectory(directory) }
        self.init(
            directory: String(cString: resolved),
            mounts: Self.read("/proc/self/mountinfo"),
            recoverLostLocks: Self.read(Self.recoverLostLocks)
        )
    }

    static func unusable(_ directory: String, _ error: Int32) -> StoreError {
        let (code, advice): (StoreError.Code, String) =
            switch error {
            case ENOENT: (.directoryMissing, "Is it mounted? Create it only for a new store")
            case ENOTDIR, ELOOP, ENAMETOOLONG: (.directoryMissing, "Correct the path")
            case EACCES, EPERM: (.permission, "Check the permissions of its parent directories")
            default: (.io, "Check the disk, or the server that holds it")
            }
        return StoreError(
            code,
            "the store directory \(directory) cannot be used: \(String(cString: strerror(error))). \(advice), or name "
                + "another with --store-dir or INFRAKIT_STORE_DIR."
        )
    }

    private static func noDirectory(_ directory: String) -> StoreError {
        StoreError(
            .directoryMissing,
            "\(directory) is not a directory. Name another with --store-dir or INFRAKIT_STORE_DIR."
        )
    }

    /// A parameter of the kernel's module `nfs`, not an option of a mount.
    private static let recoverLostLocks = "/sys/module/nfs/parameters/recover_lost_locks"

    /// - Parameters:
    ///   - mounts: the text of a `mountinfo` file (proc(5)).
    ///   - recoverLostLocks: the text of the module parameter of that name; empty without the module.
    init(directory: String, mounts: String, recoverLostLocks: String = "") {
        var best: StorageClass?
        for line in mounts.split(separator: "\n") {
            guard let mount = StorageClass(mountinfo: line, recoverLostLocks) else { continue }
            let point = mount.mountPoint
            let holds = point == "/" || directory == point || directory.hasPrefix(point + "/")
            // Of mounts on the same point the later one covers the earlier.
            if holds, point.utf8.count >= best?.mountPoint.utf8.count ?? 0 { best = mount }
        }
        self =
            best
            ?? StorageClass(
                kind: .unknown,
                type: "an unknown file system",
                source: "",
                mountPoint: "/",
                options: [],
                recoversLostLocks: false
            )
    }

    private init?(mountinfo line: Substring, _ recoverLostLocks: String) {
        let halves = line.split(separator: " - ", maxSplits: 1)
        guard halves.count == 2 else { return nil }
        let left = halves[0].split(separator: " ")
        let right = halves[1].split(separator: " ")
        guard left.count >= 6, let type = right.first else { return nil }
        let superOptions = right.count >= 3 ? right[2] : ""
        let kind = Self.kind(of: String(type))
        self.init(
            kind: kind,
            type: String(type),
            source: right.count >= 2 ? Self.unescape(right[1]) : "",
            mountPoint: Self.unescape(left[4]),
            options: left[5].split(separator: ",").map(String.init)
                + superOptions.split(separator: ",").map(String.init),
            recoversLostLocks: kind == .nfs && ["Y", "1"].contains { recoverLostLocks.hasPrefix($0) }
        )
    }

    /// - Returns: the text of a small file of the kernel's; empty when it cannot be read.
    static func read(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func kind(of type: String) -> Kind {
        switch type {
        case "nfs", "nfs4": .nfs
        case "cifs", "smb3", "smbfs": .cifs
        case "9p", "virtiofs": .ninep
        case let type where type.hasPrefix("fuse"): .fuse
        case "ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "f2fs", "bcachefs", "ramfs", "hostfs":
            .local
        default: .unknown
        }
    }

    /// The kernel writes a blank as `\040`.
    static func unescape(_ text: Substring) -> String {
        var output: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            let digits = bytes.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                output.append(code)
                bytes.removeFirst(3)
            } else {
                output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// FUSE programs in front of an object store. Some name themselves in the type (`fuse.s3fs`), some in the source.
    private static let objectStores = ["s3fs", "goofys", "gcsfuse", "blobfuse", "rclone", "mount-s3", "mountpoint-s3"]

    /// Why locks on this mount do not keep two hosts apart; nil when nothing says so.
    public var hazard: String? {
        switch kind {
        case .nfs:
            // `local_lock=none` is what one wants; `soft` turns a slow server into a corrupt file.
            for option in options {
                if ["nolock", "soft", "softerr"].contains(option) { return "it is mounted with '\(option)'" }
                if option.hasPrefix("local_lock="), option != "local_lock=none" {
                    return "it is mounted with '\(option)'"
                }
            }
            return recoversLostLocks ? "\(Self.recoverLostLocks) is Y (write N to it)" : nil
        case .cifs: return options.contains("nobrl") ? "it is mounted with 'nobrl'" : nil
        case .fuse:
            if Self.objectStores.contains(where: { type.contains($0) || source == $0 }) {
                return "an object store has no locks"
            }
            return type == "fuse.sshfs" ? "the server is not told of locks" : nil
        case .local, .ninep, .unknown: return nil
        }
    }

    func requireSafe(path: String, allowed: Bool) throws(StoreError) {
        guard let hazard, !allowed else { return }
        throw StoreError(
            .unsafeStorage,
            "\(path) is on \(type) at \(mountPoint), and \(hazard): locks there do not keep two hosts apart, so two "
                + "leaders could act. Mount it with working locks (NFS: hard, no nolock), or accept the risk with "
                + "--unsafe-storage."
        )
    }
}
