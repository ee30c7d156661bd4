/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The libcurl client against a small server in this process: what may be reached, how failures are named, and that answers
 * have limits. The server sends a fixed script for every request and counts connections.
 */
#include "tests/unit/assert.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/client.h"
#include "net/ruled.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct server {
	int fd, fd6;
	unsigned port;
	pthread_t thread;
	atomic_int accepts, requests, open;
	atomic_bool end;
	const char *script; /* sent after each request */
	atomic_size_t n;
	bool keep;          /* keep the connection open for the next request */
	bool hold;          /* never close, never say more */
	int flood;          /* repeat the script so often */
	SSL_CTX *tls;
	char seen[8192];    /* the last request */
};

static int listen_on(int family, unsigned *port)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	union addr a = { 0 };
	socklen_t n = family == AF_INET ? sizeof a.in : sizeof a.in6;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	a.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
		a.in6.sin6_port = htons((uint16_t)*port);
	} else {
		a.in.sin_port = htons((uint16_t)*port);
	}
	if (bind(fd, &a.sa, n) < 0 || listen(fd, 64) < 0) {
		close(fd);
		return -1;
	}
	getsockname(fd, &a.sa, &n);
	*port = addr_port(&a);
	return fd;
}

static bool still(const struct server *s, int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	while (!s->end)
		if (poll(&p, 1, 20) > 0)
			return true;
	return false;
}

static ssize_t io_read(SSL *ssl, int fd, char *p, size_t n)
{
	return ssl ? SSL_read(ssl, p, (int)n) : read(fd, p, n);
}

static ssize_t io_write(SSL *ssl, int fd, const char *p, size_t n)
{
	return ssl ? SSL_write(ssl, p, (int)n) : send(fd, p, n, MSG_NOSIGNAL);
}

static void converse(struct server *s, int fd, SSL *ssl)
{
	char in[8192];

	do {
		size_t have = 0;

		while (!memmem(in, have, "\r\n\r\n", 4)) {
			ssize_t n;

			if (!(ssl && SSL_pending(ssl)) && !still(s, fd))
				return;
			n = io_read(ssl, fd, in + have, sizeof in - have - 1);
			if (n <= 0)
				return;
			have += (size_t)n;
		}
		in[have] = '\0';
		memcpy(s->seen, in, have + 1);
		s->requests++;
		for (int i = 0; i < (s->flood ? s->flood : 1); i++)
			if (s->n && io_write(ssl, fd, s->script, s->n) < 0)
				return;
		while (s->hold && !s->end)
			still(s, -1);
	} while (s->keep);
}

struct connection {
	struct server *s;
	int fd;
};

static void *serve_one(void *arg)
{
	struct connection *c = arg;
	SSL *ssl = NULL;

	if (c->s->tls) {
		ssl = SSL_new(c->s->tls);
		SSL_set_fd(ssl, c->fd);
	}
	if (!ssl || SSL_accept(ssl) == 1)
		converse(c->s, c->fd, ssl);
	if (ssl) {
		SSL_shutdown(ssl);
		SSL_free(ssl);
	}
	close(c->fd);
	c->s->open--;
	free(c);
	return NULL;
}

static void *serve(void *arg)
{
	struct server *s = arg;

	while (!s->end) {
		struct pollfd p[2] = { { s->fd, POLLIN, 0 }, { s->fd6, POLLIN, 0 } };
		struct connection *c;
		pthread_t thread;
		int fd;

		if (poll(p, s->fd6 < 0 ? 1 : 2, 20) <= 0)
			continue;
		fd = accept(p[0].revents ? s->fd : s->fd6, NULL, NULL);
		if (fd < 0)
			continue;
		s->accepts++;
		s->open++;
		c = xcalloc(1, sizeof *c);
		*c = (struct connection){ s, fd };
		pthread_create(&thread, NULL, serve_one, c);
		pthread_detach(thread);
	}
	while (s->open)
		usleep(1000);
	return NULL;
}

static struct server *start(const char *script, SSL_CTX *tls)
{
	struct server *s = xcalloc(1, sizeof *s);

	s->script = script;
	s->n = strlen(script);
	s->tls = tls;
	s->fd = listen_on(AF_INET, &s->port);
	ASSERT_TRUE(s->fd >= 0);
	s->fd6 = listen_on(AF_INET6, &s->port);
	pthread_create(&s->thread, NULL, serve, s);
	return s;
}

static void end(struct server *s)
{
	s->end = true;
	pthread_join(s->thread, NULL);
	close(s->fd);
	close_p(&s->fd6);
	free(s);
}

