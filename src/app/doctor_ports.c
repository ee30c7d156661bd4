/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_ports.c - the looks at listening addresses and at the proxy. See doctor.h. */
#include "app/doctor.h"

#include "app/host.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/file.h"
#include "resolve/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 3000

/* ---- a server that is down: could it take its ports? ---- */

/* Whether somebody holds the lock of the state folder. */
static bool server_runs(const struct config *f)
{
	_cleanup_free_ char *path = path_join(f->state, "lock");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	(void)flock(fd, LOCK_UN);
	return false;
}

static void try_port(struct check *c, const char *key, const char *address, enum host_socket kind)
{
	struct strlist one = { .v = (char *[]){ (char *)(uintptr_t)address }, .n = 1 };
	_cleanup_free_ char *about = xasprintf("%s %s (%s)", key, address, kind == HOST_UDP ? "UDP" : "TCP"), *text = NULL;
	struct host_sockets s = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (host_bind(&one, kind, &s, &why) == 0) {
		host_sockets_close(&s);
		check_say(c, CHECK_OK, about, NULL, "is free for Certwright");
		return;
	}
	text = err_text(&why);
	if (strstr(text, "systemd (process 1)"))
		check_say(c, CHECK_OK, about, NULL, "is held by systemd for Certwright's units");
	else if (why.code == ERR_DENIED)
		check_say(c, CHECK_UNKNOWN, about, "Run certwright doctor as root.", "only root can try it");
	else
		check_err(c, CHECK_ERROR, about, why.code == ERR_CONFLICT ? "Stop what has it, or name other addresses: a resolver on 127.0.0.53 leaves the others free." : NULL, &why);
}

/* ---- a server that runs: does it answer there? ---- */

/* What listens on every address is asked on loopback. */
static void reachable(union addr *a)
{
	if (a->sa.sa_family == AF_INET && a->in.sin_addr.s_addr == htonl(INADDR_ANY))
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr))
		a->in6.sin6_addr = in6addr_loopback;
}

static bool wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, ANSWER_MS) == 1;
}

/* Connects, and, where there is something to say, waits for the first bytes of an answer. */
static bool answers_tcp(const union addr *a, const char *say, const char *expect, const char **ret_why)
{
	_cleanup_close_ int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char got[16] = "";
	socklen_t n = sizeof errno;
	int error = 0;

	*ret_why = "it does not take a connection";
	if (fd < 0 || (connect(fd, &a->sa, addr_len(a)) < 0 && errno != EINPROGRESS) || !wait_for(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error)
		return false;
	*ret_why = "it takes a connection and does not answer";
	if (!say)
		return true;
	return send(fd, say, strlen(say), MSG_NOSIGNAL) > 0 && wait_for(fd, POLLIN) && recv(fd, got, sizeof got - 1, 0) > 0 && str_starts(got, expect);
}

static void ask_http(struct check *c, const char *key, const char *address, const union addr *a)
{
	bool api = streq(key, "api.listen");
	_cleanup_free_ char *about = xasprintf("%s %s", key, address);
	const char *why;

	if (answers_tcp(a, api ? NULL : "GET /.well-known/acme-challenge/certwright-doctor-look HTTP/1.1\r\nHost: doctor.invalid\r\n\r\n", "HTTP/1.1", &why))
		check_say(c, CHECK_OK, about, NULL, "answers");
	else
		check_say(c, CHECK_ERROR, about, "Look at the log of this part; is the address still one of this host?", "%s", why);
}

static void ask_dns(struct check *c, const char *address, const union addr *a)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		_cleanup_free_ char *about = xasprintf("dns.listen %s (%s)", address, tcp ? "TCP" : "UDP");
		_cleanup_resolve_answer_ struct resolve_answer got = { 0 };

		resolve_ask_server(a, "certwright-doctor.invalid", DNS_SOA, tcp, &got);
		if (got.answered)
			check_say(c, CHECK_OK, about, NULL, "answers");
		else
			check_say(c, CHECK_ERROR, about, "Look at the log of certwright-edge; is the address still one of this host?", "%s", got.trouble ? got.trouble : "no answer");
	}
}

static void look_list(struct check *c, const char *key, const struct strlist *l, bool runs)
{
	bool dns = streq(key, "dns.listen");

	for (size_t i = 0; i < l->n; i++) {
		_cleanup_err_ struct err no = ERR_INIT;
		union addr a = { 0 };

		if (addr_parse(l->v[i], &a, &no) < 0)
			continue; /* the configuration's row */
		if (!runs) {
			if (dns)
				try_port(c, key, l->v[i], HOST_UDP);
			try_port(c, key, l->v[i], HOST_TCP);
			continue;
		}
		reachable(&a);
		if (dns)
			ask_dns(c, l->v[i], &a);
		else
			ask_http(c, key, l->v[i], &a);
	}
}

void check_ports(struct check *c)
{
	const struct doctor *d = c->arg;
	const struct config *f = d->config;
	bool runs;

	if (!f) {
		check_say(c, CHECK_UNKNOWN, "", "Put the configuration right first.", "the configuration cannot be read");
		return;
	}
	runs = c->where == CHECK_IN_SERVER || server_runs(f);
	if (c->where == CHECK_ON_HOST)
		check_say(c, runs ? CHECK_OK : CHECK_ERROR, "server", runs ? NULL : "Start it: systemctl start certwright, or certwright serve.", "the server %s", runs ? "runs" : "does not run");
	look_list(c, "api.listen", &f->api_listen, runs);
	look_list(c, "dns.listen", &f->dns_listen, runs);
	look_list(c, "http01.listen", &f->http01_listen, runs);
}

/* ---- proxy ---- */

void check_proxy(struct check *c)
{
	const struct doctor *d = c->arg;
	_cleanup_free_ char *url = check_any_directory(c->e);
	struct net_rule rule = { .route = NET_ROUTE_PROXY };
	struct http_request q = { .method = HTTP_HEAD, .url = url, .rule = &rule, .look_only = true };
	_cleanup_http_ struct http_response rsp = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (str_empty(d->config->net_proxy)) {
		check_say(c, CHECK_OK, "", NULL, "no proxy is configured: everything is called directly");
		return;
	}
	if (!url) {
		check_say(c, CHECK_UNKNOWN, d->config->net_proxy, "Register an account: its authority is what the proxy is asked for.", "there is nothing to ask it for yet");
		return;
	}
	if (http_do(c->http, &q, &rsp, &why) == 0)
		check_say(c, CHECK_OK, d->config->net_proxy, NULL, "leads to %s", url);
	else if (rsp.leg == NET_LEG_PROXY || rsp.leg == NET_LEG_URL || rsp.leg == NET_LEG_NONE)
		check_err(c, CHECK_ERROR, d->config->net_proxy, "Look at net.proxy, its user and its password, and at what the proxy lets through.", &why);
	else
		check_say(c, CHECK_OK, d->config->net_proxy, NULL, "answers; what lies behind it is a row of its own");
}
