/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_issue.c - from a validated order to a stored certificate: confirm, finalize, collect, download (RFC 8555 7.4, 7.4.2). Key, CSR
 * and order URL are durable before finalize; what the CA hands out is judged before anybody sees it.
 */
#include "engine/private.h"

#include "base/log.h"

#define NOT_READY_MAX 5 /* quick tries, then it is an error like others */

static int wait_poll(struct verdict *v, struct run *r, enum order_step next)
{
	/* once finalize was sent the count goes on from step to step, see enter() */
	int64_t polls = next == r->o.step ? r->o.polls + 1 : r->o.finalize_sent ? r->o.polls : 0;

	*v = (struct verdict){
		.next = next, .due_ms = engine_now(r->e) + run_wait(r, poll_clock(r->e, polls)), .waiting = next == r->o.step,
	};
	return 0;
}

static int get_order(struct run *r, struct acme_order *ret, struct err *err)
{
	struct acme_session *s = run_session(r, err);

	if (!s || acme_order_get(s, r->o.url, &r->o.names, ret, err) < 0)
		return err_wrap(err, "could not read the order");
	if (ret->finalize_url)
		replace_str(&r->o.finalize_url, ret->finalize_url);
	if (ret->certificate_url)
		replace_str(&r->o.certificate_url, ret->certificate_url);
	if (ret->expires_ms)
		r->o.ca_expires_ms = ret->expires_ms;
	r->retry_after_ms = MAX(r->retry_after_ms, ret->retry_after_ms);
	return 0;
}

static void turn_over(struct run *r)
{
	if (!r->o.holds_turn)
		return;
	r->o.holds_turn = false;
	r->release_turn = true;
}

/* The CA is ready. Automatic orders go on; the others wait here for Finalize Order. */
static int ready(struct run *r, struct verdict *v)
{
	bool told = r->o.status == ORDER_READY;

	r->o.status = ORDER_READY;
	if (r->o.mode == MODE_AUTOMATIC || r->o.want_finalize || r->o.finalize_sent) { /* told once is told */
		r->o.finalize_sent = true; /* durable with this verdict, before it is sent */
		r->fresh_ready = true;
		if (r->o.want_finalize)
			r->served |= BIT(WANT_FINALIZE);
		return verdict_go(v, r, STEP_FINALIZE, false);
	}
	*v = (struct verdict){
		.next = STEP_CONFIRM, .due_ms = r->o.ca_expires_ms ? r->o.ca_expires_ms : engine_now(r->e) + DAY_MS,
		.waiting = told && r->o.step == STEP_CONFIRM,
	};
	if (!told)
		run_event(r, EVENT_INFO, NULL, "ready: waits for Finalize Order");
	return 0;
}

int order_follow(struct run *r, const struct acme_order *a, struct verdict *v, struct err *err)
{
	switch (a->status) {
	case ACME_ORDER_PENDING:
		wait_poll(v, r, STEP_CONFIRM);
		return 0;
	case ACME_ORDER_READY:
		ready(r, v);
		return 1;
	case ACME_ORDER_PROCESSING:
		r->o.status = ORDER_PROCESSING;
		turn_over(r);
		wait_poll(v, r, STEP_COLLECT);
		return 1;
	case ACME_ORDER_VALID:
		r->o.status = ORDER_PROCESSING; /* valid is shown when the certificate is stored */
		turn_over(r);
		if (!r->o.certificate_url)
			return err_set(err, ERR_REMOTE_BAD, "the authority calls the order valid and names no certificate");
		verdict_go(v, r, STEP_DOWNLOAD, r->o.step != STEP_CREATE);
		return 1;
	case ACME_ORDER_INVALID:
		if (a->error.type)
			return problem_err(err, &a->error, "the authority refused the order");
		return err_set(err, ERR_REMOTE_REFUSED, "the authority calls the order invalid");
	}
	abort();
}

/*
 * All names are proved as far as we know, and the authority goes on calling the order pending: what it says about each is read again.
 * An order without an end of its own gets one, so that this cannot go on for ever.
 */
static int read_again(struct run *r, struct verdict *v)
{
	run_event(r, EVENT_WARNING, NULL, "the authority calls the order pending although all names were proved; its authorizations are read again");
	if (!r->o.ca_expires_ms)
		r->o.ca_expires_ms = engine_now(r->e) + 7 * DAY_MS;
	r->urls_known = false;
	return verdict_go(v, r, STEP_AUTHORIZE, false);
}

