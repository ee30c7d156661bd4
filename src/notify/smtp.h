/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp.h - one message as mail: addresses that may stand in an envelope and a header, and the text of the message (RFC 5322,
 * plain UTF-8 in base64, subjects as RFC 2047 words). Nothing that is put in can end a header: CR, LF and other control
 * characters are refused in addresses and made blanks in subjects.
 */
#ifndef NOTIFY_SMTP_H
#define NOTIFY_SMTP_H

#include "base/buf.h"
#include "base/str.h"

/* local@domain: printable ASCII without blanks and quotes, at most 254 bytes. INVALID. */
int smtp_address_check(const char *address, struct err *err);

struct smtp_message { /* all borrowed */
	const char *id;  /* letters and digits; Message-ID is id@domain of from */
	const char *from;
	const struct strlist *to;
	const char *subject, *body; /* UTF-8; lines of body end with \n */
	const char *event;          /* for filters: header X-Certwright-Event */
	int64_t at_ms;
	bool urgent;
};
/* Lines end with CRLF. */
void smtp_text(const struct smtp_message *m, struct buf *out);

#endif
