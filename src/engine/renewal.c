/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - how a renewal comes into being, and what people may say about renewals; see renewal.h. */
#include "engine/renewal.h"

#include "base/json.h"
#include "base/random.h"
#include "engine/notice.h"
#include "engine/private.h"
#include "store/order_option.h"
#include "store/renewal.h"

#include <stdio.h>

#define PAUSE_META "renewal_pause"

/* ---- the order ---- */

static int under_way(struct sql *tx, const char *certificate_id, struct order_taken *ret, bool *ret_found, struct err *err)
{
	_cleanup_free_ char *id = NULL;
	_cleanup_order_ struct order o = { 0 };

	*ret_found = false;
	if (store_order_find_renewal(tx, certificate_id, &id, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	if (store_order_get_any(tx, id, &o, err) < 0)
		return -(int)err->code;
	*ret = (struct order_taken){ .num = o.num, .existing = true };
	snprintf(ret->id, sizeof ret->id, "%s", o.id);
	*ret_found = true;
	return 0;
}

/* A certificate whose automatic renewal is off can still be renewed by a person: it has all that an order needs. */
static int may_renew(const struct certificate *c, struct err *err)
{
	if (c->account_id && !str_empty(c->validation))
		return 0;
	if (!c->managed) {
		err_set(err, ERR_CONFLICT, "certificate %" PRId64 " is only watched, it is not renewed from here", c->num);
		return err_hint(err, "Take it over first: give it an account and a way to validate its names.");
	}
	return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " has no account to order from", c->num);
}

/* Its own CSR again, another one that was given, or none: then a new key of the same type is made. */
static int choose_csr(struct sql *tx, const struct renewal_request *r, const struct certificate *c, const char **ret, struct err *err)
{
	_cleanup_csr_ struct csr csr = { 0 };

	*ret = r->csr_id ? r->csr_id : streq(c->key_policy, "reuse") ? c->csr_id : NULL;
	if (!*ret)
		return streq(c->key_policy, "reuse") ?
			       err_set(err, ERR_CONFLICT, "the CSR of certificate %" PRId64 " is not there any more", c->num) : 0;
	if (store_csr_get(tx, *ret, &csr, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		if (r->csr_id)
			return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR '%s'", r->csr_id);
		err_set(err, ERR_CONFLICT, "the CSR of certificate %" PRId64 " was deleted", c->num);
		return err_hint(err, "Upload a CSR with the same names and renew with it.");
	}
	if (!strlist_equal(&csr.names, &c->names)) {
		_cleanup_free_ char *names = strlist_join(&c->names, ", ");

		err_set_field(err, ERR_INVALID, "/csr_id", "the CSR is not for the names of certificate %" PRId64, c->num);
		return err_hint(err, "The names are: %s.", names);
	}
	return 0;
}

int renewal_intake(struct sql *tx, const struct renewal_request *r, struct order_taken *ret, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	struct order_request q = {
		.id = r->order_id, .certificate_id = r->certificate_id, .mode = MODE_AUTOMATIC, .requester = r->requester,
		.urgent = r->urgent, .now_ms = r->now_ms,
	};
	_cleanup_order_options_ struct order_options options = { 0 };
	bool found = false;

	if (store_certificate_get(tx, r->certificate_id, &c, err) < 0 || under_way(tx, c.id, ret, &found, err) < 0)
		return -(int)err->code;
	if (found)
		return 0;
	if (may_renew(&c, err) < 0 || choose_csr(tx, r, &c, &q.csr_id, err) < 0)
		return -(int)err->code;
	if (!validation_parse(c.validation, &q.validation))
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " does not say how its names are validated", c.num);
	q.account_id = c.account_id;
	q.names = &c.names;
	q.methods = c.methods;
	q.dns_method = q.validation == VALIDATION_DNS01 ? c.dns_method : NULL;
	q.http_method = q.validation == VALIDATION_HTTP01 ? c.http_method : NULL;
	q.profile = c.profile;
	if (store_order_options_of_certificate(tx, c.id, &options, err) < 0)
		return -(int)err->code;
	q.options = options;
	q.key_type = q.csr_id ? NULL : c.key_type;
	return order_intake(tx, &q, ret, err);
}

int renewal_forget(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err)
{
	_cleanup_renewal_ struct renewal n = { 0 };
	struct order_taken live = { 0 };
	bool found = false;

	if (under_way(tx, certificate_id, &live, &found, err) < 0 || (found && order_delete(tx, live.id, now_ms, err) < 0) ||
	    notice_end_certificate(tx, certificate_id, NULL, now_ms, err) < 0)
		return -(int)err->code;
	if (store_renewal_get(tx, certificate_id, &n, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	n.ari_next_ms = n.install_since_ms = 0;
	return store_renewal_put(tx, &n, err);
}

/* ---- stopping all of it ---- */

void renewal_pause_done(struct renewal_pause *p)
{
	free(p->reason);
	free(p->by);
	*p = (struct renewal_pause){ 0 };
}

int renewal_pause_get(struct sql *q, int64_t now_ms, struct renewal_pause *ret, bool *ret_on, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *j = NULL;
	_cleanup_err_ struct err why = ERR_INIT;

	*ret_on = false;
	renewal_pause_done(ret);
	if (store_meta_get(q, PAUSE_META, &text, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	if (json_parse(text, strlen(text), &j, err) < 0)
		return err_wrap(err, "could not read whether renewals are stopped");
	if (!json_is_true(json_object_get(j, "on")))
		return 0;
	ret->since_ms = json_integer_value(json_object_get(j, "since"));
	ret->until_ms = json_integer_value(json_object_get(j, "until"));
	ret->reason = xstrdup_null(json_string_value(json_object_get(j, "reason")));
	ret->by = xstrdup_null(json_string_value(json_object_get(j, "by")));
	*ret_on = !ret->until_ms || now_ms < ret->until_ms;
	return 0;
}

static int pause_put(struct sql *tx, const struct renewal_pause *p, bool on, struct err *err)
{
	json_t *j = json_pack("{s:b, s:I, s:I, s:s, s:s}", "on", on, "since", (json_int_t)p->since_ms, "until", (json_int_t)p->until_ms,
			      "reason", p->reason ? p->reason : "", "by", p->by ? p->by : "");
	_cleanup_free_ char *text = json_text(j);

	json_decref(j);
	return store_meta_set(tx, PAUSE_META, text, err);
}

int renewal_pause_set(struct sql *tx, const struct renewal_pause *p, int64_t now_ms, struct err *err)
{
	char until[CLOCK_TEXT];
	_cleanup_free_ char *cause = xasprintf("%s stopped all automatic renewals%s%s: %s", p->by, p->until_ms ? " until " : "",
					       p->until_ms ? clock_format(p->until_ms, until) : "", p->reason);
	struct notice_cause n = {
		.kind = NOTICE_STOPPED, .subject_kind = "server", .subject_id = "renewals", .cause = cause,
		.next_step = "Resume renewals before the first certificate expires.", .remind_ms = now_ms + DAY_MS, .now_ms = now_ms,
	};

	if (pause_put(tx, p, true, err) < 0)
		return err_wrap(err, "could not stop renewals");
	return notice_raise(tx, &n, err);
}

int renewal_resume(struct sql *tx, int64_t now_ms, struct err *err)
{
	if (pause_put(tx, &(struct renewal_pause){ .since_ms = now_ms }, false, err) < 0)
		return err_wrap(err, "could not resume renewals");
	if (notice_end(tx, NOTICE_STOPPED, "server", "renewals", now_ms, err) < 0)
		return -(int)err->code;
	return store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, now_ms, err);
}

/* ---- one certificate ---- */

int renewal_retry(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };

	if (store_certificate_get(tx, certificate_id, &c, err) < 0 || may_renew(&c, err) < 0)
		return -(int)err->code;
	if (!c.managed)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " is not renewed by itself: switch that on, or renew it", c.num);
	replace_str(&c.pause_reason, NULL);
	if (c.renew_at_ms > now_ms) {
		c.next_attempt_ms = c.renew_at_ms;
	} else {
		c.next_attempt_ms = now_ms;
		if (store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, now_ms, err) < 0)
			return -(int)err->code;
	}
	c.attempt = 0;
	return store_certificate_plan(tx, &c, err);
}

static uint64_t below(void *arg, uint64_t limit)
{
	(void)arg;
	return random_below(limit);
}

/* The window that the authority suggests is asked for anew: the instant is chosen as for a certificate that was just issued. */
static int plan_anew(struct sql *tx, struct certificate *c, int64_t now_ms, struct err *err)
{
	const struct renewal_dice dice = { below, NULL };
	_cleanup_renewal_ struct renewal n = { 0 };

	c->renew_at_ms = renewal_when_fraction(c->not_before_ms, c->not_after_ms, &dice);
	c->next_attempt_ms = MAX(c->renew_at_ms, now_ms);
	c->attempt = 0;
	replace_str(&c->pause_reason, NULL);
	if (renewal_load(tx, c->id, &n, err) < 0)
		return -(int)err->code;
	n.window_start_ms = n.window_end_ms = n.failing_since_ms = 0;
	n.why = RENEWAL_BY_FRACTION;
	n.waits = WAITS_NOTHING;
	replace_str(&n.reason, NULL);
	if (!n.version_id)
		replace_str(&n.version_id, c->version_id);
	n.ari_next_ms = n.ari_id && n.directory_url ? now_ms : 0;
	if (store_renewal_put(tx, &n, err) < 0 || (n.ari_next_ms && renewal_info_wanted(tx, n.directory_url, now_ms, err) < 0))
		return -(int)err->code;
	return store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, c->next_attempt_ms, err);
}

