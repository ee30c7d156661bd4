/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - orders, their authorizations, the challenge records and delegations (DESIGN: one order row is one CA order). */
#ifndef MODEL_ORDER_H
#define MODEL_ORDER_H

#include "model/enum.h"

/* What a user sees: the protocol's states (RFC 8555 7.1.6). valid only after the verified certificate is stored. */
#define ORDER_STATUSES(X)                                                                                              \
	X(ORDER_PENDING, "pending")                                                                                    \
	X(ORDER_READY, "ready")                                                                                        \
	X(ORDER_PROCESSING, "processing")                                                                              \
	X(ORDER_VALID, "valid")                                                                                        \
	X(ORDER_INVALID, "invalid")
DECLARE_ENUM(order_status, ORDER_STATUSES);

/* What the engine does next: rows of the step table (engine/steps.c). */
#define ORDER_STEPS(X)                                                                                                 \
	X(STEP_QUEUED, "queued")         /* waits for its turn among orders of the same names */                       \
	X(STEP_CREATE, "create")         /* key and CSR where we make them, then newOrder */                           \
	X(STEP_AUTHORIZE, "authorize")   /* reads the authorizations, chooses challenges */                            \
	X(STEP_PUBLISH, "publish")       /* publishes what proves control, one (credential, zone) at a time */         \
	X(STEP_PROPAGATE, "propagate")   /* looks whether it is seen everywhere, or waits for a person */              \
	X(STEP_ACCEPT, "accept")         /* tells the CA to look, one challenge at a time */                           \
	X(STEP_VALIDATE, "validate")     /* polls the authorizations */                                                \
	X(STEP_CONFIRM, "confirm")       /* polls the order until the CA calls it ready; step by step stops here */    \
	X(STEP_FINALIZE, "finalize")     /* sends the CSR */                                                           \
	X(STEP_COLLECT, "collect")       /* polls the order until it is valid */                                       \
	X(STEP_DOWNLOAD, "download")     /* fetches, verifies and stores the certificate */                            \
	X(STEP_ABANDON, "abandon")       /* deactivates authorizations of an order that is given up or cancelled */    \
	X(STEP_DONE, "done")                                                                                           \
	X(STEP_FAILED, "failed")
DECLARE_ENUM(order_step, ORDER_STEPS);

/* How the step shows, in words the page and the command line use; see order_stage(). */
#define ORDER_STAGES(X)                                                                                                \
	X(STAGE_WAITING_TURN, "waiting for another order")                                                             \
	X(STAGE_CREATING, "ordering")                                                                                  \
	X(STAGE_AUTHORIZING, "reading authorizations")                                                                 \
	X(STAGE_PUBLISHING, "publishing")                                                                              \
	X(STAGE_PROPAGATING, "waiting for DNS")                                                                        \
	X(STAGE_WAITING_PERSON, "waiting for you")                                                                     \
	X(STAGE_VALIDATING, "validating")                                                                              \
	X(STAGE_READY, "ready to finalize")                                                                            \
	X(STAGE_FINALIZING, "finalizing")                                                                              \
	X(STAGE_COLLECTING, "collecting")                                                                              \
	X(STAGE_ENDING, "ending")                                                                                      \
	X(STAGE_VALID, "valid")                                                                                        \
	X(STAGE_INVALID, "invalid")                                                                                    \
	X(STAGE_SET_ASIDE, "set aside")
DECLARE_ENUM(order_stage, ORDER_STAGES);

#define ORDER_MODES(X) X(MODE_AUTOMATIC, "automatic") X(MODE_STEP_BY_STEP, "step-by-step")
DECLARE_ENUM(order_mode, ORDER_MODES);

#define VALIDATIONS(X) X(VALIDATION_DNS01, "dns-01") X(VALIDATION_HTTP01, "http-01")
DECLARE_ENUM(validation, VALIDATIONS);

/* dns_method: "delegation", "manual", or a provider's id. http_method: "builtin", "manual", or an id. NULL where not its kind. */
#define METHOD_DELEGATION "delegation"
#define METHOD_MANUAL "manual"
#define METHOD_BUILTIN "builtin"

/* What an order asks for beyond names and profile (a table of its own, order_option). */
struct order_options {
	bool profile_fallback; /* without the profile rather than not at all */
	bool profile_dropped;  /* that was needed */
	char *preferred_chain; /* name of an issuer the chain should lead to; goes before the account's */
	int64_t not_after_ms;  /* wished end, 0 = the authority's */
};
void order_options_done(struct order_options *o);
#define _cleanup_order_options_ __attribute__((cleanup(order_options_done)))

