/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.c - the contract of publish/publisher.h, held against every publisher of the registry: names and fields are whole,
 * publishing twice is fine, rows are exactly what edge needs, what is not there can be withdrawn, errors name the set.
 */
#include "publish/publisher.h"
#include "tests/unit/assert.h"

struct rows {
	size_t n, zones, values;
	struct strlist text;
	bool bad;
};

static void put(void *arg, enum feed_kind kind, const char *name, const char *value, int64_t ttl_s)
{
	struct rows *r = arg;
	struct feed_item i = { .op = FEED_ADD, .kind = kind, .id = 1, .ttl_s = (uint32_t)ttl_s, .name = STR(name), .value = STR(value) };
	struct err err = { 0 };
	_cleanup_free_ char *line = xasprintf("%s %s %s", feed_kind_name(kind), name, value);

	r->n++;
	r->zones += kind == FEED_ZONE;
	r->values += kind == FEED_TXT || kind == FEED_HTTP;
	r->bad |= feed_item_check(&i, &err) < 0;
	err_clear(&err);
	strlist_add(&r->text, line);
}

static uint64_t waited;
static bool edge_away;

static int edge_wait(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err)
{
	(void)arg;
	ASSERT_TRUE(timeout_ms > 0 && timeout_ms <= 60000);
	waited = seq;
	if (edge_away)
		return err_set(err, ERR_TIMEOUT, "edge is not connected");
	return 0;
}

static const struct publish_env env = { .clock = &clock_system, .edge_wait = edge_wait };

static void sets(unsigned kind, struct challenge_set *ret)
{
	if (kind == KIND_DNS01) {
		*ret = (struct challenge_set){
			.kind = VALIDATION_DNS01, .zone = "_acme-challenge.a.example", .name = "_acme-challenge.a.example", .ttl_s = 1, .seq = 7,
		};
		strlist_add(&ret->values, "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0");
		strlist_add(&ret->values, "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI");
	} else {
		*ret = (struct challenge_set){
			.kind = VALIDATION_HTTP01, .zone = "", .name = "a.example", .token = "DGyRejmCefe7v4NfDGDKfA_0123456789", .seq = 7,
		};
		strlist_add(&ret->values, "DGyRejmCefe7v4NfDGDKfA_0123456789.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI");
	}
}

static void hold(const struct publisher *p, unsigned kind)
{
	_cleanup_challenge_set_ struct challenge_set set = { 0 };
	struct err err = { 0 };
	void *self = NULL;

	if (!(p->kinds & kind) || p->way == PUBLISH_PERSON || p->fields)
		return; /* with a configuration: against its own script, publisher_NAME.c beside this file */
	sets(kind, &set);
	if (p->open)
		ASSERT_OK(p->open(&env, NULL, 0, &self, &err), &err);
	if (p->way == PUBLISH_ROWS) {
		struct rows once = { 0 }, again = { 0 };

		p->items(&set, put, &once);
		p->items(&set, put, &again);
		ASSERT_FALSE(once.bad);
		ASSERT_INT(once.values, set.values.n);
		ASSERT_INT(once.zones, kind == KIND_DNS01 ? 1 : 0);
		ASSERT_TRUE(strlist_equal(&once.text, &again.text));
		strlist_clear(&once.text);
		strlist_clear(&again.text);
	}
	for (int i = 0; i < 2; i++) {
		waited = 0;
		ASSERT_OK(p->publish(self, &env, &set, &err), &err);
		if (p->way == PUBLISH_ROWS)
			ASSERT_INT(waited, 7);
	}
	if (p->way == PUBLISH_ROWS) {
		edge_away = true;
		ASSERT_TRUE(p->publish(self, &env, &set, &err) == -ERR_TIMEOUT);
		ASSERT_HAS(err.detail, set.name);
		err_clear(&err);
		edge_away = false;
	}
	for (int i = 0; i < 2; i++)
		ASSERT_OK(p->withdraw(self, &env, &set, &err), &err);
	if (p->close)
		p->close(self);
}

static void every_publisher_keeps_the_contract(void **state)
{
	for (size_t i = 0; publishers[i]; i++) {
		hold(publishers[i], KIND_DNS01);
		hold(publishers[i], KIND_HTTP01);
	}
}

