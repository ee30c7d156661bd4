/* SPDX-License-Identifier: Apache-2.0 */
/* store_kept.c - the counts that are kept say what is counted, whoever writes at the same time; a wrong one is found and mended. */
#include "tests/contract/store_rig.h"

#include "store/account.h"
#include "store/certificate.h"
#include "store/expiry.h"
#include "store/kept.h"

#include <pthread.h>

static void mend(struct rig *rig, size_t rows)
{
	struct kept_mended m;

	ASSERT_OK(store_kept_mend(rig->store, &m, &rig->err), &rig->err);
	if (m.rows != rows)
		print_message("%s\n", m.first);
	ASSERT_INT(m.rows, rows);
}

static struct certificate a_certificate(struct rig *rig, int64_t not_after_ms, bool managed)
{
	return (struct certificate){
		.id = xstrdup(ulid_new(5000).s), .source = xstrdup("imported"), .names_hash = xstrdup("h"), .account_id = xstrdup(rig->account_id),
		.validation = xstrdup(""), .key_policy = xstrdup("new"), .key_type = xstrdup("p256"), .managed = managed,
		.status = CERTIFICATE_ACTIVE, .not_before_ms = 1, .not_after_ms = not_after_ms, .created_ms = 1,
	};
}

static int add_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_certificate_add(tx, arg, err);
}

static int put_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_certificate_put(tx, arg, 0, err);
}

static int delete_fn(struct sql *tx, void *arg, struct err *err)
{
	const struct certificate *c = arg;

	return store_certificate_delete(tx, c->id, 10, err);
}

static int issue_fn(struct sql *tx, void *arg, struct err *err)
{
	const struct certificate *c = arg;
	_cleanup_version_ struct version v = {
		.id = xstrdup(ulid_new(6000).s), .certificate_id = xstrdup(c->id), .state = VERSION_CURRENT, .serial = xstrdup("1"),
		.subject = xstrdup("CN=x"), .issuer = xstrdup("CN=ca"), .fingerprint = xstrdup("f"), .public_hash = xstrdup("p"),
		.key_type = xstrdup("p256"), .not_before_ms = 1, .not_after_ms = 500 * HOUR_MS, .chain = xstrdup(""), .created_ms = 7,
	};

	return store_version_add(tx, &v, err);
}

struct counted {
	int64_t from_ms, to_ms, n, unmanaged;
	struct certificate_counts all;
};

static int counted_fn(struct sql *q, void *arg, struct err *err)
{
	struct counted *c = arg;

	if (store_certificate_counts(q, 1, &c->all, err) < 0)
		return -(int)err->code;
	return store_expiry_count(q, c->from_ms, c->to_ms, &c->n, &c->unmanaged, err);
}

static void expire(struct rig *rig, int64_t from_ms, int64_t to_ms, int64_t n, int64_t unmanaged)
{
	struct counted c = { .from_ms = from_ms, .to_ms = to_ms };

	READ(rig, counted_fn, &c);
	ASSERT_INT(c.n, n);
	ASSERT_INT(c.unmanaged, unmanaged);
}

static void all(struct rig *rig, int64_t n, int64_t managed, int64_t revoked)
{
	struct counted c = { 0 };

	READ(rig, counted_fn, &c);
	ASSERT_INT(c.all.all, n);
	ASSERT_INT(c.all.managed, managed);
	ASSERT_INT(c.all.revoked, revoked);
}

