/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - see bundle.h: the parts that run in core. RFC 7468 (PEM), RFC 7292 (PKCS#12), RFC 8018 (PBES2). */
#include "crypto/bundle.h"

#include "base/limits.h"
#include "crypto/der.h"

#define SCAN_DEPTH 28 /* an ordinary PKCS#12 file nests 20 deep */

void bundle_clear(struct bundle *b)
{
	for (size_t i = 0; i < b->certs_n; i++)
		chain_clear(&b->certs[i]);
	for (size_t i = 0; i < b->keys_n; i++)
		secret_clear(&b->keys[i]);
	free(b->certs);
	free(b->keys);
	strlist_clear(&b->ignored);
	*b = (struct bundle){ 0 };
}

/* --- looking at it ------------------------------------------------------------------------------------------------------ */

#define BEGIN "-----BEGIN "
#define END "-----END "

static bool is_pem(struct str s)
{
	return memmem(s.p, s.n, BEGIN, strlen(BEGIN)) != NULL;
}

/* The next block with its boundary lines; what stands between blocks is skipped. */
static bool next_block(struct str *rest, struct str *ret)
{
	const char *begin = memmem(rest->p, rest->n, BEGIN, strlen(BEGIN)), *stop = rest->p + rest->n, *end;

	if (!begin)
		return false;
	end = memmem(begin, (size_t)(stop - begin), END, strlen(END));
	end = end ? memmem(end + strlen(END), (size_t)(stop - end) - strlen(END), "-----", 5) : NULL;
	end = end ? end + 5 : stop; /* without an end line pem_next says so */
	*ret = (struct str){ begin, (size_t)(end - begin) };
	*rest = (struct str){ end, (size_t)(stop - end) };
	return true;
}

static bool block_is(struct str block, const char *label)
{
	size_t n = strlen(label);

	return block.n > strlen(BEGIN) + n + 5 && !memcmp(block.p + strlen(BEGIN), label, n) &&
	       !memcmp(block.p + strlen(BEGIN) + n, "-----", 5);
}

/* PFX ::= SEQUENCE { version INTEGER, ... }: a certificate begins with a SEQUENCE inside. */
static bool is_pkcs12(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;

	if (s.n < 8 || p[0] != 0x30)
		return false;
	p += p[1] < 0x80 || p[1] == 0x80 ? 2 : 2 + (p[1] & 0x7f);
	return p + 2 < end && p[0] == 0x02 && p[1] == 0x01 && p[2] == 3;
}

bool bundle_sealed(struct str content)
{
	struct str block;

	if (!is_pem(content))
		return is_pkcs12(content);
	while (next_block(&content, &block))
		if (block_is(block, "ENCRYPTED PRIVATE KEY"))
			return true;
	return false;
}

/* --- the scan ----------------------------------------------------------------------------------------------------------- */

#define TAG_INTEGER 0x02
#define TAG_OCTETS 0x04
#define TAG_SEQUENCE 0x30
#define TAG_OCTETS_IN_PARTS 0x24 /* BER: could hide what is split between the parts */

struct scan {
	uint64_t rounds; /* of all places together */
};

static uint64_t number(const struct der_element *e)
{
	uint64_t v = 0;

	for (size_t i = 0; i < e->n; i++)
		v = v >> 56 ? UINT64_MAX : v << 8 | e->p[i]; /* what does not fit stays too large; so does a negative one */
	return v;
}

static int too_many(struct err *err)
{
	err_set(err, ERR_INVALID, "it wants more than %d rounds of password hashing, which nothing ordinary does", LIMIT_KDF_ROUNDS);
	return err_hint(err, "Write it again with ordinary settings: openssl pkcs12 -in old.p12 -out all.pem, then openssl pkcs12 -export.");
}

/* salt OCTET STRING, then numbers: PBKDF2, PKCS#12's own scheme and its MAC have the rounds first; scrypt has N, r, p. */
static int judge(struct scan *s, const uint64_t *v, unsigned n, struct err *err)
{
	if (n >= 3 && (v[0] > LIMIT_KDF_MEMORY || v[1] > LIMIT_KDF_MEMORY || v[0] * v[1] > LIMIT_KDF_MEMORY / 128 || v[2] > 16))
		return err_set(err, ERR_INVALID, "its password hashing (scrypt) wants more than %d MiB of memory", LIMIT_KDF_MEMORY / 1024 / 1024);
	if (v[0] > LIMIT_KDF_ROUNDS)
		return too_many(err);
	s->rounds += v[0];
	return s->rounds > 4 * (uint64_t)LIMIT_KDF_ROUNDS ? too_many(err) : 0;
}

/* 0 read to its end, 1 it is no DER, or an error: it is DER and too much. */
static int scan_level(struct scan *s, const unsigned char *p, const unsigned char *end, unsigned depth, struct err *err)
{
	unsigned numbers = 0;
	bool salt = false;
	uint64_t v[3] = { 0 };

	while (p < end) {
		_cleanup_err_ struct err why = ERR_INIT;
		struct der_element e;
		int r = 0;

		if (der_next(&p, end, &e, &why) < 0 || e.tag == TAG_OCTETS_IN_PARTS)
			return 1;
		if (salt && e.tag == TAG_INTEGER && numbers < 3) {
			v[numbers++] = number(&e);
			continue;
		}
		if (numbers && judge(s, v, numbers, err) < 0)
			return -(int)err->code;
		numbers = 0;
		salt = e.tag == TAG_OCTETS;
		if ((e.constructed || (salt && e.n > 2 && e.p[0] == TAG_SEQUENCE)) && depth == SCAN_DEPTH)
			return err_set(err, ERR_INVALID, "it is nested too deeply");
		if (e.constructed || (salt && e.n > 2 && e.p[0] == TAG_SEQUENCE))
			r = scan_level(s, e.p, e.p + e.n, depth + 1, err);
		if (r < 0 || (r && e.constructed)) /* octets need not be DER */
			return r;
	}
	return numbers ? judge(s, v, numbers, err) : 0;
}

static int scan_der(struct scan *s, const void *p, size_t n, struct err *err)
{
	const unsigned char *at = p;
	int r = scan_level(s, at, at + n, 0, err);

	if (r <= 0)
		return r;
	err_set(err, ERR_INVALID, "it is not encoded in DER throughout");
	return err_hint(err, "Older browsers write such files. Write it again: openssl pkcs12 -in old.p12 -out all.pem, then openssl pkcs12 -export.");
}

int bundle_scan(struct str content, struct err *err)
{
	struct scan s = { 0 };
	struct str block, label;

	if (!is_pem(content))
		return scan_der(&s, content.p, content.n, err);
	while (next_block(&content, &block)) {
		_cleanup_buf_wipe_ struct buf der = BUF_MAX(LIMIT_API_BODY);

		if (!block_is(block, "ENCRYPTED PRIVATE KEY"))
			continue;
		if (pem_next(&block, &label, &der, err) < 0 || scan_der(&s, der.p, der.n, err) < 0)
			return err_wrap(err, "the encrypted key is not opened");
	}
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static int add_cert(struct bundle *b, const void *der, size_t n, struct err *err)
{
	_cleanup_chain_ struct chain c = { 0 };

	if (chain_parse_der(der, n, &c, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < b->certs_n; i++)
		if (streq(b->certs[i].v[0].info.fingerprint, c.v[0].info.fingerprint))
			return 0;
	if (b->certs_n == LIMIT_IMPORT_CERTIFICATES)
		return err_set(err, ERR_TOO_LARGE, "there are more than %d certificates in one file", LIMIT_IMPORT_CERTIFICATES);
	b->certs = xrealloc(b->certs, (b->certs_n + 1) * sizeof *b->certs);
	b->certs[b->certs_n++] = TAKE(c);
	return 0;
}

static int add_key(struct bundle *b, struct str block, struct err *err)
{
	if (b->keys_n == LIMIT_IMPORT_KEYS)
		return err_set(err, ERR_TOO_LARGE, "there are more than %d keys in one file", LIMIT_IMPORT_KEYS);
	b->keys = xrealloc(b->keys, (b->keys_n + 1) * sizeof *b->keys);
	b->keys[b->keys_n++] = secret_copy(block.p, block.n);
	return 0;
}

static int add_block(struct bundle *b, struct str block, struct err *err)
{
	_cleanup_buf_wipe_ struct buf der = BUF_MAX(LIMIT_API_BODY);
	_cleanup_free_ char *seen = NULL;
	struct str rest = block, label;

	if (block_is(block, "PRIVATE KEY") || block_is(block, "RSA PRIVATE KEY") || block_is(block, "EC PRIVATE KEY"))
		return add_key(b, block, err);
	if (pem_next(&rest, &label, &der, err) < 0)
		return -(int)err->code;
	if (str_is(label, "CERTIFICATE") || str_is(label, "X509 CERTIFICATE"))
		return add_cert(b, der.p, der.n, err);
	seen = str_clean(label.p, label.n, 64);
	if (!strlist_has(&b->ignored, seen))
		strlist_add(&b->ignored, seen);
	return 0;
}

int bundle_read(struct str content, struct bundle *ret, struct err *err)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	struct str block;
	size_t n = 0;

	if (!is_pem(content)) {
		if (add_cert(&b, content.p, content.n, err) < 0)
			return err_wrap(err, "this is neither PEM text nor a certificate in DER nor a PKCS#12 file");
		*ret = TAKE(b);
		return 0;
	}
	while (next_block(&content, &block)) {
		n++;
		if (add_block(&b, block, err) < 0)
			return err_wrap(err, "PEM block %zu cannot be used", n);
	}
	if (!b.certs_n)
		return err_set(err, ERR_INVALID, "there is no certificate in it");
	*ret = TAKE(b);
	return 0;
}

/* --- chains ------------------------------------------------------------------------------------------------------------- */

static bool issued_by(const struct cert *c, const struct cert *by)
{
	struct chain two = { (struct cert[]){ *c, *by }, 2 };
	_cleanup_err_ struct err why = ERR_INIT;

	return streq(c->info.issuer, by->info.subject) && chain_verify_links(&two, &why) == 0;
}

static const struct cert *issuer_of(const struct bundle *b, const struct cert *c)
{
	if (streq(c->info.issuer, c->info.subject))
		return NULL;
	for (size_t i = 0; i < b->certs_n; i++)
		if (&b->certs[i].v[0] != c && issued_by(c, &b->certs[i].v[0]))
			return &b->certs[i].v[0];
	return NULL;
}

void bundle_chain(const struct bundle *b, size_t i, struct chain *ret)
{
	_cleanup_buf_ struct buf pem = BUF_MAX(LIMIT_CA_CHAIN);
	_cleanup_err_ struct err why = ERR_INIT;
	const struct cert *c = &b->certs[i].v[0];
	int r;

	cert_pem(c->der, c->der_n, &pem);
	for (unsigned n = 1; n < LIMIT_CHAIN_CERTIFICATES && (c = issuer_of(b, c)) && !streq(c->info.issuer, c->info.subject); n++)
		cert_pem(c->der, c->der_n, &pem);
	r = chain_parse(buf_text(&pem), pem.n, ret, &why);
	if (r < 0) /* too long with its issuers: alone, then */
		r = chain_parse_der(b->certs[i].v[0].der, b->certs[i].v[0].der_n, ret, &why);
	assert(r == 0); /* each of them was read before */
}

bool bundle_is_leaf(const struct bundle *b, size_t i)
{
	const struct cert_info *me = &b->certs[i].v[0].info;

	if (!me->is_ca || b->certs_n == 1)
		return true;
	for (size_t k = 0; k < b->certs_n; k++)
		if (!b->certs[k].v[0].info.is_ca)
			return false;
	for (size_t k = 0; k < b->certs_n; k++) /* authorities only: those nobody here is issued by */
		if (k != i && issued_by(&b->certs[k].v[0], &b->certs[i].v[0]))
			return false;
	return true;
}
