/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.h - Argon2id of libsodium. At most two hashes run at once, whoever asks (each takes 19 MiB): others wait their
 * turn, so call it from a pool, never from a server's event thread.
 */
#ifndef KEYS_PASSWORD_H
#define KEYS_PASSWORD_H

#include "base/err.h"
#include "base/secret.h"

/* Length LIMIT_PASSWORD_MIN (characters) to LIMIT_PASSWORD_MAX (bytes), UTF-8, not the user's name, not one character
 * repeated. INVALID with field "/password". */
int password_check(const struct secret *password, const char *user, struct err *err);
/* "$argon2id$...": owned by the caller. */
int password_hash(const struct secret *password, char **ret, struct err *err);
/*
 * stored NULL (unknown user, or one without a password) costs the same time and is never ok. *ret_rehash (may be NULL): the
 * password is right but its hash is of weaker parameters than ours: store a new one. INTERNAL when stored is not a hash.
 */
int password_verify(const struct secret *password, const char *stored, bool *ret_ok, bool *ret_rehash, struct err *err);

#endif
