/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - see record.h. */
#include "service/record.h"

#include "base/idn.h"
#include "engine/intake.h"
#include "engine/provider.h"
#include "service/internal.h"
#include "service/provider.h"
#include "store/order.h"

void record_view_done(struct record_view *v)
{
	record_done(&v->record);
	free(v->type);
	memset(v, 0, sizeof *v);
}

struct look_job {
	const struct service *s;
	const char *ref;
	int64_t rev;
	struct record_filter filter; /* order_id as it was given */
	struct page page;
	struct record_view_list *records;
	struct record_view *record;
	struct delegation_list *delegations;
	struct delegation *delegation;
	const struct delegation *fresh;
	const char *provider; /* of it, as it was typed; NULL = none */
	struct job_list *jobs;
	struct job_filter job_filter;
	const char *name; /* a part of it */
	struct job *job;
	struct once *once;
	struct audit *audit;
	int64_t now_ms;
};

/* --- records ------------------------------------------------------------------------------------------------------------ */

static int order_num(struct sql *q, const char *id, int64_t *ret, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };

	if (store_order_get_any(q, id, &o, err) < 0)
		return -(int)err->code;
	*ret = o.num;
	return 0;
}

static int type_of(struct sql *q, struct record_view *v, struct err *err)
{
	_cleanup_free_ char *name = NULL;

	free(v->type);
	v->type = NULL;
	return method_names(q, v->record.method, &v->type, &name, err);
}

static int order_id_of(struct sql *q, const char *ref, char ret[ULID_LEN + 1], struct err *err)
{
	_cleanup_order_ struct order o = { 0 };
	int64_t num;

	if (ref_parse(ref, "/order_id", &num, err) < 0)
		return -(int)err->code;
	if (!num) {
		memcpy(ret, ref, ULID_LEN + 1);
		return 0;
	}
	if (store_order_get_num(q, num, &o, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/order_id", "there is no order %s", ref);
	}
	memcpy(ret, o.id, ULID_LEN + 1);
	return 0;
}

static int records_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_record_list_ struct record_list l = { 0 };
	char id[ULID_LEN + 1];
	struct record_filter f = j->filter;

	record_view_list_done(j->records);
	if (f.order_id) {
		if (order_id_of(q, f.order_id, id, err) < 0)
			return -(int)err->code;
		f.order_id = id;
	}
	if (store_record_list(q, &f, &j->page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct record_view *v = record_view_list_add(j->records);

		v->record = TAKE(l.v[i]);
		if (order_num(q, v->record.order_id, &v->order_num, err) < 0 || type_of(q, v, err) < 0)
			return -(int)err->code;
	}
	j->records->more = l.more;
	return 0;
}

int service_record_list(struct service *s, const struct record_filter *f, const struct list_query *q, struct record_view_list *ret,
			struct list_end *end, struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "records" };
	struct look_job j = { .records = ret, .filter = *f };
	const struct record *last;

	if (listing_open(&l, q, (const char *const[]){ f->order_id, f->kind, f->status, f->domain }, 4, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, records_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1].record : NULL;
	listing_close(&l, ret->more, last ? last->created_ms : 0, last ? last->id : NULL, end);
	return 0;
}

static int record_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;

	record_view_done(j->record);
	if (SERVICE_GET(q, j->ref, store_record_get, store_record_get_num, &j->record->record, err) < 0)
		return -(int)err->code;
	return order_num(q, j->record->record.order_id, &j->record->order_num, err) < 0 ? -(int)err->code : type_of(q, j->record, err);
}

int service_record_get(struct service *s, const char *ref, struct record_view *ret, struct err *err)
{
	struct look_job j = { .ref = ref, .record = ret };

	return store_read(s->store, record_tx, &j, err);
}

/* --- delegations -------------------------------------------------------------------------------------------------------- */

static int delegations_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;

	return store_delegation_list(q, j->name, &j->page, j->delegations, err);
}

int service_delegation_list(struct service *s, const char *part, const struct list_query *q, struct delegation_list *ret, struct list_end *end,
			    struct err *err)
{
	_cleanup_free_ char *name = part ? xstrdup(part) : NULL;
	_cleanup_listing_ struct listing l = { .s = s, .name = "delegations" };
	struct look_job j = { .delegations = ret, .name = name };
	const struct delegation *last;

	if (name)
		str_lower(name);
	if (listing_open(&l, q, (const char *const[]){ name }, 1, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, delegations_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close(&l, ret->more, last ? last->created_ms : 0, last ? last->id : NULL, end);
	return 0;
}

char *service_delegation_alias(const struct service *s, const char *name)
{
	return delegation_alias(s->config.dns_zone, name);
}

static int delegation_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;

	delegation_done(j->delegation);
	return SERVICE_GET(q, j->ref, store_delegation_get, store_delegation_get_num, j->delegation, err);
}

int service_delegation_get(struct service *s, const char *ref, struct delegation *ret, struct err *err)
{
	struct look_job j = { .ref = ref, .delegation = ret };

	return store_read(s->store, delegation_tx, &j, err);
}

int delegation_writer(struct sql *q, const char *ref, char **ret, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };

