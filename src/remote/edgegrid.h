/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edgegrid.h - Akamai's request signature EG1-HMAC-SHA256 (techdocs.akamai.com, "Authenticate with EdgeGrid"), and the
 * credential as Akamai hands it out: a section of an .edgerc file.
 */
#ifndef REMOTE_EDGEGRID_H
#define REMOTE_EDGEGRID_H

#include "base/secret.h"
#include "net/http.h"

#define EDGEGRID_MAX_BODY 131072 /* only so much of a POST's body is signed */

struct edgegrid { /* zero is empty; owned */
	char *host;         /* akab-….luna.akamaiapis.net, without port */
	char *client_token, *access_token;
	struct secret client_secret;
	char *account_key;  /* account switch key, or NULL */
};
void edgegrid_done(struct edgegrid *e);
#define _cleanup_edgegrid_ __attribute__((cleanup(edgegrid_done)))

/*
 * The text of an .edgerc (INI): the section, or "default", or the only one. INVALID names what is missing; never a value.
 * Unknown members are skipped, as Akamai's own tools do. ret must be empty.
 */
int edgegrid_parse_edgerc(const char *text, size_t n, const char *section, struct edgegrid *ret, struct err *err);

struct edgegrid_request { /* borrowed */
	const char *method;
	const char *scheme, *host, *target; /* as sent; target is path and query */
	const struct http_header *headers;  /* those to be signed, in their order, ended by a NULL name; or NULL */
	struct str body;
	const char *timestamp, *nonce;
	size_t max_body;                    /* 0 = EDGEGRID_MAX_BODY */
};

/* The Authorization header's value. to_sign (may be NULL) receives what was signed but for the last field. */
char *edgegrid_sign(const struct edgegrid *e, const struct edgegrid_request *q, struct buf *to_sign);

#define EDGEGRID_TIME 24
/* "20140321T19:34:21+0000" and a random UUID, for a new request. */
const char *edgegrid_time(int64_t now_ms, char buf[EDGEGRID_TIME]);
#define EDGEGRID_NONCE 37
const char *edgegrid_nonce(char buf[EDGEGRID_NONCE]);

#endif
