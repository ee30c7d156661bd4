/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_prove.c - from the wish to a validated order: the turn, newOrder, authorizations, publishing, waiting for DNS, telling the
 * CA to look, and watching it (RFC 8555 7.4, 7.5, 8.3, 8.4).
 */
#include "engine/private.h"

#include "base/base64.h"
#include "base/crash.h"

#include <stdarg.h>
#include <stdio.h>

#define STORED_TOGETHER 3
#define HTTP_LOOK_MS (20 * SECOND_MS) /* so long a target's answer is looked for through the public name */

static int go(struct verdict *v, const struct run *r, enum order_step next, bool keep)
{
	*v = (struct verdict){ .next = next, .due_ms = engine_now(r->e), .keep = keep };
	return 0;
}

static int wait_span(struct verdict *v, const struct run *r, int64_t span_ms)
{
	*v = (struct verdict){ .next = r->o.step, .due_ms = engine_now(r->e) + span_ms, .waiting = true };
	return 0;
}

int problem_err(struct err *err, const struct acme_problem *p, const char *fmt, ...)
{
	_cleanup_free_ char *words = acme_problem_text(p);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(err, ERR_REMOTE_REFUSED, "%s", text);
	return err_remote(err, p->type, words ? words : "no reason was given");
}

/* ---- the turn ---- */

struct turn {
	struct run *r;
	char *holder;
	int64_t num;
};

static int take_turn(struct sql *tx, void *arg, struct err *err)
{
	struct turn *t = arg;

	free(t->holder);
	t->holder = NULL;
	if (store_order_take_turn(tx, &t->r->o, &t->holder, &t->num, err) < 0)
		return -(int)err->code;
	return t->holder ? renewal_pass(tx, t->r, t->holder, err) : 0;
}

/* CAs hand out one order per account and set of names: the same names with another CSR wait here, and start by themselves. */
int step_queued(struct run *r, struct verdict *v, struct err *err)
{
	struct turn t = { .r = r };

	if (engine_write(r->e, take_turn, &t, err) < 0)
		return -(int)err->code;
	if (!t.holder) {
		r->o.holds_turn = true;
		replace_str(&r->o.waiting_for, NULL);
		return go(v, r, STEP_CREATE, true);
	}
	if (!r->o.waiting_for || !streq(r->o.waiting_for, t.holder)) {
		replace_str(&r->o.waiting_for, t.holder);
		run_event(r, EVENT_INFO, NULL, "waits for order %" PRId64 ", which is under way for the same names with another CSR", t.num);
		*v = (struct verdict){ .next = STEP_QUEUED, .due_ms = engine_now(r->e) + 5 * MINUTE_MS };
		free(t.holder);
		return 0;
	}
	free(t.holder);
	return wait_span(v, r, 5 * MINUTE_MS);
}

/* ---- newOrder ---- */

/* Key and CSR of an order made from names: stored with the order's URL, long before the CSR is sent. */
struct before {
	const char *certificate_id;
	struct csr csr;
};

static int before_tx(struct sql *q, void *arg, struct err *err)
{
	struct before *b = arg;
	_cleanup_certificate_ struct certificate c = { 0 };

	csr_done(&b->csr);
	if (store_certificate_get(q, b->certificate_id, &c, err) < 0 || (c.csr_id && store_csr_get_any(q, c.csr_id, &b->csr, err) < 0)) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
	}
	return 0;
}

/* A renewal with a new key asks for what the CSR before asked for: organisation, unit, place, country. */
static int subject_before(struct run *r, struct csr_subject *ret, struct err *err)
{
	struct before b = { .certificate_id = r->o.certificate_id };
	_cleanup_csr_info_ struct csr_info info = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	int rc = b.certificate_id ? engine_read(r->e, before_tx, &b, err) : 0;

	if (rc == 0 && b.csr.der && csr_parse(b.csr.der, b.csr.der_n, &info, &why) == 0) {
		csr_subject_copy(ret, &info.subject);
		replace_str(&ret->cn, NULL); /* names live in the alternative names */
	}
	csr_done(&b.csr);
	return rc < 0 ? err_wrap(err, "could not read what the CSR before asked for") : 0;
}

static int make_csr(struct run *r, struct err *err)
{
	_cleanup_key_made_ struct key_made made = { 0 };
	enum key_type type = KEY_P256;
	struct ulid key_id = ulid_new(engine_now(r->e)), csr_id = ulid_new(engine_now(r->e));
	struct key_place place = { .table = "key", .id = key_id.s, .column = "sealed" };
	_cleanup_(csr_subject_clear) struct csr_subject subject = { 0 };
	struct csr_request q = { .names = &r->o.names, .subject = &subject };
	unsigned char *der;
	size_t der_n;

	if (!str_empty(r->o.key_type) && !key_type_parse(r->o.key_type, &type))
		return err_set(err, ERR_INVALID, "'%s' is not a key type that we make", r->o.key_type);
	if (keys_generate(r->e->o.keys, KEY_CERTIFICATE, type, &place, NULL, &made, err) < 0)
		return err_wrap(err, "could not make the key of order %" PRId64, r->o.num);
	q.key = (struct key_handle){ "key", key_id.s, "sealed", made.sealed, made.sealed_n };
	if (subject_before(r, &subject, err) < 0)
		return -(int)err->code;
	if (keys_sign_csr(r->e->o.keys, &q, &der, &der_n, err) < 0)
		return err_wrap(err, "could not make the CSR of order %" PRId64, r->o.num);
	r->new_key = (struct key_row){
		.id = xstrdup(key_id.s), .purpose = KEY_CERTIFICATE, .type = xstrdup(key_type_text(type)),
		.public_hash = xstrdup(made.public_hash), .sealed = xmemdup(made.sealed, made.sealed_n), .sealed_n = made.sealed_n,
		.created_ms = engine_now(r->e),
	};
	r->new_csr = (struct csr){
		.id = xstrdup(csr_id.s), .source = CSR_FOR_ORDER, .names_hash = xstrdup(r->o.names_hash), .subject = subject_text(&subject),
		.key_type = xstrdup(key_type_text(type)), .public_hash = xstrdup(made.public_hash), .key_id = xstrdup(key_id.s),
		.der = der, .der_n = der_n, .made_for_order = xstrdup(r->o.id), .created_by = xstrdup_null(r->o.requester),
		.created_ms = engine_now(r->e),
	};
	strlist_copy(&r->new_csr.names, &r->o.names);
	r->has_new_csr = true;
	replace_str(&r->o.csr_id, csr_id.s);
	replace_str(&r->o.key_type, key_type_text(type));
	return 0;
}

static void take_order(struct run *r, const struct acme_order *a)
{
	strlist_clear(&r->urls);
	strlist_copy(&r->urls, &a->authz_urls);
	r->urls_known = true;
	r->next_url = 0;
	if (a->expires_ms)
		r->o.ca_expires_ms = a->expires_ms;
	if (a->finalize_url)
		replace_str(&r->o.finalize_url, a->finalize_url);
	if (a->certificate_url)
		replace_str(&r->o.certificate_url, a->certificate_url);
	r->retry_after_ms = MAX(r->retry_after_ms, a->retry_after_ms);
}

