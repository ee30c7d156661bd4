/* SPDX-License-Identifier: Apache-2.0 */
/* publisher_rig.c - see publisher_rig.h. */
#include "tests/contract/publisher_rig.h"

#include "base/limits.h"

#include <stdio.h>

#define NOW INT64_C(1795000000000)
#define RACED "somebody-else-was-faster"

static const struct side_vendor *vendor;

/* ---- the other side ---- */

void side_body(struct http_response *res, int status, const char *type, const char *body)
{
	res->status = status;
	http_header_add(res, "content-type", 12, type, strlen(type));
	buf_add_str(&res->body, body);
}

void side_json(struct http_response *res, int status, json_t *body)
{
	_cleanup_free_ char *text = json_text(body);

	ASSERT_TRUE(text);
	side_body(res, status, "application/json", text);
	json_decref(body);
}

const char *side_header(const struct http_request *q, const char *name)
{
	for (const struct http_header *h = q->headers; h && h->name; h++)
		if (str_case_eq(h->name, name))
			return h->value;
	return "";
}

const char *side_path(const struct http_request *q, const char *prefix)
{
	return str_starts(q->url, prefix) ? q->url + strlen(prefix) : NULL;
}

static bool hex(const char *p, unsigned *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *a = p[0] ? strchr(digits, p[0] | 0x20) : NULL, *b = a && p[1] ? strchr(digits, p[1] | 0x20) : NULL;

	if (!b)
		return false;
	*ret = (unsigned)((a - digits) << 4 | (b - digits));
	return true;
}

char *side_query(const struct http_request *q, const char *name)
{
	const char *p = strchr(q->url, '?');
	struct buf b = BUF_MAX(4096);

	while (p) {
		p++;
		if (str_starts(p, name) && p[strlen(name)] == '=') {
			for (p += strlen(name) + 1; *p && *p != '&'; p++) {
				unsigned v = 0;

				if (*p == '%' && hex(p + 1, &v))
					p += 2;
				else
					v = (unsigned char)*p;
				buf_add_char(&b, (char)v);
			}
			buf_add(&b, "", 0);
			return b.p ? buf_take(&b) : xstrdup("");
		}
		p = strchr(p, '&');
	}
	return NULL;
}

void side_wrong(struct side *s, const char *fmt, ...)
{
	va_list ap;
	char text[512];

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!s->bad)
		s->bad = xstrdup(text);
}

void side_write(struct side *s)
{
	if (++s->writes != s->race_at)
		return;
	strlist_add(&s->rdata, "\"" RACED "\"");
	strlist_add(&s->ids, "raced");
	s->ttl_s = s->ttl_s ? s->ttl_s : 60;
}

static void echo(const struct http_request *q, struct http_response *res)
{
	struct buf words = BUF_MAX(LIMIT_PROVIDER_ANSWER);

	buf_addf(&words, "\033[31mcannot do %s <b>", q->url);
	for (const struct http_header *h = q->headers; h && h->name; h++)
		buf_addf(&words, " %s: %s", h->name, h->value);
	buf_addf(&words, " %s", vendor->secrets[0]);
	if (q->body.p)
		buf_add(&words, q->body.p, q->body.n);
	vendor->echo(res, buf_text(&words));
	buf_done(&words);
}

/* The fault that this request meets, before the model sees it. */
static int before(struct side *s, const struct http_request *q, struct http_response *res, bool *ret_done, struct err *err)
{
	*ret_done = true;
	switch (s->fault) {
	case FAULT_CREDENTIAL:
	case FAULT_DENIED:
	case FAULT_LIMIT:
		s->v->refuse(s, s->fault, res);
		return 0;
	case FAULT_BUSY:
		http_header_add(res, "retry-after", 11, "9", 1);
		side_body(res, 503, "text/plain", "busy");
		return 0;
	case FAULT_HTML:
		side_body(res, 502, "text/html", "<html><title>502 Bad Gateway</title></html>");
		return 0;
	case FAULT_GARBAGE:
		side_body(res, 200, "text/html", "<html><p>Sign in to the guest network</html>");
		return 0;
	case FAULT_EMPTY:
		side_body(res, 200, "application/json", "");
		return 0;
	case FAULT_AWAY:
		return err_set(err, ERR_NETWORK, "TCP: connection refused");
	case FAULT_OVERSIZED:
		return err_set(err, ERR_REMOTE_BAD, "HTTP: the answer is larger than %zu bytes", q->max_body);
	case FAULT_ECHO:
		echo(q, res);
		return 0;
	case FAULT_NONE:
	case FAULT_CUT:
	case FAULT_LOST:
	case FAULT_COUNT:
		break;
	}
	*ret_done = false;
	return 0;
}

