extension Store {
    /// What is wrong with the first page that does not match its checksum; nil when all have. Keeps nobody from writing.
    public func firstDamage(within timeout: Duration) async throws(StoreError) -> String? {
        do {
            try await Self.alone(configuration, "store.pages", within: timeout, Reader.connect) { connection in
                if !connection.isUnchecked { try connection.checkPages() }
            }
            return nil
        } catch {
            guard error.code == .corrupt else { throw error }
            return error.message
        }
    }

    /// Copies the whole store into a new file: one consistent moment, also while a leader writes. It keeps nobody from writing for
    /// longer than a look at the file takes, unless somebody writes all the time (`Connection/copyFile(to:_:watch:)`).
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - asItIs: also damaged pages, for a look at them.
    ///   - timeout: how long it may take.
    /// - Throws: ``StoreError``: `conflict` when the file is there already.
    public func backup(to path: String, asItIs: Bool = false, within timeout: Duration) async throws(StoreError) {
        var configuration = configuration
        if asItIs { configuration.checksPages = false }
        // Not on the reader's thread, whose every work is one transaction.
        try await Self.alone(configuration, "store.backup", within: timeout, Reader.connect) { connection in
            try connection.backup(to: path, asItIs ? .asItIs : .sound)
        }
    }
}
