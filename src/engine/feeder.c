/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feeder.c - the engine's side of the feed: rows of feed_item as edge's table, and what edge was asked as events beside the
 * orders ("the authority asked 3 times from 2 networks, all answered").
 */
#include "engine/private.h"

#include "base/addr.h"
#include "base/log.h"

/* ---- what edge answers with ---- */

struct feed_read {
	int64_t after;
	bool live_only;
	struct edge_item_list items;
	int64_t last;
};

static int read_items(struct sql *q, void *arg, struct err *err)
{
	struct feed_read *f = arg;

	/* the number first: every row up to it is committed, and so is in the list */
	if (store_feed_item_last_seq(q, &f->last, err) < 0)
		return -(int)err->code;
	return store_feed_item_list(q, f->after, f->live_only, 0, &f->items, err);
}

static enum feed_kind kind_of(enum edge_kind k)
{
	switch (k) {
	case EDGE_ZONE:
		return FEED_ZONE;
	case EDGE_NAME:
		return FEED_NAME;
	case EDGE_TXT:
		return FEED_TXT;
	case EDGE_HTTP:
		return FEED_HTTP;
	}
	abort();
}

static int put_items(struct engine *e, struct feed_read *f, struct feed_sink *s, uint64_t *ret_seq, struct err *err)
{
	if (engine_read(e, read_items, f, err) < 0) {
		edge_item_list_done(&f->items);
		return -(int)err->code;
	}
	for (size_t i = 0; i < f->items.n; i++) {
		const struct edge_item *row = &f->items.v[i];
		struct feed_item item = {
			.op = row->live ? FEED_ADD : FEED_REMOVE, .kind = kind_of(row->kind), .id = (uint64_t)row->id,
			.ttl_s = (uint32_t)row->ttl, .name = STR(row->name), .value = STR(row->value),
		};

		feed_put(s, &item);
	}
	*ret_seq = (uint64_t)f->last;
	edge_item_list_done(&f->items);
	return 0;
}

static int full(void *arg, struct feed_sink *s, uint64_t *ret_seq, struct err *err)
{
	struct feed_read f = { .live_only = true };

	return put_items(arg, &f, s, ret_seq, err);
}

static int after(void *arg, uint64_t seq, struct feed_sink *s, uint64_t *ret_seq, struct err *err)
{
	struct feed_read f = { .after = (int64_t)seq };

	return put_items(arg, &f, s, ret_seq, err);
}

/* ---- what edge was asked ---- */

#define FOLDS_MAX 256
#define NETWORKS_MAX 16
#define FOLD_AGE_MS 2000
#define ASKED_EVERY_MS 3000

struct report_fold {
	bool http;
	char name[FEED_NAME_MAX + 1]; /* owner name, or token */
	uint8_t networks[NETWORKS_MAX][16];
	uint8_t families[NETWORKS_MAX];
	size_t n_networks;
	char *host; /* http: the first Host asked for, made safe to show */
	uint64_t asked, answered, tcp;
	int64_t first_ms, last_ms;
	struct report_fold *next;
};

static struct report_fold *fold_get(struct engine *e, bool http, struct str name)
{
	struct report_fold *f;
	size_t n = 0;

	for (f = e->folds; f; f = f->next, n++)
		if (f->http == http && str_is(name, f->name))
			return f;
	if (n >= FOLDS_MAX || name.n > FEED_NAME_MAX)
		return NULL;
	f = xcalloc(1, sizeof *f);
	f->http = http;
	memcpy(f->name, name.p, name.n);
	f->next = e->folds;
	e->folds = f;
	return f;
}

static void report(void *arg, const struct feed_report *r)
{
	struct engine *e = arg;
	bool http = r->transport == FEED_HTTP01, known = false;
	struct report_fold *f;
	bool asked;

	pthread_mutex_lock(&e->lock);
	asked = asked_note(e, r);
	/* beside an order TXT only: the rest is resolvers finding their way */
	f = http || r->qtype == 16 ? fold_get(e, http, r->name) : NULL;
	if (f) {
		f->asked += r->count;
		if (r->answers)
			f->answered += r->count;
		if (r->transport == FEED_TCP)
			f->tcp += r->count;
		for (size_t i = 0; i < f->n_networks && !known; i++)
			known = f->families[i] == r->family && !memcmp(f->networks[i], r->source, 16);
		if (!known && f->n_networks < NETWORKS_MAX) {
			f->families[f->n_networks] = r->family;
			memcpy(f->networks[f->n_networks++], r->source, 16);
		}
		if (!f->host && r->host.n)
			f->host = str_clean(r->host.p, r->host.n, 100);
		f->first_ms = f->first_ms ? MIN(f->first_ms, r->first_ms) : r->first_ms;
		f->last_ms = MAX(f->last_ms, r->last_ms);
	}
	pthread_mutex_unlock(&e->lock);
	if (f || asked)
		wake_up(&e->wake);
}

struct told {
	struct engine *e;
	struct report_fold *folds;
	struct event_list events;
};

static bool recent(const struct record *r, const struct report_fold *f)
{
	if (r->created_ms > f->last_ms + SECOND_MS || (r->withdrawn_ms && r->withdrawn_ms + 30 * SECOND_MS < f->first_ms))
		return false;
	return !f->http || (r->token && streq(r->token, f->name));
}

static int candidates(struct sql *q, const struct report_fold *f, struct record_list *ret, struct err *err)
{
	struct page page = { .limit = 50 };
	_cleanup_record_ struct record r = { 0 };

	if (!f->http)
		return store_record_list(q, &(struct record_filter){ .domain = f->name }, &page, ret, err);
	if (store_record_find_token(q, f->name, &r, err) == 0)
		*record_list_add(ret) = TAKE(r);
	else if (err->code == ERR_NOT_FOUND)
		err_clear(err);
	return err_is(err) ? -(int)err->code : 0;
}

