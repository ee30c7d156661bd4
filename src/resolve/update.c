/* SPDX-License-Identifier: Apache-2.0 */
/* update.c - see update.h. RFC 2136 2 (form), 3.4 (what a server does), 8945 5.3 (judging the answer). */
#include "resolve/update.h"

#include "base/addr.h"
#include "base/crash.h"
#include "base/limits.h"
#include "base/random.h"
#include "net/policy.h"
#include "resolve/tsig.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 65535
#define MESSAGE_MAX 32768
#define CONNECT_MS 8000 /* of one address, when there are several */
#define PORT "53"

int update_key_new(const char *name, const char *algorithm, const struct secret *base64, struct tsig_key **ret, struct err *err)
{
	struct tsig_key *k = xcalloc(1, sizeof *k);

	if (tsig_key_make(name, algorithm, base64, k, err) < 0) {
		update_key_free(k);
		return -(int)err->code;
	}
	*ret = k;
	return 0;
}

void update_key_free(struct tsig_key *k)
{
	if (k)
		tsig_key_done(k);
	free(k);
}

/* ---- reaching the server ---- */

/* Splits "host", "host:port", "[v6]", "[v6]:port", "v6". */
static bool split(const char *server, char **ret_host, char **ret_port)
{
	const char *end, *colon;
	size_t n = strlen(server);

	if (!n || n > LIMIT_NAME + 8)
		return false;
	if (*server == '[') {
		end = strchr(server, ']');
		if (!end || (end[1] && (end[1] != ':' || !end[2])))
			return false;
		*ret_host = xstrndup(server + 1, (size_t)(end - server - 1));
		*ret_port = xstrdup(end[1] ? end + 2 : PORT);
		return true;
	}
	colon = strchr(server, ':');
	if (!colon || strchr(colon + 1, ':')) {
		*ret_host = xstrdup(server);
		*ret_port = xstrdup(PORT);
		return true;
	}
	if (colon == server || !colon[1])
		return false;
	*ret_host = xstrndup(server, (size_t)(colon - server));
	*ret_port = xstrdup(colon + 1);
	return true;
}

static int parts(const char *server, char **ret_host, char **ret_port, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };
	int64_t port;

	if (!split(server, ret_host, ret_port) || str_to_i64(*ret_port, 1, 65535, &port, &why) < 0)
		return err_set(err, ERR_INVALID, "'%s' is not a name server: a name or an address, perhaps with :port", server);
	return 0;
}

int update_server_check(const char *server, struct err *err)
{
	_cleanup_free_ char *host = NULL, *port = NULL;

	return parts(server, &host, &port, err);
}

static int64_t left(const struct update_server *s)
{
	return s->until_ms - clock_boot(s->clock);
}

static bool wait_fd(int fd, short what, int64_t ms)
{
	struct pollfd p = { .fd = fd, .events = what };
	int n;

	do
		n = ms > 0 ? poll(&p, 1, (int)MIN(ms, (int64_t)60000)) : 0;
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* The socket, or -1 with errno. */
static int connect_one(const struct addrinfo *a, int64_t ms)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), bad = 0;
	socklen_t n = sizeof bad;

	if (fd < 0)
		return -1;
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno != EINPROGRESS)
		bad = errno;
	else if (!wait_fd(fd, POLLOUT, ms))
		bad = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &n);
	if (!bad)
		return fd;
	close(fd);
	errno = bad;
	return -1;
}

static int reach(const struct update_server *s, int *ret_fd, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	_cleanup_free_ char *host = NULL, *port = NULL;
	int last = 0, r;

	if (parts(s->server, &host, &port, err) < 0)
		return -(int)err->code;
	r = getaddrinfo(host, port, &hints, &list);
	if (r)
		return err_set(err, ERR_NETWORK, "name look-up: no address of the name server '%s': %s", host, gai_strerror(r));
	for (const struct addrinfo *a = list; a && *ret_fd < 0; a = a->ai_next) {
		const char *range = "";
		union addr to = { 0 };

		memcpy(&to, a->ai_addr, MIN(a->ai_addrlen, (socklen_t)sizeof to));
		if (net_address_class(&to, &range) == NET_ADDRESS_NEVER) {
			last = EACCES;
			continue;
		}
		*ret_fd = connect_one(a, a->ai_next ? MIN(left(s), (int64_t)CONNECT_MS) : left(s));
		if (*ret_fd < 0)
			last = errno;
	}
	freeaddrinfo(list);
	if (*ret_fd >= 0)
		return 0;
	errno = last;
	if (last == EACCES)
		return err_set(err, ERR_INVALID, "the address of the name server '%s' is link-local or of another kind that is never spoken to", s->server);
	return err_set_errno(err, last == ETIMEDOUT ? ERR_TIMEOUT : ERR_NETWORK, "TCP: could not reach the name server '%s'", s->server);
}

