/* SPDX-License-Identifier: Apache-2.0 */
/* report_private.h - between report*.c: a page that is being made. */
#ifndef SERVICE_REPORT_PRIVATE_H
#define SERVICE_REPORT_PRIVATE_H

#include "base/buf.h"
#include "service/internal.h"
#include "service/report.h"

struct report {
	struct service *s;
	const struct report_part *part;
	struct buf *out;
	int64_t now_ms, since_ms, until_ms;
	struct page page;
	/* out: where the next page begins */
	bool more;
	int64_t last_ms;
	char *last_id;
};

static inline void report_done(struct report *r)
{
	free(r->last_id);
}

void report_row(struct buf *out, const char *const *cells, size_t n);
#define REPORT_ROW(r, ...) report_row((r)->out, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
const char *report_time(int64_t ms, char text[CLOCK_TEXT]); /* "" for none */

/* All of them, page by page. */
struct user;
struct token;
typedef void report_user_fn(struct report *r, const struct user *u);
typedef int report_token_fn(struct report *r, struct sql *q, const struct token *t, struct err *err);
int report_each_user(struct report *r, struct sql *q, report_user_fn *fn, struct err *err) MUST_CHECK;
int report_each_token(struct report *r, struct sql *q, report_token_fn *fn, struct err *err) MUST_CHECK;

int report_settings(struct report *r, struct sql *q, struct err *err);

#endif