/* What was asked for and is not had, where somebody sees it. */
static void tell_dropped(struct run *r, const struct acme_order_request *q, const struct acme_order *a)
{
	char wanted[CLOCK_TEXT];

	if (a->dropped_profile)
		run_event(r, EVENT_WARNING, NULL, "the authority does not offer profile '%s'; ordered without a profile, as was allowed", q->profile);
	if (a->dropped_not_after)
		run_event(r, EVENT_WARNING, NULL, "the authority takes no notAfter; ordered without, the certificate ends when the authority says");
	else if (q->not_after_ms && !a->not_after_ms)
		run_event(r, EVENT_WARNING, NULL, "the authority does not say that the certificate will end at %s, as was asked for (notAfter)",
			  clock_format(q->not_after_ms, wanted));
}

int step_create(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_order_ struct acme_order a = { 0 };
	struct acme_order_request q = {
		.names = &r->o.names, .profile = r->o.options.profile_dropped ? NULL : r->o.profile,
		.profile_optional = r->o.options.profile_fallback, .replaces = r->replaces, .not_after_ms = r->o.options.not_after_ms,
	};
	_cleanup_err_ struct err gone = { 0 };
	struct acme_session *s;

	switch (r->o.url ? 0 : delegations_stand(r, &gone, err)) {
	case 0:
		break;
	case 1: /* nobody but who owns the zone can mend it; it is looked at again meanwhile */
		free(r->o.reason);
		r->o.reason = err_to_json_text(&gone);
		r->dirty = true;
		return wait_span(v, r, 10 * MINUTE_MS);
	default:
		return -(int)err->code;
	}
	if (!r->o.csr_id) {
		if (make_csr(r, err) < 0)
			return -(int)err->code;
		run_event(r, EVENT_INFO, NULL, "made a key (%s) and a CSR", r->o.key_type);
		return go(v, r, STEP_CREATE, true);
	}
	if (r->account.status != ACCOUNT_VALID || !r->account.url)
		return err_set(err, ERR_NEEDS_PERSON, "account '%s' is not registered", r->account.name);
	if (r->o.url) /* was stored, and the crash came before the next step */
		return go(v, r, STEP_AUTHORIZE, true);
	s = run_session(r, err);
	if (!s || acme_order_new(s, &q, &a, err) < 0)
		return err_wrap(err, "could not place the order at %s", r->account.directory_url);
	replace_str(&r->o.url, a.url);
	take_order(r, &a);
	r->o.status = ORDER_PENDING;
	tell_dropped(r, &q, &a);
	if (a.dropped_replaces)
		run_event(r, EVENT_WARNING, NULL, "the authority did not take it as the replacement of the certificate before; ordered without saying so");
	run_event(r, EVENT_INFO, NULL, "the authority took the order (%zu authorization%s)", a.authz_urls.n, a.authz_urls.n == 1 ? "" : "s");
	/* with few names the URL is stored with the authorizations, a request or two later: a crash between is an order asked for twice */
	if (a.status == ACME_ORDER_PENDING)
		return go(v, r, STEP_AUTHORIZE, a.authz_urls.n <= STORED_TOGETHER);
	if (order_follow(r, &a, v, err) < 0)
		return -(int)err->code;
	v->keep = false; /* the order URL is durable before anything else */
	return 0;
}

/* ---- authorizations ---- */

static bool in_order(const struct run *r, const struct acme_authz *a)
{
	_cleanup_free_ char *wild = xasprintf("*.%s", a->name);

	return strlist_has(&r->o.names, a->wildcard ? wild : a->name);
}

static struct authz *authz_row(struct run *r, const struct acme_authz *a)
{
	struct authz *row;

	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz.v[i].wildcard == a->wildcard && streq(r->authz.v[i].identifier, a->name))
			return &r->authz.v[i];
	row = authz_list_add(&r->authz);
	row->id = xstrdup(ulid_new(engine_now(r->e)).s);
	row->order_id = xstrdup(r->o.id);
	row->identifier = xstrdup(a->name);
	row->wildcard = a->wildcard;
	row->position = (int64_t)r->authz.n - 1;
	return row;
}

static enum authz_status status_of(enum acme_authz_status s)
{
	switch (s) {
	case ACME_AUTHZ_PENDING:
		return AUTHZ_PENDING;
	case ACME_AUTHZ_VALID:
		return AUTHZ_VALID;
	case ACME_AUTHZ_INVALID:
		return AUTHZ_INVALID;
	case ACME_AUTHZ_DEACTIVATED:
		return AUTHZ_DEACTIVATED;
	case ACME_AUTHZ_EXPIRED:
		return AUTHZ_EXPIRED;
	case ACME_AUTHZ_REVOKED:
		return AUTHZ_REVOKED;
	}
	abort();
}

static enum challenge_status challenge_status_of(enum acme_challenge_status s)
{
	switch (s) {
	case ACME_CHALLENGE_PENDING:
		return CHALLENGE_PENDING;
	case ACME_CHALLENGE_PROCESSING:
		return CHALLENGE_PROCESSING;
	case ACME_CHALLENGE_VALID:
		return CHALLENGE_VALID;
	case ACME_CHALLENGE_INVALID:
		return CHALLENGE_INVALID;
	}
	abort();
}

static enum acme_challenge_type wanted_type(const struct run *r)
{
	return r->o.validation == VALIDATION_DNS01 ? ACME_CHALLENGE_DNS01 : ACME_CHALLENGE_HTTP01;
}

static char *offered(const struct acme_authz *a)
{
	_cleanup_strlist_ struct strlist l = { 0 };

	for (size_t i = 0; i < a->n_challenges; i++)
		if (a->challenges[i].type_text)
			strlist_add(&l, a->challenges[i].type_text);
	return l.n ? strlist_join(&l, ", ") : xstrdup("nothing");
}

static void take_challenge(struct authz *row, const struct acme_challenge *c)
{
	replace_str(&row->challenge_url, c->url);
	replace_str(&row->token, c->token);
	row->challenge_status = challenge_status_of(c->status);
	if (c->status != ACME_CHALLENGE_PENDING)
		row->accepted = true;
}

/* Some authorities never end an authorization that they could not prove: what they say beside it is why it takes so long. */
static void note_words(struct authz *row, const struct acme_authz *a, const struct acme_challenge *c)
{
	_cleanup_err_ struct err why = { 0 };

	if (a->status != ACME_AUTHZ_PENDING)
		return;
	if (c && c->error.type)
		problem_err(&why, &c->error, "the authority could not validate '%s' yet", row->identifier);
	free(row->reason);
	row->reason = err_is(&why) ? err_to_json_text(&why) : NULL;
}

