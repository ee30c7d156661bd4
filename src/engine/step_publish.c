/* SPDX-License-Identifier: Apache-2.0 */
/* step_publish.c - what the CA is to find is published: as rows of ours, by a person, or at a provider, one zone at a time. */
#include "engine/private.h"

#include "base/crash.h"

static int last_seq(struct sql *q, void *arg, struct err *err)
{
	int64_t seq = 0;

	if (store_feed_item_last_seq(q, &seq, err) < 0)
		return -(int)err->code;
	*(uint64_t *)arg = (uint64_t)seq;
	return 0;
}

static int env_wait(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err)
{
	struct engine *e = arg;

	if (e->o.edge_wait)
		return e->o.edge_wait(e->o.edge_arg, seq, timeout_ms, err);
	return engine_edge_wait(e, seq, timeout_ms, err);
}

/* Built in: no instance, nothing to open. */
static int call_publisher(struct run *r, const struct publisher *p, const struct challenge_set *set, struct err *err)
{
	struct publish_env env = { .http = r->w->http, .clock = r->e->clock, .edge_wait = env_wait, .edge_arg = r->e,
				   .run_program = r->e->o.run_program, .program_arg = r->e->o.program_arg };

	return p->publish(NULL, &env, set, err);
}

const char *record_place(const struct record *rec)
{
	return rec->alias && method_way(rec->kind, rec->method) == PUBLISH_REMOTE ? rec->alias : rec->domain;
}

/* Goes to the same place at once: rows are one act, at a provider one owner name is. */
static bool together(const struct record *rec, const struct record *first)
{
	if (method_way(first->kind, first->method) == PUBLISH_ROWS)
		return method_way(rec->kind, rec->method) == PUBLISH_ROWS;
	/* http-01: an order that was made anew has another token for the host */
	return streq(rec->domain, first->domain) && streq(rec->method, first->method) &&
	       (!first->token || (rec->token && streq(rec->token, first->token)));
}

static void gather(struct run *r, struct record *first, struct challenge_set *ret)
{
	*ret = (struct challenge_set){
		.kind = first->kind, .zone = first->zone ? first->zone : "", .name = record_place(first), .token = first->token,
		.ttl_s = first->ttl, .seq = r->seq,
	};
	for (size_t i = 0; i < r->records.n; i++)
		if (together(&r->records.v[i], first) && r->records.v[i].status != RECORD_WITHDRAWN)
			challenge_set_add(ret, r->records.v[i].value, r->records.v[i].key_auth);
}

static void published(struct run *r, const struct record *first, const char *receipt)
{
	int64_t now = engine_now(r->e);

	for (size_t i = 0; i < r->records.n; i++) {
		struct record *rec = &r->records.v[i];

		if (rec->published_ms || rec->status == RECORD_WITHDRAWN || !together(rec, first))
			continue;
		rec->published_ms = now;
		replace_str(&rec->receipt, receipt);
		if (method_way(rec->kind, rec->method) == PUBLISH_ROWS) {
			rec->status = RECORD_READY;
			rec->ready_ms = now;
		}
		record_changed(r, rec, 0);
	}
}

/* After one place: the next, or looking whether all is seen. */
static int publish_next(struct run *r, struct verdict *v, bool keep)
{
	bool look = false;

	if (run_unpublished(r))
		return verdict_go(v, r, STEP_PUBLISH, keep);
	for (size_t i = 0; i < r->authz.n; i++) {
		struct record *rec = run_needs(r, &r->authz.v[i]) ? run_record(r, &r->authz.v[i], NULL) : NULL;

		look |= rec && rec->status == RECORD_NOT_READY;
	}
	return verdict_go(v, r, look ? STEP_PROPAGATE : STEP_ACCEPT, keep);
}

/* Looked at again soon; the order says why. */
static int publish_later(struct run *r, struct verdict *v, int64_t span_ms, const struct err *why)
{
	free(r->o.reason);
	r->o.reason = err_to_json_text(why);
	r->dirty = true;
	return verdict_wait(v, r, span_ms);
}

