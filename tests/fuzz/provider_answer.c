/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_answer.c - whatever a DNS provider answers. The first letter names the publisher, the second the status; the rest are
 * bodies for one request after another, cut at lines of "%%", the last one again and again.
 */
#include "tests/fuzz/fuzz.h"

#include "publish/publisher.h"
#include "base/json.h"

#define SECRET "Sekret-0123456789abcdef"

struct side {
	struct http http;
	const char *p;
	size_t n;
	int status;
	unsigned requests;
};

static int perform(struct http *h, const struct http_request *q, struct http_response *res, struct err *err)
{
	struct side *s = (struct side *)h;
	const char *cut = memmem(s->p, s->n, "\n%%\n", 4);
	size_t n = cut ? (size_t)(cut - s->p) : s->n;

	HOLDS(++s->requests < 1000 && q->url && q->timeout_ms > 0);
	res->status = q->method == HTTP_POST && s->status == 200 ? 201 - (int)(s->requests & 1) : s->status;
	res->body.max = q->max_body;
	if (n > q->max_body)
		return err_set(err, ERR_REMOTE_BAD, "HTTP: too large");
	buf_add(&res->body, s->p, n);
	if (cut) {
		s->p += n + 4;
		s->n -= n + 4;
	}
	return 0;
}

static void no_secret(const struct err *e)
{
	for (; e; e = e->cause) {
		HOLDS(!e->detail || !strstr(e->detail, SECRET));
		HOLDS(!e->remote || (!strstr(e->remote, SECRET) && utf8_valid(e->remote, strlen(e->remote))));
	}
}

static void one(const struct publisher *p, void *self, const struct publish_env *env, int what)
{
	struct challenge_set set = { .kind = VALIDATION_DNS01, .zone = what & 1 ? "" : "example.com", .name = "_acme-challenge.example.com", .ttl_s = 60 };
	_cleanup_err_ struct err err = { 0 };
	_cleanup_strlist_ struct strlist zones = { 0 };
	_cleanup_free_ char *zone = NULL;
	int r;

	strlist_add(&set.values, "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0");
	switch (what / 2) {
	case 0:
		r = p->publish(self, env, &set, &err);
		break;
	case 1:
		r = p->withdraw(self, env, &set, &err);
		HOLDS(err.code != ERR_NOT_FOUND);
		break;
	case 2:
		r = p->zones ? p->zones(self, env, &zones, &err) : 0;
		HOLDS(zones.n <= PUBLISH_ZONES_MAX);
		break;
	default:
		r = p->find_zone ? p->find_zone(self, env, set.name, &zone, &err) : 0;
		HOLDS(r < 0 || !p->find_zone || zone);
		break;
	}
	HOLDS(r == -(int)err.code);
	no_secret(&err);
	challenge_set_done(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct { char letter; const char *name; } kinds[] = { { 'c', "cloudflare" }, { 'a', "akamai" }, { 'r', "route53" } };
	static const int statuses[] = { 200, 204, 400, 401, 403, 404, 409, 429, 500 };
	struct secret secret = { (unsigned char[]){ SECRET }, sizeof SECRET - 1 };
	struct field_value values[] = {
		{ .name = "token", .secret = &secret },	       { .name = "host", .text = "akab-x.example" }, { .name = "client_token", .secret = &secret },
		{ .name = "client_secret", .secret = &secret }, { .name = "access_token", .secret = &secret }, { .name = "access_key_id", .text = "AKID" },
		{ .name = "secret_access_key", .secret = &secret },
	};

	if (n < 2)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct publisher *p = publisher_kind(kinds[i].name);

		if (kinds[i].letter != (char)data[0])
			continue;
		for (int what = 0; what < 8; what++) {
			struct side s = { { perform }, (const char *)data + 2, n - 2, statuses[data[1] % ARRAY_SIZE(statuses)], 0 };
			struct clock clock = clock_fake(1795000000000);
			struct publish_env env = { .http = &s.http, .clock = &clock };
			_cleanup_err_ struct err err = { 0 };
			void *self = NULL;

			HOLDS(p->open(&env, values, ARRAY_SIZE(values), &self, &err) == 0);
			one(p, self, &env, what);
			p->close(self);
		}
	}
	return 0;
}
