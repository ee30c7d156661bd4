/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - RFC 8555 7.4: newOrder (with profiles and RFC 9773's replaces), reading an order, finalize. */
#include "acme/private.h"

#include "base/base64.h"
#include "base/limits.h"

struct wire_order {
	const char *status, *expires, *not_before, *not_after, *finalize, *certificate, *profile, *replaces;
	json_t *identifiers, *error;
	struct strlist authorizations;
};

static const struct json_field order_fields[] = {
	JF_STR(struct wire_order, status, .required = true, .max = 64),
	JF_STR(struct wire_order, expires, .max = 64),
	JF_AS("notBefore", STR, struct wire_order, not_before, .max = 64),
	JF_AS("notAfter", STR, struct wire_order, not_after, .max = 64),
	JF_STR(struct wire_order, finalize, .max = LIMIT_CA_URL),
	JF_STR(struct wire_order, certificate, .max = LIMIT_CA_URL),
	JF_STR(struct wire_order, profile, .max = 256),
	JF_STR(struct wire_order, replaces, .max = 256),
	JF_JSON(struct wire_order, identifiers, .required = true),
	JF_JSON(struct wire_order, error),
	JF_LIST(struct wire_order, authorizations, .max = LIMIT_CA_IDENTIFIERS, .item_max = LIMIT_CA_URL),
	{ 0 }
};

/* Names as the CA would spell them: lower case, addresses in canonical form, sorted. */
static void canonical_names(const struct strlist *names, struct strlist *ret)
{
	for (size_t i = 0; i < names->n; i++) {
		_cleanup_err_ struct err ignored = ERR_INIT;
		_cleanup_free_ char *name = xstrdup(names->v[i]);
		union addr a;
		char text[ADDR_TEXT];

		str_lower(name);
		strlist_add(ret, addr_parse_ip(name, &a, &ignored) == 0 ? addr_format_ip(&a, text) : name);
	}
	strlist_sort_unique(ret);
}

static int decode_names(const json_t *list, struct strlist *ret, struct err *err)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || !n || n > LIMIT_CA_IDENTIFIERS)
		return err_set(err, ERR_INVALID, "the order has %zu identifiers, not 1 to %d", n, LIMIT_CA_IDENTIFIERS);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *name = NULL;

		if (acme_identifier_decode(json_array_get(list, i), &name, err) < 0)
			return -(int)err->code;
		strlist_add(ret, name);
	}
	strlist_sort_unique(ret);
	return 0;
}

static int check_names(const struct strlist *wanted, const struct strlist *got, struct err *err)
{
	_cleanup_strlist_ struct strlist w = { 0 };

	if (!wanted)
		return 0;
	canonical_names(wanted, &w);
	if (strlist_equal(&w, got))
		return 0;
	_cleanup_free_ char *text = strlist_join(got, ", ");

	return err_set(err, ERR_INVALID, "the order is for other names than were asked for: %.200s", text);
}

static int pin_authorizations(const struct acme_session *s, const struct acme_call *c, const struct strlist *refs, struct strlist *ret,
			      struct err *err)
{
	for (size_t i = 0; i < refs->n; i++) {
		_cleanup_free_ char *url = NULL;

		if (acme_pin(s, c->url, refs->v[i], &url, err) < 0)
			return err_wrap(err, "could not %s: authorizations", c->what);
		if (!strlist_has(ret, url))
			strlist_add(ret, url);
	}
	return 0;
}

/* What an order in this state cannot do without. */
static const char *missing(const struct acme_order *o)
{
	if (o->status == ACME_ORDER_PENDING && !o->authz_urls.n)
		return "the order is pending but has no authorizations";
	if ((o->status == ACME_ORDER_PENDING || o->status == ACME_ORDER_READY) && !o->finalize_url)
		return "the order has no finalize address";
	if (o->status == ACME_ORDER_VALID && !o->certificate_url)
		return "the order is valid but has no certificate";
	return NULL;
}

