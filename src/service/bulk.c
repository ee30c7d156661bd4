/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.c - see bulk.h. */
#include "service/bulk.h"

#include "service/import.h"
#include "service/rows.h"
#include "store/search.h"

DEFINE_ENUM(bulk_action, BULK_ACTIONS)

/* ---- what people note down ---- */

static bool tags_change(const struct row_job *j, bool add, struct certificate_notes *n)
{
	struct strlist fresh = { 0 };
	bool changed;

	for (size_t i = 0; i < n->tags.n; i++)
		if (add || !strlist_has(j->tags, n->tags.v[i]))
			strlist_add(&fresh, n->tags.v[i]);
	for (size_t i = 0; add && i < j->tags->n; i++)
		strlist_add(&fresh, j->tags->v[i]);
	strlist_sort_unique(&fresh);
	changed = !strlist_equal(&fresh, &n->tags);
	strlist_clear(&n->tags);
	n->tags = fresh;
	return changed;
}

static bool owner_change(const struct row_job *j, struct certificate_notes *n)
{
	const char *was = n->owner ? n->owner : "", *is = j->bulk->owner;
	bool changed = !streq(was, is);

	if (changed)
		replace_str(&n->owner, *is ? is : NULL);
	return changed;
}

static int note(struct sql *tx, struct row_job *j, bool (*change)(const struct row_job *, struct certificate_notes *), struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_certificate_notes_ struct certificate_notes n = { 0 };
	json_t *before;

	if (row_find(tx, j, &c, err) < 0 || store_notes_get(tx, c.id, &n, err) < 0)
		return -(int)err->code;
	before = notes_json(&n);
	j->row->existing = !change(j, &n);
	audit_change(j->audit, before, notes_json(&n));
	if (j->row->existing)
		return 0;
	if (n.tags.n > LIMIT_TAGS)
		return err_set_field(err, ERR_INVALID, "/tags", "certificate %" PRId64 " would have %zu tags, and %d is the most", c.num, n.tags.n,
				     LIMIT_TAGS);
	if (store_notes_put(tx, &c, &n, 0, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

static bool add_tags(const struct row_job *j, struct certificate_notes *n)
{
	return tags_change(j, true, n);
}

static bool remove_tags(const struct row_job *j, struct certificate_notes *n)
{
	return tags_change(j, false, n);
}

static int tag_tx(struct sql *tx, void *arg, struct err *err)
{
	return note(tx, arg, add_tags, err);
}

static int untag_tx(struct sql *tx, void *arg, struct err *err)
{
	return note(tx, arg, remove_tags, err);
}

static int owner_tx(struct sql *tx, void *arg, struct err *err)
{
	return note(tx, arg, owner_change, err);
}

/* ---- whether it is renewed by itself, and leaving ---- */

static int automatic(struct sql *tx, struct row_job *j, bool on, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	bool changed = false;

	if (row_find(tx, j, &c, err) < 0 || renewal_automatic(tx, c.id, on, j->now_ms, &changed, err) < 0)
		return -(int)err->code;
	j->row->existing = !changed;
	if (!changed)
		return 0;
	audit_change(j->audit, json_pack("{s:b}", "managed", !on), json_pack("{s:b}", "managed", on));
	return store_audit_add(tx, j->audit, err);
}

static int automatic_tx(struct sql *tx, void *arg, struct err *err)
{
	return automatic(tx, arg, true, err);
}

static int watch_tx(struct sql *tx, void *arg, struct err *err)
{
	return automatic(tx, arg, false, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct row_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };

	if (row_find(tx, j, &c, err) < 0 || renewal_forget(tx, c.id, j->now_ms, err) < 0 ||
	    store_certificate_delete(tx, c.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

/* ---- the actions ---- */

static const struct {
	sql_tx_fn *fn;
	const char *audit; /* the same as of the action on one */
	enum permission needs, also; /* also: PERM_NONE = nothing */
} actions[bulk_action_count] = {
	[BULK_RENEW] = { row_renew_tx, "certificate.renew", PERM_ORDER, PERM_NONE },
	[BULK_REVOKE] = { row_revoke_tx, "certificate.revoke", PERM_REVOKE, PERM_NONE },
	[BULK_REPLACE] = { row_revoke_tx, "certificate.revoke", PERM_REVOKE, PERM_ORDER },
	[BULK_TAG] = { tag_tx, "certificate.note", PERM_ORDER, PERM_NONE },
	[BULK_UNTAG] = { untag_tx, "certificate.note", PERM_ORDER, PERM_NONE },
	[BULK_OWNER] = { owner_tx, "certificate.note", PERM_ORDER, PERM_NONE },
	[BULK_AUTOMATIC] = { automatic_tx, "certificate.manage", PERM_ORDER, PERM_NONE },
	[BULK_WATCH] = { watch_tx, "certificate.manage", PERM_ORDER, PERM_NONE },
	[BULK_DELETE] = { delete_tx, "certificate.delete", PERM_ORDER, PERM_NONE },
};

static int check(const struct bulk_create *r, enum bulk_action action, struct err *err)
{
	bool tags = action == BULK_TAG || action == BULK_UNTAG, revokes = action == BULK_REVOKE || action == BULK_REPLACE;

	if ((r->certificate_ids.n > 0) == (r->q != NULL))
		return err_set_field(err, ERR_INVALID, "/certificate_ids", "say which certificates: by their ids, or by a search");
	if (r->cursor && !r->q)
		return err_set_field(err, ERR_INVALID, "/cursor", "a cursor is of a search");
	if (tags != (r->tags.n > 0))
		return err_set_field(err, ERR_INVALID, "/tags", tags ? "say which tags" : "%s takes no tags", r->action);
	if ((action == BULK_OWNER) != (r->owner != NULL))
		return err_set_field(err, ERR_INVALID, "/owner", r->owner ? "%s takes no owner" : "say who: an empty text is nobody", r->action);
	if (r->reason && !revokes)
		return err_set_field(err, ERR_INVALID, "/reason", "%s takes no reason", r->action);
	if (r->by_key && !revokes)
		return err_set_field(err, ERR_INVALID, "/by_key", "%s is signed by nobody", r->action);
	return 0;
}

/* ---- what a search finds ---- */

struct find_job {
	const struct search *search;
	const struct page *page;
	int64_t now_ms;
	struct search_page *found;
};

static int find_tx(struct sql *q, void *arg, struct err *err)
{
	struct find_job *j = arg;

	/* By age, whatever the search is about: nothing that these actions do moves a row along that list, so none comes twice. */
	return store_search(q, j->search, false, j->page, j->now_ms, j->found, err);
}

static int find(struct service *s, const struct bulk_create *r, struct strlist *ret, struct list_end *end, struct err *err)
{
	_cleanup_search_ struct search search = { 0 };
	_cleanup_search_page_ struct search_page found = { 0 };
	_cleanup_cursor_ struct cursor c = { 0 };
	_cleanup_free_ char *filter = xasprintf("%s %s", r->action, r->q);
	struct find_job j = { .search = &search, .page = &c.page, .now_ms = service_now(s), .found = &found };

	if (search_parse(r->q, j.now_ms, &search, err) < 0 ||
	    cursor_open(s, "bulk", filter, &(struct list_query){ .limit = LIMIT_BULK, .cursor = r->cursor }, &c, err) < 0 ||
	    store_read(s->store, find_tx, &j, err) < 0)
		return -(int)err->code;
	cursor_close(s, "bulk", filter, found.more, found.key, NULL, found.id ? found.id : "", end);
	*ret = TAKE(found.ids);
	return 0;
}

void bulk_plan_done(struct bulk_plan *p)
{
	strlist_clear(&p->tags);
}

int bulk_plan_authorize(const struct bulk_plan *p, const struct actor *a, struct err *err)
{
	if (service_authorize(a, p->needs, err) < 0 || service_authorize(a, p->also, err) < 0)
		return -(int)err->code;
	return 0;
}

int bulk_plan_make(struct service *s, const struct actor *a, const struct bulk_create *r, struct bulk_plan *ret, struct err *err)
{
	enum bulk_action action;

	if (!bulk_action_parse(r->action, &action))
		return err_set_field(err, ERR_INVALID, "/action", "there is no such action");
	ret->needs = actions[action].needs;
	ret->also = actions[action].also;
	if (bulk_plan_authorize(ret, a, err) < 0 || check(r, action, err) < 0 || service_tags(&r->tags, &ret->tags, err) < 0)
		return -(int)err->code;
	ret->revoke = (struct revocation_create){ .reason = r->reason, .by_key = r->by_key, .replace = action == BULK_REPLACE };
	ret->fn = actions[action].fn;
	ret->audit = actions[action].audit;
	ret->rows = (struct row_job){
		.s = s, .actor = a, .bulk = r, .tags = &ret->tags, .ask_cost = !r->accept_cost, .preview = r->preview, .now_ms = service_now(s),
		.revoke = action == BULK_REVOKE || action == BULK_REPLACE ? &ret->revoke : NULL, .reason = row_reason_code(r->reason),
	};
	return 0;
}

int service_bulk(struct service *s, const struct actor *a, const struct bulk_create *r, struct row_result_list *ret, struct list_end *end,
		 struct err *err)
{
	_cleanup_strlist_ struct strlist found = { 0 };
	struct bulk_plan plan = { 0 };
	int rc = bulk_plan_make(s, a, r, &plan, err);

	if (rc >= 0 && r->certificate_ids.n > LIMIT_BULK)
		rc = err_set_field(err, ERR_INVALID, "/certificate_ids", "at most %d at once; stored they may be %d", LIMIT_BULK, LIMIT_BULK_STORED);
	if (rc >= 0 && r->q)
		rc = find(s, r, &found, end, err);
	if (rc >= 0)
		rc = rows_each(&plan.rows, r->q ? &found : &r->certificate_ids, plan.audit, plan.fn, ret, err);
	bulk_plan_done(&plan);
	return rc;
}
