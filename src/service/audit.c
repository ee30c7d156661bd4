/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - see audit.h. */
#include "service/audit.h"

#include "base/log.h"
#include "service/internal.h"
#include "service/user.h"

/* --- reading ------------------------------------------------------------------------------------------------------------ */

struct read_job {
	struct audit_filter filter;
	struct page page;
	struct audit_list *list;
};

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct read_job *j = arg;

	return store_audit_list(q, &j->filter, &j->page, j->list, err);
}

int service_time_of(const char *text, const char *field, int64_t *ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (str_empty(text))
		return 0;
	if (clock_parse(text, ret, &why) < 0)
		return err_set_field(err, ERR_INVALID, field, "must be a time such as 2026-11-23T18:45:00Z");
	return 0;
}

int service_audit_list(struct service *s, const struct audit_query *r, const struct list_query *q, int limit_max,
		       struct audit_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "audit" };
	struct list_query first = { .cursor = q->cursor, .sort = q->sort };
	struct read_job j = { .list = ret, .filter = { .actor = r->actor, .object = r->object, .action = r->action } };
	const struct audit *last;

	if (service_time_of(r->since, "/since", &j.filter.since_ms, err) < 0 || service_time_of(r->until, "/until", &j.filter.until_ms, err) < 0)
		return -(int)err->code;
	if (q->limit < 0 || q->limit > limit_max)
		return err_set_field(err, ERR_INVALID, "/limit", "must be from 1 to %d", limit_max);
	if (listing_open(&l, &first, (const char *const[]){ r->since, r->until, r->actor, r->object, r->action }, 5, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (q->limit)
		j.page.limit = q->limit;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close(&l, ret->more, last ? last->at_ms : 0, last ? last->id : NULL, end);
	return 0;
}

/* --- as log lines ------------------------------------------------------------------------------------------------------- */

/* The names of the members are documented (docs/admin/audit.md): others read them. */
void audit_log(const struct audit *a)
{
	char at[CLOCK_TEXT];

	log_info("audit", "audit_id", a->id, "at", clock_format(a->at_ms, at), "actor_kind", a->actor_kind, "actor", a->actor_name, "actor_id",
		 a->actor_id, "token", a->token_name, "token_id", a->token_id, "reason", a->reason, "action", a->action, "object_kind",
		 a->object_kind, "object_id", a->object_id, "object", a->object_name, "detail", a->detail, "before", a->before, "after", a->after,
		 "address", a->address, "request_id", a->request_id);
}

/* --- refusals ----------------------------------------------------------------------------------------------------------- */

static int add_tx(struct sql *tx, void *arg, struct err *err)
{
	return store_audit_add(tx, arg, err);
}

static void write_or_log(struct service *s, struct audit *audit)
{
	struct err err = ERR_INIT;

	if (store_write(s->store, add_tx, audit, &err) < 0) {
		log_err(LOG_WARNING, "could not write an audit row of a refusal", &err);
		err_clear(&err);
	}
}

void service_audit_refused(struct service *s, const struct actor *a, const char *action, const char *operation, const char *object_id,
			   const char *why)
{
	_cleanup_audit_ struct audit audit = { 0 };
	char source[ADDR_TEXT];

	if (!refusals_note(s->refusals, action, service_source(a, source), true, service_now(s)))
		return;
	audit_begin(s, a, action, NULL, &audit);
	replace_str(&audit.object_id, object_id && ulid_valid(object_id) ? object_id : NULL);
	audit_change(&audit, NULL, NULL);
	audit.detail = json_text_take(json_pack("{s:s, s:o}", "operation", operation, "object", json_str_or_null(object_id)));
	replace_str(&audit.reason, why);
	write_or_log(s, &audit);
}

void service_audit_flush(struct service *s, bool all)
{
	struct refusal_sum sum;

	while (refusals_take(s->refusals, all, service_now(s), &sum)) {
		struct actor nobody = { .address = *sum.source ? sum.source : NULL };
		_cleanup_audit_ struct audit audit = { 0 };

		audit_begin(s, &nobody, sum.action, NULL, &audit);
		audit.detail = json_text_take(json_pack("{s:I, s:o, s:o}", "count", (json_int_t)sum.count, "since", json_time_or_null(sum.since_ms),
							"until", json_time_or_null(sum.until_ms)));
		write_or_log(s, &audit);
	}
}
