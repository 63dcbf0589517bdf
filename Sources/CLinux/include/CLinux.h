#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>
#include <sys/types.h>

// The credentials of the process at the other end of a Unix socket (SO_PEERCRED).
// Returns 0, or the errno value.
int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

// Asks the kernel to send `signal` to the calling process when its parent thread's process ends. 0 or errno.
int clinux_set_parent_death_signal(int signal);

#endif
