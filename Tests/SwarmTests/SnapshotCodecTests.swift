import Glibc
import GroupSPI
import Store
import StoreFakes
import Testing

@testable import Swarm

@Suite("The history's snapshot in a label")
struct SnapshotCodecTests {
    private static let limits = [
        Snapshot.Limits(records: 1, bytes: 0, terms: 1), Snapshot.Limits(records: 5, terms: 4),
    ]

    /// What a label does not carry of a lease: how often it was seen.
    private static func normal(_ snapshot: Snapshot) -> Snapshot {
        var snapshot = snapshot
        snapshot.lease = snapshot.lease.seen(at: snapshot.lease.acquiredAt, sequence: 0)
        return snapshot
    }

    private static func snapshot(seed: UInt64, steps: Int) throws -> Snapshot {
        var script = LeaderScript(seed: seed, trimmingTo: limits)
        for _ in 0..<steps { _ = try script.step() }
        return script.snapshot
    }

    private static func json(_ annotation: Annotation) throws -> [UInt8] {
        try Zlib.decompress(try Base64.decode(try annotation.encoded().text.utf8), limit: Annotation.largestText)
    }

    private static func label(_ json: [UInt8]) throws -> String { try LabelText.encode(json) }
    private static func label(_ json: String) throws -> String { try label(Array(json.utf8)) }

    // MARK: - Back and forth

    @Test(arguments: [1, 20_261, UInt64.random(in: 0 ... .max)])
    func `What is written is read`(_ seed: UInt64) throws {
        var script = LeaderScript(seed: seed, trimmingTo: Self.limits)
        #expect(try Annotation(label: try Annotation(script.snapshot).encoded().text).snapshot == script.snapshot)
        for number in 1...80 {
            _ = try script.step()
            let text = try Annotation(script.snapshot).encoded().text
            let read = try Annotation(label: text)
            #expect(read.snapshot == Self.normal(script.snapshot), "seed \(seed), step \(number)")
            #expect(read.groups == read.groups.sorted { $0.spec.id < $1.spec.id })
            #expect(Dictionary(uniqueKeysWithValues: read.groups.map { ($0.spec.id, $0) }) == script.snapshot.groups)
            // What was read is written again as it was: nobody's write changes what they did not mean to.
            #expect(try Annotation(try #require(read.snapshot)).encoded().text == text, "seed \(seed), step \(number)")
        }
    }

    @Test func `A specification that stands is written once`() throws {
        var script = LeaderScript(seed: 9)
        while script.fence == nil { _ = try script.step() }
        let fence = try #require(script.fence)
        var snapshot = script.snapshot
        snapshot.records = []
        snapshot.base = Snapshot.Base()
        let word = "a-long-word-that-is-found"
        let properties = try RawJSON("{\"w\":\"\(word)\"}")
        let draft = RevisionDraft(
            author: LeaderScript.author,
            operation: .commit,
            changes: [Change(group: "g", action: .set(properties, plugin: "p"))]
        )
        _ = try snapshot.append(draft, fence: fence, time: 1)
        func count() throws -> Int {
            String(decoding: try Self.json(Annotation(snapshot)), as: UTF8.self).ranges(of: word).count
        }
        #expect(try count() == 1)
        // A refused one does not stand; what it was is in the history all the same.
        try snapshot.record(Outcome(revision: 1, group: "g", status: .rejected), fence: fence)
        #expect(snapshot.groups.isEmpty)
        #expect(try count() == 1)
        #expect(try Annotation(label: try Annotation(snapshot).encoded().text).snapshot == Self.normal(snapshot))
    }

    // MARK: - Damage

    @Test func `Every damaged byte of a label is found`() throws {
        let snapshot = try Self.snapshot(seed: 4, steps: 5)
        #expect(!snapshot.records.isEmpty)
        let annotation = Annotation(Self.normal(snapshot))
        let text = try annotation.encoded().text
        let packed = try Base64.decode(text.utf8)
        var found = 0
        for index in packed.indices {
            for bit in [index % 8, (index + 5) % 8] {
                var bad = packed
                bad[index] ^= 1 << bit
                let label = String(decoding: Base64.encode(bad), as: UTF8.self)
                if let read = try? Annotation(label: label) {
                    #expect(read == annotation, "byte \(index), bit \(bit)")
                } else {
                    found += 1
                }
            }
        }
        #expect(found > packed.count)
        let characters = Array(text.utf8)
        for index in characters.indices {
            for other in [UInt8(ascii: "A"), UInt8(ascii: "=")] {
                var bad = characters
                bad[index] = other
                if let read = try? Annotation(label: String(decoding: bad, as: UTF8.self)) {
                    #expect(read == annotation, "character \(index)")
                }
            }
        }
    }

