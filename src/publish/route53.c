/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route53.c - Amazon Route 53, API 2013-04-01 (docs.aws.amazon.com/Route53/latest/APIReference), REST and XML, signed with SigV4.
 *
 * The unit is the record set, and a change batch is one transaction: DELETE of exactly what was read together with CREATE of what
 * it shall be fails as a whole when somebody changed it meanwhile, so nothing of theirs is lost (UPSERT would lose it). Whoever was
 * overtaken reads again. Its name servers are anycast: what
 * one of them says here says nothing about those that the authority asks, so the change is asked for until it is INSYNC.
 */
#include "publish/rest.h"
#include "publish/txt.h"

#include "base/limits.h"
#include "base/random.h"
#include "remote/sigv4.h"
#include "remote/sts.h"
#include "remote/xml.h"

#define API_URL "https://route53.amazonaws.com"
#define STS_URL "https://sts.amazonaws.com"
#define API "/2013-04-01"
#define TRIES 4
#define RENEW_MS (5 * MINUTE_MS) /* temporary credentials are made anew so long before their end */

extern const struct publisher publisher_route53;

struct route53 {
	char *url, *sts_url, *region;
	char *key_id;
	struct secret secret, token;
	char *role, *external_id, *zone_id;
	struct aws_temporary assumed;
};

static void close_(void *self)
{
	struct route53 *a = self;

	if (!a)
		return;
	free(a->url);
	free(a->sts_url);
	free(a->region);
	free(a->key_id);
	secret_clear(&a->secret);
	secret_clear(&a->token);
	free(a->role);
	free(a->external_id);
	free(a->zone_id);
	aws_temporary_done(&a->assumed);
	free(a);
}

static char *text_of(const struct field_value *values, size_t n, const char *name)
{
	const char *s = field_text(values, n, name);

	return str_empty(s) ? NULL : xstrdup(s);
}

static bool plain_id(const char *s)
{
	return *s && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")];
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const struct secret *secret = field_secret(values, n, "secret_access_key"), *token = field_secret(values, n, "session_token");
	struct route53 *a = xcalloc(1, sizeof *a);

	(void)env;
	a->url = rest_url(values, n, "url", API_URL);
	a->sts_url = rest_url(values, n, "sts_url", STS_URL);
	a->region = text_of(values, n, "region");
	if (!a->region)
		a->region = xstrdup("us-east-1");
	a->key_id = text_of(values, n, "access_key_id");
	a->role = text_of(values, n, "role_arn");
	a->external_id = text_of(values, n, "external_id");
	a->zone_id = text_of(values, n, "hosted_zone_id");
	if (secret)
		a->secret = secret_copy(secret->p, secret->n);
	if (token)
		a->token = secret_copy(token->p, token->n);
	if (!a->key_id || !a->secret.n)
		err_set_field(err, ERR_INVALID, a->key_id ? "/fields/secret_access_key" : "/fields/access_key_id", "the access key is missing");
	else if (a->zone_id && !plain_id(a->zone_id))
		err_set_field(err, ERR_INVALID, "/fields/hosted_zone_id", "a hosted zone id is letters and digits, like Z2FDTNDATAQYW2");
	if (err_is(err)) {
		close_(a);
		return -(int)err->code;
	}
	*ret_self = a;
	return 0;
}

static struct rest begin(const struct route53 *a, const struct publish_env *env)
{
	struct rest r = rest_begin(env, &publisher_route53);

	r.secrets[0] = &a->secret;
	r.secrets[1] = &a->token;
	r.secrets[2] = &a->assumed.secret;
	r.secrets[3] = &a->assumed.token;
	r.limit_ms = 5 * SECOND_MS + (int64_t)random_below(5 * SECOND_MS); /* five requests a second for the whole account */
	return r;
}

/* ---- calls ---- */

struct ask {
	enum http_method method;
	const char *base, *service; /* URL without path, and what the signature is for */
	const char *target;         /* path and query */
	const char *type;           /* of the body */
	const char *body;           /* or NULL */
};

