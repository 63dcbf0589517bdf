public import Store

/// What became of a request, for the one who asked.
public enum RequestEnd: Hashable, Sendable {
    /// A leader has carried it out, or goes on with it: the revision, as it was last seen, tells how far. No revision: nothing
    /// had to change, or the request's answer tells.
    case carriedOut(Request, Revision?)
    /// The leader has said no, in these words, and changed nothing.
    case refused(String)
    /// Nothing was changed, and nothing will be.
    case nothing(NothingChanged)
    /// It is in the store, or may be, and may still be carried out.
    case unknown(UnknownEnd)
}

/// Why a request may still be carried out, as far as is known.
public struct UnknownEnd: Hashable, Sendable {
    /// The revision that carries it out, when that is known.
    public let revision: Int?
    /// Why it was to be taken back.
    public let why: NothingChanged.Why
    /// The last trouble at the store.
    public let trouble: StoreError?
}