/* What a fault must be called. GARBAGE and the like may be noticed or not: then the general rules of publish() hold. */
static const enum err_code wanted_of[FAULT_COUNT] = {
	[FAULT_CREDENTIAL] = ERR_UNAUTHENTICATED, [FAULT_DENIED] = ERR_DENIED,	  [FAULT_LIMIT] = ERR_REMOTE_LIMIT,
	[FAULT_BUSY] = ERR_REMOTE_BUSY,		  [FAULT_HTML] = ERR_REMOTE_BUSY, [FAULT_AWAY] = ERR_NETWORK,
	[FAULT_LOST] = ERR_NETWORK,		  [FAULT_OVERSIZED] = ERR_REMOTE_BAD,
};

static int perform(struct http *h, const struct http_request *q, struct http_response *res, struct err *err)
{
	struct side *s = (struct side *)h;
	bool hit = ++s->requests == s->fail_at, done = false;

	ASSERT_TRUE(q->timeout_ms > 0 && q->timeout_ms <= 60 * SECOND_MS);
	ASSERT_TRUE(q->max_body > 0 && q->max_body <= LIMIT_PROVIDER_ANSWER);
	ASSERT_TRUE(s->requests < 100);
	res->body.max = q->max_body;
	s->clock.fake_ms += MIN(s->slow_ms, q->timeout_ms);
	if (s->slow_ms > q->timeout_ms)
		return err_set(err, ERR_TIMEOUT, "HTTP: no answer in time");
	if (hit)
		s->wanted = s->v->means ? s->v->means(q, s->fault, wanted_of[s->fault]) : wanted_of[s->fault];
	if (hit && (before(s, q, res, &done, err) < 0 || done))
		return -(int)err->code;
	s->v->answer(s, q, res);
	if (!res->status)
		side_body(res, 404, "text/plain", "no such thing");
	if (hit && s->fault == FAULT_LOST)
		return err_set(err, ERR_NETWORK, "HTTP: the connection was closed before the answer");
	if (hit && s->fault == FAULT_CUT) {
		res->body.n /= 2;
		if (res->body.p)
			res->body.p[res->body.n] = 0;
	}
	return 0;
}

/* Nothing is left half done of what the model keeps count of. */
static void side_settled(const struct side *s)
{
	if (s->v->unsettled && s->v->unsettled(s)) {
		print_error("left undone: %s\n", s->v->unsettled(s));
		fail();
	}
}

/* ---- the publisher under it ---- */

struct stand {
	struct side side;
	struct publish_env env;
	const struct publisher *p;
	void *self;
	const char *const *others; /* what is there from the start; NULL ends */
	struct err err;
};

static void stand_open(struct stand *t, const char *const *others)
{
	*t = (struct stand){ .side = { .http = { perform }, .v = vendor, .clock = clock_fake(NOW), .ttl_s = 300 }, .p = publisher_kind(vendor->publisher) };
	ASSERT_TRUE(t->p);
	t->env = (struct publish_env){ .http = &t->side.http, .clock = &t->side.clock };
	strlist_add(&t->side.zones, "example.org");
	strlist_add(&t->side.zones, SIDE_ZONE);
	t->others = others;
	for (const char *const *o = others; *o; o++) {
		_cleanup_free_ char *id = xasprintf("other%zu", t->side.rdata.n);

		strlist_add(&t->side.rdata, *o);
		strlist_add(&t->side.ids, id);
	}
	ASSERT_OK(t->p->open(&t->env, vendor->values, vendor->n, &t->self, &t->err), &t->err);
}

static void stand_close(struct stand *t)
{
	t->p->close(t->self);
	strlist_clear(&t->side.zones);
	strlist_clear(&t->side.rdata);
	strlist_clear(&t->side.ids);
	free(t->side.bad);
	err_clear(&t->err);
}
#define _cleanup_stand_ __attribute__((cleanup(stand_close)))

