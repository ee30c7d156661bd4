/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher_route53.c - the contract against a model of Route 53: batches that are one transaction, CREATE that fails when a set
 * is there, DELETE that must match every value and the TTL, private zones beside public ones, both error roots. The same again with an
 * assumed role in between.
 */
#include "tests/contract/publisher_rig.h"

#include "remote/xml.h"

#define BASE "https://route53.amazonaws.com/2013-04-01"
#define STS "https://sts.amazonaws.com/"
#define NS " xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\""
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define ROLE_SECRET "roleSecret/0123456789+abcdefghijklmnopqr"
#define ROLE_TOKEN "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI"

static void failed(struct http_response *res, int status, const char *code, const char *message)
{
	struct buf b = BUF_MAX(1 << 20);

	buf_addf(&b, "<?xml version=\"1.0\"?>\n<ErrorResponse" NS "><Error><Type>Sender</Type><Code>%s</Code><Message>", code);
	xml_escape(&b, message);
	buf_add_str(&b, "</Message></Error><RequestId>7d1</RequestId></ErrorResponse>");
	side_body(res, status, "text/xml", buf_text(&b));
	buf_done(&b);
}

/* Zones in the order that the API lists them in: by labels from the right. */
static int later(const char *a, const char *b)
{
	_cleanup_strlist_ struct strlist x = { 0 }, y = { 0 };

	strlist_split(&x, a, '.');
	strlist_split(&y, b, '.');
	for (size_t i = 1; i <= x.n && i <= y.n; i++) {
		int r = strcmp(x.v[x.n - i], y.v[y.n - i]);

		if (r)
			return r;
	}
	return (x.n > y.n) - (x.n < y.n);
}

static void zones(struct side *s, const struct http_request *q, struct http_response *res)
{
	_cleanup_free_ char *from = side_query(q, "dnsname"), *id = side_query(q, "hostedzoneid");
	struct buf b = BUF_MAX(65536);
	bool truncated = false;
	const char *next = NULL;
	unsigned shown = 0;
	struct strlist sorted = { 0 };

	strlist_copy(&sorted, &s->zones);
	for (size_t i = 0; i < sorted.n; i++)
		for (size_t k = i + 1; k < sorted.n; k++)
			if (later(sorted.v[i], sorted.v[k]) > 0) {
				char *t = sorted.v[i];

				sorted.v[i] = sorted.v[k];
				sorted.v[k] = t;
			}
	buf_add_str(&b, "<?xml version=\"1.0\"?>\n<ListHostedZonesByNameResponse" NS "><HostedZones>");
	for (size_t i = 0; i < sorted.n; i++) {
		const char *z = sorted.v[i];

		if (from && later(z, from) < 0)
			continue;
		if (shown >= 1) { /* one zone a page, private and public under one name */
			truncated = true;
			next = z;
			break;
		}
		if (!id || !strstr(id, "PUB"))
			buf_addf(&b, "<HostedZone><Id>/hostedzone/ZPRIV%zu</Id><Name>%s.</Name><Config><PrivateZone>true</PrivateZone></Config></HostedZone>",
				 i, z);
		buf_addf(&b, "<HostedZone><Id>/hostedzone/Z%c%zu</Id><Name>%s.</Name><Config><PrivateZone>false</PrivateZone></Config></HostedZone>",
			 streq(z, SIDE_ZONE) ? 'X' : 'Y', strlen(z), z);
		shown++;
	}
	buf_addf(&b, "</HostedZones><IsTruncated>%s</IsTruncated>", truncated ? "true" : "false");
	if (next)
		buf_addf(&b, "<NextDNSName>%s.</NextDNSName><NextHostedZoneId>ZPRIV9</NextHostedZoneId>", next);
	buf_add_str(&b, "<MaxItems>1</MaxItems></ListHostedZonesByNameResponse>");
	side_body(res, 200, "text/xml", buf_text(&b));
	buf_done(&b);
	strlist_clear(&sorted);
}

