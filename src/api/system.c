/* SPDX-License-Identifier: Apache-2.0 */
/* system.c - jobs, status; names as people read them. */
#include "api/call.h"
#include "base/limits.h"
#include "base/idn.h"
#include "service/record.h"
#include "service/status.h"

json_t *display_names(const struct strlist *names)
{
	json_t *l = json_array();

	for (size_t i = 0; i < names->n; i++) {
		_cleanup_free_ char *d = name_display(names->v[i]);

		json_array_append_new(l, json_string(d));
	}
	return l;
}

json_t *job_json(const struct job *j)
{
	return json_pack("{s:s, s:I, s:s, s:o, s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "id", j->id, "num", (json_int_t)j->num, "kind",
			 job_kind_text(j->kind), "subject_kind", json_str_or_null(j->subject_kind), "subject_id",
			 json_str_or_null(j->subject_id), "state", job_state_text(j->state), "result", json_text_or_null(j->result), "reason",
			 json_text_or_null(j->reason), "attempts", (json_int_t)j->attempts, "next_at",
			 json_time_or_null(j->ended_ms ? 0 : j->due_ms), "created_at", json_time_or_null(j->created_ms), "updated_at",
			 json_time_or_null(j->updated_ms), "ended_at", json_time_or_null(j->ended_ms));
}

static const char *const states[] = { "queued", "running", "done", "failed", NULL };
const struct json_field job_list_fields[] = {
	JF_STR(struct job_list_query, kind, .min = 1, .max = 32),
	JF_STR(struct job_list_query, state, .one_of = states),
	SORT_FIELD(struct job_list_query),
	PAGE_FIELDS(struct job_list_query),
	{ 0 }
};

int job_list(struct call *c, struct err *err)
{
	_cleanup_job_list_ struct job_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	const struct job_list_query *f = c->query;
	struct list_query q = page_of(c);
	json_t *items;

	if (service_job_list(c->service, &(struct job_filter){ f->kind, f->state }, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, job_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

int job_get(struct call *c, struct err *err)
{
	_cleanup_job_ struct job j = { 0 };

	if (service_job_get(c->service, c->id, &j, err) < 0)
		return -(int)err->code;
	call_json(c, 200, job_json(&j));
	return 0;
}

static json_t *list_or_empty(const struct strlist *l)
{
	return l ? json_strlist(l) : json_array();
}

static void warn(json_t *list, const char *code, const char *detail, const char *hint)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code", code, "detail", detail, "hint", hint));
}

/* What lies outside the server, as soon as there is something to lose. */
static void warn_of_safekeeping(json_t *list, const struct service_status *st)
{
	const struct safekeeping *k = &st->kept;
	int64_t after = st->config->backup_warn_ms;

	if (!k->something_to_lose)
		return;
	if (!k->escrow_ms)
		warn(list, "key-not-in-escrow", "No copy of the master key was made for a safe: without it no backup can be used.",
		     "On the server's host, as root: certwright key show-escrow");
	if (after && !k->backup_ms)
		warn(list, "backup-never", "No backup was ever made.", "See Backup in the administrator's guide: certwright backup, and its daily timer.");
	if (after && k->backup_ms && st->now_ms > k->backup_ms + after) {
		_cleanup_free_ char *detail = xasprintf("The last backup is %" PRId64 " hours old.", (st->now_ms - k->backup_ms) / HOUR_MS);

		warn(list, "backup-old", detail, "Look at systemctl status certwright-backup.service, or run certwright backup.");
	}
}

/* What an administrator should change, for as long as it is so. */
static json_t *warnings(const struct service_status *st)
{
	const struct service_config *config = st->config;
	json_t *list = json_array();

	for (size_t i = 0; i < st->refused.n; i++) {
		_cleanup_free_ char *detail = xasprintf("Provider '%s' does not accept its credential: all that uses it waits.", st->refused.v[i]);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code", "provider-refused", "detail", detail, "hint",
						      "Give it a good one under External DNS, with Test and save."));
	}
	if (st->debts_aside) {
		_cleanup_free_ char *detail = xasprintf("%" PRId64 " challenge%s could not be withdrawn for a week.", st->debts_aside,
							st->debts_aside == 1 ? "" : "s");

		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code", "debts", "detail", detail, "hint",
						      "See External DNS, To be withdrawn, for what and why."));
	}

	if (config->api_exposed) {
		_cleanup_free_ char *detail =
			xasprintf("The page and the API listen on %s, where DNS or HTTP-01 must be reached from the Internet.", config->api_exposed);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code", "api-exposed", "detail", detail, "hint",
						      "Let api.listen name an inside address, or say in api.allow_from who may reach it."));
	}
	warn_of_safekeeping(list, st);
	return list;
}

int status_get(struct call *c, struct err *err)
{
	_cleanup_service_status_ struct service_status st = { 0 };
	const struct certificate_counts *n = &st.certificates;
	json_t *orders, *lanes, *certificates;

	if (service_status(c->service, &st, err) < 0)
		return -(int)err->code;
	orders = json_object();
	for (unsigned i = 0; i < order_status_count; i++)
		json_object_set_new(orders, order_status_text((enum order_status)i), json_integer(st.orders[i]));
	certificates = json_pack("{s:I, s:I, s:I, s:I, s:I}", "all", (json_int_t)n->all, "managed", (json_int_t)n->managed, "revoked", (json_int_t)n->revoked,
				 "set_aside", (json_int_t)n->set_aside, "expiring", (json_int_t)n->expiring);
	lanes = json_array();
	for (size_t i = 0; i < st.lanes.n; i++) {
		const struct lane *l = &st.lanes.v[i];
		bool parked = l->parked_until_ms > st.now_ms;

		json_array_append_new(lanes, json_pack("{s:s, s:o, s:o}", "name", l->name, "parked_until",
						       json_time_or_null(parked ? l->parked_until_ms : 0), "reason",
						       json_text_or_null(parked ? l->reason : NULL)));
	}
	call_json(c, 200,
		  json_pack("{s:s, s:o, s:o, s:{s:s, s:b, s:s}, s:{s:b, s:b, s:b}, s:{s:o, s:I}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", st.config->version,
			    "started_at", json_time_or_null(st.started_ms), "now", json_time_or_null(st.now_ms), "store", "driver", st.driver,
			    "writable", st.store.writable, "reason", st.store.reason, "edge", "configured", st.edge.configured, "connected",
			    st.edge.connected, "loaded", st.edge.loaded, "backup", "made_at", json_time_or_null(st.kept.backup_ms), "bytes",
			    (json_int_t)st.kept.backup_bytes, "key_escrow_at", json_time_or_null(st.kept.escrow_ms), "dns_hostname", json_str_or_null(st.config->dns_hostname),
			    "trial_directory", json_str_or_null(st.config->trial_directory),
			    "dns_listen", list_or_empty(st.config->dns_listen), "http01_listen", list_or_empty(st.config->http01_listen),
			    "orders", orders, "certificates", certificates, "lanes", lanes, "warnings", warnings(&st)));
	return 0;
}
