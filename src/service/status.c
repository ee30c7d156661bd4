/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - see status.h. */
#include "service/status.h"

#include "service/internal.h"
#include "store/debt.h"
#include "store/job.h"
#include "store/order.h"
#include "store/provider.h"

void service_status_clear(struct service_status *st)
{
	lane_list_done(&st->lanes);
	strlist_clear(&st->refused);
	memset(st, 0, sizeof *st);
}

static int alarms(struct sql *q, struct service_status *st, struct err *err)
{
	_cleanup_provider_list_ struct provider_list l = { 0 };

	strlist_clear(&st->refused);
	if (store_debt_aside(q, &st->debts_aside, err) < 0 || store_provider_all(q, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].status == PROVIDER_REFUSED)
			strlist_add(&st->refused, l.v[i].name);
	return 0;
}

static int status_tx(struct sql *q, void *arg, struct err *err)
{
	struct service_status *st = arg;

	for (unsigned i = 0; i < order_status_count; i++)
		if (store_order_count(q, (enum order_status)i, &st->orders[i], err) < 0)
			return -(int)err->code;
	if (store_certificate_counts(q, st->now_ms, &st->certificates, err) < 0 || alarms(q, st, err) < 0 || store_safekeeping(q, &st->kept, err) < 0)
		return -(int)err->code;
	return store_lane_list(q, &st->lanes, err);
}

static void edge_of(struct service *s, struct service_edge *ret)
{
	memset(ret, 0, sizeof *ret);
	if (s->edge_state)
		s->edge_state(s->edge_arg, ret);
}

int service_status(struct service *s, struct service_status *ret, struct err *err)
{
	_cleanup_service_status_ struct service_status st = {
		.started_ms = s->started_ms,
		.now_ms = service_now(s),
		.driver = store_dialect(s->store) == SQL_SQLITE ? "sqlite" : "postgresql",
		.config = &s->config,
	};

	store_health(s->store, &st.store);
	edge_of(s, &st.edge);
	if (store_read(s->store, status_tx, &st, err) < 0)
		return -(int)err->code;
	*ret = TAKE(st);
	return 0;
}

bool service_ready(struct service *s, const char **ret_why)
{
	struct store_health h;
	struct service_edge e;

	store_health(s->store, &h);
	edge_of(s, &e);
	*ret_why = !h.writable ? "store" : e.configured && !e.loaded ? "edge" : NULL;
	return !*ret_why;
}

const struct service_config *service_config(const struct service *s)
{
	return &s->config;
}

int64_t service_time(const struct service *s)
{
	return service_now(s);
}

void service_metrics_clear(struct service_metrics *m)
{
	certificate_view_list_done(&m->certificates);
}

struct metrics_job {
	int limit;
	struct service_metrics *ret;
};

static int metrics_tx(struct sql *q, void *arg, struct err *err)
{
	const struct metrics_job *j = arg;
	struct certificate_view_list *list = &j->ret->certificates;
	_cleanup_certificate_list_ struct certificate_list l = { 0 };
	struct page page = { .limit = j->limit };

	certificate_view_list_done(list);
	if (store_certificate_list(q, CERTIFICATES_EXPIRY, &page, &l, NULL, err) < 0 ||
	    store_job_count(q, &j->ret->jobs_queued, &j->ret->jobs_failed, err) < 0 || store_job_facts(q, j->ret->jobs, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct certificate_view *v = certificate_view_list_add(list);

		v->certificate = TAKE(l.v[i]);
		if (v->certificate.version_id && store_version_get(q, v->certificate.version_id, &v->current, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int service_metrics(struct service *s, int limit, struct service_metrics *ret, struct err *err)
{
	if (store_read(s->store, metrics_tx, &(struct metrics_job){ limit, ret }, err) < 0)
		return -(int)err->code;
	if (s->engine) {
		ret->has_engine = true;
		engine_status(s->engine, &ret->engine);
		ret->asked_n = MIN(engine_asked(s->engine, ret->asked, FEED_TOTALS_MAX), (size_t)FEED_TOTALS_MAX);
	}
	return 0;
}
