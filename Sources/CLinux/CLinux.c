#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <wchar.h>

int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
        return errno;
    }
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int clinux_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) == 0 ? 0 : errno;
}

int clinux_boottime_timer(void) {
    int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    return timer >= 0 ? timer : -errno;
}

int clinux_boottime_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec value = {0};
    value.it_value.tv_sec = nanoseconds / 1000000000;
    value.it_value.tv_nsec = nanoseconds % 1000000000;
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &value, 0) == 0 ? 0 : errno;
}

// Without glibc's function, which older ones lack.
int clinux_pidfd_open(pid_t pid) {
    long descriptor = syscall(SYS_pidfd_open, pid, 0);
    return descriptor >= 0 ? (int)descriptor : -errno;
}

int clinux_pipe_cloexec(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

const short clinux_spawn_setsid = POSIX_SPAWN_SETSID;

int clinux_spawn_addclosefrom(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int clinux_spawn_addchdir(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

// Of a descriptor that was just opened: itself, or minus why it must not be used.
static int checked(int file, int flags) {
    struct stat status;
    int code = 0;
    if (fstat(file, &status) != 0) {
        code = errno;
    } else if ((flags & O_DIRECTORY) != 0) {
        code = S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    } else if (S_ISDIR(status.st_mode)) {
        code = EISDIR;
    } else if (!S_ISREG(status.st_mode)) {
        code = S_ISLNK(status.st_mode) ? ELOOP : ENXIO;
    } else if ((flags & O_ACCMODE) != O_RDONLY && status.st_nlink > 1) {
        code = EMLINK;
    }
    if (code == 0) {
        return file;
    }
    close(file);
    return -code;
}

// One part of a path in a directory, never through a link. O_NONBLOCK is for pipes; files do not mind it.
static int open_part(int directory, const char *name, int flags, mode_t mode) {
    // Nothing is cut off before it is known what it is.
    int file = openat(directory, name, (flags & ~O_TRUNC) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
    if (file >= 0) {
        file = checked(file, flags);
        if (file >= 0 && (flags & O_TRUNC) != 0 && ftruncate(file, 0) != 0) {
            int code = errno;
            close(file);
            return -code;
        }
        return file;
    }
    int code = errno;
    struct stat status;
    // The kernel calls a link that should be a directory none.
    if (code == ENOTDIR && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) {
        code = ELOOP;
    }
    return -code;
}

int clinux_open_own(const char *path, int own, int flags, mode_t mode) {
    char copy[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof copy) {
        return length == 0 ? -ENOENT : -ENAMETOOLONG;
    }
    if (own <= 0) {
        int file = open(path, flags | O_NONBLOCK | O_CLOEXEC, mode);
        return file >= 0 ? checked(file, flags) : -errno;
    }
    memcpy(copy, path, length + 1);
    // Where the parts that are ours begin.
    char *part = copy + length;
    for (int i = 0; i < own; i++) {
        char *slash = part;
        while (slash > copy && slash[-1] != '/') {
            slash--;
        }
        part = i + 1 < own && slash > copy ? slash - 1 : slash;
    }
    int directory;
    if (part == copy) {
        directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    } else {
        char first = *part;
        *part = '\0';
        directory = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
        *part = first;
    }
    if (directory < 0) {
        return -errno;
    }
    while (true) {
        char *slash = strchr(part, '/');
        if (slash == NULL) {
            int file = open_part(directory, part, flags, mode);
            close(directory);
            return file;
        }
        *slash = '\0';
        int next = open_part(directory, part, O_PATH | O_DIRECTORY, 0);
        close(directory);
        if (next < 0) {
            return next;
        }
        directory = next;
        part = slash + 1;
    }
}

// Follows the links at the end of a path, those of this user and of root. 0 or errno.
static int resolve(const char *path, char current[PATH_MAX]) {
    if (strlen(path) >= PATH_MAX) {
        return ENAMETOOLONG;
    }
    strcpy(current, path);
    for (int links = 0; links < 40; links++) {
        struct stat status;
        if (lstat(current, &status) != 0) {
            return errno;
        }
        if (!S_ISLNK(status.st_mode)) {
            return 0;
        }
        if (status.st_uid != 0 && status.st_uid != geteuid()) {
            return ELOOP;
        }
        char target[PATH_MAX];
        ssize_t length = readlink(current, target, sizeof target - 1);
        if (length < 0) {
            return errno;
        }
        target[length] = '\0';
        // A relative one begins where the link is.
        char *slash = strrchr(current, '/');
        size_t kept = target[0] == '/' || slash == NULL ? 0 : (size_t)(slash - current) + 1;
        if (kept + (size_t)length >= PATH_MAX) {
            return ENAMETOOLONG;
        }
        memcpy(current + kept, target, (size_t)length + 1);
    }
    return ELOOP;
}

int clinux_open_named(const char *path, int flags) {
    char current[PATH_MAX];
    int code = resolve(path, current);
    if (code != 0) {
        return -code;
    }
    // One that has taken the place of what was looked at is not followed.
    return open_part(AT_FDCWD, current, flags, 0);
}

const char *clinux_open_trouble(int code) {
    switch (code) {
    case ELOOP: return "a symbolic link is there that another user could have made, and it is not followed";
    case EMLINK: return "it has a second name (a hard link), which another user could have given it";
    case ENXIO: return "it is no regular file";
    default: return strerror(code);
    }
}

const int clinux_o_path = O_PATH;

int clinux_links_are_own(const char *path) {
    char current[PATH_MAX];
    return resolve(path, current);
}

int clinux_user_name(uid_t uid, char *name, size_t size) {
    for (size_t room = 1024; room <= 1024 * 1024; room *= 4) {
        struct passwd entry, *found = NULL;
        char *buffer = malloc(room);
        if (buffer == NULL) {
            return ENOMEM;
        }
        int code = getpwuid_r(uid, &entry, buffer, room, &found);
        if (code == 0 && found != NULL && found->pw_name != NULL) {
            // While the buffer is still there: the name lies in it.
            code = snprintf(name, size, "%s", found->pw_name) < (int)size ? 0 : ENAMETOOLONG;
        } else if (code == 0) {
            code = ENOENT;
        }
        free(buffer);
        if (code != ERANGE) {
            return code;
        }
    }
    return ERANGE;
}

// What a signal may do. Nothing else is allowed there that would be of use; a counter that is full has told enough.
static void add_one(int event) {
    int before = errno;
    uint64_t one = 1;
    ssize_t written = write(event, &one, sizeof one);
    (void)written;
    errno = before;
}

static int end_signals = -1;

static void count_end_signal(int signal) {
    (void)signal;
    add_one(end_signals);
}

int clinux_catch_end_signals(void) {
    end_signals = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (end_signals < 0) {
        return -errno;
    }
    struct sigaction action = {.sa_handler = count_end_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    // The end of a terminal; not where somebody has it ignored, as nohup(1) does.
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, &action, NULL);
    }
    return end_signals;
}

static int interruptions = -1;

static const int interrupting[] = {SIGINT, SIGTERM, SIGHUP};

static void note_interruption(int signal) {
    (void)signal;
    add_one(interruptions);
}

int clinux_catch_interruptions(void) {
    int events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (events < 0) {
        return -errno;
    }
    interruptions = events;
    // The next one of its kind does what it usually does.
    struct sigaction action = {.sa_handler = note_interruption, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof interrupting / sizeof *interrupting; i++) {
        struct sigaction before;
        // What is ignored stays so: nohup(1), and shells for what runs in the background.
        if (sigaction(interrupting[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            sigaction(interrupting[i], &action, NULL);
        }
    }
    return events;
}

void clinux_leave_interruptions(int events) {
    // Whoever has come after it catches them still.
    for (size_t i = 0; interruptions == events && i < sizeof interrupting / sizeof *interrupting; i++) {
        struct sigaction before;
        if (sigaction(interrupting[i], NULL, &before) == 0 && before.sa_handler == note_interruption) {
            signal(interrupting[i], SIG_DFL);
        }
    }
    close(events);
}

enum { MOST_FILES_TO_REMOVE = 16 };
enum { FREE, BEING_NAMED, NAMED };

static struct {
    // Whether the name is there to be read.
    _Atomic int state;
    char name[PATH_MAX];
} files_to_remove[MOST_FILES_TO_REMOVE];

static void remove_files_and_end(int number) {
    for (int i = 0; i < MOST_FILES_TO_REMOVE; i++) {
        if (files_to_remove[i].state == NAMED) {
            unlink(files_to_remove[i].name);
        }
    }
    // As if nobody had caught it: its disposition is the usual one again.
    raise(number);
}

void clinux_remove_files_at_end(void) {
    const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    for (int i = 0; i < 3; i++) {
        struct sigaction before;
        // Who has it ignored (nohup), or caught, has a reason.
        if (sigaction(numbers[i], NULL, &before) != 0 || before.sa_handler != SIG_DFL) {
            continue;
        }
        // A second one ends the process also while a file system keeps the first one waiting.
        struct sigaction action = {.sa_handler = remove_files_and_end, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
        sigemptyset(&action.sa_mask);
        sigaction(numbers[i], &action, NULL);
    }
}

int clinux_file_to_remove(const char *name) {
    if (strlen(name) >= PATH_MAX) {
        return -1;
    }
    for (int i = 0; i < MOST_FILES_TO_REMOVE; i++) {
        int state = FREE;
        if (atomic_compare_exchange_strong(&files_to_remove[i].state, &state, BEING_NAMED)) {
            strcpy(files_to_remove[i].name, name);
            files_to_remove[i].state = NAMED;
            return i;
        }
    }
    return -1;
}

void clinux_file_was_removed(int slot) {
    if (slot >= 0) {
        files_to_remove[slot].state = FREE;
    }
}

static int argument_count;
static char **arguments;

// The C library calls it with the arguments of main.
__attribute__((constructor)) static void keep_arguments(int count, char **words, char **environment) {
    (void)environment;
    argument_count = count;
    arguments = words;
}

char *const *clinux_arguments(int *count) {
    *count = argument_count;
    return arguments;
}

int64_t clinux_most_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max > INT64_MAX) {
        return INT64_MAX;
    }
    return (int64_t)limit.rlim_max;
}

int clinux_is_mount_root(const char *path) {
    struct statx status;
    if (statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &status) != 0) {
        return -errno;
    }
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void make_unicode(void) {
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

int clinux_columns(uint32_t scalar) {
    pthread_once(&unicode_once, make_unicode);
    if (unicode == (locale_t)0) return 1;
    locale_t before = uselocale(unicode);
    int columns = wcwidth((wchar_t)scalar);
    uselocale(before);
    return columns;
}

int clinux_shared_memory(const char *name) {
    int memory = memfd_create(name, MFD_CLOEXEC);
    return memory >= 0 ? memory : -errno;
}

int64_t *clinux_map_page(int memory) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct stat status;
    if (fstat(memory, &status) != 0) {
        return NULL;
    }
    if (status.st_size < (off_t)page) {
        errno = EINVAL;
        return NULL;
    }
    void *address = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    return address == MAP_FAILED ? NULL : address;
}

void clinux_unmap_page(int64_t *page) {
    munmap(page, (size_t)sysconf(_SC_PAGESIZE));
}

int64_t clinux_word_load(const int64_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

void clinux_word_store(int64_t *word, int64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

int clinux_give_back(int memory, int64_t offset, int64_t length) {
    return fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) == 0 ? 0 : errno;
}

int64_t clinux_raise_descriptor_limit(int64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return -errno;
    }
    rlim_t raised = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
    if (raised > limit.rlim_cur) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = raised;
        // Where that is forbidden, what was allowed before has to do.
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            limit.rlim_cur = before;
        }
    }
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

int clinux_try_write(const char *directory) {
    char path[4096];
    // As those of other probes: leftovers go in time.
    int length = snprintf(path, sizeof path, "%s/.manager.lockprobe-%ld-w", directory, (long)getpid());
    if (length < 0 || length >= (int)sizeof path) {
        return -ENAMETOOLONG;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    int error = errno;
    if (child == 0) {
        // Whoever reads this program's output does not wait for this process.
        for (int file = 0; file < 1024; file++) {
            close(file);
        }
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (file >= 0) {
            ssize_t written = write(file, "", 1);
            (void)written;
            fsync(file);
            unlink(path);
        }
        _exit(0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return child > 0 ? child : -error;
}
