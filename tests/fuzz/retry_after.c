/* SPDX-License-Identifier: Apache-2.0 */
/* retry_after.c - any text as Retry-After and as a Link header. */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, MIN(n, (size_t)4096));
	_cleanup_http_ struct http_response r = { 0 };
	int64_t now = INT64_C(1795459531123), span = http_retry_after_text(text, now, SECOND_MS, DAY_MS);

	HOLDS(span == 0 || (span >= SECOND_MS && span <= DAY_MS));
	http_header_add(&r, "Link", 4, text, strlen(text));
	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *link = http_link_nth(&r, "alternate", i);

		HOLDS(!link || (!strchr(link, '>') && strstr(text, link)));
	}
	http_is_type(&r, "application/json");
	return 0;
}
