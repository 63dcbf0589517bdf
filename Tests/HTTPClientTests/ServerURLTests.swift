import HTTPClient
import Testing

@Suite("URLs of servers")
struct ServerURLTests {
    @Test(arguments: [
        ("http://h", ServerAddress.tcp(host: "h", port: 80), "h", "/"),
        ("HTTP://h:80/", .tcp(host: "h", port: 80), "h", "/"),
        ("http://h:1/x/y?z=1#end", .tcp(host: "h", port: 1), "h:1", "/x/y?z=1"),
        ("http://h:?q", .tcp(host: "h", port: 80), "h", "/?q"),
        ("http://[::1]:65535/%41", .tcp(host: "::1", port: 65535), "[::1]:65535", "/%41"),
        ("http://[fe80::1]", .tcp(host: "fe80::1", port: 80), "[fe80::1]", "/"),
        ("http://me:word@h:1", .tcp(host: "h", port: 1), "h:1", "/"),
    ])
    func `Are taken apart`(_ text: String, _ address: ServerAddress, _ authority: String, _ target: String) throws {
        let url = try #require(ServerURL(text))
        #expect(url.address == address)
        #expect(url.authority == authority)
        #expect(url.target == target)
    }

    @Test(arguments: [
        "", "h", "http:/h", "https://h", "http://", "http:///x", "http://:1", "http://h:0", "http://h:65536",
        "http://h:-1", "http://h:1x", "http://h:1:2", "http://[::1", "http://[::1]1", "http://[]", "http://h/a b",
        "http://h/\r\nX: y",
        "http://hö", "http://h/ö",
    ])
    func `Are refused when they are none`(_ text: String) {
        #expect(ServerURL(text) == nil)
    }
}
