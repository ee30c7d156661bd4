/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - see bundle.h. */
#include "service/bundle.h"

#include "base/json.h"
#include "base/log_keep.h"
#include "base/targz.h"
#include "engine/checks.h"
#include "service/check.h"
#include "service/internal.h"
#include "store/census.h"
#include "store/event.h"
#include "store/job.h"

#include <sys/utsname.h>
#include <time.h>

#define EVENTS 300
#define TROUBLED 50
#define FILE_MAX (4 * 1024 * 1024)

const char bundle_readme[] =
	"Certwright support bundle\n\n"
	"version.json   versions, the kind of database, its schema, how many rows each table has (counted up to a million)\n"
	"config.txt     the configuration in force; of secrets only the paths of their files, of URLs with a secret path only the host\n"
	"checks.json    what `certwright doctor` found\n"
	"metrics.txt    as Prometheus reads them\n"
	"jobs.json      when each kind of job was last done, and what is tried again and again\n"
	"log.jsonl      the last lines of the server's log\n"
	"events.jsonl   the last events of orders, certificates and accounts\n\n"
	"No secret is in it: no key, password, token or credential. Of e-mail addresses only what stands behind the @ is left. Names of hosts,\n"
	"users, providers and file paths are in it, since most faults are about one: look through it before you give it away.\n";

char *bundle_folder(int64_t at_ms)
{
	time_t t = (time_t)(at_ms / 1000);
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
	return xasprintf("certwright-support-%s", text);
}

static bool of_address(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._%+-'/=~#!$&*{}|^`?", c) != NULL;
}

void bundle_mask(const char *text, size_t n, struct buf *out)
{
	size_t begin = 0;

	for (size_t i = 0; i < n; i++) {
		size_t from = i;

		if (text[i] != '@' || i + 1 >= n || !of_address(text[i + 1]))
			continue;
		while (from > begin && text[from - 1] && of_address(text[from - 1]))
			from--;
		buf_add(out, text + begin, from - begin);
		buf_add_str(out, from < i ? "\xe2\x80\xa6" : "");
		begin = i;
	}
	buf_add(out, text + begin, n - begin);
}

/* ---- parts ---- */

struct parts {
	struct service *s;
	struct audit *audit;
	struct census_row rows[CENSUS_TABLES];
	size_t n_rows;
	int64_t schema;
	struct job_fact jobs[job_kind_count];
	struct job_list troubled;
	struct event_list events;
};

static int read_tx(struct sql *q, void *arg, struct err *err)
{
	struct parts *p = arg;

	if (store_census(q, p->rows, &p->n_rows, &p->schema, err) < 0 || store_job_facts(q, p->jobs, err) < 0 ||
	    store_job_list_troubled(q, TROUBLED, &p->troubled, err) < 0)
		return -(int)err->code;
	return store_event_latest(q, EVENTS, &p->events, err);
}

static int audit_tx(struct sql *tx, void *arg, struct err *err)
{
	struct parts *p = arg;

	return store_audit_add(tx, p->audit, err);
}

static void add(struct targz *t, const char *name, const char *text, size_t n)
{
	_cleanup_buf_ struct buf masked = BUF_MAX(2 * FILE_MAX);

	bundle_mask(text, n, &masked);
	targz_add(t, name, buf_text(&masked), masked.n);
}

static void add_json(struct targz *t, const char *name, json_t *take)
{
	_cleanup_free_ char *text = json_text(take);

	json_decref(take);
	add(t, name, text, strlen(text));
}

static json_t *version_json(const struct parts *p)
{
	const struct service *s = p->s;
	json_t *rows = json_object();
	struct store_health h;
	struct utsname u = { 0 };

	store_health(s->store, &h);
	(void)uname(&u);
	for (size_t i = 0; i < p->n_rows; i++)
		json_object_set_new(rows, p->rows[i].table, json_integer(p->rows[i].rows));
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:s, s:I, s:o}", "certwright", s->config.version, "system", u.sysname, "kernel", u.release, "machine", u.machine,
			 "started_at", json_time_or_null(s->started_ms), "made_at", json_time_or_null(service_now(s)), "store",
			 store_dialect(s->store) == SQL_SQLITE ? "sqlite" : "postgresql", "writable", h.writable, "trouble", h.reason, "schema", (json_int_t)p->schema, "rows", rows);
}

