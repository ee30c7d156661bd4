/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c - see rig.h. */
#include "tests/unit/engine/rig.h"

#include "base/file.h"
#include "base/log.h"
#include "engine/notify.h"
#include "model/vendor.h"
#include "store/channel.h"

#include <stdio.h>
#include <unistd.h>

#define START_MS INT64_C(1790000000000)

/* ---- what edge answers with ---- */

struct live {
	const char *type, *name, *token, *value;
	bool found;
};

static int look_live(struct sql *q, void *arg, struct err *err)
{
	struct live *l = arg;
	bool dns = streq(l->type, "dns-01");

	return sql_exists(q, "SELECT 1 FROM feed_item WHERE live = 1 AND kind = $1 AND name = $2 AND value = $3",
			  SQL_VALUES(SQL_TEXT(dns ? "txt" : "http"), SQL_TEXT(dns ? l->name : l->token), SQL_TEXT(l->value)), &l->found, err);
}

static bool published(void *arg, const char *type, const char *name, const char *token, const char *value)
{
	struct rig *r = arg;
	struct live l = { type, name, token, value, false };

	if (r->dns_value && streq(r->dns_value, value))
		return true;
	if (r->zone && strlist_has(r->zone, value))
		return true;
	ASSERT_OK(store_read(r->store, look_live, &l, &r->err), &r->err);
	return l.found;
}

static int edge_wait(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err)
{
	struct rig *r = arg;

	(void)timeout_ms;
	if (r->edge_down)
		return err_set(err, ERR_TIMEOUT, "edge is not connected");
	ASSERT_TRUE(seq > 0);
	return 0;
}

static int look_up(void *arg, const char *name, struct resolve_report *ret, struct err *err)
{
	struct rig *r = arg;

	(void)name;
	r->looks++;
	ret->n = 2;
	ret->servers = xcalloc(2, sizeof *ret->servers);
	for (int i = 0; i < 2; i++) {
		snprintf(ret->servers[i].name, sizeof ret->servers[i].name, "ns%d.example", i);
		ret->servers[i].answered = true;
		if (r->dns_value)
			strlist_add(&ret->servers[i].values, r->dns_value);
		for (size_t k = 0; r->zone && !r->zone_hidden && k < r->zone->n; k++)
			strlist_add(&ret->servers[i].values, r->zone->v[k]);
	}
	return 0;
}

static uint64_t middle(void *arg, uint64_t limit)
{
	(void)arg;
	return limit / 2; /* no jitter */
}

static bool crash_at(void *arg, const char *point)
{
	struct rig *r = arg;

	(void)point;
	r->points++;
	if (r->crash_in > 0 && --r->crash_in == 0) {
		r->crashed = true;
		if (r->engine)
			r->engine->crashed = true;
	}
	return r->crashed;
}

void rig_engine_open(struct rig *r)
{
	struct engine_options o = {
		.store = r->store, .keys = r->keys, .clock = &r->clock, .node = "test", .workers = 4, .http = &r->ca.http,
		.edge_wait = edge_wait, .edge_arg = r, .look_up = look_up, .look_up_arg = r, .random = middle, .random_arg = r,
	};

	o.view.n = 1;
	r->crashed = false;
	ASSERT_OK(engine_open(&o, &r->engine, &r->err), &r->err);
	r->engine->crash_at = crash_at;
	r->engine->crash_arg = r;
	r->ca.crash = crash_at;
	r->ca.crash_arg = r;
}

/* The store outlives the engine here, and keeps the callback of a closed one: give each engine a store of its own. */
static void store_reopen(struct rig *r)
{
	_cleanup_free_ char *url = xasprintf("sqlite:%s/db", r->dir);
	struct store_options o = { .url = url, .clock = &r->clock };

	store_close(r->store);
	r->store = NULL;
	ASSERT_OK(store_open(&o, &r->store, &r->err), &r->err);
}

void rig_engine_close(struct rig *r)
{
	engine_close(r->engine);
	r->engine = NULL;
	store_reopen(r);
}

struct rig *rig_new_empty(void)
{
	struct rig *r = xcalloc(1, sizeof *r);
	_cleanup_free_ char *master = NULL;
	struct keys_options k = { 0 };

