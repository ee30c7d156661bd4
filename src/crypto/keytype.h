/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keytype.h - the kind of a key as text. The kinds we make are enum key_type of model/account.h; keys in other people's
 * documents may be of more kinds and are told by text only.
 */
#ifndef CRYPTO_KEYTYPE_H
#define CRYPTO_KEYTYPE_H

#include "model/account.h"

/* "p256", "rsa2048", and for keys of others also "p521", "rsa2560", "ed25519", "other". */
struct key_text {
	char s[16];
};

#endif