static int signed_call(const struct rest *r, const struct sigv4_key *key, const struct ask *q, struct http_response *ret, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s%s", q->base, q->target), *host = NULL;
	_cleanup_url_ struct url u = { 0 };
	_cleanup_sigv4_ struct sigv4_signed s = { 0 };
	struct str body = q->body ? STR(q->body) : (struct str){ 0 };
	struct http_header sign[3], send[5] = { 0 };
	size_t n = 0;

	if (url_parse(url, true, &u, err) < 0)
		return err_wrap(err, "the address of %s cannot be used", r->vendor);
	host = remote_host(&u);
	sign[0] = (struct http_header){ "Host", host };
	sign[1] = (struct http_header){ q->body ? "Content-Type" : NULL, q->type };
	sign[2] = (struct http_header){ 0 };
	sigv4_sign(key, &(struct sigv4_request){ .method = http_method_text(q->method), .target = u.path, .headers = sign, .body = body,
						 .now_ms = clock_now(r->env->clock) }, &s);
	send[n++] = (struct http_header){ "X-Amz-Date", s.date };
	send[n++] = (struct http_header){ "Authorization", s.authorization };
	if (key->token && key->token->n)
		send[n++] = (struct http_header){ "X-Amz-Security-Token", (const char *)key->token->p };
	return rest_send(r, &(struct http_request){ .method = q->method, .url = url, .headers = send, .body = body,
						   .content_type = q->body ? q->type : NULL }, ret, err);
}

/* Turns a refusal into the error that publisher.h means. *a may lose credentials that are over. */
static int refused(struct route53 *a, const struct rest *r, const struct http_response *res, struct err *err)
{
	_cleanup_aws_error_ struct aws_error e = { 0 };
	enum aws_verdict v;

	aws_error_read(&res->body, &e);
	v = aws_error_judge(&e);
	if (v == AWS_EXPIRED && a->assumed.id) {
		rest_refused_as(r, res, ERR_REMOTE_BUSY, e.code, e.message, err);
		aws_temporary_done(&a->assumed); /* the next visit assumes the role again */
		return -(int)err->code;
	}
	switch (v) {
	case AWS_CREDENTIAL:
	case AWS_EXPIRED:
		return rest_refused_as(r, res, ERR_UNAUTHENTICATED, e.code, e.message, err);
	case AWS_DENIED:
		return rest_refused_as(r, res, ERR_DENIED, e.code, e.message, err);
	case AWS_THROTTLED:
		return rest_refused_as(r, res, ERR_REMOTE_LIMIT, e.code, e.message, err);
	case AWS_BUSY:
		return rest_refused_as(r, res, ERR_REMOTE_BUSY, e.code, e.message, err);
	case AWS_CLOCK:
		rest_refused_as(r, res, ERR_REMOTE_BUSY, e.code, e.message, err);
		return err_hint(err, "Set the clock of this server: signatures are good for five minutes only.");
	case AWS_OTHER:
		break;
	}
	return rest_refused(r, res, e.code, e.message, err);
}

static int assume(struct route53 *a, struct rest *r, struct err *err)
{
	_cleanup_free_ char *form = sts_assume_role(a->role, "certwright", a->external_id);
	struct sigv4_key key = { a->key_id, &a->secret, &a->token, a->region, "sts" };
	_cleanup_http_ struct http_response res = { 0 };

	aws_temporary_done(&a->assumed);
	if (signed_call(r, &key, &(struct ask){ HTTP_POST, a->sts_url, "sts", "/", "application/x-www-form-urlencoded; charset=utf-8", form }, &res,
			err) < 0 ||
	    (res.status != 200 && refused(a, r, &res, err) < 0) || sts_assumed(&res.body, &a->assumed, err) < 0)
		return err_wrap(err, "could not assume the role '%s'", a->role);
	return 0;
}

/* An answer of any status is success. */
static int call(struct route53 *a, struct rest *r, enum http_method method, const char *target, const char *body, struct http_response *ret,
		struct err *err)
{
	struct sigv4_key key = { a->key_id, &a->secret, &a->token, a->region, "route53" };

	if (a->role) {
		if (a->assumed.expires_ms - RENEW_MS < clock_now(r->env->clock) && assume(a, r, err) < 0)
			return -(int)err->code;
		key.id = a->assumed.id;
		key.secret = &a->assumed.secret;
		key.token = &a->assumed.token;
	}
	return signed_call(r, &key, &(struct ask){ method, a->url, "route53", target, "application/xml", body }, ret, err);
}

