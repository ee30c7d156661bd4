/* SPDX-License-Identifier: Apache-2.0 */
/* export.c - the formats a certificate is handed out in (see certificate.h): a table, and what builds each. */
#include "base/zip.h"
#include "crypto/bundle.h"
#include "crypto/x509.h"
#include "service/certificate.h"
#include "service/internal.h"

struct pack {
	const struct chain *chain;
	const struct secret *key; /* or NULL */
	const struct certificate_export *request;
	const char *name;         /* of the certificate, for those who show one */
	int64_t now_ms;
	struct buf *out;
};

static int pack_pem(const struct pack *p, size_t from, size_t to, struct err *err)
{
	for (size_t i = from; i < MIN(to, p->chain->n); i++)
		cert_pem(p->chain->v[i].der, p->chain->v[i].der_n, p->out);
	if (p->key)
		buf_add(p->out, p->key->p, p->key->n);
	return buf_check(p->out, err);
}

static int pack_leaf(const struct pack *p, struct err *err)
{
	return pack_pem(p, 0, 1, err);
}

static int pack_chain(const struct pack *p, struct err *err)
{
	return pack_pem(p, 1, SIZE_MAX, err);
}

static int pack_full(const struct pack *p, struct err *err)
{
	return pack_pem(p, 0, SIZE_MAX, err);
}

static int pack_der(const struct pack *p, struct err *err)
{
	buf_add(p->out, p->chain->v[0].der, p->chain->v[0].der_n);
	return buf_check(p->out, err);
}

static int pack_p12(const struct pack *p, bool legacy, struct err *err)
{
	_cleanup_secret_ struct secret file = { 0 };
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(512);

	buf_add(&text, p->request->password.p, p->request->password.n);
	if (bundle_pkcs12(p->key, p->chain, p->name, buf_text(&text), legacy, &file, err) < 0)
		return -(int)err->code;
	buf_add(p->out, file.p, file.n);
	return buf_check(p->out, err);
}

static int pack_pkcs12(const struct pack *p, struct err *err)
{
	return pack_p12(p, false, err);
}

static int pack_legacy(const struct pack *p, struct err *err)
{
	return pack_p12(p, true, err);
}

static int pack_key(const struct pack *p, struct err *err)
{
	buf_add(p->out, p->key->p, p->key->n);
	return buf_check(p->out, err);
}

static void zip_pem(struct zip *z, const struct pack *p, const char *name, size_t from, size_t to)
{
	struct buf b = BUF_MAX(LIMIT_CA_CHAIN);

	for (size_t i = from; i < MIN(to, p->chain->n); i++)
		cert_pem(p->chain->v[i].der, p->chain->v[i].der_n, &b);
	if (b.n)
		zip_add(z, name, buf_text(&b), b.n, p->now_ms);
	buf_done(&b);
}

static int pack_zip(const struct pack *p, struct err *err)
{
	struct zip z = { .out = p->out };

	zip_pem(&z, p, "cert.pem", 0, 1);
	zip_pem(&z, p, "chain.pem", 1, SIZE_MAX);
	zip_pem(&z, p, "fullchain.pem", 0, SIZE_MAX);
	zip_add(&z, "cert.der", p->chain->v[0].der, p->chain->v[0].der_n, p->now_ms);
	if (p->key)
		zip_add(&z, "privkey.pem", p->key->p, p->key->n, p->now_ms);
	zip_end(&z);
	return buf_check(p->out, err);
}

static const struct format {
	const char *name, *extension;
	bool key_fits, key_needed, password;
	int (*pack)(const struct pack *p, struct err *err);
} formats[] = {
	{ "pem", "pem", true, false, false, pack_leaf },
	{ "chain", "chain.pem", false, false, false, pack_chain },
	{ "fullchain", "fullchain.pem", true, false, false, pack_full },
	{ "der", "der", false, false, false, pack_der },
	{ "pkcs12", "p12", true, true, true, pack_pkcs12 },
	{ "pkcs12-legacy", "p12", true, true, true, pack_legacy },
	{ "zip", "zip", true, false, false, pack_zip },
	/* by pull only */
	{ "key", "key.pem", true, true, false, pack_key },
	{ "combined", "combined.pem", true, true, false, pack_full },
};

static const struct format *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (streq(formats[i].name, name))
			return &formats[i];
	return NULL;
}

int export_check(const struct certificate_export *r, struct err *err)
{
	const struct format *f = find(r->format);

	if (!f)
		return err_set_field(err, ERR_INVALID, "/format", "there is no format '%s'", r->format);
	if (r->with_key && !f->key_fits)
		return err_set_field(err, ERR_INVALID, "/format", "a key goes out with pem, fullchain, pkcs12, pkcs12-legacy or zip only");
	if (f->password && !r->with_key)
		return err_set_field(err, ERR_INVALID, "/with_key", "a PKCS#12 file is written with its key only; without it, PEM or DER is what programs read");
	if (f->password && !r->password.n)
		return err_set_field(err, ERR_INVALID, "/password", "a PKCS#12 file needs a password");
	if (!f->password && r->password.n)
		return err_set_field(err, ERR_INVALID, "/password", "only PKCS#12 files have a password");
	return 0;
}

int export_build(const struct certificate_export *r, const struct chain *chain, const struct secret *key, const char *name, int64_t now_ms,
		 struct buf *out, const char **ret_extension, struct err *err)
{
	const struct format *f = find(r->format);

	*ret_extension = f->extension;
	return f->pack(&(struct pack){ .chain = chain, .key = key, .request = r, .name = name, .now_ms = now_ms, .out = out }, err);
}