static bool io_all(int fd, uint8_t *p, size_t n, bool out, const struct update_server *s)
{
	while (n > 0) {
		ssize_t k = out ? send(fd, p, n, MSG_NOSIGNAL) : recv(fd, p, n, 0);

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (k == 0 || (errno != EAGAIN && errno != EINTR) || !wait_fd(fd, out ? POLLOUT : POLLIN, left(s))) {
			return false;
		}
	}
	return true;
}

/* One message there, one back. answer holds ANSWER_MAX bytes. */
static int exchange(const struct update_server *s, const struct dns_out *q, uint8_t *answer, size_t *ret_n, struct err *err)
{
	_cleanup_close_ int fd = -1;
	uint8_t length[2] = { (uint8_t)(q->n >> 8), (uint8_t)q->n };
	size_t n;

	if (reach(s, &fd, err) < 0)
		return -(int)err->code;
	CRASH_POINT("update-send");
	if (FAIL_POINT("update-send") || !io_all(fd, length, 2, true, s) || !io_all(fd, q->p, q->n, true, s) || !io_all(fd, length, 2, false, s))
		return err_set(err, left(s) <= 0 ? ERR_TIMEOUT : ERR_NETWORK, "the name server '%s' did not answer", s->server);
	n = (size_t)(length[0] << 8 | length[1]);
	if (!io_all(fd, answer, n, false, s) || FAIL_POINT("update-answered"))
		return err_set(err, left(s) <= 0 ? ERR_TIMEOUT : ERR_NETWORK, "the answer of the name server '%s' was cut", s->server);
	CRASH_POINT("update-answered");
	*ret_n = n;
	return 0;
}

/* ---- judging ---- */

static int bad_key(const struct update_server *s, unsigned error, struct err *err)
{
	char name[DNS_NAME_TEXT], alg[DNS_NAME_TEXT];

	dns_name_text(&s->key->name, name);
	dns_name_text(&s->key->algorithm, alg);
	if (error == TSIG_BADKEY) {
		err_set(err, ERR_UNAUTHENTICATED, "the name server '%s' has no TSIG key '%s' with %s (BADKEY)", s->server, name, alg);
		return err_hint(err, "Compare name and algorithm with the key statement of the server.");
	}
	err_set(err, ERR_UNAUTHENTICATED, "the name server '%s' has another secret for the TSIG key '%s' (BADSIG)", s->server, name);
	return err_hint(err, "Enter the secret again as the server has it.");
}

static int bad_time(const struct update_server *s, const struct tsig_answer *t, struct err *err)
{
	int64_t off = clock_now(s->clock) / 1000 - t->server_s;

	if (!t->server_s)
		return err_set(err, ERR_REMOTE_BUSY, "our clock and that of the name server '%s' are too far apart (BADTIME)", s->server);
	err_set(err, ERR_REMOTE_BUSY, "our clock is %" PRId64 " s %s that of the name server '%s' (BADTIME)", off < 0 ? -off : off,
		off < 0 ? "behind" : "ahead of", s->server);
	return err_hint(err, "Set the clock: signatures are good for five minutes.");
}

/* The signature of the answer. 0: it may be believed. */
static int believe(const struct update_server *s, const struct tsig_mac *mac, const uint8_t *p, size_t n, const struct dns_message *m, struct err *err)
{
	struct tsig_answer t;

	if (!s->key)
		return 0;
	tsig_check(p, n, s->key, mac, clock_now(s->clock) / 1000, &t);
	if (t.verdict == TSIG_UNSIGNED)
		return bad_key(s, t.error, err);
	if (t.verdict == TSIG_GOOD && t.error == TSIG_BADTIME)
		return bad_time(s, &t, err);
	if (t.verdict == TSIG_GOOD)
		return 0;
	if (t.verdict == TSIG_LATE)
		return err_set(err, ERR_REMOTE_BAD, "the answer of the name server '%s' is signed for another time", s->server);
	/* Without a key statement some servers refuse without a signature: a refusal need not be believed to be passed on. */
	if (t.verdict == TSIG_MISSING && (m->rcode == DNS_RCODE_REFUSED || m->rcode == DNS_RCODE_FORMERR || m->rcode == DNS_RCODE_NOTIMP))
		return 0;
	return err_set(err, ERR_REMOTE_BAD, "the answer of the name server '%s' is %s", s->server,
		       t.verdict == TSIG_MISSING ? "not signed" : "not signed with our key");
}

