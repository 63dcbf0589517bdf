internal import GroupSPI

/// Where the leader is, in the shape that Go decodes into its `url.URL`: an object, not a string.
struct LeaderURL {
    let scheme: String
    let host: String
    let path: String

    /// `tcp://host:2377/path`, or a bare name, which becomes the host.
    init(_ text: String) {
        var rest = Substring(text)
        var scheme = ""
        if let separator = rest.firstIndex(of: ":"), rest[separator...].hasPrefix("://") {
            scheme = String(rest[..<separator])
            rest = rest[separator...].dropFirst(3)
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        self.scheme = scheme
        self.host = String(rest[..<slash])
        self.path = String(rest[slash...])
    }

    var json: JSON {
        [
            "Scheme": .string(scheme), "Opaque": "", "User": nil, "Host": .string(host), "Path": .string(path),
            "RawPath": "", "ForceQuery": false, "RawQuery": "", "Fragment": "",
        ]
    }
}
