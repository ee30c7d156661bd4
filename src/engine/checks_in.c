/* SPDX-License-Identifier: Apache-2.0 */
/* checks_in.c - the looks inward: store, public server, jobs, accounts, backup, history. See checks.h. */
#include "engine/checks.h"

#include "engine/private.h"
#include "store/safekeeping.h"

#define STANDING_LATE_MS (2 * DAY_MS) /* those that go by themselves are done at least daily */

static const char *detail_of(const json_t *reason)
{
	const char *text = json_string_value(json_object_get(reason, "detail"));

	return text ? text : "no reason is known";
}

void check_store(struct check *c)
{
	struct store_health h;

	store_health(c->e->o.store, &h);
	if (h.writable)
		check_say(c, CHECK_OK, "", NULL, "the database takes writes");
	else
		check_say(c, CHECK_ERROR, "", "Nothing is ordered or changed until it does: look at its disk or at PostgreSQL, then restart Certwright.",
			  "the database takes no writes: %s", h.reason);
}

void check_edge(struct check *c)
{
	struct engine_status s;

	engine_status(c->e, &s);
	if (!s.feed.offered)
		check_say(c, CHECK_OK, "", NULL, "this server answers no challenge itself (dns.listen and http01.listen are empty)");
	else if (s.feed.loaded)
		check_say(c, CHECK_OK, "", NULL, "the public server answers with the full table");
	else
		check_say(c, CHECK_ERROR, "", "Look at the log of certwright-edge; it is started again by itself.", "the public server is %s",
			  s.feed.connected ? "connected and not loaded" : "not connected");
	if (s.renewals_held)
		check_say(c, CHECK_WARNING, "renewals", "Look at the clock; they go on by themselves.", "renewals are held because the clock jumped");
}

struct jobs {
	struct job_list live;
	struct job_fact facts[job_kind_count];
	int64_t debts;
};

static int read_jobs(struct sql *q, void *arg, struct err *err)
{
	struct jobs *j = arg;

	if (store_job_facts(q, j->facts, err) < 0 || store_debt_aside(q, &j->debts, err) < 0)
		return -(int)err->code;
	return store_job_list_troubled(q, 20, &j->live, err);
}

static void late_jobs(struct check *c, const struct jobs *j)
{
	static const enum job_kind daily[] = { JOB_PRUNE, JOB_RENEWAL, JOB_RENEWAL_CHECK, JOB_ACCOUNT_WATCH, JOB_DELEGATION_WATCH };
	int64_t now = engine_now(c->e);

	for (size_t i = 0; i < ARRAY_SIZE(daily); i++) {
		const struct job_fact *f = &j->facts[daily[i]];

		if (f->live && f->ok_ms && f->ok_ms < now - STANDING_LATE_MS)
			check_say(c, CHECK_WARNING, job_rows[daily[i]].title, "Restart Certwright; if it stays so, send a support bundle.", "was last done %" PRId64 " hours ago",
				  (now - f->ok_ms) / HOUR_MS);
	}
}

void check_jobs(struct check *c)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct jobs j = { 0 };

	if (engine_read(c->e, read_jobs, &j, &why) < 0) {
		check_err(c, CHECK_UNKNOWN, "", NULL, &why);
		job_list_done(&j.live);
		return;
	}
	for (size_t i = 0; i < j.live.n; i++) {
		_cleanup_json_ json_t *reason = json_text_or_null(j.live.v[i].reason);
		_cleanup_free_ char *about = xasprintf("%s (job %" PRId64 ")", job_rows[j.live.v[i].kind].title, j.live.v[i].num);

		check_say(c, CHECK_WARNING, about, json_string_value(json_object_get(reason, "hint")), "is tried again and again: %s", detail_of(reason));
	}
	late_jobs(c, &j);
	if (j.debts)
		check_say(c, CHECK_WARNING, "to be withdrawn", "See External DNS, To be withdrawn, for what and why.", "%" PRId64 " challenge%s could not be withdrawn for a week",
			  j.debts, j.debts == 1 ? "" : "s");
	if (!json_array_size(c->rows))
		check_say(c, CHECK_OK, "", NULL, "what goes by itself goes");
	job_list_done(&j.live);
}

