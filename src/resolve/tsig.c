/* SPDX-License-Identifier: Apache-2.0 */
/* tsig.c - see tsig.h. RFC 8945 4.2 (the record), 4.3 (what is digested), 5.3 (answers). */
#include "resolve/tsig.h"

#include "base/base64.h"

#define DIGESTED_MAX (2 + DIGEST_MAX + 65535 + 2 * DNS_NAME_MAX + 64)

int tsig_key_make(const char *name, const char *algorithm, const struct secret *base64, struct tsig_key *ret, struct err *err)
{
	static const struct { const char *name; enum digest digest; } known[] = {
		{ "hmac-sha256", DIGEST_SHA256 }, { "hmac-sha384", DIGEST_SHA384 }, { "hmac-sha512", DIGEST_SHA512 },
	};
	_cleanup_buf_wipe_ struct buf raw = BUF_MAX(1024);
	_cleanup_tsig_key_ struct tsig_key k = { 0 };
	_cleanup_err_ struct err why = { 0 };
	size_t i = 0;

	while (i < ARRAY_SIZE(known) && !str_case_eq(known[i].name, algorithm))
		i++;
	if (i == ARRAY_SIZE(known))
		return err_set(err, ERR_INVALID, "the algorithm of the TSIG key is hmac-sha256, hmac-sha384 or hmac-sha512");
	k.digest = known[i].digest;
	if (dns_name_parse(known[i].name, &k.algorithm, err) < 0 || dns_name_parse(name, &k.name, err) < 0)
		return err_wrap(err, "the name of the TSIG key is not a domain name");
	dns_name_lower(&k.name);
	if (base64_decode_any(&raw, (const char *)base64->p, base64->n, &why) < 0 || !raw.n)
		return err_set(err, ERR_INVALID, "the secret of the TSIG key is not base64");
	k.secret = secret_copy(buf_text(&raw), raw.n);
	*ret = TAKE(k);
	return 0;
}

void tsig_key_done(struct tsig_key *k)
{
	secret_clear(&k->secret);
}

struct record { /* what a TSIG record holds but its MAC */
	uint64_t time_s;
	uint16_t fudge, error;
	const uint8_t *other;
	uint16_t other_n;
};

static void out_time(struct dns_out *out, uint64_t s)
{
	dns_out_u16(out, (uint16_t)(s >> 32));
	dns_out_u32(out, (uint32_t)s);
}

/* The MAC over: length and MAC of the request (for an answer), the message without TSIG, the TSIG variables. */
static void mac_of(const uint8_t *message, size_t n, const struct tsig_key *key, const struct tsig_mac *request, const struct record *r,
		   struct tsig_mac *ret)
{
	struct dns_out d = { .p = xmalloc(DIGESTED_MAX), .cap = DIGESTED_MAX };

	if (request) {
		dns_out_u16(&d, (uint16_t)request->n);
		dns_out_bytes(&d, request->b, request->n);
	}
	dns_out_bytes(&d, message, n);
	dns_out_name(&d, &key->name);
	dns_out_u16(&d, DNS_CLASS_ANY);
	dns_out_u32(&d, 0);
	dns_out_name(&d, &key->algorithm);
	out_time(&d, r->time_s);
	dns_out_u16(&d, r->fudge);
	dns_out_u16(&d, r->error);
	dns_out_u16(&d, r->other_n);
	if (r->other_n)
		dns_out_bytes(&d, r->other, r->other_n);
	assert(!d.full);
	ret->n = hmac(key->digest, key->secret.p, key->secret.n, d.p, d.n, ret->b);
	free(d.p);
}

void tsig_sign(struct dns_out *out, const struct tsig_key *key, const struct tsig_mac *request, int64_t now_s, struct tsig_mac *ret)
{
	struct record r = { .time_s = (uint64_t)now_s, .fudge = TSIG_FUDGE_S };
	uint16_t id, counted;
	size_t length_at, from;

	if (out->full || out->n < DNS_HEADER)
		return;
	id = (uint16_t)(out->p[0] << 8 | out->p[1]);
	counted = (uint16_t)((out->p[10] << 8 | out->p[11]) + 1);
	mac_of(out->p, out->n, key, request, &r, ret);
	dns_out_name(out, &key->name);
	dns_out_u16(out, DNS_TSIG);
	dns_out_u16(out, DNS_CLASS_ANY);
	dns_out_u32(out, 0);
	length_at = out->n;
	dns_out_u16(out, 0);
	from = out->n;
	dns_out_name(out, &key->algorithm);
	out_time(out, r.time_s);
	dns_out_u16(out, r.fudge);
	dns_out_u16(out, (uint16_t)ret->n);
	dns_out_bytes(out, ret->b, ret->n);
	dns_out_u16(out, id);
	dns_out_u16(out, 0);
	dns_out_u16(out, 0);
	if (out->full)
		return;
	dns_out_set_u16(out, length_at, (uint16_t)(out->n - from));
	dns_out_set_u16(out, 10, counted);
}