static struct net_policy *policy(const struct net_config *c)
{
	struct err err = ERR_INIT;
	struct net_policy *p = NULL;

	ASSERT_OK(net_policy_new(c, &p, &err), &err);
	return p;
}

static struct net_client *client(const struct net_config *c)
{
	_cleanup_net_policy_ struct net_policy *p = policy(c);

	return net_client_new(p, NULL);
}

#define LOCAL (&(struct net_config){ .allow = "127.0.0.0/8, ::1" })
static const struct net_rule plain = { .plain_ok = true };

static char *url_of(const struct server *s, const char *scheme, const char *path)
{
	return xasprintf("%s://127.0.0.1:%u%s", scheme, s->port, path);
}

/* One plain GET of a fresh client; the answer is the caller's. */
static int get(const struct server *s, struct http_request q, struct http_response *ret, struct err *err)
{
	_cleanup_net_client_ struct net_client *c = client(LOCAL);
	_cleanup_free_ char *url = url_of(s, s->tls ? "https" : "http", "/x");

	q.url = url;
	if (!q.rule)
		q.rule = &plain;
	return http_do(net_client_http(c), &q, ret, err);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

/* ---- the guard ---- */

static void no_spelling_reaches_a_local_address(void **state UNUSED)
{
	static const char *const spellings[] = {
		"%s://127.0.0.1:%u/", "%s://localhost:%u/", "%s://LOCALHOST:%u/", "%s://localhost.:%u/", "%s://[::1]:%u/",
		"%s://[0:0:0:0:0:0:0:1]:%u/", "%s://[::ffff:127.0.0.1]:%u/", "%s://[::ffff:7f00:1]:%u/", "%s://[::ffff:0:127.0.0.1]:%u/",
		"%s://[::127.0.0.1]:%u/", "%s://[64:ff9b::127.0.0.1]:%u/", "%s://[64:ff9b:1::7f00:1]:%u/", "%s://[2002:7f00:1::]:%u/",
		"%s://[2001:0:7f00:1::80ff:fffe]:%u/", "%s://2130706433:%u/", "%s://0x7f000001:%u/", "%s://0x7F.0.0.1:%u/",
		"%s://0x7f.1:%u/", "%s://127.1:%u/", "%s://127.0.1:%u/", "%s://0177.0.0.1:%u/", "%s://0177.1:%u/", "%s://017700000001:%u/",
		"%s://127.0.0.1.:%u/", "%s://127.000.000.001:%u/", "%s://127.0.0.2:%u/", "%s://127.255.255.254:%u/", "%s://0.0.0.0:%u/",
		"%s://0:%u/", "%s://[::]:%u/", "%s://0x0:%u/", "%s://00:%u/", "%s://u@127.0.0.1:%u/", "%s://u:p@127.0.0.1:%u/",
		"%s://ca.example@127.0.0.1:%u/", "%s://127.0.0.1\\@ca.example:%u/", "%s://ca.example\\@127.0.0.1:%u/",
		"%s://ca.example#@127.0.0.1:%u/", "%s://127.0.0.1:%u#@ca.example/", "%s://127.0.0.1%%00.ca.example:%u/",
		"%s://127%%2e0%%2e0%%2e1:%u/", "%s://%%31%%32%%37.0.0.1:%u/", "%s://127.0.0.1%%2f@ca.example:%u/",
		"%s://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:%u/", ("%s://127\xe3\x80\x82" "0.0.1:%u/"), "%s://\xe2\x93\x9bocalhost:%u/",
		"%s:///127.0.0.1:%u/", "%s:/127.0.0.1:%u/", "%s:127.0.0.1:%u/", "%s:\\\\127.0.0.1:%u/", "%s:////127.0.0.1:%u/",
		" %s://127.0.0.1:%u/", "%s://127.0.0.1 :%u/", "%s://127.0.0.1\t:%u/", "%s://127.0.0.1\n:%u/", "%s://[127.0.0.1]:%u/",
		"%s://[::1%%25lo]:%u/", "%s://[::1%%lo]:%u/", "%s://[fe80::1%%25lo]:%u/", "%s://[::1]x:%u/", "%s://[::1:%u/",
		"%s://localhost6:%u/", "%s://ip6-localhost:%u/", "%s://ip6-loopback:%u/", "%s://foo.localhost:%u/",
		"%s://localhost.localdomain:%u/", "%s://127.0.0.1,ca.example:%u/", "%s://127.0.0.1;ca.example:%u/", "%s://1.127.0.0.1:%u/",
		"%s://169.254.169.254:%u/", "%s://10.0.0.1:%u/", "%s://192.168.0.1:%u/", "%s://172.16.0.1:%u/", "%s://100.64.0.1:%u/",
		"%s://[fd00:ec2::254]:%u/", "%s://[fc00::1]:%u/", "%s://[fe80::1]:%u/", "%s://[2001:db8::1]:%u/", "%s://[100::1]:%u/",
		"%s://metadata.google.internal:%u/", "%s://224.0.0.1:%u/", "%s://255.255.255.255:%u/",
	};
	struct server *s = start(OK_ANSWER, NULL);
	_cleanup_net_client_ struct net_client *c = client(&(struct net_config){ 0 });
	size_t tried = 0;

	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		for (int tls = 0; tls < 2; tls++) {
			_cleanup_http_ struct http_response r = { 0 };
			_cleanup_err_ struct err err = ERR_INIT;
			_cleanup_buf_ struct buf url = BUF_MAX(1000);
			const char *p = spellings[i];

			/* the format is ours: %s, %u, %% */
			for (; *p; p++) {
				if (*p != '%')
					buf_add_char(&url, *p);
				else if (*++p == 's')
					buf_add_str(&url, tls ? "https" : "http");
				else if (*p == 'u')
					buf_addf(&url, "%u", s->port);
				else
					buf_add_char(&url, '%');
			}
			struct http_request q = { .url = buf_text(&url), .rule = &plain, .timeout_ms = 3000, .connect_ms = 2000 };

			if (http_do(net_client_http(c), &q, &r, &err) >= 0)
				print_error("reached: %s\n", q.url);
			ASSERT_TRUE(err.code == ERR_INVALID || (err.code == ERR_NETWORK && r.leg == NET_LEG_NAME) ||
				    (err.code == ERR_TIMEOUT && r.leg == NET_LEG_NAME));
			tried++;
		}
	ASSERT_TRUE(tried > 120);
	ASSERT_INT(s->accepts, 0);
	end(s);
}

static void a_rule_opens_just_its_own_network(void **state UNUSED)
{
	struct server *s = start(OK_ANSWER, NULL);
	_cleanup_net_client_ struct net_client *c = client(&(struct net_config){ 0 });
	/* a name: what it resolves to is judged at the socket only */
	_cleanup_free_ char *url = xasprintf("http://localhost:%u/", s->port);
	struct net_rule open = { .plain_ok = true, .allow = "127.0.0.1, ::1" }, other = { .plain_ok = true, .allow = "127.0.0.2" };
	struct http_request q = { .url = url };
	struct err err = ERR_INIT;

	/* in this order, so that the connection kept by the first could serve the others */
	s->keep = true;
	q.rule = &open;
	for (int i = 0; i < 2; i++) {
		_cleanup_http_ struct http_response r = { 0 };

		ASSERT_OK(http_do(net_client_http(c), &q, &r, &err), &err);
		ASSERT_STR(buf_text(&r.body), "hello");
	}
	q.rule = &other;
	_cleanup_http_ struct http_response r2 = { 0 };
	ASSERT_FAILS(http_do(net_client_http(c), &q, &r2, &err), &err, ERR_INVALID);
	q.rule = &plain;
	_cleanup_http_ struct http_response r3 = { 0 };
	ASSERT_FAILS(http_do(net_client_http(c), &q, &r3, &err), &err, ERR_INVALID);
	end(s);
}

/* ---- answers ---- */

static void an_answer_is_given_as_it_came(void **state UNUSED)
{
	struct server *s = start("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 404 Not here\r\nReplay-Nonce: abc\r\nLink: <a>;rel=\"up\"\r\n"
				 "LINK: <b>;rel=\"up\"\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01",
				 NULL);
	struct http_header headers[] = { { "Accept", "application/json" }, { "X-Key", "s3cret" }, { NULL, NULL } };
	_cleanup_http_ struct http_response r = { 0 };
	struct err err = ERR_INIT;
	_cleanup_free_ char *port = NULL;

	ASSERT_OK(get(s, (struct http_request){ .method = HTTP_POST, .content_type = "application/jose+json", .body = STR("{\"a\":1}"),
						.headers = headers },
		      &r, &err),
		  &err);
	ASSERT_INT(r.status, 404);
	ASSERT_STR(http_header_get(&r, "replay-nonce"), "abc");
	ASSERT_STR(http_header_nth(&r, "link", 1), "<b>;rel=\"up\"");
	assert_null(http_header_get(&r, "x-early"));
	ASSERT_INT(r.body.n, 4); /* not unpacked */
	ASSERT_HAS(s->seen, "POST /x HTTP/1.1\r\n");
	ASSERT_HAS(s->seen, "User-Agent: certwright/");
	ASSERT_HAS(s->seen, "Content-Type: application/jose+json\r\n");
	ASSERT_HAS(s->seen, "X-Key: s3cret\r\n");
	ASSERT_HAS(s->seen, "Accept: application/json\r\n");
	assert_null(strstr(s->seen, "Expect"));
	assert_null(strstr(s->seen, "Accept-Encoding"));
	port = xasprintf("127.0.0.1:%u", s->port);
	ASSERT_STR(r.remote, port);
	end(s);
}

static void redirects_are_not_followed(void **state UNUSED)
{
	struct server *trap = start(OK_ANSWER, NULL);

	for (int status = 300; status <= 308; status++) {
		_cleanup_free_ char *script = xasprintf("HTTP/1.1 %d Moved\r\nLocation: http://127.0.0.1:%u/\r\nContent-Length: 0\r\n\r\n", status,
							trap->port);
		struct server *s = start(script, NULL);
		_cleanup_http_ struct http_response r = { 0 };
		struct err err = ERR_INIT;

		ASSERT_OK(get(s, (struct http_request){ 0 }, &r, &err), &err);
		ASSERT_INT(r.status, status);
		end(s);
	}
	ASSERT_INT(trap->accepts, 0);
	end(trap);
}

static void an_answer_cut_anywhere_is_an_error(void **state UNUSED)
{
	static const char plain_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world";
	static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
	const char *const all[] = { plain_answer, chunked };

	for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
		struct server *s = start(all[k], NULL);
		size_t whole = s->n;

		/* the last two bytes of the chunked one are the end of its (empty) trailer, which nobody needs */
		for (size_t cut = 0; cut + (k ? 2 : 1) <= whole; cut++) {
			_cleanup_http_ struct http_response r = { 0 };
			_cleanup_err_ struct err err = ERR_INIT;

			s->n = cut;
			if (get(s, (struct http_request){ 0 }, &r, &err) >= 0)
				print_error("answer %zu cut at %zu was taken\n", k, cut);
			ASSERT_INT(err.code, ERR_NETWORK);
			ASSERT_INT(r.leg, NET_LEG_HTTP);
		}
		s->n = whole;
		_cleanup_http_ struct http_response r = { 0 };
		struct err err = ERR_INIT;
		ASSERT_OK(get(s, (struct http_request){ 0 }, &r, &err), &err);
		ASSERT_STR(buf_text(&r.body), "hello world");
		end(s);
	}
}

