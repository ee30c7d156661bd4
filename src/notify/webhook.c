/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.c - see webhook.h. */
#include "notify/webhook.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include "crypto/digest.h"

#define TIMEOUT_MS_OF_ONE (20 * SECOND_MS)

void webhook_secret_new(struct secret *ret)
{
	_cleanup_(buf_done_wipe) struct buf text = BUF_MAX(128);
	unsigned char raw[WEBHOOK_SECRET_BYTES];

	random_bytes(raw, sizeof raw);
	buf_add_str(&text, WEBHOOK_PREFIX);
	base64_encode(&text, raw, sizeof raw);
	explicit_bzero(raw, sizeof raw);
	*ret = secret_from(buf_text(&text));
}

int webhook_secret_bytes(const char *text, size_t n, struct buf *ret, struct err *err)
{
	size_t skip = strlen(WEBHOOK_PREFIX);

	if (n <= skip || memcmp(text, WEBHOOK_PREFIX, skip) != 0 || base64_decode(ret, text + skip, n - skip, err) < 0 || ret->n < 24) {
		err_clear(err);
		return err_set(err, ERR_INVALID, "the webhook's secret cannot be read");
	}
	return 0;
}

static int add_signature(const struct webhook_message *m, const struct secret *s, struct buf *out, struct err *err)
{
	_cleanup_(buf_done_wipe) struct buf key = BUF_MAX(128);
	_cleanup_buf_ struct buf content = BUF_MAX(2 * 1024 * 1024);
	unsigned char mac[SHA256_LEN];

	if (webhook_secret_bytes((const char *)s->p, s->n, &key, err) < 0)
		return -(int)err->code;
	buf_addf(&content, "%s.%lld.", m->id, (long long)(m->at_ms / 1000));
	buf_add_str(&content, m->body);
	if (buf_check(&content, err) < 0)
		return -(int)err->code;
	hmac_sha256(buf_text(&key), key.n, buf_text(&content), content.n, mac);
	buf_add_str(out, out->n ? " v1," : "v1,");
	base64_encode(out, mac, sizeof mac);
	return 0;
}

int webhook_sign(const struct webhook_message *m, struct buf *out, struct err *err)
{
	if (add_signature(m, m->secret, out, err) < 0)
		return -(int)err->code;
	return m->previous ? add_signature(m, m->previous, out, err) : 0;
}

static int judge(const struct http_response *r, const struct webhook_message *m, struct err *err)
{
	enum err_code code = r->status == 410 ? ERR_REMOTE_GONE : r->status == 429 ? ERR_REMOTE_LIMIT :
			     r->status >= 500 ? ERR_REMOTE_BUSY : ERR_REMOTE_REFUSED;

	if (r->status >= 200 && r->status < 300)
		return 0;
	err_set(err, code, "the webhook answered %d%s", r->status,
		r->status >= 300 && r->status < 400 ? ": redirects are not followed, give the final address" : "");
	if (code == ERR_REMOTE_LIMIT || code == ERR_REMOTE_BUSY) {
		int64_t span = http_retry_after(r, m->at_ms, SECOND_MS, DAY_MS);

		err->retry_at_ms = span ? m->at_ms + span : 0;
	}
	return -(int)err->code;
}

int webhook_send(struct http *h, const struct webhook_message *m, enum net_leg *ret_leg, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_buf_ struct buf signature = BUF_MAX(256);
	_cleanup_free_ char *stamp = xasprintf("%lld", (long long)(m->at_ms / 1000));
	int rc = webhook_sign(m, &signature, err);

	if (rc == 0) {
		const struct http_header headers[] = { { "webhook-id", m->id }, { "webhook-timestamp", stamp },
						       { "webhook-signature", buf_text(&signature) }, { 0 } };
		const struct http_request q = { .method = HTTP_POST, .url = m->url, .headers = headers, .content_type = "application/json",
						.body = { m->body, strlen(m->body) }, .rule = m->rule, .timeout_ms = TIMEOUT_MS_OF_ONE,
						.max_body = 64 * 1024 };

		rc = http_do(h, &q, &r, err);
		if (rc == 0)
			rc = judge(&r, m, err);
	}
	*ret_leg = rc == 0 ? NET_LEG_NONE : r.status ? NET_LEG_HTTP : r.leg;
	return rc;
}
