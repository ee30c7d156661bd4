/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - who did what, as a page of JSON and as a table for spreadsheets. */
#include "api/call.h"
#include "base/clock.h"
#include "base/limits.h"
#include "service/audit.h"

#define AUDIT_FIELDS                                                                                                   \
	JF_STR(struct audit_query_call, since, .max = 40), JF_STR(struct audit_query_call, until, .max = 40),          \
		JF_STR(struct audit_query_call, actor, .max = 64), JF_STR(struct audit_query_call, object, .max = 253), \
		JF_STR(struct audit_query_call, action, .max = 64)

const struct json_field audit_query_fields[] = { PAGE_FIELDS(struct audit_query_call), SORT_FIELD(struct audit_query_call), AUDIT_FIELDS, { 0 } };
const struct json_field audit_csv_fields[] = {
	{ .name = "limit", .kind = JSON_KIND_INT, .offset = offsetof(struct audit_query_call, page.limit), .min = 1, .max = AUDIT_CSV_ROWS },
	{ .name = "cursor", .kind = JSON_KIND_STR, .offset = offsetof(struct audit_query_call, page.cursor), .max = 512 },
	SORT_FIELD(struct audit_query_call),
	AUDIT_FIELDS,
	{ 0 }
};

static int read_rows(struct call *c, int limit_max, int limit_default, struct audit_list *l, struct list_end *end, struct err *err)
{
	const struct audit_query_call *b = c->query;
	struct audit_query r = { b->since, b->until, b->actor, b->object, b->action };
	struct list_query q = page_of(c);

	if (!q.limit)
		q.limit = limit_default;
	return service_audit_list(c->service, &r, &q, limit_max, l, end, err);
}

static json_t *audit_json(const struct audit *a)
{
	return json_pack("{s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", a->id, "at",
			 json_time_or_null(a->at_ms), "actor_kind", a->actor_kind, "actor_id", json_str_or_null(a->actor_id), "actor_name",
			 a->actor_name, "token_id", json_str_or_null(a->token_id), "token_name", json_str_or_null(a->token_name), "reason",
			 json_str_or_null(a->reason), "action", a->action, "object_kind", json_str_or_null(a->object_kind), "object_id",
			 json_str_or_null(a->object_id), "object_name", json_str_or_null(a->object_name), "detail",
			 json_text_or_null(a->detail), "before", json_text_or_null(a->before), "after", json_text_or_null(a->after), "address",
			 json_str_or_null(a->address), "request_id", json_str_or_null(a->request_id));
}

int audit_list(struct call *c, struct err *err)
{
	_cleanup_audit_list_ struct audit_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	json_t *items;

	if (read_rows(c, LIMIT_API_PAGE, 0, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, audit_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

static void csv_row(struct buf *out, const struct audit *a)
{
	char at[CLOCK_TEXT];
	const char *const cells[] = { clock_format(a->at_ms, at), a->actor_kind, a->actor_name, a->token_name, a->reason, a->action,
				      a->object_kind, a->object_id, a->object_name, a->detail, a->before, a->after, a->address,
				      a->request_id, a->id };

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		buf_add_csv(out, cells[i]);
		buf_add_str(out, i + 1 < ARRAY_SIZE(cells) ? "," : "\r\n");
	}
}

int audit_csv(struct call *c, struct err *err)
{
	_cleanup_audit_list_ struct audit_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	_cleanup_buf_ struct buf out = BUF_MAX(64 * 1024 * 1024);

	if (read_rows(c, AUDIT_CSV_ROWS, AUDIT_CSV_ROWS, &l, &end, err) < 0)
		return -(int)err->code;
	buf_add_str(&out, "at,actor_kind,actor,token,reason,action,object_kind,object_id,object,detail,before,after,address,request_id,id\r\n");
	for (size_t i = 0; i < l.n; i++)
		csv_row(&out, &l.v[i]);
	if (buf_check(&out, err) < 0)
		return err_wrap(err, "could not write the audit as a table, ask for fewer rows");
	call_file(c, "text/csv; charset=utf-8", "certwright-audit.csv", buf_text(&out), out.n);
	if (end.cursor)
		http_answer_header(&c->answer, "X-Next-Cursor", end.cursor);
	return 0;
}
