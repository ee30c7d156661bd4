/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_live.c - the engine alone, with threads, libcurl and a live edge, against a live authority: no API, no supervisor.
 *
 *	engine_live STATE DIRECTORY-URL TRUST-PEM FEED REPORT dns-01|http-01 COUNT [NAMES-PER-ORDER [TOLD]]
 *
 * Opens STATE (made when it is not there, gone on with when it is), registers an account when there is none, places orders
 * until there are COUNT, carries all to their end, waits until of TOLD it stands there what edge was asked, and prints one line: valid,
 * failed, milliseconds, transactions, steps.
 */
#include "engine/intake.h"
#include "engine/private.h"

#include "base/file.h"
#include "base/log.h"
#include "model/vendor.h"

#include <stdio.h>
#include <unistd.h>

struct live {
	struct store *store;
	struct keys *keys;
	struct engine *engine;
	struct err err;
	char account[27];
};

static void check(int rc, struct live *l)
{
	if (rc < 0) {
		log_err(LOG_ERROR, "engine_live", &l->err);
		_exit(1);
	}
}

struct count {
	const char *sql;
	int64_t n;
};

static int count_fn(struct sql *q, void *arg, struct err *err)
{
	struct count *c = arg;

	return sql_int(q, c->sql, SQL_NONE, &c->n, err);
}

static int64_t count(struct live *l, const char *sql)
{
	struct count c = { sql, 0 };

	check(store_read(l->store, count_fn, &c, &l->err), l);
	return c.n;
}

static int account_fn(struct sql *tx, void *arg, struct err *err)
{
	return account_intake(tx, arg, err);
}

static int find_account(struct sql *q, void *arg, struct err *err)
{
	_cleanup_account_list_ struct account_list list = { 0 };
	struct page p = { .limit = 1 };

	if (store_account_list(q, &(struct account_filter){ 0 }, &p, &list, err) < 0)
		return -(int)err->code;
	snprintf(arg, 27, "%s", list.n ? list.v[0].id : "");
	return 0;
}

struct taking {
	struct order_request q;
	struct order_taken t;
};

static int order_fn(struct sql *tx, void *arg, struct err *err)
{
	struct taking *t = arg;

	return order_intake(tx, &t->q, &t->t, err);
}

static void register_account(struct live *l, const char *url)
{
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	struct account_request q = {
		.vendor = VENDOR_CUSTOM, .directory_url = url, .email = "live@example.com", .tos_agreed = true, .now_ms = clock_now(&clock_system),
	};

	check(store_read(l->store, find_account, l->account, &l->err), l);
	if (!*l->account) {
		check(account_prepare(l->keys, &q, &p, &l->err), l);
		check(store_write(l->store, account_fn, &p, &l->err), l);
		snprintf(l->account, sizeof l->account, "%s", p.account.id);
	}
	while (count(l, "SELECT COUNT(*) FROM account WHERE status = 'registering'"))
		usleep(5000);
	if (!count(l, "SELECT COUNT(*) FROM account WHERE status = 'valid'")) {
		fprintf(stderr, "the account could not be registered\n");
		_exit(1);
	}
}

static void place(struct live *l, enum validation v, int64_t i, int per_order)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	struct ulid id = ulid_new(clock_now(&clock_system));
	struct taking t = { .q = {
		.id = id.s, .account_id = l->account, .names = &names, .validation = v, .now_ms = clock_now(&clock_system),
		.dns_method = v == VALIDATION_DNS01 ? METHOD_DELEGATION : NULL,
	} };

	for (int k = 0; k < per_order; k++) {
		_cleanup_free_ char *name = xasprintf("n%" PRId64 "x%d.example.com", i, k);

		strlist_add(&names, name);
	}
	check(store_write(l->store, order_fn, &t, &l->err), l);
}

static void open_all(struct live *l, char **argv)
{
	_cleanup_free_ char *master = path_join(argv[1], "master.key"), *url = xasprintf("sqlite:%s/db", argv[1]);
	struct net_config net = { .trust = argv[3], .allow = "127.0.0.0/8" };
	struct store_options so = { .url = url };
	struct keys_options ko = { 0 };
	struct engine_options eo = { .node = "live", .feed_path = argv[4], .report_path = argv[5] };

	check(dir_make(argv[1], 0700, &l->err), l);
	if (!file_exists(master))
		check(keys_master_create(master, &l->err), l);
	strlist_add(&ko.files, master);
	check(keys_open(&ko, &l->keys, &l->err), l);
	strlist_clear(&ko.files);
	check(store_open(&so, &l->store, &l->err), l);
	check(net_policy_new(&net, &eo.policy, &l->err), l);
	eo.store = l->store;
	eo.keys = l->keys;
	check(engine_open(&eo, &l->engine, &l->err), l);
	check(engine_start(l->engine, &l->err), l);
	net_policy_unref(eo.policy);
}

static const char OWED[] = "SELECT COUNT(*) FROM debt WHERE state = 'owed'";
static const char LIVE[] = "SELECT COUNT(*) FROM feed_item WHERE live = 1 AND kind IN ('txt', 'http')";
static const char TOLD[] = "SELECT COUNT(*) FROM event WHERE text LIKE 'our %was asked for %all answered with the value'";

int main(int argc, char **argv)
{
	struct live l = { 0 };
	enum validation v = VALIDATION_DNS01;
	struct engine_status before, after;
	int64_t want, per_order = 1, told = 0, began, took;

	if (argc < 8 || !validation_parse(argv[6], &v))
		return 2;
	log_init(getenv("LIVE_DEBUG") ? LOG_DEBUG : LOG_WARNING, LOG_LOGFMT, "live");
	json_init();
	net_init();
	if (str_to_i64(argv[7], 0, 100000, &want, &l.err) < 0 || (argc > 8 && str_to_i64(argv[8], 1, 20, &per_order, &l.err) < 0) ||
	    (argc > 9 && str_to_i64(argv[9], 0, want, &told, &l.err) < 0))
		return 2;
	open_all(&l, argv);
	register_account(&l, argv[2]);
	engine_status(l.engine, &before);
	began = clock_boot(&clock_system);
	for (int64_t i = count(&l, "SELECT COUNT(*) FROM orders"); i < want; i++)
		place(&l, v, i, (int)per_order);
	while (count(&l, "SELECT COUNT(*) FROM orders WHERE ended_ms = 0 AND set_aside = 0"))
		usleep(2000);
	engine_status(l.engine, &after);
	took = clock_boot(&clock_system) - began;
	/* what is published is taken away, and what edge was asked is told, a moment later; how long that is the machine decides */
	for (int i = 0; i < 1200 && (count(&l, OWED) || count(&l, LIVE) || count(&l, TOLD) < told); i++)
		usleep(50000);
	engine_stop(l.engine, 5000);
	printf("valid %" PRId64 " failed %" PRId64 " ms %" PRId64 " transactions %" PRIu64 " steps %" PRIu64 " owed %" PRId64 " live %" PRId64 " told %" PRId64 "\n",
	       count(&l, "SELECT COUNT(*) FROM orders WHERE status = 'valid'"), count(&l, "SELECT COUNT(*) FROM orders WHERE status = 'invalid'"),
	       took, after.transactions - before.transactions, after.steps - before.steps,
	       count(&l, OWED), count(&l, LIVE), count(&l, TOLD));
	fflush(stdout);
	engine_close(l.engine);
	store_close(l.store);
	keys_close(l.keys);
	return 0;
}
