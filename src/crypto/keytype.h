/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keytype.h - the kind of a key as text. The kinds we make are enum key_type of model/account.h; keys in other people's
 * documents may be of more kinds and are told by text only.
 */
#ifndef CRYPTO_KEYTYPE_H
#define CRYPTO_KEYTYPE_H

#if __has_include("model/account.h")
#include "model/account.h"
#else
enum key_purpose { KEY_ACCOUNT, KEY_CERTIFICATE, KEY_TLS };
enum key_type { KEY_P256, KEY_P384, KEY_RSA2048, KEY_RSA3072, KEY_RSA4096 };
#endif

/* "p256", "rsa2048", and for keys of others also "p521", "rsa2560", "ed25519", "other". */
struct key_text {
	char s[16];
};

#endif
