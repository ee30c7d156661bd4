/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.c - see remote.h. A few channels, each a stream socket with one thread behind it in the key process; a message is its
 * length in four bytes and that many bytes. An answer begins with one byte: 0 and the reply, or 1 and the error.
 */
#include "keys/remote.h"

#include "keys/core.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNELS 4
#define FIRST_FD 3 /* the channels' numbers in the key process begin here */

struct remote {
	pid_t pid;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	int fds[CHANNELS];
	bool busy[CHANNELS];
};

/* --- framing, both ends --- */

static bool send_all(int fd, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

static bool receive_all(int fd, void *bytes, size_t n)
{
	unsigned char *p = bytes;

	while (n) {
		ssize_t r = recv(fd, p, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		p += r;
		n -= (size_t)r;
	}
	return true;
}

static bool send_message(int fd, unsigned char tag, const struct secret *body)
{
	uint32_t n = (uint32_t)body->n + 1;

	return body->n < MESSAGE_MAX && send_all(fd, &n, sizeof n) && send_all(fd, &tag, 1) &&
	       send_all(fd, body->p, body->n);
}

static bool receive_message(int fd, unsigned char *ret_tag, struct secret *ret)
{
	uint32_t n;

	if (!receive_all(fd, &n, sizeof n) || !n || n > MESSAGE_MAX || !receive_all(fd, ret_tag, 1))
		return false;
	*ret = (struct secret){ .p = xcalloc(1, n), .n = n - 1 };
	if (receive_all(fd, ret->p, ret->n))
		return true;
	secret_clear(ret);
	return false;
}

/* --- the key process --- */

struct server {
	struct core *core;
	int fd;
};

static bool serve_one(struct core *core, int fd)
{
	_cleanup_secret_ struct secret in = { 0 }, out = { 0 };
	_cleanup_reply_ struct key_reply reply = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	struct key_request q = { 0 };
	unsigned char tag;
	int r;

	if (!receive_message(fd, &tag, &in))
		return false;
	r = message_decode(key_request_fields, in.p, in.n, &q, &err);
	if (r == 0)
		r = core_do(core, &q, &reply, &err);
	request_free(&q);
	if (r < 0)
		error_encode(&err, &out);
	else
		message_encode(key_reply_fields, &reply, &out);
	return send_message(fd, r < 0, &out);
}

static void *serve(void *arg)
{
	struct server *s = arg;

	while (serve_one(s->core, s->fd))
		;
	return NULL;
}

static void child_fds(int fds[CHANNELS])
{
	for (int i = 0; i < CHANNELS; i++) /* out of the way first */
		fds[i] = fcntl(fds[i], F_DUPFD, 64);
	for (int i = 0; i < CHANNELS; i++)
		if (fds[i] < 0 || dup2(fds[i], FIRST_FD + i) < 0)
			_exit(1);
	if (close_range(FIRST_FD + CHANNELS, ~0u, 0) < 0)
		_exit(1);
}

static _Noreturn void child(const struct keys_options *o, int fds[CHANNELS])
{
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_secret_ struct secret out = { 0 };
	struct server servers[CHANNELS];
	pthread_t threads[CHANNELS];
	struct ring *ring = NULL;
	struct core *core;

	child_fds(fds);
	prctl(PR_SET_NAME, "certwright-keys");
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(SIGINT, SIG_IGN); /* it ends when the other end closes */
	signal(SIGTERM, SIG_IGN);
	if (ring_open(&o->files, o->check_text, &ring, &err) < 0) {
		error_encode(&err, &out);
		send_message(FIRST_FD, 1, &out);
		_exit(0);
	}
	out = (struct secret){ 0 };
	out.p = (unsigned char *)ring_check_text(ring);
	out.n = strlen((char *)out.p);
	send_message(FIRST_FD, 0, &out);
	core = core_new(ring);
	for (int i = 0; i < CHANNELS; i++) {
		servers[i] = (struct server){ core, FIRST_FD + i };
		if (pthread_create(&threads[i], NULL, serve, &servers[i]))
			_exit(1);
	}
	for (int i = 0; i < CHANNELS; i++)
		pthread_join(threads[i], NULL);
	core_free(core);
	_exit(0);
}

/* --- the callers' end --- */

static int gone(struct err *err)
{
	return err_set(err, ERR_INTERNAL, "the key process has ended");
}

static int first_answer(struct remote *r, char **ret_check_text, struct err *err)
{
	_cleanup_secret_ struct secret in = { 0 };
	unsigned char tag;

	if (!receive_message(r->fds[0], &tag, &in))
		return gone(err);
	if (tag) {
		error_decode(in.p, in.n, err);
		return -(int)err->code;
	}
	*ret_check_text = xstrndup((char *)in.p, in.n);
	return 0;
}

static void close_fds(int fds[CHANNELS])
{
	for (int i = 0; i < CHANNELS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int remote_open(const struct keys_options *o, struct remote **ret, char **ret_check_text, struct err *err)
{
	struct remote *r = xcalloc(1, sizeof *r);
	int theirs[CHANNELS];

	for (int i = 0; i < CHANNELS; i++)
		r->fds[i] = theirs[i] = -1;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->freed, NULL);
	for (int i = 0; i < CHANNELS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
			err_set_errno(err, ERR_INTERNAL, "could not make a socket pair");
			close_fds(theirs);
			goto out;
		}
		r->fds[i] = pair[0];
		theirs[i] = pair[1];
	}
	r->pid = fork();
	if (r->pid == 0)
		child(o, theirs);
	close_fds(theirs);
	if (r->pid < 0) {
		err_set_errno(err, ERR_INTERNAL, "could not start the key process");
		goto out;
	}
	if (first_answer(r, ret_check_text, err) < 0)
		goto out;
	*ret = r;
	return 0;
out:
	remote_close(r);
	return -(int)err->code;
}

void remote_close(struct remote *r)
{
	if (!r)
		return;
	close_fds(r->fds);
	while (r->pid > 0 && waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->freed);
	free(r);
}

static int channel_take(struct remote *r)
{
	int found = -1;

	pthread_mutex_lock(&r->lock);
	while (found < 0) {
		for (int i = 0; i < CHANNELS && found < 0; i++)
			if (!r->busy[i])
				found = i;
		if (found < 0)
			pthread_cond_wait(&r->freed, &r->lock);
	}
	r->busy[found] = true;
	pthread_mutex_unlock(&r->lock);
	return found;
}

static void channel_give(struct remote *r, int i)
{
	pthread_mutex_lock(&r->lock);
	r->busy[i] = false;
	pthread_cond_signal(&r->freed);
	pthread_mutex_unlock(&r->lock);
}

int remote_do(struct remote *r, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	_cleanup_secret_ struct secret out = { 0 }, in = { 0 };
	unsigned char tag;
	bool ok;
	int i;

	message_encode(key_request_fields, q, &out);
	if (out.n >= MESSAGE_MAX)
		return err_set(err, ERR_TOO_LARGE, "a call of the key module has more than %d bytes", MESSAGE_MAX);
	i = channel_take(r);
	ok = send_message(r->fds[i], 0, &out) && receive_message(r->fds[i], &tag, &in);
	channel_give(r, i);
	if (!ok)
		return gone(err);
	if (tag) {
		error_decode(in.p, in.n, err);
		return -(int)err->code;
	}
	return message_decode(key_reply_fields, in.p, in.n, ret, err);
}
