/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_inventory.c - what is noted down about certificates and the search over them: the same answers from SQLite, from PostgreSQL
 * with pg_trgm, and from PostgreSQL whose user may not have it.
 */
#include "tests/contract/store_rig.h"

#include "store/driver.h"
#include "store/inventory.h"
#include "store/key.h"
#include "store/name_block.h"
#include "store/search.h"

#define OK(call) ASSERT_OK(call, err)
#define FAILS(call, code) ASSERT_FAILS(call, err, code)

static const struct page ten = { .limit = 10 };

static void add(struct sql *tx, const char *account_id, const char *name, const char *key_type, const char *owner, const char *tag, int64_t expires,
		struct err *err)
{
	_cleanup_certificate_ struct certificate c = { .id = xstrdup(ulid_new(5000).s), .source = xstrdup("imported"), .names_hash = xstrdup(name),
						       .validation = xstrdup(""), .key_policy = xstrdup("new"), .key_type = xstrdup(key_type),
						       .account_id = xstrdup_null(account_id), .created_ms = 50, .not_after_ms = expires };
	_cleanup_certificate_notes_ struct certificate_notes n = { .owner = xstrdup_null(owner) }, back = { 0 };

	strlist_add(&c.names, name);
	strlist_add(&n.tags, tag);
	OK(store_certificate_add(tx, &c, err));
	OK(store_notes_put(tx, &c, &n, c.rev, 60, err));
	FAILS(store_notes_put(tx, &c, &n, c.rev, 61, err), ERR_CHANGED);
	OK(store_fetched(tx, c.id, "anna", 70, err));
	OK(store_notes_get(tx, c.id, &back, err));
	if (owner)
		ASSERT_STR(back.owner, owner);
	else
		assert_true(!back.owner);
	ASSERT_STR(back.fetched_by, "anna");
	ASSERT_INT(back.tags.n, 1);
}

static int three_fn(struct sql *tx, void *arg, struct err *err)
{
	add(tx, arg, "shop.example.com", "p256", "Team Web", "prod", 3000, err);
	add(tx, NULL, "mail.example.com", "rsa2048", NULL, "prod", 1000, err);
	add(tx, NULL, "100_percent.example.org", "p256", "Team Web", "lab", 2000, err);
	return 0;
}

struct question {
	const char *text;
	bool by_expiry;
	const char *found; /* first letters, in order */
};

static const struct question questions[] = {
	{ "", false, "1ms" }, { "", true, "m1s" }, { "tag:prod", false, "ms" }, { "tag:prod", true, "ms" }, { "tag:none", false, "" },
	{ "owner:\"Team Web\"", false, "1s" }, { "key:rsa2048", false, "m" }, { "source:imported", false, "1ms" }, { "source:issued", false, "" },
	{ "status:revoked", false, "" }, { "vendor:custom", false, "s" }, { "vendor:letsencrypt", false, "" }, { "HOP.exam", false, "s" },
	{ "example.com", false, "ms" }, { "example.com tag:prod shop", false, "s" }, { "name:*.example.com", false, "ms" },
	{ "name:*.example.com owner:nobody", false, "" }, { "example.com key:rsa2048", false, "m" },
	{ "tag:prod source:imported key:rsa2048", false, "m" }, { "name:mail.example.com", true, "m" }, { "100_p", false, "1" }, { "a_l", false, "" }, { "100%", false, "" }, { "\\\\ma", false, "" },
	{ "\"exa\"", false, "1ms" }, { "expires<9999d", true, "m1s" }, { "expires>9999d", true, "" }, { "status:expired", true, "" },
};

static char letter_of(struct sql *q, const char *id, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };

	OK(store_certificate_get(q, id, &c, err));
	return c.names.v[0][0];
}

/* Asked about each for itself, the search says the same. */
static void judge_one_by_one(struct sql *q, const struct search *s, const struct strlist *found, struct err *err)
{
	_cleanup_certificate_list_ struct certificate_list all = { 0 };
	bool finds = true;

	OK(store_certificate_list(q, CERTIFICATES_NEWEST, &ten, &all, NULL, err));
	ASSERT_INT(all.n, 3);
	for (size_t i = 0; i < all.n; i++) {
		OK(store_search_finds(q, s, all.v[i].id, 10, &finds, err));
		assert_int_equal(finds, strlist_has(found, all.v[i].id));
	}
	OK(store_search_finds(q, s, "none", 10, &finds, err));
	assert_false(finds);
}

