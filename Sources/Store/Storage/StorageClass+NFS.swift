/// What an NFS mount means for the locks of a host that is lost in the middle of a write. It is all that a server knows of
/// such a host: others wait until it gives the lock up.
extension StorageClass {
    /// `3`, `4.2`, …; nil when this is no NFS, or its options do not name one.
    public var nfsVersion: String? {
        guard kind == .nfs else { return nil }
        return options.first { $0.hasPrefix("vers=") }.map { String($0.dropFirst(5)) }
    }

    /// True where the server never gives up the locks of a host that is lost, until that host is back and says so: before
    /// version 4 there is no lease.
    public var keepsLostLocks: Bool { nfsVersion.map { $0.hasPrefix("3") || $0.hasPrefix("2") } ?? false }

    /// For how many seconds the server keeps the locks of a host that it hears nothing of, as this host was told; nil where
    /// it was told nothing.
    public var lockLease: Int? {
        kind == .nfs ? lockLease(in: Self.read("/proc/self/mountstats")) : nil
    }

    /// - Parameter mountstats: the text of such a file: for each mount a line `device … mounted on … with fstype …`, and lines
    ///   of its own, of which `nfsv4:` names the lease.
    func lockLease(in mountstats: String) -> Int? {
        var isThis = false
        for line in mountstats.split(separator: "\n") {
            if line.hasPrefix("device ") {
                isThis = Self.mountPoint(ofDevice: line) == mountPoint
            } else if isThis, line.drop(while: \.isWhitespace).hasPrefix("nfsv4:"),
                let value = line.firstRange(of: "lease_time=")
            {
                return Int(line[value.upperBound...].prefix(while: \.isNumber))
            }
        }
        return nil
    }

    private static func mountPoint(ofDevice line: Substring) -> String? {
        guard let before = line.firstRange(of: " mounted on "), let after = line.firstRange(of: " with fstype ") else {
            return nil
        }
        return unescape(line[before.upperBound..<after.lowerBound])
    }
}
