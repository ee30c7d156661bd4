/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher_powerdns.c - the contract against a model of PowerDNS 4.7's API (REPLACE of whole sets, 422 for EXTEND), and again of 4.9.12's:
 * EXTEND and PRUNE of single records, with which a writer at the same time loses nothing and no set is replaced.
 */
#include "tests/contract/publisher_rig.h"

#define BASE "http://10.0.0.53:8081/api/v1/servers/localhost"
#define KEY "pdns-Secret_Key-0123456789"

static void failed(struct http_response *res, int status, const char *words)
{
	side_json(res, status, json_pack("{s:s}", "error", words));
}

static void zones(struct side *s, const struct http_request *q, struct http_response *res)
{
	_cleanup_free_ char *name = side_query(q, "zone");
	json_t *list = json_array();

	for (size_t i = 0; i < s->zones.n; i++) {
		_cleanup_free_ char *dotted = xasprintf("%s.", s->zones.v[i]);

		if (!name || streq(name, dotted))
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", dotted, "name", dotted, "kind", "Native"));
	}
	if (name && !str_ends(name, ".")) {
		json_decref(list);
		return failed(res, 422, "DNS Name is not canonical");
	}
	side_json(res, 200, list);
}

/* As an older server: the whole zone, whatever the filter says. */
static void zone(struct side *s, struct http_response *res)
{
	json_t *records = json_array(), *rrsets = json_array();

	for (size_t i = 0; i < s->rdata.n; i++)
		json_array_append_new(records, json_pack("{s:s, s:b}", "content", s->rdata.v[i], "disabled", 0));
	json_array_append_new(rrsets, json_pack("{s:s, s:s, s:i, s:[{s:s, s:b}]}", "name", SIDE_ZONE ".", "type", "SOA", "ttl", 3600, "records",
						"content", "ns. h. 1 2 3 4 5", "disabled", 0));
	json_array_append_new(rrsets, json_pack("{s:s, s:s, s:i, s:o}", "name", SIDE_NAME ".", "type", "TXT", "ttl", (int)(s->ttl_s ? s->ttl_s : 300),
						"records", records));
	side_json(res, 200, json_pack("{s:s, s:o}", "name", SIDE_ZONE ".", "rrsets", rrsets));
}

static bool newer; /* as 4.9.12 and 5.0.2 answer */

/* Exactly one record comes or goes; the others stay as they are, and doing it twice is fine. */
static void touch(struct side *s, bool add, json_t *records, int ttl, struct http_response *res)
{
	const char *content = json_string_value(json_object_get(json_array_get(records, 0), "content"));
	struct strlist rest = { 0 };

	if (json_array_size(records) != 1)
		return failed(res, 422, "Exactly one record should be provided");
	if (!content || *content != '"')
		side_wrong(s, "content without quotes");
	side_write(s);
	for (size_t i = 0; i < s->rdata.n; i++)
		if (!content || !streq(s->rdata.v[i], content))
			strlist_add(&rest, s->rdata.v[i]);
	if (add)
		strlist_add(&rest, content);
	strlist_clear(&s->rdata);
	s->rdata = rest;
	s->ttl_s = s->ttl_s && s->rdata.n > 1 ? s->ttl_s : ttl;
	res->status = 204;
}

static void patch(struct side *s, const struct http_request *q, struct http_response *res)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	const char *name, *type, *change;
	json_t *records, *item;
	int ttl;
	size_t i;

	ASSERT_OK(json_parse(q->body.p, q->body.n, &doc, &err), &err);
	if (json_unpack_ex(doc, NULL, JSON_STRICT, "{s:[{s:s, s:s, s:s, s:i, s:o}]}", "rrsets", "name", &name, "type", &type, "changetype",
			   &change, "ttl", &ttl, "records", &records) < 0 ||
	    !streq(name, SIDE_NAME ".") || !streq(type, "TXT"))
		return side_wrong(s, "a record set of another form was sent: %s", q->body.p);
	if (newer && (streq(change, "EXTEND") || streq(change, "PRUNE")))
		return touch(s, streq(change, "EXTEND"), records, ttl, res);
	if (newer && s->fault == FAULT_NONE)
		side_wrong(s, "%s of the whole set, where the server can change one record", change);
	if (streq(change, "EXTEND") || streq(change, "PRUNE"))
		return failed(res, 422, "Changetype not understood");
	side_write(s);
	strlist_clear(&s->rdata);
	json_array_foreach(records, i, item) {
		const char *content = json_string_value(json_object_get(item, "content"));

		if (!content || *content != '"')
			side_wrong(s, "content without quotes");
		if (strlist_has(&s->rdata, content))
			side_wrong(s, "the same record twice");
		strlist_add(&s->rdata, content);
	}
	if (streq(change, "DELETE") != !s->rdata.n)
		side_wrong(s, "%s with %zu records", change, s->rdata.n);
	s->ttl_s = ttl;
	res->status = 204;
}

static void answer(struct side *s, const struct http_request *q, struct http_response *res)
{
	const char *p = side_path(q, BASE "/zones"), *inside = side_path(q, BASE "/zones/" SIDE_ZONE ".");

	if (!streq(side_header(q, "Accept"), "application/json"))
		side_wrong(s, "no Accept header");
	if (!streq(side_header(q, "X-API-Key"), KEY))
		return failed(res, 401, "Unauthorized");
	if (inside && q->method == HTTP_GET)
		zone(s, res);
	else if (inside && q->method == HTTP_PATCH)
		patch(s, q, res);
	else if (p && (*p == '?' || !*p) && q->method == HTTP_GET)
		zones(s, q, res);
	else if (p && *p == '/')
		failed(res, 404, "Not Found");
	else
		side_wrong(s, "%s %s is not of this API", http_method_text(q->method), q->url);
}

static void refuse(struct side *s, enum side_fault f, struct http_response *res)
{
	if (f == FAULT_CREDENTIAL)
		return failed(res, 401, "Unauthorized");
	if (f == FAULT_DENIED)
		return failed(res, 403, "Forbidden"); /* of a proxy that narrows the key */
	http_header_add(res, "retry-after", 11, "7", 1);
	failed(res, 429, "Too Many Requests");
}

static void echo(struct http_response *res, const char *words)
{
	failed(res, 400, words);
}

static const struct secret key = { (unsigned char *)(uintptr_t)KEY, sizeof KEY - 1 };

int main(void)
{
	struct side_vendor powerdns = {
		.publisher = "powerdns",
		.values = { { .name = "url", .text = "http://10.0.0.53:8081/" }, { .name = "api_key", .secret = &key },
			    { .name = "server", .text = "localhost" } },
		.n = 3,
		.secrets = { KEY },
		.limit_says_when = true,
		.others = { "\"v=spf1 -all\"", "\"of \\\"another\\\" client\"" },
		.answer = answer,
		.refuse = refuse,
		.echo = echo,
	};

	int failures = side_run(&powerdns);

	newer = true;
	powerdns.swaps = true;
	return failures + side_run(&powerdns);
}