	if (!ref)
		return 0;
	if (SERVICE_GET(q, ref, store_provider_get, store_provider_get_num, &p, err) < 0) {
		if (err->code != ERR_NOT_FOUND && err->code != ERR_INVALID)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/provider_id", "there is no provider '%.64s'", ref);
	}
	if (method_check(q, p.id, VALIDATION_DNS01, "/provider_id", err) < 0)
		return -(int)err->code;
	*ret = TAKE(p.id);
	return 0;
}

static int delegation_create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_free_ char *before = NULL, *provider = NULL;
	bool made = false;

	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	delegation_done(j->delegation);
	if (before)
		return store_delegation_get(tx, before, j->delegation, err);
	if (delegation_writer(tx, j->provider, &provider, err) < 0)
		return -(int)err->code;
	*j->delegation = (struct delegation){ .id = xstrdup(j->fresh->id), .name = xstrdup(j->fresh->name), .rev = 1,
					      .provider_id = TAKE(provider), .target = xstrdup_null(j->fresh->target),
					      .created_ms = j->fresh->created_ms };
	if (delegation_intake(tx, j->delegation, &made, err) < 0)
		return -(int)err->code;
	if (!made)
		return err_set_field(err, ERR_CONFLICT, "/name", "'%s' is delegated already (number %" PRId64 ")", j->fresh->name,
				     j->delegation->num);
	if (store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return once_add(tx, j->s, j->once, "delegation", j->delegation->id, err);
}

int service_delegation_create(struct service *s, const struct actor *a, const struct delegation_create *c, const struct request_key *key,
			      struct delegation *ret, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { .created_ms = service_now(s) };
	_cleanup_free_ char *canonical = NULL;
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct look_job j = { .s = s, .delegation = ret, .fresh = &d, .provider = c->provider, .once = &once, .audit = &audit };

	if (!c->provider != !c->target)
		return err_set_field(err, ERR_INVALID, c->provider ? "/target" : "/provider_id",
				     "where the name leads and the provider that writes there are given together");
	if (name_canonical(c->name, &canonical, err) < 0) {
		replace_str(&err->field, "/name");
		return -(int)err->code;
	}
	d.name = xstrdup(name_base(canonical)); /* "*.example.com" is proved at the same place as "example.com" */
	if (c->target && delegation_target(d.name, c->target, &d.target, err) < 0)
		return -(int)err->code;
	d.id = xstrdup(ulid_new(d.created_ms).s);
	once_begin(s, a, key, &once);
	audit_begin(s, a, "delegation.create", "delegation", &audit);
	replace_str(&audit.object_id, d.id);
	replace_str(&audit.object_name, d.name);
	return store_write(s->store, delegation_create_tx, &j, err);
}

/* A record that is published there now belongs to a live order. */
static int refuse_in_use(struct sql *tx, const struct delegation *d, struct err *err)
{
	_cleanup_free_ char *zone = xasprintf("_acme-challenge.%s", d->name);
	_cleanup_record_list_ struct record_list l = { 0 };
	struct page page = { .limit = LIMIT_API_PAGE };

	if (store_record_list(tx, &(struct record_filter){ .domain = zone }, &page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		_cleanup_order_ struct order o = { 0 };

		if (l.v[i].withdrawn_ms || !delegation_concerns(d, l.v[i].method))
			continue;
		if (store_order_get_any(tx, l.v[i].order_id, &o, err) < 0)
			return -(int)err->code;
		if (!o.ended_ms)
			return err_set(err, ERR_IN_USE, "'%s' is needed by order %" PRId64, d->name, o.num);
	}
	return 0;
}

static int delegation_delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_(delegation_done) struct delegation d = { 0 };

	if (SERVICE_GET(tx, j->ref, store_delegation_get, store_delegation_get_num, &d, err) < 0 ||
	    rev_check(j->rev, d.rev, "delegation", err) < 0 || refuse_in_use(tx, &d, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, d.id);
	replace_str(&j->audit->object_name, d.name);
	if (delegation_remove(tx, d.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_delegation_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct look_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "delegation.delete", "delegation", &audit);
	return store_write(s->store, delegation_delete_tx, &j, err);
}

/* --- jobs ----------------------------------------------------------------------------------------------------- */

static int jobs_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;

	return store_job_list(q, &j->job_filter, &j->page, j->jobs, err);
}

int service_job_list(struct service *s, const struct job_filter *f, const struct list_query *q, struct job_list *ret, struct list_end *end,
		     struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "jobs" };
	struct look_job j = { .jobs = ret, .job_filter = *f };
	const struct job *last;

	if (listing_open(&l, q, (const char *const[]){ f->kind, f->state }, 2, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, jobs_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close(&l, ret->more, last ? last->created_ms : 0, last ? last->id : NULL, end);
	return 0;
}

static int job_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;

	job_done(j->job);
	return SERVICE_GET(q, j->ref, store_job_get, store_job_get_num, j->job, err);
}

int service_job_get(struct service *s, const char *ref, struct job *ret, struct err *err)
{
	struct look_job j = { .ref = ref, .job = ret };

	return store_read(s->store, job_tx, &j, err);
}
