/* SPDX-License-Identifier: Apache-2.0 */
/* edgegrid.c - Akamai's published cases and those of Edge DNS's own requests (tests/data/edgegrid-vectors.json); .edgerc texts. */
#include "remote/edgegrid.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/assert.h"

static json_t *vectors(const char *part)
{
	_cleanup_buf_ struct buf text = BUF_MAX(1 << 20);
	_cleanup_json_ json_t *all = NULL;
	struct err err = { 0 };

	ASSERT_OK(file_read(DATA "/edgegrid-vectors.json", &text, &err), &err);
	ASSERT_OK(json_parse(buf_text(&text), text.n, &all, &err), &err);
	return json_incref(json_object_get(all, part));
}

static const char *text_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void credential(json_t *p, struct edgegrid *e)
{
	*e = (struct edgegrid){ .host = xstrdup("akaa-baseurl-xxxxxxxxxxx-xxxxxxxxxxxxx.luna.akamaiapis.net"),
				.client_token = xstrdup(text_of(p, "client_token")), .access_token = xstrdup(text_of(p, "access_token")),
				.client_secret = secret_from(text_of(p, "client_secret")) };
}

/* The headers that are signed, in the order of the list, as far as the request has them. */
static void headers_of(json_t *request, json_t *names, struct http_header out[8])
{
	json_t *list = json_object_get(request, "headers"), *name, *h;
	size_t i, k, n = 0;

	json_array_foreach(names, i, name)
		json_array_foreach(list, k, h) {
			const char *v = json_string_value(json_object_get(h, json_string_value(name)));

			if (v)
				out[n++] = (struct http_header){ json_string_value(name), v };
		}
	out[n] = (struct http_header){ 0 };
}

static void the_published_cases_are_signed_as_published(void **state)
{
	_cleanup_json_ json_t *part = vectors("published");
	json_t *p = json_object_get(part, "parameters"), *cases = json_object_get(part, "cases"), *c;
	_cleanup_edgegrid_ struct edgegrid e = { 0 };
	size_t i;

	credential(p, &e);
	ASSERT_INT(json_array_size(cases), 15);
	json_array_foreach(cases, i, c) {
		json_t *r = json_object_get(c, "request"), *data = json_object_get(c, "expectedDataToSign");
		_cleanup_buf_ struct buf to_sign = BUF_MAX(8192);
		_cleanup_free_ char *got = NULL;
		struct http_header headers[8];

		headers_of(r, json_object_get(p, "headers_to_sign"), headers);
		got = edgegrid_sign(&e, &(struct edgegrid_request){ text_of(r, "method"), "https", e.host, text_of(r, "path"), headers,
								    STR(text_of(r, "data")), text_of(p, "timestamp"), text_of(p, "nonce"), 2048 },
				    &to_sign);
		ASSERT_STR(got, text_of(c, "expectedAuthorization"));
		if (data)
			ASSERT_STR(buf_text(&to_sign), json_string_value(data));
	}
}

static void requests_of_edge_dns_are_signed_as_the_vendors_library_does(void **state)
{
	_cleanup_json_ json_t *part = vectors("edge_dns");
	json_t *p = json_object_get(part, "parameters"), *cases = json_object_get(part, "cases"), *c;
	_cleanup_edgegrid_ struct edgegrid e = { 0 };
	size_t i;

	credential(p, &e);
	ASSERT_TRUE(json_array_size(cases) >= 8);
	json_array_foreach(cases, i, c) {
		json_t *repeat = json_object_get(c, "body_repeat");
		size_t n = repeat ? (size_t)json_integer_value(json_array_get(repeat, 1)) : 0;
		_cleanup_free_ char *big = xcalloc(n + 1, 1), *got = NULL;

		if (n)
			memset(big, *json_string_value(json_array_get(repeat, 0)), n);
		got = edgegrid_sign(&e, &(struct edgegrid_request){ .method = text_of(c, "method"), .scheme = "https", .host = e.host,
								    .target = text_of(c, "path"), .body = STR(n ? big : text_of(c, "body")),
								    .timestamp = text_of(p, "timestamp"), .nonce = text_of(p, "nonce") },
				    NULL);
		ASSERT_STR(got, text_of(c, "authorization"));
	}
}