static void answers_have_limits(void **state UNUSED)
{
	_cleanup_free_ char *kib = xmalloc(1025);
	struct err err = ERR_INIT;

	memset(kib, 'a', 1024);
	kib[1024] = '\0';
	for (int d = -1; d <= 1; d++) { /* body: limit-1, limit, limit+1 */
		_cleanup_free_ char *script = xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%.*s", 1000 + d, 1000 + d, kib);
		struct server *s = start(script, NULL);
		_cleanup_http_ struct http_response r = { 0 };

		if (d <= 0)
			ASSERT_OK(get(s, (struct http_request){ .max_body = 1000 }, &r, &err), &err);
		else
			ASSERT_FAILS(get(s, (struct http_request){ .max_body = 1000 }, &r, &err), &err, ERR_REMOTE_BAD);
		end(s);
	}
	struct { /* endless */
		const char *script;
		int flood;
		enum err_code code;
	} rows[] = {
		{ "HTTP/1.1 100 Continue\r\n\r\n", 100000, ERR_REMOTE_BAD },
		{ "HTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n", 100000, ERR_REMOTE_BAD },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct server *s = start(rows[i].script, NULL);
		_cleanup_http_ struct http_response r = { 0 };

		s->flood = rows[i].flood;
		ASSERT_FAILS(get(s, (struct http_request){ 0 }, &r, &err), &err, rows[i].code);
		end(s);
	}
	_cleanup_buf_ struct buf many = BUF_MAX(4 * 1024 * 1024), one = BUF_MAX(4 * 1024 * 1024), body = BUF_MAX(4 * 1024 * 1024);
	buf_add_str(&many, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 10000; i++)
		buf_addf(&many, "X-%d: y\r\n", i);
	buf_add_str(&many, "Content-Length: 0\r\n\r\n");
	buf_addf(&one, "HTTP/1.1 200 OK\r\nX: ");
	for (int i = 0; i < 90; i++)
		buf_add(&one, kib, 1024);
	buf_add_str(&one, "\r\nContent-Length: 0\r\n\r\n");
	buf_add_str(&body, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 300; i++)
		buf_add(&body, kib, 1024);
	const struct buf *const large[] = { &many, &one, &body };
	for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
		struct server *s = start(buf_text(large[i]), NULL);
		_cleanup_http_ struct http_response r = { 0 };

		ASSERT_FAILS(get(s, (struct http_request){ 0 }, &r, &err), &err, ERR_REMOTE_BAD);
		end(s);
	}
}

