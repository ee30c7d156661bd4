/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - see account.h. */
#include "model/account.h"

DEFINE_ENUM(account_status, ACCOUNT_STATUSES)
DEFINE_ENUM(key_purpose, KEY_PURPOSES)
DEFINE_ENUM(key_type, KEY_TYPES)

void account_done(struct account *a)
{
	free(a->id);
	free(a->name);
	free(a->vendor);
	free(a->directory_url);
	free(a->email);
	free(a->url);
	free(a->key_id);
	free(a->eab_kid);
	free(a->eab_sealed);
	free(a->tos_url);
	free(a->preferred_issuer);
	free(a->reason);
	*a = (struct account){ 0 };
}

void key_row_done(struct key_row *k)
{
	free(k->id);
	free(k->type);
	free(k->public_hash);
	free(k->sealed);
	*k = (struct key_row){ 0 };
}
