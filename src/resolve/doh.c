/* SPDX-License-Identifier: Apache-2.0 */
/* doh.c - a question by DNS over HTTPS (RFC 8484): POST of the wire form, id 0, the answer judged as one by UDP. Some servers speak HTTP/2 alone. */
#include "resolve/visit.h"

#include "base/clock.h"

#include <stdio.h>

#define DNS_MESSAGE_TYPE "application/dns-message"

static bool take_answer(struct exchange *x, const struct dns_ask *ask, const struct http_response *rsp)
{
	struct err err = { 0 };
	bool ok = rsp->body.n <= sizeof x->answer;

	if (ok) {
		memcpy(x->answer, buf_text(&rsp->body), rsp->body.n);
		ok = dns_message_read(&x->m, x->answer, rsp->body.n, &err) == 0 && dns_message_matches(&x->m, ask);
		err_clear(&err);
	}
	x->n = ok ? rsp->body.n : 0;
	return ok;
}

void doh_run(const struct resolve_view *v, struct exchange *x, int64_t deadline_boot_ms)
{
	static const struct http_header accept[] = { { "Accept", DNS_MESSAGE_TYPE }, { 0 } };
	int64_t left = deadline_boot_ms - clock_boot(&clock_system);
	struct dns_ask ask = { .name = &x->name, .type = x->type, .recurse = true, .edns = true, .udp_size = 1232 };
	struct http_request q = { .method = HTTP_POST, .url = v->doh, .headers = accept, .content_type = DNS_MESSAGE_TYPE, .rule = v->rule, .http2 = true,
				  .timeout_ms = left, .max_body = EXCHANGE_ANSWER };
	_cleanup_http_ struct http_response rsp = { 0 };
	_cleanup_err_ struct err why = { 0 };
	uint8_t query[512];
	size_t n;

	x->fd = -1;
	x->answered = false;
	if (left <= 0 || !dns_ask_write(&ask, query, sizeof query, &n)) {
		snprintf(x->trouble, sizeof x->trouble, "no answer in time");
		return;
	}
	q.body = (struct str){ (const char *)query, n };
	if (http_do(v->http, &q, &rsp, &why) < 0) {
		_cleanup_free_ char *text = err_text(&why);

		snprintf(x->trouble, sizeof x->trouble, "%s", text);
		return;
	}
	if (rsp.status != 200)
		snprintf(x->trouble, sizeof x->trouble, "the DNS over HTTPS server answers %d", rsp.status);
	else if (!http_is_type(&rsp, DNS_MESSAGE_TYPE))
		snprintf(x->trouble, sizeof x->trouble, "what answers is no DNS over HTTPS server");
	else if (!take_answer(x, &ask, &rsp))
		snprintf(x->trouble, sizeof x->trouble, "an unusable answer by HTTPS");
	else
		x->answered = true;
}