static int ask_fn(struct sql *q, UNUSED void *arg, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		const struct question *ask = &questions[i];
		_cleanup_search_ struct search s = { 0 };
		_cleanup_search_page_ struct search_page page = { 0 };
		char found[8] = "";

		OK(search_parse(ask->text, 10, &s, err));
		OK(store_search(q, &s, ask->by_expiry, &ten, 10, &page, err));
		for (size_t k = 0; k < page.ids.n; k++)
			found[k] = letter_of(q, page.ids.v[k], err);
		if (!streq(found, ask->found))
			fail_msg("'%s' found '%s' instead of '%s'", ask->text, found, ask->found);
		assert_false(page.more);
		judge_one_by_one(q, &s, &page.ids, err);
	}
	return 0;
}

static int page_fn(struct sql *q, UNUSED void *arg, struct err *err)
{
	for (int by_expiry = 0; by_expiry < 2; by_expiry++) {
		_cleanup_search_ struct search s = { 0 };
		_cleanup_search_page_ struct search_page one = { 0 }, two = { 0 };
		struct page p = { .limit = 2 };

		OK(search_parse("example", 10, &s, err));
		OK(store_search(q, &s, by_expiry, &p, 10, &one, err));
		ASSERT_INT(one.ids.n, 2);
		assert_true(one.more);
		p = (struct page){ .limit = 2, .started = true, .after_key = one.key, .after_id = one.id };
		OK(store_search(q, &s, by_expiry, &p, 10, &two, err));
		ASSERT_INT(two.ids.n, 1);
		assert_false(two.more);
		assert_int_equal(letter_of(q, two.ids.v[0], err), 's');
	}
	return 0;
}

static void a_search_finds_what_is_asked_for(UNUSED void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	WRITE(rig, three_fn, rig->account_id);
	READ(rig, ask_fn, NULL);
}

static int eight_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	add(tx, NULL, "a.example.com", "p256", "web", "t", 3000, err);
	add(tx, NULL, "b.example.com", "p256", NULL, "t", 1000, err);
	add(tx, NULL, "c.example.com", "p256", "edge", "t", 2000, err);
	add(tx, NULL, "d.example.com", "p256", NULL, "t", 2000, err);
	add(tx, NULL, "e.example.com", "p256", "web", "t", 5000, err);
	add(tx, NULL, "f.example.com", "p256", NULL, "t", 500, err);
	add(tx, NULL, "g.example.com", "p256", "edge", "t", 700, err);
	add(tx, NULL, "h.example.com", "p256", NULL, "t", 800, err);
	return 0;
}

/* What stands where, by the first letter of the name; the numbers rise with the letters. */
static const char *const in_order[CERTIFICATES_SORTS] = {
	[CERTIFICATES_EXPIRY] = "fghbcdae", [CERTIFICATES_NAME] = "abcdefgh", [CERTIFICATES_ISSUER] = "bdfhaceg", [CERTIFICATES_OWNER] = "cgaebdfh",
	[CERTIFICATES_STATUS] = "ghbcaefd", [CERTIFICATES_ISSUED] = "hgfedcba",
};

static int orders_fn(struct sql *q, UNUSED void *arg, struct err *err)
{
	for (int sort = 0; sort < CERTIFICATES_SORTS; sort++)
		for (int limit = 1; limit < 9; limit++) {
			struct page p = { .limit = limit };
			char found[16] = "", id[ULID_LEN + 1] = "";
			struct page_mark end = { 0 };
			size_t n = 0;
			bool more;

			do {
				_cleanup_certificate_list_ struct certificate_list l = { 0 };
				struct page_mark from = end;

				p.after_text = from.text;
				OK(store_certificate_list(q, (enum certificate_sort)sort, &p, &l, &end, err));
				for (size_t i = 0; i < l.n && n < 9; i++)
					found[n++] = l.v[i].names.v[0][0];
				assert_true(l.n > 0 && n < 9);
				snprintf(id, sizeof id, "%s", l.v[l.n - 1].id);
				p = (struct page){ .limit = limit, .started = true, .after_key = end.key, .after_id = id };
				more = l.more;
			} while (more);
			ASSERT_INT(n, 8);
			if (in_order[sort])
				ASSERT_STR(found, in_order[sort]);
		}
	return 0;
}

