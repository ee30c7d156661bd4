/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - RFC 9773: when the CA would like a certificate to be renewed. Plain GET, no account, no nonce. */
#include "acme/private.h"

#include "base/limits.h"

struct wire_info {
	json_t *window;
	const char *explanation;
};

static const struct json_field info_fields[] = {
	JF_AS("suggestedWindow", JSON, struct wire_info, window, .required = true),
	JF_AS("explanationURL", STR, struct wire_info, explanation, .max = LIMIT_CA_URL),
	{ 0 }
};

/* base64url, a dot, base64url */
static bool cert_id_ok(const char *id)
{
	const char *dot = strchr(id, '.');

	return dot && dot > id && dot[1] && strlen(id) <= 256 && str_is_base64url(id, (size_t)(dot - id)) &&
	       str_is_base64url(dot + 1, strlen(dot + 1));
}

static int decode(const struct acme_call *c, json_t *doc, struct acme_renewal_info *i, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct wire_info w = { 0 };

	if (json_decode(doc, info_fields, DECODE_LENIENT, &w, &why) < 0)
		return acme_answer_bad(c, &why, err);
	i->start_ms = acme_time(acme_member(w.window, "start", 64));
	i->end_ms = acme_time(acme_member(w.window, "end", 64));
	if (!i->start_ms || !i->end_ms)
		return acme_answer_unusable(c, err, "the suggested window has no start or end that can be read");
	if (i->end_ms <= i->start_ms)
		return acme_answer_unusable(c, err, "the suggested window ends before it starts");
	i->explanation_url = str_empty(w.explanation) ? NULL : acme_url_to_show(c->url, w.explanation);
	return 0;
}

int acme_renewal_info_get(struct acme_session *s, const char *cert_id, struct acme_renewal_info *ret, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_acme_renewal_info_ struct acme_renewal_info i = { 0 };
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_free_ char *url = NULL;
	struct acme_call c = { .kind = ACME_KIND_RENEWAL_INFO, .what = "ask for renewal information" };

	acme_begin(s);
	if (!cert_id_ok(cert_id))
		return err_set(err, ERR_INVALID, "not a certificate id for renewal information: '%.80s'", cert_id);
	if (acme_directory_load(s, &d, err) < 0)
		return -(int)err->code;
	if (!d.renewal_info)
		return err_set(err, ERR_REMOTE_REFUSED, "the CA offers no renewal information");
	url = xasprintf(str_ends(d.renewal_info, "/") ? "%s%s" : "%s/%s", d.renewal_info, cert_id);
	c.url = url;
	if (acme_get(s, &c, &r, err) < 0 || acme_answer_json(s, &c, &r, &doc, err) < 0 || decode(&c, doc, &i, err) < 0)
		return -(int)err->code;
	i.retry_after_ms = http_retry_after(&r, clock_now(s->clock), MINUTE_MS, DAY_MS);
	if (!i.retry_after_ms)
		i.retry_after_ms = 6 * HOUR_MS;
	*ret = TAKE(i);
	return 0;
}