static void sets(struct side *s, const struct http_request *q, struct http_response *res)
{
	_cleanup_free_ char *name = side_query(q, "name"), *type = side_query(q, "type");
	struct buf b = BUF_MAX(65536);

	if (!name || !type || !streq(name, SIDE_NAME) || !streq(type, "TXT"))
		side_wrong(s, "record sets of another name or type were asked for: %s", q->url);
	buf_add_str(&b, "<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse" NS "><ResourceRecordSets>");
	if (s->rdata.n) {
		buf_addf(&b, "<ResourceRecordSet><Name>" SIDE_NAME ".</Name><Type>TXT</Type><TTL>%" PRId64 "</TTL><ResourceRecords>", s->ttl_s);
		for (size_t i = 0; i < s->rdata.n; i++) {
			buf_add_str(&b, "<ResourceRecord><Value>");
			xml_escape(&b, s->rdata.v[i]);
			buf_add_str(&b, "</Value></ResourceRecord>");
		}
		buf_add_str(&b, "</ResourceRecords></ResourceRecordSet>");
	}
	buf_add_str(&b, "<ResourceRecordSet><Name>a.example.com.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord>"
			"<Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
			"</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>2</MaxItems></ListResourceRecordSetsResponse>");
	side_body(res, 200, "text/xml", buf_text(&b));
	buf_done(&b);
}

struct batch {
	struct side *s;
	char *action;
	int64_t ttl;
	struct strlist values, state; /* state: what the set would be */
	int64_t state_ttl;
	bool wrong, mismatch;
};

static int batch_part(void *arg, const char *path, const char *text)
{
	struct batch *b = arg;
	struct err err = { 0 };

	if (str_ends(path, "/Change/Action"))
		replace_str(&b->action, text);
	else if (str_ends(path, "/ResourceRecordSet/Name"))
		b->wrong |= !streq(text, SIDE_NAME);
	else if (str_ends(path, "/ResourceRecordSet/Type"))
		b->wrong |= !streq(text, "TXT");
	else if (str_ends(path, "/ResourceRecordSet/TTL"))
		ASSERT_OK(str_to_i64(text, 0, INT32_MAX, &b->ttl, &err), &err);
	else if (str_ends(path, "/ResourceRecord/Value"))
		strlist_add(&b->values, text);
	else if (str_ends(path, "/Changes/Change") && streq(b->action, "CREATE")) {
		b->mismatch |= b->state.n || !b->values.n;
		strlist_clear(&b->state);
		b->state = TAKE(b->values);
		b->state_ttl = b->ttl;
	} else if (str_ends(path, "/Changes/Change") && streq(b->action, "DELETE")) {
		b->mismatch |= !strlist_equal(&b->state, &b->values) || b->ttl != b->state_ttl;
		strlist_clear(&b->state);
		strlist_clear(&b->values);
	} else if (str_ends(path, "/Changes/Change")) {
		b->wrong = true; /* UPSERT loses what others wrote */
	}
	return 0;
}

static void batch(struct side *s, const struct http_request *q, struct http_response *res)
{
	struct batch b = { .s = s };
	struct err err = { 0 };

	side_write(s);
	strlist_copy(&b.state, &s->rdata);
	b.state_ttl = s->ttl_s;
	ASSERT_OK(xml_walk(q->body.p, q->body.n, batch_part, &b, &err), &err);
	if (b.wrong)
		side_wrong(s, "a batch of another form was sent: %.*s", (int)q->body.n, q->body.p);
	if (b.mismatch) {
		side_body(res, 400, "text/xml", "<?xml version=\"1.0\"?>\n<InvalidChangeBatch" NS "><Messages><Message>Tried to create resource record set "
						"[name='" SIDE_NAME ".', type='TXT'] but it already exists</Message></Messages><RequestId>b25f</RequestId></InvalidChangeBatch>");
	} else {
		strlist_clear(&s->rdata);
		s->rdata = TAKE(b.state);
		s->ttl_s = b.state_ttl;
		side_body(res, 200, "text/xml", "<?xml version=\"1.0\"?>\n<ChangeResourceRecordSetsResponse" NS "><ChangeInfo><Id>/change/C2682N5HXP0BZ4</Id>"
						"<Status>PENDING</Status><SubmittedAt>2026-11-26T17:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>");
	}
	free(b.action);
	strlist_clear(&b.values);
	strlist_clear(&b.state);
}

