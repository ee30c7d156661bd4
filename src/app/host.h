/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - what serve needs of the machine it runs on: the state folder and its lock, listening sockets, giving up root,
 * taking what systemd passes in (base/notify.h tells it how we are). All of it happens before the first thread.
 */
#ifndef APP_HOST_H
#define APP_HOST_H

#include "base/str.h"

#include <sys/types.h>

/* Refuses core dumps and being traced by others of our user: secrets may be in memory. */
void host_harden(void);

struct host_user { /* zero: we are not root and stay who we are */
	char *name;
	uid_t uid;
	gid_t gid;
	bool drop;
};

/* As root: the user to become, NEEDS_PERSON with what to do when it is not there or is root itself. */
int host_user_find(const char *name, struct host_user *ret, struct err *err);
/* Irrevocable. Nothing to do when u->drop is false. */
int host_user_become(const struct host_user *u, struct err *err);
/* As the user for a while: files a database makes beside itself must be his. Before and after the store's threads, never while they run. */
int host_user_act(const struct host_user *u, struct err *err);
void host_user_act_end(const struct host_user *u); /* root again */
void host_user_done(struct host_user *u);

/* Makes the folder (0700, the user's) when it is missing; refuses one that others may write, or of another owner. */
int host_state_make(const char *dir, const struct host_user *u, struct err *err);
/*
 * Takes DIR/lock for as long as *ret_fd (or a copy of it in another process) is open. Waits up to wait_ms for a former server
 * that is still ending. CONFLICT names the process that holds it; INVALID on a network file system, where locks cannot be
 * relied on.
 */
int host_state_lock(const char *dir, const struct host_user *u, int64_t wait_ms, int *ret_fd, struct err *err);

enum host_socket { HOST_UDP, HOST_TCP };
struct host_sockets {
	int fd[64];
	size_t n;
};
/*
 * Binds every address of the list, and listens. 0.0.0.0 and [::] are every present address: one wildcard socket, or, where
 * somebody has the port on one address (a local resolver), one socket for each address that is left. An address in use is
 * CONFLICT with the holder's name where the system lets us see it.
 */
int host_bind(const struct strlist *addresses, enum host_socket kind, struct host_sockets *ret, struct err *err);
void host_sockets_close(struct host_sockets *s);
/* A listening SOCK_SEQPACKET socket, mode 0600; what lay there before is removed. */
int host_bind_unix(const char *path, int *ret_fd, struct err *err);
/* The path under which a socket in dir can be bound and reached even when dir is long; dir_fd stays open as long as it is used. */
char *host_socket_path(const char *dir, const char *name, int *dir_fd);

/* Sockets passed in as systemd does: the descriptors of that name, in order. They become close-on-exec. */
void host_passed(const char *name, struct host_sockets *ret);

#endif