static void every_change_of_a_certificate_is_counted(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct certificate c[] = { a_certificate(rig, 100 * HOUR_MS, true), a_certificate(rig, 100 * HOUR_MS + 1, false),
				   a_certificate(rig, 101 * HOUR_MS - 1, false) };

	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		WRITE(rig, add_fn, &c[i]);
	all(rig, 3, 1, 0);
	mend(rig, 0);
	expire(rig, 100 * HOUR_MS, 101 * HOUR_MS, 3, 2);
	expire(rig, 100 * HOUR_MS + 1, 101 * HOUR_MS, 2, 2); /* a part of an hour is counted, not read */
	expire(rig, 99 * HOUR_MS + 5, 100 * HOUR_MS + 1, 1, 0);
	expire(rig, 100 * HOUR_MS + 1, 101 * HOUR_MS - 1, 1, 1);
	expire(rig, 0, INT64_MAX, 3, 2);
	expire(rig, 101 * HOUR_MS, INT64_MAX, 0, 0);

	c[1].managed = true;
	c[1].status = CERTIFICATE_REVOKED;
	c[1].not_after_ms = 300 * HOUR_MS;
	WRITE(rig, put_fn, &c[1]);
	all(rig, 3, 2, 1);
	expire(rig, 300 * HOUR_MS, 301 * HOUR_MS, 1, 0);
	WRITE(rig, issue_fn, &c[0]);
	expire(rig, 500 * HOUR_MS, 501 * HOUR_MS, 1, 0);
	expire(rig, 0, 200 * HOUR_MS, 1, 1);
	WRITE(rig, delete_fn, &c[2]);
	all(rig, 2, 2, 1);
	c[2].managed = true;
	ASSERT_FAILS(store_write(rig->store, put_fn, &c[2], &rig->err), &rig->err, ERR_NOT_FOUND);
	all(rig, 2, 2, 1);
	mend(rig, 0);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM kept WHERE what = 'expiry' AND n = 0"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		certificate_done(&c[i]);
}

/* ---- orders ---- */

struct order_work {
	const char *id;
	enum order_status status;
};

static int order_put_fn(struct sql *tx, void *arg, struct err *err)
{
	const struct order_work *w = arg;
	_cleanup_order_ struct order o = { 0 };

	if (store_order_get_any(tx, w->id, &o, err) < 0)
		return -(int)err->code;
	o.status = w->status;
	return store_order_put(tx, &o, LEASE_END, 9, err);
}

static int order_delete_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_order_delete(tx, arg, 11, err);
}

static int account_delete_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_account_delete(tx, arg, 12, err);
}

struct order_counts {
	int64_t n[order_status_count];
};

static int order_counts_fn(struct sql *q, void *arg, struct err *err)
{
	struct order_counts *c = arg;

	for (unsigned i = 0; i < order_status_count; i++)
		if (store_order_count(q, (enum order_status)i, &c->n[i], err) < 0)
			return -(int)err->code;
	return 0;
}

static void orders_are(struct rig *rig, int64_t pending, int64_t ready, int64_t valid)
{
	struct order_counts c;

	READ(rig, order_counts_fn, &c);
	ASSERT_INT(c.n[ORDER_PENDING], pending);
	ASSERT_INT(c.n[ORDER_READY], ready);
	ASSERT_INT(c.n[ORDER_VALID], valid);
}

static void every_change_of_an_order_is_counted(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order a = rig_order(rig, 1, "q", 1), b = rig_order(rig, 2, "q", 1);

	rig_add_order(rig, &a);
	rig_add_order(rig, &b);
	orders_are(rig, 2, 0, 0);
	WRITE(rig, order_put_fn, &((struct order_work){ a.id, ORDER_READY }));
	WRITE(rig, order_put_fn, &((struct order_work){ a.id, ORDER_READY }));
	orders_are(rig, 1, 1, 0);
	WRITE(rig, order_put_fn, &((struct order_work){ a.id, ORDER_VALID }));
	WRITE(rig, order_delete_fn, a.id);
	orders_are(rig, 1, 0, 0);
	WRITE(rig, order_put_fn, &((struct order_work){ a.id, ORDER_INVALID })); /* the engine still ends it */
	orders_are(rig, 1, 0, 0);
	mend(rig, 0);
	WRITE(rig, account_delete_fn, rig->account_id);
	orders_are(rig, 0, 0, 0); /* what an account that is gone had is not shown */
	WRITE(rig, order_put_fn, &((struct order_work){ b.id, ORDER_INVALID }));
	mend(rig, 0);
}

/* ---- wrong, and everybody at once ---- */

static void what_was_counted_wrong_is_found_and_mended(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct certificate c = a_certificate(rig, 100 * HOUR_MS, true);
	struct kept_mended m;

	WRITE(rig, add_fn, &c);
	rig_exec(rig, "UPDATE kept SET n = n + 5 WHERE what = 'certificate.managed'");
	rig_exec(rig, "DELETE FROM kept WHERE what = 'expiry'");
	rig_exec(rig, "INSERT INTO kept (what, hour, who, n) VALUES ('expiry', 7, 'watched', 3)");
	all(rig, 6, 6, 0);
	ASSERT_OK(store_kept_mend(rig->store, &m, &rig->err), &rig->err);
	ASSERT_INT(m.rows, 3);
	ASSERT_STR(m.first, "certificate.managed of active was kept 5 too high");
	all(rig, 1, 1, 0);
	expire(rig, 0, INT64_MAX, 1, 0);
	mend(rig, 0);
	certificate_done(&c);
}