/* Nobody is asked and told about it any more, but that it expires. */
static int plan_nothing(struct sql *tx, struct certificate *c, int64_t now_ms, struct err *err)
{
	_cleanup_renewal_ struct renewal n = { 0 };

	c->renew_at_ms = c->next_attempt_ms = 0;
	if (renewal_load(tx, c->id, &n, err) < 0)
		return -(int)err->code;
	n.ari_next_ms = 0;
	n.waits = WAITS_NOTHING;
	if (store_renewal_put(tx, &n, err) < 0)
		return -(int)err->code;
	return notice_end_certificate(tx, c->id, NULL, now_ms, err);
}

int renewal_automatic(struct sql *tx, const char *certificate_id, bool on, int64_t now_ms, bool *ret_changed, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	const enum notice_kind watched = NOTICE_EXPIRING;

	*ret_changed = false;
	if (store_certificate_get(tx, certificate_id, &c, err) < 0)
		return -(int)err->code;
	if (c.managed == on)
		return 0;
	if (on && may_renew(&c, err) < 0)
		return -(int)err->code;
	c.managed = on;
	c.updated_ms = now_ms;
	if ((on ? plan_anew(tx, &c, now_ms, err) : plan_nothing(tx, &c, now_ms, err)) < 0 ||
	    (on && notice_end_certificate(tx, c.id, &watched, now_ms, err) < 0) || store_certificate_put(tx, &c, 0, err) < 0)
		return -(int)err->code;
	*ret_changed = true;
	return 0;
}

int renewal_installed(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err)
{
	_cleanup_renewal_ struct renewal n = { 0 };
	const enum notice_kind kind = NOTICE_INSTALL;

	if (store_renewal_get(tx, certificate_id, &n, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	if (!n.install_since_ms)
		return 0;
	n.install_since_ms = 0;
	if (store_renewal_put(tx, &n, err) < 0)
		return -(int)err->code;
	return notice_end_certificate(tx, certificate_id, &kind, now_ms, err);
}
