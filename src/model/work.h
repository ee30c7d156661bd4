/* SPDX-License-Identifier: Apache-2.0 */
/* work.h - what the runner walks besides orders: jobs, debts, lanes; events; and what edge is fed with. */
#ifndef MODEL_WORK_H
#define MODEL_WORK_H

#include "model/enum.h"

#define JOB_STATES(X) X(JOB_QUEUED, "queued") X(JOB_RUNNING, "running") X(JOB_DONE, "done") X(JOB_FAILED, "failed")
DECLARE_ENUM(job_state, JOB_STATES);

/* Rows of the job table (engine/jobs.c). */
#define JOB_KINDS(X)                                                                                                   \
	X(JOB_ACCOUNT_REGISTER, "account-register")                                                                    \
	X(JOB_ACCOUNT_REFRESH, "account-refresh")                                                                      \
	X(JOB_ACCOUNT_CONTACT, "account-contact")                                                                      \
	X(JOB_ACCOUNT_AGREE, "account-agree")                                                                          \
	X(JOB_ACCOUNT_ROLLOVER, "account-rollover")                                                                    \
	X(JOB_ACCOUNT_RECONCILE, "account-reconcile") /* after a restore: what the authority knows and we do not */     \
	X(JOB_ACCOUNT_DEACTIVATE, "account-deactivate")                                                                \
	X(JOB_ACCOUNT_WATCH, "account-watch") /* standing: refreshes, checks directories, destroys spent keys */       \
	X(JOB_VENDOR_CHECK, "vendor-check")                                                                            \
	X(JOB_CSR_CREATE, "csr-create") /* key generation is slow work and local */                                    \
	X(JOB_RENEWAL, "renewal")             /* standing: orders what is due */                                       \
	X(JOB_RENEWAL_INFO, "renewal-info")   /* standing, one per directory (RFC 9773) */                             \
	X(JOB_RENEWAL_CHECK, "renewal-check") /* standing, daily: what is due within 30 days */                        \
	X(JOB_REVOKE, "certificate-revoke")                                                                            \
	X(JOB_PREFLIGHT, "preflight")               /* what stands in the way of proving names */                      \
	X(JOB_DELEGATION_CHECK, "delegation-check")                                                                    \
	X(JOB_DELEGATION_WATCH, "delegation-watch") /* standing: each is looked at every night */                      \
	X(JOB_NOTIFY, "notify")               /* standing, one per notification channel */                             \
	X(JOB_CHANNEL_TEST, "channel-test")                                                                            \
	X(JOB_PROVIDER_TEST, "provider-test")                                                                          \
	X(JOB_PROVIDER_WITHDRAW, "provider-withdraw")                                                                  \
	X(JOB_PROVIDER_ATTACH, "provider-attach")                                                                      \
	X(JOB_PROVIDER_OPTIONS, "provider-options") /* what a hook needs, before it is saved */                        \
	X(JOB_NETWORK_LOOK, "network-look")         /* which certificate a host shows */                               \
	X(JOB_HEARTBEAT, "heartbeat")               /* standing, when one is configured */                             \
	X(JOB_SERVER_CHECK, "server-check")         /* is everything right with this server */                         \
	X(JOB_BULK, "bulk")                         /* one action on many certificates */                              \
	X(JOB_COUNT, "count")                 /* standing: kept counts against what there is, at start and every night */ \
	X(JOB_PRUNE, "prune")
DECLARE_ENUM(job_kind, JOB_KINDS);

struct job {
	char *id;
	int64_t num;
	enum job_kind kind;
	char *subject_kind, *subject_id;
	char *args; /* JSON */
	enum job_state state;
	char *result; /* JSON */
	char *reason; /* JSON of struct err */
	char *lane;
	int64_t due_ms, give_up_ms, gen;
	char *lease_owner;
	int64_t lease_until_ms, starts, attempts;
	bool set_aside;
	char *created_by;
	int64_t created_ms, updated_ms, ended_ms;
	int64_t ok_ms; /* when its work was last done: of a standing job the last time that it went well */
};
void job_done(struct job *j);
#define _cleanup_job_ __attribute__((cleanup(job_done)))

#define DEBT_KINDS(X)                                                                                                  \
	X(DEBT_WITHDRAW_DNS, "withdraw-dns")                                                                           \
	X(DEBT_WITHDRAW_HTTP, "withdraw-http")                                                                         \
	X(DEBT_DEACTIVATE_AUTHZ, "deactivate-authz")
DECLARE_ENUM(debt_kind, DEBT_KINDS);

struct debt {
	char *id, *order_id, *record_id;
	enum debt_kind kind;
	char *method;
	char *what; /* JSON: what must be undone, enough to do it without the order's rows */
	bool paid;
	bool held; /* the order still needs it */
	char *lane;
	int64_t due_ms, gen;
	char *lease_owner;
	int64_t lease_until_ms, starts, attempts;
	bool set_aside;
	char *reason;
	int64_t created_ms, paid_ms;
};
void debt_done(struct debt *d);
#define _cleanup_debt_ __attribute__((cleanup(debt_done)))

struct lane {
	char *name; /* "vendor:<directory URL>", "dns:<credential>:<zone>", "propagation", "local" */
	int64_t cap;
	int64_t parked_until_ms;
	char *reason;
};
void lane_done(struct lane *l);
#define _cleanup_lane_ __attribute__((cleanup(lane_done)))

#define EVENT_LEVELS(X) X(EVENT_INFO, "info") X(EVENT_WARNING, "warning") X(EVENT_ERROR, "error")
DECLARE_ENUM(event_level, EVENT_LEVELS);

struct event {
	char *id, *subject_kind, *subject_id;
	int64_t at_ms;
	enum event_level level;
	char *text;   /* one human sentence */
	char *detail; /* JSON, the remote side's own words, or NULL */
};
void event_done(struct event *e);
#define _cleanup_event_ __attribute__((cleanup(event_done)))

#define EDGE_KINDS(X) X(EDGE_ZONE, "zone") X(EDGE_NAME, "name") X(EDGE_TXT, "txt") X(EDGE_HTTP, "http")
DECLARE_ENUM(edge_kind, EDGE_KINDS);

/* A row of table feed_item: one thing edge answers with. */
struct edge_item {
	int64_t id; /* small number from the counter: what the feed calls it */
	int64_t seq;
	enum edge_kind kind;
	char *name;  /* zone: its name; name: exists in a zone without a value; txt: owner name; http: token */
	char *value; /* zone, name: ""; txt: the value; http: key authorization */
	int64_t ttl;
	bool live;
	int64_t changed_ms;
};
void edge_item_done(struct edge_item *f);
#define _cleanup_edge_item_ __attribute__((cleanup(edge_item_done)))

#endif
