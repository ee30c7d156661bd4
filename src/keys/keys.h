/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h - the only module that sees a private key in clear.
 *
 * Outside, a key is a handle: where it is stored and its sealed bytes. A caller reads the sealed column from the store, hands
 * it in with the row's identity, and gets a result: a signature, a JWS, a CSR. No call returns a private key, but for
 * keys_export, which wants the id of the audit row that was written before. Every call is one flat message (keys/message.h);
 * built with -Dkeys_socket=true they cross a socket pair to a process of their own, and nothing else changes.
 *
 * Sealed bytes: version, master key id, nonce, XChaCha20-Poly1305 ciphertext; associated data is the head and
 * "table/id/column". So a ciphertext copied into another row or column is refused, and the row is named (NEEDS_PERSON).
 *
 * What a key may do is sealed with it: an account key signs JWS for its CA's host only and never a CSR; a certificate key signs
 * CSRs and never a JWS; a tls key does the TLS of our own API. A secret (EAB key, credential) signs nothing.
 *
 * All calls are thread-safe and may be slow (RSA generation: seconds): not for a server's event threads.
 */
#ifndef KEYS_KEYS_H
#define KEYS_KEYS_H

#include "base/secret.h"
#include "base/str.h"
#include "crypto/csr.h"
#include "crypto/digest.h"
#include "crypto/keytype.h"

struct keys;

/* --- the ring of master keys --- */

struct keys_options {
	/*
	 * Master key files, newest first: the first one seals, all of them open. A name without '/' is looked up in
	 * $CREDENTIALS_DIRECTORY (systemd). Each file holds 32 bytes as hex or base64 text, and nobody else may read it.
	 */
	struct strlist files;
	/* What keys_check_text() said when the database was begun, from the store's meta; NULL on the first start. */
	const char *check_text;
	/* The ring lives in a process of its own (always so when built with -Dkeys_socket=true); open it before threads run. */
	bool separate;
};

/*
 * Refuses (NEEDS_PERSON, naming the file) a missing, readable-by-others or malformed file, and a ring that lacks a key the
 * database was sealed with.
 */
int keys_open(const struct keys_options *o, struct keys **ret, struct err *err);
/* Whether keys_open would succeed now; the ring is wiped again. From any thread. */
int keys_try(const struct keys_options *o, struct err *err) MUST_CHECK;
void keys_close(struct keys *k); /* NULL is fine; wipes everything */
/* Ids and check values of the ring: store it in the meta when that has none, or after keys were added. Owned by the caller. */
char *keys_check_text(struct keys *k);
/* Writes a new random master key, mode 0600 from the first byte. CONFLICT when the file is there. */
int keys_master_create(const char *path, struct err *err);

/* --- handles --- */

struct key_handle { /* all borrowed */
	const char *table, *id, *column; /* where it is stored; letters, digits, '_' and '-' only */
	const void *sealed;
	size_t n;
};

struct key_place { /* where a new sealed value is going to be stored; all borrowed */
	const char *table, *id, *column;
};

struct key_made { /* all owned; free with key_made_clear */
	unsigned char *sealed;
	size_t sealed_n;
	struct key_text type;
	char public_hash[SHA256_HEX]; /* SHA-256 of the SubjectPublicKeyInfo: compare with csr_info and cert_info */
	char thumbprint[SHA256_B64];  /* RFC 7638, for key authorizations */
	char *jwk;                    /* canonical public JWK text */
};

void key_made_clear(struct key_made *m);
#define _cleanup_key_made_ __attribute__((cleanup(key_made_clear)))

/* directory_url: required for KEY_ACCOUNT, and its host (and port) is sealed with the key; NULL otherwise. */
int keys_generate(struct keys *k, enum key_purpose purpose, enum key_type type, const struct key_place *to,
		  const char *directory_url, struct key_made *ret, struct err *err);
/* PEM: PKCS#8, SEC1 or PKCS#1, unencrypted, one key and nothing else. RSA 2048..8192, P-256, P-384. INVALID. */
int keys_import(struct keys *k, enum key_purpose purpose, const struct secret *pem, const struct key_place *to,
		const char *directory_url, struct key_made *ret, struct err *err);