/* GET that must succeed; the answer is walked. */
static int ask(struct route53 *a, struct rest *r, const char *target, xml_fn *fn, void *arg, struct err *err)
{
	_cleanup_http_ struct http_response res = { 0 };

	if (call(a, r, HTTP_GET, target, NULL, &res, err) < 0)
		return -(int)err->code;
	if (res.status != 200) {
		_cleanup_aws_error_ struct aws_error e = { 0 };

		aws_error_read(&res.body, &e);
		if (e.code && streq(e.code, "NoSuchHostedZone"))
			return rest_refused_as(r, &res, ERR_NOT_FOUND, e.code, e.message, err);
		return refused(a, r, &res, err);
	}
	return xml_walk(buf_text(&res.body), res.body.n, fn, arg, err);
}

/* ---- zones ---- */

struct zone_page {
	const char *wanted;      /* NULL = all names */
	struct strlist names, ids;
	char *name, *id;
	bool private_zone, truncated, past; /* past: a name behind the wanted one was met */
	char *next_name, *next_id;
	bool whole;              /* it was such an answer */
};

static void zone_page_done(struct zone_page *p)
{
	strlist_clear(&p->names);
	strlist_clear(&p->ids);
	free(p->name);
	free(p->id);
	free(p->next_name);
	free(p->next_id);
}

static void zone_end(struct zone_page *p)
{
	const char *id = p->id ? p->id : "";

	id = strrchr(id, '/') ? strrchr(id, '/') + 1 : id;
	if (p->name && plain_id(id) && !p->private_zone && (!p->wanted || name_same(p->name, p->wanted))) {
		_cleanup_free_ char *plain = name_plain(p->name);

		strlist_add(&p->names, plain);
		strlist_add(&p->ids, id);
	}
	p->past |= p->wanted && p->name && !name_same(p->name, p->wanted);
	p->private_zone = false;
	replace_str(&p->name, NULL);
	replace_str(&p->id, NULL);
}

static int zone_part(void *arg, const char *path, const char *text)
{
	struct zone_page *p = arg;

	if (str_ends(path, "/HostedZone/Name"))
		replace_str(&p->name, text);
	else if (str_ends(path, "/HostedZone/Id"))
		replace_str(&p->id, text);
	else if (str_ends(path, "/HostedZone/Config/PrivateZone"))
		p->private_zone = streq(text, "true");
	else if (str_ends(path, "Response/HostedZones/HostedZone") || streq(path, "/GetHostedZoneResponse/HostedZone"))
		zone_end(p);
	else if (streq(path, "/ListHostedZonesByNameResponse/IsTruncated"))
		p->truncated = streq(text, "true");
	else if (streq(path, "/ListHostedZonesByNameResponse/NextDNSName"))
		replace_str(&p->next_name, text);
	else if (streq(path, "/ListHostedZonesByNameResponse/NextHostedZoneId"))
		replace_str(&p->next_id, text);
	else if (streq(path, "/ListHostedZonesByNameResponse") || streq(path, "/GetHostedZoneResponse"))
		p->whole = true;
	return 0;
}

