/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c - a name server that lies, breaks the protocol and wastes time, in forty ways (a table): nothing of it is taken for the value,
 * nothing hides a value that is there, a visit has its number of questions, and the next server is heard all the same.
 */
#include "base/pool.h"
#include "resolve/resolve.h"
#include "tests/unit/assert.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char value[] = "the-value-that-is-looked-for";
static const char zone[] = "example.com", challenge[] = "_acme-challenge.example.com";

/* What the evil server does with one question for TXT. */
struct answer {
	uint8_t p[20000];
	struct dns_out out;
	uint16_t counts[4], flags;
	unsigned rcode;
	size_t raw; /* != 0: that many bytes of p as they are */
	bool none;
};

struct ask {
	const struct dns_query *q;
	const uint8_t *p;
	bool tcp;
};

typedef void script_fn(struct answer *a, const struct ask *k);

enum after {
	ALONE,      /* it is the whole answer */
	THEN_RIGHT, /* the right answer comes behind it: what is no answer is not taken for one */
};

struct script {
	const char *what;
	script_fn *udp, *tcp; /* tcp NULL: what udp does */
	enum after after;
	bool seen;
};

static void owner(struct answer *a, const char *name)
{
	struct err err = { 0 };
	struct dns_name n;

	ASSERT_OK(dns_name_parse(name, &n, &err), &err);
	dns_out_name(&a->out, &n);
}

static void rr(struct answer *a, const char *name, uint16_t type, uint16_t rclass, const void *rdata, size_t n)
{
	owner(a, name);
	dns_out_u16(&a->out, type);
	dns_out_u16(&a->out, rclass);
	dns_out_u32(&a->out, 5);
	dns_out_u16(&a->out, (uint16_t)n);
	dns_out_bytes(&a->out, rdata, n);
}

static void txt_at(struct answer *a, const char *name, uint16_t rclass, const char *text)
{
	uint8_t b[256];
	size_t n = strlen(text);

	b[0] = (uint8_t)n;
	memcpy(b + 1, text, n);
	rr(a, name, DNS_TXT, rclass, b, n + 1);
}

static void txt(struct answer *a, const char *text)
{
	txt_at(a, challenge, DNS_IN, text);
	a->counts[1]++;
}

static void cname(struct answer *a, const char *from, const char *to)
{
	struct err err = { 0 };
	struct dns_name n;

	ASSERT_OK(dns_name_parse(to, &n, &err), &err);
	rr(a, from, DNS_CNAME, DNS_IN, n.b, n.n);
	a->counts[1]++;
}

/* ---- the scripts ---- */

