import Glibc
import GroupSPI
import Testing

/// The fuzzers' corpus, and whatever they once found: what must hold, holds for each of these inputs.
@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func holds(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let files = try Corpus.files(name)
        #expect(!files.isEmpty)
        for file in files {
            #expect(throws: Never.self, "\(file)") { try target.run(try Corpus.read(file)) }
        }
    }
}