/* What the CA says about one authorization; the row is marked when it changed. */
static int take_authz(struct run *r, const struct acme_authz *a, struct authz **ret_row, struct err *err)
{
	const struct acme_challenge *c = acme_authz_challenge(a, wanted_type(r));
	struct authz *row;

	if (!in_order(r, a))
		return err_set(err, ERR_REMOTE_BAD, "the authority wants a proof for '%s', which is not in the order", a->name);
	row = authz_row(r, a);
	if (row->url && !streq(row->url, a->url)) { /* of an order that was made anew */
		row->accepted = false;
		replace_str(&row->record_id, NULL);
		replace_str(&row->challenge_url, NULL);
	}
	replace_str(&row->url, a->url);
	row->status = status_of(a->status);
	row->expires_ms = a->expires_ms;
	if (c)
		take_challenge(row, c);
	note_words(row, a, c);
	r->authz_seen[row - r->authz.v] = true;
	r->retry_after_ms = MAX(r->retry_after_ms, a->retry_after_ms);
	authz_changed(r, row);
	*ret_row = row;
	return 0;
}

static int authz_fetch(struct run *r, const char *url, struct acme_authz *ret, struct err *err)
{
	struct acme_session *s = run_session(r, err);

	if (!s)
		return -(int)err->code;
	return acme_authz_get(s, url, ret, err);
}

/* An authorization of ours as the CA has it now. One that speaks of another name there would be asked for without end. */
static int read_again(struct run *r, struct authz *a, struct acme_authz *ret, struct err *err)
{
	struct authz *row;

	if (authz_fetch(r, a->url, ret, err) < 0)
		return err_wrap(err, "could not read the authorization of '%s'", a->identifier);
	if (ret->wildcard != a->wildcard || !streq(ret->name, a->identifier))
		return err_set(err, ERR_REMOTE_BAD, "asked about the authorization of '%s%s', the authority answered with that of '%s%s'",
			       a->wildcard ? "*." : "", a->identifier, ret->wildcard ? "*." : "", ret->name);
	return take_authz(r, ret, &row, err);
}

static const char *challenge_words(const struct acme_authz *a, const struct acme_problem **ret)
{
	for (size_t i = 0; i < a->n_challenges; i++)
		if (a->challenges[i].error.type) {
			*ret = &a->challenges[i].error;
			return a->challenges[i].type_text;
		}
	*ret = NULL;
	return NULL;
}

/* Our own look needed TCP: so does the authority's. Pebble 2.4 asks by UDP alone and then sees nothing at all. */
static bool hint_tcp(const struct record *rec, struct err *err)
{
	_cleanup_json_ json_t *detail = rec && rec->detail ? json_text_or_null(rec->detail) : NULL;

	if (!json_is_true(json_object_get(detail, "tcp")))
		return false;
	err_hint(err, "So many values are at '%s' that the answer does not fit into UDP: port 53 of its name servers has to be open by TCP too, and "
		 "the authority has to ask by TCP. Fewer orders for the name at the same time make it smaller.", rec->domain);
	return true;
}

/* What usually stands between the authority and what was published. */
static void hint_reach(const struct run *r, const struct authz *a, const struct record *rec, struct err *err)
{
	const char *method = run_method(r, a);

	if (hint_tcp(rec, err) || !method || method_way(r->o.validation, method) != PUBLISH_ROWS)
		return;
	if (r->o.validation == VALIDATION_DNS01)
		err_hint(err, "Is _acme-challenge.%s delegated to this server by an NS record, and does port 53 reach it by UDP and TCP from "
			 "outside? The events of the order say who asked.", a->identifier);
	else
		err_hint(err, "Does http://%s/ on port 80 lead to this server from outside, by IPv6 too if the name has an AAAA record? The events "
			 "of the order say who asked.", a->identifier);
}

/* The authorization is invalid: why, in the CA's own words, on the row, on the record and as the order's reason. */
static int refused(struct run *r, const struct acme_authz *a, struct authz *row, struct err *err)
{
	const struct acme_problem *p;
	struct record *rec = run_record(r, row, NULL);

	rate_failed(&r->gate, row->identifier);
	challenge_words(a, &p);
	if (p)
		problem_err(err, p, "the authority could not validate '%s'", row->identifier);
	else
		err_set(err, ERR_REMOTE_REFUSED, "the authority calls the authorization of '%s' %s", row->identifier,
			acme_authz_status_text(a->status));
	hint_reach(r, row, rec, err);
	free(row->reason);
	row->reason = err_to_json_text(err);
	authz_changed(r, row);
	if (rec) {
		rec->status = RECORD_INVALID;
		free(rec->detail);
		rec->detail = err_to_json_text(err);
		record_changed(r, rec, 0);
	}
	return -(int)err->code;
}

static char *record_domain(const struct run *r, const struct authz *a)
{
	return r->o.validation == VALIDATION_DNS01 ? xasprintf("_acme-challenge.%s", a->identifier) : xstrdup(a->identifier);
}

struct leads {
	const char *name, *method;
	char *to; /* owned */
};

static int leads_to(struct sql *q, void *arg, struct err *err)
{
	struct leads *l = arg;
	_cleanup_(delegation_done) struct delegation d = { 0 };

	replace_str(&l->to, NULL);
	if (delegation_of(q, l->name, &d, err) < 0)
		return -(int)err->code;
	if (delegation_concerns(&d, l->method))
		l->to = TAKE(d.target);
	return 0;
}

/* Another name that is written for it or answered with it, as its delegation says; NULL = none. Owned. */
static int alias_of(struct run *r, const struct authz *a, const char *method, char **ret, struct err *err)
{
	struct leads l = { .name = a->identifier, .method = method };

	if (r->o.validation != VALIDATION_DNS01)
		return 0;
	if (streq(method, METHOD_DELEGATION))
		*ret = delegation_alias(r->e->o.dns_zone, a->identifier);
	else if (method_way(VALIDATION_DNS01, method) == PUBLISH_REMOTE && engine_read(r->e, leads_to, &l, err) < 0)
		return err_wrap(err, "could not read where '_acme-challenge.%s' leads", a->identifier);
	if (l.to)
		*ret = l.to;
	return 0;
}