static json_t *jobs_json(const struct parts *p)
{
	json_t *kinds = json_object(), *troubled = json_array();

	for (unsigned k = 0; k < job_kind_count; k++)
		if (p->jobs[k].live || p->jobs[k].ok_ms)
			json_object_set_new(kinds, job_kind_text((enum job_kind)k),
					    json_pack("{s:I, s:o}", "live", (json_int_t)p->jobs[k].live, "last_done_at", json_time_or_null(p->jobs[k].ok_ms)));
	for (size_t i = 0; i < p->troubled.n; i++) {
		const struct job *j = &p->troubled.v[i];

		json_array_append_new(troubled, json_pack("{s:s, s:s, s:I, s:o, s:o}", "id", j->id, "kind", job_kind_text(j->kind), "attempts", (json_int_t)j->attempts, "next_at",
							  json_time_or_null(j->due_ms), "reason", json_text_or_null(j->reason)));
	}
	return json_pack("{s:o, s:o}", "kinds", kinds, "troubled", troubled);
}

static void add_events(struct targz *t, const struct event_list *l)
{
	_cleanup_buf_ struct buf text = BUF_MAX(FILE_MAX);

	for (size_t i = l->n; i > 0; i--) {
		const struct event *e = &l->v[i - 1];
		json_t *row = json_pack("{s:o, s:s, s:s, s:s, s:s}", "at", json_time_or_null(e->at_ms), "subject", e->subject_kind, "id", e->subject_id, "level",
					event_level_text(e->level), "text", e->text);
		_cleanup_free_ char *line = json_text(row);

		json_decref(row);
		buf_addf(&text, "%s\n", line);
	}
	add(t, "events.jsonl", buf_text(&text), text.n);
}

static void add_settings(struct targz *t, const struct strlist *settings)
{
	_cleanup_free_ char *text = settings ? strlist_join(settings, "\n") : xstrdup("");

	add(t, "config.txt", text, strlen(text));
}

static void parts_done(struct parts *p)
{
	job_list_done(&p->troubled);
	event_list_done(&p->events);
}

int service_support_bundle(struct service *s, const struct actor *a, const struct bundle_file *files, size_t n, struct buf *out, char **ret_name, struct err *err)
{
	_cleanup_free_ char *folder = bundle_folder(service_now(s));
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_(parts_done) struct parts p = { .s = s, .audit = &audit };
	_cleanup_buf_ struct buf log = BUF_MAX(FILE_MAX);
	struct targz t = { .out = out, .folder = folder, .at_ms = service_now(s) };
	json_t *checks = NULL;

	audit_begin(s, a, "support.bundle", "server", &audit);
	audit_object(&audit, "server", "server", NULL, NULL);
	if (store_write(s->store, audit_tx, &p, err) < 0 || store_read(s->store, read_tx, &p, err) < 0 || service_check_last(s, &checks, err) < 0)
		return err_wrap(err, "could not make a support bundle");
	log_kept(&log);
	targz_add(&t, "README.txt", bundle_readme, strlen(bundle_readme));
	add_json(&t, "version.json", version_json(&p));
	add_settings(&t, s->config.settings);
	add_json(&t, "checks.json", checks);
	add_json(&t, "jobs.json", jobs_json(&p));
	add(&t, "log.jsonl", buf_text(&log), log.n);
	add_events(&t, &p.events);
	for (size_t i = 0; i < n; i++)
		add(&t, files[i].name, files[i].text, strlen(files[i].text));
	targz_end(&t);
	if (buf_check(out, err) < 0)
		return err_wrap(err, "could not make a support bundle");
	*ret_name = xasprintf("%s.tar.gz", folder);
	return 0;
}
