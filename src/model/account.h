/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - an account at an ACME authority (RFC 8555 7.1.2), and private keys as rows (sealed; only keys/ opens them). */
#ifndef MODEL_ACCOUNT_H
#define MODEL_ACCOUNT_H

#include "model/enum.h"

#define ACCOUNT_STATUSES(X)                                                                                            \
	X(ACCOUNT_REGISTERING, "registering") /* the job has not finished */                                           \
	X(ACCOUNT_VALID, "valid")                                                                                      \
	X(ACCOUNT_INVALID, "invalid") /* refused, deactivated or revoked; reason says why */
DECLARE_ENUM(account_status, ACCOUNT_STATUSES);

/* Columns of table account, same names. Text is owned. */
struct account {
	char *id;
	int64_t num;
	char *name;          /* shown; default "email --- vendor" */
	char *vendor;        /* key of the registry (model/vendor.h), "custom" for a directory URL of the user's own */
	char *directory_url; /* opaque, as typed */
	char *email;         /* "" when none */
	enum account_status status;
	char *url;    /* the CA's account URL = kid; NULL until registered */
	char *key_id; /* row of table key */
	char *eab_kid;
	void *eab_sealed; /* HMAC key until registration has succeeded, then forgotten */
	size_t eab_sealed_n;
	char *tos_url;
	int64_t tos_agreed_ms;
	int64_t eab_bytes; /* length of the HMAC key that bound it; 0 = none was used */
	char *preferred_issuer;
	char *next_key_id;    /* a rollover is under way: the key it moves to, stored before it is used */
	bool automatic;       /* may be ordered from without a person although the vendor charges */
	char *connection;     /* JSON: how its authority is reached, NULL = as the server's configuration says */
	int64_t refreshed_ms; /* when the authority was last asked about it */
	char *reason; /* JSON of struct err */
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void account_done(struct account *a);
#define _cleanup_account_ __attribute__((cleanup(account_done)))

/* The default name: "email --- vendor". Owned by the caller. */
char *account_default_name(const char *email, const char *vendor);
/* Whether renewals and other acts that no person asked for may order from it: not where that costs money and nobody allowed it. */
bool account_may_automatically(const struct account *a);
/* What tells it from others that read the same: "EAB key ...1234", or the end of its URL; NULL when it has neither. Owned. */
char *account_mark(const struct account *a);

#define KEY_PURPOSES(X) X(KEY_ACCOUNT, "account") X(KEY_CERTIFICATE, "certificate") X(KEY_TLS, "tls")
DECLARE_ENUM(key_purpose, KEY_PURPOSES);

#define KEY_TYPES(X)                                                                                                   \
	X(KEY_P256, "p256") X(KEY_P384, "p384") X(KEY_RSA2048, "rsa2048") X(KEY_RSA3072, "rsa3072") X(KEY_RSA4096, "rsa4096")
DECLARE_ENUM(key_type, KEY_TYPES);

/* A row of table key. sealed is associated with ("key", id, "sealed"). */
struct key_row {
	char *id;
	enum key_purpose purpose;
	char *type;        /* a key_type text, or for foreign keys what crypto/ calls it */
	char *public_hash; /* SHA-256 of the SubjectPublicKeyInfo, hex */
	void *sealed;      /* NULL when destroyed */
	size_t sealed_n;
	int64_t created_ms, destroyed_ms;
};
void key_row_done(struct key_row *k);
#define _cleanup_key_row_ __attribute__((cleanup(key_row_done)))

#endif
