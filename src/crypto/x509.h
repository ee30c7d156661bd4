/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509.h - certificates and chains: reading, judging, ARI id. The text comes from a CA or a person: hostile input.
 *
 * chain_parse takes PEM with certificate blocks ONLY (RFC 8555 9.1): blank lines between them are fine, other text is not;
 * at most LIMIT_CHAIN_CERTIFICATES and LIMIT_CA_CHAIN bytes; the DER inside must be exact. The leaf is v[0].
 */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "base/buf.h"
#include "crypto/digest.h"
#include "crypto/keytype.h"

struct cert_info {
	char *serial;  /* lower-case hex of the serial's DER content octets: "00f1..." keeps its zero byte */
	char *subject; /* one line, RFC 2253 order, UTF-8, cleaned */
	char *issuer;
	char *subject_cn, *issuer_cn; /* or NULL */
	int64_t not_before_ms, not_after_ms;
	struct strlist names; /* DNS names of the SAN: canonical where they can be, sorted, unique */
	bool san_other;       /* the SAN also holds what is not a DNS name */
	struct key_text key_type;
	char public_hash[SHA256_HEX]; /* SHA-256 of the SubjectPublicKeyInfo */
	char fingerprint[SHA256_HEX]; /* SHA-256 of the DER */
	bool is_ca;
	bool must_staple;
	char *aki, *ski; /* lower-case hex of the key identifiers, or NULL */
};

struct cert {
	unsigned char *der;
	size_t der_n;
	struct cert_info info;
};

struct chain {
	struct cert *v;
	size_t n;
};

/* INVALID or TOO_LARGE (a caller that had it from a CA wraps or maps it); *ret untouched on failure. */
int chain_parse(const char *pem, size_t n, struct chain *ret, struct err *err);
/* As chain_parse for one certificate in DER. */
int chain_parse_der(const void *der, size_t n, struct chain *ret, struct err *err);
void chain_clear(struct chain *c);
#define _cleanup_chain_ __attribute__((cleanup(chain_clear)))

/* Each certificate is signed by the next one, whose subject is its issuer. No root is needed, no dates are looked at. INVALID. */
int chain_verify_links(const struct chain *c, struct err *err);

struct chain_expect {
	const char *public_hash;     /* of the CSR; NULL = not judged */
	const struct strlist *names; /* of the order, canonical; any order; NULL = not judged */
	int64_t now_ms;
};
/*
 * Judges an issued chain (DESIGN 3 rule 13): the key is the CSR's, the names are the order's and nothing else, the links
 * hold, notAfter is in the future, notBefore at most 48 h ahead. NEEDS_PERSON with the exact reason.
 */
int chain_check(const struct chain *c, const struct chain_expect *want, struct err *err);

/* PEM of certificates from..(n-1): chain_pem(c, 0, out) is "fullchain", chain_pem(c, 1, out) is "chain". */
void chain_pem(const struct chain *c, size_t from, struct buf *out);
void cert_pem(const void *der, size_t n, struct buf *out); /* one certificate */
/* True when the topmost certificate's issuer, or any certificate's subject, has this common name (choice of alternate chain). */
bool chain_has_issuer(const struct chain *c, const char *cn);

/* RFC 9773 4.1: base64url(AKI) "." base64url(serial). INVALID when the certificate has no key identifier. */
int cert_ari_id(const struct cert_info *i, char **ret, struct err *err);

#endif