static void nonsense_instead_of_http_is_an_error(void **state UNUSED)
{
	static const char *const bad[] = { "", "hello", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/0.9 200 OK\r\n\r\nx", "<html></html>",
					   "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx",
					   "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
					   "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello",
					   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
					   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n",
					   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct server *s = start(bad[i], NULL);
		_cleanup_http_ struct http_response r = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;

		if (get(s, (struct http_request){ 0 }, &r, &err) >= 0)
			print_error("taken: %s\n", bad[i]);
		ASSERT_TRUE(err.code == ERR_NETWORK || err.code == ERR_REMOTE_BAD);
		end(s);
	}
}

static void silence_ends_with_the_deadline(void **state UNUSED)
{
	static const char *const parts[] = { "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct server *s = start(parts[i], NULL);
		_cleanup_http_ struct http_response r = { 0 };
		struct err err = ERR_INIT;
		int64_t from = clock_boot(&clock_system);

		s->hold = true;
		ASSERT_FAILS(get(s, (struct http_request){ .timeout_ms = 1000 }, &r, &err), &err, ERR_TIMEOUT);
		ASSERT_INT(r.leg, NET_LEG_HTTP);
		ASSERT_TRUE(clock_boot(&clock_system) - from < 30 * SECOND_MS);
		end(s);
	}
}