struct crowd {
	struct run *r;
	const struct record *rec; /* a name whose values are too many, or NULL */
	int64_t before;
};

static int crowded(struct sql *q, void *arg, struct err *err)
{
	struct crowd *c = arg;
	int64_t n;

	c->rec = NULL;
	for (size_t i = 0; i < c->r->records.n; i++) {
		const struct record *rec = &c->r->records.v[i];

		if (rec->kind != VALIDATION_DNS01 || rec->published_ms || method_way(rec->kind, rec->method) != PUBLISH_ROWS)
			continue;
		if (store_feed_item_before(q, EDGE_TXT, rec->domain, rec->value, &n, err) < 0)
			return -(int)err->code;
		if (n < LIMIT_TXT_VALUES)
			continue;
		c->rec = rec;
		c->before = n;
	}
	return 0;
}

/* Told to look now, the authority would not find it: an answer holds so many values and no more. */
static int too_many_values(struct run *r, struct err *why, struct err *err)
{
	struct crowd c = { .r = r };

	if (r->o.validation != VALIDATION_DNS01)
		return 0;
	if (engine_read(r->e, crowded, &c, err) < 0)
		return -(int)err->code;
	if (!c.rec)
		return 0;
	err_set(why, ERR_BUSY, "%" PRId64 " values of other orders are at '%s' already; %d fit into one answer", c.before, c.rec->domain,
		LIMIT_TXT_VALUES);
	err_hint(why, "It goes on by itself when some of those orders are over.");
	return 1;
}

static int publish_rows(struct run *r, const struct publisher *p, struct record *rec, struct verdict *v, struct err *err)
{
	_cleanup_challenge_set_ struct challenge_set set = { 0 };
	_cleanup_err_ struct err why = { 0 };

	if (!r->seq && engine_read(r->e, last_seq, &r->seq, err) < 0)
		return -(int)err->code;
	switch (too_many_values(r, &why, err)) {
	case 0:
		break;
	case 1:
		return publish_later(r, v, MINUTE_MS, &why);
	default:
		return -(int)err->code;
	}
	gather(r, rec, &set);
	if (call_publisher(r, p, &set, &why) < 0) {
		if (why.code != ERR_TIMEOUT)
			return err_move(err, &why);
		/* edge is away: the supervisor brings it back */
		return publish_later(r, v, poll_clock(r->e, r->o.polls + 2), &why);
	}
	published(r, rec, NULL);
	run_event(r, EVENT_INFO, NULL, "published by Certwright itself and answered by all listeners");
	return publish_next(r, v, true);
}

/* What the provider said, as what the order makes of it (publish/publisher.h): it waits for a person rather than to end. */
static int provider_trouble(struct run *r, const struct provider *row, const struct record *rec, struct err *why, struct err *err)
{
	const struct publisher *pub = publisher_kind(row->kind);
	_cleanup_free_ char *text = err_text(why);

	if (why->code == ERR_REMOTE_LIMIT && why->retry_at_ms)
		run_park(r, lane_provider(row->id, rec->zone), why->retry_at_ms, why);
	switch ((int)why->code) {
	case ERR_UNAUTHENTICATED:
		replace_str(&r->refused, row->id);
		err_clear(&r->refused_why);
		err_copy(&r->refused_why, why);
		err_set(err, ERR_NEEDS_PERSON, "%s", text);
		err_remote(err, why->remote_type, why->remote);
		return err_hint(err, "Give provider '%s' a credential that is good, with Test and save; the order then goes on by itself.", row->name);
	case ERR_DENIED:
		err_set(err, ERR_NEEDS_PERSON, "%s", text);
		err_remote(err, why->remote_type, why->remote);
		return err_hint(err, "What the credential of '%s' needs: %s", row->name, pub ? pub->rights : "the right to write this zone");
	case ERR_NOT_FOUND:
	case ERR_INVALID:
	case ERR_REMOTE_REFUSED:
	case ERR_CONFLICT:
	case ERR_TOO_LARGE:
		err_set(err, ERR_NEEDS_PERSON, "%s", text);
		err_remote(err, why->remote_type, why->remote);
		return why->hint ? err_hint(err, "%s", why->hint) : -(int)err->code;
	default:
		return err_move(err, why);
	}
}