static struct challenge_set set_of(const char *zone, const char *first, const char *second)
{
	struct challenge_set set = { .kind = VALIDATION_DNS01, .zone = zone, .name = SIDE_NAME, .ttl_s = 60 };

	if (vendor->http01) {
		_cleanup_free_ char *answer = xasprintf("%s." SIDE_THUMBPRINT, first);

		set = (struct challenge_set){ .kind = VALIDATION_HTTP01, .zone = "", .name = SIDE_HOST, .token = first };
		strlist_add(&set.values, answer);
		return set;
	}
	strlist_add(&set.values, first);
	if (second)
		strlist_add(&set.values, second);
	return set;
}

#define APEX "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
#define WILD "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
#define THIRD "1gSoo29vhcNqYhOUvTMdEO7V2i2Kwpq9dCMRHhCKFJk"

/* How often the value is there, with or without quotes. */
static int times(const struct side *s, const char *value)
{
	int n = 0;

	for (size_t i = 0; i < s->rdata.n; i++) {
		size_t len = strlen(s->rdata.v[i]);

		n += streq(s->rdata.v[i], value) ||
		     (len == strlen(value) + 2 && s->rdata.v[i][0] == '"' && !strncmp(s->rdata.v[i] + 1, value, len - 2));
	}
	return n;
}

static void others_are_there(const struct stand *t)
{
	const struct side *s = &t->side;

	for (const char *const *o = t->others; *o; o++)
		if (!strlist_has(&s->rdata, *o)) {
			print_error("the value %s of somebody else is gone\n", *o);
			fail();
		}
	if (s->bad) {
		print_error("%s\n", s->bad);
		fail();
	}
}

static void nothing_secret(const struct err *e)
{
	for (; e; e = e->cause)
		for (const char *const *secret = vendor->secrets; *secret; secret++) {
			ASSERT_FALSE(e->detail && strstr(e->detail, *secret));
			ASSERT_FALSE(e->remote && strstr(e->remote, *secret));
			ASSERT_FALSE(e->remote_type && strstr(e->remote_type, *secret));
			ASSERT_FALSE(e->hint && strstr(e->hint, *secret));
			ASSERT_FALSE(e->remote && strchr(e->remote, '\033'));
		}
}

static int publish(struct stand *t, const struct challenge_set *set)
{
	int r = t->p->publish(t->self, &t->env, set, &t->err);

	others_are_there(t);
	nothing_secret(&t->err);
	ASSERT_INT(r, -(int)t->err.code);
	for (size_t i = 0; r == 0 && i < set->values.n; i++)
		ASSERT_INT(times(&t->side, set->values.v[i]), 1);
	return r;
}

static int withdraw(struct stand *t, const struct challenge_set *set)
{
	int r = t->p->withdraw(t->self, &t->env, set, &t->err);

	others_are_there(t);
	nothing_secret(&t->err);
	ASSERT_INT(r, -(int)t->err.code);
	for (size_t i = 0; r == 0 && i < set->values.n; i++)
		ASSERT_INT(times(&t->side, set->values.v[i]), 0);
	return r;
}

static size_t others(const struct stand *t)
{
	size_t n = 0;

	while (t->others[n])
		n++;
	return n;
}

static const char *const nobody[] = { NULL };

static void publishing_twice_is_fine_and_withdrawing_takes_only_ours(void **state)
{
	static const char *const zones[] = { "", SIDE_ZONE };

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		_cleanup_stand_ struct stand t;
		_cleanup_challenge_set_ struct challenge_set set = set_of(zones[i], APEX, WILD);
		int writes;

		stand_open(&t, vendor->others);
		ASSERT_OK(publish(&t, &set), &t.err);
		writes = t.side.writes;
		ASSERT_OK(publish(&t, &set), &t.err);
		ASSERT_TRUE(vendor->blind || t.side.writes == writes); /* nothing was missing */
		ASSERT_INT(t.side.rdata.n, others(&t) + set.values.n);
		ASSERT_OK(withdraw(&t, &set), &t.err);
		ASSERT_INT(t.side.rdata.n, others(&t));
		ASSERT_OK(withdraw(&t, &set), &t.err);
	}
}