#define NETWORKS_NAMED 4

/* "192.0.2.0/24, 2001:db8::/56 and 3 more" */
static void add_networks(struct buf *b, const struct report_fold *f)
{
	for (size_t i = 0; i < MIN(f->n_networks, NETWORKS_NAMED); i++) {
		union addr a = { 0 };
		char text[ADDR_TEXT];

		a.sa.sa_family = f->families[i] == 4 ? AF_INET : AF_INET6;
		if (f->families[i] == 4)
			memcpy(&a.in.sin_addr, f->networks[i], 4);
		else
			memcpy(&a.in6.sin6_addr, f->networks[i], 16);
		buf_addf(b, "%s%s/%d", i ? ", " : "", addr_format_ip(&a, text), f->families[i] == 4 ? 24 : 56);
	}
	if (f->n_networks > NETWORKS_NAMED)
		buf_addf(b, " and %zu more", f->n_networks - NETWORKS_NAMED);
}

static char *fold_text(const struct report_fold *f, const char *domain)
{
	_cleanup_buf_ struct buf b = BUF_MAX(1024);

	buf_addf(&b, "%s was asked for '%s' %" PRIu64 " time%s from ", f->http ? "our HTTP responder" : "our DNS server", domain, f->asked,
		 f->asked == 1 ? "" : "s");
	add_networks(&b, f);
	if (f->tcp)
		buf_addf(&b, " (%" PRIu64 " by TCP)", f->tcp);
	if (f->host)
		buf_addf(&b, " as host '%s'", f->host);
	buf_addf(&b, ", %s", f->answered == f->asked ? "all answered with the value" :
			     f->answered ? "some answered with the value" : "none answered with the value");
	return buf_take(&b);
}

static int match(struct sql *q, void *arg, struct err *err)
{
	struct told *t = arg;

	event_list_done(&t->events);
	for (const struct report_fold *f = t->folds; f; f = f->next) {
		_cleanup_record_list_ struct record_list l = { 0 };

		if (candidates(q, f, &l, err) < 0)
			return -(int)err->code;
		for (size_t i = 0; i < l.n; i++) {
			struct event *ev;

			if (!recent(&l.v[i], f))
				continue;
			ev = event_list_add(&t->events);
			*ev = (struct event){
				.id = xstrdup(ulid_new(f->last_ms).s), .subject_kind = xstrdup("order"), .subject_id = xstrdup(l.v[i].order_id),
				.at_ms = f->last_ms, .level = EVENT_INFO,
				.text = fold_text(f, l.v[i].domain),
			};
			break;
		}
	}
	return 0;
}

static int tell(struct sql *tx, void *arg, struct err *err)
{
	struct told *t = arg;

	for (size_t i = 0; i < t->events.n; i++)
		if (store_event_add(tx, &t->events.v[i], err) < 0)
			return -(int)err->code;
	return 0;
}

/* Called by the dispatcher: writes what has been folded for a while, at the end all. Returns when the next is ripe, INT64_MAX = nothing. */
int64_t feeder_tell(struct engine *e, bool all)
{
	_cleanup_err_ struct err err = { 0 };
	struct told t = { .e = e };
	struct report_fold **at;
	int64_t now = engine_now(e), next = INT64_MAX, boot = clock_boot(e->clock);

	if (all || boot - e->asked_boot_ms >= ASKED_EVERY_MS) {
		asked_tell(e);
		e->asked_boot_ms = boot;
	} else if (e->asked) {
		next = now + ASKED_EVERY_MS - (boot - e->asked_boot_ms);
	}
	pthread_mutex_lock(&e->lock);
	for (at = &e->folds; *at;) {
		struct report_fold *f = *at;

		if (!all && f->first_ms + FOLD_AGE_MS > now && f->first_ms <= now) {
			next = MIN(next, f->first_ms + FOLD_AGE_MS);
			at = &f->next;
			continue;
		}
		*at = f->next;
		f->next = t.folds;
		t.folds = f;
	}
	pthread_mutex_unlock(&e->lock);
	if (t.folds && engine_read(e, match, &t, &err) == 0 && t.events.n && engine_write(e, tell, &t, &err) < 0)
		log_err(LOG_DEBUG, "could not note what edge was asked", &err);
	while (t.folds) {
		struct report_fold *f = t.folds;

		t.folds = f->next;
		free(f->host);
		free(f);
	}
	event_list_done(&t.events);
	return next;
}

/* ---- */

int feeder_open(struct engine *e, struct err *err)
{
	struct feed_source source = { .arg = e, .full = full, .after = after, .report = report };

	return feed_core_open(&e->feed, e->o.feed_path, e->o.report_path, &source, err);
}

void feeder_close(struct engine *e)
{
	feed_core_close(e->feed);
	e->feed = NULL;
	asked_free(e->asked);
	e->asked = NULL;
	while (e->folds) {
		struct report_fold *f = e->folds;

		e->folds = f->next;
		free(f->host);
		free(f);
	}
}

int engine_edge_wait(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err)
{
	struct engine *e = arg;

	if (e->o.edge_wait)
		return e->o.edge_wait(e->o.edge_arg, seq, timeout_ms, err);
	if (!e->feed)
		return err_set(err, ERR_NEEDS_PERSON, "this server offers neither DNS nor HTTP-01");
	return feed_core_wait(e->feed, seq, timeout_ms, err);
}