/* The zone is found and stored, with the debt, before anything is written into it. */
static int find_zone(struct run *r, struct provider_use *u, struct record *rec, struct err *err)
{
	char *zone = NULL;

	if (u->pub->find_zone(u->self, &u->env, record_place(rec), &zone, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->records.n; i++)
		if (together(&r->records.v[i], rec)) {
			replace_str(&r->records.v[i].zone, zone);
			record_changed(r, &r->records.v[i], ROW_ZONE);
		}
	free(zone);
	return 0;
}

/* One outward act: finding the zone, or writing the whole set that this order adds at one name of it. */
static int publish_remote(struct run *r, struct record *rec, struct verdict *v, struct err *err)
{
	const struct provider *row = run_provider(r, rec->method);
	_cleanup_provider_use_ struct provider_use u = { 0 };
	_cleanup_challenge_set_ struct challenge_set set = { 0 };
	_cleanup_err_ struct err why = { 0 };
	_cleanup_free_ char *receipt = NULL;

	if (row->status == PROVIDER_REFUSED) {
		err_set(err, ERR_NEEDS_PERSON, "provider '%s' does not accept its credential; what uses it waits", row->name);
		return err_hint(err, "Give it a good one with Test and save; the order then goes on by itself.");
	}
	if (provider_use_open(r->e, r->w, row, &u, &why) < 0)
		return provider_trouble(r, row, rec, &why, err);
	if (u.pub->find_zone && !rec->zone) {
		if (find_zone(r, &u, rec, &why) < 0) {
			err_wrap(&why, "could not find the zone of '%s' at provider '%s'", record_place(rec), row->name);
			return provider_trouble(r, row, rec, &why, err);
		}
		return verdict_go(v, r, STEP_PUBLISH, false);
	}
	gather(r, rec, &set);
	u.env.receipt = u.pub->settled ? &receipt : NULL;
	r->published_now = true;
	if (u.pub->publish(u.self, &u.env, &set, &why) < 0) {
		err_wrap(&why, "could not publish '%s' at provider '%s'", record_place(rec), row->name);
		return provider_trouble(r, row, rec, &why, err);
	}
	CRASH_POINT_OF("published", validation_text(rec->kind), r->o.names.v[0]);
	published(r, rec, receipt);
	if (rec->alias)
		run_event(r, EVENT_INFO, NULL, "published '%s', to which '%s' leads, at %s (%s)", rec->alias, rec->domain, row->name, u.pub->title);
	else
		run_event(r, EVENT_INFO, NULL, "published '%s' at %s (%s)", rec->domain, row->name, u.pub->title);
	return publish_next(r, v, false);
}

int step_publish(struct run *r, struct verdict *v, struct err *err)
{
	struct record *rec = run_unpublished(r);
	const struct publisher *p = rec ? run_publisher(r, rec->method) : NULL;

	if (!rec)
		return publish_next(r, v, true);
	if (!p)
		return err_set(err, ERR_NEEDS_PERSON, "nothing is known about publishing by '%s'", rec->method);
	switch (p->way) {
	case PUBLISH_ROWS:
		return publish_rows(r, p, rec, v, err);
	case PUBLISH_REMOTE:
		return publish_remote(r, rec, v, err);
	case PUBLISH_PERSON:
		published(r, rec, NULL);
		r->person_told = true;
		run_event(r, EVENT_INFO, NULL, "waits for you: publish the record of '%s'", rec->domain);
		return publish_next(r, v, run_unpublished(r) != NULL);
	}
	abort();
}