static void a_raised_stop_ends_a_request(void **state UNUSED)
{
	struct server *s = start("", NULL);
	_cleanup_net_policy_ struct net_policy *p = policy(LOCAL);
	struct stop stop;
	struct net_client *c;
	_cleanup_free_ char *url = url_of(s, "http", "/");
	struct http_request q = { .url = url, .rule = &plain };
	_cleanup_http_ struct http_response r = { 0 };
	struct err err = ERR_INIT;

	s->hold = true;
	stop_init(&stop);
	stop_raise(&stop);
	c = net_client_new(p, &stop);
	ASSERT_FAILS(http_do(net_client_http(c), &q, &r, &err), &err, ERR_BUSY);
	net_client_free(c);
	stop_done(&stop);
	end(s);
}

/* ---- connections ---- */

static void connections_are_kept_until_the_policy_changes(void **state UNUSED)
{
	struct server *s = start(OK_ANSWER, NULL);
	_cleanup_net_client_ struct net_client *c = client(LOCAL);
	_cleanup_net_policy_ struct net_policy *next = policy(LOCAL);
	_cleanup_free_ char *url = url_of(s, "http", "/");
	struct http_request q = { .url = url, .rule = &plain };
	struct err err = ERR_INIT;

	s->keep = true;
	for (int i = 0; i < 5; i++) {
		_cleanup_http_ struct http_response r = { 0 };

		ASSERT_OK(http_do(net_client_http(c), &q, &r, &err), &err);
	}
	ASSERT_INT(s->accepts, 1);
	ASSERT_INT(s->requests, 5);
	net_client_set_policy(c, next);
	_cleanup_http_ struct http_response r = { 0 };
	ASSERT_OK(http_do(net_client_http(c), &q, &r, &err), &err);
	ASSERT_INT(s->accepts, 2);
	end(s);
}

static int collect(void *data, const char *p, size_t n)
{
	struct buf *b = data;

	buf_add(b, p, n);
	return memmem(b->p, b->n, "stop", 4) != NULL;
}

static void a_stream_is_handed_on_piece_by_piece(void **state UNUSED)
{
	struct server *s = start("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: stop\n\n", NULL);
	_cleanup_buf_ struct buf got = BUF_MAX(1000);
	_cleanup_http_ struct http_response r = { 0 };
	struct err err = ERR_INIT;

	s->hold = true; /* never ends by itself */
	ASSERT_OK(get(s, (struct http_request){ .on_body = collect, .data = &got }, &r, &err), &err);
	ASSERT_INT(r.status, 200);
	ASSERT_STR(buf_text(&got), "data: 1\n\ndata: stop\n\n");
	end(s);
}