static void certificates_stand_in_each_order_whatever_the_page_is_long(UNUSED void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	WRITE(rig, eight_fn, NULL);
	rig_exec(rig, "UPDATE certificate SET not_before_ms = num * 10");
	rig_exec(rig, "UPDATE certificate SET issuer_key = 'CN=Z' WHERE owner IS NOT NULL");
	rig_exec(rig, "UPDATE certificate SET status = 'revoked' WHERE names IN ('d.example.com', 'f.example.com')");
	READ(rig, orders_fn, NULL);
}

static void a_search_is_read_in_pages(UNUSED void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	WRITE(rig, three_fn, NULL);
	READ(rig, page_fn, NULL);
}

#define CROWD (16 * NAME_BLOCK + 10)
#define ODD (5 * NAME_BLOCK) /* the only one with "simpleft": the last of its block, when numbers begin with 1 */

static char *crowd_name(int i)
{
	return i == ODD ? xstrdup("simpleft.example.org") : xasprintf("left-%d.pool.example.net", i);
}

static int crowd_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	for (int i = 0; i < CROWD; i++) {
		_cleanup_free_ char *name = crowd_name(i);

		add(tx, NULL, name, "p256", NULL, "all", 1000 + i, err);
	}
	return 0;
}

/* The next of the crowd that has the text, from that one on; -1 when there is none. */
static int next_with(const char *text, int at, int step)
{
	for (; at >= 0 && at < CROWD; at += step) {
		_cleanup_free_ char *name = crowd_name(at);

		if (strstr(name, text))
			return at;
	}
	return -1;
}

/* Page after page: each that has the text, once, in its order, and none too few. */
static void crowd_ask(struct sql *q, const char *text, bool by_expiry, struct err *err)
{
	_cleanup_search_ struct search s = { 0 };
	_cleanup_free_ char *key = NULL;
	struct page p = { .limit = 200 };
	int step = by_expiry ? 1 : -1, at = by_expiry ? 0 : CROWD - 1;

	OK(search_parse(text, 10, &s, err));
	for (bool more = true; more;) {
		_cleanup_search_page_ struct search_page page = { 0 };

		OK(store_search(q, &s, by_expiry, &p, 10, &page, err));
		for (size_t k = 0; k < page.ids.n; k++, at += step) {
			_cleanup_certificate_ struct certificate c = { 0 };
			_cleanup_free_ char *name = NULL;

			OK(store_certificate_get(q, page.ids.v[k], &c, err));
			at = next_with(s.words.v[0], at, step);
			name = crowd_name(at);
			ASSERT_STR(c.names.v[0], name);
		}
		more = page.more;
		replace_str(&key, page.id);
		p = (struct page){ .limit = 200, .started = true, .after_key = page.key, .after_id = key };
	}
	if (next_with(s.words.v[0], at, step) >= 0)
		fail_msg("'%s' did not find all%s", text, by_expiry ? " by expiry" : "");
}

static int crowd_ask_fn(struct sql *q, UNUSED void *arg, struct err *err)
{
	static const char *const texts[] = { "pleft", "plef", "LEFT-77", "eft-7", "t-1000.p", "left-1033", "example.net", "simpleft", "mplef", "pool.left",
					     "ample.org", "left-320.pool", "left-319.pool.example.net", "0.pool.example.nett", "xamp", "-9999" };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(texts); i++)
		crowd_ask(q, texts[i / 2], i % 2, err);
	return 0;
}

/* By expiry, what is in few blocks is one page, not as many as there are stretches of the whole. */
static int one_page_fn(struct sql *q, UNUSED void *arg, struct err *err)
{
	_cleanup_search_ struct search s = { 0 };
	_cleanup_search_page_ struct search_page page = { 0 };

	OK(search_parse("left-77", 10, &s, err));
	OK(store_search(q, &s, true, &(struct page){ .limit = 200 }, 10, &page, err));
	ASSERT_INT(page.ids.n, 11); /* 77, 770 to 779 */
	assert_false(page.more);
	return 0;
}

static int noted_fn(struct sql *q, void *arg, struct err *err)
{
	struct name_blocks b;

	return store_name_blocks_of(q, "pleft", INT64_MAX, arg, &b, err);
}

