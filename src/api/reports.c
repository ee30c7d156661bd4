/* SPDX-License-Identifier: Apache-2.0 */
/* reports.c - GET /reports/auditor/{format}: what an auditor asks, a table each, and the page that says what they are. */
#include "api/call.h"
#include "base/buf.h"
#include "service/report.h"

const struct json_field report_query_fields[] = {
	JF_STR(struct report_query, since, .max = 40),
	JF_STR(struct report_query, until, .max = 40),
	JF_STR(struct report_query, cursor, .max = 512),
	{ 0 }
};

static const struct report_query everything;

/* "users.csv" */
static char *part_of(const char *file)
{
	size_t n = strlen(file);

	return n > 4 && streq(file + n - 4, ".csv") ? xstrndup(file, n - 4) : xstrdup("");
}

int report_auditor(struct call *c, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_MAX(64 * 1024 * 1024);
	_cleanup_list_end_ struct list_end end = { 0 };
	_cleanup_free_ char *name = NULL, *part = part_of(c->format);
	bool index = streq(c->format, "index.md");

	if (index ? service_report_index(c->service, &out, err) < 0 : service_report_part(c->service, part, c->query ? c->query : &everything, &out, &end, err) < 0)
		return -(int)err->code;
	name = xasprintf("certwright-%s", c->format);
	call_file(c, index ? "text/markdown; charset=utf-8" : "text/csv; charset=utf-8", name, buf_text(&out), out.n);
	if (end.cursor)
		http_answer_header(&c->answer, "X-Next-Cursor", end.cursor);
	return 0;
}
