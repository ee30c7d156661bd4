/* SPDX-License-Identifier: Apache-2.0 */
/* pem_chain.c - any body where an authority's certificate chain was expected, judged as the engine does. */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "base/limits.h"
#include "crypto/x509.h"

static void check_info(const struct cert_info *i)
{
	struct err err = ERR_INIT;
	char *id = NULL;

	HOLDS(i->serial && i->subject && i->issuer);
	HOLDS(strlen(i->public_hash) == 64 && strlen(i->fingerprint) == 64);
	HOLDS(!strchr(i->subject, '\n') && !strchr(i->issuer, '\n'));
	if (cert_ari_id(i, &id, &err) == 0)
		HOLDS(strchr(id, '.') && !strchr(id, '='));
	free(id);
	err_clear(&err);
}

static void check_again(const struct chain *c)
{
	struct buf pem = BUF_MAX(4 * LIMIT_CA_CHAIN);
	struct err err = ERR_INIT;
	struct chain again = { 0 };

	chain_pem(c, 0, &pem);
	if (chain_parse(buf_text(&pem), pem.n, &again, &err) == 0) {
		HOLDS(again.n == c->n);
		for (size_t i = 0; i < c->n; i++)
			HOLDS(streq(again.v[i].info.fingerprint, c->v[i].info.fingerprint));
	} else {
		HOLDS(err.code == ERR_TOO_LARGE); /* line ends of our own can make it longer */
	}
	chain_clear(&again);
	err_clear(&err);
	buf_done(&pem);
}

static void refused(const struct chain *c, const struct chain_expect *want)
{
	struct err err = ERR_INIT;

	HOLDS(chain_check(c, want, &err) == -ERR_NEEDS_PERSON && err.code == ERR_NEEDS_PERSON);
	err_clear(&err);
}

/* With what it says about itself, and with each thing wrong. */
static void judge(const struct chain *c)
{
	const struct cert_info *leaf = &c->v[0].info;
	struct chain_expect want = { leaf->public_hash, &leaf->names, leaf->not_before_ms };
	struct strlist other = { 0 }, none = { 0 };
	struct err err = ERR_INIT;

	if (chain_check(c, &want, &err) < 0)
		HOLDS(err.code == ERR_NEEDS_PERSON);
	err_clear(&err);
	want.now_ms = leaf->not_after_ms;
	refused(c, &want);
	want.now_ms = leaf->not_before_ms - 49 * HOUR_MS;
	refused(c, &want);
	want.now_ms = leaf->not_before_ms;
	want.public_hash = "";
	refused(c, &want);
	want.public_hash = leaf->public_hash;
	strlist_copy(&other, &leaf->names);
	strlist_add(&other, "not in it");
	want.names = &other;
	refused(c, &want);
	want.names = &none;
	if (leaf->names.n)
		refused(c, &want);
	strlist_clear(&other);
	HOLDS(!leaf->issuer_cn || c->n > 1 || chain_has_issuer(c, leaf->issuer_cn));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct chain c = { 0 };
	struct err err = ERR_INIT;

	if (chain_parse((const char *)data, n, &c, &err) < 0) {
		HOLDS(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
		HOLDS(!c.v);
		err_clear(&err);
		return 0;
	}
	HOLDS(c.n >= 1 && c.n <= LIMIT_CHAIN_CERTIFICATES);
	for (size_t i = 0; i < c.n; i++)
		check_info(&c.v[i].info);
	judge(&c);
	check_again(&c);
	chain_clear(&c);
	return 0;
}