	log_init(LOG_ERROR + 1, LOG_LOGFMT, "test");
	snprintf(r->dir, sizeof r->dir, "%s/cw-engine-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* spares the disk */
	ASSERT_TRUE(mkdtemp(r->dir));
	r->clock = clock_fake(START_MS);
	master = path_join(r->dir, "master.key");
	ASSERT_OK(keys_master_create(master, &r->err), &r->err);
	strlist_add(&k.files, master);
	ASSERT_OK(keys_open(&k, &r->keys, &r->err), &r->err);
	strlist_clear(&k.files);
	ca_init(&r->ca, &r->clock);
	r->ca.published = published;
	r->ca.published_arg = r;
	store_reopen(r);
	rig_engine_open(r);
	return r;
}

static int add_account(struct sql *tx, void *arg, struct err *err)
{
	return account_intake(tx, arg, err);
}

struct rig *rig_new(void)
{
	struct rig *r = rig_new_empty();

	rig_account(r);
	return r;
}

void rig_account(struct rig *r)
{
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	struct account_request q = {
		.vendor = VENDOR_CUSTOM, .directory_url = CA_DIRECTORY, .email = "a@b.example", .tos_agreed = true, .now_ms = r->clock.fake_ms,
	};
	_cleanup_free_ char *status = NULL;

	ASSERT_OK(account_prepare(r->keys, &q, &p, &r->err), &r->err);
	ASSERT_OK(store_write(r->store, add_account, &p, &r->err), &r->err);
	snprintf(r->account, sizeof r->account, "%s", p.account.id);
	ASSERT_TRUE(engine_run_due(r->engine, &r->err) > 0);
	status = rig_text(r, "SELECT status FROM account");
	ASSERT_STR(status, "valid");
	r->ca.requests = 0;
	r->points = 0;
}

void rig_free(struct rig *r)
{
	static const char *const files[] = { "db", "db-wal", "db-shm", "master.key" };

	if (r->engine)
		engine_close(r->engine);
	store_close(r->store);
	keys_close(r->keys);
	ca_done(&r->ca);
	err_clear(&r->err);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = path_join(r->dir, files[i]);

		unlink(path);
	}
	rmdir(r->dir);
	free(r);
}

void rig_run_until(struct rig *r, int64_t ms)
{
	for (int i = 0; i < 5000; i++) {
		int64_t next;

		if (engine_run_due(r->engine, &r->err) < 0 && !r->crashed) {
			ASSERT_TRUE(r->tolerant);
			r->clock.fake_ms += 2000; /* as the dispatcher does */
		}
		err_clear(&r->err);
		if (r->crashed)
			return;
		next = engine_next_due(r->engine);
		if (next > ms)
			break;
		r->clock.fake_ms = MAX(next, r->clock.fake_ms);
		ASSERT_TRUE(i < 4999); /* it comes to rest */
	}
	r->clock.fake_ms = MAX(ms, r->clock.fake_ms);
}

void rig_run(struct rig *r)
{
	rig_run_until(r, r->clock.fake_ms + 2 * HOUR_MS);
}

struct intake {
	struct order_request q;
	struct order_taken taken;
};

static int take(struct sql *tx, void *arg, struct err *err)
{
	struct intake *i = arg;

	return order_intake(tx, &i->q, &i->taken, err);
}

struct order_taken rig_order(struct rig *r, const struct rig_order *o)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	struct ulid id = ulid_new(r->clock.fake_ms);
	struct intake i = { .q = {
		.id = id.s, .account_id = r->account, .names = &names, .validation = o->validation, .mode = o->mode, .csr_id = o->csr_id,
		.key_type = o->key_type, .now_ms = r->clock.fake_ms,
	} };

	if (o->names)
		strlist_split(&names, o->names, ' ');
	if (o->validation == VALIDATION_DNS01)
		i.q.dns_method = o->method ? o->method : o->by_table ? NULL : METHOD_DELEGATION;
	else
		i.q.http_method = o->method;
	i.q.chosen = o->chosen;
	ASSERT_OK(store_write(r->store, take, &i, &r->err), &r->err);
	return i.taken;
}

struct getting {
	const char *id;
	struct order o;
};

static int get(struct sql *q, void *arg, struct err *err)
{
	struct getting *g = arg;

	order_done(&g->o);
	return store_order_get_any(q, g->id, &g->o, err);
}

struct order rig_get(struct rig *r, const char *id)
{
	struct getting g = { .id = id };

