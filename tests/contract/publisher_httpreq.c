/* SPDX-License-Identifier: Apache-2.0 */
/* publisher_httpreq.c - the contract against a service that speaks lego's httpreq: two paths, two members, basic authentication. */
#include "tests/contract/publisher_rig.h"

#define BASE "https://hooks.example.com/dns"
#define PASSWORD "correct horse:battery"

static void answer(struct side *s, const struct http_request *q, struct http_response *res)
{
	const char *act = side_path(q, BASE "/"), *fqdn, *value;
	struct err err = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_free_ char *quoted = NULL;

	if (!streq(side_header(q, "Authorization"), "Basic Y2VydHdyaWdodDpjb3JyZWN0IGhvcnNlOmJhdHRlcnk="))
		return side_body(res, 401, "text/plain", "who are you");
	ASSERT_OK(json_parse(q->body.p, q->body.n, &doc, &err), &err);
	if (!act || q->method != HTTP_POST || json_unpack_ex(doc, NULL, JSON_STRICT, "{s:s,s:s}", "fqdn", &fqdn, "value", &value) < 0 ||
	    !streq(fqdn, SIDE_NAME "."))
		return side_wrong(s, "%s is not of this API", q->url);
	side_write(s);
	quoted = xasprintf("\"%s\"", value);
	if (streq(act, "present") && !strlist_has(&s->rdata, quoted)) {
		strlist_add(&s->rdata, quoted);
		s->ttl_s = 60;
	}
	for (size_t i = 0; streq(act, "cleanup") && i < s->rdata.n; i++)
		if (streq(s->rdata.v[i], quoted)) {
			free(s->rdata.v[i]);
			s->rdata.v[i] = s->rdata.v[--s->rdata.n];
			break;
		}
	side_body(res, 202, "text/plain", "");
}

static void refuse(struct side *s, enum side_fault f, struct http_response *res)
{
	if (f == FAULT_LIMIT)
		http_header_add(res, "retry-after", 11, "7", 1);
	side_body(res, f == FAULT_CREDENTIAL ? 401 : f == FAULT_DENIED ? 403 : 429, "text/plain", "no");
}

static void echo(struct http_response *res, const char *words)
{
	side_body(res, 400, "text/plain", words);
}

int main(void)
{
	struct secret password = { (unsigned char[]){ PASSWORD }, sizeof PASSWORD - 1 };
	struct side_vendor httpreq = {
		.publisher = "httpreq",
		.values = { { .name = "url", .text = BASE "/" }, { .name = "username", .text = "certwright" }, { .name = "password", .secret = &password } },
		.n = 3,
		.secrets = { PASSWORD, "Y2VydHdyaWdodDpjb3JyZWN0" },
		.blind = true,
		.limit_says_when = true,
		.others = { "\"other\"" },
		.answer = answer,
		.refuse = refuse,
		.echo = echo,
	};

	return side_run(&httpreq);
}