/* Public zones: those of the name, or all. The list begins at or after the name, so it goes on only while it stays there. */
static int list_zones(struct route53 *a, struct rest *r, const char *wanted, struct strlist *names, struct strlist *ids, struct err *err)
{
	_cleanup_(zone_page_done) struct zone_page p = { .wanted = wanted, .next_name = wanted ? xstrdup(wanted) : NULL };

	for (int page = 0; page < LIMIT_PROVIDER_PAGES; page++) {
		struct buf q = BUF_MAX(4096);
		_cleanup_free_ char *target = NULL;
		int n;

		buf_addf(&q, API "/hostedzonesbyname?");
		if (p.next_name) {
			buf_add_str(&q, "dnsname=");
			url_escape(&q, p.next_name, strlen(p.next_name));
			buf_add_char(&q, '&');
		}
		if (p.next_id) {
			buf_add_str(&q, "hostedzoneid=");
			url_escape(&q, p.next_id, strlen(p.next_id));
			buf_add_char(&q, '&');
		}
		buf_addf(&q, "maxitems=%d", wanted ? 10 : 100);
		target = buf_take(&q);
		replace_str(&p.next_name, NULL);
		replace_str(&p.next_id, NULL);
		p.truncated = p.whole = false;
		n = ask(a, r, target, zone_part, &p, err);
		if (n < 0)
			return n;
		if (!p.whole)
			return err_set(err, ERR_REMOTE_BAD, "%s did not answer with a list of zones", r->vendor);
		if (!p.truncated || !p.next_name || p.past || (wanted && !name_same(p.next_name, wanted)) || p.names.n >= PUBLISH_ZONES_MAX)
			break;
	}
	*names = TAKE(p.names);
	*ids = TAKE(p.ids);
	return 0;
}

/* 1 found, 0 there is no such zone. */
static int look_up(struct route53 *a, struct rest *r, const char *name, char **ret_id, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 }, ids = { 0 };

	if (list_zones(a, r, name, &names, &ids, err) < 0)
		return -(int)err->code;
	if (ids.n > 1) {
		err_set(err, ERR_DENIED, "%s has %zu public zones of the name '%s': %s and %s", r->vendor, ids.n, name, ids.v[0], ids.v[1]);
		return err_hint(err, "Name the hosted zone that the Internet is sent to in the field \"Hosted zone id\".");
	}
	if (!ids.n)
		return 0;
	*ret_id = xstrdup(ids.v[0]);
	return 1;
}

/* The one zone of the configuration: does it hold the name? */
static int configured(struct route53 *a, struct rest *r, const char *name, char **ret_zone, struct err *err)
{
	_cleanup_free_ char *target = xasprintf(API "/hostedzone/%s", a->zone_id), *plain = name_plain(name);
	_cleanup_(zone_page_done) struct zone_page p = { 0 };

	if (ask(a, r, target, zone_part, &p, err) < 0)
		return -(int)err->code;
	if (!p.whole || p.names.n != 1)
		return err_set(err, ERR_REMOTE_BAD, "%s did not answer with the public hosted zone %s", r->vendor, a->zone_id);
	for (const char *at = plain; at; at = name_up(at))
		if (streq(at, p.names.v[0])) {
			*ret_zone = xstrdup(at);
			return 0;
		}
	return rest_no_zone(r, name, err);
}

static int find(struct route53 *a, struct rest *r, const char *zone, const char *name, char **ret_id, char **ret_zone, struct err *err)
{
	_cleanup_free_ char *plain = name_plain(str_empty(zone) ? name : zone);

	if (a->zone_id) {
		*ret_id = xstrdup(a->zone_id);
		return configured(a, r, name, ret_zone, err);
	}
	for (const char *at = plain; at; at = str_empty(zone) ? name_up(at) : NULL) {
		int n = look_up(a, r, at, ret_id, err);

		if (n < 0)
			return n;
		if (n) {
			*ret_zone = xstrdup(at);
			return 0;
		}
	}
	return rest_no_zone(r, str_empty(zone) ? name : zone, err);
}

/* ---- the record set ---- */

struct txt_set {
	const char *name;        /* the one that is meant; borrowed */
	bool there, whole, special, broken;
	int64_t ttl_s;
	struct strlist rdata;
	/* of the set that is being read */
	char *owner, *type;
	int64_t its_ttl;
	bool its_special, its_too_many;
	struct strlist its_rdata;
};

static void txt_set_done(struct txt_set *s)
{
	strlist_clear(&s->rdata);
	strlist_clear(&s->its_rdata);
	free(s->owner);
	free(s->type);
}
#define _cleanup_txt_set_ __attribute__((cleanup(txt_set_done)))

static void set_end(struct txt_set *s)
{
	if (s->owner && s->type && streq(s->type, "TXT") && name_same(s->owner, s->name)) {
		s->special |= s->its_special || s->there;
		s->broken |= !s->its_rdata.n || s->its_ttl < 0 || s->its_too_many;
		s->there = true;
		s->ttl_s = s->its_ttl;
		strlist_clear(&s->rdata);
		s->rdata = TAKE(s->its_rdata);
	}
	replace_str(&s->owner, NULL);
	replace_str(&s->type, NULL);
	strlist_clear(&s->its_rdata);
	s->its_special = s->its_too_many = false;
	s->its_ttl = -1;
}

