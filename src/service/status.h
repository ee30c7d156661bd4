/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - the state of the server, for people, for /readyz and for /metrics. */
#ifndef SERVICE_STATUS_H
#define SERVICE_STATUS_H

#include "engine/engine.h"
#include "model/order.h"
#include "service/certificate.h"
#include "service/service.h"
#include "store/expiry.h"
#include "store/job.h"
#include "store/lane.h"
#include "store/safekeeping.h"

struct service_status {
	int64_t started_ms, now_ms;
	const char *driver; /* "sqlite", "postgresql" */
	struct store_health store;
	struct service_edge edge;
	int64_t orders[order_status_count]; /* live ones by status */
	struct certificate_counts certificates;
	struct lane_list lanes;
	int64_t debts_aside;      /* could not be undone for a week */
	struct safekeeping kept;
	struct strlist refused;   /* names of providers whose credential is not accepted */
	const struct service_config *config; /* borrowed */
};
void service_status_clear(struct service_status *st);
#define _cleanup_service_status_ __attribute__((cleanup(service_status_clear)))
int service_status(struct service *s, struct service_status *ret, struct err *err) MUST_CHECK;

/* Store writable, edge loaded (where one is configured), ring open. Cheap; no database. *ret_why is a constant or NULL. */
bool service_ready(struct service *s, const char **ret_why);
const struct service_config *service_config(const struct service *s);
int64_t service_time(const struct service *s);

struct service_metrics {
	struct certificate_view_list certificates; /* those that expire first */
	int64_t jobs_queued, jobs_failed;
	struct job_fact jobs[job_kind_count];
	bool has_engine;
	struct engine_status engine;
	struct feed_total asked[FEED_TOTALS_MAX]; /* of edge */
	size_t asked_n;
};
void service_metrics_clear(struct service_metrics *m);
#define _cleanup_service_metrics_ __attribute__((cleanup(service_metrics_clear)))
/* For /metrics; at most limit certificates. *ret must be zero. */
int service_metrics(struct service *s, int limit, struct service_metrics *ret, struct err *err) MUST_CHECK;

#endif
