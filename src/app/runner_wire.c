/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner_wire.c - the messages between core and a job's keeper. Fields are a length (32 bits, network order) and bytes; texts
 * end with a NUL that is counted, so that they can be used in place.
 */
#include "app/runner_private.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void put_u32(struct buf *b, uint32_t v)
{
	v = htonl(v);
	buf_add(b, &v, sizeof v);
}

static void put_text(struct buf *b, const char *s)
{
	put_u32(b, (uint32_t)strlen(s) + 1);
	buf_add(b, s, strlen(s) + 1);
}

static void put_list(struct buf *b, const char *const *l)
{
	uint32_t n = 0;

	while (l && l[n])
		n++;
	put_u32(b, n);
	for (uint32_t i = 0; i < n; i++)
		put_text(b, l[i]);
}

struct cursor {
	const char *p;
	size_t n;
	bool failed;
};

static uint32_t get_u32(struct cursor *c)
{
	uint32_t v;

	if (c->failed || c->n < sizeof v) {
		c->failed = true;
		return 0;
	}
	memcpy(&v, c->p, sizeof v);
	c->p += sizeof v;
	c->n -= sizeof v;
	return ntohl(v);
}

static struct str get_bytes(struct cursor *c)
{
	uint32_t n = get_u32(c);
	struct str s = { c->p, n };

	if (c->failed || n > c->n) {
		c->failed = true;
		return (struct str){ "", 0 };
	}
	c->p += n;
	c->n -= n;
	return s;
}

static const char *get_text(struct cursor *c)
{
	struct str s = get_bytes(c);

	if (c->failed || !s.n || memchr(s.p, '\0', s.n) != s.p + s.n - 1) {
		c->failed = true;
		return "";
	}
	return s.p;
}

static void get_list(struct cursor *c, const char **to, size_t *ret_n)
{
	uint32_t n = get_u32(c);

	c->failed |= n > RUNNER_ARGS;
	for (uint32_t i = 0; i < n && !c->failed; i++)
		to[i] = get_text(c);
	*ret_n = c->failed ? 0 : n;
}

/* ---- request ----------------------------------------------------------------------------------------------------- */

int runner_request_encode(const struct program_request *q, struct buf *out, struct err *err)
{
	int64_t timeout = q->timeout_ms > 0 ? MIN(q->timeout_ms, RUNNER_TIMEOUT_MAX_MS) : RUNNER_TIMEOUT_MS;
	size_t n = 0;

	for (; q->args && q->args[n]; n++)
		;
	if (n > RUNNER_ARGS)
		return err_set(err, ERR_TOO_LARGE, "the program '%s' is given more than %d arguments", q->name, RUNNER_ARGS);
	for (n = 0; q->env && q->env[n]; n++)
		if (!strchr(q->env[n], '=') || *q->env[n] == '=')
			return err_set(err, ERR_INVALID, "the environment for the program '%s' has an entry that is not NAME=value", q->name);
	if (n > RUNNER_ARGS)
		return err_set(err, ERR_TOO_LARGE, "the program '%s' is given more than %d variables", q->name, RUNNER_ARGS);
	put_text(out, q->name);
	put_u32(out, (uint32_t)timeout);
	put_u32(out, (uint32_t)(q->max_output ? MIN(q->max_output, (size_t)RUNNER_OUTPUT_MAX) : RUNNER_OUTPUT_DEFAULT));
	put_u32(out, q->scratch);
	put_list(out, q->args);
	put_list(out, q->env);
	put_u32(out, (uint32_t)q->input.n);
	buf_add(out, q->input.p ? q->input.p : "", q->input.n);
	if (out->failed)
		return err_set(err, ERR_TOO_LARGE, "the input for the program '%s' is larger than %d bytes", q->name, RUNNER_REQUEST_MAX);
	return 0;
}

int runner_request_decode(struct str message, struct runner_job *ret, struct err *err)
{
	struct cursor c = { message.p, message.n, false };

	ret->name = get_text(&c);
	ret->timeout_ms = get_u32(&c);
	ret->timeout_ms = MIN(ret->timeout_ms, RUNNER_TIMEOUT_MAX_MS);
	ret->max_output = get_u32(&c);
	ret->max_output = MIN(ret->max_output, (size_t)RUNNER_OUTPUT_MAX);
	ret->scratch = get_u32(&c) != 0;
	get_list(&c, ret->args + 1, &ret->n_args);
	get_list(&c, ret->env + RUNNER_ENV_OWN, &ret->n_env);
	ret->input = get_bytes(&c);
	if (c.failed || c.n)
		return err_set(err, ERR_INTERNAL, "the runner got a request that it cannot read");
	return 0;
}

