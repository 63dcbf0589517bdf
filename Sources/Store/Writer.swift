/// The connection that writes: all that waits at one moment, and what comes while that is carried out, goes into one transaction,
/// so that many writers share one sync of the disk.
///
/// A piece that fails takes none of the others with it: then all is undone, and done again with a savepoint for each piece.
/// At once that would cost every writer for what few need.
final class Writer: @unchecked Sendable {
    // Touched only on the queue's thread, hence unchecked.
    private var connection: Connection?
    private let configuration: StoreConfiguration
    private let memory: StoreMemory?

    private init(_ configuration: StoreConfiguration, _ memory: StoreMemory?) {
        self.configuration = configuration
        self.memory = memory
    }

    /// A queue whose thread owns a writer. The queue keeps it for as long as work is under way.
    static func queue(_ configuration: StoreConfiguration, _ memory: StoreMemory?) -> DatabaseQueue {
        let writer = Writer(configuration, memory)
        return DatabaseQueue(label: "store.writer", path: configuration.path, purpose: .writing) {
            writer.perform($0, $1)
        }
    }

    /// So many pieces end a transaction, also when more would come: those who wait are to be answered at some time.
    private static let limit = 512

    private func perform(_ batch: [Job], _ more: () -> [Job]) {
        var batch = batch.filter(\.isWaiting)
        guard !batch.isEmpty else { return }
        let connection: Connection
        do {
            connection = try open()
            try connection.begin()
        } catch {
            let failure = StoreError(any: error)
            if failure.code != .busy { close() }
            for job in batch { job.settle(failure) }
            return
        }
        do {
            commit(connection, try runAll(&batch, more, connection))
        } catch {
            // SQLite has left the transaction, or what it reads can no longer be trusted: nothing of this batch is
            // stored.
            let failure = StoreError(any: error)
            close()
            for job in batch { job.settle(failure) }
        }
    }

    /// The lock may have taken long to come: only now is it certain that a piece will run, and only what somebody still
    /// waits for does.
    ///
    /// - Parameter batch: gets what has come meanwhile.
    /// - Returns: what was done; what failed is settled.
    /// - Throws: when nothing more can be done through this connection.
    private func runAll(_ batch: inout [Job], _ more: () -> [Job], _ connection: Connection) throws -> [Job] {
        do {
            var done: [Job] = []
            var next = 0
            while next < batch.count {
                for job in batch[next...] where job.begin() {
                    try job.body(connection)
                    done.append(job)
                }
                next = batch.count
                if next < Self.limit { batch += more() }
            }
            return done
        } catch {
            guard connection.isInTransaction, connection.outlives(error) else { throw error }
            try connection.rollBack()
            try connection.begin()
            return try runEach(batch, connection)
        }
    }

    private func runEach(_ batch: [Job], _ connection: Connection) throws -> [Job] {
        var done: [Job] = []
        for job in batch where job.begin() {
            try connection.execute("SAVEPOINT work")
            do {
                try job.body(connection)
                try connection.execute("RELEASE work")
                done.append(job)
            } catch {
                guard connection.isInTransaction, connection.outlives(error) else { throw error }
                try connection.rollBack(to: "work")
                try connection.execute("RELEASE work")
                job.settle(StoreError(any: error))
            }
        }
        return done
    }

    private func commit(_ connection: Connection, _ done: [Job]) {
        guard !done.isEmpty else { return rollBack(connection) }
        do {
            try connection.commit()
            for job in done { job.settle(nil) }
        } catch let error as SQLiteError where error.isBusy && connection.isInTransaction {
            // Readers would not let go within the busy timeout. The transaction is whole and undone by choice.
            rollBack(connection)
            for job in done { job.settle(StoreError(error)) }
        } catch {
            // An error at the commit says nothing about what reached the disk (measured on NFS: a failed directory sync
            // had persisted). Only a fresh look can tell.
            close()
            resolve(done, after: StoreError(any: error))
        }
    }

    private func rollBack(_ connection: Connection) {
        do {
            try connection.rollBack()
        } catch {
            close()
        }
    }

    /// Settles each piece by what a new connection finds stored, and the disk is sure to keep.
    private func resolve(_ done: [Job], after error: StoreError) {
        let unknown = StoreError(
            .unknownOutcome,
            "the commit failed, and it is not known whether it was stored: \(error.message)",
            cause: error.cause
        )
        var stored: [Job] = []
        for job in done {
            do {
                let connection = try open()
                switch try job.verify(connection) {
                case true: stored.append(job)
                case false: job.settle(error)
                case nil: job.settle(unknown)
                }
            } catch {
                close()
                job.settle(unknown)
            }
        }
        guard !stored.isEmpty else { return }
        do {
            try open().keepLastCommit()
            for job in stored { job.settle(nil) }
        } catch {
            close()
            for job in stored { job.settle(unknown) }
        }
    }

    private func open() throws -> Connection {
        if let connection {
            if !connection.hasMoved { return connection }
            close()
        }
        try Schema.requireFile(at: configuration.path)
        let opened = try Connection(configuration, mode: .readWrite)
        // One that was opened while nobody could write would stay like that, and not notice when it can be written again.
        guard !opened.isReadOnly else { throw StoreError.readOnly(configuration.path) }
        guard !opened.isUnchecked else { throw StoreError.withoutChecksums(configuration.path) }
        try Schema.requireCurrent(opened)
        opened.memory = memory
        connection = opened
        return opened
    }

    /// Closes it now, also when somebody up the stack still refers to it: what looks next must not find its locks.
    private func close() {
        connection?.close()
        connection = nil
    }
}

extension StoreError {
    init(any error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as SQLiteError: self.init(error)
        default: self.init(.io, "\(error)")
        }
    }
}
