extension [UInt8] {
    /// Without the mark that some editors write before UTF-8. It is of the file, and no part of its text (RFC 8259, 8.1).
    public var withoutByteOrderMark: [UInt8] { starts(with: [0xEF, 0xBB, 0xBF]) ? Array(dropFirst(3)) : self }
}
