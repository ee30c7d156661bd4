/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c - a name server that lies, breaks the protocol and wastes time, in forty ways (a table): nothing of it is taken for the value,
 * nothing hides a value that is there, a visit has its number of questions, and the next server is heard all the same.
 */
#include "tests/unit/resolve/servers.h"

static const char value[] = "the-value-that-is-looked-for";
static const char zone[] = "example.com", challenge[] = "_acme-challenge.example.com";

/* What the evil server does with one question for TXT. */
struct answer {
	uint8_t *p;
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

static void rr(struct answer *a, const char *name, uint16_t type, uint16_t rclass, const void *rdata, size_t n)
{
	struct dns_name owner = named(name);

	put_rr(&a->out, &owner, type, rclass, rdata, n);
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
	struct dns_name owner = named(from);

	put_name(&a->out, &owner, DNS_CNAME, to);
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

static const struct script *current = &scripts[0];

static const struct script *now(void)
{
	return __atomic_load_n(&current, __ATOMIC_SEQ_CST);
}

static void recursive(struct answer *a, const struct dns_query *q, const char *name)
{
	if (q->qtype == DNS_NS && streq(name, zone)) {
		put_name(&a->out, &q->qname, DNS_NS, "ns1.example.com");
		put_name(&a->out, &q->qname, DNS_NS, "ns2.example.com");
		a->counts[1] += 2;
	} else if (q->qtype == DNS_A && str_starts(name, "ns")) {
		put_address(&a->out, &q->qname, name);
		a->counts[1]++;
	}
}

static size_t finish(struct answer *a, uint16_t id)
{
	struct dns_out head = { .p = a->p, .cap = DNS_HEADER };
	uint8_t first = a->p[0];

	if (a->none || a->raw)
		return a->raw;
	dns_out_header(&head, id, a->flags, a->rcode, a->counts);
	if (first) /* other_id has marked it */
		a->p[0] ^= 0x5a;
	return a->out.n;
}

/* Behind what is no answer comes the right one. */
static size_t respond(int who, bool tcp, int nth, const uint8_t *p, size_t n, uint8_t *out, size_t cap)
{
	struct dns_query q;
	char name[DNS_NAME_TEXT];
	struct ask k = { &q, p, tcp };
	const struct script *s = now();
	script_fn *fn = tcp && s->tcp ? s->tcp : s->udp;
	struct answer a = { .p = out, .out = { .p = out, .cap = cap }, .counts = { 1 }, .flags = DNS_QR | DNS_AA };

	if (nth >= (s->after == THEN_RIGHT && who == 1 ? 2 : 1) || dns_query_read(p, n, &q) != DNS_ANSWER)
		return 0;
	dns_name_text(&q.qname, name);
	dns_out_bytes(&a.out, (uint8_t[DNS_HEADER]){ 0 }, DNS_HEADER);
	dns_out_bytes(&a.out, p + DNS_HEADER, q.question_n);
	if (who == 0)
		recursive(&a, &q, name);
	else if (q.qtype == DNS_TXT)
		(who == 2 || nth ? right : fn)(&a, &k);
	return finish(&a, q.id);
}

static int begin(void **state)
{
	(void)state;
	return servers_begin(3, respond);
}

static int end(void **state)
{
	(void)state;
	servers_end();
	return 0;
}

static void no_answer_is_taken_for_the_value_and_none_hides_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		_cleanup_resolve_report_ struct resolve_report r = { 0 };
		_cleanup_free_ char *text = NULL;
		struct resolve_view v = servers_view(false);
		struct err err = { 0 };
		bool seen;

		servers_rest();
		__atomic_store_n(&current, &scripts[i], __ATOMIC_SEQ_CST);
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
