internal import CLinux
internal import Glibc
internal import GroupSPI
internal import Synchronization

/// What a manager tells its guard, in memory that both share: telling it never waits for the guard, whatever that does, and what was
/// told is still there when the manager has ended. A guard that takes the place of another finds all of it.
///
/// The first page has two words: the deadline, and where the list of groups is. The list is appended to. When most of it is
/// out of date, it is written anew behind its end, and then the word is changed.
final class GuardBoard: Sendable {
    private struct State {
        var groups: Set<Identifier> = []
        var list = List()
        /// Why a group could not be noted, if one could not.
        var trouble: Int32?
    }

    /// A guard gets the memory under this number.
    static let inheritedDescriptor: Int32 = 3

    let memory: Int32
    private let page: Page
    private let state = Mutex(State())

    /// - Throws: ``SettingsError`` when the system gives no memory.
    init() throws(SettingsError) {
        let memory = clinux_shared_memory("infrakit-guard")
        guard memory >= 0, ftruncate(memory, sysconf(Int32(_SC_PAGESIZE))) == 0, let page = Page(memory) else {
            let reason = String(cString: strerror(memory < 0 ? -memory : errno))
            if memory >= 0 { close(memory) }
            throw SettingsError(message: "cannot allocate memory for the orphan guard: \(reason)")
        }
        (self.memory, self.page) = (memory, page)
        state.withLock { state in
            state.list = List(start: page.size)
            page.list = state.list.word
        }
    }

    deinit { close(memory) }

    func set(_ deadline: BootInstant?) { page.deadline = deadline }

    /// - Returns: errno when the group could not be noted, told once.
    func add(_ group: Identifier) -> Int32? {
        state.withLock { state in
            guard state.groups.insert(group).inserted else { return nil }
            guard let code = append([Record(true, group)], &state) else { return nil }
            state.groups.remove(group)
            defer { state.trouble = code }
            return state.trouble == nil ? code : nil
        }
    }

    func remove(_ group: Identifier) {
        state.withLock { state in
            guard state.groups.remove(group) != nil else { return }
            // One that stays noted costs the guard a call more.
            _ = append([Record(false, group)], &state)
        }
    }

    func removeAll() {
        state.withLock { state in
            guard !state.groups.isEmpty else { return }
            state.groups = []
            rewrite(&state)
        }
    }

    private func append(_ records: [Record], _ state: inout State) -> Int32? {
        let bytes = records.flatMap(\.bytes)
        let end = state.list.start + state.list.length
        guard let length = UInt32(exactly: state.list.length + bytes.count) else { return EFBIG }
        if let code = write(bytes, at: end) { return code }
        state.list.length = Int(length)
        state.list.live += records.reduce(0) { $0 + ($1.isAddition ? $1.size : -$1.size) }
        page.list = state.list.word
        if state.list.length > 2 * state.list.live + Self.slack { rewrite(&state) }
        return nil
    }

    /// So little is not worth writing anew.
    private static let slack = 64 * 1024

    private func rewrite(_ state: inout State) {
        let old = state.list
        let records = state.groups.map { Record(true, $0) }
        var new = List(start: (old.start + old.length + page.size - 1) / page.size * page.size)
        let bytes = records.flatMap(\.bytes)
        guard new.word != nil, write(bytes, at: new.start) == nil else { return }
        (new.length, new.live) = (bytes.count, bytes.count)
        guard let word = new.word else { return }
        state.list = new
        page.list = word
        _ = clinux_give_back(memory, Int64(old.start), Int64(new.start - old.start))
    }

    /// - Returns: errno when it failed.
    private func write(_ bytes: [UInt8], at offset: Int) -> Int32? {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { pwrite(memory, $0.baseAddress, $0.count, offset + done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return errno }
            done += count
        }
        return nil
    }

    // MARK: - The guard's side

    /// What a manager keeps in such memory, read by another process.
    struct Reader: GuardKnowledge {
        private let memory: Int32
        private let page: Page

        /// - Returns: nil when the descriptor is no such memory.
        init?(_ memory: Int32) {
            guard let page = Page(memory) else { return nil }
            (self.memory, self.page) = (memory, page)
        }

        var deadline: BootInstant? { page.deadline }

        /// A list that is written anew meanwhile is read anew; so is one whose reading fails, which memory does not.
        var groups: Set<Identifier> {
            var groups: Set<Identifier> = []
            for _ in 0..<100 {
                let before = page.list
                guard let list = List(word: before), let bytes = read(list) else { continue }
                groups = Record.groups(in: bytes)
                if List(word: page.list)?.start == list.start { break }
            }
            return groups
        }

        private func read(_ list: List) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: list.length)
            var done = 0
            while done < bytes.count {
                let count = bytes[done...].withUnsafeMutableBytes {
                    pread(memory, $0.baseAddress, $0.count, list.start + done)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return nil }
                done += count
            }
            return bytes
        }
    }

    // MARK: - The memory

    private final class Page: @unchecked Sendable {
        private let words: UnsafeMutablePointer<Int64>
        let size = Int(sysconf(Int32(_SC_PAGESIZE)))

        init?(_ memory: Int32) {
            guard let words = clinux_map_page(memory) else { return nil }
            self.words = words
        }

        deinit { clinux_unmap_page(words) }

        var deadline: BootInstant? {
            get {
                let nanoseconds = clinux_word_load(words)
                return nanoseconds == 0 ? nil : BootInstant(nanoseconds: Int(nanoseconds))
            }
            set { clinux_word_store(words, Int64(newValue?.nanoseconds ?? 0)) }
        }

        var list: Int64? {
            get { clinux_word_load(words + 1) }
            set { if let newValue { clinux_word_store(words + 1, newValue) } }
        }
    }

    /// Where the list is: a word of which the upper half is the page at which it starts, the lower half its length.
    private struct List {
        private static let unit = 4096

        var start = 0
        var length = 0
        /// Of what is not out of date.
        var live = 0

        init(start: Int = 0) { self.start = start }

        init?(word: Int64?) {
            guard let word, word != 0 else { return nil }
            start = Int(word >> 32) * Self.unit
            length = Int(UInt32(truncatingIfNeeded: word))
        }

        /// Nil when it lies too far away to be found.
        var word: Int64? {
            guard let page = Int32(exactly: start / Self.unit) else { return nil }
            return Int64(page) << 32 | Int64(length)
        }
    }

    /// `+` or `-`, the length of a group's name as four bytes, the name.
    private struct Record {
        let isAddition: Bool
        let name: [UInt8]

        init(_ isAddition: Bool, _ group: Identifier) {
            self.isAddition = isAddition
            name = Array(group.utf8)
        }

        var size: Int { 5 + name.count }

        var bytes: [UInt8] {
            let length = withUnsafeBytes(of: UInt32(truncatingIfNeeded: name.count).bigEndian) { Array($0) }
            return [UInt8(ascii: isAddition ? "+" : "-")] + length + name
        }

        static func groups(in bytes: [UInt8]) -> Set<Identifier> {
            var groups: Set<Identifier> = []
            var rest = bytes[...]
            while rest.count >= 5 {
                let isAddition = rest.removeFirst() == UInt8(ascii: "+")
                let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                rest.removeFirst(4)
                let name = Identifier(String(decoding: rest.prefix(length), as: UTF8.self))
                if isAddition { groups.insert(name) } else { groups.remove(name) }
                rest = rest.dropFirst(length)
            }
            return groups
        }
    }
}
