/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - the server's certificate for GnuTLS: what is served now, swapped while connections live. The private key never gets
 * here: handshakes are signed by service_tls_sign (keys/). tls.c is the only user of GnuTLS.
 */
#ifndef API_TLS_H
#define API_TLS_H

#include "base/err.h"

struct service;

/* Loads (or makes, at the first start) the certificate. One server in a process. */
int tls_open(struct service *s, struct err *err) MUST_CHECK;
/* Reads the configured files again when they changed; a broken pair is logged and the old one stays. */
void tls_refresh(void);
void tls_touched(void); /* a certificate changed: tls_refresh looks whether it is the one that is served. From any thread */
void tls_close(void);
char *tls_fingerprint(void); /* SHA-256 of the leaf, hex; owned by the caller */

/* For MHD_OPTION_HTTPS_CERT_CALLBACK2 and the priorities of MHD_OPTION_HTTPS_PRIORITIES. */
void *tls_certificate_callback(void);
const char *tls_priorities(void);

#endif
