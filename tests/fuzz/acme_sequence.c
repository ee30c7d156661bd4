/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acme_sequence.c - an order's whole life against an authority that answers as the input says, one byte a request: the ordinary answer, a
 * broken connection, a problem, an order or authorization in any state, or a document of the input's own. Real engine, real
 * store, virtual clock. When the input is used up the authority is itself again. Whatever it was: the order ends, at most one
 * certificate was issued for it, what was asked stays bounded, and nothing is left behind.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/engine/rig.h"

#include <stdio.h>

struct script {
	const uint8_t *p;
	size_t n;
};

static const struct { int status; const char *type; } problems[] = {
	{ 500, "serverInternal" }, { 400, "malformed" }, { 403, "unauthorized" }, { 429, "rateLimited" }, { 403, "orderNotReady" }, { 400, "badNonce" },
	{ 404, "malformed" }, { 400, "badCSR" }, { 403, "caa" }, { 403, "userActionRequired" }, { 400, "accountDoesNotExist" }, { 400, "connection" },
	{ 403, "rejectedIdentifier" }, { 409, "conflict" }, { 403, "externalAccountRequired" }, { 503, "serverInternal" },
};
static const char *const orders[] = { "pending", "ready", "processing", "valid", "invalid", "odd" };
static const char *const authzs[] = { "pending", "valid", "invalid", "deactivated", "expired", "revoked", "odd" };
static const char *const challenges[] = { "pending", "processing", "valid", "invalid" };

static uint8_t take(struct script *s)
{
	if (!s->n)
		return 0;
	s->n--;
	return *s->p++;
}

static void say(struct ca *ca, struct http_response *ret, int status, char *take_text)
{
	ca_json(ca, ret, status, take_text);
	free(take_text);
}

static void an_order(struct ca *ca, uint8_t how, struct http_response *ret)
{
	say(ca, ret, how & 0x40 ? 201 : 200, xasprintf("{\"status\":\"%s\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}%s],"
		"\"authorizations\":[%s],\"finalize\":\"" CA_URL "/finalize/0\"%s%s}", orders[how % 6],
		how & 8 ? "" : ",{\"type\":\"dns\",\"value\":\"b.example\"}", how & 16 ? "\"" CA_URL "/authz/0\",\"" CA_URL "/authz/1\"" : "",
		how & 32 ? ",\"certificate\":\"" CA_URL "/cert/0\"" : "", how & 0x80 ? "" : ",\"expires\":\"2026-10-01T00:00:00Z\""));
	ca_header(ret, "location", CA_URL "/order/0");
}

static void an_authz(struct ca *ca, uint8_t how, struct http_response *ret)
{
	say(ca, ret, 200, xasprintf("{\"status\":\"%s\",\"identifier\":{\"type\":\"dns\",\"value\":\"%s\"},\"challenges\":[{\"type\":\"%s\",\"url\":\""
		CA_URL "/chal/%d/dns-01\",\"token\":\"token-000000-0123456789abcdefghij\",\"status\":\"%s\"%s}]%s}", authzs[how % 7],
		how & 8 ? "b.example" : "a.example", how & 16 ? "http-01" : "dns-01", !!(how & 8), challenges[how >> 6],
		how & 32 ? ",\"error\":{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"NXDOMAIN\"}" : "", how == 255 ? ",\"wildcard\":true" : ""));
}

static void own_words(struct ca *ca, struct script *s, struct http_response *ret)
{
	static const int statuses[] = { 200, 201, 204, 301, 400, 404, 429, 500 };
	static const char *const types[] = { "application/json", "application/problem+json", "text/html", "application/pem-certificate-chain" };
	uint8_t how = take(s), n = take(s);

	ret->status = statuses[how % 8];
	ret->body.max = 4096;
	n = (uint8_t)MIN((size_t)n, s->n);
	buf_add(&ret->body, s->p, n);
	s->p += n;
	s->n -= n;
	ca_header(ret, "content-type", types[how / 8 % 4]);
	if (how & 32)
		ca_header(ret, "replay-nonce", "bm9uY2U");
	if (how & 64)
		ca_header(ret, "retry-after", "90000");
	(void)ca;
}

