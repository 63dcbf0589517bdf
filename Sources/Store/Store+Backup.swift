extension Store {
    /// Copies the whole store into a new file: one consistent moment, also while a leader writes.
    ///
    /// - Important: No writer can commit meanwhile: some tenths of a second for each hundred megabytes (docs/operations.md).
    /// - Throws: ``StoreError``: `conflict` when the file is there already.
    public func backup(to path: String, within timeout: Duration) async throws(StoreError) {
        try await reader.run(within: timeout) { connection in
            // The transaction begins with its first read; the copy is of that moment.
            _ = try connection.newestRevisionNumber
            try connection.backup(to: path)
        }
    }
}
