/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - /metrics in the text format of Prometheus: base units, unix times, bounded numbers of series. */
#include "api/internal.h"

#include "service/status.h"

#define CERTIFICATES_MAX 1000

bool metrics_allowed(const struct api *a, const struct http_request *rq)
{
	return cidr_list_has(&a->metrics_allow, http_peer_addr(rq));
}

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void label(struct buf *b, const char *name, const char *value, bool last)
{
	buf_addf(b, "%s=\"", name);
	for (const char *p = value ? value : ""; *p; p++) {
		if (*p == '\\' || *p == '"')
			buf_add_char(b, '\\');
		if (*p == '\n')
			buf_add_str(b, "\\n");
		else
			buf_add_char(b, *p);
	}
	buf_add_str(b, last ? "\"" : "\",");
}

static void gauge(struct buf *b, const char *name, const char *help, int64_t v)
{
	family(b, name, "gauge", help);
	buf_addf(b, "%s %" PRId64 "\n", name, v);
}

static void requests(struct api *a, struct buf *b)
{
	static const char *const others[OTHER_ROUTES] = { "page", "health" };

	family(b, "certwright_http_requests_total", "counter", "Answers of the API by operation and class of status.");
	for (size_t r = 0; r < routes_count + OTHER_ROUTES; r++)
		for (unsigned k = 1; k < STATUS_CLASSES; k++) {
			uint64_t n = a->counts[r][k];

			if (n)
				buf_addf(b, "certwright_http_requests_total{operation=\"%s\",status=\"%uxx\"} %" PRIu64 "\n",
					 r < routes_count ? routes[r].operation : others[r - routes_count], k, n);
		}
}

static void counter(struct buf *b, const char *name, const char *help, uint64_t v)
{
	family(b, name, "counter", help);
	buf_addf(b, "%s %" PRIu64 "\n", name, v);
}

/* Text of a number of the DNS, or "TYPE65" and the like. */
struct code {
	unsigned n;
	const char *text;
};

static const struct code qtypes[] = { { 0, "other" }, { 1, "A" }, { 2, "NS" }, { 5, "CNAME" }, { 6, "SOA" }, { 12, "PTR" }, { 15, "MX" },
				      { 16, "TXT" }, { 28, "AAAA" }, { 33, "SRV" }, { 43, "DS" }, { 48, "DNSKEY" }, { 64, "SVCB" },
				      { 65, "HTTPS" }, { 252, "AXFR" }, { 255, "ANY" }, { 257, "CAA" }, { 0, NULL } };
static const struct code rcodes[] = { { 0, "NOERROR" }, { 1, "FORMERR" }, { 2, "SERVFAIL" }, { 3, "NXDOMAIN" }, { 4, "NOTIMP" },
				      { 5, "REFUSED" }, { 16, "BADVERS" }, { 0, NULL } };

static void add_code(struct buf *b, const struct code *codes, const char *prefix, unsigned n)
{
	for (; codes->text; codes++)
		if (codes->n == n) {
			buf_add_str(b, codes->text);
			return;
		}
	buf_addf(b, "%s%u", prefix, n);
}

static void asked(const struct service_metrics *m, struct buf *b)
{
	family(b, "certwright_dns_queries_total", "counter", "Questions the public server was asked, as its reports say.");
	for (size_t i = 0; i < m->asked_n; i++) {
		const struct feed_total *t = &m->asked[i];

		if (t->transport == FEED_HTTP01)
			continue;
		buf_addf(b, "certwright_dns_queries_total{transport=\"%s\",qtype=\"", t->transport == FEED_TCP ? "tcp" : "udp");
		add_code(b, qtypes, "TYPE", t->qtype);
		buf_add_str(b, "\",rcode=\"");
		add_code(b, rcodes, "RCODE", t->status);
		buf_addf(b, "\"} %" PRIu64 "\n", t->count);
	}
	family(b, "certwright_http01_requests_total", "counter", "Requests to the HTTP-01 responder, as its reports say.");
	for (size_t i = 0; i < m->asked_n; i++)
		if (m->asked[i].transport == FEED_HTTP01)
			buf_addf(b, "certwright_http01_requests_total{status=\"%u\"} %" PRIu64 "\n", (unsigned)m->asked[i].status,
				 m->asked[i].count);
}

static void engine(const struct service_metrics *m, struct buf *b)
{
	const struct engine_status *e = &m->engine;

	gauge(b, "certwright_workers", "Threads that walk orders and jobs.", e->workers);
	gauge(b, "certwright_workers_busy", "Those at work now.", e->busy);
	gauge(b, "certwright_renewals_held", "1 while a jump of the clock holds renewals back.", e->renewals_held);
	counter(b, "certwright_steps_total", "Steps of orders, jobs and debts.", e->steps);
	counter(b, "certwright_step_errors_total", "Steps that ended in an error.", e->errors);
	family(b, "certwright_orders_ended_total", "counter", "Orders that ended since this server started.");
	buf_addf(b, "certwright_orders_ended_total{status=\"valid\"} %" PRId64 "\n", e->orders_valid);
	buf_addf(b, "certwright_orders_ended_total{status=\"invalid\"} %" PRId64 "\n", e->orders_failed);
	counter(b, "certwright_jobs_done_total", "Jobs done since this server started.", (uint64_t)e->jobs_done);
	asked(m, b);
}

