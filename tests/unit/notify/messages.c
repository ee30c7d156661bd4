/* SPDX-License-Identifier: Apache-2.0 */
/* messages.c - the text of mails (nothing put in ends a header) and the signature of webhooks (a vector made with OpenSSL). */
#include "notify/smtp.h"
#include "notify/webhook.h"
#include "tests/unit/assert.h"

static void addresses_that_could_end_a_header_are_refused(void **state)
{
	static const char *const bad[] = { "", "a", "@b.example", "a@", "a@b@c", "a b@c.example", "a@b.example\r\nBcc: x@y", "<a@b.example>",
					   "a@b.example,c@d.example", "\"a\"@b.example", "a@b.example\n", "b\xc3\xbc@c.example" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_INT(smtp_address_check(bad[i], &err), -ERR_INVALID);
		err_clear(&err);
	}
	ASSERT_OK(smtp_address_check("ops+x.y_z@sub.example.com", &err), &err);
}

static void lines_of_a_subject_become_one_and_long_ones_are_folded(void **state)
{
	static const char *const subjects[] = { "evil\r\nBcc: a@b.example", "=?utf-8?q?x?=",
						("Gr\xc3\xbc\xc3\x9f" "e from far away, and much longer than one word can hold, really very much longer") };
	_cleanup_strlist_ struct strlist to = { 0 };

	strlist_add(&to, "a@b.example");
	strlist_add(&to, "c@d.example");
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		struct smtp_message m = { .id = "01A", .from = "me@b.example", .to = &to, .subject = subjects[i], .body = "one\ntwo\n", .event = "x",
					  .at_ms = 1000 };
		_cleanup_buf_ struct buf out = BUF_MAX(64 * 1024);
		const char *line, *end;

		smtp_text(&m, &out);
		ASSERT_TRUE(!strstr(buf_text(&out), "\nBcc"));
		for (line = buf_text(&out); (end = strstr(line, "\r\n")); line = end + 2) {
			ASSERT_TRUE(end - line <= 78);
			ASSERT_TRUE(!memchr(line, '\n', (size_t)(end - line)));
		}
		ASSERT_TRUE(strstr(buf_text(&out), "\r\n\r\nb25lDQp0d28NCg==\r\n") != NULL);
		ASSERT_TRUE(strstr(buf_text(&out), "Date: Thu, 1 Jan 1970 00:00:01 +0000\r\n") != NULL);
	}
}

static void a_webhook_is_signed_by_standard_webhooks(void **state)
{
	/* the vector of the specification's reference libraries */
	_cleanup_secret_ struct secret s = secret_from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), fresh = { 0 };
	struct webhook_message m = { .id = "msg_p5jXN8AQM9LWM0D4loKWxJek", .body = "{\"test\": 2432232314}", .secret = &s,
				     .at_ms = 1614265330LL * 1000 };
	_cleanup_buf_ struct buf out = BUF_MAX(256), twice = BUF_MAX(256);
	struct err err = ERR_INIT;

	ASSERT_OK(webhook_sign(&m, &out, &err), &err);
	ASSERT_STR(buf_text(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	webhook_secret_new(&fresh);
	ASSERT_TRUE(str_starts((const char *)fresh.p, "whsec_"));
	m.secret = &fresh;
	m.previous = &s;
	ASSERT_OK(webhook_sign(&m, &twice, &err), &err);
	ASSERT_TRUE(strstr(buf_text(&twice), " v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=") != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_that_could_end_a_header_are_refused),
		cmocka_unit_test(lines_of_a_subject_become_one_and_long_ones_are_folded),
		cmocka_unit_test(a_webhook_is_signed_by_standard_webhooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
