/* SPDX-License-Identifier: Apache-2.0 */
/* step_authorize.c - the authorizations of an order: read, judged, and a record made for each that is to be proved (RFC 8555 7.5). */
#include "engine/private.h"

#include "base/base64.h"

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

enum challenge_status challenge_status_of(enum acme_challenge_status s)
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
int authz_read_again(struct run *r, struct authz *a, struct acme_authz *ret, struct err *err)
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
int authz_refused(struct run *r, const struct acme_authz *a, struct authz *row, struct err *err)
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
	return verdict_go(v, r, pending ? STEP_PUBLISH : STEP_CONFIRM, false);
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
		order_take(r, &o);
		if (o.status != ACME_ORDER_PENDING)
			return order_follow(r, &o, v, err) < 0 ? -(int)err->code : 0;
		return verdict_go(v, r, STEP_AUTHORIZE, true);
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
		return verdict_go(v, r, STEP_AUTHORIZE, true);
	return authorized(r, v, err);
}
