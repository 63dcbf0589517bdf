internal import Glibc
package import Store

/// Where a node keeps its replica.
package protocol ReplicaPlace: Sendable {
    /// For people.
    var path: String { get }

    /// Opens the replica; makes it when it is missing.
    func open() async throws(StoreError) -> any LocalReplica

    /// Puts the replica out of the way and an empty one in its place, which whoever has the old one open then finds.
    ///
    /// - Parameter word: goes into the old one's new name, and says why.
    /// - Returns: that name; nil when there was none.
    func resync(quarantining word: String) async throws(StoreError) -> String?

    /// One that was put out of the way for that reason, if any is still there.
    func quarantined(as word: String) -> String?
}

/// A database in a directory of its own.
package struct DatabasePlace: ReplicaPlace {
    let configuration: StoreConfiguration

    package init(_ configuration: StoreConfiguration) { self.configuration = configuration }

    package var path: String { configuration.path }

    package func open() async throws(StoreError) -> any LocalReplica { try await Store.openForManager(configuration) }

    package func resync(quarantining word: String) async throws(StoreError) -> String? {
        try await Store.resync(configuration, quarantining: word)
    }

    package func quarantined(as word: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let folder = String(path[..<slash])
        let prefix = "\(path[path.index(after: slash)...]).\(word)-"
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(prefix), !name.hasSuffix("-journal") { return "\(folder)/\(name)" }
        }
        return nil
    }
}
