/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer.h - the acme_signer on top of keys: an account key's handle, and what a registration or a key change needs beside
 * it. Filled in place by the caller, all borrowed:
 *
 *	struct acme_keys_signer signer;
 *	acme_keys_signer_init(&signer, keys, &handle);
 *	session.signer = &signer.acme;
 */
#ifndef ACME_SIGNER_H
#define ACME_SIGNER_H

#include "acme/acme.h"
#include "keys/keys.h"

struct acme_keys_signer {
	struct acme_signer acme;
	struct keys *keys;
	struct key_handle account;
	const char *eab_kid;        /* NULL = no external account binding */
	struct key_handle eab_hmac;
	const struct key_handle *new_account; /* for acme_key_change, or NULL */
};

void acme_keys_signer_init(struct acme_keys_signer *s, struct keys *k, const struct key_handle *account);

#endif
