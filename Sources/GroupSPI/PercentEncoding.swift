extension String {
    /// Each byte as `%` and two digits: any path, in the place where a URL has its host (`http+unix://`).
    public var percentEncoded: String {
        utf8.map { ($0 < 16 ? "%0" : "%") + String($0, radix: 16, uppercase: true) }.joined()
    }
}