static void a_name_where_nothing_was_is_empty_again_afterwards(void **state)
{
	_cleanup_stand_ struct stand t;
	_cleanup_challenge_set_ struct challenge_set set = set_of(SIDE_ZONE, APEX, WILD);

	stand_open(&t, nobody);
	ASSERT_OK(publish(&t, &set), &t.err);
	ASSERT_INT(t.side.rdata.n, set.values.n);
	ASSERT_TRUE(t.side.ttl_s >= 1 && t.side.ttl_s <= 300);
	ASSERT_OK(withdraw(&t, &set), &t.err);
	ASSERT_INT(t.side.rdata.n, 0);
	ASSERT_OK(withdraw(&t, &set), &t.err);
}

static void values_of_two_orders_live_together(void **state)
{
	_cleanup_stand_ struct stand t;
	_cleanup_challenge_set_ struct challenge_set one = set_of(SIDE_ZONE, APEX, WILD), two = set_of("", THIRD, NULL);

	stand_open(&t, vendor->others);
	ASSERT_OK(publish(&t, &one), &t.err);
	ASSERT_OK(publish(&t, &two), &t.err);
	ASSERT_INT(t.side.rdata.n, others(&t) + one.values.n + two.values.n);
	ASSERT_OK(withdraw(&t, &one), &t.err);
	ASSERT_INT(times(&t.side, two.values.v[0]), 1);
	ASSERT_OK(withdraw(&t, &two), &t.err);
	ASSERT_INT(t.side.rdata.n, others(&t));
}

static void a_zone_that_is_not_there_is_said_and_owes_nothing(void **state)
{
	_cleanup_stand_ struct stand t;
	_cleanup_challenge_set_ struct challenge_set set = set_of("", APEX, NULL);

	stand_open(&t, vendor->others);
	if (!t.p->find_zone)
		return;
	strlist_clear(&t.side.zones);
	ASSERT_INT(t.p->publish(t.self, &t.env, &set, &t.err), -ERR_NOT_FOUND);
	err_clear(&t.err);
	ASSERT_OK(t.p->withdraw(t.self, &t.env, &set, &t.err), &t.err);
	set.zone = SIDE_ZONE;
	ASSERT_OK(t.p->withdraw(t.self, &t.env, &set, &t.err), &t.err);
	ASSERT_INT(t.side.writes, 0);
}

static void the_deepest_zone_is_found_and_all_are_listed(void **state)
{
	_cleanup_stand_ struct stand t;
	_cleanup_strlist_ struct strlist zones = { 0 };
	_cleanup_free_ char *zone = NULL, *deep = NULL, *none = NULL;

	stand_open(&t, vendor->others);
	if (!t.p->find_zone || !t.p->zones)
		return;
	strlist_add(&t.side.zones, "sub.example.com");
	ASSERT_OK(t.p->find_zone(t.self, &t.env, SIDE_NAME, &zone, &t.err), &t.err);
	ASSERT_STR(zone, SIDE_ZONE);
	ASSERT_OK(t.p->find_zone(t.self, &t.env, "_acme-challenge.www.sub.example.com", &deep, &t.err), &t.err);
	ASSERT_STR(deep, "sub.example.com");
	ASSERT_INT(t.p->find_zone(t.self, &t.env, "_acme-challenge.example.net", &none, &t.err), -ERR_NOT_FOUND);
	err_clear(&t.err);
	ASSERT_OK(t.p->zones(t.self, &t.env, &zones, &t.err), &t.err);
	ASSERT_INT(zones.n, 3);
	ASSERT_TRUE(strlist_has(&zones, "sub.example.com") && strlist_has(&zones, SIDE_ZONE));
	ASSERT_INT(t.side.writes, 0);
}

static void judged(const struct side *s, const struct challenge_set *set, const struct err *e)
{
	enum side_fault f = s->fault;

	if (wanted_of[f] && e->code != s->wanted) {
		_cleanup_free_ char *text = err_text(e);

		print_error("fault %d at request %d gave %s: %s\n", (int)f, s->fail_at, err_slug(e->code), text);
		fail();
	}
	if (f == FAULT_LIMIT && e->code)
		ASSERT_TRUE(vendor->limit_says_when ? e->retry_at_ms == NOW + 7 * SECOND_MS : e->retry_at_ms > NOW);
	if (f == FAULT_BUSY && e->code)
		ASSERT_INT(e->retry_at_ms, NOW + 9 * SECOND_MS);
	if (f == FAULT_GARBAGE || f == FAULT_CUT || f == FAULT_EMPTY)
		ASSERT_TRUE(!e->code || e->code == ERR_REMOTE_BAD);
	if (f == FAULT_ECHO)
		ASSERT_TRUE(!e->code || e->code == ERR_REMOTE_REFUSED);
	if (err_is(e))
		ASSERT_HAS(e->detail, set->name);
}

