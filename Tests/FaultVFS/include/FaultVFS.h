#ifndef FAULTVFS_H
#define FAULTVFS_H

// A VFS for tests: SQLite reaches the files of a directory through it, and any call can be made to fail, to tear what it
// writes, to hang, or to be the moment at which the power goes.
//
// Reads and writes go to real files, which play the page cache. Beside them it keeps what a disk would have kept: the
// content at the last sync, every write and truncation since, and the same of the directory's entries.

typedef struct fault_disk fault_disk;

// What SQLite asks of a file system.
enum {
    FAULT_OPEN,
    FAULT_DELETE,
    FAULT_ACCESS,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_TRUNCATE,
    FAULT_SYNC,
    FAULT_FILE_SIZE,
    FAULT_LOCK,
    FAULT_UNLOCK,
    FAULT_CHECK_LOCK,
    FAULT_ANY,
};

// What happens to the call.
enum {
    // It is not carried out, and fails.
    FAULT_FAIL,
    // It is carried out, and fails. A removal is not synced.
    FAULT_FAIL_DONE,
    // A sync fails, and what it was to sync never reaches the disk, although reads go on showing it: what Linux does.
    FAULT_FAIL_LOST,
    // Only the first sectors of a write get through, and it fails.
    FAULT_TEAR_PREFIX,
    // Any of the sectors of a write get through, and it fails.
    FAULT_TEAR_SUBSET,
    // There is no room: of a write that makes a file longer the first sectors get through, and it fails. Others succeed
    // and do not count.
    FAULT_FULL,
    // It waits until fault_release, and is then carried out.
    FAULT_HANG,
    // From here on a sync, of a file or of the directory, does nothing and succeeds.
    FAULT_LIE,
    // The power goes: this call and all later ones fail. A write may still be under way (fault_disk_after_power_cut).
    FAULT_POWER,
};

// The name under which SQLite knows the VFS; registers it at the first call. NULL when that fails.
const char *fault_vfs(void);

// What lies in the directory, whose path must be absolute and without links, counts as synced.
fault_disk *fault_disk_create(const char *directory);

// To be called when no file there is open any more.
void fault_disk_free(fault_disk *disk);

// From now on the n-th call of a kind, counted from 1, is hit; with `forever` all after it too. Replaces what was armed.
void fault_arm(fault_disk *disk, int call, int effect, long n, int forever, unsigned long long seed);

// Nothing fails any more, except after a loss of power.
void fault_disarm(fault_disk *disk);

// Lets go what hangs, and disarms.
void fault_release(fault_disk *disk);

// How many calls were hit since the last fault_arm.
long fault_hits(fault_disk *disk);

// How many calls hang at this moment.
long fault_hanging(fault_disk *disk);

// How many files are open.
long fault_open_files(fault_disk *disk);

// Writes the files that a loss of power now would leave into another directory.
//
// What was synced survives. Of what was not, each sector of each write, each truncation and each change of the directory
// survives with a probability of `survival` percent, by the seed.
//
// Returns 0, or an errno value.
int fault_disk_after_power_cut(fault_disk *disk, const char *directory, int survival, unsigned long long seed);

#endif
