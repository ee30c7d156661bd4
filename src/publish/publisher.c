/* SPDX-License-Identifier: Apache-2.0 */
/* publisher.c - see publisher.h. */
#include "publish/publisher.h"

const struct publisher *publisher_find(enum validation kind, const char *method)
{
	unsigned want = kind == VALIDATION_DNS01 ? KIND_DNS01 : KIND_HTTP01;

	for (size_t i = 0; publishers[i]; i++)
		if (!publishers[i]->fields && publishers[i]->kinds & want && streq(publishers[i]->name, method))
			return publishers[i];
	return NULL;
}

const struct publisher *publisher_kind(const char *name)
{
	for (size_t i = 0; publishers[i]; i++)
		if (publishers[i]->fields && streq(publishers[i]->name, name))
			return publishers[i];
	return NULL;
}

void challenge_set_add(struct challenge_set *s, const char *value, const char *key_auth)
{
	bool known = key_auth && s->auths.n == s->values.n;

	strlist_add(&s->values, value);
	if (known)
		strlist_add(&s->auths, key_auth);
	else
		strlist_clear(&s->auths);
}

void challenge_set_done(struct challenge_set *s)
{
	strlist_clear(&s->values);
	strlist_clear(&s->auths);
}
