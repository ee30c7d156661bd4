/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - reading what people bring along: certificates with or without their keys, as PEM (one or many, with text around
 * the blocks, as openssl writes it), as DER, or in a PKCS#12 file.
 *
 * PKCS#12 and encrypted keys are opened in the runner only (app/runner.h): bundle_sealed says that a file needs it, bundle_scan
 * looks at it first and refuses what is made to burn time or memory, and bundle_open, in the runner, turns it into PEM without
 * passwords, which bundle_read reads. The scan reads lengths and numbers only: no key derivation, no allocation.
 */
#ifndef CRYPTO_BUNDLE_H
#define CRYPTO_BUNDLE_H

#include "base/buf.h"
#include "base/secret.h"
#include "crypto/x509.h"

struct bundle {
	struct chain *certs; /* one certificate each, in the order of the file, no duplicates */
	size_t certs_n;
	struct secret *keys; /* PEM, unencrypted */
	size_t keys_n;
	struct strlist ignored; /* labels of blocks that are neither */
};
void bundle_clear(struct bundle *b);
#define _cleanup_bundle_ __attribute__((cleanup(bundle_clear)))

/* True for what bundle_open has to open first: PKCS#12, or PEM with an encrypted key. */
bool bundle_sealed(struct str content);
/*
 * Of what is sealed: INVALID for an encoding that cannot be judged, more than LIMIT_KDF_ROUNDS rounds in one place or four times
 * that in all, or scrypt with more than LIMIT_KDF_MEMORY bytes.
 */
int bundle_scan(struct str content, struct err *err);

/* PEM or one certificate in DER. INVALID, TOO_LARGE (LIMIT_IMPORT_CERTIFICATES); *ret untouched on failure. */
int bundle_read(struct str content, struct bundle *ret, struct err *err);

/* The chain of certificate i from what else is there: issuers by signature, without a self-signed root. Owned by the caller. */
void bundle_chain(const struct bundle *b, size_t i, struct chain *ret);
/* Not an authority that only stands there as somebody's issuer. */
bool bundle_is_leaf(const struct bundle *b, size_t i);

/*
 * A PKCS#12 file of a key and its certificate with what is above it. legacy: 3DES and SHA-1, for what cannot read AES and SHA-256
 * (Java before 8u301, Windows before 10, older appliances).
 */
int bundle_pkcs12(const struct secret *key_pem, const struct chain *c, const char *name, const char *password, bool legacy, struct secret *ret,
		  struct err *err);

/* --- in the runner --- */

void bundle_open_prepare(void); /* before the sandbox: loads what OpenSSL wants from files (its older algorithms) */
/* What bundle_open takes: the password's length (4 octets, most significant first), the password, the content. */
void bundle_open_request(const struct secret *password, struct str content, struct buf *out);
int bundle_open(struct str request, struct buf *out, struct err *err); /* a program_builtin; "/password" when that is wrong */

#endif
