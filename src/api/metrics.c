/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - /metrics in the text format of Prometheus: base units, unix times, bounded numbers of series. */
#include "api/internal.h"

#include "service/status.h"

#define CERTIFICATES_MAX 1000

bool metrics_allowed(const struct api *a, const struct http_request *rq)
{
	for (size_t i = 0; i < a->metrics_allow_n; i++)
		if (cidr_has(&a->metrics_allow[i], http_peer_addr(rq)))
			return true;
	return false;
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
	_cleanup_certificate_view_list_ struct certificate_view_list l = { 0 };
	int64_t live = 0, failed = 0;

	if (service_status(a->service, &st, err) < 0 ||
	    service_metrics_certificates(a->service, CERTIFICATES_MAX, &l, &live, &failed, err) < 0)
		return -(int)err->code;
	family(b, "certwright_build_info", "gauge", "Always 1; the version is a label.");
	buf_add_str(b, "certwright_build_info{");
	label(b, "version", st.config->version, false);
	label(b, "store", st.driver, true);
	buf_add_str(b, "} 1\n");
	gauge(b, "certwright_start_time_seconds", "When this server started.", st.started_ms / 1000);
	gauge(b, "certwright_store_writable", "1 when the database takes writes.", st.store.writable);
	gauge(b, "certwright_edge_loaded", "1 when the public server answers with the full table.", st.edge.loaded);
	family(b, "certwright_store_writes_total", "counter", "Write functions committed.");
	buf_addf(b, "certwright_store_writes_total %" PRIu64 "\n", st.store.writes);
	family(b, "certwright_store_commits_total", "counter", "Transactions committed.");
	buf_addf(b, "certwright_store_commits_total %" PRIu64 "\n", st.store.commits);
	family(b, "certwright_orders", "gauge", "Orders by status.");
	for (unsigned i = 0; i < order_status_count; i++)
		buf_addf(b, "certwright_orders{status=\"%s\"} %" PRId64 "\n", order_status_text((enum order_status)i), st.orders[i]);
	gauge(b, "certwright_queue_depth", "Jobs that are not finished.", live);
	gauge(b, "certwright_jobs_failed", "Jobs that failed and are still listed.", failed);
	family(b, "certwright_lane_parked_until_timestamp_seconds", "gauge", "Lanes a refusal has parked, and until when.");
	for (size_t i = 0; i < st.lanes.n; i++)
		if (st.lanes.v[i].parked_until_ms > st.now_ms) {
			buf_add_str(b, "certwright_lane_parked_until_timestamp_seconds{");
			label(b, "lane", st.lanes.v[i].name, true);
			buf_addf(b, "} %" PRId64 "\n", st.lanes.v[i].parked_until_ms / 1000);
		}
	gauge(b, "certwright_event_streams", "Open event streams.", hub_clients(a->hub));
	requests(a, b);
	certificates(&l, b);
	return buf_check(b, err);
}
