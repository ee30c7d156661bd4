/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/limits.h"
#include "edge/http.h"
#include "feed/feed.h"

#include <stdio.h>

#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define PATH "/.well-known/acme-challenge/" TOKEN

static void requests_are_read(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum http_verdict verdict;
		bool token, keep;
	} rows[] = {
		{ "GET " PATH " HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_REQUEST, true, true },
		{ "HEAD " PATH " HTTP/1.1\r\nHost:x\r\n\r\nGET", HTTP_REQUEST, true, true },
		{ "GET " PATH " HTTP/1.0\r\n\r\n", HTTP_REQUEST, true, false },
		{ "GET " PATH " HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP_REQUEST, true, true },
		{ "GET " PATH " HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\n\r\n", HTTP_REQUEST, true, false },
		{ "POST " PATH " HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_REQUEST, true, false },
		{ "GET " PATH "? HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_REQUEST, false, true },
		{ "GET " PATH " HTTP/1.1\r\nHost: x\r\n", HTTP_MORE, false, false },
		{ "", HTTP_MORE, false, false },
		{ "G", HTTP_MORE, false, false },
		{ "GET " PATH " HTTP/1.1\r", HTTP_MORE, false, false },
		{ "GET " PATH " HTTP/1.1\n", HTTP_BAD, false, false },
		{ "GET " PATH " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", HTTP_BAD, false, false },
		{ "GET " PATH " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD, false, false },
		{ "GET " PATH " HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", HTTP_BAD, false, false },
		{ "GET " PATH " HTTP/1.1\r\n\r\n", HTTP_BAD, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_request q = { 0 };
		enum http_verdict v = http_read(rows[i].text, strlen(rows[i].text), &q);

		if (v != rows[i].verdict)
			print_error("%s\n", rows[i].text);
		ASSERT_INT(v, rows[i].verdict);
		ASSERT_INT(q.token.n > 0, rows[i].token);
		ASSERT_INT(q.keep_alive, rows[i].keep);
	}
}

static void a_head_may_have_8_kib_and_not_one_byte_more(void **state UNUSED)
{
	static char text[LIMIT_HTTP01_HEAD + 16];

	for (size_t size = LIMIT_HTTP01_HEAD - 1; size <= LIMIT_HTTP01_HEAD + 1; size++) {
		struct http_request q;
		int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\nX: ");

		memset(text + n, 'y', size - (size_t)n - 4);
		memcpy(text + size - 4, "\r\n\r\n", 4);
		ASSERT_INT(http_read(text, size, &q), size <= LIMIT_HTTP01_HEAD ? HTTP_REQUEST : HTTP_BAD);
		ASSERT_INT(http_read(text, size - 1, &q), size <= LIMIT_HTTP01_HEAD ? HTTP_MORE : HTTP_BAD);
	}
}

static void tokens_have_16_to_128_characters(void **state UNUSED)
{
	static const struct {
		size_t n;
		bool token;
	} rows[] = { { 15, false }, { 16, true }, { 128, true }, { 129, false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300], token[200] = { 0 };
		struct http_request q;

		memset(token, 't', rows[i].n);
		snprintf(text, sizeof text, "GET /.well-known/acme-challenge/%s HTTP/1.0\r\n\r\n", token);
		ASSERT_INT(http_read(text, strlen(text), &q), HTTP_REQUEST);
		ASSERT_INT(q.token.n, rows[i].token ? rows[i].n : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_are_read),
		TEST(a_head_may_have_8_kib_and_not_one_byte_more),
		TEST(tokens_have_16_to_128_characters),
	};

	return RUN(tests);
}