/* The value of each pending authorization: token.thumbprint, for dns-01 its digest (RFC 8555 8.1, 8.4). alias is taken. */
static void add_record(struct run *r, struct authz *a, const char *thumbprint, char *alias)
{
	const char *method = run_method(r, a);
	const struct publisher *p = run_publisher(r, method);
	_cleanup_free_ char *auth = xasprintf("%s.%s", a->token, thumbprint);
	_cleanup_free_ char *domain = record_domain(r, a);
	char digest[SHA256_B64];
	_cleanup_free_ char *also = alias;
	const char *value = auth;
	struct record *rec = NULL;

	if (r->o.validation == VALIDATION_DNS01)
		value = sha256_base64url(auth, strlen(auth), digest);
	for (size_t i = 0; i < r->records.n && !rec; i++)
		if (streq(r->records.v[i].domain, domain) && streq(r->records.v[i].value, value))
			rec = &r->records.v[i];
	if (!rec) {
		rec = record_list_add(&r->records);
		*rec = (struct record){
			.id = xstrdup(ulid_new(engine_now(r->e)).s), .order_id = xstrdup(r->o.id), .kind = r->o.validation,
			.method = xstrdup(method), .domain = xstrdup(domain),
			.alias = TAKE(also), .key_auth = r->o.validation == VALIDATION_DNS01 ? xstrdup(auth) : NULL,
			.token = r->o.validation == VALIDATION_HTTP01 ? xstrdup(a->token) : NULL, .value = xstrdup(value),
			.ttl = r->o.validation == VALIDATION_HTTP01 ? 0 :
				p->way == PUBLISH_ROWS && r->e->o.delegation_ttl_s ? r->e->o.delegation_ttl_s : p->ttl_s,
			.status = RECORD_NOT_READY, .created_ms = engine_now(r->e), .updated_ms = engine_now(r->e),
		};
		r->record_dirty[rec - r->records.v] = ROW_NEW | (p->way == PUBLISH_ROWS ? ROW_LIVE : 0);
	}
	replace_str(&a->record_id, rec->id);
	authz_changed(r, a);
}

static int add_records(struct run *r, struct err *err)
{
	_cleanup_key_made_ struct key_made pub = { 0 };
	struct key_handle h = { "key", r->account_key.id, "sealed", r->account_key.sealed, r->account_key.sealed_n };
	size_t need = 0;

	for (size_t i = 0; i < r->authz.n; i++)
		need += r->authz.v[i].status == AUTHZ_PENDING;
	if (!need)
		return 0;
	for (size_t i = 0; i < r->authz.n; i++) {
		const char *method = run_method(r, &r->authz.v[i]);

		if (r->authz.v[i].status == AUTHZ_PENDING && !run_publisher(r, method))
			return err_set(err, ERR_NEEDS_PERSON, "nothing is known about publishing by '%s'", method ? method : "");
	}
	if (r->records.n + need > LIMIT_CA_IDENTIFIERS)
		return err_set(err, ERR_REMOTE_GONE, "too many records were made for this order");
	if (keys_public(r->e->o.keys, &h, &pub, err) < 0)
		return err_wrap(err, "could not read the key of account '%s'", r->account.name);
	for (size_t i = 0; i < r->authz.n; i++) {
		struct authz *a = &r->authz.v[i];
		char *alias = NULL;

		if (a->status != AUTHZ_PENDING)
			continue;
		if (alias_of(r, a, run_method(r, a), &alias, err) < 0)
			return -(int)err->code;
		add_record(r, a, pub.thumbprint, alias);
	}
	return 0;
}

