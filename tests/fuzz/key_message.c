/* SPDX-License-Identifier: Apache-2.0 */
/* key_message.c - any bytes as a message of the key module; what is read is written as the same bytes again. */
#include "tests/fuzz/fuzz.h"

#include "keys/message.h"

#include <string.h>

static void read_error(const uint8_t *data, size_t n)
{
	struct err err = ERR_INIT;

	error_decode(data, n, &err);
	HOLDS(err_is(&err) && err.code < ERR_COUNT);
	err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct key_request q = { 0 };
	struct key_reply r = { 0 };
	struct err err = ERR_INIT;
	struct secret out = { 0 };

	read_error(data, n);
	if (message_decode(key_request_fields, data, n, &q, &err) == 0) {
		message_encode(key_request_fields, &q, &out);
		HOLDS(out.n == n && !memcmp(out.p, data, n));
		secret_clear(&out);
		request_free(&q);
	}
	err_clear(&err);
	if (message_decode(key_reply_fields, data, n, &r, &err) == 0) {
		message_encode(key_reply_fields, &r, &out);
		HOLDS(out.n == n && !memcmp(out.p, data, n));
		secret_clear(&out);
		reply_free(&r);
	}
	err_clear(&err);
	return 0;
}