/* An address this authority never gave out. */
static bool unknown(const struct ca *ca, const char *path)
{
	static const struct { const char *start; bool authz; } kinds[] = {
		{ "/order/", false }, { "/finalize/", false }, { "/cert/", false }, { "/authz/", true }, { "/chal/", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = path + strlen(kinds[i].start);
		char *end;
		unsigned long no;

		if (!str_starts(path, kinds[i].start))
			continue;
		no = strtoul(rest, &end, 10);
		if (end == rest || no >= (kinds[i].authz ? ca->n_authzs : ca->n_orders))
			return true;
		if (streq(kinds[i].start, "/chal/"))
			return !streq(end, "/dns-01") && !streq(end, "/http-01");
		return *end || (streq(kinds[i].start, "/cert/") && !ca->orders[no].chain);
	}
	return false;
}

static int answer(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct script *s = arg;
	uint8_t op = take(s);

	if (op >= 128 && streq(method, "POST")) {
		uint8_t how = take(s);

		switch (op % 8) {
		case 0:
			return -1;
		case 1:
			ca_problem(ca, ret, problems[how % 16].status, problems[how % 16].type, "as the script says");
			if (how & 16)
				ca_header(ret, "retry-after", how & 32 ? "700000" : "7");
			return 1;
		case 2:
		case 3:
			an_order(ca, how, ret);
			return 1;
		case 4:
		case 5:
			an_authz(ca, how, ret);
			return 1;
		default:
			own_words(ca, s, ret);
			return 1;
		}
	}
	if (unknown(ca, path)) {
		ca_problem(ca, ret, 404, "malformed", "no such thing");
		return 1;
	}
	return 0;
}

struct asking {
	const char *id;
	int64_t now_ms;
};

static int refresh(struct sql *tx, void *arg, struct err *err)
{
	struct asking *a = arg;

	return order_want_refresh(tx, a->id, a->now_ms, err);
}

/* Refused while the authority has said when to come again: then that is waited for. */
static void look_again(struct rig *r, const char *id)
{
	struct asking a = { id, r->clock.fake_ms };
	_cleanup_err_ struct err why = { 0 };

	HOLDS(store_write(r->store, refresh, &a, &why) == 0 || why.code != ERR_INTERNAL);
}

/* What a person does in the end: agrees to what is asked, and looks again. */
static void a_patient_person(struct rig *r, const char *id)
{
	for (int day = 0; day < 80; day++) {
		{
			RIG_GET(r, o, id);

			if (o.ended_ms && rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND set_aside = 0") == 0)
				return;
			if (!o.ended_ms)
				look_again(r, id);
		}
		rig_run_until(r, r->clock.fake_ms + HOUR_MS);
		r->clock.fake_ms += DAY_MS;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct script s = { data, MIN(n, (size_t)4096) };
	uint8_t first = take(&s);
	struct order_taken t;

	r->ca.hook = answer;
	r->ca.hook_arg = &s;
	r->ca.authz_polls = first & 3;
	r->ca.order_polls = first >> 2 & 3;
	t = rig_order(r, &(struct rig_order){ .names = first & 16 ? "a.example b.example" : "a.example",
					     .validation = first & 32 ? VALIDATION_HTTP01 : VALIDATION_DNS01 });
	rig_run(r);
	a_patient_person(r, t.id);
	{
		RIG_GET(r, o, t.id);

		HOLDS(o.ended_ms && (o.status == ORDER_VALID || o.status == ORDER_INVALID));
		HOLDS(o.status != ORDER_INVALID || (o.reason && *o.reason));
		HOLDS(o.status != ORDER_VALID || rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'current'") == 1);
	}
	HOLDS(r->ca.certificates <= 1);
	HOLDS(r->ca.requests < 600 + 2 * n);
	HOLDS(rig_count(r, "SELECT COUNT(*) FROM orders WHERE holds_turn = 1 OR lease_owner IS NOT NULL") == 0);
	HOLDS(rig_count(r, "SELECT COUNT(*) FROM feed_item WHERE live = 1 AND kind IN ('txt', 'http')") == 0);
	HOLDS(rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND set_aside = 0") == 0);
	return 0;
}
