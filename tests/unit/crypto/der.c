/* SPDX-License-Identifier: Apache-2.0 */
/* der.c - tests of crypto/der.h. */
#include "crypto/der.h"

#include "tests/unit/assert.h"

#define BYTES(s) s, sizeof s - 1

static void der_is_walked_before_it_is_parsed(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		const char *says; /* NULL: fine */
	} cases[] = {
		{ BYTES("\x30\x00"), NULL },
		{ BYTES("\x30\x03\x02\x01\x05"), NULL },
		{ BYTES("\x30\x06\x30\x00\x30\x02\x30\x00"), NULL },
		{ BYTES("\x30\x04\xbf\x81\x01\x00"), NULL },
		{ BYTES(""), "ends early" },
		{ BYTES("\x30"), "ends early" },
		{ BYTES("\x02\x01\x05"), "not a sequence" },
		{ BYTES("\x30\x80\x00\x00"), "indefinite" },
		{ BYTES("\x30\x03\x02\x01"), "longer than" },
		{ BYTES("\x30\x03\x02\x02\x05"), "longer than" },
		{ BYTES("\x30\x02\x30"), "longer than" },
		{ BYTES("\x30\x00\x00"), "behind its end" },
		{ BYTES("\x30\x81\x00"), "not minimal" },
		{ BYTES("\x30\x81\x03\x02\x01\x05"), "not minimal" },
		{ BYTES("\x30\x85\x01\x00\x00\x00\x00"), "out of bounds" },
		{ BYTES("\x30\x84\xff\xff\xff\xff"), "longer than" },
		{ BYTES("\x30\x06\xbf\xff\xff\xff\xff\x01"), "too long" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_err_ struct err err = ERR_INIT;

		if (!cases[i].says) {
			ASSERT_OK(der_check(cases[i].p, cases[i].n, &err), &err);
			continue;
		}
		ASSERT_INT(der_check(cases[i].p, cases[i].n, &err), -ERR_INVALID);
		ASSERT_HAS(err.detail, cases[i].says);
	}
}

static void nesting_has_a_limit(void **state)
{
	unsigned char deep[2 * (DER_DEPTH + 2)];
	_cleanup_err_ struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof deep; i += 2) {
		deep[i] = 0x30;
		deep[i + 1] = (unsigned char)(sizeof deep - i - 2);
	}
	ASSERT_OK(der_check(deep + 2, sizeof deep - 2, &err), &err);
	ASSERT_FAILS(der_check(deep, sizeof deep, &err), &err, ERR_INVALID);
}

static void pem_is_read_strictly(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *says;
	} cases[] = {
		{ "-----BEGIN X-----\nMAA=\n-----END X-----\n", 1, NULL },
		{ "\n \t\r\n-----BEGIN X-----\r\nMAA=\r\n-----END X-----", 1, NULL },
		{ "-----BEGIN X-----\nM\nA\nA=\n-----END X-----\n", 1, NULL },
		{ "", 0, NULL },
		{ "\n\n", 0, NULL },
		{ "hello\n-----BEGIN X-----\nMAA=\n-----END X-----\n", -ERR_INVALID, "text outside" },
		{ "-----BEGIN X-----\nMAA=\n-----END Y-----\n", -ERR_INVALID, "another label" },
		{ "-----BEGIN X-----\nMAA=\n", -ERR_INVALID, "no end line" },
		{ "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nMAA=\n-----END X-----\n", -ERR_INVALID, "encrypted" },
		{ "-----BEGIN X-----\nMA==A\n-----END X-----\n", -ERR_INVALID, "base64" },
		{ "-----BEGIN -----\nMAA=\n-----END -----\n", -ERR_INVALID, "text outside" },
		{ "-----BEGIN", -ERR_INVALID, "text outside" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str rest = STR(cases[i].text), label;
		_cleanup_buf_ struct buf der = BUF_MAX(100);
		_cleanup_err_ struct err err = ERR_INIT;
		_cleanup_free_ char *text = NULL;

		ASSERT_INT(pem_next(&rest, &label, &der, &err), cases[i].r);
		text = err_text(&err);
		if (cases[i].says)
			ASSERT_HAS(text, cases[i].says);
		if (cases[i].r == 1) {
			ASSERT_TRUE(str_is(label, "X"));
			ASSERT_INT(der.n, 2);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(der_is_walked_before_it_is_parsed),
		TEST(nesting_has_a_limit),
		TEST(pem_is_read_strictly),
	};

	return RUN(tests);
}