/* The public side of a stored key (sealed stays NULL). */
int keys_public(struct keys *k, const struct key_handle *key, struct key_made *ret, struct err *err);
/* The same value under the newest master key: *ret is to replace the handle's bytes. Keys and secrets. */
int keys_reseal(struct keys *k, const struct key_handle *key, unsigned char **ret, size_t *ret_n, struct err *err);

/* --- ACME --- */

struct jws_request { /* all borrowed */
	struct key_handle key; /* an account key; a certificate's key signs the revocation of its own certificate, nothing else: DENIED */
	const char *url;       /* its host must be the one sealed with the key: DENIED */
	const char *nonce;
	const char *kid;     /* account URL; NULL = the public key is embedded as "jwk" (newAccount) */
	const char *payload; /* JSON text; "" for POST-as-GET */
};
/* Flattened JWS JSON text (RFC 8555 6.2), owned by the caller. ES256, ES384 or RS256 by the key. */
int keys_sign_jws(struct keys *k, const struct jws_request *r, char **ret, struct err *err);

struct eab_request {
	struct key_handle hmac; /* the sealed secret: base64url text as the CA handed it out */
	struct key_handle key;  /* the account key */
	const char *kid;        /* of the external account */
	const char *url;        /* newAccount */
};
/* The inner JWS of externalAccountBinding (RFC 8555 7.3.4): a JSON text to be embedded in the payload. */
int keys_eab(struct keys *k, const struct eab_request *r, char **ret, struct err *err);

struct rollover_request {
	struct key_handle old_key, new_key;
	const char *account_url, *key_change_url, *nonce;
};
/* The whole outer JWS of a key change (RFC 8555 7.3.5). Both keys are of the same host. */
int keys_rollover(struct keys *k, const struct rollover_request *r, char **ret, struct err *err);

/* --- certificates --- */

struct csr_request {
	struct key_handle key;              /* a certificate key */
	const struct strlist *names;        /* 1..LIMIT_NAMES, any spelling; canonicalised, sorted, put in the SAN only */
	const struct csr_subject *subject;  /* or NULL: empty subject. cn only if it is one of the names */
	bool must_staple;
};
/* DER, owned by the caller. INVALID with the field. */
int keys_sign_csr(struct keys *k, const struct csr_request *r, unsigned char **ret, size_t *ret_n, struct err *err);

struct self_signed_request {
	struct key_handle key;       /* a tls key */
	const struct strlist *names; /* DNS names and IP addresses as text; one label ("localhost") is fine */
	int64_t now_ms;
	int64_t days;                /* 1..3650 */
};
/* PEM text, owned by the caller. */
int keys_self_signed(struct keys *k, const struct self_signed_request *r, char **ret, struct err *err);

enum tls_scheme { TLS_ECDSA, TLS_RSA_PKCS1, TLS_RSA_PSS }; /* PSS: salt as long as the digest */
struct tls_sign_request {
	struct key_handle key; /* a tls key, or that of a certificate that we serve with */
	enum tls_scheme scheme;
	enum digest digest;
	const void *p; /* what is to be signed */
	size_t n;
	bool is_digest; /* p is the digest already */
};
/* For gnutls_privkey_import_ext4: the signature (ECDSA as DER), owned by the caller. */
int keys_tls_sign(struct keys *k, const struct tls_sign_request *r, unsigned char **ret, size_t *ret_n, struct err *err);

/* --- secrets and the two named doors out --- */

/* Seals a secret (EAB key, provider credential, TOTP seed, ...). Empty secrets and more than 64 KiB are refused. */
int keys_seal(struct keys *k, const struct secret *s, const struct key_place *to, unsigned char **ret, size_t *ret_n,
	      struct err *err);
/* A sealed SECRET in clear, for a provider's open; never a private key (DENIED). The caller wipes it at close. */
int keys_open_credential(struct keys *k, const struct key_handle *h, struct secret *ret, struct err *err);
/* The private key as PKCS#8 PEM. audit_id is the id of the audit row that says so: it must be a ULID. Certificate keys only. */
int keys_export(struct keys *k, const struct key_handle *key, const char *audit_id, struct secret *ret, struct err *err);

#endif
