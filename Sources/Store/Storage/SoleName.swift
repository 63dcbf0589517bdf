internal import CLinux
internal import Glibc

/// SQLite keeps a transaction's journal beside the name by which the file was opened. Under a second name nobody finds it: what a
/// leader that was killed had half written stays, and the file is destroyed. So a database in use has one name. Symbolic links and
/// mounts of its directory are none: the journal lies in the same directory.
enum SoleName {
    /// - Throws: ``StoreError`` `unsafeStorage` when the file has a second hard link, or is a mount point by itself.
    static func require(of path: String) throws(StoreError) {
        var status = stat()
        // What cannot be looked at cannot be opened either, and that says why.
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        if status.st_nlink > 1 {
            throw unsafe(
                path,
                "has \(status.st_nlink) names (hard links)",
                "Remove the others (find -samefile lists them), or use a copy made by `infrakit-manager backup`."
            )
        }
        if clinux_is_mount_root(path) == 1 {
            throw unsafe(path, "is a mount point by itself (a bind mount of one file)", "Mount its directory instead.")
        }
    }

    private static func unsafe(_ path: String, _ fact: String, _ advice: String) -> StoreError {
        StoreError(
            .unsafeStorage,
            "\(path) \(fact). An interrupted change is undone from a journal beside the file. Under another name the "
                + "journal is not found, and the database would be destroyed. \(advice)"
        )
    }
}
