/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update.c - dynamic updates to a server in a thread that keeps TXT values of one name and has moods: each error a server can
 * answer with, answers cut, oversized, forged, silent. BIND, Knot DNS and PowerDNS judge the rest (tests/scenario).
 */
#include "resolve/update.h"

#include "base/addr.h"
#include "resolve/tsig.h"
#include "tests/unit/resolve/servers.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "_acme-challenge.example.test"

enum mood {
	FINE, UNSIGNED, FORGED, OTHER_ID, NOT_AN_ANSWER, CUT, CUT_LENGTH, CLOSES, SILENT, GARBAGE, HUGE_COUNT, LATE,
	SAYS_REFUSED, SAYS_NOTAUTH, SAYS_SERVFAIL, SAYS_NOTIMP, SAYS_FORMERR, SAYS_NOTZONE, BADKEY, BADSIG, REFERRAL, OTHER_QUESTION,
};

static struct {
	int fd;
	pthread_t thread;
	enum mood mood;
	char address[ADDR_TEXT];
	struct tsig_key key;
	unsigned asked, unsigned_requests;
	uint16_t added, deleted;
} w;

static bool all(int fd, void *p, size_t n, bool out)
{
	for (uint8_t *b = p; n;) {
		ssize_t k = out ? send(fd, b, n, MSG_NOSIGNAL) : recv(fd, b, n, 0);

		if (k <= 0)
			return false;
		b += k;
		n -= (size_t)k;
	}
	return true;
}

static unsigned rcode_of(enum mood m)
{
	static const unsigned rows[] = { [SAYS_REFUSED] = 5, [SAYS_NOTAUTH] = 9, [SAYS_SERVFAIL] = 2, [SAYS_NOTIMP] = 4, [SAYS_FORMERR] = 1,
					 [SAYS_NOTZONE] = 10, [BADKEY] = 9, [BADSIG] = 9, [OTHER_QUESTION] = 0 };

	return m < ARRAY_SIZE(rows) ? rows[m] : 0;
}

/* The MAC of the request stands before its last 6 bytes: original id, error, other length. */
static struct tsig_mac mac_of_request(const uint8_t *q, size_t n)
{
	struct tsig_mac mac = { .n = 32 };

	memcpy(mac.b, q + n - 6 - 32, 32);
	return mac;
}

static void soa(struct dns_out *o)
{
	struct dns_name zone = named("Example.TEST"), host = named("ns.example.test");

	dns_out_name(o, &zone);
	dns_out_u16(o, w.mood == REFERRAL ? DNS_NS : DNS_SOA);
	dns_out_u16(o, DNS_IN);
	dns_out_u32(o, 60);
	if (w.mood == REFERRAL) {
		dns_out_u16(o, host.n);
		dns_out_name(o, &host);
		return;
	}
	dns_out_u16(o, (uint16_t)(2 * host.n + 20));
	dns_out_name(o, &host);
	dns_out_name(o, &host);
	for (int i = 0; i < 5; i++)
		dns_out_u32(o, 1);
}

static void unsigned_error(struct dns_out *o, unsigned error)
{
	dns_out_name(o, &w.key.name);
	dns_out_u16(o, DNS_TSIG);
	dns_out_u16(o, DNS_CLASS_ANY);
	dns_out_u32(o, 0);
	dns_out_u16(o, (uint16_t)(w.key.algorithm.n + 16));
	dns_out_name(o, &w.key.algorithm);
	for (int i = 0; i < 5; i++)
		dns_out_u16(o, 0); /* time, fudge, MAC size */
	dns_out_u16(o, 0);
	dns_out_u16(o, (uint16_t)error);
	dns_out_u16(o, 0);
	dns_out_set_u16(o, 10, 1);
}