struct order {
	char *id;
	int64_t num;
	char *account_id, *certificate_id, *csr_id;
	struct strlist names;
	char *names_hash;
	enum validation validation;
	char *dns_method, *http_method, *profile;
	char *methods; /* JSON: how each name is proved and who decided (model/provider.h); NULL = all by dns_method or http_method */
	char *key_type; /* wanted when made from names; the CSR's otherwise */
	enum order_mode mode;
	char *requester;    /* user id */
	char *request_hash; /* the same request gets the live order */
	char *turn_hash;    /* directory, account, names: one order at a time holds the turn */
	bool holds_turn;
	enum order_status status;
	enum order_step step;
	char *url, *finalize_url, *certificate_url;
	bool finalize_sent;
	int64_t ca_expires_ms; /* until when the CA keeps it, 0 = not said */
	int64_t give_up_ms;    /* deadline of the present stage */
	int64_t step_since_ms;
	int64_t polls;    /* polls in this step: drives the poll clock */
	int64_t attempts; /* errors in a row: drives the retry ladder */
	int64_t starts;   /* claims without a verdict */
	char *lane;
	int64_t due_ms, gen;
	int64_t look_after_ms; /* the CA does not want to be asked before it; 0 or past: it said nothing */
	char *lease_owner;
	int64_t lease_until_ms;
	char *waiting_for; /* id of the order that holds the turn */
	char *reason;      /* JSON of struct err: why it waits or failed */
	int64_t want_finalize, want_refresh, want_cancel; /* when somebody asked, 0 = nobody */
	bool set_aside;
	int64_t rev, created_ms, updated_ms, ended_ms, deleted_ms;
	struct order_options options; /* not read with the row: store/order_option.h */
};
void order_done(struct order *o);
#define _cleanup_order_ __attribute__((cleanup(order_done)))
enum order_stage order_stage(const struct order *o);

/* RFC 8555 7.1.6 */
#define AUTHZ_STATUSES(X)                                                                                              \
	X(AUTHZ_PENDING, "pending")                                                                                    \
	X(AUTHZ_VALID, "valid")                                                                                        \
	X(AUTHZ_INVALID, "invalid")                                                                                    \
	X(AUTHZ_DEACTIVATED, "deactivated")                                                                            \
	X(AUTHZ_EXPIRED, "expired")                                                                                    \
	X(AUTHZ_REVOKED, "revoked")
DECLARE_ENUM(authz_status, AUTHZ_STATUSES);

#define CHALLENGE_STATUSES(X)                                                                                          \
	X(CHALLENGE_PENDING, "pending")                                                                                \
	X(CHALLENGE_PROCESSING, "processing")                                                                          \
	X(CHALLENGE_VALID, "valid")                                                                                    \
	X(CHALLENGE_INVALID, "invalid")
DECLARE_ENUM(challenge_status, CHALLENGE_STATUSES);

struct authz {
	char *id, *order_id;
	char *identifier; /* without "*." */
	bool wildcard;
	char *url;
	enum authz_status status;
	char *challenge_url;
	enum challenge_status challenge_status;
	char *token;
	char *record_id;
	bool accepted; /* the CA was told to look */
	int64_t expires_ms;
	char *reason;
	int64_t position;
};
void authz_done(struct authz *a);
#define _cleanup_authz_ __attribute__((cleanup(authz_done)))

#define RECORD_STATUSES(X)                                                                                             \
	X(RECORD_NOT_READY, "not-ready") /* created, not yet seen at all authoritative servers */                      \
	X(RECORD_READY, "ready")         /* seen everywhere, validation may start */                                   \
	X(RECORD_VALID, "valid")         /* the authorization is valid */                                              \
	X(RECORD_INVALID, "invalid")     /* the CA refused */                                                          \
	X(RECORD_WITHDRAWN, "withdrawn") /* over; kept as history for 30 days */
DECLARE_ENUM(record_status, RECORD_STATUSES);

struct record {
	char *id;
	int64_t num;
	char *order_id;
	enum validation kind;
	char *method; /* as orders.dns_method / http_method */
	char *zone;   /* of the provider, once it was found; NULL before and for other methods */
	char *domain; /* _acme-challenge.example.com, or the host name for http-01 */
	char *alias;  /* by delegation: a name in our own zone that is answered with the same value; at a provider: where the name leads
			 by CNAME, and is published instead. NULL = none */
	char *receipt; /* what the provider's change is asked by, until it has reached all its servers; NULL = nothing to ask */
	char *token;  /* http-01 */
	char *value;  /* TXT value, or key authorization */
	char *key_auth; /* dns-01: what the value is the digest of; NULL = not known */
	int64_t ttl;  /* seconds */
	enum record_status status;
	char *detail; /* JSON: what the look-ups saw, or the CA's words */
	int64_t published_ms, ready_ms, withdrawn_ms;
	int64_t rev, created_ms, updated_ms;
};
void record_done(struct record *r);
#define _cleanup_record_ __attribute__((cleanup(record_done)))
/* "Delegation", "Manual", "Built-in", or the provider's title for Type columns. */
const char *method_title(const char *method);

struct delegation {
	char *id;
	int64_t num;
	char *name; /* example.com; the zone is _acme-challenge.example.com */
	char *made_for_order;
	char *provider_id, *target; /* leads to target by CNAME, where that provider writes; NULL = answered by this server */
	char *looked; /* JSON: what the last look found; NULL before the first */
	int64_t looked_ms;
	int64_t look_due_ms; /* by itself */
	int64_t good_ms;     /* last seen to be ours; 0 = never */
	char *away;          /* what was seen since it is not ours any more, or NULL */
	int64_t away_ms;
	int64_t rev, created_ms, deleted_ms;
};
void delegation_done(struct delegation *d);
#define _cleanup_delegation_ __attribute__((cleanup(delegation_done)))

#endif
