/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegation.c - our own DNS server answers for _acme-challenge.<name>, which the user's zone delegates to us by NS, or
 * leads to a name in a zone of ours by CNAME (RFC 8555 8.4; the rules of answering are edge's). The deed is rows that edge is fed with.
 */
#include "publish/publisher.h"

#define EDGE_WAIT_MS (5 * SECOND_MS)

static void items(const struct challenge_set *set, publish_item_fn *put, void *arg)
{
	put(arg, FEED_ZONE, set->zone, "", 60);
	for (size_t i = 0; i < set->values.n; i++) {
		put(arg, FEED_TXT, set->name, set->values.v[i], set->ttl_s);
		if (set->alias)
			put(arg, FEED_TXT, set->alias, set->values.v[i], set->ttl_s);
	}
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	(void)self;
	if (env->edge_wait(env->edge_arg, set->seq, EDGE_WAIT_MS, err) < 0)
		return err_wrap(err, "our own DNS server does not answer for '%s' yet", set->name);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	(void)self, (void)env, (void)set, (void)err;
	return 0; /* the rows are gone with the transaction that pays the debt */
}

extern const struct publisher publisher_delegation;
const struct publisher publisher_delegation = {
	.name = "delegation",
	.title = "Delegation",
	.help = "Delegate _acme-challenge.<name> once to this server by an NS record; it then answers every challenge by itself.",
	.kinds = KIND_DNS01,
	.way = PUBLISH_ROWS,
	.ttl_s = 1,
	.items = items,
	.publish = publish,
	.withdraw = withdraw,
};