/* By blocks, without them (a database of an older version, or one that was filled by hand), and by those that were noted afterwards. */
static void a_text_is_found_in_blocks_as_without(UNUSED void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	bool noted = false;

	WRITE(rig, crowd_fn, NULL);
	READ(rig, crowd_ask_fn, NULL);
	if (rig_pgsql)
		return;
	READ(rig, one_page_fn, NULL);
	READ(rig, noted_fn, &noted);
	assert_true(noted);
	ASSERT_INT(rig_int(rig, "SELECT n FROM counter WHERE name = 'name_block'"), 16);
	rig_exec(rig, "DELETE FROM counter WHERE name = 'name_block'");
	rig_exec(rig, "INSERT INTO name_block (name_block) VALUES ('delete-all')");
	READ(rig, noted_fn, &noted);
	assert_false(noted);
	READ(rig, crowd_ask_fn, NULL);
	ASSERT_OK(store_name_blocks_mend(rig->store, &rig->err), &rig->err);
	ASSERT_INT(rig_int(rig, "SELECT n FROM counter WHERE name = 'name_block'"), 16);
	READ(rig, noted_fn, &noted);
	assert_true(noted);
	READ(rig, crowd_ask_fn, NULL);
}

static int keys_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_free_ char *id = NULL;
	_cleanup_certificate_notes_ struct certificate_notes notes = { 0 };
	bool changed;

	OK(store_fingerprint_find(tx, "none", &id, err));
	assert_true(!id);
	OK(store_version_set_key(tx, "none", "none", &changed, err));
	assert_false(changed);
	FAILS(store_notes_get(tx, "none", &notes, err), ERR_NOT_FOUND);
	FAILS(store_key_revive(tx, "none", "x", 1, err), ERR_NOT_FOUND);
	return 0;
}

static void what_is_not_there_is_said_to_be_so(UNUSED void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	WRITE(rig, keys_fn, NULL);
}

static void script(const char *url, const char *text, struct err *err)
{
	struct pgsql_config *c = NULL;
	struct sql *q = NULL;

	OK(pgsql_config_new(url, NULL, &c, err));
	OK(pgsql_connect(c, false, &q, err));
	OK(sql_script(q, text, err));
	sql_close(q);
	pgsql_config_free(c);
}

static void with_pg_trgm_names_have_an_index_on_postgresql(UNUSED void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	if (!rig_pgsql)
		return;
	ASSERT_INT(rig_int(rig, "SELECT count(*) FROM pg_indexes WHERE indexname = 'certificate_names'"), 1);
}

/* The user of the database may make tables in it, but no extension: the search answers all the same. */
static void without_pg_trgm_the_search_answers_the_same(UNUSED void **state)
{
	_cleanup_free_ char *server = NULL, *database = NULL, *url = NULL;
	char account[] = "a";
	struct rig rig = { 0 };

	if (!rig_pgsql)
		return;
	server = pg_url(&rig_pg, "postgres");
	database = pg_url(&rig_pg, "plain");
	script(server, "CREATE ROLE plain LOGIN", &rig.err);
	script(server, "CREATE DATABASE plain", &rig.err);
	script(database, "GRANT ALL ON SCHEMA public TO plain", &rig.err);
	url = xasprintf("postgresql://plain@%s", strchr(database, '@') + 1);
	rig.url = url;
	rig_open(&rig);
	ASSERT_INT(rig_int(&rig, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"), 0);
	rig_exec(&rig, "INSERT INTO key (id, purpose, type, public_hash, created_ms) VALUES ('k', 'account', 'p256', 'k', 1)");
	rig_exec(&rig, "INSERT INTO account (id, num, name, vendor, directory_url, email, status, key_id, created_ms, updated_ms)"
		       " VALUES ('a', 1000000, 'a', 'custom', 'https://ca.example/dir', 'a@b.example', 'valid', 'k', 1, 1)");
	WRITE(&rig, three_fn, account);
	READ(&rig, ask_fn, NULL);
	READ(&rig, page_fn, NULL);
	rig_close(&rig);
	err_clear(&rig.err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_search_finds_what_is_asked_for),
		TEST(a_search_is_read_in_pages),
		TEST(certificates_stand_in_each_order_whatever_the_page_is_long),
		TEST(a_text_is_found_in_blocks_as_without),
		TEST(what_is_not_there_is_said_to_be_so),
		TEST(with_pg_trgm_names_have_an_index_on_postgresql),
		TEST(without_pg_trgm_the_search_answers_the_same),
	};

	return rig_main("inventory", tests, ARRAY_SIZE(tests));
}
