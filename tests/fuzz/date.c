/* SPDX-License-Identifier: Apache-2.0 */
/* date.c - any text as a date of RFC 3339: what is taken is written again and read again as the same instant. */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_free_ char *text = n ? xstrndup((const char *)data, n) : xstrdup("");
	_cleanup_err_ struct err err = ERR_INIT;
	int64_t ms = 0, again = 0;
	char out[CLOCK_TEXT];

	if (clock_parse(text, &ms, &err) < 0) {
		HOLDS(err.code == ERR_INVALID);
		return 0;
	}
	HOLDS(clock_parse(clock_format(ms, out), &again, &err) == 0 && again == ms);
	return 0;
}