static bool with_role;

static void assume(struct side *s, const struct http_request *q, struct http_response *res)
{
	_cleanup_free_ char *form = xstrndup(q->body.p, q->body.n);

	if (!strstr(form, "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdns") || !strstr(form, "ExternalId=x%2F1"))
		side_wrong(s, "AssumeRole was asked with %s", form);
	side_body(res, 200, "text/xml", "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>"
					"<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>" ROLE_SECRET "</SecretAccessKey><SessionToken>" ROLE_TOKEN
					"</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>");
}

static void answer(struct side *s, const struct http_request *q, struct http_response *res)
{
	const char *p = side_path(q, BASE), *auth = side_header(q, "Authorization");
	const char *id = with_role && p ? "Credential=ASIAROLE/20" : "Credential=AKIDEXAMPLE/20";

	if (!strstr(auth, id) || !strstr(auth, p ? "/us-east-1/route53/aws4_request" : "/us-east-1/sts/aws4_request") ||
	    !streq(side_header(q, "X-Amz-Security-Token"), with_role && p ? ROLE_TOKEN : ""))
		return failed(res, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.");
	if (!p && with_role && streq(q->url, STS) && q->method == HTTP_POST)
		return assume(s, q, res);
	if (p && str_starts(p, "/hostedzonesbyname?"))
		return zones(s, q, res);
	if (!p || !str_starts(p, "/hostedzone/ZX11/rrset"))
		return side_wrong(s, "%s is not of this API", q->url);
	if (!strlist_has(&s->zones, SIDE_ZONE))
		return failed(res, 404, "NoSuchHostedZone", "No hosted zone found with ID: ZX11");
	if (q->method == HTTP_POST)
		batch(s, q, res);
	else
		sets(s, q, res);
}

static void refuse(struct side *s, enum side_fault f, struct http_response *res)
{
	if (f == FAULT_CREDENTIAL)
		return failed(res, 403, "InvalidClientTokenId", "The security token included in the request is invalid.");
	if (f == FAULT_DENIED)
		return failed(res, 403, "AccessDenied", "User is not authorized to perform: route53:ChangeResourceRecordSets");
	failed(res, 400, s->writes % 2 ? "PriorRequestNotComplete" : "Throttling", "Rate exceeded");
}

static void echo(struct http_response *res, const char *words)
{
	failed(res, 400, "InvalidInput", words);
}

int main(void)
{
	struct secret secret = { (unsigned char[]){ SECRET }, sizeof SECRET - 1 };
	struct side_vendor route53 = {
		.publisher = "route53",
		.values = { { .name = "access_key_id", .text = "AKIDEXAMPLE" }, { .name = "secret_access_key", .secret = &secret } },
		.n = 2,
		.secrets = { SECRET, ROLE_SECRET, ROLE_TOKEN },
		.swaps = true,
		.others = { "\"v=spf1\"  \"<&>\"", "\"other\"" },
		.answer = answer,
		.refuse = refuse,
		.echo = echo,
	};
	int failures = side_run(&route53);

	with_role = true;
	route53.values[route53.n++] = (struct field_value){ .name = "role_arn", .text = "arn:aws:iam::123456789012:role/dns" };
	route53.values[route53.n++] = (struct field_value){ .name = "external_id", .text = "x/1" };
	return failures + side_run(&route53);
}
