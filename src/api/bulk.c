/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.c - one action on many certificates. */
#include "api/call.h"
#include "base/limits.h"
#include "service/bulk.h"

static const char *const actions[] = { "renew",	    "revoke",	 "revoke-and-replace",	"add-tags",   "remove-tags",
				       "set-owner", "renew-automatically", "only-watch", "delete", NULL };
_Static_assert(ARRAY_SIZE(actions) == bulk_action_count + 1, "every action can be asked for");
static const char *const reasons[] = { "unspecified", "key-compromise", "superseded", "cessation-of-operation", NULL };

const struct json_field bulk_create_fields[] = {
	JF_STR(struct bulk_create, action, .required = true, .one_of = actions),
	JF_LIST(struct bulk_create, certificate_ids, .max = LIMIT_BULK_STORED, .item_max = ULID_LEN),
	JF_STR(struct bulk_create, q, .min = 1, .max = 512),
	JF_STR(struct bulk_create, cursor, .min = 1, .max = 512),
	JF_LIST(struct bulk_create, tags, .max = LIMIT_TAGS, .item_max = 64),
	JF_STR(struct bulk_create, owner, .max = LIMIT_EMAIL),
	JF_STR(struct bulk_create, reason, .one_of = reasons),
	JF_BOOL(struct bulk_create, by_key),
	JF_BOOL(struct bulk_create, accept_cost),
	JF_BOOL(struct bulk_create, preview),
	JF_BOOL(struct bulk_create, stored),
	{ 0 }
};

static int store(struct call *c, struct err *err)
{
	_cleanup_job_ struct job j = { 0 };

	if (service_bulk_store(c->service, &c->actor, c->body, &j, err) < 0)
		return -(int)err->code;
	call_location(c, "jobs", j.id);
	call_json(c, 202, job_json(&j));
	return 0;
}

int bulk_create(struct call *c, struct err *err)
{
	_cleanup_row_result_list_ struct row_result_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };

	if (((const struct bulk_create *)c->body)->stored)
		return store(c, err);
	if (service_bulk(c->service, &c->actor, c->body, &l, &end, err) < 0)
		return -(int)err->code;
	call_page(c, rows_json(&l), &end);
	return 0;
}

int job_row_list(struct call *c, struct err *err)
{
	_cleanup_row_result_list_ struct row_result_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);

	if (service_bulk_rows(c->service, c->id, &q, &l, &end, err) < 0)
		return -(int)err->code;
	call_page(c, rows_json(&l), &end);
	return 0;
}
