/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acme.h - RFC 8555, renewal information (RFC 9773) and profiles as plain calls: no store, no sleep, no decision. A call sends
 * its one request (and what that needs: directory when not cached, a nonce, up to LIMIT_NONCE_TRIES repetitions after
 * badNonce) and returns facts.
 *
 * A session is made on the stack for one step of one worker:
 *
 *	struct acme_session s = { .ca = ca, .http = net_client_http(c), .signer = &signer.acme, .account_url = row->url,
 *				  .clock = &clock_system, .gate = lane_gate, .gate_data = lane };
 *	_cleanup_acme_session_ ...
 *	if (acme_order_get(&s, url, &order, err) < 0)   look at s.refusal for scope, help URL, subproblems
 *
 * Errors: NETWORK, TIMEOUT, INVALID, BUSY as of net/http.h; from the CA's answer by the table of problem.c: REMOTE_BUSY (5xx, 408,
 * 503), REMOTE_LIMIT (429, rateLimited), REMOTE_REFUSED (it will not), REMOTE_GONE (this order, authorization or certificate is not
 * there any more), REMOTE_BAD (an answer that no client can use), NEEDS_PERSON (terms, EAB, deactivated account), NONCE.
 * err.remote and err.remote_type carry the CA's own words, err.retry_at_ms its Retry-After.
 */
#ifndef ACME_ACME_H
#define ACME_ACME_H

#include "acme/ca.h"
#include "base/clock.h"
#include "net/http.h"

/* What is about to be sent; rate limits differ by it. */
enum acme_kind {
	ACME_KIND_DIRECTORY,
	ACME_KIND_NONCE,
	ACME_KIND_ACCOUNT_NEW,
	ACME_KIND_ACCOUNT, /* read, update, deactivate, key change */
	ACME_KIND_ORDER_NEW,
	ACME_KIND_ORDER,
	ACME_KIND_AUTHZ,
	ACME_KIND_CHALLENGE,
	ACME_KIND_FINALIZE,
	ACME_KIND_CERTIFICATE,
	ACME_KIND_REVOKE,
	ACME_KIND_RENEWAL_INFO,
	ACME_KIND_COUNT
};
const char *acme_kind_text(enum acme_kind k);

/*
 * Signs for one account; embed this as first member (acme/signer.h is the one on top of keys). All write a flattened JWS (RFC 7515 7.2.2) to ret.
 * payload NULL = POST-as-GET (empty payload, not "{}").
 */
struct acme_signer {
	/* kid NULL = the public key itself is embedded (jwk). */
	int (*sign)(struct acme_signer *s, const char *url, const char *nonce, const char *kid, const char *payload,
		    struct buf *ret, struct err *err);
	/* Inner JWS of an external account binding: payload is the account's public key; no nonce. NULL = cannot. */
	int (*sign_eab)(struct acme_signer *s, const char *url, struct buf *ret, struct err *err);
	/* The whole JWS of a key change: outer by the old key, inner by the new one (RFC 8555 7.3.5). NULL = cannot. */
	int (*sign_rollover)(struct acme_signer *s, const char *url, const char *nonce, const char *account_url, struct buf *ret,
			     struct err *err);
};

struct acme_session {
	struct acme_ca *ca;
	struct http *http;
	const struct net_rule *rule;     /* the vendor's own route and trust, or NULL */
	struct acme_signer *signer;      /* NULL is fine for directory and renewal information */
	const char *account_url;         /* kid; NULL before registration */
	const struct clock *clock;
	const struct strlist *also_hosts; /* hosts beside the directory's own that an administrator allows, or NULL */
	const char *accept_language;     /* or NULL */
	/* Asked before each request, badNonce repetitions too. Non-zero (its error) ends the call; nothing is sent. */
	int (*gate)(void *data, enum acme_kind kind, struct err *err);
	void *gate_data;
	int64_t timeout_ms;              /* per request; 0 = LIMIT_CA_REQUEST_S */
	int64_t deadline_boot_ms;        /* end of the step on clock_boot; requests get what is left; 0 = none */

