/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c - what the store does in a second: order steps by 1, 8 and 32 threads, claims, and pages among many rows.
 *
 *	build/bench/bench_store sqlite:/var/tmp/bench.db [rows]
 *
 * Prints, judges nothing. The database must be new.
 */
#include "base/limits.h"
#include "base/str.h"
#include "store/lane.h"
#include "store/order.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define RUN_MS 2000

static struct store *store;
static char *account;
static _Atomic int64_t done;
static _Atomic bool stop;

static void die(struct err *err)
{
	_cleanup_free_ char *text = err_text(err);

	fprintf(stderr, "%s\n", text);
	exit(1);
}

static void write_or_die(sql_tx_fn *fn, void *arg)
{
	struct err err = ERR_INIT;

	if (store_write(store, fn, arg, &err) < 0)
		die(&err);
}

static double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return 1e6 * (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int parents_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	if (sql_exec(tx, "INSERT INTO key (id, purpose, type, public_hash, created_ms) VALUES ($1, 'account', 'p256', $1, 1)",
		     SQL_VALUES(SQL_TEXT(account)), NULL, err) < 0)
		return -(int)err->code;
	return sql_exec(tx,
			"INSERT INTO account (id, num, name, vendor, directory_url, email, status, key_id, created_ms, updated_ms)"
			" VALUES ($1, 1, 'a', 'custom', 'u', 'e', 'valid', $1, 1, 1)",
			SQL_VALUES(SQL_TEXT(account)), NULL, err);
}

static struct order new_order(int64_t i)
{
	struct order o = { .step = STEP_CREATE, .created_ms = i, .step_since_ms = i, .due_ms = 1 };

	o.id = xstrdup(ulid_new(1000).s);
	o.account_id = xstrdup(account);
	o.names_hash = xasprintf("n%" PRId64, i);
	o.request_hash = xasprintf("r%" PRId64, i);
	o.turn_hash = xasprintf("t%" PRId64, i);
	o.key_type = xstrdup("p256");
	o.lane = xasprintf("lane%" PRId64, i % 8);
	strlist_add(&o.names, o.names_hash);
	return o;
}

struct batch {
	int64_t from, n;
};

static int add_fn(struct sql *tx, void *arg, struct err *err)
{
	struct batch *b = arg;

	for (int64_t i = b->from; i < b->from + b->n; i++) {
		_cleanup_order_ struct order o = new_order(i);

		if (store_order_add(tx, &o, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static int claim_fn(struct sql *tx, void *arg, struct err *err)
{
	void **args = arg;

	return store_claim(tx, args[0], args[1], err);
}

static int put_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_order_put(tx, arg, LEASE_KEEP, 2000, err);
}

static void claim(int max, const char *lane, struct claimed *ret)
{
	struct claim_lane lanes[] = { { lane, max } };
	struct claim c = { .lanes = lanes, .n_lanes = 1, .max = max, .owner = "bench/1", .now_ms = 1000, .lease_until_ms = 900000 };
	void *args[] = { &c, ret };

	write_or_die(claim_fn, args);
}

static void *stepper(void *arg)
{
	_cleanup_claimed_ struct claimed got = { 0 };
	char lane[16];

	snprintf(lane, sizeof lane, "lane%d", *(int *)arg % 8);
	claim(1, lane, &got);
	if (!got.orders.n)
		return NULL;
	got.orders.v[0].lease_until_ms = 900000;
	while (!atomic_load(&stop)) {
		write_or_die(put_fn, &got.orders.v[0]);
		atomic_fetch_add(&done, 1);
	}
	return NULL;
}

static void steps(int threads)
{
	pthread_t t[64];
	int who[64];
	struct store_health a, b;
	double cpu;
	int64_t n;

	atomic_store(&stop, false);
	atomic_store(&done, 0);
	store_health(store, &a);
	cpu = cpu_us();
	for (int i = 0; i < threads; i++) {
		who[i] = i;
		pthread_create(&t[i], NULL, stepper, &who[i]);
	}
	usleep(RUN_MS * 1000);
	atomic_store(&stop, true);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	store_health(store, &b);
	n = atomic_load(&done);
	printf("order steps, %2d threads: %7.0f/s, %5.1f us CPU each, %.1f in a commit\n", threads, (double)n * 1000 / RUN_MS,
	       (cpu_us() - cpu) / (double)n, (double)(b.writes - a.writes) / (double)MAX(b.commits - a.commits, 1u));
}

static void claims(int max)
{
	int64_t from = clock_boot(&clock_system), n = 0, calls = 0;
	double cpu = cpu_us();

	for (; calls < 2000; calls++) {
		_cleanup_claimed_ struct claimed got = { 0 };
		char lane[16];

		snprintf(lane, sizeof lane, "lane%d", (int)(calls % 8));
		claim(max, lane, &got);
		n += (int64_t)got.orders.n;
	}
	from = MAX(clock_boot(&clock_system) - from, 1);
	printf("claims of %2d: %7.0f calls/s, %.1f us CPU each, %.0f rows/s\n", max, (double)calls * 1000 / (double)from,
	       (cpu_us() - cpu) / (double)calls, (double)n * 1000 / (double)from);
}

static int page_fn(struct sql *q, void *arg, struct err *err)
{
	_cleanup_order_list_ struct order_list l = { 0 };
	struct page p = { .limit = 50, .started = true, .after_key = *(int64_t *)arg, .after_id = "" };

	return store_order_list(q, ORDERS_BY_STATUS, "pending", &p, &l, err);
}

static int nothing_fn(struct sql *q, UNUSED void *arg, struct err *err)
{
	_cleanup_order_list_ struct order_list l = { 0 };
	struct page p = { .limit = 50 };

	return store_order_list(q, ORDERS_BY_STATUS, "valid", &p, &l, err);
}

static int loads_fn(struct sql *q, UNUSED void *arg, struct err *err)
{
	_cleanup_lane_load_list_ struct lane_load_list l = { 0 };

	return store_lane_loads(q, 5, &l, err);
}

static void reads(const char *what, sql_tx_fn *fn, int64_t rows)
{
	int64_t from = clock_boot(&clock_system);
	struct err err = ERR_INIT;

	for (int i = 0; i < 500; i++) {
		int64_t at = rows * i / 500;

		if (store_read(store, fn, &at, &err) < 0)
			die(&err);
	}
	printf("%s: %.2f ms\n", what, (double)(clock_boot(&clock_system) - from) / 500);
}

static int lanes_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	for (int i = 0; i < 8; i++) {
		char lane[16];

		snprintf(lane, sizeof lane, "lane%d", i);
		if (store_lane_ensure(tx, lane, 8, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int64_t rows = 20000;

	if (argc < 2 || (argc > 2 && str_to_i64(argv[2], 1000, 10000000, &rows, &err) < 0)) {
		fprintf(stderr, "usage: bench_store URL [ROWS]\n");
		return 2;
	}
	if (store_open(&(struct store_options){ .url = argv[1] }, &store, &err) < 0)
		die(&err);
	account = xstrdup(ulid_new(1).s);
	write_or_die(parents_fn, NULL);
	write_or_die(lanes_fn, NULL);
	for (int64_t i = 0; i < rows; i += 1000)
		write_or_die(add_fn, &(struct batch){ i, 1000 });
	printf("%" PRId64 " orders\n", rows);
	steps(1);
	steps(8);
	steps(32);
	reads("what is due, 8 lanes", loads_fn, rows);
	claims(1);
	claims(8);
	reads("page of 50 somewhere", page_fn, rows);
	reads("page without a match", nothing_fn, rows);
	store_close(store);
	free(account);
	return 0;
}
