/* SPDX-License-Identifier: Apache-2.0 */
/* The table against a naive model, under thousands of random changes; and that nothing is left when all is removed. */
#include "tests/unit/assert.h"

#include "base/limits.h"
#include "edge/answer.h"

#include <stdio.h>

static const struct edge_settings settings = { .hostname = { 16, "\3ns1\7example\3org\0" }, .soa_ttl_s = 10 };

static const char *const names[] = {
	"_acme-challenge.a.example", "x._acme-challenge.a.example", "y.x._acme-challenge.a.example", "a.example",
	"_acme-challenge.b.example", "z.y.b.example", "b.example", "example", "c.d.e.f.g.h.i.example",
};
#define NAMES ARRAY_SIZE(names)
#define IDS 6

/* the model: [name][id] is there; TXT values are "id" modulo 3, so that several rows share one */
static bool zones[NAMES], pins[NAMES], values[NAMES][IDS];

static struct feed_item item(enum feed_op op, enum feed_kind kind, size_t name, uint64_t id, char *value)
{
	snprintf(value, 32, "v%" PRIu64, id % 3);
	return (struct feed_item){ op, kind, id, 5, STR(names[name]), kind == FEED_TXT ? STR(value) : STR("") };
}

static struct answer ask(struct table *t, const char *name, uint16_t type, struct dns_message *m)
{
	static uint8_t out[ANSWER_TCP_MAX];
	struct err err = ERR_INIT;
	struct dns_query q;
	struct dns_name n;
	struct answer a;
	uint8_t p[300];
	size_t len;

	ASSERT_OK(dns_name_parse(name, &n, &err), &err);
	ASSERT_TRUE(dns_ask_write(&(struct dns_ask){ .id = 9, .name = &n, .type = type }, p, sizeof p, &len));
	answer_build(t, p, len, true, out, sizeof out, &q, &a);
	ASSERT_OK(dns_message_read(m, out, a.n, &err), &err);
	return a;
}

/* The name is at or above another one. */
static bool covers(const char *above, const char *name)
{
	size_t a = strlen(above), n = strlen(name);

	return n >= a && streq(name + n - a, above) && (n == a || name[n - a - 1] == '.');
}

static bool occupied(size_t i)
{
	bool any = zones[i] || pins[i];

	for (size_t k = 0; k < IDS; k++)
		any |= values[i][k];
	return any;
}

static void compare(struct table *t, size_t i)
{
	bool exists = false, served = false, has[3] = { false };
	unsigned want = 0, got = 0;
	struct dns_message m;
	struct answer a = ask(t, names[i], DNS_TXT, &m);
	struct dns_rr rr;

	for (size_t k = 0; k < NAMES; k++) {
		exists |= occupied(k) && covers(names[i], names[k]);
		served |= zones[k] && covers(names[k], names[i]);
	}
	for (size_t k = 0; k < IDS; k++)
		has[k % 3] |= values[i][k];
	for (size_t k = 0; k < 3; k++)
		want += has[k];
	if (!served) {
		ASSERT_INT(a.rcode, DNS_RCODE_REFUSED);
		return;
	}
	ASSERT_INT(a.rcode, exists ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN);
	ASSERT_INT(a.answers, want);
	while (dns_message_next(&m, &rr)) {
		char text[8] = { 0 };
		size_t n;

		if (rr.type != DNS_TXT)
			continue;
		got++;
		ASSERT_TRUE(dns_rr_txt(&m, &rr, text, sizeof text, &n));
		ASSERT_TRUE(n == 2 && has[text[1] - '0']);
		has[text[1] - '0'] = false; /* once only */
	}
	ASSERT_INT(got, want);
	ASSERT_INT(ask(t, names[i], DNS_SOA, &m).answers, zones[i]);
}

