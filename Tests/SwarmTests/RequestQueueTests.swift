import GroupSPI
import Store
import Testing

@testable import Replication
@testable import Swarm

@Suite("What nodes ask of the leader, in a label")
struct RequestQueueTests {
    private static func request(_ id: String, _ kind: Request.Kind = .stepDown) -> Request {
        Request(id: id, kind: kind, author: Author(user: "ann", uid: 7, host: "h"), message: "m", time: 9, patience: 5)
    }

    private static func label(_ json: String) throws -> String { try LabelText.encode(Array(json.utf8)) }

    @Test func `What is written is read, in the order in which it came`() throws {
        var queue = RequestQueue()
        #expect(try queue.encoded().isEmpty)
        for id in ["c", "a", "b"] { queue.add(Self.request(id, .rollback(to: 3, group: nil, expectedCurrent: 4))) }
        let read = try RequestQueue(label: try queue.encoded())
        #expect(read == queue && read.hashValue == queue.hashValue)
        #expect(read.requests.map(\.id) == ["c", "a", "b"] && read.ids == ["a", "b", "c"])
        #expect(
            read.requests == ["c", "a", "b"].map { Self.request($0, .rollback(to: 3, group: nil, expectedCurrent: 4)) }
        )
        queue.remove(["a", "zzz"])
        #expect(queue.requests.map(\.id) == ["c", "b"] && queue != read)
        // Added again, it is there once.
        queue.add(Self.request("c"))
        #expect(queue.requests.map(\.id) == ["b", "c"])
        queue.remove(["b", "c"])
        #expect(queue == RequestQueue())
        #expect(try queue.encoded().isEmpty)
    }

    @Test func `No label, and an empty one, ask for nothing`() throws {
        #expect(try RequestQueue(label: nil) == RequestQueue())
        #expect(try RequestQueue(label: "") == RequestQueue())
    }

    @Test func `What is not known here stays as it is`() throws {
        let unknown = "{\"ID\":\"new\",\"Host\":\"h\",\"Time\":1,\"Kind\":\"dance\",\"Steps\":[ 1.50 ]}"
        let damaged = "{\"ID\":\"bad\"}"
        var queue = try RequestQueue(label: try Self.label("{\"Requests\":[\(unknown),\(damaged)]}"))
        #expect(queue.ids == ["new", "bad"] && queue.requests.isEmpty)
        queue.add(Self.request("r"))
        let json = try LabelText.decode(try queue.encoded(), limit: 9999, label: "x")
        #expect(json.member("Requests")?.elements.first?.raw.text == unknown)
        #expect(json.member("Requests")?.elements.count == 3)
        #expect(queue.requests.map(\.id) == ["r"])
        queue.remove(["bad"])
        #expect(queue.ids == ["new", "r"])
    }

    /// Who may write the label could otherwise end the leader, which reckons with these numbers.
    @Test(arguments: [
        "\"Time\":-9223372036854775808", "\"Time\":1,\"Patience\":9223372036854775807", "\"Time\":1,\"Patience\":\"1\"",
        "\"Time\":1,\"UID\":1.5", "\"Time\":1,\"ExpectedCurrent\":\"3\"",
        "\"Time\":1,\"ConfirmWithin\":9223372036854775807",
    ])
    func `Numbers that nobody can reckon with`(_ members: String) throws {
        let config = "\"Kind\":\"commit\",\"Config\":{\"Groups\":{}}"
        let queue = try RequestQueue(
            label: try Self.label("{\"Requests\":[{\"ID\":\"r\",\"Host\":\"h\",\(config),\(members)}]}")
        )
        #expect(queue.ids == ["r"] && queue.requests.isEmpty)
    }

    /// Without its size, the call would empty the group.
    @Test func `A size that is none`() throws {
        for size in ["", ",\"size\":\"3\"", ",\"size\":9223372036854775808"] {
            let call = "\"Kind\":\"write\",\"Call\":{\"method\":\"SetSize\",\"id\":\"g\"\(size)}"
            let json = "{\"Requests\":[{\"ID\":\"r\",\"Host\":\"h\",\"Time\":1,\(call)}]}"
            #expect(try RequestQueue(label: try Self.label(json)).requests.isEmpty)
        }
    }

    @Test(arguments: [
        "{}", "[]", "1", "{\"Requests\":{}}", "{\"Requests\":[1]}", "{\"Requests\":[{}]}", "{\"Requests\":[]",
    ])
    func `What is none`(_ json: String) throws {
        let error = #expect(throws: AnnotationError.self) { try RequestQueue(label: try Self.label(json)) }
        #expect(error?.code == .corrupt && error?.message.contains("infrakit.requests") == true)
        #expect(throws: AnnotationError.self) { try RequestQueue(label: json) }
    }

    @Test func `A bomb is not unfolded`() throws {
        let error = #expect(throws: AnnotationError.self) {
            try RequestQueue(label: try Self.label("{\"Requests\":[\(String(repeating: " ", count: 5_000_000))]}"))
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func `Too much is refused`() throws {
        var queue = RequestQueue()
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &generator) }.hexadecimal
        let properties = RawJSON(checked: JSON.string(noise).bytes)
        let spec = GroupSpec(id: "g", properties: properties)
        queue.add(Self.request("a", .write(.commit(spec, pretend: false))))
        let error = #expect(throws: AnnotationError.self) { try queue.encoded() }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("Send the request on the node that leads") == true)
    }
}