static void jobs(const struct service_metrics *m, struct buf *b)
{
	family(b, "certwright_job_last_success_timestamp_seconds", "gauge", "When the work of this kind of job was last done; kinds that never were are left out.");
	for (unsigned k = 0; k < job_kind_count; k++)
		if (m->jobs[k].ok_ms)
			buf_addf(b, "certwright_job_last_success_timestamp_seconds{kind=\"%s\"} %" PRId64 "\n", job_kind_text((enum job_kind)k), m->jobs[k].ok_ms / 1000);
}

static void certificates(const struct certificate_view_list *l, struct buf *b)
{
	family(b, "certwright_certificate_not_after_timestamp_seconds", "gauge", "End of the current version; the first to expire, up to 1000.");
	for (size_t i = 0; i < l->n; i++) {
		const struct certificate *c = &l->v[i].certificate;

		buf_add_str(b, "certwright_certificate_not_after_timestamp_seconds{");
		label(b, "id", c->id, false);
		label(b, "name", c->names.n ? c->names.v[0] : "", false);
		label(b, "issuer", l->v[i].current.issuer, true);
		buf_addf(b, "} %" PRId64 "\n", c->not_after_ms / 1000);
	}
	family(b, "certwright_certificate_renewal_timestamp_seconds", "gauge", "When a managed certificate is renewed.");
	for (size_t i = 0; i < l->n; i++) {
		const struct certificate *c = &l->v[i].certificate;

		if (!c->managed || !c->renew_at_ms)
			continue;
		buf_add_str(b, "certwright_certificate_renewal_timestamp_seconds{");
		label(b, "id", c->id, false);
		label(b, "name", c->names.n ? c->names.v[0] : "", true);
		buf_addf(b, "} %" PRId64 "\n", c->renew_at_ms / 1000);
	}
}

int metrics_text(struct api *a, struct buf *b, struct err *err)
{
	_cleanup_service_status_ struct service_status st = { 0 };
	_cleanup_free_ void *place = xcalloc(1, sizeof(struct service_metrics));
	struct service_metrics *m = place;
	int r;

	if (service_status(a->service, &st, err) < 0 || service_metrics(a->service, CERTIFICATES_MAX, m, err) < 0) {
		service_metrics_clear(m);
		return -(int)err->code;
	}
	family(b, "certwright_build_info", "gauge", "Always 1; the version is a label.");
	buf_add_str(b, "certwright_build_info{");
	label(b, "version", st.config->version, false);
	label(b, "store", st.driver, true);
	buf_add_str(b, "} 1\n");
	gauge(b, "certwright_start_time_seconds", "When this server started.", st.started_ms / 1000);
	gauge(b, "certwright_store_writable", "1 when the database takes writes.", st.store.writable);
	gauge(b, "certwright_backup_last_success_timestamp_seconds", "When the last backup was made; 0: never.", st.kept.backup_ms / 1000);
	gauge(b, "certwright_backup_size_bytes", "Size of the last backup.", st.kept.backup_bytes);
	gauge(b, "certwright_key_escrow_timestamp_seconds", "When the master keys were printed for a safe; 0: never.", st.kept.escrow_ms / 1000);
	gauge(b, "certwright_edge_loaded", "1 when the public server answers with the full table.", st.edge.loaded);
	family(b, "certwright_store_writes_total", "counter", "Write functions committed.");
	buf_addf(b, "certwright_store_writes_total %" PRIu64 "\n", st.store.writes);
	family(b, "certwright_store_commits_total", "counter", "Transactions committed.");
	buf_addf(b, "certwright_store_commits_total %" PRIu64 "\n", st.store.commits);
	family(b, "certwright_orders", "gauge", "Orders by status.");
	for (unsigned i = 0; i < order_status_count; i++)
		buf_addf(b, "certwright_orders{status=\"%s\"} %" PRId64 "\n", order_status_text((enum order_status)i), st.orders[i]);
	gauge(b, "certwright_queue_depth", "Jobs that are not finished.", m->jobs_queued);
	gauge(b, "certwright_jobs_failed", "Jobs that failed and are still listed.", m->jobs_failed);
	jobs(m, b);
	family(b, "certwright_lane_parked_until_timestamp_seconds", "gauge", "Lanes a refusal has parked, and until when.");
	for (size_t i = 0; i < st.lanes.n; i++)
		if (st.lanes.v[i].parked_until_ms > st.now_ms) {
			buf_add_str(b, "certwright_lane_parked_until_timestamp_seconds{");
			label(b, "lane", st.lanes.v[i].name, true);
			buf_addf(b, "} %" PRId64 "\n", st.lanes.v[i].parked_until_ms / 1000);
		}
	gauge(b, "certwright_event_streams", "Open event streams.", hub_clients(a->hub));
	requests(a, b);
	if (m->has_engine)
		engine(m, b);
	certificates(&m->certificates, b);
	r = buf_check(b, err);
	service_metrics_clear(m);
	return r;
}
