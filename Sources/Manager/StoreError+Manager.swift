internal import Store

extension StoreError {
    /// Nothing was stored, and a smaller write, another, or a later one, may be: there was no time, no room, a page on its way is
    /// damaged, or what is there is not the database, and whoever puts a file in its place needs a moment. That says nothing about
    /// the lease, which others honour for its time: the term goes on until its deadline.
    var isPassing: Bool {
        switch code {
        case .busy, .full, .corrupt, .directoryMissing, .missing, .empty, .lost, .foreign, .notADatabase: true
        default: false
        }
    }
}
