import GroupSPI
import Replication
import Store

@testable import Swarm

/// A label's text, whatever somebody has written there, and the layers that it is packed in.
enum LabelTarget {
    static func run(_ input: [UInt8]) throws {
        try base64(input)
        try zlib(input)
        let text = String(decoding: input, as: UTF8.self)
        if let annotation = try? Annotation(label: text) {
            try same(Annotation(label: annotation.encoded().text), annotation, "written and read again, it differs")
        }
        if let queue = try? RequestQueue(label: text) {
            try same(RequestQueue(label: queue.encoded()), queue, "written and read again, the requests differ")
        }
    }

    private static func base64(_ input: [UInt8]) throws {
        try same(Base64.decode(Base64.encode(input)), input, "base64, there and back")
        guard let bytes = try? Base64.decode(input) else { return }
        // One text for one value: nothing can hide in what is left over.
        try same(Base64.encode(bytes), input.filter { $0 != 0x0A && $0 != 0x0D }, "base64, back and there")
    }

    private static func zlib(_ input: [UInt8]) throws {
        try same(Zlib.decompress(Zlib.compress(input), limit: input.count), input, "zlib, there and back")
        guard let bytes = try? Zlib.decompress(input, limit: 1 << 16) else { return }
        try require(bytes.count <= 1 << 16, "more than the limit comes out")
    }
}