#define EACH 60

struct crowd {
	struct rig *rig;
	struct certificate *c;
	char *orders[2];
	unsigned who;
};

/* Writers of the same rows in another order each: what fails (deleted meanwhile) is not counted either. */
static void *crowd_main(void *arg)
{
	struct crowd *w = arg;

	for (unsigned i = 0; i < EACH; i++) {
		_cleanup_err_ struct err err = ERR_INIT;
		struct certificate mine = a_certificate(w->rig, (100 + i) * HOUR_MS, i % 2);
		struct order_work o = { w->orders[(i + w->who) % 2], (enum order_status)(i % order_status_count) };
		int r = store_write(w->rig->store, add_fn, &mine, &err);

		replace_str(&mine.id, w->c->id);
		mine.status = i % 3 ? CERTIFICATE_ACTIVE : CERTIFICATE_REVOKED;
		if (r >= 0)
			r = store_write(w->rig->store, put_fn, &mine, &err);
		if (r >= 0 && w->who == 0 && i == EACH - 2)
			r = store_write(w->rig->store, delete_fn, &mine, &err);
		if (r >= 0 && w->who == 1 && i == EACH / 2)
			r = store_write(w->rig->store, order_delete_fn, w->orders[0], &err);
		if (r >= 0)
			r = store_write(w->rig->store, order_put_fn, &o, &err);
		certificate_done(&mine);
		assert_true(r >= 0 || r == -ERR_NOT_FOUND);
	}
	return NULL;
}

static void the_counts_are_right_whoever_writes_and_mends_meanwhile(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order a = rig_order(rig, 1, "q", 1), b = rig_order(rig, 2, "q", 1);
	struct certificate c = a_certificate(rig, 100 * HOUR_MS, true);
	struct crowd crowd[4];
	pthread_t threads[ARRAY_SIZE(crowd)];

	WRITE(rig, add_fn, &c);
	rig_add_order(rig, &a);
	rig_add_order(rig, &b);
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		crowd[i] = (struct crowd){ rig, &c, { a.id, b.id }, i };
		pthread_create(&threads[i], NULL, crowd_main, &crowd[i]);
	}
	for (int i = 0; i < 5; i++)
		mend(rig, 0); /* no moment at which they are wrong */
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++)
		pthread_join(threads[i], NULL);
	mend(rig, 0);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM certificate WHERE deleted_ms = 0"), 4 * EACH);
	all(rig, 4 * EACH, 4 * EACH / 2, 0);
	certificate_done(&c);
}

static void *mend_main(void *arg)
{
	struct rig *rig = arg;
	struct kept_mended m;
	_cleanup_err_ struct err err = ERR_INIT;

	assert_true(store_kept_mend(rig->store, &m, &err) >= 0);
	return NULL;
}

static void two_that_mend_at_once_mend_once(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct certificate c = a_certificate(rig, 100 * HOUR_MS, true);

	WRITE(rig, add_fn, &c);
	for (int i = 0; i < 10; i++) {
		pthread_t threads[2];

		rig_exec(rig, "UPDATE kept SET n = n + 5 WHERE what = 'certificate.managed'");
		for (unsigned t = 0; t < 2; t++)
			pthread_create(&threads[t], NULL, mend_main, rig);
		for (unsigned t = 0; t < 2; t++)
			pthread_join(threads[t], NULL);
		all(rig, 1, 1, 0);
	}
	certificate_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_change_of_a_certificate_is_counted),
		TEST(every_change_of_an_order_is_counted),
		TEST(what_was_counted_wrong_is_found_and_mended),
		TEST(the_counts_are_right_whoever_writes_and_mends_meanwhile),
		TEST(two_that_mend_at_once_mend_once),
	};

	return rig_main("kept", tests, ARRAY_SIZE(tests));
}
