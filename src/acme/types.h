/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.h - what an ACME server says, decoded (RFC 8555, RFC 9773, profiles). Facts only: nothing here decides.
 *
 * A status that we do not know is an error of the call that names it, never a default. Unknown members and unknown challenge
 * types are data. URLs are resolved and pinned to the directory's host before they get here. Every struct is empty when zero
 * and freed by its _clear.
 */
#ifndef ACME_TYPES_H
#define ACME_TYPES_H

#include "base/str.h"

/* Texts are RFC 8555's own; the tables are in types.c. */
enum acme_account_status { ACME_ACCOUNT_VALID = 1, ACME_ACCOUNT_DEACTIVATED, ACME_ACCOUNT_REVOKED };
enum acme_order_status { ACME_ORDER_PENDING = 1, ACME_ORDER_READY, ACME_ORDER_PROCESSING, ACME_ORDER_VALID, ACME_ORDER_INVALID };
enum acme_authz_status {
	ACME_AUTHZ_PENDING = 1,
	ACME_AUTHZ_VALID,
	ACME_AUTHZ_INVALID,
	ACME_AUTHZ_DEACTIVATED,
	ACME_AUTHZ_EXPIRED,
	ACME_AUTHZ_REVOKED,
};
enum acme_challenge_status {
	ACME_CHALLENGE_PENDING = 1,
	ACME_CHALLENGE_PROCESSING,
	ACME_CHALLENGE_VALID,
	ACME_CHALLENGE_INVALID,
};
enum acme_challenge_type { ACME_CHALLENGE_OTHER, ACME_CHALLENGE_HTTP01, ACME_CHALLENGE_DNS01 };

const char *acme_account_status_text(enum acme_account_status s);
const char *acme_order_status_text(enum acme_order_status s);
const char *acme_authz_status_text(enum acme_authz_status s);
const char *acme_challenge_status_text(enum acme_challenge_status s);

/* Where a refusal belongs (who has to wait): DESIGN 3 rule 8. */
enum acme_scope {
	ACME_SCOPE_NONE,         /* nothing but this request */
	ACME_SCOPE_VENDOR,       /* the whole directory */
	ACME_SCOPE_ACCOUNT,
	ACME_SCOPE_REGISTRATION, /* new accounts there */
	ACME_SCOPE_NAMES,        /* this order's set of names */
	ACME_SCOPE_IDENTIFIER,   /* one name, see identifier */
};
const char *acme_scope_text(enum acme_scope s);

struct acme_subproblem {
	char *type, *detail;
	char *identifier; /* the name, or NULL */
};

/* A problem document (RFC 9457 with ACME's subproblems), or what could be made of an answer without one. */
struct acme_problem {
	char *type;     /* whole URN; "about:blank" when the answer had none */
	char *detail;   /* the CA's words, made safe to show, at most LIMIT_CA_DETAIL; or NULL */
	char *instance; /* URL as text to show, only http(s); or NULL */
	int status;     /* HTTP status; 0 inside an order or challenge */
	struct acme_subproblem *sub;
	size_t n_sub;
	struct strlist algorithms; /* of badSignatureAlgorithm */
};

void acme_problem_clear(struct acme_problem *p);
void acme_problem_copy(struct acme_problem *to, const struct acme_problem *from); /* to must be empty */
/* short_type without "urn:ietf:params:acme:error:". */
bool acme_problem_is(const struct acme_problem *p, const char *short_type);
/* A one-line text with its subproblems; owned by the caller. */
char *acme_problem_text(const struct acme_problem *p);

/* How the last call of a session was refused; all zero when it was not refused by the CA. Stays until the next call. */
struct acme_refusal {
	enum acme_scope scope;
	bool users_input;      /* the user can mend it by changing the input */
	bool gated;            /* our own gate said no, nothing was sent */
	int status;            /* HTTP status, 0 = no answer */
	int64_t retry_at_ms;   /* from Retry-After, clamped to 1 s … 7 days from now; 0 = not told */
	char *identifier;      /* for ACME_SCOPE_IDENTIFIER */
	char *help_url;        /* Link rel="help" */
	char *tos_url;         /* Link rel="terms-of-service" */
	char *location;        /* Location of the refusal (409 of a key change: the account that has the key) */
	struct acme_problem problem;
};

