/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook.h - one message as a signed POST, by Standard Webhooks 1.0: headers webhook-id, webhook-timestamp and
 * webhook-signature (HMAC-SHA256 of "id.timestamp.body", one "v1,..." for each secret that is good).
 */
#ifndef NOTIFY_WEBHOOK_H
#define NOTIFY_WEBHOOK_H

#include "net/http.h"

#define WEBHOOK_SECRET_BYTES 32
#define WEBHOOK_PREFIX "whsec_"

/* A new secret as it is shown: "whsec_" and base64. */
void webhook_secret_new(struct secret *ret);
/* INVALID when the text is not such a secret. Tests and rotation. */
int webhook_secret_bytes(const char *text, size_t n, struct buf *ret, struct err *err);

struct webhook_message { /* all borrowed */
	const char *url, *id, *body;
	const struct secret *secret, *previous; /* as shown; previous may be NULL */
	int64_t at_ms;
	const struct net_rule *rule;
};
/* "v1,..." or "v1,... v1,..." */
int webhook_sign(const struct webhook_message *m, struct buf *out, struct err *err);
/*
 * Any 2xx is success. Else REMOTE_GONE (410: it does not want any more), REMOTE_LIMIT (429; retry_at from Retry-After),
 * REMOTE_BUSY (5xx), REMOTE_REFUSED (all others, redirects too: they are not followed), or what http_do says. Of the answer only
 * its status is told.
 */
int webhook_send(struct http *h, const struct webhook_message *m, enum net_leg *ret_leg, struct err *err);

#endif