static void headers_cannot_be_smuggled(void **state UNUSED)
{
	static const struct http_header bad[] = { { "X", "a\r\nY: b" }, { "X\r\nY", "b" }, { "X: y", "z" }, { "X Y", "z" }, { "X", "a\n" } };
	struct server *s = start(OK_ANSWER, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct http_header list[] = { bad[i], { NULL, NULL } };
		_cleanup_http_ struct http_response r = { 0 };
		struct err err = ERR_INIT;

		ASSERT_FAILS(get(s, (struct http_request){ .headers = list }, &r, &err), &err, ERR_INVALID);
	}
	ASSERT_INT(s->accepts, 0);
	end(s);
}

/* ---- legs ---- */

static void each_failure_names_its_leg(void **state UNUSED)
{
	unsigned port = 0;
	int closed = listen_on(AF_INET, &port);
	struct server *not_tls = start("hello\r\n", NULL);
	struct err err = ERR_INIT;
	_cleanup_free_ char *nobody = xasprintf("http://127.0.0.1:%u/", port), *plain_port = url_of(not_tls, "https", "/");

	close(closed);
	struct {
		const char *url;
		enum net_leg leg;
		const char *text;
	} rows[] = {
		{ "https://does-not-exist.invalid/", NET_LEG_NAME, "name look-up: 'does-not-exist.invalid'" },
		{ nobody, NET_LEG_TCP, "TCP: '127.0.0.1'" },
		{ plain_port, NET_LEG_TLS, "TLS: '127.0.0.1'" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_net_client_ struct net_client *c = client(LOCAL);
		struct http_request q = { .url = rows[i].url, .rule = &plain, .timeout_ms = 5000 };
		_cleanup_http_ struct http_response r = { 0 };
		int x = http_do(net_client_http(c), &q, &r, &err);

		ASSERT_TRUE(x < 0);
		ASSERT_HAS(err.detail, rows[i].text);
		ASSERT_INT(r.leg, rows[i].leg);
		err_clear(&err);
	}
	end(not_tls);
}

static void the_proxy_is_a_leg_of_its_own(void **state UNUSED)
{
	struct server *refusing = start("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", NULL);
	_cleanup_free_ char *proxy = url_of(refusing, "http", "");
	_cleanup_net_client_ struct net_client *c = client(&(struct net_config){ .proxy = proxy });
	struct err err = ERR_INIT;
	struct http_request q = { .url = "https://ca.example/directory", .timeout_ms = 5000 };
	_cleanup_http_ struct http_response r = { 0 }, r2 = { 0 };

	/* the proxy's own address is the administrator's choice and needs no net.allow */
	ASSERT_TRUE(http_do(net_client_http(c), &q, &r, &err) < 0);
	ASSERT_INT(err.code, ERR_NETWORK);
	ASSERT_INT(r.leg, NET_LEG_PROXY);
	ASSERT_HAS(err.detail, "403");
	ASSERT_HAS(refusing->seen, "CONNECT ca.example:443 HTTP/1.1");
	err_clear(&err);
	ASSERT_INT(refusing->requests, 1);
	/* but it must not be used as a way around */
	static const char *const inside[] = { "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://169.254.169.254/",
					      "https://metadata.google.internal/", "https://x.localhost/" };
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
		_cleanup_http_ struct http_response ri = { 0 };

		q.url = inside[i];
		ASSERT_FAILS(http_do(net_client_http(c), &q, &ri, &err), &err, ERR_INVALID);
	}
	ASSERT_INT(refusing->requests, 1);
	end(refusing);
	q.url = "https://ca.example/directory";
	ASSERT_TRUE(http_do(net_client_http(c), &q, &r2, &err) < 0);
	ASSERT_INT(r2.leg, NET_LEG_PROXY);
	ASSERT_HAS(err.detail, "proxy: ");
	err_clear(&err);
}

