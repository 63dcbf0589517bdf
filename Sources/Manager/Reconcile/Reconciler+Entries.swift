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

    /// What is known of all groups. Which of them are due is asked at every turn, so that is kept beside: of ten thousand groups
    /// nearly all are settled.
    struct Entries {
        private(set) var all: [String: Entry] = [:]
        /// When those that wait are due.
        private(set) var due: [String: BootInstant] = [:]

        subscript(group: String) -> Entry? {
            get { all[group] }
            set {
                all[group] = newValue
                if case .due(let instant) = newValue?.phase {
                    due[group] = instant
                } else {
                    due[group] = nil
                }
            }
        }
    }
}
