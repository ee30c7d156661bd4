/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca.h - a small authority behind struct http, in the same process and on a fake clock: the right flow of RFC 8555, a hook to
 * bend any answer, counters as the oracle (how many certificates, how many finalizes per order, who asked when).
 *
 * It validates for real: a challenge becomes valid only if what it should find is what the test says edge answers with.
 */
#ifndef TESTS_UNIT_ENGINE_CA_H
#define TESTS_UNIT_ENGINE_CA_H

#include "base/clock.h"
#include "base/str.h"
#include "net/http.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define CA_URL "https://ca.example"
#define CA_DIRECTORY CA_URL "/dir"

enum { CA_MAX = 1024, CA_SERIALS = 65536 };

struct ca_authz {
	char name[256];
	bool wildcard;
	const char *status;           /* "pending", "valid", ... */
	const char *challenge_status;
	char token[64];
	int polls_left; /* GETs until it is decided after the challenge was accepted */
	char error[320];
	bool used;
	int order;
};

struct ca_order {
	struct strlist names;
	const char *status;
	int authz[16];
	size_t n_authz;
	char *chain;
	int finalizes, polls_left;
	bool used;
	int64_t expires_ms;
};

struct ca;
/* 1: answered (ret filled in); 0: the ordinary answer; -1: the connection breaks. */
typedef int ca_hook(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret);

struct ca {
	struct http http; /* first */
	const struct clock *clock;
	EVP_PKEY *key;
	X509 *cert;
	char thumbprint[64];
	bool account;
	struct ca_order orders[CA_MAX];
	struct ca_authz authzs[CA_MAX];
	size_t n_orders, n_authzs;
	unsigned nonce, serial;

	/* how it behaves */
	bool (*published)(void *arg, const char *type, const char *name, const char *token, const char *value);
	void *published_arg;
	int authz_polls;      /* GETs a challenge needs until it is decided */
	int order_polls;      /* GETs finalize needs */
	bool reuse_valid;     /* authorizations that are valid already */
	bool never_ready;
	const char *wrong_key; /* "key" or "names": issues something else */
	int64_t lifetime_ms;   /* 0 = 90 days */
	int64_t (*lifetime)(const struct strlist *names); /* instead */
	bool ari;              /* offers renewal information: a third of the lifetime left, or: */
	int64_t window_start_ms, window_end_ms;
	unsigned window_serial; /* for this one only; 0 = for all */
	const char *explanation;
	int64_t retry_after_s; /* of renewal information; 0 = 6 hours */
	bool refuses_replaces; /* 409 alreadyReplaced */
	bool recycle;          /* what was downloaded makes room for others: years in one test */
	ca_hook *hook;
	void *hook_arg;
	bool (*crash)(void *arg, const char *point);
	void *crash_arg;

	/* what happened */
	unsigned requests, new_orders, finalizes, certificates, accepts, deactivations, new_accounts, key_changes;
	unsigned ari_requests, revocations;
	int revoked_reason;    /* of the last one, -1 = none given */
	bool revoked_by_key;
	char replaces[256];    /* of the last order, "" = none */
	char last[128];
	struct {
		int64_t not_before_ms, not_after_ms;
	} *issued; /* by serial */
};

void ca_init(struct ca *ca, const struct clock *clock);
void ca_done(struct ca *ca);
/* Answers for hooks. */
void ca_problem(struct ca *ca, struct http_response *ret, int status, const char *type, const char *detail);
void ca_json(struct ca *ca, struct http_response *ret, int status, const char *text);
void ca_header(struct http_response *ret, const char *name, const char *value);

#endif
