/* SPDX-License-Identifier: Apache-2.0 */
/* signer.c - acme's signer for the key and, while it registers, the EAB key of one account row. */
#include "engine/private.h"

void signer_init(struct acme_keys_signer *s, struct keys *k, const struct key_row *key, const struct account *a)
{
	struct key_handle h = { .table = "key", .id = key->id, .column = "sealed", .sealed = key->sealed, .n = key->sealed_n };

	acme_keys_signer_init(s, k, &h);
	if (!a->eab_kid || !a->eab_sealed)
		return;
	s->eab_kid = a->eab_kid;
	s->eab_hmac = (struct key_handle){
		.table = "account", .id = a->id, .column = "eab_sealed", .sealed = a->eab_sealed, .n = a->eab_sealed_n,
	};
}