static void the_proxy_is_told_who_we_are_and_nobody_else(void **state UNUSED)
{
	struct server *wants = start("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n", NULL);
	struct server *direct = start(OK_ANSWER, NULL);
	_cleanup_free_ char *proxy = url_of(wants, "http", ""), *url = url_of(direct, "http", "/");
	struct secret password = { (unsigned char *)(uintptr_t)"p:w", 3 };
	_cleanup_net_client_ struct net_client *without = client(&(struct net_config){ .proxy = proxy });
	_cleanup_net_client_ struct net_client *with = client(&(struct net_config){ .proxy = proxy, .proxy_user = "user", .proxy_password = &password,
										    .allow = "127.0.0.0/8", .no_proxy = "127.0.0.1" });
	struct http_request q = { .url = "https://ca.example/", .timeout_ms = 5000 };
	_cleanup_http_ struct http_response r = { 0 }, r2 = { 0 }, r3 = { 0 };
	struct err err = ERR_INIT;

	ASSERT_TRUE(http_do(net_client_http(without), &q, &r, &err) < 0);
	ASSERT_INT(r.leg, NET_LEG_PROXY);
	ASSERT_HAS(err.detail, "wants a user and password");
	ASSERT_HAS(err.hint, "net.proxy_user");
	ASSERT_TRUE(!strstr(wants->seen, "Proxy-Authorization"));
	err_clear(&err);
	ASSERT_TRUE(http_do(net_client_http(with), &q, &r2, &err) < 0);
	ASSERT_HAS(err.detail, "did not accept the user and password");
	ASSERT_HAS(wants->seen, "Proxy-Authorization: Basic dXNlcjpwOnc=");
	ASSERT_TRUE(!strstr(err.detail, "p:w"));
	err_clear(&err);
	q = (struct http_request){ .url = url, .rule = &plain };
	ASSERT_OK(http_do(net_client_http(with), &q, &r3, &err), &err);
	ASSERT_TRUE(!strstr(direct->seen, "Authorization"));
	end(wants);
	end(direct);
}

/* ---- TLS ---- */

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"Test Root One", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, name);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	X509_sign(x, key, EVP_sha256());
	return x;
}

struct identity {
	SSL_CTX *ctx;
	char *pem;
	char fingerprint[65];
};

static struct identity make_identity(const char *name)
{
	struct identity i = { 0 };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = make_certificate(key, name);
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char md[32];
	char *p;
	long n;

	i.ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(i.ctx, x);
	SSL_CTX_use_PrivateKey(i.ctx, key);
	PEM_write_bio_X509(bio, x);
	n = BIO_get_mem_data(bio, &p);
	i.pem = xstrndup(p, (size_t)n);
	X509_digest(x, EVP_sha256(), md, NULL);
	for (size_t k = 0; k < 32; k++)
		snprintf(i.fingerprint + k * 2, 3, "%02x", md[k]);
	BIO_free(bio);
	X509_free(x);
	EVP_PKEY_free(key);
	return i;
}

static void identity_done(struct identity *i)
{
	SSL_CTX_free(i->ctx);
	free(i->pem);
}

static void a_certificate_is_trusted_by_ca_or_fingerprint_only(void **state UNUSED)
{
	struct identity id = make_identity("IP:127.0.0.1"), other = make_identity("DNS:somebody.else");
	struct server *s = start(OK_ANSWER, id.ctx), *foreign = start(OK_ANSWER, other.ctx);
	struct err err = ERR_INIT;
	char wrong[65];

	memcpy(wrong, id.fingerprint, 65);
	wrong[0] = wrong[0] == '0' ? '1' : '0';
	struct {
		const struct server *s;
		struct net_rule r;
		bool ok;
		const char *text;
	} rows[] = {
		{ s, { 0 }, false, "issuer met: CN=Test Root One" },
		{ s, { .ca_pem = id.pem }, true, NULL },
		{ s, { .ca_pem = other.pem }, false, "issuer met: CN=Test Root One" },
		{ s, { .fingerprint = id.fingerprint }, true, NULL },
		{ s, { .fingerprint = wrong }, false, "not the expected one" },
		{ foreign, { .ca_pem = other.pem }, false, "TLS" }, /* trusted, but for another name */
		{ foreign, { .fingerprint = other.fingerprint }, true, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int again = 0; again < 2; again++) {
			_cleanup_http_ struct http_response r = { 0 };
			int x = get(rows[i].s, (struct http_request){ .rule = &rows[i].r }, &r, &err);

			if (rows[i].ok) {
				ASSERT_OK(x, &err);
				ASSERT_STR(buf_text(&r.body), "hello");
			} else {
				ASSERT_TRUE(x < 0);
				ASSERT_INT(err.code, ERR_UNTRUSTED);
				ASSERT_INT(r.leg, NET_LEG_TLS);
				ASSERT_HAS(err.detail, rows[i].text);
				err_clear(&err);
			}
		}
	end(s);
	end(foreign);
	identity_done(&id);
	identity_done(&other);
}

static void trust_in_one_client_does_not_leak_between_rules(void **state UNUSED)
{
	struct identity id = make_identity("IP:127.0.0.1"), other = make_identity("IP:127.0.0.1");
	struct server *s = start(OK_ANSWER, id.ctx);
	_cleanup_net_client_ struct net_client *c = client(LOCAL);
	_cleanup_free_ char *url = url_of(s, "https", "/");
	const struct net_rule rules[] = { { .fingerprint = id.fingerprint }, { 0 }, { .ca_pem = id.pem }, { .ca_pem = other.pem }, { 0 } };
	struct err err = ERR_INIT;

	s->keep = true;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(rules); i++) {
		struct http_request q = { .url = url, .rule = &rules[i % ARRAY_SIZE(rules)] };
		_cleanup_http_ struct http_response r = { 0 };

		if (i % ARRAY_SIZE(rules) == 0 || i % ARRAY_SIZE(rules) == 2)
			ASSERT_OK(http_do(net_client_http(c), &q, &r, &err), &err);
		else
			ASSERT_FAILS(http_do(net_client_http(c), &q, &r, &err), &err, ERR_UNTRUSTED);
	}
	end(s);
	identity_done(&id);
	identity_done(&other);
}

