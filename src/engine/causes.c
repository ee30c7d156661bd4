/* SPDX-License-Identifier: Apache-2.0 */
/*
 * causes.c - what refuses many at once, told as one notice: a provider's credential, an authority, what could not be withdrawn. Raised
 * where it becomes known, ended where it is over; and a daily look ends what nothing says any more (nobody asks a free authority).
 */
#include "engine/notice.h"
#include "engine/private.h"
#include "store/notice.h"
#include "store/provider.h"
#include "store/renewal.h"

#define TOLD_MS (15 * MINUTE_MS) /* an authority that refuses for less is nobody's business */
#define CERTIFICATES 200
#define OPEN_MOST 500

int cause_credential(struct sql *tx, const struct provider *p, const struct err *why, int64_t now_ms, struct err *err)
{
	_cleanup_certificate_list_ struct certificate_list l = { 0 };
	_cleanup_free_ char *text = err_text(why), *cause = xasprintf("provider '%s' does not take its credential any more: %s", p->name, text);
	struct notice_cause n = {
		.kind = NOTICE_CREDENTIAL, .subject_kind = "method", .subject_id = p->id, .cause = cause, .now_ms = now_ms,
		.next_step = "Enter a new credential and press Test and save: what waits for it goes on then.",
	};

	if (notice_raise(tx, &n, err) < 0 || store_certificate_by_method(tx, p->id, CERTIFICATES, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		n.certificate = &l.v[i];
		if (notice_raise(tx, &n, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int cause_credential_over(struct sql *tx, const char *provider_id, int64_t now_ms, struct err *err)
{
	return notice_end(tx, NOTICE_CREDENTIAL, "method", provider_id, now_ms, err);
}

int cause_parked(struct sql *tx, const char *lane, int64_t until_ms, const char *reason, const char *certificate_id, int64_t now_ms, struct err *err)
{
	const char *url = str_starts(lane, LANE_VENDOR) ? lane + strlen(LANE_VENDOR) : NULL;
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_json_ json_t *j = json_text_or_null(reason);
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *text = NULL, *cause = NULL;
	struct notice_cause n = {
		.kind = NOTICE_VENDOR, .subject_kind = "directory", .subject_id = url, .now_ms = now_ms,
		.next_step = "It is tried again by itself; see the authority's status page, or give what is urgent another account.",
	};

	if (!url || until_ms - now_ms < TOLD_MS)
		return 0;
	err_from_json(j, &why);
	text = err_is(&why) ? err_text(&why) : xstrdup("it asks to be left alone");
	cause = xasprintf("the authority at %s refuses whatever is asked: %s", url, text);
	n.cause = cause;
	if (certificate_id && store_certificate_get(tx, certificate_id, &c, err) == 0)
		n.certificate = &c;
	else if (certificate_id && err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return notice_raise(tx, &n, err);
}

int cause_parked_over(struct sql *tx, const char *lane, int64_t now_ms, struct err *err)
{
	return str_starts(lane, LANE_VENDOR) ? notice_end(tx, NOTICE_VENDOR, "directory", lane + strlen(LANE_VENDOR), now_ms, err) : 0;
}

int cause_join(struct sql *tx, const char *directory_url, const char *method, const struct certificate *c, int64_t now_ms, bool *ret_joined,
	       struct err *err)
{
	struct notice_cause n = { .kind = NOTICE_VENDOR, .subject_kind = "directory", .subject_id = directory_url, .certificate = c, .now_ms = now_ms };

	*ret_joined = false;
	if (directory_url && notice_join(tx, &n, ret_joined, err) < 0)
		return -(int)err->code;
	if (*ret_joined || !method)
		return 0;
	n.kind = NOTICE_CREDENTIAL;
	n.subject_kind = "method";
	n.subject_id = method;
	return notice_join(tx, &n, ret_joined, err);
}

int cause_debt(struct sql *tx, const struct err *why, int64_t now_ms, struct err *err)
{
	_cleanup_free_ char *text = err_text(why), *cause = xasprintf("what was published for a validation could not be withdrawn: %s", text);
	struct notice_cause n = {
		.kind = NOTICE_DEBT, .subject_kind = "server", .subject_id = "debts", .cause = cause, .now_ms = now_ms,
		.next_step = "See what is still to be withdrawn (External DNS, or 'certwright debt list'): remove it there, or mend the provider and try again.",
	};

	return notice_raise(tx, &n, err);
}

int cause_debt_over(struct sql *tx, int64_t now_ms, struct err *err)
{
	int64_t n = 0;

	if (store_debt_aside(tx, &n, err) < 0)
		return -(int)err->code;
	return n ? 0 : notice_end(tx, NOTICE_DEBT, "server", "debts", now_ms, err);
}

/* ---- the daily look ---- */

static int review_provider(struct sql *tx, const struct notice *n, int64_t now_ms, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };

	if (store_provider_get_any(tx, n->subject_id, &p, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
	} else if (p.status == PROVIDER_REFUSED && !p.deleted_ms) {
		return 0;
	}
	return cause_credential_over(tx, n->subject_id, now_ms, err);
}

static int review_vendor(struct sql *tx, const struct notice *n, int64_t now_ms, struct err *err)
{
	_cleanup_free_ char *name = lane_vendor(n->subject_id);
	_cleanup_(lane_done) struct lane lane = { 0 };

	if (store_lane_get(tx, name, &lane, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
	} else if (lane.parked_until_ms > now_ms - HOUR_MS) {
		return 0;
	}
	return cause_parked_over(tx, name, now_ms, err);
}

int causes_review(struct sql *tx, int64_t now_ms, struct err *err)
{
	_cleanup_notice_list_ struct notice_list l = { 0 };

	if (cause_debt_over(tx, now_ms, err) < 0 || store_notice_open(tx, OPEN_MOST, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if ((l.v[i].kind == NOTICE_CREDENTIAL && review_provider(tx, &l.v[i], now_ms, err) < 0) ||
		    (l.v[i].kind == NOTICE_VENDOR && review_vendor(tx, &l.v[i], now_ms, err) < 0))
			return -(int)err->code;
	return 0;
}
