/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - see account.h. */
#include "model/account.h"

#include "model/vendor.h"

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
	free(a->next_key_id);
	free(a->connection);
	free(a->reason);
	*a = (struct account){ 0 };
}

char *account_default_name(const char *email, const char *vendor)
{
	return str_empty(email) ? xstrdup(vendor_title(vendor)) : xasprintf("%s --- %s", email, vendor_title(vendor));
}

bool account_may_automatically(const struct account *a)
{
	return !vendor_of(a->vendor)->costs_money || a->automatic;
}

static const char *tail(const char *s, size_t n)
{
	size_t have = strlen(s);

	return have > n ? s + have - n : s;
}

char *account_mark(const struct account *a)
{
	if (!str_empty(a->eab_kid))
		return xasprintf("key id ...%s", tail(a->eab_kid, 4));
	return str_empty(a->url) ? NULL : xasprintf("account ...%s", tail(a->url, 6));
}

void key_row_done(struct key_row *k)
{
	free(k->id);
	free(k->type);
	free(k->public_hash);
	free(k->sealed);
	*k = (struct key_row){ 0 };
}
