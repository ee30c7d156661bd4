/* SPDX-License-Identifier: Apache-2.0 */
/* smtp.c - see smtp.h. RFC 5322, 2045, 2047, 3834 (nobody's vacation answers a machine). */
#include "notify/smtp.h"

#include "base/base64.h"
#include "base/clock.h"

#include <time.h>

#define WORD_BYTES 42 /* of text in one encoded word: 56 of base64, with its frame below 76 */
#define LINE_BYTES 57 /* 76 of base64 */

int smtp_address_check(const char *address, struct err *err)
{
	const char *at = strrchr(address, '@');
	size_t n = strlen(address);

	if (n > 254 || !at || at == address || !at[1] || strchr(address, '@') != at)
		return err_set(err, ERR_INVALID, "'%.64s' is not an e-mail address", address);
	for (const char *p = address; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("()<>[]:;,\\\"", *p))
			return err_set(err, ERR_INVALID, "an e-mail address here has no blanks, quotes, brackets or letters beyond ASCII");
	return 0;
}

/* No character is cut in two. */
static size_t word_end(const char *s, size_t n)
{
	size_t take = MIN(n, (size_t)WORD_BYTES);

	while (take < n && take && ((unsigned char)s[take] & 0xc0) == 0x80)
		take--;
	return take ? take : MIN(n, (size_t)WORD_BYTES);
}

static void add_subject(struct buf *out, const char *subject)
{
	_cleanup_free_ char *clean = str_clean(subject, strlen(subject), 200);
	const char *p = clean;
	size_t n = strlen(clean);
	bool plain = n <= 60;

	for (size_t i = 0; i < n; i++)
		plain &= clean[i] >= ' ' && clean[i] <= '~';
	buf_add_str(out, "Subject: ");
	if (plain && !strstr(clean, "=?")) {
		buf_addf(out, "%s\r\n", clean);
		return;
	}
	while (n) {
		size_t take = word_end(p, n);

		buf_add_str(out, p == clean ? "=?UTF-8?B?" : " =?UTF-8?B?");
		base64_encode(out, p, take);
		buf_add_str(out, "?=\r\n");
		p += take;
		n -= take;
	}
}

static void add_date(struct buf *out, int64_t at_ms)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t s = (time_t)(at_ms / 1000);
	struct tm tm;

	gmtime_r(&s, &tm); /* names by hand: no locale */
	buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
		 tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_body(struct buf *out, const char *body)
{
	_cleanup_buf_ struct buf text = BUF_MAX(1024 * 1024);
	const char *p;
	size_t n;

	for (; *body; body++) {
		if (*body == '\n')
			buf_add_char(&text, '\r');
		buf_add_char(&text, *body);
	}
	p = buf_text(&text);
	for (n = text.n; n; n -= MIN(n, (size_t)LINE_BYTES), p += LINE_BYTES) {
		base64_encode(out, p, MIN(n, (size_t)LINE_BYTES));
		buf_add_str(out, "\r\n");
	}
}

void smtp_text(const struct smtp_message *m, struct buf *out)
{
	_cleanup_free_ char *to = strlist_join(m->to, ",\r\n ");

	add_date(out, m->at_ms);
	buf_addf(out, "From: Certwright <%s>\r\nTo: %s\r\n", m->from, to);
	add_subject(out, m->subject);
	buf_addf(out, "Message-ID: <%s@%s>\r\n", m->id, strrchr(m->from, '@') + 1);
	buf_addf(out, "X-Certwright-Event: %s\r\nAuto-Submitted: auto-generated\r\n", m->event);
	if (m->urgent)
		buf_add_str(out, "Importance: high\r\nX-Priority: 1\r\n");
	buf_add_str(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	add_body(out, m->body);
}
