internal import Glibc

extension StoreError {
    /// Why SQLite could not open a file, which its one code for that does not tell.
    static func reasonNotOpened(_ path: String) -> String {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        if access(directory, F_OK) != 0 { return "the directory \(directory) does not exist. Create it." }
        if access(path, F_OK) != 0 { return "there is no such file, or no right to create it." }
        if access(path, R_OK) != 0 { return "no right to read it. Check its owner and mode." }
        return "\(String(cString: strerror(errno)))."
    }
}
