/* SPDX-License-Identifier: Apache-2.0 */
/* mailed.h - a mail as its reader sees it. */
#ifndef TESTS_UNIT_ENGINE_MAILED_H
#define TESTS_UNIT_ENGINE_MAILED_H

#include "base/base64.h"
#include "base/buf.h"
#include "net/mail.h"
#include "tests/unit/assert.h"

static inline void mail_decode(const char *text, size_t n, struct buf *to)
{
	_cleanup_buf_ struct buf one_line = BUF_MAX(64 * 1024);
	struct err none = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		if (!strchr("\r\n", text[i]))
			buf_add_char(&one_line, text[i]);
	ASSERT_OK(base64_decode(to, buf_text(&one_line), one_line.n, &none), &none);
}

/* A subject that is long is written in base64, in pieces. */
static inline char *mail_subject(const struct mail_request *q)
{
	const char *at = strstr(q->message.p, "Subject: ") + strlen("Subject: ");
	_cleanup_buf_ struct buf text = BUF_MAX(1024);

	for (; str_starts(at, "=?UTF-8?B?"); at += strspn(at, "\r\n ")) {
		size_t n = strcspn(at + 10, "?");

		mail_decode(at + 10, n, &text);
		at += 10 + n + 2;
	}
	return text.n ? buf_take(&text) : xstrndup(at, strcspn(at, "\r\n"));
}

static inline char *mail_body(const struct mail_request *q)
{
	_cleanup_buf_ struct buf text = BUF_MAX(64 * 1024);
	const char *at = strstr(q->message.p, "\r\n\r\n") + 4;

	mail_decode(at, strlen(at), &text);
	return buf_take(&text);
}

#endif
