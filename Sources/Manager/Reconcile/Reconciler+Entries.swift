internal import GroupSPI
internal import HeapModule
internal import Store

extension Reconciler {
    /// What is known of one group.
    struct Entry {
        var task: Task
        var phase: Phase
        var attempts = 0
        /// The plugin had confirmed what this takes the place of.
        var followsSettled = true
    }

    enum Phase: Equatable {
        case due(BootInstant)
        case working
        /// The plugin confirmed it at that moment.
        case settled(BootInstant)
    }

    /// What is known of all groups. Which are due is asked at every turn, so that is kept in order beside.
    struct Entries {
        private(set) var all: [Identifier: Entry] = [:]
        /// Those that wait, and on top of none but such others that do not any more.
        private var waiting = Heap<Waiting>()

        private struct Waiting: Comparable {
            let instant: BootInstant
            let group: Identifier

            static func < (left: Waiting, right: Waiting) -> Bool {
                (left.instant, left.group) < (right.instant, right.group)
            }
        }

        subscript(group: Identifier) -> Entry? {
            get { all[group] }
            set {
                let before = all[group]?.phase
                all[group] = newValue
                if case .due(let instant) = newValue?.phase, before != newValue?.phase {
                    waiting.insert(Waiting(instant: instant, group: group))
                }
                while let first = waiting.min, all[first.group]?.phase != .due(first.instant) { waiting.removeMin() }
            }
        }

        /// The group that is due first, and when; of several, the first by name.
        var firstDue: (group: Identifier, instant: BootInstant)? { waiting.min.map { ($0.group, $0.instant) } }
    }
}
