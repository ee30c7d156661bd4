/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - RFC 8555 7.4.2 and 7.6: download of a chain as text, revocation. */
#include "acme/private.h"

#include "base/base64.h"
#include "base/limits.h"

#define MAX_ALTERNATES 10
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

/* The next line without its end; false when the text is over. */
static bool next_line(struct str *text, struct str *ret)
{
	const char *nl;

	if (!text->n)
		return false;
	nl = memchr(text->p, '\n', text->n);
	*ret = (struct str){ text->p, nl ? (size_t)(nl - text->p) : text->n };
	text->p += ret->n + (nl ? 1 : 0);
	text->n -= ret->n + (nl ? 1 : 0);
	while (ret->n && (ret->p[ret->n - 1] == '\r' || ret->p[ret->n - 1] == ' ' || ret->p[ret->n - 1] == '\t'))
		ret->n--;
	return true;
}

/* Base64 of one block to canonical lines of 64. */
static int add_block(struct buf *out, const struct buf *base64, struct err *err)
{
	_cleanup_buf_ struct buf der = BUF_MAX(LIMIT_CA_CHAIN), clean = BUF_MAX(LIMIT_CA_CHAIN * 2);

	if (base64_decode(&der, buf_text(base64), base64->n, err) < 0)
		return err_wrap(err, "a certificate is not base64");
	if (der.n < 4 || (unsigned char)der.p[0] != 0x30)
		return err_set(err, ERR_INVALID, "a certificate is not DER");
	base64_encode(&clean, der.p, der.n);
	buf_add_str(out, BEGIN "\n");
	for (size_t i = 0; i < clean.n; i += 64) {
		buf_add(out, clean.p + i, MIN((size_t)64, clean.n - i));
		buf_add_char(out, '\n');
	}
	buf_add_str(out, END "\n");
	return 0;
}

/* RFC 8555 9.1: CERTIFICATE blocks and nothing else before, between or behind them but blank lines. */
static int read_chain(const struct buf *body, struct acme_chain *ret, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_MAX(LIMIT_CA_CHAIN * 2), block = BUF_MAX(LIMIT_CA_CHAIN);
	struct str text = { buf_text(body), body->n }, line;
	bool inside = false;
	size_t n = 0;

	while (next_line(&text, &line)) {
		if (!inside && !line.n)
			continue;
		if (!inside && str_is(line, BEGIN)) {
			if (n++ == LIMIT_CHAIN_CERTIFICATES)
				return err_set(err, ERR_INVALID, "the chain has more than %d certificates", LIMIT_CHAIN_CERTIFICATES);
			inside = true;
			buf_reset(&block);
		} else if (inside && str_is(line, END)) {
			inside = false;
			if (add_block(&out, &block, err) < 0)
				return -(int)err->code;
		} else if (inside) {
			buf_add(&block, line.p, line.n);
		} else {
			_cleanup_free_ char *shown = str_clean(line.p, line.n, 60);

			return err_set(err, ERR_INVALID, "the chain has something else than certificates: '%s'", shown);
		}
	}
	if (inside)
		return err_set(err, ERR_INVALID, "the chain ends in the middle of a certificate");
	if (!n)
		return err_set(err, ERR_INVALID, "the chain is empty");
	if (buf_check(&out, err) < 0)
		return -(int)err->code;
	ret->pem = buf_take(&out);
	ret->n_certificates = n;
	return 0;
}

/* Those on foreign hosts are left out: an alternate is an offer. */
static void take_alternates(const struct acme_session *s, const struct acme_call *c, const struct http_response *r, struct strlist *ret)
{
	for (size_t i = 0; i < 100 && ret->n < MAX_ALTERNATES; i++) {
		_cleanup_err_ struct err ignored = ERR_INIT;
		_cleanup_free_ char *ref = http_link_nth(r, "alternate", i), *url = NULL;

		if (!ref)
			return;
		if (acme_pin(s, c->url, ref, &url, &ignored) == 0 && !streq(url, c->url) && !strlist_has(ret, url))
			strlist_add(ret, url);
	}
}

int acme_certificate_get(struct acme_session *s, const char *url, struct acme_chain *ret, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_acme_chain_ struct acme_chain chain = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	struct acme_call c = { .kind = ACME_KIND_CERTIFICATE, .what = "download the certificate", .url = url,
			       .accept = "application/pem-certificate-chain", .max_body = LIMIT_CA_CHAIN };

	acme_begin(s);
	if (acme_post(s, &c, &r, err) < 0)
		return -(int)err->code;
	if (read_chain(&r.body, &chain, &why) < 0)
		return acme_answer_bad(&c, &why, err);
	take_alternates(s, &c, &r, &chain.alternates);
	*ret = TAKE(chain);
	return 0;
}

int acme_revoke(struct acme_session *s, const void *cert_der, size_t cert_n, int reason, bool by_certificate_key, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_buf_ struct buf cert = BUF_MAX(LIMIT_CA_CHAIN * 2);
	_cleanup_json_ json_t *payload = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	struct acme_call c = { .kind = ACME_KIND_REVOKE, .what = "revoke the certificate", .embed_key = by_certificate_key };

	acme_begin(s);
	if (reason != ACME_REASON_NONE && reason != 0 && reason != 1 && reason != 4 && reason != 5)
		return err_set_field(err, ERR_INVALID, "/reason", "CAs take the revocation reasons 0, 1, 4 and 5, not %d", reason);
	if (acme_directory_load(s, &d, err) < 0)
		return -(int)err->code;
	if (!d.revoke_cert)
		return err_set(err, ERR_REMOTE_REFUSED, "the CA offers no revocation");
	base64url_encode(&cert, cert_der, cert_n);
	if (buf_check(&cert, err) < 0)
		return err_wrap(err, "could not revoke the certificate");
	payload = json_pack("{s:s}", "certificate", buf_text(&cert));
	if (reason != ACME_REASON_NONE)
		json_object_set_new(payload, "reason", json_integer(reason));
	text = json_text(payload);
	c.url = d.revoke_cert;
	c.payload = text;
	if (acme_post(s, &c, &r, &why) == 0 || acme_problem_is(&s->refusal.problem, "alreadyRevoked"))
		return 0;
	return err_move(err, &why);
}
