/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account_delete.c - an account goes: what that means is told before, its orders are ended and become invisible, its certificates are
 * given to another account or say at once that they cannot be renewed. Audit rows stay.
 */
#include "engine/intake.h"
#include "engine/notice.h"
#include "model/vendor.h"
#include "service/account.h"
#include "service/internal.h"
#include "store/event.h"

void account_deletion_done(struct account_deletion *d)
{
	account_view_done(&d->account);
	order_list_done(&d->live_list);
	account_certificate_list_done(&d->certificate_list);
	*d = (struct account_deletion){ 0 };
}

struct delete_job {
	const char *ref;
	int64_t rev, now_ms;
	const struct account_delete *how;
	struct account_deletion *preview;
	const struct actor *actor;
	struct audit *audit;
	const char *job_id;
};

/* Orders that are not finished and that people still see, oldest first. */
static int live_orders(struct sql *q, const char *id, struct order_list *ret, struct err *err)
{
	_cleanup_order_list_ struct order_list all = { 0 };

	order_list_done(ret);
	if (store_order_unfinished(q, ORDERS_OF_ACCOUNT, id, &all, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < all.n; i++)
		if (!all.v[i].deleted_ms)
			*order_list_add(ret) = TAKE(all.v[i]);
	return 0;
}

static int preview_tx(struct sql *q, void *arg, struct err *err)
{
	struct delete_job *j = arg;
	struct account_deletion *d = j->preview;
	const char *id;

	account_deletion_done(d);
	if (account_view_read(q, j->ref, &d->account, err) < 0)
		return -(int)err->code;
	id = d->account.account.id;
	d->registered = d->account.account.url != NULL && d->account.account.status == ACCOUNT_VALID;
	if (store_account_orders(q, id, &d->orders, &d->live_orders, err) < 0 || live_orders(q, id, &d->live_list, err) < 0 ||
	    store_account_certificate_count(q, id, &d->certificates, &d->managed, err) < 0 ||
	    store_account_certificates(q, id, DELETION_SHOWN, &d->certificate_list, err) < 0)
		return -(int)err->code;
	while (d->live_list.n > DELETION_SHOWN)
		order_list_cut(&d->live_list);
	return 0;
}

int service_account_deletion(struct service *s, const char *ref, struct account_deletion *ret, struct err *err)
{
	struct delete_job j = { .ref = ref, .preview = ret };

	return store_read(s->store, preview_tx, &j, err);
}

/* Who takes the certificates: an account that may renew them by itself. */
static int heir_find(struct sql *tx, const struct delete_job *j, const struct account *a, struct account *ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (SERVICE_GET(tx, j->how->takeover, store_account_get, store_account_get_num, ret, &why) < 0) {
		if (why.code != ERR_NOT_FOUND && why.code != ERR_INVALID)
			return err_move(err, &why);
		return err_set_field(err, ERR_INVALID, "/takeover", "there is no account '%s'", j->how->takeover);
	}
	if (streq(ret->id, a->id))
		return err_set_field(err, ERR_INVALID, "/takeover", "the account cannot take over from itself");
	if (ret->status != ACCOUNT_VALID)
		return err_set_field(err, ERR_INVALID, "/takeover", "account '%s' is %s", ret->name, account_status_text(ret->status));
	if (!account_may_automatically(ret)) {
		err_set_field(err, ERR_INVALID, "/takeover", "account '%s' may not be ordered from automatically: %s charges for certificates",
			      ret->name, vendor_title(ret->vendor));
		return err_hint(err, "Allow automatic orders for that account first, or choose another.");
	}
	return 0;
}

/* One certificate that nobody renews any more: in its story, and in the notice about the account. */
static int raise_alarm(struct sql *tx, const struct delete_job *j, const struct account *a, struct account_certificate *c, struct err *err)
{
	struct ulid id = ulid_new(j->now_ms);
	struct certificate touched = { .id = c->id, .num = c->num, .names = c->names, .not_after_ms = c->not_after_ms };
	_cleanup_free_ char *cause = xasprintf("account '%s' was deleted, and no other renews its certificates", a->name);
	_cleanup_event_ struct event ev = {
		.id = xstrdup(id.s), .subject_kind = xstrdup("certificate"), .subject_id = xstrdup(c->id), .at_ms = j->now_ms,
		.level = EVENT_ERROR, .text = xasprintf("renewal needs an account: '%s' was deleted; choose another one", a->name),
	};

	if (store_event_add(tx, &ev, err) < 0)
		return -(int)err->code;
	return notice_raise(tx, &(struct notice_cause){ .kind = NOTICE_ACCOUNT, .subject_kind = "account", .subject_id = a->id, .cause = cause,
							.next_step = "Give each of these certificates another account.",
							.certificate = &touched, .now_ms = j->now_ms }, err);
}

/* Nobody renews them any more: each says so, and alarms at once. */
static int orphan(struct sql *tx, const struct delete_job *j, const struct account *a, struct err *err)
{
	_cleanup_account_certificate_list_ struct account_certificate_list l = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *reason = NULL;

	err_set(&why, ERR_NEEDS_PERSON, "renewal needs an account: '%s' was deleted", a->name);
	err_hint(&why, "Choose another account for this certificate.");
	reason = err_to_json_text(&why);
	if (store_account_certificates(tx, a->id, 0, &l, err) < 0 || store_account_orphan(tx, a->id, reason, j->now_ms, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].managed && raise_alarm(tx, j, a, &l.v[i], err) < 0)
			return -(int)err->code;
	return 0;
}

static int certificates_go(struct sql *tx, const struct delete_job *j, const struct account *a, json_t *detail, struct err *err)
{
	_cleanup_account_ struct account heir = { 0 };
	int64_t all = 0, managed = 0;

	if (store_account_certificate_count(tx, a->id, &all, &managed, err) < 0)
		return -(int)err->code;
	json_object_set_new(detail, "certificates", json_integer(all));
	if (j->how->takeover && !streq(j->how->takeover, TAKEOVER_NONE)) {
		if (heir_find(tx, j, a, &heir, err) < 0)
			return -(int)err->code;
		json_object_set_new(detail, "takeover", json_string(heir.id));
		if (store_account_takeover(tx, a->id, heir.id, j->now_ms, err) < 0)
			return -(int)err->code;
		return notice_end(tx, NOTICE_ACCOUNT, "account", a->id, j->now_ms, err);
	}
	if (!managed)
		return 0;
	if (!j->how->takeover) {
		err_set_field(err, ERR_IN_USE, "/takeover", "%" PRId64 " certificate%s renewed with account '%s'", managed,
			      managed == 1 ? " is" : "s are", a->name);
		return err_hint(err, "Name the account that takes them over, or \"" TAKEOVER_NONE "\": then they are not renewed any more.");
	}
	json_object_set_new(detail, "takeover", json_string(TAKEOVER_NONE));
	return orphan(tx, j, a, err);
}

/* What is left to do at the authority, once the orders are over. */
static int close_later(struct sql *tx, const struct delete_job *j, const struct account *a, struct err *err)
{
	_cleanup_json_ json_t *args = json_pack("{s:b, s:b}", "deactivate", j->how->deactivate, "destroy_key", j->how->destroy_key);
	_cleanup_free_ char *text = json_text(args);
	char id[ULID_LEN + 1];

	if (!j->how->deactivate && !j->how->destroy_key)
		return 0;
	return job_intake(tx, &(struct job_request){ .id = j->job_id, .kind = JOB_ACCOUNT_DEACTIVATE, .subject_kind = "account",
						     .subject_id = a->id, .args = text, .lane_url = a->directory_url,
						     .created_by = j->actor->user_id, .now_ms = j->now_ms }, id, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct delete_job *j = arg;
	_cleanup_account_ struct account a = { 0 };
	_cleanup_order_list_ struct order_list live = { 0 };
	_cleanup_json_ json_t *detail = json_pack("{s:b, s:b}", "deactivate", j->how->deactivate, "destroy_key", j->how->destroy_key);

	if (SERVICE_GET(tx, j->ref, store_account_get, store_account_get_num, &a, err) < 0 || rev_check(j->rev, a.rev, "account", err) < 0 ||
	    certificates_go(tx, j, &a, detail, err) < 0 || live_orders(tx, a.id, &live, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < live.n; i++)
		if (order_delete(tx, live.v[i].id, j->now_ms, err) < 0)
			return -(int)err->code;
	json_object_set_new(detail, "live_orders", json_integer((json_int_t)live.n));
	if (close_later(tx, j, &a, err) < 0 || store_account_delete(tx, a.id, j->now_ms, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, a.id);
	replace_str(&j->audit->object_name, a.name);
	free(j->audit->detail);
	j->audit->detail = json_text(detail);
	return store_audit_add(tx, j->audit, err);
}

int service_account_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct account_delete *how,
			   struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	int64_t now = service_now(s);
	struct ulid job_id = ulid_new(now);
	struct delete_job j = { .ref = ref, .rev = rev, .how = how, .actor = a, .audit = &audit, .job_id = job_id.s, .now_ms = now };

	audit_begin(s, a, "account.delete", "account", &audit);
	return store_write(s->store, delete_tx, &j, err);
}
