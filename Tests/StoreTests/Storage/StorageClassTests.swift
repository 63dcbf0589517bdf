import Testing

@testable import Store

@Suite struct StorageClassTests {
    private static let mounts = #"""
        22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
        30 22 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=1024k
        41 22 0:40 / /srv/nfs rw,relatime shared:9 master:2 - nfs4 filer:/export rw,vers=4.2,hard,proto=tcp,local_lock=none
        42 22 0:41 / /srv/nfs/soft rw,relatime - nfs filer:/b rw,vers=3,soft,local_lock=none
        43 22 0:42 / /srv/nfs/softerr rw,relatime - nfs4 filer:/b rw,softerr
        44 22 0:43 / /srv/nfs/nolock rw,relatime - nfs filer:/b rw,vers=3,hard,nolock,local_lock=all
        45 22 0:44 / /srv/nfs/locallock rw,relatime - nfs filer:/b rw,vers=3,hard,local_lock=posix
        50 22 0:50 / /srv/smb rw,relatime - cifs //filer/share rw,vers=3.1.1
        51 22 0:51 / /srv/smb/nobrl rw,relatime - cifs //filer/share rw,nobrl
        60 22 0:60 / /srv/s3 rw,nosuid - fuse.s3fs s3fs rw,user_id=0
        61 22 0:61 / /srv/mountpoint rw,nosuid - fuse mountpoint-s3 rw,user_id=0
        62 22 0:62 / /srv/gcs rw,nosuid - fuse.gcsfuse bucket rw
        63 22 0:63 / /srv/rclone rw,nosuid - fuse.rclone remote: rw
        64 22 0:64 / /srv/blob rw,nosuid - fuse.blobfuse2 blobfuse2 rw
        65 22 0:65 / /srv/goofys rw,nosuid - fuse.goofys bucket rw
        66 22 0:66 / /srv/ssh rw,nosuid - fuse.sshfs host:/x rw
        67 22 0:67 / /srv/juice rw,nosuid - fuse.juicefs JuiceFS:x rw
        70 22 0:70 / /srv/nine rw - 9p hostshare rw,trans=virtio
        80 22 0:80 / /mnt/with\040blank rw - nfs4 filer:/c rw,hard
        90 22 0:90 / /srv/other rw - gpfs gpfs rw
        91 22 0:91 / /srv/twice rw - ext4 /dev/sda1 rw
        92 22 0:92 / /srv/twice rw - nfs4 filer:/d rw,hard
        no line of that kind
        """#

    @Test(
        arguments: [
            ("/var/lib", .local, "/", nil), ("/", .local, "/", nil), ("/run/x", .local, "/run", nil),
            ("/runner", .local, "/", nil),
            ("/srv/nfs", .nfs, "/srv/nfs", nil), ("/srv/nfs/a/b", .nfs, "/srv/nfs", nil),
            ("/srv/nfsx", .local, "/", nil),
            ("/srv/nfs/soft", .nfs, "/srv/nfs/soft", "'soft'"),
            ("/srv/nfs/softerr/a", .nfs, "/srv/nfs/softerr", "'softerr'"),
            ("/srv/nfs/nolock", .nfs, "/srv/nfs/nolock", "'nolock'"),
            ("/srv/nfs/locallock", .nfs, "/srv/nfs/locallock", "'local_lock=posix'"),
            ("/srv/smb", .cifs, "/srv/smb", nil), ("/srv/smb/nobrl", .cifs, "/srv/smb/nobrl", "'nobrl'"),
            ("/srv/s3/a", .fuse, "/srv/s3", "object store"),
            ("/srv/mountpoint", .fuse, "/srv/mountpoint", "object store"),
            ("/srv/gcs", .fuse, "/srv/gcs", "object store"), ("/srv/rclone", .fuse, "/srv/rclone", "object store"),
            ("/srv/blob", .fuse, "/srv/blob", "object store"), ("/srv/goofys", .fuse, "/srv/goofys", "object store"),
            ("/srv/ssh", .fuse, "/srv/ssh", "is not told of locks"), ("/srv/juice", .fuse, "/srv/juice", nil),
            ("/srv/nine", .ninep, "/srv/nine", nil), ("/mnt/with blank/x", .nfs, "/mnt/with blank", nil),
            ("/srv/other", .unknown, "/srv/other", nil), ("/srv/twice", .nfs, "/srv/twice", nil),
        ] as [(String, StorageClass.Kind, String, String?)]
    )
    func aPathIsClassifiedByItsMount(
        _ path: String,
        _ kind: StorageClass.Kind,
        _ mountPoint: String,
        _ hazard: String?
    ) throws {
        let storage = StorageClass(directory: path, mounts: Self.mounts)
        #expect(storage.kind == kind && storage.mountPoint == mountPoint)
        guard let hazard else {
            #expect(storage.hazard == nil)
            try storage.requireSafe(path: path, allowed: false)
            return
        }
        let error = #expect(throws: StoreError.self) { try storage.requireSafe(path: path, allowed: false) }
        #expect(error?.code == .unsafeStorage)
        for part in [hazard, storage.type, mountPoint, "--unsafe-storage"] {
            #expect(error?.message.contains(part) == true, "\(part) in \(String(describing: error))")
        }
        try storage.requireSafe(path: path, allowed: true)
    }

    /// A parameter of the kernel's module, not an option of the mount.
    @Test(arguments: [("Y\n", true), ("1\n", true), ("N\n", false), ("", false)])
    func lostLocksThatAreRecoveredAreAHazardOnNFS(_ parameter: String, _ isHazard: Bool) {
        let nfs = StorageClass(directory: "/srv/nfs", mounts: Self.mounts, recoverLostLocks: parameter)
        #expect(nfs.recoversLostLocks == isHazard)
        #expect(nfs.hazard?.contains("/sys/module/nfs/parameters/recover_lost_locks") ?? false == isHazard)
        let local = StorageClass(directory: "/var", mounts: Self.mounts, recoverLostLocks: parameter)
        #expect(local.hazard == nil)
    }

    // MARK: - The locks of a host that is lost

    @Test(
        arguments: [
            ("/srv/nfs", "4.2", false), ("/srv/nfs/soft", "3", true), ("/srv/nfs/softerr", nil, false),
            ("/srv/smb", nil, false), ("/var", nil, false),
        ] as [(String, String?, Bool)]
    )
    func theVersionTellsWhetherALostHostsLocksEnd(_ path: String, _ version: String?, _ isKept: Bool) {
        let storage = StorageClass(directory: path, mounts: Self.mounts)
        #expect(storage.nfsVersion == version && storage.keepsLostLocks == isKept)
    }

    /// As a client of Linux 6.1 shows it, but for what matters to nobody here.
    private static let mountstats = """
        device /dev/root mounted on / with fstype ext4
        device filer:/b mounted on /srv/nfs/soft with fstype nfs statvers=1.1
        \topts:\trw,vers=3,soft
        \tbytes:\t0 0 0 0
        device filer:/export mounted on /srv/nfs with fstype nfs4 statvers=1.1
        \topts:\trw,vers=4.2,hard
        \tnfsv4:\tbm0=0xfdffbfff,acl=0x3,sessions,pnfs=not configured,lease_time=90,lease_expired=0
        \tsec:\tflavor=1,pseudoflavor=1
        device filer:/c mounted on /mnt/with\\040blank with fstype nfs4 statvers=1.1
        \tnfsv4:\tbm0=0xfdffbfff,acl=0x3,sessions,pnfs=not configured,lease_time=15,lease_expired=0
        """

    @Test(
        arguments: [
            ("/srv/nfs", 90), ("/mnt/with blank", 15), ("/srv/nfs/soft", nil), ("/srv/nfs/softerr", nil), ("/var", nil),
        ] as [(String, Int?)]
    )
    func theServersLeaseIsReadFromTheMountsOwnLines(_ path: String, _ lease: Int?) {
        let storage = StorageClass(directory: path, mounts: Self.mounts)
        #expect(storage.lockLease(in: Self.mountstats) == lease)
        #expect(storage.lockLease(in: "") == nil)
    }

    @Test func withoutATableNothingIsKnown() {
        let storage = StorageClass(directory: "/srv", mounts: "")
        #expect(storage.kind == .unknown && storage.hazard == nil)
    }

    @Test func thisHostsOwnTableIsRead() async throws {
        try await withScratch { directory in
            let storage = try StorageClass(of: "\(directory)/manager.db")
            #expect(!storage.type.isEmpty && storage.mountPoint.hasPrefix("/"))
            #expect(throws: StoreError.self) { try StorageClass(of: "\(directory)/no/manager.db") }
            let root = try StorageClass(of: "/manager.db")
            #expect(root.mountPoint == "/")
        }
    }
}
