/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - see report.h: the parts and their pages. What weakens something is judged in report_settings.c. */
#include "service/report.h"

#include "base/json.h"
#include "service/certificate.h"
#include "service/internal.h"
#include "service/report_private.h"
#include "store/order.h"
#include "store/renewal.h"
#include "store/user.h"

#define ROWS_CERTIFICATES 500 /* of a page: each asks for its order and who made it */
#define ROWS_AUDIT 10000
#define ROWS_ALL 100000       /* users, tokens, failing renewals: in one page */

/* ---- cells ---- */

void report_row(struct buf *out, const char *const *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_add_csv(out, cells[i]);
		buf_add_str(out, i + 1 < n ? "," : "\r\n");
	}
}

const char *report_time(int64_t ms, char text[CLOCK_TEXT])
{
	return ms ? clock_format(ms, text) : "";
}

/* ---- people ---- */

int report_each_user(struct report *r, struct sql *q, report_user_fn *fn, struct err *err)
{
	struct page page = { .limit = LIMIT_API_PAGE, .order = PAGE_OLDEST };
	_cleanup_free_ char *after = NULL;

	for (bool more = true; more;) {
		_cleanup_user_list_ struct user_list l = { 0 };

		if (store_user_list(q, NULL, &page, &l, err) < 0)
			return -(int)err->code;
		for (size_t i = 0; i < l.n; i++)
			fn(r, &l.v[i]);
		more = l.more;
		page.started = true;
		page.after_key = l.n ? l.v[l.n - 1].created_ms : 0;
		replace_str(&after, l.n ? l.v[l.n - 1].id : NULL);
		page.after_id = after;
	}
	return 0;
}

int report_each_token(struct report *r, struct sql *q, report_token_fn *fn, struct err *err)
{
	struct page page = { .limit = LIMIT_API_PAGE };
	_cleanup_free_ char *after = NULL;

	for (bool more = true; more;) {
		_cleanup_token_list_ struct token_list l = { 0 };

		if (store_token_list(q, NULL, &page, &l, err) < 0)
			return -(int)err->code;
		for (size_t i = 0; i < l.n; i++)
			if (fn(r, q, &l.v[i], err) < 0)
				return -(int)err->code;
		more = l.more;
		page.started = true;
		page.after_key = l.n ? l.v[l.n - 1].created_ms : 0;
		replace_str(&after, l.n ? l.v[l.n - 1].id : NULL);
		page.after_id = after;
	}
	return 0;
}

static void user_row(struct report *r, const struct user *u)
{
	_cleanup_free_ char *rights = rights_text(u->rights);
	char seen[CLOCK_TEXT], made[CLOCK_TEXT];

	REPORT_ROW(r, u->name, role_text(u->role), rights, u->disabled ? "disabled" : "active", report_time(u->last_login_ms, seen),
		   report_time(u->created_ms, made), u->id);
}

static int users(struct report *r, struct sql *q, struct err *err)
{
	return report_each_user(r, q, user_row, err);
}