	/* out */
	struct acme_refusal refusal;     /* of the last call */
	unsigned requests;               /* sent so far, by this session */
	unsigned nonce_tries;            /* badNonce answers of the last call */
};
void acme_session_done(struct acme_session *s); /* frees refusal */
#define _cleanup_acme_session_ __attribute__((cleanup(acme_session_done)))

/* A copy of the directory, cached or fetched. */
int acme_directory_get(struct acme_session *s, struct acme_directory *ret, struct err *err);

struct acme_registration {
	const struct strlist *contacts; /* e-mail addresses without "mailto:"; may be empty */
	bool tos_agreed;                /* an explicit act of a person */
	bool eab;                       /* signer->sign_eab is used */
};
/* 201 or 200 with Location; ret->url is to be stored before anything else. */
int acme_account_register(struct acme_session *s, const struct acme_registration *r, struct acme_account *ret, struct err *err);
/* The account of this key, never made anew. NOT_FOUND when the CA has none. */
int acme_account_find(struct acme_session *s, struct acme_account *ret, struct err *err);
int acme_account_get(struct acme_session *s, struct acme_account *ret, struct err *err);
/* contacts NULL = unchanged; tos_agreed sends the renewed agreement. */
/* One page of the account's orders, appended to *ret; *ret_next: the next page's URL (owned), NULL after the last one. */
int acme_order_list(struct acme_session *s, const char *url, struct strlist *ret, char **ret_next, struct err *err);
int acme_account_update(struct acme_session *s, const struct strlist *contacts, bool tos_agreed, struct acme_account *ret, struct err *err);
int acme_account_deactivate(struct acme_session *s, struct err *err);
/* CONFLICT when the new key has an account already: s->refusal.location. REMOTE_REFUSED when the CA offers no key change. */
int acme_key_change(struct acme_session *s, struct err *err);

struct acme_order_request {
	const struct strlist *names; /* A-labels or addresses; unique */
	const char *profile;         /* or NULL */
	const char *replaces;        /* certID or NULL; sent only when the directory has renewalInfo */
	int64_t not_after_ms;        /* 0 = not sent */
	bool profile_optional;       /* rather without the profile than not at all */
};
/*
 * newOrder; a server that refuses a request with `replaces` or notAfter (any 4xx but badNonce, rateLimited, userActionRequired) is
 * asked once more without, likewise one that does not know an optional profile. The answer may be an existing order. REMOTE_BAD when its names are not ours.
 */
int acme_order_new(struct acme_session *s, const struct acme_order_request *r, struct acme_order *ret, struct err *err);
/* names (may be NULL): the order must still be for just these. REMOTE_GONE when the CA does not know it (404, 410). */
int acme_order_get(struct acme_session *s, const char *url, const struct strlist *names, struct acme_order *ret, struct err *err);
/* Answer may be processing, valid, ready, invalid. CONFLICT for orderNotReady: read the order again. */
int acme_order_finalize(struct acme_session *s, const char *order_url, const char *finalize_url, const void *csr_der, size_t csr_n,
			const struct strlist *names, struct acme_order *ret, struct err *err);

int acme_authz_get(struct acme_session *s, const char *url, struct acme_authz *ret, struct err *err);
int acme_authz_deactivate(struct acme_session *s, const char *url, struct err *err);
int acme_challenge_accept(struct acme_session *s, const char *url, struct acme_challenge *ret, struct err *err);

int acme_certificate_get(struct acme_session *s, const char *url, struct acme_chain *ret, struct err *err);

#define ACME_REASON_NONE (-1)
/*
 * By the account, or with by_certificate_key by the signer's key (embedded). reason: 0, 1, 4, 5 or ACME_REASON_NONE. Already revoked
 * is success. INVALID when the CA does not take the reason: ask again without.
 */
int acme_revoke(struct acme_session *s, const void *cert_der, size_t cert_n, int reason, bool by_certificate_key, struct err *err);

/* REMOTE_REFUSED when the directory has none; REMOTE_BAD when the window cannot be read or is empty. */
int acme_renewal_info_get(struct acme_session *s, const char *cert_id, struct acme_renewal_info *ret, struct err *err);

#endif
