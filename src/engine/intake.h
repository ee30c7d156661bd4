/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake.h - how work comes into being: called by service INSIDE its own write function (so ids, times and keys are made
 * before, and the call may run twice). Nothing here checks permissions; input is checked where an order would otherwise be
 * wrong for good.
 */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

#include "keys/keys.h"
#include "model/account.h"
#include "model/certificate.h"
#include "model/order.h"
#include "model/provider.h"
#include "model/work.h"
#include "store/sql.h"

/* --- orders --- */

struct order_request {               /* all borrowed */
	const char *id;              /* ULID made by the caller before the transaction */
	const char *account_id;
	const char *csr_id;          /* or NULL: key and CSR are made for the order */
	const char *certificate_id;  /* renewal: the lineage; or NULL */
	const struct strlist *names; /* canonical, sorted; may be empty when csr_id is given (then the CSR's) */
	enum validation validation;
	/* How the names are proved is decided by methods_decide (engine/provider.h) and stored with the order. */
	const char *dns_method;      /* dns-01: explicit choice for the order; NULL or "several" = none */
	const char *http_method;     /* http-01: the same */
	const struct name_methods *chosen; /* explicit choices by name; NULL = none */
	const char *methods;         /* renewal: the certificate's column; its explicit choices count, the three above do not */
	const char *profile;         /* or NULL */
	struct order_options options; /* borrowed too */
	const char *key_type;        /* made from names: NULL = p256 */
	enum order_mode mode;
	const char *requester;       /* user id, or NULL for the engine */
	bool urgent;                 /* goes before what waits at the authority */
	int64_t now_ms;
};

struct order_taken {
	char id[27];
	int64_t num;
	bool existing; /* the live order of the same request (DESIGN 3 rule 4) */
};

/*
 * What can be said before the database is asked: wildcard with http-01, method that does not exist or is not of this kind,
 * key type, profile. INVALID with the field ("/validation", "/dns", ...).
 */
int order_request_check(const struct order_request *r, struct err *err) MUST_CHECK;
/*
 * Gets the live order of the same request, or inserts one. INVALID ("/account_id": unknown, not registered, vendor without
 * wildcards; "/csr_id": unknown; "/names/…": names are not the CSR's, covered by a wildcard of the list). Adds its first event.
 */
int order_intake(struct sql *tx, const struct order_request *r, struct order_taken *ret, struct err *err) MUST_CHECK;

/* What people want; all return NOT_FOUND for hidden orders. */
int order_want_finalize(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK; /* CONFLICT: not ready */
/*
 * Due now, but at most once in 5 s and never before a stored Retry-After: TOO_MANY with retry_at_ms. Nothing for ended ones. An
 * order that was set aside gets another chance.
 */
int order_want_refresh(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* Go on although the records are not seen. CONFLICT unless the order waits for them. */
int order_want_go_on(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* Delete Order: hides it; a live one is cancelled before finalize, and carried to its end after it. */
int order_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

/* --- accounts --- */

/* An https URL as net/url.h takes it: INVALID with "/directory_url". */
int directory_url_check(const char *url, struct err *err) MUST_CHECK;

struct account_request {             /* all borrowed */
	const char *vendor;          /* key of the registry, or VENDOR_CUSTOM */
	const char *directory_url;   /* as typed; NULL = the registry's */
	const char *email;           /* or NULL */
	const char *name;            /* or NULL: "email --- vendor" */
	bool tos_agreed;
	const char *terms_url;       /* the terms that were read, or NULL: whatever the directory names */
	const char *eab_kid;         /* or NULL */
	const struct secret *eab_hmac;
	bool eab_fetch;              /* the vendor hands the values out: by the e-mail address, or by */
	const struct secret *eab_access_key; /* or NULL */
	const struct secret *key_pem; /* import: an existing account's key; newAccount is never sent then */
	bool automatic;              /* automatic acts may order although the vendor charges */
	const char *connection;      /* text of the column, or NULL */
	const char *created_by;
	int64_t now_ms;
};

struct account_prepared { /* owned */
	struct account account;
	struct key_row key;
	struct job job; /* JOB_ACCOUNT_REGISTER; its id is what the API hands out with 202 */
};
void account_prepared_done(struct account_prepared *p);
#define _cleanup_account_prepared_ __attribute__((cleanup(account_prepared_done)))

/* BEFORE the transaction (makes or imports the account's key, seals the EAB key): INVALID with the field. */
int account_prepare(struct keys *k, const struct account_request *r, struct account_prepared *ret, struct err *err) MUST_CHECK;
/* Inserts key, account (registering) and job; fills in the numbers. CONFLICT: the imported key is known here already. */
int account_intake(struct sql *tx, struct account_prepared *p, struct err *err) MUST_CHECK;

/* --- jobs --- */

/* A job about something that is there: refresh, deactivate, vendor-check. args: JSON text or NULL. Same live job: that one. */
struct job_request {
	const char *id; /* ULID made before */
	enum job_kind kind;
	const char *subject_kind, *subject_id; /* "account", id; or NULL */
	const char *args;
	const char *lane_url; /* directory URL whose lane it uses; NULL for local jobs */
	const char *lane;     /* a lane by its name instead; or NULL */
	const char *created_by;
	int64_t now_ms;
};
int job_intake(struct sql *tx, const struct job_request *r, char ret_id[27], struct err *err) MUST_CHECK;

/* csr-create: the job makes key and CSR under this id; subject as crypto/csr.h (cn unused). */
struct csr_intake_request {
	const char *job_id, *csr_id;
	const struct strlist *names; /* canonical */
	enum key_type key_type;
	const struct csr_subject *subject; /* or NULL */
	const char *created_by;
	int64_t now_ms;
};
int csr_intake(struct sql *tx, const struct csr_intake_request *r, char ret_job_id[27], struct err *err) MUST_CHECK;

/* --- delegations --- */

/*
 * The name in our own zone (dns.zone) to which _acme-challenge.NAME may lead by CNAME; NULL without such a zone. Always the same for a
 * name, with or without "*.", so that the record is set once. Owned by the caller.
 */
char *delegation_alias(const char *dns_zone, const char *name);
/* The delegation of a name without "*."; 1 when there is one. *ret must be empty or one before. */
int delegation_of(struct sql *q, const char *name, struct delegation *ret, struct err *err) MUST_CHECK;
/* This way of proving the name goes by that delegation. */
bool delegation_concerns(const struct delegation *d, const char *method);
/* Where _acme-challenge.NAME is to lead, as it is stored: lower case, no final dot. INVALID with the field. Owned. */
int delegation_target(const char *name, const char *text, char **ret, struct err *err) MUST_CHECK;
/* Makes the row and its zone at edge, if there is none for the name (d becomes the row); d->id and d->created_ms are the caller's. */
int delegation_intake(struct sql *tx, struct delegation *d, bool *ret_made, struct err *err) MUST_CHECK;
/* Edge stops serving the zone. The caller refuses (IN_USE) while an order needs it. */
int delegation_remove(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
