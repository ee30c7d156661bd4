/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - does this private key (PEM, in clear) belong to that certificate: for programs that were handed both. */
#ifndef CRYPTO_MATCH_H
#define CRYPTO_MATCH_H

#include "base/err.h"
#include "base/secret.h"
#include "crypto/digest.h"

/* public_hash as in struct cert_info. CONFLICT when it is another's key; INVALID when it is no usable key. */
int key_matches(const struct secret *pem, const char *public_hash, struct err *err) MUST_CHECK;

#endif