int step_confirm(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_order_ struct acme_order a = { 0 };

	if (get_order(r, &a, err) < 0)
		return -(int)err->code;
	if (a.status == ACME_ORDER_PENDING && !r->o.finalize_sent && told_long_ago(r))
		return read_again(r, v);
	return order_follow(r, &a, v, err) < 0 ? -(int)err->code : 0;
}

/* A profile may go between newOrder and finalize. Nothing was issued: the order is made anew without, if that was allowed. */
static bool without_profile(struct run *r, const struct acme_session *s, struct err *err)
{
	if (!r->o.options.profile_fallback || r->o.options.profile_dropped || !acme_problem_is(&s->refusal.problem, "invalidProfile"))
		return false;
	run_event(r, EVENT_WARNING, NULL, "the authority does not issue profile '%s' any more; ordering anew without a profile, as was allowed",
		  r->o.profile);
	r->drop_profile = r->o.options.profile_dropped = true;
	r->o.finalize_sent = false;
	r->o.status = ORDER_PENDING;
	replace_str(&r->o.url, NULL);
	replace_str(&r->o.finalize_url, NULL);
	replace_str(&r->o.certificate_url, NULL);
	strlist_clear(&r->urls);
	r->urls_known = false;
	err_clear(err);
	return true;
}

int step_finalize(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_order_ struct acme_order a = { 0 };
	struct acme_session *s = run_session(r, err);

	if (!s)
		return -(int)err->code;
	if (!r->has_csr)
		return err_set(err, ERR_INTERNAL, "order %" PRId64 " has no CSR", r->o.num);
	if (!r->fresh_ready) { /* looks before it acts: finalize may have been sent before the crash */
		if (get_order(r, &a, err) < 0)
			return -(int)err->code;
		if (a.status != ACME_ORDER_READY)
			return order_follow(r, &a, v, err) < 0 ? -(int)err->code : 0;
		r->fresh_ready = true;
		return verdict_go(v, r, STEP_FINALIZE, true);
	}
	r->fresh_ready = false;
	if (acme_order_finalize(s, r->o.url, r->o.finalize_url, r->csr.der, r->csr.der_n, &r->o.names, &a, err) < 0) {
		if (without_profile(r, s, err))
			return verdict_go(v, r, STEP_CREATE, false);
		if (err->code != ERR_CONFLICT)
			return err_wrap(err, "could not finalize the order");
		err_clear(err);
		if (r->o.polls >= NOT_READY_MAX)
			return err_set(err, ERR_REMOTE_BAD, "the authority calls the order ready, and refuses to finalize it because it is not");
		/* orderNotReady: the order says what it is, and is asked before finalize is sent again */
		return wait_poll(v, r, STEP_FINALIZE);
	}
	if (a.certificate_url)
		replace_str(&r->o.certificate_url, a.certificate_url);
	r->retry_after_ms = MAX(r->retry_after_ms, a.retry_after_ms);
	run_event(r, EVENT_INFO, NULL, "finalized: the CSR was sent");
	turn_over(r);
	r->o.status = ORDER_PROCESSING;
	if (a.status == ACME_ORDER_READY || a.status == ACME_ORDER_PENDING || (a.status == ACME_ORDER_VALID && !r->o.certificate_url))
		return wait_poll(v, r, STEP_COLLECT);
	return order_follow(r, &a, v, err) < 0 ? -(int)err->code : 0;
}

/* "Ready" after finalize: some need a moment, some lost it and want it again. After 5, 10, 20, 40 ... looks, which is after 17 s first. */
static bool lost_finalize(const struct run *r)
{
	int64_t n = r->o.polls / 5;

	return r->o.polls && r->o.polls % 5 == 0 && !(n & (n - 1));
}

int step_collect(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_order_ struct acme_order a = { 0 };

	if (get_order(r, &a, err) < 0)
		return -(int)err->code;
	if (a.status == ACME_ORDER_PENDING || a.status == ACME_ORDER_PROCESSING || (a.status == ACME_ORDER_READY && !lost_finalize(r)))
		return wait_poll(v, r, STEP_COLLECT);
	if (a.status == ACME_ORDER_READY) {
		r->o.polls++; /* this look is not counted by waiting */
		run_event(r, EVENT_WARNING, NULL, "the authority still calls the order ready although the CSR was sent; it is sent again");
	}
	return order_follow(r, &a, v, err) < 0 ? -(int)err->code : 0;
}

