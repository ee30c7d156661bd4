/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h - bearer tokens: prefix, 256 random bits in base64url, six characters of checksum (so that a truncated paste, or a
 * secret scanner, can tell without the database). Only the SHA-256 is stored; 256 bits need no slow hash.
 */
#ifndef KEYS_TOKEN_H
#define KEYS_TOKEN_H

#include "base/secret.h"
#include "crypto/digest.h"

#define TOKEN_API "cw_"       /* API tokens */
#define TOKEN_SESSION "cwses_" /* session cookies */
#define TOKEN_SETUP "cwset_"  /* one-time sign-in */

/* The text goes to the person once; the hash (hex) is stored. */
void token_make(const char *prefix, struct secret *ret_text, char ret_hash[SHA256_HEX]);
/* False when it is not of that prefix, length, alphabet and checksum; else the hash to look up. */
bool token_hash(const char *prefix, const char *text, size_t n, char ret_hash[SHA256_HEX]);

#endif
