/* SPDX-License-Identifier: Apache-2.0 */
/* runner_client.c - core's side of the runner: one socket pair per job, its other end sent over. */
#include "app/runner_private.h"

#include "base/clock.h"
#include "base/crash.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GRACE_MS (20 * SECOND_MS) /* beyond the job's own limit: waiting for a place, killing, wiping */

/* One message of one byte with the descriptor. */
static int send_end(int control, int fd, int64_t until_ms, struct err *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} rights = { 0 };
	char byte = 'j';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof rights.bytes };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	while (sendmsg(control, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		struct pollfd p = { control, POLLOUT, 0 };
		int64_t left = until_ms - clock_boot(&clock_system);

		if ((errno != EAGAIN && errno != EINTR) || left <= 0)
			return err_set_errno(err, ERR_BUSY, "the runner of foreign programs is not there");
		(void)poll(&p, 1, (int)MIN(left, SECOND_MS));
	}
	return 0;
}

static int connected(const char *path, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof a.sun_path)
		return err_set(err, ERR_INVALID, "the path '%s' is too long for a socket", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	err_set_errno(err, ERR_BUSY, "the runner of foreign programs is not there ('%s')", path);
	if (fd >= 0)
		close(fd);
	return -(int)err->code;
}

/* A pair of which one end is sent over. */
static int paired(int control, int64_t until, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make a socket pair");
	if (send_end(control, pair[1], until, err) < 0)
		close_p(&pair[0]);
	close_p(&pair[1]);
	return err_is(err) ? -(int)err->code : pair[0];
}

int runner_client_run(void *arg, const struct program_request *q, struct program_result *ret, struct err *err)
{
	const struct runner_client *client = arg;
	_cleanup_buf_wipe_ struct buf message = BUF_MAX(RUNNER_REQUEST_MAX);
	_cleanup_close_ int ours = -1;
	int64_t until = clock_boot(&clock_system) + (q->timeout_ms > 0 ? MIN(q->timeout_ms, RUNNER_TIMEOUT_MAX_MS) : RUNNER_TIMEOUT_MS) + GRACE_MS;

	if (client->fd < 0 && !client->path)
		return err_set(err, ERR_BUSY, "there is no runner for the program '%s'", q->name);
	if (runner_request_encode(q, &message, err) < 0)
		return -(int)err->code;
	ours = client->path ? connected(client->path, err) : paired(client->fd, until, err);
	if (ours < 0)
		return err_wrap(err, "could not run the program '%s'", q->name);
	CRASH_POINT("program-run");
	if (FAIL_POINT("program-run"))
		return err_set(err, ERR_NETWORK, "could not run the program '%s': the runner is away", q->name);
	if (runner_message_write(ours, (struct str){ buf_text(&message), message.n }, until, err) < 0)
		return err_wrap(err, "could not run the program '%s'", q->name);
	CRASH_POINT("program-asked");
	if (runner_message_read(ours, RUNNER_OUTPUT_MAX + 4096, until, &message, err) < 0)
		return err_wrap(err, "could not run the program '%s'", q->name);
	CRASH_POINT("program-ended");
	if (FAIL_POINT("program-ended"))
		return err_set(err, ERR_NETWORK, "the runner was away before it had told what became of the program '%s'", q->name);
	return runner_reply_decode((struct str){ buf_text(&message), message.n }, ret, err);
}