static int judge_rcode(const struct update_server *s, unsigned rcode, const char *what, const char *name, struct err *err)
{
	char room[DNS_TYPE_TEXT];
	const char *text = dns_rcode_text(rcode, room);

	switch (rcode) {
	case DNS_RCODE_NOERROR:
		return 0;
	case DNS_RCODE_REFUSED:
		err_set(err, ERR_DENIED, "the name server '%s' does not let us %s '%s' (%s)", s->server, what, name, text);
		return err_hint(err, "Grant the key the right to TXT records there: update-policy, acl or allow-update of the zone.");
	case DNS_RCODE_NOTAUTH:
		return err_set(err, ERR_NOT_FOUND, "the name server '%s' is not the primary of a zone that holds '%s' (%s)", s->server, name, text);
	case DNS_RCODE_SERVFAIL:
		return err_set(err, ERR_REMOTE_BUSY, "the name server '%s' could not %s '%s' (%s)", s->server, what, name, text);
	default:
		return err_set(err, ERR_REMOTE_REFUSED, "the name server '%s' refused to %s '%s' (%s)", s->server, what, name, text);
	}
}

/* Sends, receives, checks that the answer belongs to the question and is signed. answer holds ANSWER_MAX bytes, m points into it. */
static int talk(const struct update_server *s, struct dns_out *q, uint8_t *answer, struct dns_message *m, struct err *err)
{
	struct tsig_mac mac = { .n = 0 };
	_cleanup_err_ struct err why = { 0 };
	uint16_t id = (uint16_t)(q->p[0] << 8 | q->p[1]);
	size_t n;

	if (s->key)
		tsig_sign(q, s->key, NULL, clock_now(s->clock) / 1000, &mac);
	if (q->full)
		return err_set(err, ERR_TOO_LARGE, "too many values for one DNS message");
	if (exchange(s, q, answer, &n, err) < 0)
		return -(int)err->code;
	if (dns_message_read(m, answer, n, &why) < 0 || m->id != id || !(m->flags & DNS_QR) || (m->flags >> 11 & 15) != (q->p[2] >> 3 & 15))
		return err_set(err, ERR_REMOTE_BAD, "the name server '%s' gave an answer that is none", s->server);
	return believe(s, &mac, answer, n, m, err);
}

static void header(struct dns_out *q, enum dns_opcode opcode, const uint16_t counts[4])
{
	dns_out_header(q, (uint16_t)random_below(65536), (uint16_t)(opcode << 11), 0, counts);
}

/* ---- questions ---- */

static int ask(const struct update_server *s, const struct dns_name *name, uint16_t type, uint8_t *answer, struct dns_message *m, struct err *err)
{
	static const uint16_t counts[4] = { 1, 0, 0, 0 };
	uint8_t q[DNS_HEADER + DNS_NAME_MAX + 4 + TSIG_ROOM];
	struct dns_out out = { .p = q, .cap = sizeof q };

	header(&out, DNS_QUERY, counts);
	dns_out_name(&out, name);
	dns_out_u16(&out, type);
	dns_out_u16(&out, DNS_IN);
	if (talk(s, &out, answer, m, err) < 0)
		return -(int)err->code;
	if (m->has_question && (!dns_name_eq(&m->qname, name) || m->qtype != type))
		return err_set(err, ERR_REMOTE_BAD, "the name server '%s' answered another question", s->server);
	return 0;
}

/* 1: *ret is the apex the answer names; 0: the name is an alias here, so only what stands above it tells. */
static int apex(const struct update_server *s, const struct dns_name *n, struct dns_message *m, struct dns_name *ret, struct err *err)
{
	char text[DNS_NAME_TEXT];
	bool alias = false;
	struct dns_rr rr;

	dns_name_text(n, text);
	if (m->rcode == DNS_RCODE_REFUSED)
		return err_set(err, ERR_NOT_FOUND, "the name server '%s' holds no zone of '%s' (REFUSED)", s->server, text);
	if (m->rcode != DNS_RCODE_NXDOMAIN && judge_rcode(s, m->rcode, "look up", text, err) < 0)
		return -(int)err->code;
	while (m->flags & DNS_AA && dns_message_next(m, &rr)) {
		alias |= rr.type == DNS_CNAME && dns_name_eq(&rr.owner, n);
		if (rr.type == DNS_SOA && rr.section != DNS_SECTION_ADDITIONAL && dns_name_within(n, &rr.owner) && rr.owner.n > 1) {
			*ret = rr.owner;
			dns_name_lower(ret);
			return 1;
		}
	}
	/* A referral (NS in the authority section, no AA) leads to somebody else's zone. */
	return alias ? 0 : err_set(err, ERR_NOT_FOUND, "the name server '%s' is not authoritative for '%s'", s->server, text);
}