struct acme_profile {
	char *name, *description;
};

struct acme_directory {
	char *new_nonce, *new_account, *new_order;        /* always there */
	char *revoke_cert, *key_change, *renewal_info;    /* or NULL */
	char *tos_url, *website;                          /* texts to show, http(s); or NULL */
	struct strlist caa_identities;
	bool eab_required;
	struct acme_profile *profiles;
	size_t n_profiles;
	int64_t fetched_ms;
};

struct acme_account {
	char *url; /* = kid */
	enum acme_account_status status;
	struct strlist contacts;
	bool tos_agreed;
	bool created;     /* 201: it was not there before */
	char *orders_url; /* or NULL; never depended on */
};

struct acme_order {
	char *url;
	enum acme_order_status status;
	int64_t expires_ms;            /* 0 = not told; so for the other times */
	int64_t not_before_ms, not_after_ms;
	struct strlist names;          /* lower case, sorted, wildcard as "*.x"; addresses as text */
	struct strlist authz_urls;     /* the CA's order */
	char *finalize_url;            /* always there unless invalid */
	char *certificate_url;         /* when valid */
	char *profile, *replaces;      /* as echoed, or NULL */
	struct acme_problem error;     /* type NULL = none */
	int64_t retry_after_ms;        /* span, clamped to 1 s … 1 day; 0 = not told */
	bool dropped_replaces;         /* newOrder was repeated without `replaces` */
	bool dropped_profile;          /* ... without the profile, which the CA does not offer (any more) */
	bool dropped_not_after;        /* ... without `notAfter` */
};

struct acme_challenge {
	enum acme_challenge_type type;
	char *type_text;
	char *url;   /* NULL only for ACME_CHALLENGE_OTHER */
	char *token; /* base64url, 22..128; NULL only for ACME_CHALLENGE_OTHER */
	enum acme_challenge_status status; /* 0 only for ACME_CHALLENGE_OTHER */
	int64_t validated_ms;
	struct acme_problem error; /* type NULL = none */
	int64_t retry_after_ms;    /* of the answer to acme_challenge_accept */
};

struct acme_authz {
	char *url;
	char *name; /* identifier without "*.", lower case */
	bool wildcard;
	enum acme_authz_status status;
	int64_t expires_ms;
	struct acme_challenge *challenges;
	size_t n_challenges;
	int64_t retry_after_ms;
};

struct acme_chain {
	char *pem;                 /* CERTIFICATE blocks only, leaf first; contents are not verified here */
	size_t n_certificates;
	struct strlist alternates; /* URLs, at most 10 */
};

struct acme_renewal_info {
	int64_t start_ms, end_ms; /* start < end always */
	char *explanation_url;    /* to show, or NULL */
	int64_t retry_after_ms;   /* clamped to 1 min … 1 day; 6 h when not told */
};

void acme_refusal_clear(struct acme_refusal *r);
void acme_directory_clear(struct acme_directory *d);
void acme_directory_copy(struct acme_directory *to, const struct acme_directory *from);
void acme_account_clear(struct acme_account *a);
void acme_order_clear(struct acme_order *o);
void acme_challenge_clear(struct acme_challenge *c);
void acme_authz_clear(struct acme_authz *a);
void acme_chain_clear(struct acme_chain *c);
void acme_renewal_info_clear(struct acme_renewal_info *i);
#define _cleanup_acme_problem_ __attribute__((cleanup(acme_problem_clear)))
#define _cleanup_acme_directory_ __attribute__((cleanup(acme_directory_clear)))
#define _cleanup_acme_account_ __attribute__((cleanup(acme_account_clear)))
#define _cleanup_acme_order_ __attribute__((cleanup(acme_order_clear)))
#define _cleanup_acme_challenge_ __attribute__((cleanup(acme_challenge_clear)))
#define _cleanup_acme_authz_ __attribute__((cleanup(acme_authz_clear)))
#define _cleanup_acme_chain_ __attribute__((cleanup(acme_chain_clear)))
#define _cleanup_acme_renewal_info_ __attribute__((cleanup(acme_renewal_info_clear)))

/* The challenge of that type, or NULL. Borrowed. */
const struct acme_challenge *acme_authz_challenge(const struct acme_authz *a, enum acme_challenge_type type);

#endif