/* ---- reply ------------------------------------------------------------------------------------------------------- */

void runner_reply_encode(const struct program_result *r, const struct err *e, struct buf *out)
{
	_cleanup_free_ char *words = err_is(e) ? err_text(e) : NULL;

	if (words) {
		put_u32(out, 1);
		put_text(out, err_slug(e->code));
		put_text(out, words);
		put_text(out, e->hint ? e->hint : "");
		return;
	}
	put_u32(out, 0);
	put_u32(out, (uint32_t)r->status);
	put_u32(out, (uint32_t)r->out.n);
	buf_add(out, buf_text(&r->out), r->out.n);
}

int runner_reply_decode(struct str message, struct program_result *ret, struct err *err)
{
	struct cursor c = { message.p, message.n, false };
	bool failed = get_u32(&c) != 0;

	if (failed) {
		const char *slug = get_text(&c), *words = get_text(&c), *hint = get_text(&c);
		enum err_code code;

		if (c.failed || c.n || !err_from_slug(slug, &code) || code == ERR_NONE)
			return err_set(err, ERR_INTERNAL, "the runner gave an answer that cannot be read");
		err_set(err, code, "%s", words);
		return *hint ? err_hint(err, "%s", hint) : -(int)code;
	}
	ret->status = (int)get_u32(&c);
	struct str out = get_bytes(&c);
	if (c.failed || c.n)
		return err_set(err, ERR_INTERNAL, "the runner gave an answer that cannot be read");
	ret->out.max = MAX(ret->out.max, out.n);
	buf_add(&ret->out, out.p, out.n);
	return 0;
}

/* ---- sockets ----------------------------------------------------------------------------------------------------- */

static int wait_for(int fd, short events, int64_t until_ms, struct err *err)
{
	for (;;) {
		int64_t left = until_ms - clock_boot(&clock_system);
		struct pollfd p = { .fd = fd, .events = events };
		int r = left > 0 ? poll(&p, 1, (int)MIN(left, INT64_C(60000))) : 0;

		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return err_set_errno(err, ERR_INTERNAL, "could not wait for the runner");
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "the runner did not answer in time");
	}
}

int runner_message_write(int fd, struct str message, int64_t until_ms, struct err *err)
{
	uint32_t length = htonl((uint32_t)message.n);
	struct str parts[] = { { (const char *)&length, sizeof length }, message };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		while (parts[i].n) {
			ssize_t n = send(fd, parts[i].p, parts[i].n, MSG_NOSIGNAL | MSG_DONTWAIT);

			if (n < 0 && errno != EAGAIN && errno != EINTR)
				return err_set(err, ERR_BUSY, "the other side of the runner's socket is gone");
			if (n < 0 && wait_for(fd, POLLOUT, until_ms, err) < 0)
				return -(int)err->code;
			if (n > 0)
				parts[i] = (struct str){ parts[i].p + n, parts[i].n - (size_t)n };
		}
	return 0;
}

static int read_exactly(int fd, char *p, size_t n, int64_t until_ms, struct err *err)
{
	while (n) {
		ssize_t got = recv(fd, p, n, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return err_set(err, ERR_BUSY, "the other side of the runner's socket is gone");
		if (got < 0 && wait_for(fd, POLLIN, until_ms, err) < 0)
			return -(int)err->code;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

int runner_message_read(int fd, size_t max, int64_t until_ms, struct buf *ret, struct err *err)
{
	uint32_t length;
	char *text;

	if (read_exactly(fd, (char *)&length, sizeof length, until_ms, err) < 0)
		return -(int)err->code;
	length = ntohl(length);
	if (length > max)
		return err_set(err, ERR_TOO_LARGE, "a message of the runner is larger than %zu bytes", max);
	text = xmalloc((size_t)length + 1);
	text[length] = '\0';
	if (read_exactly(fd, text, length, until_ms, err) < 0) {
		explicit_bzero(text, length);
		free(text);
		return -(int)err->code;
	}
	buf_done_wipe(ret);
	*ret = (struct buf){ .p = text, .n = length, .cap = (size_t)length + 1, .max = max };
	return 0;
}
