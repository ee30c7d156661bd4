/* SPDX-License-Identifier: Apache-2.0 */
/* http01_request.c - any bytes on port 80. */
#include "tests/fuzz/fuzz.h"

#include "edge/http.h"

#include "base/limits.h"

#define PREFIX "/.well-known/acme-challenge/"

static void check(const char *p, const struct http_request *q)
{
	struct http_request again;

	HOLDS(q->head_n >= sizeof "M / HTTP/1.0\r\n\r\n" - 1 && q->head_n <= LIMIT_HTTP01_HEAD);
	HOLDS(!memcmp(p + q->head_n - 4, "\r\n\r\n", 4));
	HOLDS(!(q->get && q->head) && q->target.n);
	HOLDS(!q->keep_alive || q->get || q->head);
	/* no blank line before: there is one way to read where it ends */
	HOLDS(memmem(p, q->head_n - 4 + 3, "\r\n\r\n", 4) == NULL);
	if (q->token.n) {
		HOLDS(q->target.n == sizeof PREFIX - 1 + q->token.n && !memcmp(q->target.p, PREFIX, sizeof PREFIX - 1));
		HOLDS(str_is_base64url(q->token.p, q->token.n));
	}
	if (http_may_redirect(q))
		HOLDS(!memchr(q->host.p, '/', q->host.n) && q->target.p[0] == '/');
	HOLDS(http_read(p, q->head_n, &again) == HTTP_REQUEST && again.head_n == q->head_n);
	HOLDS(http_read(p, q->head_n - 1, &again) == HTTP_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data;
	struct http_request q;
	size_t at = 0;

	while (at < n && http_read(p + at, n - at, &q) == HTTP_REQUEST) {
		check(p + at, &q);
		at += q.head_n;
	}
	return 0;
}
