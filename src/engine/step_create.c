/* SPDX-License-Identifier: Apache-2.0 */
/* step_create.c - from the wish to an order at the CA: the turn for its names, key and CSR, newOrder (RFC 8555 7.4). */
#include "engine/private.h"

#define STORED_TOGETHER 3

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
		return verdict_go(v, r, STEP_CREATE, true);
	}
	if (!r->o.waiting_for || !streq(r->o.waiting_for, t.holder)) {
		replace_str(&r->o.waiting_for, t.holder);
		run_event(r, EVENT_INFO, NULL, "waits for order %" PRId64 ", which is under way for the same names with another CSR", t.num);
		*v = (struct verdict){ .next = STEP_QUEUED, .due_ms = engine_now(r->e) + 5 * MINUTE_MS };
		free(t.holder);
		return 0;
	}
	free(t.holder);
	return verdict_wait(v, r, 5 * MINUTE_MS);
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

void order_take(struct run *r, const struct acme_order *a)
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
		return verdict_wait(v, r, 10 * MINUTE_MS);
	default:
		return -(int)err->code;
	}
	if (!r->o.csr_id) {
		if (make_csr(r, err) < 0)
			return -(int)err->code;
		run_event(r, EVENT_INFO, NULL, "made a key (%s) and a CSR", r->o.key_type);
		return verdict_go(v, r, STEP_CREATE, true);
	}
	if (r->account.status != ACCOUNT_VALID || !r->account.url)
		return err_set(err, ERR_NEEDS_PERSON, "account '%s' is not registered", r->account.name);
	if (r->o.url) /* was stored, and the crash came before the next step */
		return verdict_go(v, r, STEP_AUTHORIZE, true);
	s = run_session(r, err);
	if (!s || acme_order_new(s, &q, &a, err) < 0)
		return err_wrap(err, "could not place the order at %s", r->account.directory_url);
	replace_str(&r->o.url, a.url);
	order_take(r, &a);
	r->o.status = ORDER_PENDING;
	tell_dropped(r, &q, &a);
	if (a.dropped_replaces)
		run_event(r, EVENT_WARNING, NULL, "the authority did not take it as the replacement of the certificate before; ordered without saying so");
	run_event(r, EVENT_INFO, NULL, "the authority took the order (%zu authorization%s)", a.authz_urls.n, a.authz_urls.n == 1 ? "" : "s");
	/* with few names the URL is stored with the authorizations, a request or two later: a crash between is an order asked for twice */
	if (a.status == ACME_ORDER_PENDING)
		return verdict_go(v, r, STEP_AUTHORIZE, a.authz_urls.n <= STORED_TOGETHER);
	if (order_follow(r, &a, v, err) < 0)
		return -(int)err->code;
	v->keep = false; /* the order URL is durable before anything else */
	return 0;
}