static int set_part(void *arg, const char *path, const char *text)
{
	struct txt_set *s = arg;
	_cleanup_err_ struct err ignored = { 0 };

	if (str_ends(path, "/ResourceRecordSet/Name"))
		replace_str(&s->owner, text);
	else if (str_ends(path, "/ResourceRecordSet/Type"))
		replace_str(&s->type, text);
	else if (str_ends(path, "/ResourceRecordSet/TTL"))
		s->its_ttl = str_to_i64(text, 0, INT32_MAX, &s->its_ttl, &ignored) < 0 ? -1 : s->its_ttl;
	else if (str_ends(path, "/ResourceRecordSet/SetIdentifier"))
		s->its_special = true;
	else if (str_ends(path, "/ResourceRecord/Value") && s->its_rdata.n < LIMIT_PROVIDER_VALUES)
		strlist_add(&s->its_rdata, text);
	else if (str_ends(path, "/ResourceRecord/Value"))
		s->its_too_many = true; /* what is not kept cannot be written back */
	else if (str_ends(path, "/ResourceRecordSets/ResourceRecordSet"))
		set_end(s);
	else if (streq(path, "/ListResourceRecordSetsResponse"))
		s->whole = true;
	return 0;
}

static int read_set(struct route53 *a, struct rest *r, const char *zone_id, struct txt_set *s, struct err *err)
{
	struct buf q = BUF_MAX(2048);
	_cleanup_free_ char *target = NULL;

	buf_addf(&q, API "/hostedzone/%s/rrset?maxitems=2&name=", zone_id);
	url_escape(&q, s->name, strlen(s->name));
	buf_add_str(&q, "&type=TXT");
	target = buf_take(&q);
	if (ask(a, r, target, set_part, s, err) < 0)
		return -(int)err->code;
	if (!s->whole || s->broken)
		return err_set(err, ERR_REMOTE_BAD, "%s did not answer with record sets that can be read", r->vendor);
	if (s->special) {
		err_set(err, ERR_DENIED, "'%s' has TXT record sets with a routing policy at %s, which are not changed", s->name, r->vendor);
		return err_hint(err, "Replace them by one simple record set.");
	}
	return 0;
}

static void change_add(struct buf *b, const char *action, const struct txt_set *s, const struct strlist *rdata)
{
	buf_addf(b, "<Change><Action>%s</Action><ResourceRecordSet><Name>", action);
	xml_escape(b, s->name);
	buf_addf(b, "</Name><Type>TXT</Type><TTL>%" PRId64 "</TTL><ResourceRecords>", s->ttl_s);
	for (size_t i = 0; i < rdata->n; i++) {
		buf_add_str(b, "<ResourceRecord><Value>");
		xml_escape(b, rdata->v[i]);
		buf_add_str(b, "</Value></ResourceRecord>");
	}
	buf_add_str(b, "</ResourceRecords></ResourceRecordSet></Change>");
}

static int note_change(void *arg, const char *path, const char *text)
{
	if (streq(path, "/ChangeResourceRecordSetsResponse/ChangeInfo/Id") && *text)
		replace_str(arg, text);
	return 0;
}

static int note_status(void *arg, const char *path, const char *text)
{
	if (streq(path, "/GetChangeResponse/ChangeInfo/Status"))
		replace_str(arg, text);
	return 0;
}

