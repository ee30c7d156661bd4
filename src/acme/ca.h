/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca.h - what all workers share about one directory URL: its cached directory (a day old at most, fetched anew after a 404)
 * and its nonces (at most LIMIT_NONCES, at most LIMIT_NONCE_AGE_S old, newest first). Thread-safe. The directory URL
 * is opaque and compared byte by byte.
 */
#ifndef ACME_CA_H
#define ACME_CA_H

#include "acme/types.h"

struct acme_ca;
struct acme_cas; /* the registry */

struct acme_cas *acme_cas_new(void);
void acme_cas_free(struct acme_cas *c); /* after the last worker has ended */
/* The shared object of that URL, made on first use; lives as long as the registry. INVALID when it is no https URL. */
int acme_ca_get(struct acme_cas *c, const char *directory_url, struct acme_ca **ret, struct err *err);

const char *acme_ca_url(const struct acme_ca *ca);
void acme_ca_forget_directory(struct acme_ca *ca);
/* CA's Date header minus our clock at the last answer that had one; for the clock alarm. */
int64_t acme_ca_skew_ms(struct acme_ca *ca);
size_t acme_ca_nonces(struct acme_ca *ca); /* for metrics and tests */

#endif
