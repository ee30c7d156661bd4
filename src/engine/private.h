/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - what the files of engine/ (and its tests) share; nobody else includes this. */
#ifndef ENGINE_PRIVATE_H
#define ENGINE_PRIVATE_H

#include "acme/acme.h"
#include "acme/signer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/stop.h"
#include "crypto/x509.h"
#include "engine/engine.h"
#include "engine/intake.h"
#include "engine/jobs.h"
#include "engine/renewal_when.h"
#include "engine/provider.h"
#include "engine/steps.h"
#include "model/renewal.h"
#include "net/client.h"
#include "net/ruled.h"
#include "publish/publisher.h"
#include "store/account.h"
#include "store/authz.h"
#include "store/certificate.h"
#include "store/csr.h"
#include "store/debt.h"
#include "store/delegation.h"
#include "store/event.h"
#include "store/feed_item.h"
#include "store/job.h"
#include "store/key.h"
#include "store/lane.h"
#include "store/lease.h"
#include "store/order.h"
#include "store/provider.h"
#include "store/record.h"
#include "store/rule.h"
#include "store/view.h"

#include <pthread.h>

#define LANE_LOCAL "local"
#define LANE_PROPAGATION "propagation"
#define LANE_ACCOUNT "account:"    /* parked only, nothing runs in it */
#define LANE_IDENTIFIER "name:"    /* parked only */
#define LANE_REGISTER "register:"  /* parked only */
#define LANE_VENDOR "vendor:"
#define LANE_NOTIFY "notify:" /* a channel: one message after the other */
#define LANE_PROVIDER_TEST "provider-test:"
#define LANE_DNS "dns:" /* a provider: read, merge, write, one at a time */

/* ---- lane.c: who may run, who is parked ---- */

struct lane_slot {
	char *name;
	int64_t cap;
	unsigned running;
};

struct named;
struct parked {
	char *name;
	int64_t until_ms;
};

struct lanes {
	struct lane_slot *v;
	size_t n, cap;
};

/* ---- the engine ---- */

enum task_kind { TASK_NONE, TASK_ORDER, TASK_JOB, TASK_DEBT };
struct task {
	enum task_kind kind;
	struct order order;
	struct job job;
	struct debt debt;
	bool alone; /* a suspect */
	int64_t lease_boot_ms; /* end of its lease on the clock that never jumps, measured from before the claim */
	char *lane;
	struct task *next;
};
void task_free(struct task *t);

struct worker {
	struct engine *e;
	unsigned number;
	uint64_t thread;
	struct net_client *client;
	struct http *http;
	bool running;        /* its thread was started */
	pthread_cond_t wake; /* with the engine's lock */
	struct task *task;   /* given to it */
};

struct engine {
	engine_bulk_fn *bulk; /* set before the workers run */
	void *bulk_arg;
	struct engine_options o;
	const struct clock *clock;
	char *node, *owner;
	unsigned n_workers;
	struct worker *workers;
	struct acme_cas *cas;
	struct feed_core *feed;
	struct stop stop, abort; /* no new work; running requests end */
	struct wake wake;
	uint64_t dispatcher;
	int64_t lease_ms, step_ms; /* LIMIT_LEASE_S and LIMIT_STEP_S but in tests */
	bool started, dispatcher_on;

	pthread_mutex_t lock; /* all below; never held across I/O */
	struct worker **idle; /* the last to become idle is the first to get work: warm caches, few connections */
	unsigned n_idle;
	struct task *queue, **queue_end;
	unsigned queued, busy, alone;
	struct lanes lanes;
	struct named *buckets; /* rate.c */
	bool suspects;
	struct parked *parks; /* accounts, names and registrations that wait; as of the last look at the lanes */
	size_t n_parks;
	int64_t alone_since_boot_ms;
	int64_t hold_until_ms;
	int64_t watch_boot_ms; /* when the watchdog looks next; the dispatcher's */
	int64_t last_wall_ms, last_boot_ms; /* the dispatcher's last look at the clocks */
	int64_t shift_ms;                   /* by how much the wall clock was set since start, and all that waits with it */
	uint64_t steps, transactions, errors;
	unsigned checks; /* atomic: runs of checks.c whose threads are not all over */
	int64_t jobs_done, orders_valid, orders_failed;

