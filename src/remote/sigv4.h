/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigv4.h - AWS Signature Version 4, in headers (docs.aws.amazon.com, "Signature Version 4 signing process").
 *
 * The caller sends exactly the target and headers it had signed, and of what comes back: X-Amz-Date, X-Amz-Security-Token
 * (the token, when there is one), X-Amz-Content-Sha256 (when asked for) and Authorization. Nothing here can fail.
 */
#ifndef REMOTE_SIGV4_H
#define REMOTE_SIGV4_H

#include "base/secret.h"
#include "net/http.h"

struct sigv4_key { /* borrowed */
	const char *id;
	const struct secret *secret;
	const struct secret *token; /* of temporary credentials, or NULL */
	const char *region, *service;
};

struct sigv4_request { /* borrowed */
	const char *method;
	const char *target;                /* path and query as sent */
	const struct http_header *headers; /* to be signed, "Host" among them, ended by a NULL name */
	struct str body;
	int64_t now_ms;
	bool keep_path;   /* the path is signed as it is: no "." and ".." removed, no slashes joined */
	bool body_header; /* signs (and the caller sends) X-Amz-Content-Sha256 */
};

struct sigv4_signed {
	char date[20];          /* X-Amz-Date */
	char body_hash[65];     /* X-Amz-Content-Sha256 */
	char signature[65];
	struct buf canonical;   /* the canonical request: for tests and for saying why a signature is not accepted */
	char *authorization;
};

void sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *q, struct sigv4_signed *ret);
void sigv4_signed_done(struct sigv4_signed *s);
#define _cleanup_sigv4_ __attribute__((cleanup(sigv4_signed_done)))

/* The Host header as our client sends it: with the port unless it is the scheme's own. Owned by the caller. */
char *remote_host(const struct url *u);

#endif
