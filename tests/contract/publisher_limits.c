/* SPDX-License-Identifier: Apache-2.0 */
/* publisher_limits.c - how much of a provider's answer is taken: values at one name, pages of a list, at the limit and one more. */
#include "base/json.h"
#include "base/limits.h"
#include "publish/publisher.h"
#include "tests/unit/assert.h"

static struct {
	struct http http;
	const char *kind;
	int values; /* TXT at the name */
	int pages;  /* of Cloudflare's list */
	int writes;
	struct clock clock;
} w;

static void cloudflare(const struct http_request *q, struct http_response *res)
{
	bool zones = strstr(q->url, "/zones?") != NULL;

	buf_addf(&res->body, "{\"success\":true,\"result\":%s,\"result_info\":{\"total_pages\":%d}}",
		 zones ? "[{\"id\":\"z\",\"name\":\"example.com\",\"status\":\"active\"}]" : "[]", w.pages);
}

static void akamai(const struct http_request *q, struct http_response *res)
{
	json_t *list = json_array();
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_free_ char *text = NULL;

	for (int i = 0; i < w.values; i++)
		json_array_append_new(list, json_sprintf("\"v%d\"", i));
	doc = json_pack("{s:s,s:s,s:i,s:o}", "name", "_acme-challenge.example.com", "type", "TXT", "ttl", 60, "rdata", list);
	text = json_text(doc);
	buf_add_str(&res->body, text);
}

static void route53(const struct http_request *q, struct http_response *res)
{
	if (strstr(q->url, "hostedzonesbyname")) {
		buf_add_str(&res->body, "<ListHostedZonesByNameResponse><HostedZones><HostedZone><Id>Z1</Id><Name>example.com.</Name></HostedZone>"
					"</HostedZones></ListHostedZonesByNameResponse>");
		return;
	}
	buf_add_str(&res->body, "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>_acme-challenge.example.com.</Name>"
				"<Type>TXT</Type><TTL>60</TTL><ResourceRecords>");
	for (int i = 0; i < w.values; i++)
		buf_addf(&res->body, "<ResourceRecord><Value>\"v%d\"</Value></ResourceRecord>", i);
	buf_add_str(&res->body, "</ResourceRecords></ResourceRecordSet></ResourceRecordSets></ListResourceRecordSetsResponse>");
}

static int perform(struct http *h, const struct http_request *q, struct http_response *res, struct err *err)
{
	res->status = 200;
	res->body.max = q->max_body;
	if (q->method != HTTP_GET) {
		w.writes++;
		return err_set(err, ERR_NETWORK, "TCP: far enough");
	}
	if (streq(w.kind, "cloudflare"))
		cloudflare(q, res);
	else if (streq(w.kind, "akamai"))
		akamai(q, res);
	else
		route53(q, res);
	return 0;
}

/* The code that publishing ends with: NETWORK means that it came to the write. */
static enum err_code publish(const char *kind)
{
	struct secret secret = { (unsigned char[]){ "secret" }, 6 };
	struct field_value values[] = {
		{ .name = "token", .secret = &secret },		{ .name = "host", .text = "akab.example" }, { .name = "client_token", .secret = &secret },
		{ .name = "client_secret", .secret = &secret }, { .name = "access_token", .secret = &secret }, { .name = "access_key_id", .text = "AKID" },
		{ .name = "secret_access_key", .secret = &secret },
	};
	const struct publisher *p = publisher_kind(kind);
	struct challenge_set set = { .kind = VALIDATION_DNS01, .zone = "example.com", .name = "_acme-challenge.example.com", .ttl_s = 60 };
	struct publish_env env = { .http = &w.http, .clock = &w.clock };
	_cleanup_err_ struct err err = { 0 };
	void *self = NULL;

	w.kind = kind;
	w.writes = 0;
	w.http.perform = perform;
	w.clock = clock_fake(1795000000000);
	strlist_add(&set.values, "ours");
	ASSERT_OK(p->open(&env, values, ARRAY_SIZE(values), &self, &err), &err);
	p->publish(self, &env, &set, &err);
	p->close(self);
	challenge_set_done(&set);
	ASSERT_INT(w.writes, err.code == ERR_NETWORK);
	return err.code;
}

static void so_many_values_are_written_back_and_no_more(void **state)
{
	static const char *const kinds[] = { "akamai", "route53" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (int n = LIMIT_PROVIDER_VALUES - 1; n <= LIMIT_PROVIDER_VALUES + 1; n++) {
			w.values = n;
			ASSERT_INT(publish(kinds[i]), n > LIMIT_PROVIDER_VALUES ? ERR_REMOTE_BAD : ERR_NETWORK);
		}
}

static void so_many_pages_are_asked_for_and_no_more(void **state)
{
	for (w.pages = LIMIT_PROVIDER_PAGES - 1; w.pages <= LIMIT_PROVIDER_PAGES + 1; w.pages++)
		ASSERT_INT(publish("cloudflare"), w.pages > LIMIT_PROVIDER_PAGES ? ERR_REMOTE_BAD : ERR_NETWORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(so_many_values_are_written_back_and_no_more),
		TEST(so_many_pages_are_asked_for_and_no_more),
	};

	json_init();
	return RUN(tests);
}