    /// The checksum of zlib does not tell what another program has written. What is read is then at least in itself
    /// right: the hashes fit, and what stands is what the history comes to.
    @Test func `Damage below the checksum is found, or is still a history`() throws {
        let annotation = Annotation(Self.normal(try Self.snapshot(seed: 6, steps: 7)))
        let json = try Self.json(annotation)
        #expect(annotation.snapshot?.records.isEmpty == false)
        var refused = 0
        for index in json.indices {
            for other in [json[index] ^ 1, UInt8(ascii: "\"")] {
                var bad = json
                bad[index] = other
                guard let read = try? Annotation(label: try Self.label(bad)) else {
                    refused += 1
                    continue
                }
                guard let snapshot = read.snapshot else {
                    // Without a revision it is the Go manager's; the name of the member itself was hit.
                    #expect(String(decoding: json[max(0, index - 12)...], as: UTF8.self).contains("Revision"))
                    continue
                }
                #expect(snapshot.isSound && snapshot.newest >= snapshot.base.revision, "byte \(index)")
                #expect(Dictionary(read.groups.map { ($0.spec.id, $0) }) { first, _ in first } == snapshot.groups)
                #expect(snapshot.records.count == annotation.snapshot?.records.count, "byte \(index)")
            }
        }
        #expect(refused > json.count)
    }

    @Test func `Every cut of it is found`() throws {
        let json = try Self.json(Annotation(try Self.snapshot(seed: 6, steps: 7)))
        for end in json.indices {
            #expect(throws: AnnotationError.self) { try Annotation(label: try Self.label(Array(json[..<end]))) }
        }
    }

    private static func lease(ttl: String, acquiredAt: String) -> String {
        "\"Lease\":{\"Node\":\"n\",\"Manager\":\"m\",\"Instance\":\"i\",\"TTL\":\(ttl),\"AcquiredAt\":\(acquiredAt),\"Host\":\"h\","
            + "\"BootID\":\"b\",\"PIDNamespace\":\"p\",\"PID\":1,\"StartTime\":1,\"Socket\":\"\",\"PluginSocket\":\"\",\"GuardLock\":\"\"}"
    }