/* Where the last record of the message begins; 0 = there is none. */
static size_t last_record(const uint8_t *p, size_t n)
{
	struct dns_in in = { .p = p, .n = n, .at = 4 };
	struct dns_name ignored;
	unsigned questions = dns_in_u16(&in), records = 0;
	size_t begin = 0;

	for (int i = 0; i < 3; i++)
		records += dns_in_u16(&in);
	for (unsigned i = 0; i < questions && !in.bad; i++) {
		dns_in_name(&in, &ignored);
		dns_in_u32(&in);
	}
	for (unsigned i = 0; i < records && !in.bad; i++) {
		begin = in.at;
		dns_in_name(&in, &ignored);
		dns_in_bytes(&in, 8);
		dns_in_bytes(&in, dns_in_u16(&in));
	}
	return in.bad ? 0 : begin;
}

/* The message as it was before it was signed. */
static uint8_t *before_signing(const uint8_t *p, size_t n, uint16_t id)
{
	uint8_t *m = xmemdup(p, n);
	unsigned count = (unsigned)(m[10] << 8 | m[11]) - 1;

	m[0] = (uint8_t)(id >> 8);
	m[1] = (uint8_t)id;
	m[10] = (uint8_t)(count >> 8);
	m[11] = (uint8_t)count;
	return m;
}

static int64_t time_of(const uint8_t b[6])
{
	uint64_t s = 0;

	for (int i = 0; i < 6; i++)
		s = s << 8 | b[i];
	return (int64_t)s;
}

void tsig_check(const uint8_t *p, size_t n, const struct tsig_key *key, const struct tsig_mac *request, int64_t now_s, struct tsig_answer *ret)
{
	size_t begin = n >= DNS_HEADER ? last_record(p, n) : 0;
	struct dns_in in = { .p = p, .n = n, .at = begin };
	struct dns_name name, algorithm;
	struct record r = { 0 };
	const uint8_t *mac, *time;
	struct tsig_mac right;
	uint16_t type, mac_n, id;
	uint8_t *message;
	int64_t off;

	*ret = (struct tsig_answer){ .verdict = TSIG_MISSING };
	if (!begin || !(p[10] << 8 | p[11]))
		return;
	dns_in_name(&in, &name);
	type = dns_in_u16(&in);
	if (type != DNS_TSIG)
		return;
	ret->verdict = TSIG_WRONG;
	if (dns_in_u16(&in) != DNS_CLASS_ANY || dns_in_u32(&in) != 0 || dns_in_u16(&in) != n - in.at)
		return;
	dns_in_name(&in, &algorithm);
	time = dns_in_bytes(&in, 6);
	r.fudge = dns_in_u16(&in);
	mac_n = dns_in_u16(&in);
	mac = dns_in_bytes(&in, mac_n);
	id = dns_in_u16(&in);
	r.error = dns_in_u16(&in);
	r.other_n = dns_in_u16(&in);
	r.other = dns_in_bytes(&in, r.other_n);
	if (in.bad || in.at != n)
		return;
	ret->error = r.error;
	if (!mac_n) {
		ret->verdict = r.error == TSIG_BADKEY || r.error == TSIG_BADSIG ? TSIG_UNSIGNED : TSIG_WRONG;
		return;
	}
	if (!dns_name_eq(&name, &key->name) || !dns_name_eq(&algorithm, &key->algorithm))
		return;
	r.time_s = (uint64_t)time_of(time);
	message = before_signing(p, begin, id);
	mac_of(message, begin, key, request, &r, &right);
	free(message);
	if (mac_n != right.n || !mem_eq_secret(mac, right.b, right.n)) /* no truncation: we asked for none */
		return;
	if (r.error == TSIG_BADTIME && r.other_n == 6)
		ret->server_s = time_of(r.other);
	off = now_s - (int64_t)r.time_s;
	ret->verdict = r.error != TSIG_BADTIME && (off > r.fudge || off < -(int64_t)r.fudge) ? TSIG_LATE : TSIG_GOOD;
}