static size_t reply(const uint8_t *q, size_t n, uint8_t *p)
{
	uint16_t id = (uint16_t)(q[0] << 8 | q[1]), opcode = q[2] >> 3 & 15, counts[4] = { 1, 0, opcode == DNS_QUERY, 0 };
	struct dns_in in = { .p = q, .n = n, .at = DNS_HEADER };
	struct dns_out o = { .p = p, .cap = 65000 };
	struct tsig_mac mac = mac_of_request(q, n);
	struct dns_name qname;
	uint16_t qtype;

	dns_in_name(&in, &qname);
	qtype = dns_in_u16(&in);
	if (opcode == DNS_UPDATE)
		w.added = (uint16_t)(q[8] << 8 | q[9]);
	if (w.mood == OTHER_QUESTION)
		qname = named("other.example.test");
	dns_out_header(&o, (uint16_t)(id ^ (w.mood == OTHER_ID)),
		       (uint16_t)((w.mood == NOT_AN_ANSWER ? 0 : DNS_QR) | opcode << 11 | (w.mood == REFERRAL ? 0 : DNS_AA)), rcode_of(w.mood), counts);
	dns_out_name(&o, &qname);
	dns_out_u16(&o, qtype);
	dns_out_u16(&o, DNS_IN);
	if (opcode == DNS_QUERY)
		soa(&o);
	if (w.mood == HUGE_COUNT)
		dns_out_set_u16(&o, 6, 65535);
	if (w.mood == BADKEY || w.mood == BADSIG)
		unsigned_error(&o, w.mood == BADKEY ? TSIG_BADKEY : TSIG_BADSIG);
	else if (w.mood != UNSIGNED)
		tsig_sign(&o, &w.key, &mac, clock_now(&clock_system) / 1000 - (w.mood == LATE ? 1000 : 0), &mac);
	if (w.mood == FORGED)
		p[o.n - 10] ^= 1;
	return o.n;
}

static void serve(int fd)
{
	static uint8_t q[65536], p[65536];
	uint8_t length[2];
	size_t n, k;

	if (!all(fd, length, 2, false) || !all(fd, q, n = (size_t)(length[0] << 8 | length[1]), false))
		return;
	w.asked++;
	if (w.mood == CLOSES)
		return;
	if (w.mood == SILENT) {
		recv(fd, length, 1, 0);
		return;
	}
	k = reply(q, n, p);
	if (w.mood == GARBAGE) {
		memset(p, 0xff, sizeof p - 1);
		k = sizeof p - 1;
	}
	length[0] = (uint8_t)(k >> 8);
	length[1] = (uint8_t)k;
	if (all(fd, length, w.mood == CUT_LENGTH ? 1 : 2, true) && w.mood != CUT_LENGTH)
		all(fd, p, w.mood == CUT ? k / 2 : k, true);
}

static void *run(void *arg)
{
	for (int fd; (fd = accept(w.fd, NULL, NULL)) >= 0; close(fd))
		serve(fd);
	return NULL;
}

static struct update_server server(int64_t ms)
{
	return (struct update_server){ .server = w.address, .key = &w.key, .clock = &clock_system, .until_ms = clock_boot(&clock_system) + ms };
}

static int send_update(struct err *err)
{
	struct update_server s = server(w.mood == SILENT ? 200 : 5000);
	_cleanup_strlist_ struct strlist values = { 0 };

	strlist_add(&values, "AAA");
	strlist_add(&values, "BBB");
	return update_send(&s, &(struct update){ "example.test", NAME, &values, 60, true }, err);
}

static void each_mood_of_a_server_has_its_code_and_words(void **state)
{
	static const struct { enum mood mood; enum err_code code; const char *says; } rows[] = {
		{ UNSIGNED, ERR_REMOTE_BAD, "not signed" },    { FORGED, ERR_REMOTE_BAD, "not signed with our key" },
		{ OTHER_ID, ERR_REMOTE_BAD, "that is none" },  { NOT_AN_ANSWER, ERR_REMOTE_BAD, "that is none" },
		{ CUT, ERR_NETWORK, "was cut" },	       { CUT_LENGTH, ERR_NETWORK, "did not answer" },
		{ CLOSES, ERR_NETWORK, "did not answer" },     { SILENT, ERR_TIMEOUT, "did not answer" },
		{ GARBAGE, ERR_REMOTE_BAD, "that is none" },   { HUGE_COUNT, ERR_REMOTE_BAD, "that is none" },
		{ LATE, ERR_REMOTE_BAD, "another time" },      { SAYS_REFUSED, ERR_DENIED, "REFUSED" },
		{ SAYS_NOTAUTH, ERR_NOT_FOUND, "NOTAUTH" },    { SAYS_SERVFAIL, ERR_REMOTE_BUSY, "SERVFAIL" },
		{ SAYS_NOTIMP, ERR_REMOTE_REFUSED, "NOTIMP" }, { SAYS_FORMERR, ERR_REMOTE_REFUSED, "FORMERR" },
		{ SAYS_NOTZONE, ERR_REMOTE_REFUSED, "NOTZONE" }, { BADKEY, ERR_UNAUTHENTICATED, "BADKEY" },
		{ BADSIG, ERR_UNAUTHENTICATED, "BADSIG" },
	};
	struct err err = { 0 };

	w.mood = FINE;
	ASSERT_OK(send_update(&err), &err);
	ASSERT_INT(w.added, 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		w.mood = rows[i].mood;
		if (send_update(&err) != -(int)rows[i].code) {
			print_error("mood %d: %s\n", (int)rows[i].mood, err.detail);
			fail();
		}
		ASSERT_HAS(err.detail, rows[i].says);
		err_clear(&err);
	}
}