    /// Numbers at the edge would end whoever reckons with them.
    @Test(arguments: [
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Recent\":[{}]",
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Before\":{\"Revision\":0,\"HistoryHash\":\"00\",\"Groups\":{}}",
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Lease\":{}", "\"Revision\":1,\"HistoryHash\":\"00\",\"Lease\":7",
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Tags\":{}", "\"Revision\":1,\"HistoryHash\":\"00\",\"Tags\":[{}]",
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Terms\":[1]", "\"Revision\":1,\"HistoryHash\":\"0g\"",
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Settled\":[{\"ID\":\"r\",\"State\":9,\"Until\":1}]",
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Before\":{\"Revision\":1,\"HistoryHash\":\"00\",\"Groups\":{\"g\":{}}}",
        "\"Revision\":9223372036854775807,\"HistoryHash\":\"00\"",
        "\"Revision\":1,\"Epoch\":9223372036854775807,\"HistoryHash\":\"00\"",
        "\"Revision\":1,\"HistoryHash\":\"00\",\"Recent\":[],"
            + "\"Before\":{\"Revision\":9223372036854775807,\"HistoryHash\":\"00\",\"Groups\":{}}",
        "\"Revision\":1,\"HistoryHash\":\"00\"," + lease(ttl: "9223372036854775807", acquiredAt: "1"),
        "\"Revision\":1,\"HistoryHash\":\"00\"," + lease(ttl: "1", acquiredAt: "9223372036854775807"),
        "\"Revision\":1,\"HistoryHash\":\"00\","
            + "\"Terms\":[{\"Epoch\":1,\"Manager\":\"m\",\"From\":-9223372036854775808,\"Until\":9223372036854775807}]",
    ])
    func `Members that are no history`(_ members: String) throws {
        let error = #expect(throws: AnnotationError.self) {
            try Annotation(label: try Self.label("{\"Groups\":{},\(members)}"))
        }
        #expect(error?.code == .corrupt)
    }

    /// Outcomes are not in the hashes: what stands tells that one was changed.
    @Test func `Groups that are not what the history comes to`() throws {
        var snapshot = Snapshot()
        let candidate = Candidate(
            id: ReplicaID("n1")!,
            instance: "i",
            process: ProcessIdentity(host: "h", bootID: "b", pidNamespace: "ns", pid: 42, startTime: 9),
            socket: "",
            pluginSocket: "",
            guardLock: ""
        )
        _ = snapshot.acquire(candidate, watched: .none, at: "n", floor: 0, ttl: 1, reason: "", time: 1)
        let fence = Fence(instance: "i", epoch: 1, manager: "n1")
        for number in 1...2 {
            _ = try snapshot.append(.set("g", number), fence: fence, time: 1)
            try snapshot.record(Outcome(revision: number, group: "g", status: .applied), fence: fence)
        }
        snapshot.trim(to: Snapshot.Limits(records: 1), time: 1)
        let text = String(decoding: try Self.json(Annotation(snapshot)), as: UTF8.self)
        #expect(text.ranges(of: "\"applied\"").count == 1)
        let bad = text.replacing("\"applied\"", with: "\"rejected\"")
        let error = #expect(throws: AnnotationError.self) { try Annotation(label: try Self.label(bad)) }
        #expect(error?.message.contains("its Groups do not match its history") == true)
    }

    // MARK: - Other writers and readers

    @Test(arguments: ["0", "1", "6", "9", "flushed"])
    func `The Go manager writes no snapshot`(_ level: String) throws {
        #expect(try Annotation(label: try Recorded.text("go-manager-\(level).label")).snapshot == nil)
    }

    @Test func `A label with no more than a revision, an epoch and a hash`() throws {
        let hash = String(repeating: "ab", count: 32)
        let text =
            "{\"Groups\":{\"g\":{\"Plugin\":\"p\",\"Properties\":{\"ID\":\"g\",\"Properties\":{\"x\": 1}}}}"
            + ",\"Revision\":12,\"Epoch\":3,\"HistoryHash\":\"\(hash)\"}"
        let snapshot = try #require(try Annotation(label: try Self.label(text)).snapshot)
        #expect(snapshot.newest == 12 && snapshot.hash.hexadecimal == hash && snapshot.records.isEmpty)
        #expect(snapshot.lease == .nobody(since: 3) && snapshot.groups.keys.sorted() == ["g"])
        #expect(snapshot.tags.isEmpty && snapshot.terms.isEmpty && snapshot.settled.isEmpty && snapshot.place.isEmpty)
        let json = String(decoding: try Self.json(Annotation(snapshot)), as: UTF8.self)
        #expect(json == text)
        #expect(try Annotation(label: try Self.label("{\"Groups\":{},\"Epoch\":3}")).snapshot == nil)
    }

    @Test func `A reader that knows the Groups alone, written in Python, reads what stands`() throws {
        let snapshot = try Self.snapshot(seed: 4, steps: 80)
        #expect(snapshot.groups.count > 1 && !snapshot.records.isEmpty)
        let path = "/tmp/ik-swarm-\(UInt64.random(in: 0 ... .max)).label"
        let file = try #require(fopen(path, "we"))
        fputs(try Annotation(snapshot).encoded().text, file)
        fclose(file)
        defer { unlink(path) }
        let program =
            "import zlib,base64,json; d=json.loads(zlib.decompress(base64.b64decode(open('\(path)').read(), validate=True)));"
            + "print(json.dumps([[k, g['Plugin'], g['Properties']['ID'], g['Properties']['Properties']] for k, g in "
            + "sorted(d['Groups'].items())], separators=(',', ':')))"
        let pipe = try #require(popen("python3 -c \"\(program)\" 2>/dev/null", "re"))
        var line = [CChar](repeating: 0, count: 5000)
        let read = fgets(&line, 5000, pipe)
        guard pclose(pipe) == 0, read != nil else { try Test.cancel("SKIPPED: no python3 with zlib here") }
        let elements = try JSONView(line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }).elements
        #expect(elements.compactMap { $0.elements.first?.identifier } == snapshot.groups.keys.sorted())
        for element in elements {
            let name = try #require(element.elements[0].identifier)
            #expect(element.elements[1].identifier == snapshot.groups[name]?.plugin)
            #expect(element.elements[2].identifier == name)
            let properties = try #require(snapshot.groups[name]?.spec.properties)
            #expect(element.elements[3].kind == JSONView(properties).kind)
        }
    }
}