static int read_refused(struct sql *q, void *arg, struct err *err)
{
	struct page page = { .limit = LIMIT_API_PAGE };

	return store_account_list(q, &(struct account_filter){ .status = account_status_text(ACCOUNT_INVALID) }, &page, arg, err);
}

void check_accounts(struct check *c)
{
	_cleanup_account_list_ struct account_list l = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (engine_read(c->e, read_refused, &l, &why) < 0) {
		check_err(c, CHECK_UNKNOWN, "", NULL, &why);
		return;
	}
	for (size_t i = 0; i < l.n; i++) {
		_cleanup_json_ json_t *reason = json_text_or_null(l.v[i].reason);

		check_say(c, CHECK_ERROR, l.v[i].name, "Nothing is ordered by it: see Accounts.", "the account is not valid: %s", detail_of(reason));
	}
	if (l.more)
		check_say(c, CHECK_ERROR, "", "See Accounts.", "more than these are not valid");
	if (!l.n)
		check_say(c, CHECK_OK, "", NULL, "no account is refused by its authority");
}

/* ---- history ---- */

static int read_facts(struct sql *q, void *arg, struct err *err)
{
	return store_job_facts(q, arg, err);
}

void check_history(struct check *c)
{
	int64_t events = c->e->o.keep_events_ms ? c->e->o.keep_events_ms : KEEP_EVENTS_MS, queries = c->e->o.keep_queries_ms ? c->e->o.keep_queries_ms : KEEP_QUERIES_MS;
	struct job_fact facts[job_kind_count] = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	char at[CLOCK_TEXT];

	if (engine_read(c->e, read_facts, facts, &why) < 0)
		check_err(c, CHECK_UNKNOWN, "", NULL, &why);
	else
		check_say(c, CHECK_OK, "", NULL, "the story of what is over is kept for %" PRId64 " days, what was asked of our DNS for %" PRId64 ", the audit for ever; %s%s",
			  events / DAY_MS, queries / DAY_MS, facts[JOB_PRUNE].ok_ms ? "last pruned at " : "not pruned yet",
			  facts[JOB_PRUNE].ok_ms ? clock_format(facts[JOB_PRUNE].ok_ms, at) : "");
}

/* ---- backup ---- */

static int read_kept(struct sql *q, void *arg, struct err *err)
{
	return store_safekeeping(q, arg, err);
}

void check_backup(struct check *c)
{
	int64_t now = engine_now(c->e), after = c->e->o.backup_warn_ms;
	_cleanup_err_ struct err why = ERR_INIT;
	struct safekeeping k = { 0 };

	if (engine_read(c->e, read_kept, &k, &why) < 0) {
		check_err(c, CHECK_UNKNOWN, "", NULL, &why);
		return;
	}
	if (!after)
		check_say(c, CHECK_UNKNOWN, "", "Look at how PostgreSQL is backed up.", "this database is not backed up by Certwright");
	else if (!k.backup_ms)
		check_say(c, k.something_to_lose ? CHECK_ERROR : CHECK_WARNING, "", "See Backup in the administrator's guide: certwright backup, and its daily timer.",
			  "no backup was ever made");
	else if (now > k.backup_ms + after)
		check_say(c, CHECK_ERROR, "", "Look at systemctl status certwright-backup.service, or run certwright backup.", "the last backup is %" PRId64 " hours old",
			  (now - k.backup_ms) / HOUR_MS);
	else
		check_say(c, CHECK_OK, "", NULL, "the last backup is %" PRId64 " hours old, %" PRId64 " kB", (now - k.backup_ms) / HOUR_MS, k.backup_bytes / 1024);
	if (k.escrow_ms)
		check_say(c, CHECK_OK, "master key", NULL, "a copy was made for a safe");
	else
		check_say(c, CHECK_WARNING, "master key", "On the server's host, as root: certwright key show-escrow", "no copy of the master key was made for a safe: without it no backup can be used");
}
