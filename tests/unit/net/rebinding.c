/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS rebinding: a name that was harmless when it was looked at and points inside when it is called. The resolver is ours:
 * getaddrinfo of this program stands before the C library's.
 */
#include "tests/unit/assert.h"

#include "base/clock.h"
#include "net/client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *answers[4]; /* what the name has now */
static atomic_int asked;

static struct addrinfo *one(const char *ip, const char *port)
{
	struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_in));
	struct sockaddr_in *in = (void *)(a + 1);

	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)strtoul(port ? port : "0", NULL, 10));
	inet_pton(AF_INET, ip, &in->sin_addr);
	a->ai_family = AF_INET;
	a->ai_socktype = SOCK_STREAM;
	a->ai_protocol = IPPROTO_TCP;
	a->ai_addr = (struct sockaddr *)in;
	a->ai_addrlen = sizeof *in;
	return a;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct addrinfo **end = ret;

	(void)hints;
	if (!node || strcmp(node, "rebind.example") != 0)
		return EAI_NONAME;
	asked++;
	for (size_t i = 0; i < ARRAY_SIZE(answers) && answers[i]; i++) {
		*end = one(answers[i], service);
		end = &(*end)->ai_next;
	}
	return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
	while (a) {
		struct addrinfo *next = a->ai_next;

		free(a);
		a = next;
	}
}

/* A listener that counts who comes and answers. */
struct trap {
	int fd;
	unsigned port;
	atomic_int hits;
	atomic_bool end;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct trap *t = arg;

	while (!t->end) {
		struct pollfd p = { t->fd, POLLIN, 0 };
		char request[2048];
		int fd;

		if (poll(&p, 1, 20) <= 0 || (fd = accept(t->fd, NULL, NULL)) < 0)
			continue;
		t->hits++;
		if (read(fd, request, sizeof request) > 0)
			(void)!write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", 59);
		close(fd);
	}
	return NULL;
}

static struct trap *trap_on(const char *ip, unsigned port)
{
	struct trap *t = xcalloc(1, sizeof *t);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t n = sizeof in;

	inet_pton(AF_INET, ip, &in.sin_addr);
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_INT(bind(t->fd, (struct sockaddr *)&in, n), 0);
	ASSERT_INT(listen(t->fd, 16), 0);
	getsockname(t->fd, (struct sockaddr *)&in, &n);
	t->port = ntohs(in.sin_port);
	ASSERT_INT(pthread_create(&t->thread, NULL, serve, t), 0);
	return t;
}

static void trap_end(struct trap *t)
{
	t->end = true;
	pthread_join(t->thread, NULL);
	close(t->fd);
	free(t);
}

/* One call of a fresh client (so that nothing remembers the name) that may reach 127.0.0.2 only. */
static int call(unsigned port, struct err *err)
{
	struct net_policy *p = NULL;
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_free_ char *url = xasprintf("http://rebind.example:%u/", port);
	struct net_rule rule = { .plain_ok = true, .allow = "127.0.0.2" };
	struct http_request q = { .url = url, .rule = &rule, .timeout_ms = 5000 };
	_cleanup_net_client_ struct net_client *c = NULL;
	int rc;

	ASSERT_OK(net_policy_new(&(struct net_config){ 0 }, &p, err), err);
	c = net_client_new(p, NULL);
	net_policy_unref(p);
	ASSERT_OK(net_policy_check(p, &rule, "https://rebind.example/", err), err); /* when it is saved, nothing speaks against it */
	rc = http_do(net_client_http(c), &q, &r, err);
	return rc;
}

static void a_name_that_turns_inside_is_not_called(void **state UNUSED)
{
	struct trap *meant = trap_on("127.0.0.2", 0), *inside = trap_on("127.0.0.1", meant->port);
	static const char *const turned[][3] = { { "127.0.0.1" }, { "127.0.0.1", "127.0.0.1" }, { "169.254.169.254" }, { "10.0.0.1" }, { "0.0.0.0" } };
	struct err err = ERR_INIT;

	answers[0] = "127.0.0.2";
	ASSERT_OK(call(meant->port, &err), &err);
	ASSERT_INT(meant->hits, 1);
	for (size_t i = 0; i < ARRAY_SIZE(turned); i++) {
		int before = asked;

		memcpy(answers, turned[i], sizeof turned[i]);
		ASSERT_FAILS(call(meant->port, &err), &err, ERR_INVALID);
		ASSERT_TRUE(asked > before);
	}
	ASSERT_INT(inside->hits, 0);
	ASSERT_INT(meant->hits, 1);
	trap_end(inside);
	trap_end(meant);
}

static void an_inside_address_behind_a_dead_one_is_not_tried(void **state UNUSED)
{
	struct trap *inside = trap_on("127.0.0.1", 0);
	struct err err = ERR_INIT;

	/* nobody listens on 127.0.0.2: the next address is tried, and judged like the first */
	memset(answers, 0, sizeof answers);
	answers[0] = "127.0.0.2";
	answers[1] = "127.0.0.1";
	ASSERT_TRUE(call(inside->port, &err) < 0);
	err_clear(&err);
	ASSERT_INT(inside->hits, 0);
	trap_end(inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_that_turns_inside_is_not_called),
		TEST(an_inside_address_behind_a_dead_one_is_not_tried),
	};

	signal(SIGPIPE, SIG_IGN);
	net_init();
	return RUN(tests);
}
