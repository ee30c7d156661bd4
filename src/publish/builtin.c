/* SPDX-License-Identifier: Apache-2.0 */
/* builtin.c - our own responder on port 80 answers /.well-known/acme-challenge/TOKEN (RFC 8555 8.3). The deed is rows for edge. */
#include "publish/publisher.h"

#define EDGE_WAIT_MS (5 * SECOND_MS)

static void items(const struct challenge_set *set, publish_item_fn *put, void *arg)
{
	for (size_t i = 0; i < set->values.n; i++)
		put(arg, FEED_HTTP, set->token, set->values.v[i], 0);
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	(void)self;
	if (env->edge_wait(env->edge_arg, set->seq, EDGE_WAIT_MS, err) < 0)
		return err_wrap(err, "our own HTTP responder does not answer for '%s' yet", set->name);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	(void)self, (void)env, (void)set, (void)err;
	return 0;
}

extern const struct publisher publisher_builtin;
const struct publisher publisher_builtin = {
	.name = "builtin",
	.title = "Built-in",
	.help = "Port 80 of the name leads to this server, directly or through a load balancer.",
	.kinds = KIND_HTTP01,
	.way = PUBLISH_ROWS,
	.items = items,
	.publish = publish,
	.withdraw = withdraw,
};
