import GroupSPI
import Store

@testable import Swarm

extension Annotation {
    /// A state without a past.
    init(revision: Int, epoch: Int, historyHash: String, groups: [GlobalConfig.Entry]) {
        let standing = Dictionary(groups.map { ($0.spec.id, $0) }, uniquingKeysWith: { first, _ in first })
        let hash = [UInt8](hexadecimal: historyHash) ?? []
        self.init(
            Snapshot(
                base: Snapshot.Base(revision: revision, hash: hash, groups: standing),
                lease: .nobody(since: epoch)
            )
        )
    }
}
