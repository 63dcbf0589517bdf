#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
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

static int end_signals = -1;

static void count_end_signal(int signal) {
    (void)signal;
    int before = errno;
    uint64_t one = 1;
    // Nothing else is allowed here that would be of use; a counter that is full has told enough.
    ssize_t written = write(end_signals, &one, sizeof one);
    (void)written;
    errno = before;
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
    return end_signals;
}

static int interruptions = -1;

static const int interrupting[] = {SIGINT, SIGTERM, SIGHUP};

static void note_interruption(int signal) {
    (void)signal;
    int before = errno;
    uint64_t one = 1;
    ssize_t written = write(interruptions, &one, sizeof one);
    (void)written;
    errno = before;
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

// Whether the loader has written addresses into segments that are else only read. Nobody builds such objects any more.
static bool has_text_relocations(const struct dl_phdr_info *object) {
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) {
            continue;
        }
        const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0)) {
                return true;
            }
        }
    }
    return false;
}

static int drop_pages(struct dl_phdr_info *object, size_t size, void *vdso) {
    (void)size;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (has_text_relocations(object)) {
        return 0;
    }
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) {
            continue;
        }
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        uintptr_t end = start + segment->p_filesz;
        // The kernel's own object is in no file.
        if (start <= (uintptr_t)vdso && (uintptr_t)vdso < end) {
            return 0;
        }
        uintptr_t first = (start + page - 1) / page * page;
        uintptr_t last = end / page * page;
        if (first < last) {
            // If the kernel does not want to, the pages stay, and that is all.
            madvise((void *)first, last - first, MADV_DONTNEED);
        }
    }
    return 0;
}

void clinux_drop_program_pages(void) {
    dl_iterate_phdr(drop_pages, (void *)getauxval(AT_SYSINFO_EHDR));
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
