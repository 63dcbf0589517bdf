/// One response, taken apart as strictly as it has to be written.
struct HTTPResponseText: Equatable {
    let status: Int
    /// Without the date, which is another one a second later.
    let header: [String: String]
    let body: [UInt8]

    var isContinue: Bool { status == 100 }
    var closes: Bool { header["connection"] == "close" }

    /// Takes the response off the front of the bytes.
    ///
    /// - Throws: ``Broken`` when there is none.
    init(_ bytes: inout ArraySlice<UInt8>) throws {
        let end = try require(bytes.firstRange(of: Array("\r\n\r\n".utf8)), "a response without an end of its head")
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(
            separator: "\r\n",
            omittingEmptySubsequences: false
        )
        bytes = bytes[end.upperBound...]
        let words = lines[0].split(separator: " ", maxSplits: 2)
        try require(
            words.count == 3 && (words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0"),
            "a status line '\(lines[0])'"
        )
        status = try require(Int(words[1]), "a status \(words[1])")
        var header: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ": ", maxSplits: 1, omittingEmptySubsequences: false)
            try require(parts.count == 2 && !parts[0].contains(" "), "a header line '\(line)'")
            let old = header.updateValue(String(parts[1]), forKey: parts[0].lowercased())
            try require(old == nil, "a header twice: '\(line)'")
        }
        if status == 100 {
            try require(header.isEmpty, "a header of 100 Continue")
            (self.header, body) = ([:], [])
            return
        }
        try require(header.removeValue(forKey: "date")?.hasSuffix(" GMT") == true, "a response without a date")
        let length = try require(header["content-length"].flatMap { Int($0) }, "a response without its length")
        // The refusal of a HEAD has the length of a body, and no body.
        let isHead = status != 200 && (bytes.isEmpty || bytes.starts(with: "HTTP/1.".utf8))
        try require(isHead || bytes.count >= length, "a response that is cut off")
        try require((header["content-type"] != nil) == (length > 0), "a content type without a body, or none with one")
        body = Array(bytes.prefix(isHead ? 0 : length))
        bytes = bytes.dropFirst(body.count)
        self.header = header
    }
}
