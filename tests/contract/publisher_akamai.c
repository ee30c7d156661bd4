/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher_akamai.c - the contract against a model of Edge DNS: record sets, POST that only creates and PUT that only replaces,
 * problem documents, and a signature in each request. Whether signatures are right is tests/unit/remote's and the fake's matter.
 */
#include "tests/contract/publisher_rig.h"

#define BASE "https://akab-h05tnam3wl42son7nktnlnnx.luna.akamaiapis.net"
#define SECRET "C113nt53KR3TN6N90yVuAgICxIRwsObLi0E67/N8eRN="
#define ACCESS "akab-acc35t0k3nodujqunph3w7hzp7-gtm6ij"
#define PROBLEM "https://problems.luna.akamaiapis.net/authoritative-dns/"

static void problem(struct http_response *res, int status, const char *type, const char *detail)
{
	side_json(res, status, json_pack("{s:s+,s:s,s:s,s:i}", "type", PROBLEM, type, "title", "Problem", "detail", detail, "status", status));
}

static json_t *zone(const char *name)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "contractId", "1-ABC", "zone", name, "type", "PRIMARY", "activationState", "ACTIVE");
}

static void get(struct side *s, struct http_response *res)
{
	if (!s->rdata.n)
		return problem(res, 404, "notFound", "Record Set not found");
	side_json(res, 200, json_pack("{s:s,s:s,s:I,s:o}", "name", SIDE_NAME, "type", "TXT", "ttl", (json_int_t)s->ttl_s, "rdata",
				      json_strlist(&s->rdata)));
}

static bool take(struct side *s, const struct http_request *q)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	json_t *rdata, *item;
	const char *name, *type;
	json_int_t ttl;
	size_t i;

	ASSERT_OK(json_parse(q->body.p, q->body.n, &doc, &err), &err);
	if (json_unpack_ex(doc, NULL, JSON_STRICT, "{s:s,s:s,s:I,s:o}", "name", &name, "type", &type, "ttl", &ttl, "rdata", &rdata) < 0 ||
	    !streq(name, SIDE_NAME) || !streq(type, "TXT") || !json_array_size(rdata)) {
		side_wrong(s, "a record set of another form was sent: %s", q->body.p);
		return false;
	}
	if (s->rdata.n && ttl != s->ttl_s)
		side_wrong(s, "the TTL of others was changed");
	strlist_clear(&s->rdata);
	json_array_foreach(rdata, i, item)
		strlist_add(&s->rdata, json_string_value(item));
	s->ttl_s = ttl;
	return true;
}

static void set(struct side *s, const struct http_request *q, struct http_response *res)
{
	if (q->method == HTTP_GET)
		return get(s, res);
	side_write(s);
	if (q->method == HTTP_POST && s->rdata.n)
		return problem(res, 400, "invalid", "the record set is there already");
	if (q->method != HTTP_POST && !s->rdata.n)
		return problem(res, 404, "notFound", "Record Set not found");
	if (q->method == HTTP_DELETE) {
		strlist_clear(&s->rdata);
		res->status = 204;
	} else if (take(s, q)) {
		res->status = q->method == HTTP_POST ? 201 : 200;
		get(s, res);
		res->status = q->method == HTTP_POST ? 201 : 200;
	} else {
		problem(res, 422, "invalid", "bad body");
	}
}

static void answer(struct side *s, const struct http_request *q, struct http_response *res)
{
	const char *p = side_path(q, BASE "/config-dns/v2/zones"), *auth = side_header(q, "Authorization");
	json_t *list;

	if (!str_starts(auth, "EG1-HMAC-SHA256 client_token=akab-c113ntt0k3n;access_token=" ACCESS ";timestamp=") || !strstr(auth, ";signature="))
		return problem(res, 401, "-/pep-authn/deny", "The signature does not match");
	if (!p || !str_ends(q->url, p) || !strstr(q->url, "accountSwitchKey=1-5C0YLB%3A1-8BYUX"))
		return side_wrong(s, "%s is not of this API", q->url);
	if (*p == '?') {
		if (!strstr(p, "showAll=true"))
			side_wrong(s, "only the first page of zones was asked for");
		list = json_array();
		for (size_t i = 0; i < s->zones.n; i++)
			json_array_append_new(list, zone(s->zones.v[i]));
		return side_json(res, 200, json_pack("{s:{},s:o}", "metadata", "zones", list));
	}
	if (str_starts(p, "/" SIDE_ZONE "/names/" SIDE_NAME "/types/TXT?"))
		return strlist_has(&s->zones, SIDE_ZONE) ? set(s, q, res) : problem(res, 404, "notFound", "Zone not found");
	for (size_t i = 0; i < s->zones.n; i++)
		if (!strncmp(p + 1, s->zones.v[i], strcspn(p + 1, "?")) && s->zones.v[i][strcspn(p + 1, "?")] == 0)
			return side_json(res, 200, zone(s->zones.v[i]));
	problem(res, 404, "notFound", "Zone not found");
}

static void refuse(struct side *s, enum side_fault f, struct http_response *res)
{
	if (f == FAULT_CREDENTIAL)
		return problem(res, 401, "-/pep-authn/deny", "The client does not have the grant needed for the request");
	if (f == FAULT_DENIED)
		return problem(res, 403, "forbidden", "You are not allowed to modify this zone");
	http_header_add(res, "retry-after", 11, "7", 1);
	problem(res, 429, "rate-limit", "Too many requests");
}

static void echo(struct http_response *res, const char *words)
{
	problem(res, 400, "invalid", words);
}

static char edgerc[] = "[default]\nhost = akab-h05tnam3wl42son7nktnlnnx.luna.akamaiapis.net\nclient_token = akab-c113ntt0k3n\n"
		       "client_secret = " SECRET "\naccess_token = " ACCESS "\naccount_key = 1-5C0YLB:1-8BYUX\n";

int main(void)
{
	struct secret file = { (unsigned char *)edgerc, strlen(edgerc) };
	struct side_vendor akamai = {
		.publisher = "akamai",
		.values = { { .name = "edgerc", .secret = &file }, { .name = "section" }, { .name = "host" }, { .name = "client_token" },
			    { .name = "client_secret" }, { .name = "access_token" }, { .name = "account_key" }, { .name = "url" } },
		.n = 8,
		.secrets = { SECRET, ACCESS },
		.creates = true,
		.limit_says_when = true,
		.others = { "\"v=spf1\"  \"-all\"", "unquoted" },
		.answer = answer,
		.refuse = refuse,
		.echo = echo,
	};

	return side_run(&akamai);
}
