package import NIOHTTP1

/// A whole HTTP response.
package struct Answer: Sendable {
    package let status: HTTPResponseStatus
    package let body: [UInt8]
}
