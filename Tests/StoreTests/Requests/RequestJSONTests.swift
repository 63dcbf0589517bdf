import GroupSPI
import Testing

@testable import Store

/// A request as it travels.
@Suite struct RequestJSONTests {
    private static let entries = [
        GlobalConfig.Entry(
            spec: GroupSpec(id: "a\"b/\u{E4}", properties: RawJSON(checked: Array("{ \"N\" : 1.50 }".utf8))),
            plugin: "group-stateless"
        ),
        GlobalConfig.Entry(spec: GroupSpec(id: "web", properties: .null), plugin: ""),
    ]
    private static let spec = entries[0].spec

    private static let kinds: [Request.Kind] = [
        .rollback(to: 7, group: nil, expectedCurrent: nil), .rollback(to: 1, group: "web", expectedCurrent: 9),
        .commit(entries, expectedCurrent: 4, confirmWithin: 60_000),
        .commit([], expectedCurrent: nil, confirmWithin: nil), .import(entries), .mark(.confirm(3)),
        .mark(.tag("t", revision: 2, moving: true)), .mark(.untag("t")), .mark(.acknowledge(4, message: "seen")),
        .stepDown, .preview([spec, spec]), .write(.watch(spec)),
        .write(.update(spec)), .write(.commit(spec, pretend: false)), .write(.unwatch(id: "web")),
        .write(.free(id: "web")), .write(.destroy(id: "web")), .write(.stopUpdate(id: "web")),
        .write(.setSize(id: "web", 4)), .write(.destroyInstances(id: "web", ["i1", "i2"])),
    ]

    @Test(arguments: kinds)
    func whatIsWrittenIsRead(_ kind: Request.Kind) throws {
        for author in [Author.tester, Author(user: nil, uid: nil, host: "")] {
            let request = Request(
                id: Request.makeID(),
                kind: kind,
                author: author,
                message: "why \u{201C}so\u{201D}\n",
                time: 123,
                patience: 456
            )
            let bytes = request.json.bytes
            let read = try #require(try Request(JSONView(bytes)))
            #expect(read == request)
            #expect(read.json.bytes == bytes)
        }
    }

    @Test func whatBecameOfItDoesNotTravel() throws {
        let settled = Request(
            id: "r",
            kind: .stepDown,
            author: .tester,
            state: .done,
            revision: 4,
            error: "e",
            answer: .success(.ok)
        )
        let read = try #require(try Request(JSONView(settled.json.bytes)))
        #expect(read.state == .waiting && read.revision == nil && read.error == nil && read.answer == nil)
    }

    @Test(arguments: [
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"new\"}", "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"rollback\"}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"write\",\"Call\":{\"method\":\"New\"}}",
    ])
    func anUnknownKindWaits(_ text: String) throws {
        #expect(try Request(JSONView(Array(text.utf8))) == nil)
    }

    @Test(arguments: [
        "{}", "[]", "1", "{\"ID\":\"\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"step-down\"}",
        "{\"ID\":\"r\",\"Time\":1,\"Kind\":\"step-down\"}", "{\"ID\":\"r\",\"Host\":\"h\",\"Kind\":\"step-down\"}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"mark\",\"Mark\":{}}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"mark\"}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"write\",\"Call\":{\"method\":\"WatchGroup\"}}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"commit\",\"Config\":{\"Groups\":[]}}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"commit\"}",
        "{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"import\"}",
    ])
    func aDamagedOneIsRefused(_ text: String) throws {
        #expect(throws: StoreError.self) { try Request(JSONView(Array(text.utf8))) }
    }
}