static void every_publisher_is_whole(void **state)
{
	for (size_t i = 0; publishers[i]; i++) {
		const struct publisher *p = publishers[i];

		ASSERT_TRUE(p->name && *p->name && p->title && *p->title && p->help && *p->help);
		ASSERT_TRUE(p->kinds && !(p->kinds & ~(unsigned)(KIND_DNS01 | KIND_HTTP01)));
		ASSERT_INT(!p->items, p->way != PUBLISH_ROWS);
		ASSERT_INT(!p->publish, p->way == PUBLISH_PERSON);
		ASSERT_INT(!p->withdraw, p->way == PUBLISH_PERSON);
		ASSERT_TRUE(!(p->kinds & KIND_DNS01) || (p->ttl_s >= 1 && p->ttl_s <= 3600));
		for (size_t k = i + 1; publishers[k]; k++)
			ASSERT_FALSE(streq(p->name, publishers[k]->name));
		if (p->fields) {
			ASSERT_TRUE(p->rights && *p->rights && p->open && p->close && p->way == PUBLISH_REMOTE);
			ASSERT_TRUE(publisher_kind(p->name) == p);
			ASSERT_TRUE(!p->site || str_starts(p->site, "https://"));
		}
		for (const struct field *f = p->fields; f && f->name; f++) {
			struct err err = { 0 };

			ASSERT_TRUE(f->help && *f->help && f->name[strspn(f->name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0);
			ASSERT_TRUE(field_find(p->fields, f->name) == f); /* each name once */
			ASSERT_FALSE(f->flags & FIELD_SECRET && (f->standard || f->choices || f->flags & FIELD_ENDPOINT));
			if (f->standard)
				ASSERT_OK(field_check(f, f->standard, strlen(f->standard), &err), &err);
		}
	}
}

/* A word that is nobody's language but the vendor's: route53:GetChange, NAME=value. */
static bool technical(const char *word)
{
	size_t at = strcspn(word, ":=_{}");

	return at && word[at] && word[at + 1];
}

/* How a right is given stands in .grants, which form, command and page show below .rights: neither can then say something else than the other. */
static void what_is_to_be_copied_is_not_said_in_words_too(void **state)
{
	for (size_t i = 0; publishers[i]; i++) {
		const struct publisher *p = publishers[i];
		_cleanup_free_ char *words = xstrdup(p->rights ? p->rights : "");
		char *end = words;

		for (char *word; (word = strsep(&end, " ,;()"));)
			for (const struct grant *g = p->grants; technical(word) && g && g->where; g++)
				if (strstr(g->text, word)) {
					print_error("%s: '%s' stands in rights and in what is to be copied\n", p->name, word);
					fail();
				}
		for (const struct grant *g = p->grants; g && g->where; g++) {
			ASSERT_TRUE(*g->where && (streq(g->language, "text") || streq(g->language, "json")) && str_ends(g->text, "\n"));
			if (streq(g->language, "json")) {
				struct err err = { 0 };
				_cleanup_json_ json_t *doc = NULL;

				ASSERT_OK(json_parse(g->text, strlen(g->text), &doc, &err), &err);
			}
		}
	}
}

static void methods_are_found_by_kind(void **state)
{
	static const struct { enum validation kind; const char *method; bool there; } rows[] = {
		{ VALIDATION_DNS01, METHOD_DELEGATION, true }, { VALIDATION_HTTP01, METHOD_DELEGATION, false },
		{ VALIDATION_HTTP01, METHOD_BUILTIN, true },   { VALIDATION_DNS01, METHOD_BUILTIN, false },
		{ VALIDATION_DNS01, METHOD_MANUAL, true },     { VALIDATION_HTTP01, METHOD_MANUAL, true },
		{ VALIDATION_DNS01, "", false },	       { VALIDATION_DNS01, "Delegation", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_INT(publisher_find(rows[i].kind, rows[i].method) != NULL, rows[i].there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_publisher_is_whole),
		TEST(what_is_to_be_copied_is_not_said_in_words_too),
		TEST(every_publisher_keeps_the_contract),
		TEST(methods_are_found_by_kind),
	};

	return RUN(tests);
}
