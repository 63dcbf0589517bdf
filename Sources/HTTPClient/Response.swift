package import NIOHTTP1

/// A whole HTTP response.
package struct Response: Sendable {
    package let status: HTTPResponseStatus
    package let body: [UInt8]
}
