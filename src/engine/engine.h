/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - orders, jobs, lanes and debts: the only place that decides. Everything it knows is a row of the store; it can be
 * killed at any instant and goes on where the rows say.
 *
 * What people want is written by service into columns of their own (want_finalize, want_refresh, want_cancel) or with the
 * calls of engine/intake.h, inside service's own transaction; the commit wakes the runner by itself (store_on_commit).
 * Nothing here is called from a request but engine_status().
 *
 * Time, randomness, HTTP, DNS, store, keys and the feed reach a step through struct engine only, so that a test can stand at
 * any instant: it makes an engine with fakes and calls engine_run_due() instead of starting threads.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "acme/ca.h"
#include "base/clock.h"
#include "base/program.h"
#include "feed/core.h"
#include "keys/keys.h"
#include "net/http.h"
#include "net/policy.h"
#include "resolve/resolve.h"
#include "store/store.h"

struct engine;
struct check_def;
struct mail_request;

#define KEEP_EVENTS_MS (730 * DAY_MS)  /* of orders that are over, certificates and what else has a story */
#define KEEP_QUERIES_MS (30 * DAY_MS)  /* what was asked of our DNS about delegations */

struct engine_options {            /* borrowed; must outlive the engine */
	struct store *store;
	struct keys *keys;
	struct net_policy *policy; /* a reference is taken */
	const struct clock *clock; /* NULL = the system's */
	const char *node;          /* name of this node, "" = host name; leases belong to node + start */
	unsigned workers;          /* 0 = LIMIT_WORKERS */
	struct resolve_view view;  /* n 0 = the engine reads /etc/resolv.conf when it needs it */
	const char *dns_hostname, *dns_zone; /* our name server, and the zone of CNAME targets; NULL: none is set */
	const struct strlist *dns_public;    /* its addresses as the Internet sees them; may be NULL */
	int64_t delegation_ttl_s;  /* TTL of TXT values of our own DNS; 0 = 1 */

	/* edge; NULL: none is configured */
	const char *feed_path, *report_path;

	const struct strlist *webroots; /* "NAME=/path": directories that challenges may be written below; borrowed, NULL = none */
	int64_t keep_events_ms, keep_queries_ms; /* how long history is kept; 0 = KEEP_EVENTS_MS, KEEP_QUERIES_MS */
	const char *heartbeat_url; /* asked every heartbeat_ms while all is well; NULL = none */
	bool heartbeat_post;
	int64_t heartbeat_ms;
	void (*nightly)(void *arg); /* called once a night, from a worker; may be NULL */
	void *nightly_arg;
	const struct check_def *checks; /* app's table (checks.h) and what its functions get; NULL = none */
	void *checks_arg;
	int64_t backup_warn_ms; /* a last backup that is older is a notice; 0 = none is expected */
	const char *public_url;    /* where people find the page, without '/' at its end; NULL: messages carry no link */

	const struct strlist *programs; /* "NAME=/path" of [programs]: their names are what can be chosen; borrowed, NULL = none */
	program_run_fn *run_program; /* foreign programs of publishers; NULL: there is no runner */
	void *program_arg;

	/* tests; all may be NULL */
	struct http *http;         /* used by all workers instead of libcurl */
	int (*edge_wait)(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err);
	void *edge_arg;
	int (*look_up)(void *arg, const char *name, struct resolve_report *ret, struct err *err); /* instead of resolve_txt */
	void *look_up_arg;
	int (*send_mail)(void *arg, const struct mail_request *q, enum net_leg *ret_leg, struct err *err); /* instead of net/mail.h */
	void *send_mail_arg;
	uint64_t (*random)(void *arg, uint64_t limit); /* uniform in [0, limit) */
	void *random_arg;
};

/* Ends the leases of its former self, opens the feed. No thread of the runner yet. */
int engine_open(const struct engine_options *o, struct engine **ret, struct err *err) MUST_CHECK;
/*
 * Who does a stretch, of a few seconds, of a stored action on many certificates (JOB_BULK). job->result is how far it has come, kept in the
 * transactions of its rows; *ret_more: there is more to do. Before engine_start.
 */
struct job;
typedef int engine_bulk_fn(void *arg, struct job *job, bool *ret_more, struct err *err);
void engine_on_bulk(struct engine *e, engine_bulk_fn *fn, void *arg);
/* Starts the workers. */
int engine_start(struct engine *e, struct err *err) MUST_CHECK;
/* Finishes the running steps (requests in flight end with BUSY after grace_ms), then joins all threads. */
void engine_stop(struct engine *e, int64_t grace_ms);
void engine_close(struct engine *e); /* after engine_stop; NULL is fine */

/* There may be something to do. Cheap, from any thread; commits do it by themselves. */
void engine_wake(struct engine *e);

/* For tests, without threads: runs what is due now, one row after the other, until nothing is; returns how many rows. */
int engine_run_due(struct engine *e, struct err *err) MUST_CHECK;
/* The earliest instant at which something is due; INT64_MAX = never. */
int64_t engine_next_due(struct engine *e);

struct engine_status {
	unsigned workers, busy;
	uint64_t steps, transactions, errors; /* since start */
	int64_t jobs_done, orders_valid, orders_failed;
	bool renewals_held;    /* the clock jumped; see DECISIONS 4 */
	struct feed_core_status feed;
};
void engine_status(struct engine *e, struct engine_status *ret);
/* What edge was asked, for metrics: feed_core_totals; 0 without edge. */
size_t engine_asked(struct engine *e, struct feed_total *ret, size_t cap);

#endif
