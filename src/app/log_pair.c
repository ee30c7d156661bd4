/* SPDX-License-Identifier: Apache-2.0 */
/* log_pair.c - see log_pair.h. */
#include "app/log_pair.h"

#include "base/log_foreign.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINES_AT_ONCE 256

static int end = -1;
static struct sockaddr_un core_at; /* of a runner that is a unit; no family: a pair */

/* 0: again, for the socket was not there, or is another one now. */
static bool sent(const char *line, size_t n)
{
	return send(end, line, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || (errno != ENOTCONN && errno != ECONNREFUSED && errno != EDESTADDRREQ);
}

static void send_line(UNUSED void *arg, UNUSED enum log_level level, long pid, const char *line, size_t n)
{
	if (pid != LOG_OWN || end < 0 || n > LOG_FOREIGN_MAX || sent(line, n) || core_at.sun_family != AF_UNIX)
		return;
	if (connect(end, (const struct sockaddr *)&core_at, sizeof core_at) == 0)
		(void)sent(line, n);
}

int log_pair_listen(int fd, struct err *err)
{
	static const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not listen for lines of the log");
	return 0;
}

void log_pair_connect(const char *path)
{
	assert(end < 0);
	if (strlen(path) >= sizeof core_at.sun_path)
		return;
	end = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	core_at.sun_family = AF_UNIX;
	snprintf(core_at.sun_path, sizeof core_at.sun_path, "%s", path);
	log_drop_sink(send_line, NULL); /* of an earlier end, in a test */
	log_add_sink(send_line, NULL);
}

int log_pair_make(int *ret_core, struct err *err)
{
	int pair[2];

	assert(end < 0);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make the socket pair of the log");
	if (log_pair_listen(pair[0], err) < 0)
		return -(int)err->code;
	*ret_core = pair[0];
	end = pair[1];
	log_drop_sink(send_line, NULL); /* of an earlier end, in a test */
	log_add_sink(send_line, NULL);
	return 0;
}

int log_pair_end(void)
{
	return end;
}

void log_pair_use(int fd)
{
	end = fd;
}

/* 0 when nothing waits. */
static size_t read_line(int fd, char *line, size_t size, pid_t *ret_sender)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} rights;
	struct iovec iov = { line, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof rights.bytes };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	struct ucred who = { 0 };

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof who))
		memcpy(&who, CMSG_DATA(c), sizeof who);
	*ret_sender = who.pid;
	return n > 0 ? (size_t)n : 0;
}

void log_pair_read(int fd, pid_t supervisor)
{
	char line[LOG_FOREIGN_MAX];
	pid_t sender;
	size_t n;

	for (int i = 0; i < LINES_AT_ONCE && (n = read_line(fd, line, sizeof line, &sender)) > 0; i++)
		(void)log_foreign(sender == supervisor ? "supervisor" : "runner", sender, line, n);
}