static int user_name(struct sql *q, const char *id, char **ret, struct err *err)
{
	_cleanup_user_ struct user u = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (store_user_get(q, id, &u, &why) < 0 && why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	*ret = u.name ? xstrdup(u.name) : xasprintf("deleted user %s", id);
	return 0;
}

static int token_row(struct report *r, struct sql *q, const struct token *t, struct err *err)
{
	_cleanup_free_ char *rights = rights_text(t->rights), *sources = strlist_join(&t->sources, " "), *owner = NULL;
	char made[CLOCK_TEXT], ends[CLOCK_TEXT], used[CLOCK_TEXT], revoked[CLOCK_TEXT];

	if (user_name(q, t->user_id, &owner, err) < 0)
		return -(int)err->code;
	REPORT_ROW(r, t->name, owner, role_text(t->role), rights, t->revoked_ms ? "revoked" : t->expires_ms <= r->now_ms ? "expired" : "active", sources,
		   t->certificate_id, t->reason, report_time(t->created_ms, made), report_time(t->expires_ms, ends), report_time(t->used_ms, used),
		   report_time(t->revoked_ms, revoked), t->id);
	return 0;
}

static int tokens(struct report *r, struct sql *q, struct err *err)
{
	return report_each_token(r, q, token_row, err);
}

/* ---- certificates ---- */

/* Who asked for it at first: the audit knows, also of users that are gone. */
static int who_made(struct sql *q, const char *object, const char *action, char **ret, struct err *err)
{
	const struct audit_filter f = { .object = object, .action = action };
	struct page page = { .limit = 1 };
	_cleanup_audit_list_ struct audit_list l = { 0 };

	if (store_audit_list(q, &f, &page, &l, err) < 0)
		return -(int)err->code;
	if (l.n)
		*ret = xasprintf("%s%s%s%s", l.v[0].actor_name, l.v[0].token_name ? " (token " : "", l.v[0].token_name ? l.v[0].token_name : "", l.v[0].token_name ? ")" : "");
	return 0;
}

static int ordered_by(struct sql *q, const struct certificate *c, char **ret_who, char **ret_order, struct err *err)
{
	_cleanup_version_list_ struct version_list l = { 0 };
	_cleanup_order_ struct order o = { 0 };
	_cleanup_err_ struct err no = ERR_INIT;
	const char *first;

	if (store_version_list(q, c->id, &l, err) < 0)
		return -(int)err->code;
	first = l.n ? l.v[l.n - 1].order_id : NULL;
	if (first && store_order_get_any(q, first, &o, &no) == 0)
		*ret_order = xasprintf("%" PRId64, o.num);
	if (first ? who_made(q, first, "order.create", ret_who, err) < 0 : who_made(q, c->id, "certificate.import", ret_who, err) < 0)
		return -(int)err->code;
	return 0;
}

static int certificate_row(struct report *r, struct sql *q, struct certificate_view *v, struct err *err)
{
	_cleanup_free_ char *names = strlist_join(&v->certificate.names, " "), *who = NULL, *order = NULL, *num = xasprintf("%" PRId64, v->certificate.num);
	const struct certificate *c = &v->certificate;
	char begins[CLOCK_TEXT], ends[CLOCK_TEXT], renew[CLOCK_TEXT];

	if (certificate_view_fill(q, v, err) < 0 || ordered_by(q, c, &who, &order, err) < 0)
		return -(int)err->code;
	REPORT_ROW(r, num, names, service_certificate_health(c, r->now_ms), c->source, v->current.issuer, v->current.serial, v->current.fingerprint, v->current.key_type,
		   v->current.key_id ? "here" : "elsewhere", v->notes.owner, who, order, v->vendor, report_time(c->not_before_ms, begins), report_time(c->not_after_ms, ends),
		   c->managed ? "yes" : "no", report_time(c->managed ? c->renew_at_ms : 0, renew), c->id);
	return 0;
}

static int certificates(struct report *r, struct sql *q, struct err *err)
{
	_cleanup_certificate_list_ struct certificate_list l = { 0 };
	struct page page = r->page;

	page.limit = ROWS_CERTIFICATES;
	if (store_certificate_list(q, CERTIFICATES_NEWEST, &page, &l, NULL, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		_cleanup_certificate_view_ struct certificate_view v = { 0 };

		r->last_ms = l.v[i].created_ms;
		replace_str(&r->last_id, l.v[i].id);
		v.certificate = TAKE(l.v[i]);
		if (certificate_row(r, q, &v, err) < 0)
			return -(int)err->code;
	}
	r->more = l.more;
	return 0;
}

/* ---- what happened ---- */

static bool listed(const char *const *actions, const char *action)
{
	for (; *actions; actions++)
		if (streq(*actions, action))
			return true;
	return false;
}

/* One action goes by its index; of several the rows of the span are walked, a bounded number for a page. */
static int happened(struct report *r, struct sql *q, const char *const *actions, struct err *err)
{
	const struct audit_filter f = { .since_ms = r->since_ms, .until_ms = r->until_ms, .action = actions[1] ? NULL : actions[0] };
	_cleanup_audit_list_ struct audit_list l = { 0 };
	struct page page = r->page;

	page.limit = ROWS_AUDIT;
	if (store_audit_list(q, &f, &page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		const struct audit *a = &l.v[i];
		char at[CLOCK_TEXT];

		r->last_ms = a->at_ms;
		replace_str(&r->last_id, a->id);
		if (listed(actions, a->action))
			REPORT_ROW(r, report_time(a->at_ms, at), a->actor_name, a->token_name, a->action, a->object_kind, a->object_name, a->reason, a->before, a->after, a->detail,
				   a->address, a->object_id, a->id);
	}
	r->more = l.more;
	return 0;
}

static int key_exports(struct report *r, struct sql *q, struct err *err)
{
	static const char *const actions[] = { "certificate.export-key", NULL };

	return happened(r, q, actions, err);
}

static int rights_changes(struct report *r, struct sql *q, struct err *err)
{
	static const char *const actions[] = { "setup.admin",    "user.create",  "user.update",     "user.delete",	"token.create",
					       "token.revoke", "password.reset", "password.change", "session.end-all", NULL };

	return happened(r, q, actions, err);
}

static int removals(struct report *r, struct sql *q, struct err *err)
{
	static const char *const actions[] = { "certificate.revoke", "certificate.delete", "account.delete", "account.rollover", "csr.delete",  "order.delete",
					       "provider.delete",    "channel.delete",     "user.delete",    "key.escrow",       "backup.create", NULL };

	return happened(r, q, actions, err);
}

/* What fails now stands first, then the orders that failed for good. */
static int failing_row(struct report *r, struct sql *q, const struct renewal *n, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_json_ json_t *reason = json_text_or_null(n->reason);
	_cleanup_free_ char *names = NULL, *what = NULL;
	char since[CLOCK_TEXT], next[CLOCK_TEXT], ends[CLOCK_TEXT];

	if (store_certificate_get(q, n->certificate_id, &c, err) < 0)
		return err->code == ERR_NOT_FOUND ? (err_clear(err), 0) : -(int)err->code;
	names = strlist_join(&c.names, " ");
	what = xasprintf("certificate %" PRId64, c.num);
	REPORT_ROW(r, "failing now", what, names, report_time(n->failing_since_ms, since), json_string_value(json_object_get(reason, "detail")),
		   report_time(c.next_attempt_ms, next), report_time(c.not_after_ms, ends), c.id);
	return 0;
}

static int failed_renewals(struct report *r, struct sql *q, struct err *err)
{
	const struct audit_filter f = { .since_ms = r->since_ms, .until_ms = r->until_ms, .action = "order.fail" };
	_cleanup_renewal_list_ struct renewal_list failing = { 0 };
	_cleanup_audit_list_ struct audit_list l = { 0 };
	struct page page = r->page;

	page.limit = ROWS_AUDIT;
	if ((!page.started && store_renewal_failing(q, ROWS_ALL, &failing, err) < 0) || store_audit_list(q, &f, &page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < failing.n; i++)
		if (failing_row(r, q, &failing.v[i], err) < 0)
			return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		char at[CLOCK_TEXT];

		r->last_ms = l.v[i].at_ms;
		replace_str(&r->last_id, l.v[i].id);
		REPORT_ROW(r, "failed", "order", l.v[i].object_name, report_time(l.v[i].at_ms, at), l.v[i].reason, "", "", l.v[i].object_id);
	}
	r->more = l.more;
	return 0;
}

/* ---- the table ---- */

#define HAPPENED "at,who,token,action,object_kind,object,reason,before,after,detail,from_address,object_id,audit_id"

const struct report_part report_parts[] = {
	{ "users", "Who may do what here, and when did each sign in last?", "name,role,rights,status,last_sign_in,created_at,id" },
	{ "tokens", "Which API tokens are there, whose, for what, until when, and when was each used last?",
	  "name,owner,role,rights,status,sources,certificate_id,reason,created_at,expires_at,last_used_at,revoked_at,id" },
	{ "certificates", "Which certificates are there: from whom, with which key, whose, and who ordered them?",
	  "number,names,status,source,issuer,serial,fingerprint_sha256,key_type,key,owner,ordered_by,first_order,vendor,not_before,not_after,managed,renew_at,id" },
	{ "key-exports", "Who took a private key away, which, and why?", HAPPENED },
	{ "failed-renewals", "Which renewals fail or have failed, since when, and why?", "what,object,names,at,reason,next_attempt,expires,id" },
	{ "settings", "Which settings weaken something?", "setting,value,why,what_to_do" },
	{ "rights-changes", "Who gave or took which right, token or password?", HAPPENED },
	{ "removals", "What was revoked, deleted or copied out, and by whom?", HAPPENED },
	{ 0 }
};

static int (*const fills[])(struct report *r, struct sql *q, struct err *err) = { users, tokens, certificates, key_exports, failed_renewals, report_settings, rights_changes, removals };
_Static_assert(ARRAY_SIZE(fills) + 1 == ARRAY_SIZE(report_parts), "each part is filled");

const struct report_part *report_part_find(const char *name)
{
	for (const struct report_part *p = report_parts; p->name; p++)
		if (streq(p->name, name))
			return p;
	return NULL;
}

static int part_tx(struct sql *q, void *arg, struct err *err)
{
	struct report *r = arg;

	return fills[r->part - report_parts](r, q, err);
}

int service_report_part(struct service *s, const char *name, const struct report_query *rq, struct buf *out, struct list_end *end, struct err *err)
{
	_cleanup_free_ char *filter = xasprintf("%s\n%s\n%s", name, rq->since ? rq->since : "", rq->until ? rq->until : "");
	_cleanup_(report_done) struct report r = { .s = s, .part = report_part_find(name), .out = out, .now_ms = service_now(s) };
	_cleanup_cursor_ struct cursor c = { 0 };

	if (!r.part)
		return err_set(err, ERR_NOT_FOUND, "the report has no part of that name");
	if (service_time_of(rq->since, "/since", &r.since_ms, err) < 0 || service_time_of(rq->until, "/until", &r.until_ms, err) < 0 ||
	    cursor_open(s, "report", filter, &(struct list_query){ .cursor = rq->cursor }, &c, err) < 0)
		return -(int)err->code;
	r.page = c.page;
	if (!rq->cursor)
		buf_addf(out, "%s\r\n", r.part->columns);
	if (store_read(s->store, part_tx, &r, err) < 0)
		return err_wrap(err, "could not make the part '%s' of the report", name);
	cursor_close(s, "report", filter, r.more, r.last_ms, NULL, r.last_id ? r.last_id : "", end);
	return buf_check(out, err);
}

int service_report_index(struct service *s, struct buf *out, struct err *err)
{
	char now[CLOCK_TEXT];

	buf_addf(out, "# Certwright: report for an auditor\n\nMade at %s by Certwright %s. Times are UTC. Each table answers one question; it opens in any\nspreadsheet.\n\n"
		      "| Question | Table | By itself |\n|---|---|---|\n",
		 clock_format(service_now(s), now), s->config.version);
	for (const struct report_part *p = report_parts; p->name; p++)
		buf_addf(out, "| %s | [%s.csv](%s.csv) | `certwright report auditor --show %s` |\n", p->question, p->name, p->name, p->name);
	buf_add_str(out, "\nWhat a table says of the past comes from the audit, which is kept for ever and has no statement that changes or deletes a row. No\n"
			 "table holds a secret. `certwright audit list --csv` has every row of the audit.\n");
	return buf_check(out, err);
}
