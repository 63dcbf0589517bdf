package import NIOHTTP1

/// One HTTP request.
package struct Request: Sendable {
    package let method: HTTPMethod
    /// Path and query.
    package let target: String
    /// Beside `Host` and `Content-Length`.
    package let headers: HTTPHeaders
    /// Nil: none, and no word about its length; not for a method that has one.
    package let body: [UInt8]?

    package init(_ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}