int update_find_zone(const struct update_server *s, const char *name, char **ret_zone, struct err *err)
{
	_cleanup_free_ uint8_t *answer = xmalloc(ANSWER_MAX);
	char text[DNS_NAME_TEXT];
	struct dns_name n, zone;
	struct dns_message m;
	int r = 0;

	if (dns_name_parse(name, &n, err) < 0)
		return -(int)err->code;
	do {
		if (ask(s, &n, DNS_SOA, answer, &m, err) < 0)
			return -(int)err->code;
		r = apex(s, &n, &m, &zone, err);
	} while (r == 0 && dns_name_parent(&n) && n.n > 1);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, "the name server '%s' is not authoritative for '%s'", s->server, name);
	*ret_zone = xstrdup(dns_name_text(&zone, text));
	return 0;
}

int update_read(const struct update_server *s, const char *name, struct strlist *ret, char **ret_alias, struct err *err)
{
	_cleanup_free_ uint8_t *answer = xmalloc(ANSWER_MAX);
	char text[DNS_NAME_TEXT], value[4096];
	struct dns_name n, target;
	struct dns_message m;
	struct dns_rr rr;
	size_t k;

	if (dns_name_parse(name, &n, err) < 0 || ask(s, &n, DNS_TXT, answer, &m, err) < 0)
		return -(int)err->code;
	if (m.rcode != DNS_RCODE_NXDOMAIN && judge_rcode(s, m.rcode, "read", name, err) < 0)
		return -(int)err->code;
	while (dns_message_next(&m, &rr)) {
		if (rr.section != DNS_SECTION_ANSWER || !dns_name_eq(&rr.owner, &n))
			continue;
		if (rr.type == DNS_TXT && dns_rr_txt(&m, &rr, value, sizeof value, &k))
			strlist_addn(ret, value, k);
		else if (rr.type == DNS_CNAME && ret_alias && !*ret_alias && dns_rr_name(&m, &rr, &target))
			*ret_alias = xstrdup(dns_name_text(&target, text));
	}
	return 0;
}

/* ---- update ---- */

static void change(struct dns_out *q, const struct dns_name *name, const struct update *u, const char *value)
{
	dns_out_name(q, name);
	dns_out_u16(q, DNS_TXT);
	dns_out_u16(q, u->add ? DNS_IN : DNS_NONE); /* 2.5.4: class NONE and TTL 0 delete this one value */
	dns_out_u32(q, u->add ? (uint32_t)u->ttl_s : 0);
	dns_out_txt(q, value, strlen(value));
}

int update_try_key(const struct update_server *s, struct err *err)
{
	_cleanup_free_ uint8_t *answer = xmalloc(ANSWER_MAX);
	struct dns_name root = { .b = { 0 }, .n = 1 };
	struct dns_message m;

	if (ask(s, &root, DNS_SOA, answer, &m, err) < 0)
		return -(int)err->code;
	if (!s->key || m.counts[3]) /* we asked without EDNS: what stands there is the signature that talk() has checked */
		return 0;
	err_set(err, ERR_NEEDS_PERSON, "the name server '%s' answers, and does not say whether it takes the key", s->server);
	return err_hint(err, "Name the zone in the form, or let the probe be written.");
}

/* Knot DNS says BADKEY also of a key that it has, and that may not do this (acl): then it takes the key for a question of the zone. */
static int not_this_key(const struct update_server *s, const struct update *u, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };
	_cleanup_free_ char *zone = NULL;

	if (update_find_zone(s, u->zone, &zone, &why) < 0)
		return -(int)err->code;
	err_clear(err);
	err_set(err, ERR_DENIED, "the name server '%s' takes the key, and does not let it change '%s' (BADKEY)", s->server, u->name);
	return err_hint(err, "Let the key change TXT records of this name in the policy of the server.");
}

int update_send(const struct update_server *s, const struct update *u, struct err *err)
{
	const uint16_t counts[4] = { 1, 0, (uint16_t)u->values->n, 0 };
	_cleanup_free_ uint8_t *answer = xmalloc(ANSWER_MAX), *p = xmalloc(MESSAGE_MAX);
	struct dns_out q = { .p = p, .cap = MESSAGE_MAX };
	struct dns_name zone, name;
	struct dns_message m;

	if (dns_name_parse(u->zone, &zone, err) < 0 || dns_name_parse(u->name, &name, err) < 0)
		return -(int)err->code;
	header(&q, DNS_UPDATE, counts);
	dns_out_name(&q, &zone);
	dns_out_u16(&q, DNS_SOA);
	dns_out_u16(&q, DNS_IN);
	for (size_t i = 0; i < u->values->n; i++)
		change(&q, &name, u, u->values->v[i]);
	if (talk(s, &q, answer, &m, err) < 0)
		return err->code == ERR_UNAUTHENTICATED ? not_this_key(s, u, err) : -(int)err->code;
	return judge_rcode(s, m.rcode, u->add ? "add TXT records at" : "remove TXT records at", u->name, err);
}