/* 1 written, 0 overtaken: read again. */
static int swap(struct route53 *a, struct rest *r, const char *zone_id, const struct txt_set *old, const struct strlist *want, struct err *err)
{
	_cleanup_buf_ struct buf b = BUF_MAX(LIMIT_PROVIDER_ANSWER);
	_cleanup_free_ char *target = xasprintf(API "/hostedzone/%s/rrset/", zone_id);
	_cleanup_http_ struct http_response res = { 0 };
	_cleanup_aws_error_ struct aws_error e = { 0 };
	_cleanup_free_ char *id = NULL;

	buf_add_str(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ChangeResourceRecordSetsRequest "
			"xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>");
	if (old->there)
		change_add(&b, "DELETE", old, &old->rdata);
	if (want->n)
		change_add(&b, "CREATE", old, want);
	buf_add_str(&b, "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
	if (buf_check(&b, err) < 0 || call(a, r, HTTP_POST, target, buf_text(&b), &res, err) < 0)
		return -(int)err->code;
	if (res.status == 200) {
		if (xml_walk(buf_text(&res.body), res.body.n, note_change, &id, err) < 0)
			return -(int)err->code;
		if (!id)
			return err_set(err, ERR_REMOTE_BAD, "%s did not say that it took the change", r->vendor);
		if (r->env->receipt)
			replace_str(r->env->receipt, str_starts(id, "/change/") ? id + strlen("/change/") : id);
		return 1;
	}
	aws_error_read(&res.body, &e);
	if (e.code && streq(e.code, "InvalidChangeBatch"))
		return 0;
	if (e.code && streq(e.code, "NoSuchHostedZone"))
		return rest_refused_as(r, &res, ERR_NOT_FOUND, e.code, e.message, err);
	return refused(a, r, &res, err);
}

static int change(struct route53 *a, struct rest *r, const char *zone_id, const struct challenge_set *set, bool add, struct err *err)
{
	_cleanup_free_ char *name = name_plain(set->name);

	for (int i = 0; i < TRIES; i++) {
		_cleanup_txt_set_ struct txt_set s = { .name = name, .ttl_s = set->ttl_s, .its_ttl = -1 };
		_cleanup_strlist_ struct strlist want = { 0 };
		int n;

		if (read_set(a, r, zone_id, &s, err) < 0)
			return -(int)err->code;
		strlist_copy(&want, &s.rdata);
		if (!(add ? txt_merge(&want, set) : txt_remove(&want, set)))
			return 0;
		n = swap(a, r, zone_id, &s, &want, err);
		if (n)
			return n < 0 ? n : 0;
	}
	return err_set(err, ERR_REMOTE_BUSY, "the record set at %s changes under our hands, or the change is not accepted", r->vendor);
}

/* ---- the contract ---- */

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	struct route53 *a = self;
	struct rest r = begin(a, env);
	_cleanup_free_ char *id = NULL, *zone = NULL;

	if (find(a, &r, set->zone, set->name, &id, &zone, err) < 0 || change(a, &r, id, set, true, err) < 0)
		return err_wrap(err, "could not add TXT values at '%s' at %s", set->name, r.vendor);
	return 0;
}