/* One fault in a publish and in the withdraw behind it; true when the publish had such a request. */
static bool survived(enum side_fault f, int at, const char *const *there)
{
	_cleanup_stand_ struct stand t;
	_cleanup_challenge_set_ struct challenge_set set = set_of("", APEX, WILD);
	bool met;

	stand_open(&t, there);
	t.side.fault = f;
	t.side.fail_at = at;
	publish(&t, &set);
	met = t.side.requests >= at;
	if (met)
		judged(&t.side, &set, &t.err);
	err_clear(&t.err);
	t.side.fail_at = 0;
	ASSERT_OK(publish(&t, &set), &t.err);
	side_settled(&t.side);

	t.side.fail_at = t.side.requests + at;
	withdraw(&t, &set);
	err_clear(&t.err);
	t.side.fail_at = 0;
	ASSERT_OK(withdraw(&t, &set), &t.err);
	ASSERT_INT(t.side.rdata.n, others(&t));
	side_settled(&t.side);
	return met;
}

static void every_fault_at_every_request_is_named_and_survived(void **state)
{
	for (int f = FAULT_NONE + 1; f < FAULT_COUNT; f++) {
		if (vendor->blind && (f == FAULT_GARBAGE || f == FAULT_EMPTY))
			continue;
		for (int at = 1; survived((enum side_fault)f, at, vendor->others); at++)
			;
		for (int at = 1; survived((enum side_fault)f, at, nobody); at++)
			;
	}
}

static void somebody_who_writes_at_the_same_time_loses_nothing(void **state)
{
	for (int at = 1; at <= 2; at++)
		for (int empty = 0; empty < 2; empty++) {
			_cleanup_challenge_set_ struct challenge_set set = set_of(SIDE_ZONE, APEX, WILD);
			_cleanup_stand_ struct stand t;
			const char *ours = set.values.v[0];

			stand_open(&t, empty ? nobody : vendor->others);
			if (!vendor->swaps && !(vendor->creates && empty && at == 1))
				continue;
			t.side.race_at = at;
			ASSERT_OK(publish(&t, &set), &t.err);
			ASSERT_INT(times(&t.side, ours), 1);
			ASSERT_INT(times(&t.side, RACED), t.side.writes >= at);
			ASSERT_OK(withdraw(&t, &set), &t.err);
			ASSERT_INT(times(&t.side, RACED), t.side.writes >= at);
			ASSERT_INT(times(&t.side, ours), 0);
		}
}

/* Each answer takes 16 s: the visit ends by itself, and what it did is done again later. */
static void a_visit_ends_with_its_time(void **state)
{
	_cleanup_stand_ struct stand t;
	_cleanup_challenge_set_ struct challenge_set set = set_of("", APEX, WILD);

	stand_open(&t, vendor->others);
	t.side.slow_ms = 16 * SECOND_MS;
	ASSERT_INT(publish(&t, &set), -ERR_TIMEOUT);
	ASSERT_TRUE(t.side.clock.fake_ms <= NOW + 60 * SECOND_MS);
	err_clear(&t.err);
	t.side.slow_ms = 0;
	ASSERT_OK(publish(&t, &set), &t.err);
}

int side_run(const struct side_vendor *v)
{
	const struct CMUnitTest tests[] = {
		TEST(publishing_twice_is_fine_and_withdrawing_takes_only_ours),
		TEST(a_name_where_nothing_was_is_empty_again_afterwards),
		TEST(values_of_two_orders_live_together),
		TEST(a_zone_that_is_not_there_is_said_and_owes_nothing),
		TEST(the_deepest_zone_is_found_and_all_are_listed),
		TEST(every_fault_at_every_request_is_named_and_survived),
		TEST(somebody_who_writes_at_the_same_time_loses_nothing),
		TEST(a_visit_ends_with_its_time),
	};

	vendor = v;
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
