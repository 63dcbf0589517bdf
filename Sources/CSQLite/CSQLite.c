#define _GNU_SOURCE
#include "CSQLite.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

// _Fork runs no handlers of other libraries. Of the thread sanitizer's own locks only its fork lets go.
#define FORK _Fork
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#undef FORK
#define FORK fork
#endif
#endif

int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    // A null pointer would bind NULL; an empty blob is a value.
    if (length == 0) {
        return sqlite3_bind_zeroblob(statement, index, 0);
    }
    return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

void csqlite_keep_no_statistics(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

int csqlite_db_config(sqlite3 *database, int option, int value) {
    return sqlite3_db_config(database, option, value, (int *)0);
}

int csqlite_read_header(sqlite3 *database, void *buffer, int length) {
    sqlite3_file *file = (sqlite3_file *)0;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) {
        return code;
    }
    if (file == (sqlite3_file *)0 || file->pMethods == (const sqlite3_io_methods *)0) {
        return SQLITE_CANTOPEN;
    }
    code = file->pMethods->xRead(file, buffer, length, 0);
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

int csqlite_is_remote(const char *path) {
    struct statfs status;
    char *directory = strdup(path);
    char *slash = directory ? strrchr(directory, '/') : NULL;
    if (slash) {
        slash[slash == directory] = 0;
    }
    int code = directory ? statfs(slash ? directory : ".", &status) : -1;
    free(directory);
    if (code != 0) {
        return 1;
    }
    switch ((unsigned long)status.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
        return 0;
    default:
        return 1;
    }
}

// From the root on: a directory whose own state is new tells whether the name in it still leads where it did. How that comes
// out is of no interest here: whoever looks at the path next is told.
static void ask_for_each(char *directory) {
    for (char *end = directory + 1;; end++) {
        if (*end != '/' && *end != 0) {
            continue;
        }
        char last = *end;
        *end = 0;
        struct statx status;
        statx(AT_FDCWD, directory, AT_STATX_FORCE_SYNC, STATX_INO | STATX_CTIME | STATX_MTIME, &status);
        *end = last;
        if (last == 0) {
            return;
        }
    }
}

void csqlite_ask_server(const char *path) {
    char *directory = strdup(path);
    char *slash = directory ? strrchr(directory, '/') : NULL;
    if (slash && slash != directory) {
        *slash = 0;
        ask_for_each(directory);
        // Symbolic links on the way lead past other directories.
        char *real = realpath(directory, NULL);
        if (real && strcmp(real, directory) != 0) {
            ask_for_each(real);
        }
        free(real);
    }
    free(directory);
}

// The bytes that SQLite itself locks (os_unix.c: PENDING_BYTE and the 511 after it): where a file system has limits, it
// has them there.
static int lock_bytes(int file) {
    struct flock lock = {0};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000;
    lock.l_len = 512;
    return fcntl(file, F_SETLK, &lock) == 0 ? 0 : errno;
}

int csqlite_lock_out_writers(int file) {
    // The bytes that SQLite calls pending and reserved (https://sqlite.org/lockingv3.html): each writer has the second one, and
    // a roll-back takes the first one before anything else. Of the descriptor, and not of the process, as this process may
    // have the database open as well.
    struct flock lock = {0};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000;
    lock.l_len = 2;
    return fcntl(file, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

// A lock belongs to a process, and one process's locks never conflict, so it takes a second one. Spawning a program
// would need one to spawn, beside a library that may be linked into any; forking is safe here for what the child does
// not do: it calls only open, fcntl, write and _exit, all async-signal-safe (signal-safety(7)), on memory that it does
// not change, and _Fork runs no handlers of other libraries. Signals are blocked, so that none of the parent's handlers
// runs in it. Its end drops no lock of the parent: those belong to the parent's process, not to the descriptors.
int csqlite_probe_lock(int file, const char *path) {
    int error = lock_bytes(file);
    if (error != 0) {
        return -error;
    }
    int answer[2];
    if (pipe2(answer, O_CLOEXEC) != 0) {
        return -errno;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = FORK();
    if (child == 0) {
        int second = open(path, O_RDWR | O_CLOEXEC);
        int result = second < 0 ? errno : lock_bytes(second);
        ssize_t written = write(answer[1], &result, sizeof result);
        _exit(written == (ssize_t)sizeof result ? 0 : 1);
    }
    error = errno;
    pthread_sigmask(SIG_SETMASK, &before, (sigset_t *)0);
    close(answer[1]);
    int result = 0;
    ssize_t count = 0;
    if (child > 0) {
        // Through a pipe, not as the exit status: a program that collects all its children may be faster with that.
        do {
            count = read(answer[0], &result, sizeof result);
        } while (count < 0 && errno == EINTR);
        while (waitpid(child, (int *)0, 0) < 0 && errno == EINTR) {
        }
    }
    close(answer[0]);
    if (child < 0) {
        return -error;
    }
    if (count != (ssize_t)sizeof result) {
        return -ECHILD;
    }
    if (result == EACCES || result == EAGAIN) {
        return 0;
    }
    return result == 0 ? 1 : -result;
}