static int settled(void *self, const struct publish_env *env, const char *receipt, struct err *err)
{
	struct route53 *a = self;
	struct rest r = begin(a, env);
	_cleanup_free_ char *status = NULL, *target = NULL;
	struct buf id = BUF_MAX(256);

	url_escape(&id, receipt, strlen(receipt));
	target = xasprintf(API "/change/%s", buf_text(&id));
	buf_done(&id);
	if (ask(a, &r, target, note_status, &status, err) < 0)
		return err_wrap(err, "could not ask %s about the change", r.vendor);
	if (!status || (!streq(status, "INSYNC") && !streq(status, "PENDING")))
		return err_set(err, ERR_REMOTE_BAD, "%s did not say how far the change is", r.vendor);
	return streq(status, "INSYNC");
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	struct route53 *a = self;
	struct rest r = begin(a, env);
	_cleanup_free_ char *id = NULL, *zone = NULL;

	if ((find(a, &r, set->zone, set->name, &id, &zone, err) < 0 || change(a, &r, id, set, false, err) < 0) && err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not remove TXT values at '%s' at %s", set->name, r.vendor);
	err_clear(err); /* a zone that is gone has taken them along */
	return 0;
}

static int find_zone(void *self, const struct publish_env *env, const char *name, char **ret_zone, struct err *err)
{
	struct route53 *a = self;
	struct rest r = begin(a, env);
	_cleanup_free_ char *id = NULL;

	return find(a, &r, "", name, &id, ret_zone, err);
}

static int zones(void *self, const struct publish_env *env, struct strlist *ret, struct err *err)
{
	struct route53 *a = self;
	struct rest r = begin(a, env);
	_cleanup_strlist_ struct strlist names = { 0 }, ids = { 0 };

	if (list_zones(a, &r, NULL, &names, &ids, err) < 0)
		return err_wrap(err, "could not list the zones at %s", r.vendor);
	for (size_t i = 0; i < names.n && ret->n < PUBLISH_ZONES_MAX; i++)
		if (!strlist_has(ret, names.v[i]) && (!a->zone_id || streq(a->zone_id, ids.v[i])))
			strlist_add(ret, names.v[i]);
	return 0;
}

static const struct field fields[] = {
	{ .name = "access_key_id", .flags = FIELD_REQUIRED, .title = "Access key id", .max = 128, .help = "AKIA…, or ASIA… of temporary credentials" },
	{ .name = "secret_access_key", .flags = FIELD_SECRET | FIELD_REQUIRED, .title = "Secret access key", .help = "Shown once, when the key is made" },
	{ .name = "session_token", .flags = FIELD_SECRET, .max = 16 * 1024, .title = "Session token", .help = "Only with temporary credentials" },
	{ .name = "role_arn", .title = "Role to assume", .max = 2048, .help = "arn:aws:iam::123456789012:role/NAME; left empty the key itself is used" },
	{ .name = "external_id", .title = "External id", .max = 1024, .help = "Only when the role asks for one" },
	{ .name = "hosted_zone_id", .title = "Hosted zone id", .max = 32,
	  .help = "Only one zone, and no right to list zones needed; needed when two public zones have the same name" },
	{ .name = "region", .standard = "us-east-1", .max = 64, .help = "Of the signature: us-east-1, but for China and GovCloud" },
	{ .name = "url", .flags = FIELD_URL | FIELD_ENDPOINT, .title = "Address of the API", .standard = API_URL,
	  .help = "Another one for China, GovCloud and private endpoints" },
	{ .name = "sts_url", .flags = FIELD_URL | FIELD_ENDPOINT, .title = "Address of STS", .standard = STS_URL,
	  .help = "Used only with a role to assume" },
	{ 0 },
};

static const char rights_policy[] =
	"{\"Version\": \"2012-10-17\", \"Statement\": [\n"
	"  {\"Effect\": \"Allow\", \"Action\": \"route53:ListHostedZonesByName\", \"Resource\": \"*\"},\n"
	"  {\"Effect\": \"Allow\", \"Action\": \"route53:ListResourceRecordSets\", \"Resource\": \"arn:aws:route53:::hostedzone/Z2FDTNDATAQYW2\"},\n"
	"  {\"Effect\": \"Allow\", \"Action\": \"route53:ChangeResourceRecordSets\", \"Resource\": \"arn:aws:route53:::hostedzone/Z2FDTNDATAQYW2\",\n"
	"   \"Condition\": {\"ForAllValues:StringEquals\": {\"route53:ChangeResourceRecordSetsRecordTypes\": [\"TXT\"]},\n"
	"                 \"ForAllValues:StringLike\": {\"route53:ChangeResourceRecordSetsNormalizedRecordNames\": [\"_acme-challenge.*\"]}}},\n"
	"  {\"Effect\": \"Allow\", \"Action\": \"route53:GetChange\", \"Resource\": \"arn:aws:route53:::change/*\"}]}\n";

const struct publisher publisher_route53 = {
	.name = "route53",
	.title = "Route53",
	.help = "Record sets of Amazon Route 53, with an access key or an assumed role.",
	.rights = "Finding the hosted zone by its name, reading its record sets, changing TXT records at challenge names in it, and asking whether all its "
		  "servers have a change; without the last only that is not known. With a hosted zone id the first becomes route53:GetHostedZone on that "
		  "zone. For a role to assume, sts:AssumeRole on it.",
	.grants = (const struct grant[]){ { "a policy of IAM, with the id of your hosted zone", "json", rights_policy }, { 0 } },
	.site = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 60,
	.propagation_s = 30,
	.timeout_s = 45,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.settled = settled,
	.zones = zones,
	.find_zone = find_zone,
};