	/* reports of edge, folded until they are written (feeder.c); the feed's thread only */
	struct report_fold *folds;
	struct asked_fold *asked; /* the same for delegations (asked.c) */
	int64_t asked_boot_ms;    /* when that was written last; the dispatcher's */

	/* tests: after the n-th write or call the engine behaves as if it were killed */
	bool (*crash_at)(void *arg, const char *point);
	bool (*fail_at)(void *arg, const char *point); /* this write fails */
	void *crash_arg;
	bool crashed;
};

int64_t engine_now(const struct engine *e);
uint64_t engine_below(const struct engine *e, uint64_t limit); /* uniform in [0, limit) */
int64_t engine_jitter(const struct engine *e, int64_t value, unsigned percent);
/* All writes of the engine go through here: counted, and a test can end the engine before or after each. */
int engine_write(struct engine *e, sql_tx_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* backup_watch.c: the notice about a last backup that is too old; *ret_next_ms: when it would become so, INT64_MAX = not by itself. */
int backup_watch(struct engine *e, int64_t *ret_next_ms, struct err *err) MUST_CHECK;
int engine_read(struct engine *e, sql_tx_fn *fn, void *arg, struct err *err) MUST_CHECK;
bool engine_crash(struct engine *e, const char *point);
/*
 * Until when what begins now may act outward: a step's time, and never beyond the lease. A process that was stopped for longer finds
 * its time over before it sends anything: what it would send, somebody else may have sent meanwhile.
 */
int64_t engine_deadline(const struct engine *e, int64_t lease_boot_ms);

/* ---- clocks.c: three different clocks (DESIGN 3 rule 7) ---- */

int64_t poll_clock(const struct engine *e, int64_t polls);         /* span: 20 ms ... 30 s, +-20 % */
int64_t propagation_clock(const struct engine *e, int64_t polls);  /* span: 2 ... 30 s, +-20 % */
int64_t retry_clock(const struct engine *e, int64_t attempts);     /* span: 1, 10, 100 min, daily, +-50 % */

/* ---- lane.c ---- */

char *lane_vendor(const char *directory_url); /* owned */
int64_t lane_cap(const char *name);
/* Nothing stands in its way any more: the lane is free, what was told of it is over, and of an account what waited under it is due now. */
int lane_resume(struct sql *tx, const char *name, int64_t now_ms, struct err *err);
/* Counts of what runs here; take e->lock before. lane_room: how many more may run, never more than half of the workers. */
struct lane_slot *lane_slot(struct engine *e, const char *name);
int64_t lane_room(struct engine *e, const char *name, int64_t cap);
/* Until when a lane (also those in which nothing runs: account, name, registration) is parked; 0 = free. Takes the lock. */
int64_t parked_until(struct engine *e, const char *name);
bool parked_any(struct engine *e);
void parked_set(struct engine *e, const struct lane_load_list *l);
/* What was just stored, for those who are at it: the dispatcher's next look says it again. */
void parked_note(struct engine *e, const char *name, int64_t until_ms);
/* acme's gate: token buckets per directory, and who is parked is asked nothing more. data is a struct gate. */
struct gate {
	struct engine *e;
	const char *directory_url;
	const char *lane; /* NULL: asks even while the vendor is parked (a person does) */
	const char *vendor; /* key of the registry, whose limits count; NULL or unknown: none */
	const struct order *order; /* whose certificate it is about, or NULL */
};
int lane_gate(void *data, enum acme_kind kind, struct err *err);
void lanes_done(struct engine *e);
char *registered_domain(const char *name); /* owned; NULL when there is none */

/* ---- rate.c ---- */

/* A validation of this name has failed: counted, since authorities count it. */
void rate_failed(struct gate *g, const char *name);
void rates_done(struct engine *e);

/* ---- signer.c ---- */

void signer_init(struct acme_keys_signer *s, struct keys *k, const struct key_row *key, const struct account *a);

/* ---- way.c: how an account's authority is reached ---- */

struct way {
	struct connection connection;
	struct net_rule rule;
	struct ruled ruled;
};
/*
 * What the sessions of an account call out by. connection: text of the account's column, url: its directory. CONFLICT when a private
 * network was confirmed for another host. w must not move while the result is used.
 */
struct http *way_open(struct way *w, struct http *inner, const char *connection, const char *url, struct err *err);
void way_done(struct way *w);

/* ---- provider.c: one configured publisher, opened for a call ---- */

struct provider_use {
	const struct publisher *pub;
	struct provider row;
	json_t *fields;
	struct connection connection;
	struct net_rule rule;
	struct ruled ruled;
	struct publish_env env;
	struct field_value *values;
	struct secret *secrets;
	size_t n_values;
	void *self;
	bool open;
};
/* Secrets are opened here and wiped by close. row is borrowed for the call. u must not move while it is open. */
int provider_use_open(struct engine *e, struct worker *w, const struct provider *row, struct provider_use *u, struct err *err) MUST_CHECK;
void provider_use_close(struct provider_use *u);
#define _cleanup_provider_use_ __attribute__((cleanup(provider_use_close)))
/* The credential as a whole is refused: the provider is to be parked. */
bool provider_refuses(const struct err *why);
/* Parks it and says so once (event of the provider); within a transaction that may run twice. */
int provider_put_refused(struct sql *tx, const struct engine *e, const char *id, const struct err *why, struct err *err) MUST_CHECK;
/* What is a provider's id, as far as the text tells: everything that is no built-in method. */
static inline bool method_is_provider(enum validation kind, const char *method)
{
	return !publisher_find(kind, method);
}
enum publish_way method_way(enum validation kind, const char *method); /* providers are PUBLISH_REMOTE */
char *lane_provider(const char *id, const char *zone); /* "dns:<id>:<zone>", zone NULL or "" while it is not known; owned */

/* ---- run.c: one claimed order with its rows, and what is to be stored ---- */

enum dirty { ROW_NEW = 1, ROW_CHANGED = 2, ROW_LIVE = 4 /* put its feed item */, ROW_GONE = 8 /* remove it */, ROW_ZONE = 16 /* its debt learns the zone */ };

struct park {
	char *lane;
	int64_t until_ms;
	char *reason;
};

struct run {
	struct engine *e;
	struct worker *w;
	struct order o;
	bool loaded;

	struct account account;
	struct key_row account_key;
	struct csr csr;
	bool has_csr;
	struct authz_list authz;
	struct record_list records;
	struct debt_list debts; /* of a PUBLISH_REMOTE publisher */
	struct name_methods methods;
	struct provider_list providers; /* those that the names and records go by; deleted ones too */
	char *refused;                  /* id of a provider whose credential was refused: stored with the next flush */
	struct err refused_why;
	unsigned char authz_dirty[LIMIT_CA_IDENTIFIERS];
	unsigned char record_dirty[LIMIT_CA_IDENTIFIERS];
	bool authz_seen[LIMIT_CA_IDENTIFIERS]; /* read from the CA during this run */

	/* facts of this run; lost with it and learnt again */
	struct strlist urls; /* authorization URLs of the order */
	bool urls_known;
	size_t next_url;
	bool fresh_ready;    /* the CA has just said "ready" */
	bool hunting;        /* the order is invalid: looking for the authorization that tells why */
	uint64_t seq;        /* last row edge has to acknowledge */
	bool seq_known;
	int64_t shift_ms;         /* the engine's, as of which o's instants are */
	int64_t lease_boot_ms;    /* nothing goes out after it: somebody else may be at it by then */
	int64_t deadline_boot_ms; /* of the step; never later than the lease */
	int64_t retry_after_ms; /* span the CA asked for, longest of this pass */
	size_t looked;       /* PROPAGATE: records looked at in this pass */
	int64_t look_due_ms; /* PROPAGATE: when one of those counts as seen without a look */
	bool person_told;    /* it waits for a person and has just said so, or said so again */
	bool person_over;    /* it does not any more */
	bool published_now;  /* a REMOTE publisher was called: on a lost lease the debts are opened again */

	struct acme_session session;
	struct acme_keys_signer signer;
	struct way way;
	struct gate gate;
	char *vendor_lane;
	char *through;       /* parked lane this run goes through since a person asked for it */
	bool unpark;         /* it worked */

	/* to be stored with the next flush */
	struct event_list events;
	struct park parks[4];
	size_t n_parks;
	struct key_row new_key;
	struct csr new_csr;
	bool has_new_csr;
	bool new_lane;           /* its row may have to be made */
	bool release_turn;       /* and wake who waits for it */
	bool drop_profile;       /* the authority refused it at finalize, and the order may go without */
	bool end_debts;          /* release; pay at once what is rows or a person's */
	bool deactivate_debts;   /* debts for authorizations that are still pending */
	struct strlist give_back; /* ... and for these, of an order that was made anew */
	struct version version;  /* DOWNLOAD */
	bool has_version;
	struct certificate certificate;
	bool new_certificate, put_certificate;
	char *ari_id;                /* certID of the version, or NULL */
	char *replaces;              /* certID of the version before, when the same account issued it */
	bool renewal;                /* the order had a certificate before it was issued */
	unsigned served;         /* BIT(enum order_want) */
	bool dirty;              /* a verdict with .keep is not stored yet */
};

void run_init(struct run *r, struct engine *e, struct worker *w, struct order *take_order, int64_t lease_boot_ms);
void run_done(struct run *r);
/* The longer of this span and the one the CA asked for, of which the order keeps the end: nobody, not even a person, has it looked at before. */
int64_t run_wait(struct run *r, int64_t span_ms);
void run_follow_clock(struct run *r);
int run_load(struct run *r, struct err *err);
/* Stores the order with all that changed; one transaction. LOST_LEASE: drop everything. */
int run_flush(struct run *r, enum lease_then then, struct err *err);
void run_event(struct run *r, enum event_level level, char *take_detail_json, const char *fmt, ...) PRINTF(4, 5);
void run_park(struct run *r, char *take_lane, int64_t until_ms, const struct err *why);
struct acme_session *run_session(struct run *r, struct err *err); /* ready for the order's account; NULL on error */
/* By a method's text: built in, or the kind of a configured provider; NULL: nothing is known about it. */
const struct publisher *run_publisher(const struct run *r, const char *method);
const struct provider *run_provider(const struct run *r, const char *id); /* NULL: none */
const char *run_method(const struct run *r, const struct authz *a);
/* A record that the CA still has to see and that is not published. */
struct record *run_unpublished(struct run *r);
bool run_needs(const struct run *r, const struct authz *a);
/* Some record that is not seen yet waits for a person. */
bool run_waits_for_person(const struct run *r);
struct record *run_record(struct run *r, const struct authz *a, size_t *ret_i);
char *run_step_lane(struct run *r, enum order_step step); /* owned */
void authz_changed(struct run *r, const struct authz *a);
void record_changed(struct run *r, const struct record *rec, unsigned flags);

/* ---- steps.c ---- */

/* Runs one claimed order until its next step is not due at once. Takes the order out of t. Returns with the lease ended. */
void order_run(struct engine *e, struct worker *w, struct order *take_order, int64_t lease_boot_ms);
int order_run_once(struct run *r, bool *ret_go_on, struct err *err);
void run_fail(struct run *r, struct verdict *v, struct err *why); /* ABANDON or FAILED; takes why's contents as reason */

/* step_create.c (queued, create), step_authorize.c, step_publish.c, step_propagate.c, step_validate.c (accept, validate), step_issue.c (the rest) */
int step_queued(struct run *r, struct verdict *v, struct err *err);
int step_create(struct run *r, struct verdict *v, struct err *err);
int step_authorize(struct run *r, struct verdict *v, struct err *err);
int step_publish(struct run *r, struct verdict *v, struct err *err);
int step_propagate(struct run *r, struct verdict *v, struct err *err);
int step_accept(struct run *r, struct verdict *v, struct err *err);
int step_validate(struct run *r, struct verdict *v, struct err *err);
int step_confirm(struct run *r, struct verdict *v, struct err *err);
int step_finalize(struct run *r, struct verdict *v, struct err *err);
int step_collect(struct run *r, struct verdict *v, struct err *err);
int step_download(struct run *r, struct verdict *v, struct err *err);
int step_abandon(struct run *r, struct verdict *v, struct err *err);
/* step_create.c: what an order object of the CA says is ours now. */
void order_take(struct run *r, const struct acme_order *a);
/* step_authorize.c: the authorization as the CA has it now, into ret and its row. */
int authz_read_again(struct run *r, struct authz *a, struct acme_authz *ret, struct err *err);
/* It failed: the reason in the CA's words, and what we know that may explain it. Returns -code. */
int authz_refused(struct run *r, const struct acme_authz *a, struct authz *row, struct err *err);
enum challenge_status challenge_status_of(enum acme_challenge_status s);
/* Somebody may not have heard us: true a minute into the step, later as the order grows older, so that asking again stays rare. */
bool told_long_ago(const struct run *r);
/* What the CA says about the order decides where to go; 1 when it decided, 0 when it is (still) pending. */
int order_follow(struct run *r, const struct acme_order *a, struct verdict *v, struct err *err);
/* verdict.c: on to the next step at once (keep: not stored before it is done), or the same one later. Both return 0. */
int verdict_go(struct verdict *v, const struct run *r, enum order_step next, bool keep);
int verdict_wait(struct verdict *v, const struct run *r, int64_t span_ms);
/* The reason of a problem the CA reported, as an error of ours (REMOTE_REFUSED). Returns -code. */
int problem_err(struct err *err, const struct acme_problem *p, const char *fmt, ...) PRINTF(3, 4);

/* ---- outlook.c: through whom the world is looked at ---- */

struct outlook {
	char *view;           /* its name, "" for the server's own */
	char *rule;           /* suffix of the rule that decided, or NULL */
	bool wait;            /* nobody is asked */
	int64_t wait_s;
	struct resolve_view at;
	struct dns_view row;  /* what at borrows from */
	struct connection connection;
	struct net_rule net;
};
/* The server's own view: resolve.servers, or the system's resolvers. */
void outlook_default(struct engine *e, struct outlook *ret);
/* A configured one. l must not move while it is used. INVALID, CONFLICT (connection). */
int outlook_open(struct engine *e, struct http *http, const struct dns_view *row, struct outlook *l, struct err *err) MUST_CHECK;
/* As the rules say for the name (without "*."). */
int outlook_for(struct engine *e, struct http *http, const char *name, const char *vendor, struct outlook *l, struct err *err) MUST_CHECK;
void outlook_done(struct outlook *l);
#define _cleanup_outlook_ __attribute__((cleanup(outlook_done)))
/* What a visit found as JSON for the record: seen, text, view, rule, zone, inside, alias, servers. Owned. */
json_t *outlook_json(const struct outlook *l, const struct resolve_report *rep, const char *value);

/* ---- person.c: an order that waits for a person ---- */

/* How often it has been said by now: 0 at once, 1 at half time, 2 a day before the end. */
int person_stage(int64_t since_ms, int64_t until_ms, int64_t now_ms);
/* In the flush: raises or ends the notice. */
int person_flush(struct sql *tx, struct run *r, struct err *err);

/* ---- verdict.c ---- */

/* The lane that waits with a refusal of this scope (owned); NULL: nobody but who asked. */
char *refusal_lane(const struct account *a, const char *vendor_lane, const struct acme_refusal *f);
/* Why is not empty. Fills v and the order's reason and attempts, parks what must be parked; refusal may be NULL. */
void verdict_for_error(struct run *r, struct err *why, struct verdict *v);
/* Until when a row that failed waits, by class; 0 = it has failed for good. Shared by jobs and debts. */
int64_t retry_due(const struct engine *e, const struct err *why, const struct acme_refusal *refusal, int64_t attempts);

/* ---- jobs.c, debts.c ---- */

struct job_run {
	struct engine *e;
	struct worker *w;
	struct job j;
	int64_t lease_boot_ms;
	json_t *args;
	json_t *result;
	struct account account;
	struct key_row key, next_key; /* next_key: a rollover's */
	struct acme_session session;
	struct acme_keys_signer signer;
	struct way way;
	struct gate gate;
	struct event_list events;
	sql_tx_fn *also; /* runs in the transaction that ends the job; arg is the job_run */
	void *data;      /* for also */
	void (*data_free)(void *data);
	bool attempts_left_alone; /* it backs off: due_ms stands */
	char *park;      /* lane that waits with it, until due_ms */
	bool wait;       /* not done, nothing wrong: again at due_ms */
};
void job_run_one(struct engine *e, struct worker *w, struct job *take_job, int64_t lease_boot_ms);
void debt_run_one(struct engine *e, struct worker *w, struct debt *take_debt, int64_t lease_boot_ms);
/*
 * In the transaction of the claim: a job that was set aside has failed, nothing waits for it any more; nor does its account.
 * *ret_kind, *ret_id (owned): what the alarm is about.
 */
int job_set_aside(struct sql *tx, const struct engine *e, const char *id, const char *why, char **ret_kind, char **ret_id,
		  struct err *err);
/* For the files that have jobs of their own. The session is without an account until job_account_open. */
int job_session_open(struct job_run *r, const char *directory_url, struct err *err);
int job_account_open(struct job_run *r, const char *account_id, struct err *err);
void job_tell(struct job_run *r, const char *kind, const char *id, enum event_level level, const char *fmt, ...) PRINTF(5, 6);
int job_renewal(struct job_run *r, struct err *err);
int job_renewal_info(struct job_run *r, struct err *err);
int job_renewal_check(struct job_run *r, struct err *err);
int job_revoke(struct job_run *r, struct err *err);

/* ---- renewal_*.c ---- */

#define RENEWAL_KEY_DAYS 398  /* a CSR made elsewhere is used again so long */
#define RENEWAL_TELL_AFTER 3  /* failures in a row before anybody is told: what mends itself within minutes is no news */

struct renewal_dice engine_dice(struct engine *e);
/* The row, or what stands for none. */
int renewal_load(struct sql *q, const char *certificate_id, struct renewal *ret, struct err *err);
/* When a certificate whose renewal is under way is looked at again, should its order be lost. */
int64_t renewal_look_again(const struct certificate *c, int64_t now_ms);
/* In the transaction that ends an order. */
int renewal_order_ended(struct sql *tx, struct run *r, struct err *err);
/*
 * A renewal that waits for its turn behind an order that waits for a person: after a day, or with a tenth of the lifetime left, that
 * order is ended (DESIGN 3 rule 4).
 */
int renewal_pass(struct sql *tx, const struct run *r, const char *holder_id, struct err *err);
/* The directory's standing job is there and due at now_ms. */
int renewal_info_wanted(struct sql *tx, const char *directory_url, int64_t now_ms, struct err *err);
/* The standing jobs are there. */
int renewal_standing(struct sql *tx, struct engine *e, struct err *err);
/* The clock jumped: nothing is renewed for that span (DECISIONS 4). */
bool renewal_held(struct engine *e, int64_t *ret_span_ms);
/* The vendor takes no money, or it may be spent from this account without asking. */
bool renewal_may_pay(const struct account *a);

/* jobs.c: "O=..., C=..." as shown; owned */
struct csr_subject;
char *subject_text(const struct csr_subject *s);

/* causes.c: notices of what refuses many at once; inside the transaction in which it became known, or is over */
int cause_credential(struct sql *tx, const struct provider *p, const struct err *why, int64_t now_ms, struct err *err) MUST_CHECK;
int cause_credential_over(struct sql *tx, const char *provider_id, int64_t now_ms, struct err *err) MUST_CHECK;
/* Beside store_lane_park and store_lane_unpark; lanes that are no authority's are nothing. certificate_id: what is renewed, or NULL. */
int cause_parked(struct sql *tx, const char *lane, int64_t until_ms, const char *reason, const char *certificate_id, int64_t now_ms,
		 struct err *err) MUST_CHECK;
int cause_parked_over(struct sql *tx, const char *lane, int64_t now_ms, struct err *err) MUST_CHECK;
/* The certificate joins what is told already of this authority, or of this provider (each may be NULL). */
int cause_join(struct sql *tx, const char *directory_url, const char *method, const struct certificate *c, int64_t now_ms, bool *ret_joined,
	       struct err *err) MUST_CHECK;
int cause_debt(struct sql *tx, const struct err *why, int64_t now_ms, struct err *err) MUST_CHECK;
/* Nothing when another one is still owed. */
int cause_debt_over(struct sql *tx, int64_t now_ms, struct err *err) MUST_CHECK;
/* Ends what is over although nobody noticed. */
int causes_review(struct sql *tx, int64_t now_ms, struct err *err) MUST_CHECK;
/* 1: not now; c and n say until when and why. */
int renewal_window_stops(struct sql *tx, struct engine *e, struct certificate *c, struct renewal *n, struct err *err);
/* The dispatcher's look whether what is due is tried; now and then. */
void renewal_watch(struct engine *e);

int job_preflight(struct job_run *r, struct err *err);        /* doctor_job.c */
/*
 * Before an order is placed: 1 when a name of it was delegated to us and has gone elsewhere, *ret_why says so. Nothing is asked but for
 * a name that was seen to have gone.
 */
int delegations_stand(struct run *r, struct err *ret_why, struct err *err);
int job_delegation_check(struct job_run *r, struct err *err);
int job_delegation_watch(struct job_run *r, struct err *err);
int job_bulk(struct job_run *r, struct err *err);         /* bulk.c */
int job_count(struct job_run *r, struct err *err);        /* kept.c */
int job_notify(struct job_run *r, struct err *err);       /* notify.c */
int job_channel_test(struct job_run *r, struct err *err);
int run_provider_test(struct job_run *r, struct err *err); /* provider_test.c */
int run_provider_withdraw(struct job_run *r, struct err *err);
int run_provider_attach(struct job_run *r, struct err *err); /* provider_attach.c */
int run_provider_options(struct job_run *r, struct err *err); /* provider_options.c */

/* ---- jobs_account.c, jobs_vendor.c ---- */

/* The account the job is about, with a session; r->result names it. */
int job_account_subject(struct job_run *r, struct err *err);
/* What the account is from now on; stored in the transaction that ends the job. */
void job_account_set(struct job_run *r, enum account_status status, const struct err *why);
/* In a write function of a job that has not ended: LOST_LEASE unless it is still ours. */
int job_mine(struct sql *tx, const struct job_run *r, struct err *err);
int job_account_register(struct job_run *r, struct err *err);
int job_account_refresh(struct job_run *r, struct err *err);
int job_account_reconcile(struct job_run *r, struct err *err); /* jobs_found.c */
int job_account_contact(struct job_run *r, struct err *err);
int job_account_agree(struct job_run *r, struct err *err);
int job_account_close(struct job_run *r, struct err *err);
int job_account_rollover(struct job_run *r, struct err *err);
void job_rollover_failed(struct job_run *r, const struct err *why);
int job_account_watch(struct job_run *r, struct err *err);
int job_vendor_check(struct job_run *r, struct err *err);
int job_network_look(struct job_run *r, struct err *err); /* jobs_look.c */
int job_server_check(struct job_run *r, struct err *err); /* jobs_check.c */
int job_prune(struct job_run *r, struct err *err);        /* prune.c */
int job_heartbeat(struct job_run *r, struct err *err);    /* heartbeat.c */
/* What a directory says, as JSON; and storing it (r->result's "facts", if there) with what moved. */
json_t *job_vendor_facts(const struct acme_directory *d);
int job_vendor_keep(struct sql *tx, const struct job_run *r, const char *url, struct err *err);
void job_vendor_failed(struct job_run *r, const struct err *why);
/* What a debt row says, and back. */
/* The owner name (host) that is really written: at a provider the one to which the name leads. Borrowed. */
const char *record_place(const struct record *rec);
char *debt_what(enum debt_kind kind, const char *zone, const struct record *r, const char *authz_url);

/* ---- asked.c: what the Internet asked about delegated zones ---- */

struct asked_fold;
bool asked_note(struct engine *e, const struct feed_report *r); /* with e->lock; true: something is to be written */
void asked_tell(struct engine *e);
void asked_free(struct asked_fold *f);

/* ---- feeder.c ---- */

struct report_fold;
int feeder_open(struct engine *e, struct err *err);
int64_t feeder_tell(struct engine *e, bool all);
void feeder_close(struct engine *e);
int engine_edge_wait(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err);

/* ---- runner.c ---- */

/* The wall clock was set and the dispatcher has not noticed yet: no instant that is stored means anything for a moment. */
bool engine_clock_jumped(struct engine *e);
/* The dispatcher's look at the clocks: when they have come apart renewals are held, and what waits is moved to the new time. */
void engine_watch_clock(struct engine *e);

/*
 * Claims what is due and may run, at most max rows; *ret is a list. *ret_next_ms: when something more is due (INT64_MAX = never).
 * The lanes' counters are raised; runner_do lowers them.
 */
int runner_claim(struct engine *e, unsigned max, struct task **ret, int64_t *ret_next_ms, struct err *err);
void runner_do(struct engine *e, struct worker *w, struct task *t);

#endif