static void it_answers_as_a_naive_model_says(void **state UNUSED)
{
	struct table *t = table_new(&settings);
	uint32_t seed = 12345;
	char value[32];

	for (int round = 0; round < 20000; round++) {
		struct feed_item i;
		size_t name;
		uint64_t id;
		bool add;

		seed = seed * 1664525 + 1013904223;
		name = (seed >> 8) % NAMES;
		id = (seed >> 16) % IDS;
		add = seed >> 30 & 1;
		switch (seed >> 24 & 3) {
		case 0:
			i = item(add ? FEED_ADD : FEED_REMOVE, FEED_ZONE, name, 100, value);
			zones[name] = add;
			break;
		case 1:
			i = item(add ? FEED_ADD : FEED_REMOVE, FEED_NAME, name, 100, value);
			pins[name] = add;
			break;
		default:
			i = item(add ? FEED_ADD : FEED_REMOVE, FEED_TXT, name, id + 3, value);
			values[name][id] = add;
			break;
		}
		table_apply(t, &i);
		compare(t, (seed >> 4) % NAMES);
	}
	for (size_t n = 0; n < NAMES; n++) {
		struct feed_item i;

		for (uint64_t id = 0; id < IDS; id++) {
			i = item(FEED_REMOVE, FEED_TXT, n, id + 3, value);
			table_apply(t, &i);
		}
		i = item(FEED_REMOVE, FEED_ZONE, n, 100, value);
		table_apply(t, &i);
		i = item(FEED_REMOVE, FEED_NAME, n, 100, value);
		table_apply(t, &i);
	}
	ASSERT_INT(table_nodes(t), 0);
	table_free(t);
}

static void at_most_so_many_values_as_are_promised_are_answered(void **state UNUSED)
{
	struct table *t = table_new(&settings);
	struct dns_message m;
	char value[32];

	table_apply(t, &(struct feed_item){ FEED_ADD, FEED_ZONE, 1, 5, STR("a.b"), STR("") });
	for (uint64_t i = 1; i <= LIMIT_TXT_VALUES + 1; i++) {
		snprintf(value, sizeof value, "value %" PRIu64, i);
		table_apply(t, &(struct feed_item){ FEED_ADD, FEED_TXT, i, 5, STR("a.b"), STR(value) });
		ASSERT_INT(ask(t, "a.b", DNS_TXT, &m).answers, MIN(i, LIMIT_TXT_VALUES));
	}
	table_apply(t, &(struct feed_item){ FEED_REMOVE, FEED_TXT, 1, 5, STR("a.b"), STR("") });
	ASSERT_INT(ask(t, "a.b", DNS_TXT, &m).answers, LIMIT_TXT_VALUES);
	table_free(t);
}

static void many_names_and_tokens_are_found_again(void **state UNUSED)
{
	struct table *t = table_new(&settings);
	struct dns_message m;
	char name[64], token[64], value[80];

	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t i = 1; i <= 5000; i++) {
			enum feed_op op = round ? FEED_REMOVE : FEED_ADD;

			snprintf(name, sizeof name, "_acme-challenge.h%" PRIu64 ".example", i);
			snprintf(token, sizeof token, "token-%016" PRIu64, i);
			snprintf(value, sizeof value, "%s.thumbprint", token);
			table_apply(t, &(struct feed_item){ op, FEED_ZONE, i, 5, STR(name), STR("") });
			table_apply(t, &(struct feed_item){ op, FEED_TXT, i, 5, STR(name), STR(value) });
			table_apply(t, &(struct feed_item){ op, FEED_HTTP, i, 0, STR(token), STR(value) });
		}
		for (uint64_t i = 1; i <= 5000; i += 7) {
			snprintf(name, sizeof name, "_acme-challenge.h%" PRIu64 ".example", i);
			snprintf(token, sizeof token, "token-%016" PRIu64, i);
			ASSERT_INT(ask(t, name, DNS_TXT, &m).answers, round == 0);
			ASSERT_INT(table_token(t, token, strlen(token)) != NULL, round == 0);
		}
	}
	ASSERT_INT(table_nodes(t), 0);
	ASSERT_INT(table_tokens(t), 0);
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_answers_as_a_naive_model_says),
		TEST(at_most_so_many_values_as_are_promised_are_answered),
		TEST(many_names_and_tokens_are_found_again),
	};

	return RUN(tests);
}
