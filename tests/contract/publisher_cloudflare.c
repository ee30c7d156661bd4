/* SPDX-License-Identifier: Apache-2.0 */
/* publisher_cloudflare.c - the contract against a model of Cloudflare's API v4: one record per value, ids, its error codes. */
#include "tests/contract/publisher_rig.h"

#define BASE "https://api.cloudflare.com/client/v4"
#define TOKEN "v1-Secret_Token-0123456789abcdefghijklmn"
#define PAGE 2 /* smaller than the real one, so that paging happens */

static void failed(struct http_response *res, int status, int code, const char *words)
{
	side_json(res, status, json_pack("{s:b,s:[{s:i,s:s}],s:[],s:n}", "success", 0, "errors", "code", code, "message", words, "messages",
					 "result"));
}

static void good(struct http_response *res, json_t *result, size_t total, size_t per_page)
{
	side_json(res, 200, json_pack("{s:b,s:[],s:[],s:o,s:{s:i,s:i,s:i}}", "success", 1, "errors", "messages", "result", result, "result_info",
				      "total_count", (int)total, "per_page", (int)per_page, "total_pages",
				      (int)((total + per_page - 1) / per_page)));
}

static size_t page_of(const struct http_request *q)
{
	_cleanup_free_ char *page = side_query(q, "page");

	return page && *page >= '1' && *page <= '9' ? (size_t)(*page - '1') : 0;
}

static void zones(struct side *s, const struct http_request *q, struct http_response *res)
{
	_cleanup_free_ char *name = side_query(q, "name");
	json_t *list = json_array();
	size_t from = page_of(q) * PAGE, total = name ? strlist_has(&s->zones, name) : s->zones.n;

	for (size_t i = 0; i < s->zones.n; i++)
		if (name ? streq(s->zones.v[i], name) : i >= from && i < from + PAGE)
			json_array_append_new(list, json_pack("{s:s+,s:s,s:s}", "id", "zone-", s->zones.v[i], "name", s->zones.v[i], "status", "active"));
	good(res, list, total, PAGE);
}

static void records(struct side *s, const struct http_request *q, struct http_response *res)
{
	_cleanup_free_ char *name = side_query(q, "name"), *type = side_query(q, "type");
	json_t *list = json_array();
	size_t from = page_of(q) * PAGE;

	if (!name || !type || !streq(name, SIDE_NAME) || !streq(type, "TXT"))
		side_wrong(s, "records of another name or type were asked for: %s", q->url);
	for (size_t i = from; i < s->rdata.n && i < from + PAGE; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:i,s:b}", "id", s->ids.v[i], "type", "TXT", "name", SIDE_NAME, "content",
						      s->rdata.v[i], "ttl", 120, "proxied", 0));
	good(res, list, s->rdata.n, PAGE);
}

static void create(struct side *s, const struct http_request *q, struct http_response *res)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	const char *type, *name, *content;
	_cleanup_free_ char *id = NULL;
	int ttl;

	ASSERT_OK(json_parse(q->body.p, q->body.n, &doc, &err), &err);
	if (json_unpack_ex(doc, NULL, JSON_STRICT, "{s:s,s:s,s:s,s:i}", "type", &type, "name", &name, "content", &content, "ttl", &ttl) < 0 ||
	    !streq(type, "TXT") || !streq(name, SIDE_NAME)) {
		side_wrong(s, "a record of another form was sent");
		return failed(res, 400, 1004, "DNS Validation Error");
	}
	if (ttl != 1 && (ttl < 60 || ttl > 86400))
		return failed(res, 400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
	side_write(s);
	if (strlist_has(&s->rdata, content))
		return failed(res, 400, 81058, "An identical record already exists.");
	s->ttl_s = ttl;
	id = xasprintf("rec%u", ++s->next_id);
	strlist_add(&s->rdata, content);
	strlist_add(&s->ids, id);
	good(res, json_pack("{s:s}", "id", id), 1, 1);
}

static void destroy(struct side *s, const char *id, struct http_response *res)
{
	side_write(s);
	for (size_t i = 0; i < s->ids.n; i++)
		if (streq(s->ids.v[i], id)) {
			side_json(res, 200, json_pack("{s:{s:s}}", "result", "id", id));
			free(s->ids.v[i]);
			free(s->rdata.v[i]);
			s->ids.v[i] = s->ids.v[--s->ids.n];
			s->rdata.v[i] = s->rdata.v[--s->rdata.n];
			return;
		}
	failed(res, 404, 81044, "Record does not exist.");
}

static void answer(struct side *s, const struct http_request *q, struct http_response *res)
{
	const char *p = side_path(q, BASE "/zones"), *inside = side_path(q, BASE "/zones/zone-" SIDE_ZONE "/dns_records");

	if (!streq(side_header(q, "Authorization"), "Bearer " TOKEN))
		return failed(res, 400, 6003, "Invalid request headers");
	if (inside && q->method == HTTP_GET)
		records(s, q, res);
	else if (inside && q->method == HTTP_POST)
		create(s, q, res);
	else if (inside && *inside == '/' && q->method == HTTP_DELETE)
		destroy(s, inside + 1, res);
	else if (p && *p == '?' && q->method == HTTP_GET)
		zones(s, q, res);
	else
		side_wrong(s, "%s %s is not of this API", http_method_text(q->method), q->url);
}

static void refuse(struct side *s, enum side_fault f, struct http_response *res)
{
	if (f == FAULT_CREDENTIAL)
		return failed(res, 403, 10000, "Authentication error");
	if (f == FAULT_DENIED)
		return failed(res, 403, 9999, "Unauthorized to access requested resource");
	http_header_add(res, "retry-after", 11, "7", 1);
	failed(res, 429, 971, "Please wait and consider throttling your request speed");
}

static void echo(struct http_response *res, const char *words)
{
	failed(res, 400, 1, words);
}

static const struct secret token = { (unsigned char *)(uintptr_t)TOKEN, sizeof TOKEN - 1 };

int main(void)
{
	static const struct side_vendor cloudflare = {
		.publisher = "cloudflare",
		.values = { { .name = "token", .secret = &token }, { .name = "zone_token" }, { .name = "url", .text = BASE "/" } },
		.n = 3,
		.secrets = { TOKEN },
		.swaps = true,
		.limit_says_when = true,
		.others = { "v=spf1 -all", "\"of \\\"another\\\" client\"" },
		.answer = answer,
		.refuse = refuse,
		.echo = echo,
	};

	return side_run(&cloudflare);
}
