/// What a fake plugin does with a request.
public enum FakeAnswer: Sendable {
    /// The JSON text of a result.
    case result(String)
    case error(String)
    /// As `result`, when ``FakePlugin/releaseHeld()`` is called.
    case hold(String)
    /// Nothing, ever.
    case silence
    /// Closes the connection.
    case hangUp
    /// Sends these bytes and leaves the connection open.
    case raw(String)
    /// Sends these bytes and closes the connection.
    case rawAndHangUp(String)
    /// Sends these bytes, and then the second ones again and again until the client has had enough.
    case endless(String, String)
}
