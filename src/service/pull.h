/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull.h - a certificate as hosts fetch it, again and again: by one address per format, with a version that is compared before
 * anything is built, so that asking costs nothing while nothing is new.
 *
 * Everybody who may see certificates fetches their public parts. A key goes out only to a token of the role pull that was made for
 * this certificate with the right key-export and a reason (service/token.h), which its owner still has: nobody is there to give a
 * reason at each fetch. Each fetch is an audit row, durable before the key is opened; an answer "unchanged" is none, as nothing left.
 */
#ifndef SERVICE_PULL_H
#define SERVICE_PULL_H

#include "service/certificate.h"

struct pull {
	const char *format;        /* pem (leaf), chain, fullchain, der, zip; with the key: key, combined (fullchain + key), pkcs12, pkcs12-legacy */
	const char *if_none_match; /* as sent, NULL = not sent */
	const char *password;      /* of a PKCS#12 file, or NULL */
	bool only_look;            /* HEAD: the version and nothing else */
};

struct pulled {
	char *etag;     /* quoted, weak for what is not the same bytes each time */
	bool unchanged; /* if_none_match names it */
	struct exported file; /* empty when unchanged or only looked */
};
void pulled_clear(struct pulled *p);
#define _cleanup_pulled_ __attribute__((cleanup(pulled_clear)))

/* NOT_FOUND (also what the token is not for), CONFLICT (nothing issued yet, no key here), DENIED, INVALID with the field. */
int service_pull(struct service *s, const struct actor *a, const char *ref, const struct pull *r, struct pulled *ret, struct err *err) MUST_CHECK;

/* RFC 9110 13.1.2: weak comparison with a list of tags or "*". */
bool pull_etag_matches(const char *if_none_match, const char *etag);

#endif