static void time_and_nonce_have_their_form(void **state)
{
	char t[EDGEGRID_TIME], a[EDGEGRID_NONCE], b[EDGEGRID_NONCE];
	struct err err = { 0 };
	int64_t at;

	ASSERT_OK(clock_parse("2014-03-21T19:34:21.000Z", &at, &err), &err);
	ASSERT_STR(edgegrid_time(at, t), "20140321T19:34:21+0000");
	edgegrid_nonce(a);
	edgegrid_nonce(b);
	ASSERT_INT(strlen(a), 36);
	ASSERT_TRUE(a[14] == '4' && a[8] == '-' && a[23] == '-' && strchr("89ab", a[19]));
	ASSERT_FALSE(streq(a, b));
}

#define FOUR "client_token = akab-c\nclient_secret= c2VjcmV0+/=\naccess_token=akab-a\n"

static void an_edgerc_is_read_as_akamais_tools_do(void **state)
{
	static const struct { const char *text, *section, *host, *key; } rows[] = {
		{ "[default]\nhost = akab-h.luna.akamaiapis.net\n" FOUR, NULL, "akab-h.luna.akamaiapis.net", NULL },
		{ "# mine\r\n[default]\r\nhost = https://AKAB-h.luna.akamaiapis.net/\r\n" FOUR "account_key=1-5C0YLB:1-8BYUX\r\n", "",
		  "akab-h.luna.akamaiapis.net", "1-5C0YLB:1-8BYUX" },
		{ "[dns]\nhost=a\n" FOUR "max_body = 131072\n", NULL, "a", NULL },
		{ "[default]\nhost=a\n" FOUR "[dns]\nhost=b\n" FOUR, "dns", "b", NULL },
		{ "host=a\n" FOUR, NULL, "a", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_edgegrid_ struct edgegrid e = { 0 };
		struct err err = { 0 };

		ASSERT_OK(edgegrid_parse_edgerc(rows[i].text, strlen(rows[i].text), rows[i].section, &e, &err), &err);
		ASSERT_STR(e.host, rows[i].host);
		ASSERT_STR(e.client_token, "akab-c");
		ASSERT_STR((const char *)e.client_secret.p, "c2VjcmV0+/=");
		ASSERT_STR(e.account_key, rows[i].key);
	}
}

static void an_edgerc_that_lacks_something_is_refused_without_its_values(void **state)
{
	static const struct { const char *text, *section, *says; } rows[] = {
		{ "", NULL, "has no host" },
		{ "[default]\n" FOUR, NULL, "has no host" },
		{ "[default]\nhost=a\nclient_token=b\naccess_token=c\n", NULL, "has no client_secret" },
		{ "[default]\nhost=a\n" FOUR, "dns", "section 'dns'" },
		{ "[a]\nhost=a\n" FOUR "[b]\nhost=b\n" FOUR, NULL, "say which one" },
		{ "[]\n]\n=\n[x", NULL, "has no host" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_edgegrid_ struct edgegrid e = { 0 };
		struct err err = { 0 };

		ASSERT_TRUE(edgegrid_parse_edgerc(rows[i].text, strlen(rows[i].text), rows[i].section, &e, &err) == -ERR_INVALID);
		ASSERT_HAS(err.detail, rows[i].says);
		ASSERT_FALSE(strstr(err.detail, "c2Vj"));
		err_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_published_cases_are_signed_as_published),
		TEST(requests_of_edge_dns_are_signed_as_the_vendors_library_does),
		TEST(time_and_nonce_have_their_form),
		TEST(an_edgerc_is_read_as_akamais_tools_do),
		TEST(an_edgerc_that_lacks_something_is_refused_without_its_values),
	};

	return RUN(tests);
}