/* ---- the certificate ---- */

static void fill_version(struct run *r, const struct chain *c, const char *pem, enum version_state state, const struct err *why)
{
	const struct cert_info *i = &c->v[0].info;

	r->version = (struct version){
		.id = xstrdup(ulid_new(engine_now(r->e)).s), .certificate_id = xstrdup(r->certificate.id), .order_id = xstrdup(r->o.id),
		.key_id = state == VERSION_EVIDENCE ? NULL : xstrdup_null(r->csr.key_id), .state = state, .serial = xstrdup(i->serial),
		.subject = xstrdup(i->subject), .issuer = xstrdup(i->issuer), .fingerprint = xstrdup(i->fingerprint),
		.public_hash = xstrdup(i->public_hash), .key_type = xstrdup(i->key_type.s), .not_before_ms = i->not_before_ms,
		.not_after_ms = i->not_after_ms, .chain = xstrdup(pem), .reason = why ? err_to_json_text(why) : NULL,
		.created_ms = engine_now(r->e),
	};
	strlist_copy(&r->version.names, &i->names);
	r->has_version = true;
}

static void new_certificate(struct run *r)
{
	r->certificate = (struct certificate){
		.id = xstrdup(ulid_new(engine_now(r->e)).s), .source = xstrdup("issued"), .names_hash = xstrdup(r->o.names_hash),
		.account_id = xstrdup(r->o.account_id), .csr_id = xstrdup(r->csr.id), .validation = xstrdup(validation_text(r->o.validation)),
		.dns_method = xstrdup_null(r->o.dns_method), .http_method = xstrdup_null(r->o.http_method),
		.methods = xstrdup_null(r->o.methods),
		.profile = xstrdup_null(r->o.profile), .key_policy = xstrdup(r->csr.key_id ? "new" : "reuse"),
		.key_type = xstrdup(r->csr.key_type), .managed = true, .status = CERTIFICATE_ACTIVE, .created_ms = engine_now(r->e),
		.updated_ms = engine_now(r->e),
	};
	strlist_copy(&r->certificate.names, &r->o.names);
	r->new_certificate = true;
	replace_str(&r->o.certificate_id, r->certificate.id);
}

static int read_certificate(struct sql *q, void *arg, struct err *err)
{
	struct run *r = arg;

	certificate_done(&r->certificate);
	return store_certificate_get(q, r->o.certificate_id, &r->certificate, err);
}

/* The lineage: the order's own, or a new one when it had none (or it was deleted meanwhile). */
static int lineage(struct run *r, struct err *err)
{
	certificate_done(&r->certificate);
	if (r->o.certificate_id) {
		_cleanup_err_ struct err why = { 0 };

		if (engine_read(r->e, read_certificate, r, &why) == 0) {
			r->put_certificate = r->renewal = true;
			return 0;
		}
		if (why.code != ERR_NOT_FOUND)
			return err_move(err, &why);
	}
	new_certificate(r);
	return 0;
}

static void ended(struct run *r, struct verdict *v)
{
	*v = (struct verdict){ .next = STEP_DONE, .due_ms = engine_now(r->e) };
	r->o.status = ORDER_VALID;
	r->o.ended_ms = engine_now(r->e);
	r->o.holds_turn = false;
	r->release_turn = true;
	r->end_debts = true;
}

