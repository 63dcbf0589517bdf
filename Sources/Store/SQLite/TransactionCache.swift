/// What a transaction has found out and nobody else can change before its end: many pieces of work in one transaction ask for it
/// once.
struct TransactionCache {
    /// Holds the lease.
    var fence: Fence?
    /// The newest revision.
    var head: (number: Int, hash: [UInt8])?
    /// All specifications are among those that the connection remembers, as far as it remembers them.
    var knowsSpecs = false
}