static int authorized(struct run *r, struct verdict *v, struct err *err)
{
	size_t pending = 0;

	if (add_records(r, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->authz.n; i++)
		pending += r->authz.v[i].status == AUTHZ_PENDING;
	if (pending)
		run_event(r, EVENT_INFO, NULL, "to be proved by %s: %zu of %zu name%s", validation_text(r->o.validation), pending, r->authz.n,
			  r->authz.n == 1 ? "" : "s");
	else
		run_event(r, EVENT_INFO, NULL, "all names have been proved before");
	return go(v, r, pending ? STEP_PUBLISH : STEP_CONFIRM, false);
}

int step_authorize(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_authz_ struct acme_authz a = { 0 };
	struct authz *row;

	if (!r->urls_known) {
		_cleanup_acme_order_ struct acme_order o = { 0 };
		struct acme_session *s = run_session(r, err);

		if (!s || acme_order_get(s, r->o.url, &r->o.names, &o, err) < 0)
			return err_wrap(err, "could not read the order");
		take_order(r, &o);
		if (o.status != ACME_ORDER_PENDING)
			return order_follow(r, &o, v, err) < 0 ? -(int)err->code : 0;
		return go(v, r, STEP_AUTHORIZE, true);
	}
	if (r->next_url >= r->urls.n)
		return authorized(r, v, err);
	if (r->urls.n > LIMIT_CA_IDENTIFIERS)
		return err_set(err, ERR_REMOTE_BAD, "the authority wants %zu proofs", r->urls.n);
	if (authz_fetch(r, r->urls.v[r->next_url], &a, err) < 0)
		return err_wrap(err, "could not read an authorization");
	if (take_authz(r, &a, &row, err) < 0)
		return -(int)err->code;
	if (row->status == AUTHZ_PENDING && row->challenge_status == CHALLENGE_INVALID)
		return err_set(err, ERR_REMOTE_GONE, "the authority handed out a challenge for '%s' that has failed already", row->identifier);
	if (row->status != AUTHZ_PENDING && row->status != AUTHZ_VALID)
		return err_set(err, ERR_REMOTE_GONE, "the authority handed out an authorization for '%s' that is %s", row->identifier,
			       authz_status_text(row->status));
	if (row->status == AUTHZ_PENDING && !acme_authz_challenge(&a, wanted_type(r))) {
		_cleanup_free_ char *types = offered(&a);

		err_set(err, ERR_NEEDS_PERSON, "the authority does not offer %s for '%s'", validation_text(r->o.validation), row->identifier);
		return err_hint(err, "It offers: %s. Delete this order and make one with another validation.", types);
	}
	r->next_url++;
	if (r->next_url < r->urls.n)
		return go(v, r, STEP_AUTHORIZE, true);
	return authorized(r, v, err);
}

/* ---- publishing ---- */

static int last_seq(struct sql *q, void *arg, struct err *err)
{
	int64_t seq = 0;

	if (store_feed_item_last_seq(q, &seq, err) < 0)
		return -(int)err->code;
	*(uint64_t *)arg = (uint64_t)seq;
	return 0;
}

static int env_wait(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err)
{
	struct engine *e = arg;

	if (e->o.edge_wait)
		return e->o.edge_wait(e->o.edge_arg, seq, timeout_ms, err);
	return engine_edge_wait(e, seq, timeout_ms, err);
}

/* Built in: no instance, nothing to open. */
static int call_publisher(struct run *r, const struct publisher *p, const struct challenge_set *set, struct err *err)
{
	struct publish_env env = { .http = r->w->http, .clock = r->e->clock, .edge_wait = env_wait, .edge_arg = r->e,
				   .run_program = r->e->o.run_program, .program_arg = r->e->o.program_arg };

	return p->publish(NULL, &env, set, err);
}

const char *record_place(const struct record *rec)
{
	return rec->alias && method_way(rec->kind, rec->method) == PUBLISH_REMOTE ? rec->alias : rec->domain;
}

/* Goes to the same place at once: rows are one act, at a provider one owner name is. */
static bool together(const struct record *rec, const struct record *first)
{
	if (method_way(first->kind, first->method) == PUBLISH_ROWS)
		return method_way(rec->kind, rec->method) == PUBLISH_ROWS;
	/* http-01: an order that was made anew has another token for the host */
	return streq(rec->domain, first->domain) && streq(rec->method, first->method) &&
	       (!first->token || (rec->token && streq(rec->token, first->token)));
}

static void gather(struct run *r, struct record *first, struct challenge_set *ret)
{
	*ret = (struct challenge_set){
		.kind = first->kind, .zone = first->zone ? first->zone : "", .name = record_place(first), .token = first->token,
		.ttl_s = first->ttl, .seq = r->seq,
	};
	for (size_t i = 0; i < r->records.n; i++)
		if (together(&r->records.v[i], first) && r->records.v[i].status != RECORD_WITHDRAWN)
			challenge_set_add(ret, r->records.v[i].value, r->records.v[i].key_auth);
}

static void published(struct run *r, const struct record *first, const char *receipt)
{
	int64_t now = engine_now(r->e);

	for (size_t i = 0; i < r->records.n; i++) {
		struct record *rec = &r->records.v[i];

		if (rec->published_ms || rec->status == RECORD_WITHDRAWN || !together(rec, first))
			continue;
		rec->published_ms = now;
		replace_str(&rec->receipt, receipt);
		if (method_way(rec->kind, rec->method) == PUBLISH_ROWS) {
			rec->status = RECORD_READY;
			rec->ready_ms = now;
		}
		record_changed(r, rec, 0);
	}
}

/* After one place: the next, or looking whether all is seen. */
static int publish_next(struct run *r, struct verdict *v, bool keep)
{
	bool look = false;

	if (run_unpublished(r))
		return go(v, r, STEP_PUBLISH, keep);
	for (size_t i = 0; i < r->authz.n; i++) {
		struct record *rec = run_needs(r, &r->authz.v[i]) ? run_record(r, &r->authz.v[i], NULL) : NULL;

		look |= rec && rec->status == RECORD_NOT_READY;
	}
	return go(v, r, look ? STEP_PROPAGATE : STEP_ACCEPT, keep);
}

/* Looked at again soon; the order says why. */
static int publish_later(struct run *r, struct verdict *v, int64_t span_ms, const struct err *why)
{
	free(r->o.reason);
	r->o.reason = err_to_json_text(why);
	r->dirty = true;
	return wait_span(v, r, span_ms);
}

struct crowd {
	struct run *r;
	const struct record *rec; /* a name whose values are too many, or NULL */
	int64_t before;
};

static int crowded(struct sql *q, void *arg, struct err *err)
{
	struct crowd *c = arg;
	int64_t n;

	c->rec = NULL;
	for (size_t i = 0; i < c->r->records.n; i++) {
		const struct record *rec = &c->r->records.v[i];

		if (rec->kind != VALIDATION_DNS01 || rec->published_ms || method_way(rec->kind, rec->method) != PUBLISH_ROWS)
			continue;
		if (store_feed_item_before(q, EDGE_TXT, rec->domain, rec->value, &n, err) < 0)
			return -(int)err->code;
		if (n < LIMIT_TXT_VALUES)
			continue;
		c->rec = rec;
		c->before = n;
	}
	return 0;
}

/* Told to look now, the authority would not find it: an answer holds so many values and no more. */
static int too_many_values(struct run *r, struct err *why, struct err *err)
{
	struct crowd c = { .r = r };

	if (r->o.validation != VALIDATION_DNS01)
		return 0;
	if (engine_read(r->e, crowded, &c, err) < 0)
		return -(int)err->code;
	if (!c.rec)
		return 0;
	err_set(why, ERR_BUSY, "%" PRId64 " values of other orders are at '%s' already; %d fit into one answer", c.before, c.rec->domain,
		LIMIT_TXT_VALUES);
	err_hint(why, "It goes on by itself when some of those orders are over.");
	return 1;
}

static int publish_rows(struct run *r, const struct publisher *p, struct record *rec, struct verdict *v, struct err *err)
{
	_cleanup_challenge_set_ struct challenge_set set = { 0 };
	_cleanup_err_ struct err why = { 0 };

	if (!r->seq && engine_read(r->e, last_seq, &r->seq, err) < 0)
		return -(int)err->code;
	switch (too_many_values(r, &why, err)) {
	case 0:
		break;
	case 1:
		return publish_later(r, v, MINUTE_MS, &why);
	default:
		return -(int)err->code;
	}
	gather(r, rec, &set);
	if (call_publisher(r, p, &set, &why) < 0) {
		if (why.code != ERR_TIMEOUT)
			return err_move(err, &why);
		/* edge is away: the supervisor brings it back */
		return publish_later(r, v, poll_clock(r->e, r->o.polls + 2), &why);
	}
	published(r, rec, NULL);
	run_event(r, EVENT_INFO, NULL, "published by Certwright itself and answered by all listeners");
	return publish_next(r, v, true);
}

/* What the provider said, as what the order makes of it (publish/publisher.h): it waits for a person rather than to end. */
static int provider_trouble(struct run *r, const struct provider *row, const struct record *rec, struct err *why, struct err *err)
{
	const struct publisher *pub = publisher_kind(row->kind);
	_cleanup_free_ char *text = err_text(why);

	if (why->code == ERR_REMOTE_LIMIT && why->retry_at_ms)
		run_park(r, lane_provider(row->id, rec->zone), why->retry_at_ms, why);
	switch ((int)why->code) {
	case ERR_UNAUTHENTICATED:
		replace_str(&r->refused, row->id);
		err_clear(&r->refused_why);
		err_copy(&r->refused_why, why);
		err_set(err, ERR_NEEDS_PERSON, "%s", text);
		err_remote(err, why->remote_type, why->remote);
		return err_hint(err, "Give provider '%s' a credential that is good, with Test and save; the order then goes on by itself.", row->name);
	case ERR_DENIED:
		err_set(err, ERR_NEEDS_PERSON, "%s", text);
		err_remote(err, why->remote_type, why->remote);
		return err_hint(err, "What the credential of '%s' needs: %s", row->name, pub ? pub->rights : "the right to write this zone");
	case ERR_NOT_FOUND:
	case ERR_INVALID:
	case ERR_REMOTE_REFUSED:
	case ERR_CONFLICT:
	case ERR_TOO_LARGE:
		err_set(err, ERR_NEEDS_PERSON, "%s", text);
		err_remote(err, why->remote_type, why->remote);
		return why->hint ? err_hint(err, "%s", why->hint) : -(int)err->code;
	default:
		return err_move(err, why);
	}
}

/* The zone is found and stored, with the debt, before anything is written into it. */
static int find_zone(struct run *r, struct provider_use *u, struct record *rec, struct err *err)
{
	char *zone = NULL;

	if (u->pub->find_zone(u->self, &u->env, record_place(rec), &zone, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->records.n; i++)
		if (together(&r->records.v[i], rec)) {
			replace_str(&r->records.v[i].zone, zone);
			record_changed(r, &r->records.v[i], ROW_ZONE);
		}
	free(zone);
	return 0;
}

/* One outward act: finding the zone, or writing the whole set that this order adds at one name of it. */
static int publish_remote(struct run *r, struct record *rec, struct verdict *v, struct err *err)
{
	const struct provider *row = run_provider(r, rec->method);
	_cleanup_provider_use_ struct provider_use u = { 0 };
	_cleanup_challenge_set_ struct challenge_set set = { 0 };
	_cleanup_err_ struct err why = { 0 };
	_cleanup_free_ char *receipt = NULL;

	if (row->status == PROVIDER_REFUSED) {
		err_set(err, ERR_NEEDS_PERSON, "provider '%s' does not accept its credential; what uses it waits", row->name);
		return err_hint(err, "Give it a good one with Test and save; the order then goes on by itself.");
	}
	if (provider_use_open(r->e, r->w, row, &u, &why) < 0)
		return provider_trouble(r, row, rec, &why, err);
	if (u.pub->find_zone && !rec->zone) {
		if (find_zone(r, &u, rec, &why) < 0) {
			err_wrap(&why, "could not find the zone of '%s' at provider '%s'", record_place(rec), row->name);
			return provider_trouble(r, row, rec, &why, err);
		}
		return go(v, r, STEP_PUBLISH, false);
	}
	gather(r, rec, &set);
	u.env.receipt = u.pub->settled ? &receipt : NULL;
	r->published_now = true;
	if (u.pub->publish(u.self, &u.env, &set, &why) < 0) {
		err_wrap(&why, "could not publish '%s' at provider '%s'", record_place(rec), row->name);
		return provider_trouble(r, row, rec, &why, err);
	}
	CRASH_POINT_OF("published", validation_text(rec->kind), r->o.names.v[0]);
	published(r, rec, receipt);
	if (rec->alias)
		run_event(r, EVENT_INFO, NULL, "published '%s', to which '%s' leads, at %s (%s)", rec->alias, rec->domain, row->name, u.pub->title);
	else
		run_event(r, EVENT_INFO, NULL, "published '%s' at %s (%s)", rec->domain, row->name, u.pub->title);
	return publish_next(r, v, false);
}

int step_publish(struct run *r, struct verdict *v, struct err *err)
{
	struct record *rec = run_unpublished(r);
	const struct publisher *p = rec ? run_publisher(r, rec->method) : NULL;

	if (!rec)
		return publish_next(r, v, true);
	if (!p)
		return err_set(err, ERR_NEEDS_PERSON, "nothing is known about publishing by '%s'", rec->method);
	switch (p->way) {
	case PUBLISH_ROWS:
		return publish_rows(r, p, rec, v, err);
	case PUBLISH_REMOTE:
		return publish_remote(r, rec, v, err);
	case PUBLISH_PERSON:
		published(r, rec, NULL);
		r->person_told = true;
		run_event(r, EVENT_INFO, NULL, "waits for you: publish the record of '%s'", rec->domain);
		return publish_next(r, v, run_unpublished(r) != NULL);
	}
	abort();
}

/* ---- waiting until it is seen ---- */

struct sight {
	bool seen;
	char *text;     /* one sentence */
	json_t *detail; /* for the record */
	int64_t due_ms; /* nobody is asked: when it counts as seen, INT64_MAX = when a person says so */
};

static void sight_done(struct sight *s)
{
	free(s->text);
	json_decref(s->detail);
}
#define _cleanup_sight_ __attribute__((cleanup(sight_done)))

static bool by_person(const struct record *rec)
{
	return method_way(rec->kind, rec->method) == PUBLISH_PERSON;
}

/* The rule says: do not look. What a person publishes has no known beginning, so only their word counts. */
static void wait_only(struct run *r, const struct record *rec, const struct outlook *l, struct sight *ret)
{
	if (by_person(rec)) {
		ret->due_ms = INT64_MAX;
		ret->text = xasprintf("nobody is asked, as the rule for '%s' says; say when it is there", l->rule);
	} else {
		ret->due_ms = rec->published_ms + l->wait_s * SECOND_MS;
		ret->seen = engine_now(r->e) >= ret->due_ms;
		ret->text = xasprintf("nobody was asked, as the rule for '%s' says; %" PRId64 " s after publishing it counts as there", l->rule,
				      l->wait_s);
	}
	ret->detail = outlook_json(l, NULL, rec->value);
}

/*
 * The vendor itself says when its servers have it: 1 they have, or nothing more can be learned; 0 not yet. Whoever may not ask is not
 * held up: the look at the servers decides then, as it does for the other vendors.
 */
static int vendor_says(struct run *r, struct record *rec, struct sight *ret)
{
	const struct provider *row = run_provider(r, rec->method);
	_cleanup_provider_use_ struct provider_use u = { 0 };
	_cleanup_err_ struct err why = { 0 };
	int rc = row && !provider_use_open(r->e, r->w, row, &u, &why) && u.pub->settled ? u.pub->settled(u.self, &u.env, rec->receipt, &why) : -1;

	if (rc == 0) {
		ret->text = xasprintf("%s says that not all of its servers have the change yet", row->name);
		return 0;
	}
	if (rc < 0 && err_is(&why) && (err_retry(why.code) == RETRY_LATER || err_retry(why.code) == RETRY_PARK)) {
		ret->text = err_text(&why);
		return 0;
	}
	if (rc > 0)
		run_event(r, EVENT_INFO, NULL, "%s says that all of its servers have '%s'", row->name, rec->domain);
	else if (err_is(&why))
		run_event(r, EVENT_WARNING, err_to_json_text(&why), "%s cannot be asked whether its servers have '%s'; they are looked at instead", row->name, rec->domain);
	replace_str(&rec->receipt, NULL);
	record_changed(r, rec, 0);
	r->dirty = true;
	return 1;
}

/* Through the view that the rules choose. Advice: what could not be looked at never ends an order, the deadline decides. */
static int look_dns(struct run *r, struct record *rec, struct sight *ret, struct err *err)
{
	_cleanup_resolve_report_ struct resolve_report rep = { 0 };
	_cleanup_outlook_ struct outlook l = { 0 };
	struct engine *e = r->e;
	const char *name = str_starts(rec->domain, "_acme-challenge.") ? rec->domain + strlen("_acme-challenge.") : rec->domain;
	int rc;

	if (rec->receipt && !vendor_says(r, rec, ret))
		return 0;
	if (outlook_for(e, r->w->http, name, r->account.vendor, &l, err) < 0)
		return -(int)err->code;
	if (l.wait) {
		wait_only(r, rec, &l, ret);
		return 0;
	}
	rc = e->o.look_up ? e->o.look_up(e->o.look_up_arg, rec->domain, &rep, err) : resolve_txt(&l.at, rec->domain, record_place(rec) != rec->domain, &rep, err);
	if (rc < 0)
		return rc;
	ret->seen = resolve_report_all_have(&rep, rec->value);
	ret->text = resolve_report_text(&rep, rec->value);
	ret->detail = outlook_json(&l, &rep, rec->value);
	return 0;
}

/* http-01 set up by hand: what the CA is going to fetch. Redirects are the CA's business; one that is there counts as not seen. */
static int look_http(struct run *r, struct record *rec, struct sight *ret, struct err *err)
{
	_cleanup_http_ struct http_response rsp = { 0 };
	_cleanup_free_ char *url = xasprintf("http://%s/.well-known/acme-challenge/%s", rec->domain, rec->token);
	struct net_rule rule = { .route = NET_ROUTE_DIRECT, .plain_ok = true };
	struct http_request q = { .method = HTTP_GET, .url = url, .rule = &rule, .timeout_ms = 10 * SECOND_MS, .max_body = 4096 };
	size_t n = strlen(rec->value);

	if (http_do(r->w->http, &q, &rsp, err) < 0)
		return -(int)err->code;
	ret->seen = rsp.status == 200 && rsp.body.n >= n && !memcmp(buf_text(&rsp.body), rec->value, n) &&
		strspn(buf_text(&rsp.body) + n, " \r\n\t") == rsp.body.n - n;
	ret->text = ret->seen ? xstrdup("the host answers with it") : xasprintf("the host answers %d and %zu bytes", rsp.status, rsp.body.n);
	return 0;
}

/* Said at once by step_publish; here at half time and a day before the end. */
static void remind(struct run *r, const struct record *rec, json_t *detail)
{
	int stage = person_stage(r->o.step_since_ms, r->o.give_up_ms, engine_now(r->e));
	_cleanup_json_ json_t *before = rec->detail ? json_text_or_null(rec->detail) : NULL;
	bool first = !json_is_integer(json_object_get(before, "told"));
	char until[CLOCK_TEXT];

	json_object_set_new(detail, "told", json_integer(stage));
	if (first || stage > (int)json_integer_value(json_object_get(before, "told")))
		r->person_told = true;
	if (!first && stage > (int)json_integer_value(json_object_get(before, "told")))
		run_event(r, EVENT_WARNING, NULL, "still waits for you to publish '%s', until %s", rec->domain,
			  clock_format(r->o.give_up_ms, until));
}

static void saw(struct run *r, struct record *rec, struct sight *s)
{
	json_t *j = s->detail ? json_incref(s->detail) : json_object();
	_cleanup_free_ char *detail = NULL;

	json_object_set_new(j, "seen", json_boolean(s->seen));
	json_object_set_new(j, "text", json_string(s->text));
	if (!s->seen && by_person(rec))
		remind(r, rec, j);
	detail = json_text(j);
	if (s->seen) {
		rec->status = RECORD_READY;
		rec->ready_ms = engine_now(r->e);
		if (s->due_ms)
			run_event(r, EVENT_INFO, NULL, "'%s' counts as there: %s", rec->domain, s->text);
		else
			run_event(r, EVENT_INFO, NULL, "'%s' is seen everywhere: %s", rec->domain, s->text);
		if (json_is_true(json_object_get(j, "inside")))
			run_event(r, EVENT_WARNING, NULL, "the servers that were asked about '%s' have private addresses, so the authority asks others "
				  "(split DNS); a view that looks from outside would see what it sees", rec->domain);
	}
	json_decref(j);
	if (s->seen || !rec->detail || !streq(rec->detail, detail)) {
		replace_str(&rec->detail, detail);
		record_changed(r, rec, 0);
		r->dirty = true;
	}
}

struct said {
	const char *order_id;
	int64_t at_ms;
};

static int go_on_said(struct sql *q, void *arg, struct err *err)
{
	struct said *s = arg;

	return store_order_go_on_get(q, s->order_id, &s->at_ms, err);
}

static int look(struct run *r, struct record *rec, int64_t *ret_due, struct err *err)
{
	_cleanup_sight_ struct sight s = { 0 };
	_cleanup_err_ struct err why = { 0 };

	if ((rec->kind == VALIDATION_DNS01 ? look_dns : look_http)(r, rec, &s, &why) < 0) {
		if (r->e->crashed)
			return err_move(err, &why);
		free(s.text);
		s.text = err_text(&why);
	}
	if (!s.seen && s.due_ms)
		*ret_due = MIN(*ret_due, s.due_ms);
	saw(r, rec, &s);
	return 0;
}

/*
 * All that is missing is at targets of http-01: what they took was read back there, and they answer at once. Our own look through the
 * public name is advice: from inside there may be no way to it.
 */
static bool looked_enough(const struct run *r)
{
	if (r->o.validation != VALIDATION_HTTP01 || engine_now(r->e) - r->o.step_since_ms < HTTP_LOOK_MS)
		return false;
	for (size_t i = 0; i < r->records.n; i++) {
		const struct record *rec = &r->records.v[i];

		if (rec->status == RECORD_NOT_READY && method_way(rec->kind, rec->method) != PUBLISH_REMOTE)
			return false;
	}
	return true;
}

/* One name a visit; when all have been looked at and one is missing, again by the propagation clock. */
int step_propagate(struct run *r, struct verdict *v, struct err *err)
{
	struct said said = { .order_id = r->o.id };
	size_t open = 0;

	if (!r->looked && engine_read(r->e, go_on_said, &said, err) < 0)
		return err_wrap(err, "could not read the order");
	if (said.at_ms && said.at_ms >= r->o.step_since_ms) {
		run_event(r, EVENT_WARNING, NULL, "goes on at a person's word, although the records are not seen everywhere");
		return go(v, r, STEP_ACCEPT, false);
	}
	for (size_t i = 0; i < r->authz.n; i++) {
		struct record *rec = run_needs(r, &r->authz.v[i]) ? run_record(r, &r->authz.v[i], NULL) : NULL;

		if (!rec || rec->status != RECORD_NOT_READY)
			continue;
		open++;
		if (i < r->looked)
			continue;
		if (!r->looked)
			r->look_due_ms = INT64_MAX;
		r->looked = i + 1;
		if (look(r, rec, &r->look_due_ms, err) < 0)
			return -(int)err->code;
		return go(v, r, STEP_PROPAGATE, true);
	}
	r->looked = 0;
	if (!open)
		return go(v, r, STEP_ACCEPT, true);
	if (looked_enough(r)) {
		run_event(r, EVENT_WARNING, NULL, "the answer is in place, but is not seen from here through the public name; the authority looks now");
		return go(v, r, STEP_ACCEPT, false);
	}
	return wait_span(v, r, MIN(propagation_clock(r->e, r->o.polls), MAX(r->look_due_ms - engine_now(r->e), SECOND_MS)));
}

/* ---- telling the CA to look ---- */

static void proved(struct run *r, struct authz *a)
{
	struct record *rec = run_record(r, a, NULL);

	a->status = AUTHZ_VALID;
	replace_str(&a->reason, NULL);
	authz_changed(r, a);
	if (rec && rec->status != RECORD_VALID) {
		rec->status = RECORD_VALID;
		record_changed(r, rec, 0);
	}
}

/* As the CA has it now; 1 when our challenge is no longer open: it was told before. */
static int look_again(struct run *r, struct authz *a, struct err *err)
{
	_cleanup_acme_authz_ struct acme_authz now = { 0 };

	if (read_again(r, a, &now, err) < 0)
		return -(int)err->code;
	if (a->status != AUTHZ_PENDING && a->status != AUTHZ_VALID)
		return refused(r, &now, a, err);
	if (a->status == AUTHZ_VALID)
		proved(r, a);
	else if (a->challenge_status != CHALLENGE_PROCESSING && a->challenge_status != CHALLENGE_VALID)
		return 0;
	a->accepted = true;
	authz_changed(r, a);
	return 1;
}

/* Told, and the answer lost on the way (or by a client that sent it twice): the CA refuses what it has begun already. */
static int tell_ca(struct run *r, struct authz *a, struct acme_challenge *c, struct err *err)
{
	struct acme_session *s = run_session(r, err);
	_cleanup_err_ struct err why = { 0 };

	if (!s)
		return -(int)err->code;
	if (acme_challenge_accept(s, a->challenge_url, c, err) == 0)
		return 0;
	if (err->code == ERR_REMOTE_REFUSED && !r->e->crashed && look_again(r, a, &why) == 1) {
		err_clear(err);
		return 1;
	}
	return err_wrap(err, "could not tell the authority to look at '%s'", a->identifier);
}

int step_accept(struct run *r, struct verdict *v, struct err *err)
{
	int rc;

	for (size_t i = 0; i < r->authz.n; i++) {
		struct authz *a = &r->authz.v[i];
		_cleanup_acme_challenge_ struct acme_challenge c = { 0 };

		if (!run_needs(r, a))
			continue;
		if (!r->authz_seen[i]) /* looks before it acts: perhaps it was told before the crash */
			return look_again(r, a, err) < 0 ? -(int)err->code : go(v, r, STEP_ACCEPT, true);
		rc = tell_ca(r, a, &c, err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			return go(v, r, STEP_ACCEPT, true);
		a->accepted = true;
		if (c.status)
			a->challenge_status = challenge_status_of(c.status);
		r->retry_after_ms = MAX(r->retry_after_ms, c.retry_after_ms);
		authz_changed(r, a);
		return go(v, r, STEP_ACCEPT, true);
	}
	run_event(r, EVENT_INFO, NULL, "told the authority to look");
	*v = (struct verdict){ .next = STEP_VALIDATE, .due_ms = engine_now(r->e) + run_wait(r, poll_clock(r->e, 0)) };
	return 0;
}

/* ---- watching it ---- */

static struct authz *next_pending(struct run *r, size_t *ret_pending)
{
	struct authz *first = NULL;

	*ret_pending = 0;
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz.v[i].status == AUTHZ_PENDING) {
			++*ret_pending;
			first = first ? first : &r->authz.v[i];
		}
	return first;
}

static int still_waiting(struct run *r, struct verdict *v)
{
	return wait_span(v, r, run_wait(r, poll_clock(r->e, r->o.polls + 1)));
}

/* The word may have been lost on its way (an answer of something between us and the CA): waits grow with the order's age. */
bool told_long_ago(const struct run *r)
{
	int64_t now = engine_now(r->e);

	return now - r->o.step_since_ms >= MAX(MINUTE_MS, (now - r->o.created_ms) / 4);
}

/* Each is looked at again, and told again if the CA has not begun with it (RFC 8555 8.2): not before it wants to be asked again. */
static int tell_again(struct run *r, struct verdict *v)
{
	int64_t span = run_wait(r, 0);

	for (size_t i = 0; i < r->authz.n; i++) {
		struct authz *a = &r->authz.v[i];

		if (a->status != AUTHZ_PENDING)
			continue;
		a->accepted = false;
		r->authz_seen[i] = 0;
		authz_changed(r, a);
	}
	*v = (struct verdict){ .next = STEP_ACCEPT, .due_ms = engine_now(r->e) + span };
	return 0;
}

static int validate_one(struct run *r, struct authz *a, struct verdict *v, struct err *err)
{
	_cleanup_acme_authz_ struct acme_authz now = { 0 };
	enum challenge_status before = a->challenge_status;
	_cleanup_free_ char *said = xstrdup_null(a->reason);
	unsigned char dirty = r->authz_dirty[a - r->authz.v];
	size_t pending;

	if (read_again(r, a, &now, err) < 0)
		return -(int)err->code;
	if (a->status == AUTHZ_VALID) {
		proved(r, a);
		run_event(r, EVENT_INFO, NULL, "the authority has validated '%s'", a->identifier);
		next_pending(r, &pending);
		return go(v, r, pending ? STEP_VALIDATE : STEP_CONFIRM, true);
	}
	if (a->status != AUTHZ_PENDING)
		return refused(r, &now, a, err);
	if (r->hunting)
		return 1;
	if (a->challenge_status == CHALLENGE_PENDING && told_long_ago(r))
		return tell_again(r, v);
	/* nothing new: a poll that changes nothing writes one column */
	if (a->challenge_status == before && streq(a->reason ? a->reason : "", said ? said : ""))
		r->authz_dirty[a - r->authz.v] = dirty;
	else
		r->dirty = true;
	return still_waiting(r, v);
}

/* Several names: one look at the order says whether all are through; the authorizations are read only to learn who is not. */
static int validate_many(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_order_ struct acme_order o = { 0 };
	struct acme_session *s = run_session(r, err);

	if (!s || acme_order_get(s, r->o.url, &r->o.names, &o, err) < 0)
		return err_wrap(err, "could not read the order");
	r->retry_after_ms = MAX(r->retry_after_ms, o.retry_after_ms);
	if (o.status == ACME_ORDER_PENDING)
		return told_long_ago(r) ? tell_again(r, v) : still_waiting(r, v);
	if (o.status == ACME_ORDER_INVALID) {
		r->hunting = true;
		memset(r->authz_seen, 0, sizeof r->authz_seen);
		return go(v, r, STEP_VALIDATE, true);
	}
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz.v[i].status == AUTHZ_PENDING)
			proved(r, &r->authz.v[i]);
	run_event(r, EVENT_INFO, NULL, "the authority has validated all names");
	return order_follow(r, &o, v, err) < 0 ? -(int)err->code : 0;
}

int step_validate(struct run *r, struct verdict *v, struct err *err)
{
	size_t pending;
	struct authz *a = next_pending(r, &pending);
	int rc;

	if (!a)
		return go(v, r, STEP_CONFIRM, true);
	if (!r->hunting)
		return pending == 1 ? validate_one(r, a, v, err) : validate_many(r, v, err);
	for (size_t i = 0; i < r->authz.n; i++) {
		if (r->authz_seen[i] || r->authz.v[i].status != AUTHZ_PENDING)
			continue;
		rc = validate_one(r, &r->authz.v[i], v, err);
		if (rc == 1)
			return go(v, r, STEP_VALIDATE, true);
		if (rc == 0 && v->next == STEP_CONFIRM)
			break;
		return rc;
	}
	/* no authorization tells: the order itself may */
	return go(v, r, STEP_CONFIRM, true);
}