static int fill(const struct acme_session *s, const struct acme_call *c, const struct wire_order *w, const struct strlist *names,
		struct acme_order *o, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	const char *lacks;
	int status;

	if (acme_status_decode(acme_order_statuses, ACME_ORDER_STATUSES, w->status, "order", &status, &why) < 0 ||
	    decode_names(w->identifiers, &o->names, &why) < 0 || check_names(names, &o->names, &why) < 0)
		return acme_answer_bad(c, &why, err);
	o->status = (enum acme_order_status)status;
	if (pin_authorizations(s, c, &w->authorizations, &o->authz_urls, err) < 0)
		return -(int)err->code;
	if (!str_empty(w->finalize) && acme_pin(s, c->url, w->finalize, &o->finalize_url, err) < 0)
		return err_wrap(err, "could not %s: finalize", c->what);
	if (o->status == ACME_ORDER_VALID && !str_empty(w->certificate) &&
	    acme_pin(s, c->url, w->certificate, &o->certificate_url, err) < 0)
		return err_wrap(err, "could not %s: certificate", c->what);
	o->expires_ms = acme_time(w->expires);
	o->not_before_ms = acme_time(w->not_before);
	o->not_after_ms = acme_time(w->not_after);
	o->profile = str_empty(w->profile) ? NULL : str_clean(w->profile, strlen(w->profile), 256);
	o->replaces = str_empty(w->replaces) ? NULL : str_clean(w->replaces, strlen(w->replaces), 256);
	if (json_is_object(w->error))
		acme_problem_decode(w->error, c->url, &o->error);
	lacks = missing(o);
	return lacks ? acme_answer_unusable(c, err, "%s", lacks) : 0;
}

/* The order of an answer; url (known or from Location) is left to the caller. */
static int decode(struct acme_session *s, const struct acme_call *c, const struct http_response *r, const struct strlist *names,
		  struct acme_order *o, struct err *err)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	struct wire_order w = { 0 };
	int x;

	if (acme_answer_json(s, c, r, &doc, err) < 0)
		return -(int)err->code;
	if (json_decode(doc, order_fields, DECODE_LENIENT, &w, &why) < 0)
		x = acme_answer_bad(c, &why, err);
	else
		x = fill(s, c, &w, names, o, err);
	json_decode_free(order_fields, &w);
	o->retry_after_ms = http_retry_after(r, clock_now(s->clock), SECOND_MS, DAY_MS);
	return x;
}

/* ---- newOrder ---- */

static json_t *order_payload(const struct acme_order_request *q)
{
	json_t *payload = json_object(), *ids = json_array();

	json_object_set_new(payload, "identifiers", ids);
	for (size_t i = 0; i < q->names->n; i++) {
		_cleanup_err_ struct err ignored = ERR_INIT;
		union addr a;
		bool ip = addr_parse_ip(q->names->v[i], &a, &ignored) == 0;

		json_array_append_new(ids, json_pack("{s:s, s:s}", "type", ip ? "ip" : "dns", "value", q->names->v[i]));
	}
	if (q->profile)
		json_object_set_new(payload, "profile", json_string(q->profile));
	if (q->replaces)
		json_object_set_new(payload, "replaces", json_string(q->replaces));
	if (q->not_after_ms) {
		char text[CLOCK_TEXT];

		/* Whole seconds: not every server reads fractions. */
		clock_format(q->not_after_ms - q->not_after_ms % SECOND_MS, text);
		memcpy(text + 19, "Z", 2);
		json_object_set_new(payload, "notAfter", json_string(text));
	}
	return payload;
}

static int post_order(struct acme_session *s, const char *url, const struct acme_order_request *q, struct acme_order *ret, struct err *err)
{
	_cleanup_json_ json_t *payload = order_payload(q);
	_cleanup_free_ char *text = json_text(payload);
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_acme_order_ struct acme_order o = { 0 };
	struct acme_call c = { .kind = ACME_KIND_ORDER_NEW, .what = "create the order", .url = url, .payload = text };

	if (acme_post(s, &c, &r, err) < 0 || acme_location(s, &c, &r, &o.url, err) < 0 || decode(s, &c, &r, q->names, &o, err) < 0)
		return -(int)err->code;
	*ret = TAKE(o);
	return 0;
}

/* The CA itself refused, and not because of who asks or how often. */
static bool worth_less(const struct acme_refusal *f)
{
	return f->status >= 400 && f->status < 500 && f->status != 408 && f->status != 429 && !acme_problem_is(&f->problem, "badNonce") &&
	       !acme_problem_is(&f->problem, "rateLimited") && !acme_problem_is(&f->problem, "userActionRequired");
}

