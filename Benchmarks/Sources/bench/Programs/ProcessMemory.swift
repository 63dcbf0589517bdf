/// What a process has in memory, in MB (10^6 bytes).
struct ProcessMemory {
    /// Written by it and shared with nobody (`Private_Dirty`): what the process costs. The rest are pages of files, which the kernel
    /// takes back when it needs them.
    let privateDirty: Double
    /// `Pss`: each page divided by the number of processes that have it.
    let proportional: Double
    /// `Rss`: all pages that are mapped and in memory.
    let resident: Double
}
