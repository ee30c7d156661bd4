/* SPDX-License-Identifier: Apache-2.0 */
/* feed_message.c - any packet on the feed: read as items and as reports, written again, applied to a table. */
#include "tests/fuzz/fuzz.h"

#include "base/log_foreign.h"
#include "edge/table.h"

static struct feed_builder b;

static void items(struct feed_packet p, const uint8_t *data, size_t n)
{
	static const struct edge_settings settings = { .hostname = { 4, "\2ns\0" }, .soa_ttl_s = 10 };
	struct table *t = table_new(&settings);
	struct err err = ERR_INIT;
	struct feed_packet whole = p;
	struct feed_item i;
	int r;

	b.version = p.h.version;
	feed_start(&b, FEED_ITEMS, p.h.start, p.h.seq);
	while ((r = feed_next_item(&p, &i, &err)) > 0) {
		HOLDS(feed_item_check(&i, &err) == 0);
		HOLDS(feed_add_item(&b, &i));
		table_apply(t, &i);
	}
	feed_finish(&b);
	if (r == 0)
		HOLDS(b.n == n && !memcmp(b.p, data, n));
	err_clear(&err);
	for (r = 1; r > 0;) { /* what was added can be removed, and then nothing is left */
		r = feed_next_item(&whole, &i, &err);
		if (r > 0) {
			i.op = FEED_REMOVE;
			table_apply(t, &i);
		}
	}
	err_clear(&err);
	HOLDS(table_nodes(t) < 200 * 128);
	table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct err err = ERR_INIT;
	struct feed_packet p, again;
	struct feed_report report;

	if (feed_open(&p, data, n, &err) < 0) {
		err_clear(&err);
		return 0;
	}
	if (p.h.type == FEED_ITEMS)
		items(p, data, n);
	if (p.h.type == FEED_HELLO) {
		uint8_t agreed;

		if (feed_agree(&p.h, &agreed, &err) == 0)
			HOLDS(agreed >= FEED_OLDEST && agreed <= FEED_NEWEST);
		err_clear(&err);
		feed_hello(&b, p.h.start, p.h.seq);
		HOLDS(feed_open(&again, b.p, b.n, &err) == 0 && again.h.version == FEED_OLDEST && again.h.newest == FEED_NEWEST &&
		      again.h.start == p.h.start && again.h.seq == p.h.seq);
	}
	if (p.h.type == FEED_LOG) {
		struct str line;

		feed_start(&b, FEED_LOG, 0, 0);
		while (feed_next_line(&p, &line, &err) > 0) {
			(void)log_foreign("edge", 1, line.p, line.n);
			HOLDS(feed_add_line(&b, line));
		}
		feed_finish(&b);
		err_clear(&err);
	}
	if (p.h.type == FEED_REPORT) {
		feed_start(&b, FEED_REPORT, 0, 0);
		while (feed_next_report(&p, &report, &err) > 0)
			HOLDS(feed_add_report(&b, &report));
		feed_finish(&b);
		err_clear(&err);
	}
	return 0;
}
