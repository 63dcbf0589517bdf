internal import CSHA256

/// Names a text by its SHA-256.
enum Digest {
    /// The first `length` bytes of the digest, in hexadecimal digits.
    static func hex(_ bytes: [UInt8], length: Int) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        csha256(bytes, bytes.count, &digest)
        return digest.prefix(length).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
