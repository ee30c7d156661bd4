/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr.h - reading certificate signing requests (PKCS#10, RFC 2986), strictly: they are uploaded by people and go to a CA.
 * Making one is keys_sign_csr (keys/keys.h), since it needs the private key.
 *
 * Accepted: PEM or DER, one request and nothing else, at most LIMIT_CSR bytes; its signature verifies; key RSA 2048 to 8192 bits
 * with a usual exponent, P-256, P-384 or P-521 by name; signed with SHA-2; at least one and at most LIMIT_NAMES subject
 * alternative names, all of them DNS names; a common name only if it is one of these. Without any alternative name the one common
 * name is the name (some authorities take that: common_name_only). Everything else is refused with a sentence that says what to change.
 */
#ifndef CRYPTO_CSR_H
#define CRYPTO_CSR_H

#include "base/str.h"
#include "crypto/digest.h"
#include "crypto/keytype.h"

struct csr_subject { /* members are owned UTF-8 texts or NULL */
	char *cn; /* common name: normally NULL, names live in the SAN */
	char *o, *ou, *c, *l, *st;
};

void csr_subject_copy(struct csr_subject *to, const struct csr_subject *from);
void csr_subject_clear(struct csr_subject *s);
/* The limits of RFC 5280 A.1: 64 characters each, L and ST 128, C two letters. INVALID with the field "/subject/o" etc. */
int csr_subject_check(const struct csr_subject *s, struct err *err);

struct csr_info {
	unsigned char *der;
	size_t der_n;
	struct strlist names; /* canonical (base/idn.h), sorted, unique */
	struct csr_subject subject;
	struct key_text key_type;
	char public_hash[SHA256_HEX]; /* SHA-256 of the SubjectPublicKeyInfo, as in struct cert_info */
	char der_hash[SHA256_HEX];    /* SHA-256 of the DER */
	bool must_staple;             /* asks for the TLS feature extension */
	bool client_auth;             /* asks for the extended key usage clientAuth */
	bool common_name_only;        /* has no alternative names: its name is the common name */
};

/* INVALID or TOO_LARGE; *ret is untouched on failure, else freed by csr_info_clear. */
int csr_parse(const void *p, size_t n, struct csr_info *ret, struct err *err);
/* DER to PEM; owned by the caller. */
char *csr_pem(const void *der, size_t n);
void csr_info_clear(struct csr_info *i);
#define _cleanup_csr_info_ __attribute__((cleanup(csr_info_clear)))

#endif
