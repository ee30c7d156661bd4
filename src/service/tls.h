/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - the API's own certificate: the configured files, a certificate that is managed here, or a self-signed one that is made at the first start and kept in
 * the store (so its fingerprint stays). Handshakes are signed here; the key never leaves keys/.
 */
#ifndef SERVICE_TLS_H
#define SERVICE_TLS_H

#include "keys/keys.h"
#include "service/service.h"

struct service_identity; /* immutable, reference counted: a handshake may outlive a swap */

/* INVALID or NEEDS_PERSON with a sentence that names the file. */
int service_identity_open(struct service *s, struct service_identity **ret, struct err *err) MUST_CHECK;
struct service_identity *service_identity_ref(struct service_identity *i);
void service_identity_unref(struct service_identity *i); /* NULL is fine */
/*
 * The configured files are others than those it was made of, or the managed certificate has another version (one row is read). A
 * managed one that cannot be served (not issued, its key elsewhere, deleted) is a warning, and the self-signed one is served until it can.
 */
bool service_identity_changed(struct service *s, const struct service_identity *i);

const char *service_identity_chain(const struct service_identity *i);       /* PEM, leaf first */
const char *service_identity_fingerprint(const struct service_identity *i); /* SHA-256 of the leaf, hex */
const char *service_identity_key_type(const struct service_identity *i);    /* "p256", "rsa2048", ... */
/* keys_tls_sign of a digest with the identity's key. */
int service_identity_sign(const struct service_identity *i, enum tls_scheme scheme, enum digest digest, const void *hash, size_t n,
			  unsigned char **ret, size_t *ret_n, struct err *err) MUST_CHECK;

#endif
