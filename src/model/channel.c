/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - see channel.h. */
#include "model/channel.h"

#include "model/renewal.h"

DEFINE_ENUM(channel_kind, CHANNEL_KINDS)
DEFINE_ENUM(channel_status, CHANNEL_STATUSES)
DEFINE_ENUM(outbox_phase, OUTBOX_PHASES)
DEFINE_ENUM(outbox_state, OUTBOX_STATES)

void channel_done(struct channel *c)
{
	free(c->id);
	free(c->name);
	free(c->settings);
	strlist_clear(&c->events);
	strlist_clear(&c->vendors);
	strlist_clear(&c->tags);
	strlist_clear(&c->owners);
	free(c->search);
	free(c->sealed);
	free(c->connection);
	free(c->reason);
	*c = (struct channel){ 0 };
}

void outbox_done(struct outbox *o)
{
	free(o->id);
	free(o->channel_id);
	free(o->event);
	free(o->notice_id);
	free(o->detail);
	free(o->subject);
	*o = (struct outbox){ 0 };
}

static bool is_plain_event(const char *event)
{
	return streq(event, EVENT_ISSUED) || streq(event, EVENT_RENEWED);
}

bool notify_event_known(const char *event)
{
	enum notice_kind k;

	return is_plain_event(event) || notice_kind_parse(event, &k);
}

bool channel_wants(const struct channel *c, const char *event)
{
	return c->events.n ? strlist_has(&c->events, event) : !is_plain_event(event);
}

bool channel_narrow(const struct channel *c)
{
	return c->vendors.n || c->tags.n || c->owners.n || c->search;
}

bool channel_about(const struct channel *c, const char *vendor, const struct strlist *tags, const char *owner)
{
	bool tagged = !c->tags.n;

	for (size_t i = 0; i < tags->n && !tagged; i++)
		tagged = strlist_has(&c->tags, tags->v[i]);
	return tagged && (!c->vendors.n || (vendor && strlist_has(&c->vendors, vendor))) &&
	       (!c->owners.n || (owner && strlist_has(&c->owners, owner)));
}