static void a_zone_is_found_by_its_soa_and_only_where_the_server_is_authoritative(void **state)
{
	static const struct { enum mood mood; enum err_code code; } rows[] = {
		{ REFERRAL, ERR_NOT_FOUND }, { SAYS_REFUSED, ERR_NOT_FOUND }, { OTHER_QUESTION, ERR_REMOTE_BAD }, { BADKEY, ERR_UNAUTHENTICATED },
	};
	struct update_server s = server(5000);
	struct err err = { 0 };
	char *zone = NULL;

	w.mood = FINE;
	ASSERT_OK(update_find_zone(&s, NAME, &zone, &err), &err);
	ASSERT_STR(zone, "example.test");
	free(zone);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		w.mood = rows[i].mood;
		zone = NULL;
		ASSERT_INT(update_find_zone(&s, NAME, &zone, &err), -(int)rows[i].code);
		ASSERT_TRUE(!zone);
		err_clear(&err);
	}
	w.mood = FINE;
	ASSERT_INT(update_find_zone(&s, "_acme-challenge.other.test", &zone, &err), -ERR_NOT_FOUND);
	err_clear(&err);
}

static void a_server_is_named_in_the_usual_ways(void **state)
{
	static const struct { const char *text; bool good; } rows[] = {
		{ "ns.example.com", true }, { "192.0.2.1:5353", true }, { "[2001:db8::1]:53", true }, { "2001:db8::1", true }, { "[::1]", true },
		{ "", false },		    { ":53", false },		{ "ns:", false },	      { "ns:0", false },       { "ns:65536", false },
		{ "ns:dns", false },	    { "[::1", false },		{ "[::1]x", false },	      { "[::1]:", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_err_ struct err err = { 0 };

		ASSERT_INT(update_server_check(rows[i].text, &err) == 0, rows[i].good);
	}
}

static void nobody_there_and_nobody_to_speak_to_are_said(void **state)
{
	struct update_server s = server(2000);
	_cleanup_strlist_ struct strlist there = { 0 };
	struct err err = { 0 };

	s.server = "127.0.0.1:1";
	ASSERT_INT(update_read(&s, NAME, &there, NULL, &err), -ERR_NETWORK);
	ASSERT_HAS(err.detail, "127.0.0.1:1");
	err_clear(&err);
	s.server = "169.254.169.254";
	ASSERT_INT(update_read(&s, NAME, &there, NULL, &err), -ERR_INVALID);
	err_clear(&err);
	s.server = "no-such-host.invalid";
	ASSERT_INT(update_read(&s, NAME, &there, NULL, &err), -ERR_NETWORK);
	ASSERT_HAS(err.detail, "name look-up");
	err_clear(&err);
}

static int start(void **state)
{
	_cleanup_secret_ struct secret b64 = secret_from("c2VjcmV0LXNlY3JldA==");
	union addr a = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a.in;
	struct err err = { 0 };

	ASSERT_OK(tsig_key_make("key", "hmac-sha256", &b64, &w.key, &err), &err);
	w.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_TRUE(w.fd >= 0 && bind(w.fd, &a.sa, n) == 0 && listen(w.fd, 16) == 0 && getsockname(w.fd, &a.sa, &n) == 0);
	addr_format(&a, w.address);
	return pthread_create(&w.thread, NULL, run, NULL);
}

static int stop(void **state)
{
	shutdown(w.fd, SHUT_RDWR);
	pthread_join(w.thread, NULL);
	close(w.fd);
	tsig_key_done(&w.key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_mood_of_a_server_has_its_code_and_words),
		TEST(a_zone_is_found_by_its_soa_and_only_where_the_server_is_authoritative),
		TEST(a_server_is_named_in_the_usual_ways),
		TEST(nobody_there_and_nobody_to_speak_to_are_said),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