	ASSERT_OK(store_read(r->store, get, &g, &r->err), &r->err);
	return g.o;
}

struct asking {
	const char *sql;
	int64_t n;
	char *text;
};

static int ask_n(struct sql *q, void *arg, struct err *err)
{
	struct asking *a = arg;

	return sql_int(q, a->sql, SQL_NONE, &a->n, err);
}

int64_t rig_count(struct rig *r, const char *sql)
{
	struct asking a = { .sql = sql };

	ASSERT_OK(store_read(r->store, ask_n, &a, &r->err), &r->err);
	return a.n;
}

static int text_row(const struct row *row, void *arg, struct err *err)
{
	struct asking *a = arg;

	(void)err;
	free(a->text);
	a->text = row_text_dup(row, 0);
	return 0;
}

static int ask_text(struct sql *q, void *arg, struct err *err)
{
	struct asking *a = arg;

	return sql_one(q, a->sql, SQL_NONE, text_row, a, err);
}

char *rig_text(struct rig *r, const char *sql)
{
	struct asking a = { .sql = sql };

	ASSERT_OK(store_read(r->store, ask_text, &a, &r->err), &r->err);
	return a.text;
}

struct wish {
	struct rig *r;
	const char *id;
	int (*fn)(struct sql *tx, const char *id, int64_t now_ms, struct err *err);
};

static int wish(struct sql *tx, void *arg, struct err *err)
{
	struct wish *w = arg;

	return w->fn(tx, w->id, w->r->clock.fake_ms, err);
}

void rig_finalize(struct rig *r, const char *id)
{
	struct wish w = { r, id, order_want_finalize };

	ASSERT_OK(store_write(r->store, wish, &w, &r->err), &r->err);
}

void rig_refresh(struct rig *r, const char *id)
{
	struct wish w = { r, id, order_want_refresh };

	ASSERT_OK(store_write(r->store, wish, &w, &r->err), &r->err);
}

void rig_delete(struct rig *r, const char *id)
{
	struct wish w = { r, id, order_delete };

	ASSERT_OK(store_write(r->store, wish, &w, &r->err), &r->err);
}

struct csr_taking {
	struct csr_intake_request q;
	char job[27];
};

static int take_csr(struct sql *tx, void *arg, struct err *err)
{
	struct csr_taking *t = arg;

	return csr_intake(tx, &t->q, t->job, err);
}

void rig_csr(struct rig *r, const char *names, enum key_type type, char ret[27])
{
	_cleanup_strlist_ struct strlist l = { 0 };
	struct ulid id = ulid_new(r->clock.fake_ms), job = ulid_new(r->clock.fake_ms);
	struct csr_taking t = { .q = { .job_id = job.s, .csr_id = id.s, .names = &l, .key_type = type, .now_ms = r->clock.fake_ms } };

	strlist_split(&l, names, ' ');
	strlist_sort_unique(&l);
	ASSERT_OK(store_write(r->store, take_csr, &t, &r->err), &r->err);
	ASSERT_INT(engine_run_due(r->engine, &r->err), 1);
	snprintf(ret, 27, "%s", id.s);
}

static int add_channel(struct sql *tx, void *arg, struct err *err)
{
	struct rig *r = arg;
	struct ulid id = ulid_new(engine_now(r->engine));
	_cleanup_channel_ struct channel c = {
		.id = xstrdup(id.s), .kind = CHANNEL_EMAIL, .name = xstrdup("ops"), .enabled = true, .created_ms = engine_now(r->engine),
		.digest_ms = engine_now(r->engine) + DAY_MS,
		.settings = xstrdup("{\"host\":\"mail.example\",\"port\":587,\"security\":\"starttls\",\"from\":\"a@b.example\",\"to\":[\"c@d.example\"]}"),
	};

	return store_channel_add(tx, &c, err) < 0 ? -(int)err->code : notify_wanted(tx, c.id, c.created_ms + DAY_MS, c.created_ms, err);
}

void rig_mail_channel(struct rig *r)
{
	ASSERT_OK(store_write(r->store, add_channel, r, &r->err), &r->err);
}

void rig_no_residue(struct rig *r)
{
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed'"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM feed_item WHERE live = 1 AND kind IN ('txt', 'http')"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM record WHERE status <> 'withdrawn'"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE holds_turn = 1"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE lease_owner IS NOT NULL"), 0);
}