static void an_unknown_certificate_can_be_looked_at(void **state UNUSED)
{
	struct identity id = make_identity("IP:127.0.0.1,DNS:Some.Host");
	struct server *s = start(OK_ANSWER, id.ctx);
	_cleanup_http_ struct http_response r = { 0 };
	struct err err = ERR_INIT;
	int64_t now = clock_now(&clock_system);

	ASSERT_OK(get(s, (struct http_request){ .look_only = true, .rule = &(struct net_rule){ 0 } }, &r, &err), &err);
	ASSERT_STR(r.peer.fingerprint, id.fingerprint);
	ASSERT_STR(r.peer.subject, "CN=Test Root One");
	ASSERT_STR(r.peer.issuer, "CN=Test Root One");
	ASSERT_STR(r.peer.names, "IP:127.0.0.1, DNS:Some.Host");
	ASSERT_TRUE(r.peer.not_before_ms < now && r.peer.not_after_ms > now);
	{
		_cleanup_net_client_ struct net_client *c = client(LOCAL);
		_cleanup_free_ char *url = url_of(s, "https", "/");
		_cleanup_peer_ struct http_peer peer = { 0 };

		ASSERT_OK(net_look(net_client_http(c), NULL, url, &peer, &err), &err);
		ASSERT_STR(peer.fingerprint, id.fingerprint);
	}
	end(s);
	identity_done(&id);
}

static void old_tls_is_refused(void **state UNUSED)
{
	struct identity id = make_identity("IP:127.0.0.1");
	struct server *s;
	_cleanup_http_ struct http_response r = { 0 };
	struct err err = ERR_INIT;

	SSL_CTX_set_security_level(id.ctx, 0); /* the server would */
	SSL_CTX_set_max_proto_version(id.ctx, TLS1_1_VERSION);
	s = start(OK_ANSWER, id.ctx);
	ASSERT_FAILS(get(s, (struct http_request){ .rule = &(struct net_rule){ .fingerprint = id.fingerprint } }, &r, &err), &err, ERR_NETWORK);
	ASSERT_INT(r.leg, NET_LEG_TLS);
	end(s);
	identity_done(&id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_spelling_reaches_a_local_address),
		TEST(a_rule_opens_just_its_own_network),
		TEST(an_answer_is_given_as_it_came),
		TEST(redirects_are_not_followed),
		TEST(an_answer_cut_anywhere_is_an_error),
		TEST(answers_have_limits),
		TEST(nonsense_instead_of_http_is_an_error),
		TEST(silence_ends_with_the_deadline),
		TEST(a_raised_stop_ends_a_request),
		TEST(connections_are_kept_until_the_policy_changes),
		TEST(a_stream_is_handed_on_piece_by_piece),
		TEST(headers_cannot_be_smuggled),
		TEST(each_failure_names_its_leg),
		TEST(the_proxy_is_a_leg_of_its_own),
		TEST(the_proxy_is_told_who_we_are_and_nobody_else),
		TEST(a_certificate_is_trusted_by_ca_or_fingerprint_only),
		TEST(trust_in_one_client_does_not_leak_between_rules),
		TEST(an_unknown_certificate_can_be_looked_at),
		TEST(old_tls_is_refused),
	};

	signal(SIGPIPE, SIG_IGN);
	net_init();
	return RUN(tests);
}