/*
 * What may be left out of the request for this refusal, one thing at a time. Whatever a CA has against `replaces` (there are five ways
 * to say it), it must not cost the renewal; nor may the wish for an end that many CAs do not take.
 */
static bool ask_for_less(const struct acme_refusal *f, struct acme_order_request *q, struct acme_order *dropped)
{
	if (q->profile && q->profile_optional && acme_problem_is(&f->problem, "invalidProfile")) {
		q->profile = NULL;
		dropped->dropped_profile = true;
	} else if (q->replaces && worth_less(f)) {
		q->replaces = NULL;
		dropped->dropped_replaces = true;
	} else if (q->not_after_ms && worth_less(f)) {
		q->not_after_ms = 0;
		dropped->dropped_not_after = true;
	} else {
		return false;
	}
	return true;
}

int acme_order_new(struct acme_session *s, const struct acme_order_request *request, struct acme_order *ret, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	struct acme_order_request q = *request;
	struct acme_order dropped = { 0 };

	acme_begin(s);
	if (!q.names->n || q.names->n > LIMIT_CA_IDENTIFIERS)
		return err_set(err, ERR_INVALID, "an order has 1 to %d names, not %zu", LIMIT_CA_IDENTIFIERS, q.names->n);
	if (acme_directory_load(s, &d, err) < 0)
		return -(int)err->code;
	if (!d.renewal_info || str_empty(q.replaces))
		q.replaces = NULL;
	if (str_empty(q.profile))
		q.profile = NULL;
	while (post_order(s, d.new_order, &q, ret, err) < 0) {
		if (!ask_for_less(&s->refusal, &q, &dropped)) {
			if (s->refusal.status == 404)
				acme_ca_forget_directory(s->ca);
			return -(int)err->code;
		}
		err_clear(err);
	}
	ret->dropped_replaces = dropped.dropped_replaces;
	ret->dropped_profile = dropped.dropped_profile;
	ret->dropped_not_after = dropped.dropped_not_after;
	return 0;
}

/* ---- reading and finalizing ---- */

static int get_order(struct acme_session *s, const char *what, const char *url, const struct strlist *names, struct acme_order *ret,
		     struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_acme_order_ struct acme_order o = { 0 };
	struct acme_call c = { .kind = ACME_KIND_ORDER, .what = what, .url = url };

	if (acme_post(s, &c, &r, err) < 0 || decode(s, &c, &r, names, &o, err) < 0)
		return -(int)err->code;
	o.url = xstrdup(url);
	*ret = TAKE(o);
	return 0;
}

int acme_order_get(struct acme_session *s, const char *url, const struct strlist *names, struct acme_order *ret, struct err *err)
{
	acme_begin(s);
	return get_order(s, "read the order", url, names, ret, err);
}

int acme_order_finalize(struct acme_session *s, const char *order_url, const char *finalize_url, const void *csr_der, size_t csr_n,
			const struct strlist *names, struct acme_order *ret, struct err *err)
{
	_cleanup_buf_ struct buf csr = BUF_MAX(LIMIT_CSR * 2);
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_acme_order_ struct acme_order o = { 0 };
	_cleanup_json_ json_t *payload = NULL;
	_cleanup_free_ char *text = NULL;
	struct acme_call c = { .kind = ACME_KIND_FINALIZE, .what = "finalize the order", .url = finalize_url };

	acme_begin(s);
	base64url_encode(&csr, csr_der, csr_n);
	if (buf_check(&csr, err) < 0)
		return err_wrap(err, "could not finalize the order");
	payload = json_pack("{s:s}", "csr", buf_text(&csr));
	text = json_text(payload);
	c.payload = text;
	if (acme_post(s, &c, &r, err) < 0)
		return -(int)err->code;
	if (!r.body.n) /* accepted, but it does not say what became of it */
		return get_order(s, "read the order after finalize", order_url, names, ret, err);
	/* Its Location, if any, is not asked for: the order's address is known since newOrder. */
	if (decode(s, &c, &r, names, &o, err) < 0)
		return -(int)err->code;
	o.url = xstrdup(order_url);
	*ret = TAKE(o);
	return 0;
}
