internal import Glibc

/// What kind of file system a path lies on, and with which options.
public struct StorageClass: Hashable, Sendable {
    public enum Kind: String, Sendable {
        case local, nfs, cifs, fuse, ninep, unknown
    }

    public let kind: Kind
    /// As `/proc/self/mountinfo` names it: `ext4`, `nfs4`, `fuse.s3fs`, …
    public let type: String
    public let mountPoint: String
    /// Of the mount and of its super block.
    public let options: [String]

    init(kind: Kind, type: String, mountPoint: String, options: [String]) {
        self.kind = kind
        self.type = type
        self.mountPoint = mountPoint
        self.options = options
    }

    /// Finds the mount that holds `path`, or its directory when there is no such file yet.
    ///
    /// - Throws: ``StoreError`` `missing` when the directory does not exist.
    public init(of path: String) throws(StoreError) {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard let resolved = realpath(directory, nil) else {
            throw StoreError(
                .missing,
                "the store directory \(directory) cannot be used: \(String(cString: strerror(errno))). Create it, or "
                    + "name another with --store-dir or INFRAKIT_STORE_DIR."
            )
        }
        defer { free(resolved) }
        var status = stat()
        guard stat(resolved, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw StoreError(.missing, "the store directory \(directory) is not a directory.")
        }
        self.init(directory: String(cString: resolved), mounts: StorageClass.readMounts())
    }

    /// - Parameter mounts: the text of a `mountinfo` file (proc(5)).
    init(directory: String, mounts: String) {
        var best: StorageClass?
        for line in mounts.split(separator: "\n") {
            guard let mount = StorageClass(mountinfo: line) else { continue }
            let point = mount.mountPoint
            let holds = point == "/" || directory == point || directory.hasPrefix(point + "/")
            // Of mounts on the same point the later one covers the earlier.
            if holds, point.utf8.count >= best?.mountPoint.utf8.count ?? 0 { best = mount }
        }
        self = best ?? StorageClass(kind: .unknown, type: "", mountPoint: "/", options: [])
    }

    private init?(mountinfo line: Substring) {
        let halves = line.split(separator: " - ", maxSplits: 1)
        guard halves.count == 2 else { return nil }
        let left = halves[0].split(separator: " ")
        let right = halves[1].split(separator: " ")
        guard left.count >= 6, let type = right.first else { return nil }
        let superOptions = right.count >= 3 ? right[2] : ""
        self.init(
            kind: Self.kind(of: String(type)),
            type: String(type),
            mountPoint: Self.unescape(left[4]),
            options: left[5].split(separator: ",").map(String.init) + superOptions.split(separator: ",").map(String.init)
        )
    }

    private static func readMounts() -> String {
        guard let file = fopen("/proc/self/mountinfo", "r") else { return "" }
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

    /// `mountinfo` writes a blank as `\040`.
    private static func unescape(_ text: Substring) -> String {
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

    /// Why locks on this mount do not keep two hosts apart; nil when nothing says so.
    public var hazard: String? {
        switch kind {
        case .nfs:
            // `local_lock=none` is what one wants; `soft` turns a slow server into a corrupt file.
            for option in options {
                if option == "nolock" || option == "soft" || option == "softerr" || option == "recover_lost_locks" {
                    return "it is mounted with '\(option)'"
                }
                if option.hasPrefix("local_lock="), option != "local_lock=none" {
                    return "it is mounted with '\(option)'"
                }
            }
            return nil
        case .cifs: return options.contains("nobrl") ? "it is mounted with 'nobrl'" : nil
        case .fuse:
            return ["s3fs", "goofys", "gcsfuse", "blobfuse", "rclone", "mount-s3"].contains { type.contains($0) }
                ? "an object store has no locks" : nil
        case .local, .ninep, .unknown: return nil
        }
    }

    func requireSafe(path: String, allowed: Bool) throws(StoreError) {
        guard let hazard, !allowed else { return }
        throw StoreError(
            .unsafeStorage,
            "\(path) lies on \(type) at \(mountPoint), and \(hazard): locks there do not keep two hosts apart, so two "
                + "leaders could act. Mount it with working locks (NFS: hard, no nolock), or accept the risk with "
                + "--unsafe-storage."
        )
    }
}