static int accepted(struct run *r, const struct chain *c, const char *pem, struct verdict *v, struct err *err)
{
	const struct cert_info *i = &c->v[0].info;
	struct renewal_dice dice = engine_dice(r->e);
	_cleanup_err_ struct err no = ERR_INIT;
	char until[CLOCK_TEXT];

	if (lineage(r, err) < 0)
		return -(int)err->code;
	replace_str(&r->ari_id, NULL);
	if (cert_ari_id(i, &r->ari_id, &no) < 0)
		log_debug("no renewal information for a certificate without a key identifier", "serial", i->serial);
	fill_version(r, c, pem, VERSION_CURRENT, NULL);
	r->certificate.not_before_ms = i->not_before_ms;
	r->certificate.not_after_ms = i->not_after_ms;
	r->certificate.renew_at_ms = renewal_when_fraction(i->not_before_ms, i->not_after_ms, &dice);
	r->certificate.next_attempt_ms = r->certificate.renew_at_ms;
	r->certificate.attempt = 0;
	r->certificate.status = CERTIFICATE_ACTIVE;
	r->certificate.updated_ms = engine_now(r->e);
	replace_str(&r->certificate.csr_id, r->csr.id);
	replace_str(&r->certificate.key_type, r->csr.key_type);
	replace_str(&r->certificate.pause_reason, NULL);
	run_event(r, EVENT_INFO, NULL, "certificate %s from %s, valid until %s", i->serial, i->issuer_cn ? i->issuer_cn : i->issuer,
		  clock_format(i->not_after_ms, until));
	ended(r, v);
	return 0;
}

/* Not what was ordered: kept as evidence, the certificate set aside for a person; the one before stays current. */
static int refused_certificate(struct run *r, const struct chain *c, const char *pem, struct err *take_why, struct verdict *v, struct err *err)
{
	if (lineage(r, err) < 0)
		return -(int)err->code;
	fill_version(r, c, pem, VERSION_EVIDENCE, take_why);
	r->certificate.status = CERTIFICATE_SET_ASIDE;
	free(r->certificate.pause_reason);
	r->certificate.pause_reason = err_to_json_text(take_why);
	r->certificate.next_attempt_ms = 0;
	r->certificate.updated_ms = engine_now(r->e);
	run_fail(r, v, take_why);
	v->next = STEP_FAILED;
	r->o.set_aside = true;
	return 0;
}

/* The chain whose top was asked for, if the CA offers it; its default otherwise (DECISIONS 46). */
static int prefer(struct run *r, struct acme_session *s, struct acme_chain *pem, struct err *err)
{
	const char *wanted = r->o.options.preferred_chain ? r->o.options.preferred_chain : r->account.preferred_issuer;
	_cleanup_chain_ struct chain c = { 0 };

	if (str_empty(wanted) || !pem->alternates.n)
		return 0;
	if (chain_parse(pem->pem, strlen(pem->pem), &c, err) < 0)
		return -(int)err->code;
	if (chain_has_issuer(&c, wanted))
		return 0;
	for (size_t i = 0; i < pem->alternates.n; i++) {
		_cleanup_acme_chain_ struct acme_chain alt = { 0 };
		_cleanup_chain_ struct chain ac = { 0 };
		_cleanup_err_ struct err why = { 0 };

		if (acme_certificate_get(s, pem->alternates.v[i], &alt, &why) < 0 || chain_parse(alt.pem, strlen(alt.pem), &ac, &why) < 0)
			continue;
		if (!chain_has_issuer(&ac, wanted))
			continue;
		free(pem->pem);
		pem->pem = xstrdup(alt.pem);
		return 0;
	}
	run_event(r, EVENT_WARNING, NULL, "the authority offers no chain to '%s'; its default is taken", wanted);
	return 0;
}

int step_download(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_chain_ struct acme_chain got = { 0 };
	_cleanup_chain_ struct chain c = { 0 };
	_cleanup_err_ struct err why = { 0 };
	struct chain_expect want = { .public_hash = r->csr.public_hash, .names = &r->o.names, .now_ms = engine_now(r->e) };
	struct acme_session *s = run_session(r, err);

	if (!s)
		return -(int)err->code;
	if (!r->o.certificate_url)
		return verdict_go(v, r, STEP_COLLECT, true);
	if (acme_certificate_get(s, r->o.certificate_url, &got, err) < 0)
		return err_wrap(err, "could not fetch the certificate");
	if (prefer(r, s, &got, &why) < 0 || chain_parse(got.pem, strlen(got.pem), &c, &why) < 0) {
		/* not even a chain: the CA may mend it, a new certificate must not be asked for */
		_cleanup_free_ char *text = err_text(&why);

		return err_set(err, ERR_REMOTE_BAD, "the authority handed out a certificate that cannot be read: %s", text);
	}
	if (chain_check(&c, &want, &why) < 0)
		return refused_certificate(r, &c, got.pem, &why, v, err);
	return accepted(r, &c, got.pem, v, err);
}