static void right(struct answer *a, const struct ask *k) { txt(a, value); }
static void empty(struct answer *a, const struct ask *k) { }
static void other_id(struct answer *a, const struct ask *k) { txt(a, value); a->p[0] ^= 0x5a; }
static void a_question(struct answer *a, const struct ask *k) { txt(a, value); a->flags &= (uint16_t)~DNS_QR; }
static void other_name_asked(struct answer *a, const struct ask *k) { txt(a, value); a->p[DNS_HEADER + 1] ^= 1; }
static void other_type_asked(struct answer *a, const struct ask *k) { txt(a, value); a->p[DNS_HEADER + k->q->question_n - 3] = 1; }
static void other_class_asked(struct answer *a, const struct ask *k) { txt(a, value); a->p[DNS_HEADER + k->q->question_n - 1] = 3; }
static void two_questions(struct answer *a, const struct ask *k) { txt(a, value); a->counts[0] = 2; }
static void many_questions(struct answer *a, const struct ask *k) { txt(a, value); a->counts[0] = 65535; }
static void half_a_header(struct answer *a, const struct ask *k) { a->raw = 5; }
static void one_byte(struct answer *a, const struct ask *k) { a->raw = 1; }
static void random_bytes(struct answer *a, const struct ask *k)
{
	for (size_t i = 2; i < 300; i++)
		a->p[i] = (uint8_t)(i * 37 + 11);
	a->raw = 300;
}
static void counts_that_lie(struct answer *a, const struct ask *k) { txt(a, value); a->counts[1] = 65535; }
static void one_record_too_few(struct answer *a, const struct ask *k) { txt(a, value); a->counts[1] = 2; }
static void rdata_beyond_the_end(struct answer *a, const struct ask *k) { txt(a, value); a->out.n -= 9; }
static void pointer_to_itself(struct answer *a, const struct ask *k)
{
	dns_out_u16(&a->out, (uint16_t)(0xc000 | a->out.n));
	dns_out_bytes(&a->out, "\0\20\0\1\0\0\0\5\0\2\1x", 12);
	a->counts[1] = 1;
}
static void pointer_forward(struct answer *a, const struct ask *k)
{
	dns_out_u16(&a->out, (uint16_t)(0xc000 | (a->out.n + 12)));
	dns_out_bytes(&a->out, "\0\20\0\1\0\0\0\5\0\2\1x", 12);
	a->counts[1] = 1;
}
static void label_of_a_reserved_kind(struct answer *a, const struct ask *k)
{
	dns_out_bytes(&a->out, "\x80" "abc\0\0\20\0\1\0\0\0\5\0\2\1x", 17);
	a->counts[1] = 1;
}
static void name_without_end(struct answer *a, const struct ask *k)
{
	for (int i = 0; i < 8; i++)
		dns_out_bytes(&a->out, "\77aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64);
	dns_out_bytes(&a->out, "\0\0\20\0\1\0\0\0\5\0\2\1x", 13);
	a->counts[1] = 1;
}
static void string_beyond_its_rdata(struct answer *a, const struct ask *k)
{
	rr(a, challenge, DNS_TXT, DNS_IN, "\377the-value-that-is-looked-for", 29);
	a->counts[1] = 1;
}
static void no_string(struct answer *a, const struct ask *k) { rr(a, challenge, DNS_TXT, DNS_IN, "", 0); a->counts[1] = 1; }
static void empty_strings(struct answer *a, const struct ask *k) { rr(a, challenge, DNS_TXT, DNS_IN, "\0\0\0\0", 4); a->counts[1] = 1; }
static void at_another_name(struct answer *a, const struct ask *k) { txt_at(a, "_acme-challenge.example.net", DNS_IN, value); a->counts[1]++; }
static void at_the_parent(struct answer *a, const struct ask *k) { txt_at(a, zone, DNS_IN, value); a->counts[1]++; }
static void in_authority(struct answer *a, const struct ask *k) { txt_at(a, challenge, DNS_IN, value); a->counts[2]++; }
static void in_additional(struct answer *a, const struct ask *k) { txt_at(a, challenge, DNS_IN, value); a->counts[3]++; }
static void of_another_class(struct answer *a, const struct ask *k) { txt_at(a, challenge, 3, value); a->counts[1]++; }
static void of_another_type(struct answer *a, const struct ask *k)
{
	rr(a, challenge, 99, DNS_IN, "\34the-value-that-is-looked-for", 29); /* SPF */
	a->counts[1] = 1;
}
static void only_its_beginning(struct answer *a, const struct ask *k) { txt(a, "the-value-that-is-looked-fo"); }
static void with_more_behind(struct answer *a, const struct ask *k) { txt(a, "the-value-that-is-looked-for "); }
static void with_a_nul(struct answer *a, const struct ask *k)
{
	rr(a, challenge, DNS_TXT, DNS_IN, "\36the-value-that-is-looked-for\0x", 31);
	a->counts[1] = 1;
}
static void in_capitals(struct answer *a, const struct ask *k) { txt(a, "THE-VALUE-THAT-IS-LOOKED-FOR"); }
static void control_characters(struct answer *a, const struct ask *k) { txt(a, "\033]0;pwned\007\033[2J\r\n"); }
static void in_two_strings(struct answer *a, const struct ask *k)
{
	rr(a, challenge, DNS_TXT, DNS_IN, "\3the\0\31-value-that-is-looked-for", 31);
	a->counts[1] = 1;
}
static void refused_with_the_value(struct answer *a, const struct ask *k) { txt(a, value); a->rcode = DNS_RCODE_REFUSED; }
static void failure_with_the_value(struct answer *a, const struct ask *k) { txt(a, value); a->rcode = DNS_RCODE_SERVFAIL; }
static void no_such_name_with_the_value(struct answer *a, const struct ask *k) { txt(a, value); a->rcode = DNS_RCODE_NXDOMAIN; }
static void alias_of_itself(struct answer *a, const struct ask *k) { cname(a, challenge, challenge); }
static void aliases_in_a_ring(struct answer *a, const struct ask *k)
{
	for (int i = 0; i < 100; i++) {
		cname(a, i % 2 ? "a.example.net" : challenge, i % 2 ? challenge : "a.example.net");
	}
	txt_at(a, "b.example.net", DNS_IN, value);
	a->counts[1]++;
}
static void alias_and_value(struct answer *a, const struct ask *k)
{
	cname(a, challenge, "a.example.net");
	txt_at(a, "a.example.net", DNS_IN, value);
	a->counts[1]++;
}
static void value_before_its_alias(struct answer *a, const struct ask *k)
{
	txt_at(a, "a.example.net", DNS_IN, value);
	a->counts[1]++;
	cname(a, challenge, "a.example.net");
}
static void behind_a_hundred_others(struct answer *a, const struct ask *k)
{
	if (!k->tcp) {
		a->flags |= DNS_TC;
		return;
	}
	for (int i = 0; i < 100; i++)
		txt(a, "somebody-elses-value");
	txt(a, value);
}
static void more_than_anybody_reads(struct answer *a, const struct ask *k)
{
	if (!k->tcp) {
		a->flags |= DNS_TC;
		return;
	}
	for (int i = 0; i < 400; i++)
		txt(a, "x");
	txt(a, value);
}
static void truncated(struct answer *a, const struct ask *k) { txt(a, value); a->flags |= DNS_TC; }
static void trailing_bytes(struct answer *a, const struct ask *k) { txt(a, value); dns_out_bytes(&a->out, "garbage", 7); }
static void close_at_once(struct answer *a, const struct ask *k) { a->none = true; }
static void tcp_other_id(struct answer *a, const struct ask *k) { other_id(a, k); }

static const struct script scripts[] = {
	{ "the right answer", right, .seen = true },
	/* no answers to our question: the right one behind them is waited for */
	{ "another id", other_id, .after = THEN_RIGHT, .seen = true },
	{ "a question back", a_question, .after = THEN_RIGHT, .seen = true },
	{ "an answer about another name", other_name_asked, .after = THEN_RIGHT, .seen = true },
	{ "an answer about another type", other_type_asked, .after = THEN_RIGHT, .seen = true },
	{ "an answer about another class", other_class_asked, .after = THEN_RIGHT, .seen = true },
	{ "two questions", two_questions, .after = THEN_RIGHT, .seen = true },
	{ "65535 questions", many_questions, .after = THEN_RIGHT, .seen = true },
	{ "half a header", half_a_header, .after = THEN_RIGHT, .seen = true },
	{ "one byte", one_byte, .after = THEN_RIGHT, .seen = true },
	{ "random bytes", random_bytes, .after = THEN_RIGHT, .seen = true },
	{ "65535 records that are not there", counts_that_lie, .after = THEN_RIGHT, .seen = true },
	{ "a record less than it says", one_record_too_few, .after = THEN_RIGHT, .seen = true },
	{ "a record beyond the end", rdata_beyond_the_end, .after = THEN_RIGHT, .seen = true },
	{ "a name that points to itself", pointer_to_itself, .after = THEN_RIGHT, .seen = true },
	{ "a name that points forward", pointer_forward, .after = THEN_RIGHT, .seen = true },
	{ "a label of a reserved kind", label_of_a_reserved_kind, .after = THEN_RIGHT, .seen = true },
	{ "a name of 512 bytes", name_without_end, .after = THEN_RIGHT, .seen = true },
	/* answers, and the value is not in them */
	{ "nothing there", empty },
	{ "a string beyond its record", string_beyond_its_rdata },
	{ "a record without a string", no_string },
	{ "empty strings", empty_strings },
	{ "the value at another name", at_another_name },
	{ "the value at the parent", at_the_parent },
	{ "the value as authority", in_authority },
	{ "the value as addition", in_additional },
	{ "the value of another class", of_another_class },
	{ "the value of another type", of_another_type },
	{ "its beginning", only_its_beginning },
	{ "the value and a blank", with_more_behind },
	{ "the value, a zero and more", with_a_nul },
	{ "the value in capitals", in_capitals },
	{ "control characters", control_characters },
	{ "REFUSED with the value", refused_with_the_value },
	{ "SERVFAIL with the value", failure_with_the_value },
	{ "NXDOMAIN with the value", no_such_name_with_the_value },
	{ "an alias of itself", alias_of_itself },
	{ "aliases in a ring", aliases_in_a_ring },
	{ "more values than anybody reads", more_than_anybody_reads },
	/* odd, and right */
	{ "the value in two strings", in_two_strings, .seen = true },
	{ "bytes behind the end", trailing_bytes, .seen = true },
	{ "an alias and the value", alias_and_value, .seen = true },
	{ "the value before its alias", value_before_its_alias, .seen = true },
	{ "the value behind a hundred others", behind_a_hundred_others, .seen = true },
	{ "truncated, and whole by TCP", truncated, right, .seen = true },
	{ "truncated by UDP and by TCP", truncated, truncated, .seen = true },
	{ "truncated, and TCP ends at once", truncated, close_at_once },
	{ "truncated, and another id by TCP", truncated, tcp_other_id },
	{ "truncated, and half a header by TCP", truncated, half_a_header },
	{ "truncated, and a record beyond the end by TCP", truncated, rdata_beyond_the_end },
};

/* ---- the servers: a resolver on .1, the evil one on .2, an honest one on .3 ---- */

static struct world {
	int udp[3], tcp, stop[2];
	uint16_t port;
	uint64_t thread;
	const struct script *script;
} w;

static const struct script *now(void)
{
	return __atomic_load_n(&w.script, __ATOMIC_SEQ_CST);
}

static void recursive(struct answer *a, const struct dns_query *q, const char *name)
{
	struct err err = { 0 };
	struct dns_name n;

	if (q->qtype == DNS_NS && streq(name, zone)) {
		for (int i = 1; i <= 2; i++) {
			char host[32];

			snprintf(host, sizeof host, "ns%d.example.com", i);
			ASSERT_OK(dns_name_parse(host, &n, &err), &err);
			rr(a, name, DNS_NS, DNS_IN, n.b, n.n);
			a->counts[1]++;
		}
	} else if (q->qtype == DNS_A && str_starts(name, "ns")) {
		uint8_t address[4] = { 127, 0, 0, (uint8_t)(name[2] - '0' + 1) };

		rr(a, name, DNS_A, DNS_IN, address, 4);
		a->counts[1]++;
	}
}

static size_t finish(struct answer *a, uint16_t id)
{
	struct dns_out head = { .p = a->p, .cap = sizeof a->p };
	uint8_t first = a->p[0];

	if (a->none || a->raw)
		return a->raw;
	dns_out_header(&head, id, a->flags, a->rcode, a->counts);
	if (first) /* other_id has marked it */
		a->p[0] ^= 0x5a;
	return a->out.n;
}

static size_t respond(int who, bool tcp, bool honest, const uint8_t *p, size_t n, struct answer *a)
{
	struct dns_query q;
	char name[DNS_NAME_TEXT];
	struct ask k = { &q, p, tcp };
	const struct script *s = now();
	script_fn *fn = tcp && s->tcp ? s->tcp : s->udp;

	*a = (struct answer){ .counts = { 1 }, .flags = DNS_QR | DNS_AA };
	a->out = (struct dns_out){ .p = a->p, .cap = sizeof a->p };
	if (dns_query_read(p, n, &q) != DNS_ANSWER)
		return 0;
	dns_name_text(&q.qname, name);
	dns_out_bytes(&a->out, (uint8_t[DNS_HEADER]){ 0 }, DNS_HEADER);
	dns_out_bytes(&a->out, p + DNS_HEADER, q.question_n);
	if (who == 0)
		recursive(a, &q, name);
	else if (q.qtype == DNS_TXT)
		(who == 2 || honest ? right : fn)(a, &k);
	return finish(a, q.id);
}

static void serve_tcp(int fd)
{
	static struct answer a;
	uint8_t in[1024], len[2];
	ssize_t n = recv(fd, in, sizeof in, 0);
	size_t k = n > 2 ? respond(1, true, false, in + 2, (size_t)n - 2, &a) : 0;

	len[0] = (uint8_t)(k >> 8);
	len[1] = (uint8_t)k;
	if (k && (send(fd, len, 2, MSG_NOSIGNAL) < 0 || send(fd, a.p, k, MSG_NOSIGNAL) < 0))
		perror("send");
	close(fd);
}

static void serve_udp(int who)
{
	static struct answer a;
	uint8_t in[1024];
	union addr from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(w.udp[who], in, sizeof in, 0, &from.sa, &len);
	size_t k;

	for (int honest = 0; n > 0 && honest < (now()->after == THEN_RIGHT && who == 1 ? 2 : 1); honest++) {
		k = respond(who, false, honest, in, (size_t)n, &a);
		if (k && sendto(w.udp[who], a.p, k, 0, &from.sa, len) < 0)
			perror("sendto");
	}
}

static void serve(void *arg)
{
	(void)arg;
	for (;;) {
		struct pollfd p[5] = { { .fd = w.stop[0], .events = POLLIN }, { .fd = w.tcp, .events = POLLIN } };

		for (int i = 0; i < 3; i++)
			p[i + 2] = (struct pollfd){ .fd = w.udp[i], .events = POLLIN };
		if (poll(p, 5, -1) < 0 || p[0].revents)
			return;
		if (p[1].revents)
			serve_tcp(accept(w.tcp, NULL, NULL));
		for (int i = 0; i < 3; i++)
			if (p[i + 2].revents)
				serve_udp(i);
	}
}

static int bound(int type, int last, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	a.sin_addr.s_addr = htonl(0x7f000000u + (unsigned)last);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int begin(void **state)
{
	struct err err = { 0 };

	(void)state;
	w.script = &scripts[0];
	for (int i = 0; i < 50; i++) {
		struct sockaddr_in a;
		socklen_t len = sizeof a;

		w.udp[0] = bound(SOCK_DGRAM, 1, 0);
		getsockname(w.udp[0], (struct sockaddr *)&a, &len);
		w.port = ntohs(a.sin_port);
		w.udp[1] = bound(SOCK_DGRAM, 2, w.port);
		w.udp[2] = bound(SOCK_DGRAM, 3, w.port);
		w.tcp = bound(SOCK_STREAM, 2, w.port);
		if (w.udp[1] >= 0 && w.udp[2] >= 0 && w.tcp >= 0 && listen(w.tcp, 8) == 0)
			break;
	}
	if (pipe(w.stop) < 0)
		return -1;
	return thread_start(&w.thread, "world", serve, NULL, &err);
}

static int end(void **state)
{
	(void)state;
	close(w.stop[1]);
	thread_join(w.thread);
	return 0;
}

static void no_answer_is_taken_for_the_value_and_none_hides_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		_cleanup_resolve_report_ struct resolve_report r = { 0 };
		_cleanup_free_ char *text = NULL;
		struct resolve_view v;
		struct err err = { 0 };
		char at[64];
		bool seen;

		__atomic_store_n(&w.script, &scripts[i], __ATOMIC_SEQ_CST);
		snprintf(at, sizeof at, "127.0.0.1:%u", w.port);
		ASSERT_OK(resolve_view_parse(at, false, &v, &err), &err);
		v.auth_port = w.port;
		ASSERT_OK(resolve_txt(&v, challenge, false, &r, &err), &err);
		ASSERT_INT(r.n, 2);
		ASSERT_TRUE(r.queries <= RESOLVE_QUERIES);
		text = resolve_report_text(&r, value);
		seen = r.servers[0].answered && strlist_has(&r.servers[0].values, value);
		if (seen != scripts[i].seen || resolve_report_all_have(&r, value) != seen) {
			print_error("%s: %s\n", scripts[i].what, text);
			fail();
		}
		/* whatever the one does, the other is heard */
		if (!r.servers[1].answered || !strlist_has(&r.servers[1].values, value)) {
			print_error("%s: the honest server was not heard: %s\n", scripts[i].what, text);
			fail();
		}
		for (const char *c = text; *c; c++)
			ASSERT_TRUE((unsigned char)*c >= ' ');
		ASSERT_TRUE(r.servers[0].values.n <= RESOLVE_VALUES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(no_answer_is_taken_for_the_value_and_none_hides_it) };

	_Static_assert(ARRAY_SIZE(scripts) >= 40, "forty ways");
	return cmocka_run_group_tests(tests, begin, end);
}
