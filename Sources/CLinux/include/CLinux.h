#ifndef CLINUX_H
#define CLINUX_H

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The credentials of the process at the other end of a Unix socket (SO_PEERCRED).
// Returns 0, or the errno value.
int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

// Asks the kernel to send `signal` to the calling process when its parent thread's process ends. 0 or errno.
int clinux_set_parent_death_signal(int signal);

// A pipe whose ends a spawned process does not inherit. 0 or errno.
int clinux_pipe_cloexec(int *read_end, int *write_end);

// POSIX_SPAWN_SETSID, which Swift does not import: a spawned process starts a session of its own.
extern const short clinux_spawn_setsid;

// How many columns of a terminal a Unicode scalar takes, 0 to 2, whatever the process's locale is; -1 for one that is not
// printed. By the C library's table (wcwidth).
int clinux_columns(uint32_t scalar);

// What glibc's headers show only to programs that ask for GNU extensions: a spawned process closes every descriptor
// from `first` on, or changes into the directory `path`. 0 or errno.
int clinux_spawn_addclosefrom(posix_spawn_file_actions_t *actions, int first);
int clinux_spawn_addchdir(posix_spawn_file_actions_t *actions, const char *path);

// Opens a file, or with O_DIRECTORY a directory, that this program keeps. The last `own` parts of the path are its own: none of
// them may be a symbolic link, which somebody else could have put there. What goes before them the user has named, through
// links if they like. Never waits for the other end of a pipe.
//
// Returns a descriptor that a spawned process does not inherit, or minus the errno value: ELOOP for a link; ENXIO for what is
// no regular file; EMLINK for one that is opened to be written and has another name too.
int clinux_open_own(const char *path, int own, int flags, mode_t mode);

// Opens a file that the user has named. A symbolic link at its end is followed when this user or root has made it, as nobody
// else can have put it there. Otherwise as above.
int clinux_open_named(const char *path, int flags);

// Whether that can be said of the links at the end of a path, for those who open it by other means: 0, ELOOP when one of them is
// another user's, or why the path leads nowhere.
int clinux_links_are_own(const char *path);

// O_PATH, which Swift does not import: a descriptor of a directory that is only gone through.
extern const int clinux_o_path;

// What an errno value of these means, for the end of a sentence.
const char *clinux_open_trouble(int code);

// The name of a user, NUL-terminated. 0; ENOENT for one that the user database does not know; or the errno value. May block.
int clinux_user_name(uid_t uid, char *name, size_t size);

// A timer on CLOCK_BOOTTIME, which counts while the host is suspended. Returns a descriptor, or minus the errno value.
// Reading eight bytes from it blocks until it has fired.
int clinux_boottime_timer(void);

// Sets the timer to a moment of CLOCK_BOOTTIME in nanoseconds; 0 stops it. 0 or errno.
int clinux_boottime_timer_set(int timer, int64_t nanoseconds);

// A descriptor of a process, not inherited, which can be read from when the process has ended: whoever gets its number
// then is another. Returns it, or minus the errno value.
int clinux_pidfd_open(pid_t pid);

// The words that this process was started with, the program's name first; `count` is how many. NULL when the C library has not
// told.
char *const *clinux_arguments(int *count);

// How many descriptors this process may have at most (its hard limit).
int64_t clinux_most_descriptors(void);

// Whether the file or directory at `path` is where a file system, or a part of one, is mounted: 1 or 0; 0 also on kernels before
// 5.8, which do not tell; or minus the errno value. Symbolic links are followed.
int clinux_is_mount_root(const char *path);

// From now on SIGTERM, SIGINT and SIGHUP, unless that is ignored, do not end the process but add one to an event. Returns its
// descriptor, which does not block and which a spawned process does not inherit, or minus the errno value.
int clinux_catch_end_signals(void);

// Has SIGINT, SIGTERM and SIGHUP, unless they are ignored, make a descriptor readable, each once: the next of its kind ends the
// process. Returns the descriptor, or minus the errno value. One at a time.
int clinux_catch_interruptions(void);

// They end the process again; closes the descriptor.
void clinux_leave_interruptions(int events);

// From now on SIGHUP, SIGINT and SIGTERM remove the files of clinux_file_to_remove before they end the process; those of them
// that are ignored or caught already stay so.
void clinux_remove_files_at_end(void);

// Notes a file that is to go when such a signal ends the process, by its path. Returns the number to give to
// clinux_file_was_removed; -1 when so many are noted that there is no room.
int clinux_file_to_remove(const char *name);
void clinux_file_was_removed(int slot);

// Memory that two processes can share, as a descriptor that is not inherited. Returns it, or minus the errno value.
int clinux_shared_memory(const char *name);

// The first page of such memory. NULL, and errno tells why: EINVAL when it is shorter.
int64_t *clinux_map_page(int memory);
void clinux_unmap_page(int64_t *page);

// A word that another process reads, or writes, at any moment: whole or not at all.
int64_t clinux_word_load(const int64_t *word);
void clinux_word_store(int64_t *word, int64_t value);

// Gives a part of such memory back; its place stays. 0 or errno.
int clinux_give_back(int memory, int64_t offset, int64_t length);

// How many descriptors this process may have open: raised to `wanted`, as far as it may be raised, and never lowered.
// Returns what holds from now on, or minus the errno value.
int64_t clinux_raise_descriptor_limit(int64_t wanted);

// Has a new process create a file in a directory, write it to the disk, and remove it. Returns its pid, or minus the errno value; the
// caller waits for it, or leaves it to itself: on a frozen file system it does not even end by SIGKILL.
int clinux_try_write(const char *directory);

#endif
