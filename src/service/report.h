/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what an auditor asks, as tables: each part answers one question (docs/admin/auditor.md has them). Nothing secret; who may read
 * the audit may read it.
 */
#ifndef SERVICE_REPORT_H
#define SERVICE_REPORT_H

#include "base/buf.h"
#include "service/service.h"

struct report_part {
	const char *name;     /* of the file, without ".csv"; NULL ends the table */
	const char *question;
	const char *columns;  /* the head line */
};
extern const struct report_part report_parts[];
const struct report_part *report_part_find(const char *name);

struct report_query {
	const char *since, *until; /* RFC 3339, of what happened; NULL: from the beginning, and until now */
	const char *cursor;        /* NULL: the first page, which has the head line */
};
/* One page of a part as CSV. It may be short, or empty, and have more behind it. NOT_FOUND, INVALID with the field. */
int service_report_part(struct service *s, const char *name, const struct report_query *q, struct buf *out, struct list_end *end, struct err *err) MUST_CHECK;
/* The page that says what each table is, as Markdown. */
int service_report_index(struct service *s, struct buf *out, struct err *err) MUST_CHECK;

#endif
