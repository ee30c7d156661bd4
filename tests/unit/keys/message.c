/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - tests of keys/message.h: what goes in comes out, and broken bytes are refused. */
#include "keys/message.h"

#include "base/random.h"
#include "tests/unit/assert.h"

static struct key_request sample(void)
{
	struct key_request q = {
		.op = OP_SIGN_CSR, .key = { "key", "id", "sealed", { "\0\1\2", 3 } }, .other = { "a", "b", "c", { NULL, 0 } },
		.purpose = 1, .type = 2, .url = "https://x/", .payload = "", .data = { "", 0 }, .o = "ü", .has_subject = 1,
		.now_ms = INT64_MIN, .days = INT64_MAX, .audit_id = NULL
	};

	strlist_add(&q.names, "a.example.com");
	strlist_add(&q.names, "");
	return q;
}

static void a_request_comes_out_as_it_went_in(void **state)
{
	struct key_request q = sample(), back = { 0 };
	_cleanup_secret_ struct secret bytes = { 0 }, again = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	message_encode(key_request_fields, &q, &bytes);
	ASSERT_OK(message_decode(key_request_fields, bytes.p, bytes.n, &back, &err), &err);
	ASSERT_INT(back.op, OP_SIGN_CSR);
	ASSERT_STR(back.key.table, "key");
	ASSERT_INT(back.key.sealed.n, 3);
	ASSERT_MEM(back.key.sealed.p, "\0\1\2", 3);
	ASSERT_TRUE(!back.other.sealed.p);
	ASSERT_TRUE(!back.nonce && !back.audit_id);
	ASSERT_STR(back.payload, "");
	ASSERT_TRUE(back.data.p && !back.data.n);
	ASSERT_TRUE(strlist_equal(&back.names, &q.names));
	ASSERT_INT(back.now_ms, INT64_MIN);
	ASSERT_INT(back.days, INT64_MAX);
	message_encode(key_request_fields, &back, &again);
	ASSERT_TRUE(secret_eq(&bytes, &again));
	request_free(&back);
	strlist_clear(&q.names);
}

static void every_cut_and_many_changes_are_survived(void **state)
{
	struct key_request q = sample();
	_cleanup_secret_ struct secret bytes = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	message_encode(key_request_fields, &q, &bytes);
	strlist_clear(&q.names);
	for (size_t n = 0; n < bytes.n; n++) {
		struct key_request back = { 0 };

		ASSERT_FAILS(message_decode(key_request_fields, bytes.p, n, &back, &err), &err, ERR_INVALID);
	}
	for (unsigned i = 0; i < 20000; i++) {
		_cleanup_secret_ struct secret copy = secret_copy(bytes.p, bytes.n);
		struct key_request back = { 0 };

		copy.p[random_below(copy.n)] = (unsigned char)random_u64();
		copy.p[random_below(copy.n)] = 0xff;
		if (message_decode(key_request_fields, copy.p, copy.n, &back, &err) == 0)
			request_free(&back);
		err_clear(&err);
	}
}

static void an_error_crosses_with_its_causes(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT, back = ERR_INIT, none = ERR_INIT;
	_cleanup_secret_ struct secret bytes = { 0 };
	_cleanup_free_ char *a = NULL, *b = NULL;

	err_set_field(&e, ERR_DENIED, "/x", "the innermost");
	err_hint(&e, "Do this.");
	err_wrap(&e, "the outer");
	error_encode(&e, &bytes);
	error_decode(bytes.p, bytes.n, &back);
	a = err_text(&e);
	b = err_text(&back);
	ASSERT_STR(b, a);
	ASSERT_INT(back.code, ERR_DENIED);
	ASSERT_STR(back.field, e.field);
	ASSERT_STR(back.hint, e.hint);
	error_decode("", 0, &none);
	ASSERT_INT(none.code, ERR_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_comes_out_as_it_went_in),
		TEST(every_cut_and_many_changes_are_survived),
		TEST(an_error_crosses_with_its_causes),
	};

	return RUN(tests);
}
