/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_rows.c - every aggregate: what is written comes back, each function does what its header says, and no statement
 * of theirs reads a whole table (SQLite's query plans of all that ran here).
 */
#include "tests/contract/store_rig.h"

#include "store/inventory.h"
#include "store/search.h"
#include "store/notice.h"
#include "store/renewal.h"
#include "store/account.h"
#include "store/audit.h"
#include "store/authz.h"
#include "store/certificate.h"
#include "store/csr.h"
#include "store/debt.h"
#include "store/delegation.h"
#include "store/driver.h"
#include "store/event.h"
#include "store/expiry.h"
#include "store/feed_item.h"
#include "store/job.h"
#include "store/key.h"
#include "store/lane.h"
#include "store/record.h"
#include "store/rule.h"
#include "store/provider.h"
#include "store/channel.h"
#include "store/takeover.h"
#include "store/user.h"
#include "store/vendor.h"
#include "store/view.h"

#define W(s) xstrdup(s)
#define OK(call) ASSERT_OK(call, err)
#define FAILS(call, code) ASSERT_FAILS(call, err, code)

static const struct page ten = { .limit = 10 };

static char *new_id(void)
{
	return xstrdup(ulid_new(5000).s);
}

static int64_t count_plan_scans;

/* keys, accounts, CSRs */

static struct key_row a_key(enum key_purpose purpose)
{
	struct key_row k = { .id = new_id(), .purpose = purpose, .type = W("p256"), .created_ms = 10 };

	k.public_hash = xasprintf("public-%s", k.id);
	k.sealed = xmemdup("\x00sealed\xff", 8);
	k.sealed_n = 8;
	return k;
}

static int keys_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_key_row_ struct key_row k = a_key(KEY_CERTIFICATE), got = { 0 }, by_hash = { 0 }, after = { 0 };
	struct key_row twin = a_key(KEY_CERTIFICATE);
	_cleanup_csr_ struct csr c = { .id = new_id(), .source = CSR_CREATED, .names_hash = W("h"), .subject = W("O=X"),
				       .key_type = W("p256"), .created_ms = 20 };
	struct err why = ERR_INIT;
	bool gone = true;

	OK(store_key_add(tx, &k, err));
	OK(store_key_get(tx, k.id, &got, err));
	ASSERT_INT(got.sealed_n, 8);
	ASSERT_MEM(got.sealed, "\x00sealed\xff", 8);
	ASSERT_INT(got.purpose, KEY_CERTIFICATE);
	OK(store_key_find_public(tx, k.public_hash, &by_hash, err));
	ASSERT_STR(by_hash.id, k.id);
	FAILS(store_key_get(tx, "no", &after, err), ERR_NOT_FOUND);
	OK(store_key_reseal(tx, k.id, "new", 3, err));

	/* a CSR points to it */
	c.key_id = xstrdup(k.id);
	c.public_hash = xstrdup(k.public_hash);
	c.der = xmemdup("\x30\x00", 2);
	c.der_n = 2;
	strlist_add(&c.names, "a.example");
	strlist_add(&c.names, "b.example");
	OK(store_csr_add(tx, &c, err));
	OK(store_key_destroy_unused(tx, k.id, 30, &gone, err));
	ASSERT_FALSE(gone);
	{
		_cleanup_csr_ struct csr back = { 0 }, num = { 0 }, any = { 0 };
		_cleanup_csr_list_ struct csr_list list = { 0 };

		OK(store_csr_get(tx, c.id, &back, err));
		ASSERT_INT(back.names.n, 2);
		ASSERT_STR(back.names.v[1], "b.example");
		ASSERT_INT(back.der_n, 2);
		ASSERT_STR(back.subject, "O=X");
		OK(store_csr_get_num(tx, c.num, &num, err));
		ASSERT_STR(num.id, c.id);
		for (int i = 0; i < 16; i++) { /* every filter with every other, the newest and the oldest first */
			const struct csr_filter f = { .key_type = i & 1 ? back.key_type : NULL, .name = i & 2 ? "b.exam" : NULL };
			const struct page p = { .limit = 10, .order = (i & 4) ? PAGE_OLDEST : PAGE_NEWEST };
			int64_t key = 0;

			OK(store_csr_list(tx, &f, &p, &list, &key, err));
			ASSERT_INT(list.n, 1);
			ASSERT_INT(key, f.name ? back.num : back.created_ms);
			OK(store_csr_list(tx, &(struct csr_filter){ .key_type = "none", .name = f.name }, &p, &list, &key, err));
			ASSERT_INT(list.n, 0);
		}
		OK(store_csr_delete(tx, c.id, 40, err));
		FAILS(store_csr_delete(tx, c.id, 41, err), ERR_NOT_FOUND);
		OK(store_csr_get_any(tx, c.id, &any, err));
		ASSERT_INT(any.deleted_ms, 40);
	}
	OK(store_key_destroy_unused(tx, k.id, 50, &gone, err));
	ASSERT_TRUE(gone);
	OK(store_key_get(tx, k.id, &after, err));
	ASSERT_TRUE(!after.sealed);
	ASSERT_INT(after.destroyed_ms, 50);
	FAILS(store_key_reseal(tx, k.id, "x", 1, err), ERR_NOT_FOUND);
	replace_str(&twin.public_hash, k.public_hash);
	if (sql_dialect(tx) == SQL_SQLITE) /* PostgreSQL ends the transaction: see the savepoints of store.c */
		ASSERT_FAILS(store_key_add(tx, &twin, &why), &why, ERR_CONFLICT);
	key_row_done(&twin);
	return 0;
}

/* A list of what has a name, which holds one row now: by each of its orders, narrowed by a part of its name and by its word, and to nothing. */
#define NARROWS(call, list, part, word, orders)                                                                        \
	for (int i_ = 0; i_ < 4 * (orders); i_++) {                                                                    \
		const struct narrow by = { .name = i_ & 1 ? (part) : NULL, .only = i_ & 2 ? (word) : NULL };           \
		const struct page p = { .limit = 10, .order = (enum page_order)(i_ / 4) };                             \
                                                                                                                       \
		OK(call(tx, &by, &p, &(list), err));                                                                   \
		ASSERT_INT((list).n, 1);                                                                               \
		OK(call(tx, &(struct narrow){ .name = "no%such", .only = by.only }, &p, &(list), err));                \
		ASSERT_INT((list).n, 0);                                                                               \
	}

static int accounts_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_key_row_ struct key_row k = a_key(KEY_ACCOUNT);
	_cleanup_account_ struct account a = { .id = new_id(), .name = W("a --- b"), .vendor = W("pebble"),
					       .directory_url = W("https://ca/dir?x=1"), .email = W("a@b.example"),
					       .status = ACCOUNT_REGISTERING, .eab_kid = W("kid"), .created_ms = 100 },
				got = { 0 }, num = { 0 }, any = { 0 };
	_cleanup_account_list_ struct account_list list = { 0 };

	OK(store_key_add(tx, &k, err));
	a.key_id = xstrdup(k.id);
	a.eab_sealed = xmemdup("eab", 3);
	a.eab_sealed_n = 3;
	OK(store_account_add(tx, &a, err));
	ASSERT_INT(a.rev, 1);
	a.status = ACCOUNT_VALID;
	a.url = W("https://ca/acct/1");
	free(a.eab_sealed);
	a.eab_sealed = NULL;
	a.updated_ms = 200;
	FAILS(store_account_put(tx, &a, 7, err), ERR_CHANGED);
	OK(store_account_put(tx, &a, 1, err));
	ASSERT_INT(a.rev, 2);
	OK(store_account_put(tx, &a, 0, err));
	OK(store_account_get(tx, a.id, &got, err));
	ASSERT_INT(got.status, ACCOUNT_VALID);
	ASSERT_STR(got.url, "https://ca/acct/1");
	ASSERT_STR(got.eab_kid, "kid");
	ASSERT_TRUE(!got.eab_sealed);
	ASSERT_INT(got.rev, 3);
	ASSERT_INT(got.updated_ms, 200);
	ASSERT_INT(got.created_ms, 100);
	OK(store_account_get_num(tx, a.num, &num, err));
	{
		_cleanup_free_ char *part = xstrdup(got.email);

		str_lower(part);
		for (int i = 0; i < 16; i++) {
			const struct account_filter f = { .vendor = i & 1 ? got.vendor : NULL, .status = i & 2 ? account_status_text(got.status) : NULL,
							  .text = i & 4 ? part : NULL };

			OK(store_account_list(tx, &f, &(struct page){ .limit = 10, .order = (i & 8) ? PAGE_OLDEST : PAGE_NEWEST }, &list, err));
			ASSERT_TRUE(list.n >= 1 && list.n <= 2); /* the rig has one, too */
			ASSERT_TRUE(streq(list.v[0].id, a.id) || streq(list.v[list.n - 1].id, a.id));
		}
		OK(store_account_list(tx, &(struct account_filter){ .text = "%" }, &ten, &list, err)); /* a character like others */
		ASSERT_INT(list.n, 0);
		OK(store_account_list(tx, &(struct account_filter){ 0 }, &ten, &list, err));
	}
	ASSERT_STR(list.v[0].id, a.id);
	OK(store_account_delete(tx, a.id, 300, err));
	FAILS(store_account_get(tx, a.id, &got, err), ERR_NOT_FOUND);
	FAILS(store_account_delete(tx, a.id, 300, err), ERR_NOT_FOUND);
	OK(store_account_get_any(tx, a.id, &any, err));
	ASSERT_INT(any.deleted_ms, 300);
	replace_str(&a.id, "no");
	FAILS(store_account_put(tx, &a, 0, err), ERR_NOT_FOUND);
	return 0;
}

/* What the engine and a deletion need of accounts, and what is known of directories. */
static int account_life_fn(struct sql *tx, void *arg, struct err *err)
{
	struct rig *rig = arg;
	_cleanup_order_ struct order o = rig_order(rig, 3, "q", 1);
	_cleanup_account_ struct account a = { 0 }, got = { 0 };
	_cleanup_account_list_ struct account_list list = { 0 };
	_cleanup_account_certificate_list_ struct account_certificate_list certs = { 0 };
	_cleanup_strlist_ struct strlist urls = { 0 };
	_cleanup_vendor_check_ struct vendor_check c = { .directory_url = W("https://ca/dir"), .facts = W("{}"), .checked_ms = 1000 }, read = { 0 };
	_cleanup_vendor_check_list_ struct vendor_check_list checks = { 0 };
	_cleanup_vendor_setting_ struct vendor_setting set = { .key = W("zerossl"), .directory_url = W("https://other/") }, other = { 0 };
	_cleanup_vendor_setting_list_ struct vendor_setting_list settings = { 0 };
	int64_t n = 0, live = 0;
	bool busy = true, uses = true;
	char *connection = NULL;

	OK(store_order_add(tx, &o, err));
	OK(store_account_get(tx, o.account_id, &a, err));
	replace_str(&a.connection, "{\"route\":\"direct\"}");
	OK(store_account_put(tx, &a, 0, err));
	a.status = ACCOUNT_VALID;
	replace_str(&a.next_key_id, "next");
	a.refreshed_ms = 500;
	OK(store_account_result(tx, &a, 600, err));
	OK(store_account_get(tx, a.id, &got, err));
	ASSERT_STR(got.next_key_id, "next");
	ASSERT_INT(got.rev, a.rev); /* nothing that people edit has moved */
	OK(store_account_stale(tx, 501, 0, 5, &list, err));
	ASSERT_INT(list.n, 1);
	OK(store_account_stale(tx, 500, 0, 5, &list, err));
	ASSERT_INT(list.n, 0);
	OK(store_account_rolling(tx, &list, err));
	ASSERT_INT(list.n, 1);
	OK(store_account_key_spent(tx, 1, &list, err));
	for (size_t i = 0; i < list.n; i++)
		ASSERT_TRUE(!streq(list.v[i].id, a.id));
	OK(store_account_busy(tx, a.id, 1, &busy, err));
	ASSERT_TRUE(!busy);
	OK(store_account_orders(tx, a.id, &n, &live, err));
	ASSERT_TRUE(n >= 1 && live >= 1);
	OK(store_account_contact(tx, a.id, "new@b.example", "name", 700, err));
	OK(store_account_twins(tx, "new@b.example", a.vendor, &n, err));
	ASSERT_INT(n, 1);
	OK(store_account_count_vendor(tx, a.vendor, &n, err));
	OK(store_account_count_directory(tx, a.directory_url, &n, err));
	OK(store_account_connection(tx, a.directory_url, &connection, err));
	ASSERT_STR(connection, a.connection);
	free(connection);
	OK(store_account_connection(tx, "https://nobody.example/", &connection, err));
	ASSERT_TRUE(!connection); /* nobody said anything about it */
	OK(store_expiry_count(tx, 0, INT64_MAX, &n, &live, err));
	ASSERT_TRUE(live <= n);
	OK(store_account_certificates(tx, a.id, 0, &certs, err));
	OK(store_account_certificates(tx, a.id, 5, &certs, err));
	OK(store_account_certificate_count(tx, a.id, &n, &live, err));
	OK(store_account_takeover(tx, a.id, a.id, 800, err));
	OK(store_account_orphan(tx, a.id, "{}", 800, err));
	OK(store_csr_uses_public(tx, "none", &uses, err));
	ASSERT_TRUE(!uses);

	FAILS(store_vendor_check_get(tx, "https://ca/dir", &read, err), ERR_NOT_FOUND);
	OK(store_vendor_check_put(tx, &c, err));
	OK(store_vendor_check_put(tx, &c, err));
	OK(store_vendor_check_get(tx, "https://ca/dir", &read, err));
	OK(store_vendor_check_list(tx, &checks, err));
	ASSERT_INT(checks.n, 1);
	OK(store_vendor_check_due(tx, 2000, &urls, err));
	ASSERT_TRUE(strlist_has(&urls, a.directory_url));
	OK(store_vendor_setting_put(tx, &set, 1, err));
	ASSERT_INT(set.rev, 2);
	FAILS(store_vendor_setting_put(tx, &set, 1, err), ERR_CHANGED);
	OK(store_vendor_setting_get(tx, "zerossl", &other, err));
	ASSERT_STR(other.directory_url, "https://other/");
	OK(store_vendor_setting_list(tx, &settings, err));
	return 0;
}

/* orders and what hangs on them */

static int order_parts_fn(struct sql *tx, void *arg, struct err *err)
{
	struct rig *rig = arg;
	_cleanup_order_ struct order o = rig_order(rig, 1, "a", 1);
	_cleanup_authz_ struct authz a = { .id = new_id(), .identifier = W("n1.example"), .wildcard = true, .url = W("https://ca/z/1"),
					   .status = AUTHZ_PENDING, .position = 0 };
	_cleanup_record_ struct record r = { .id = new_id(), .kind = VALIDATION_DNS01, .method = W("delegation"),
					     .domain = W("_acme-challenge.n1.example"), .value = W("v"), .ttl = 60, .created_ms = 7 },
			       again = { 0 }, got = { 0 }, num = { 0 };
	_cleanup_authz_list_ struct authz_list authzs = { 0 };
	_cleanup_record_list_ struct record_list records = { 0 };
	_cleanup_debt_list_ struct debt_list debts = { 0 };
	_cleanup_debt_ struct debt d = { .id = new_id(), .kind = DEBT_WITHDRAW_DNS, .method = W("delegation"), .what = W("{}"),
					 .lane = W("local"), .held = true, .created_ms = 8 },
			     back = { 0 };
	_cleanup_order_list_ struct order_list unfinished = { 0 };
	char *first;
	int64_t n = 0;

	OK(store_order_add(tx, &o, err));
	OK(store_order_unfinished(tx, ORDERS_OF_ACCOUNT, rig->account_id, &unfinished, err));
	ASSERT_INT(unfinished.n, 1);
	OK(store_order_unfinished(tx, ORDERS_OF_CERTIFICATE, "no", &unfinished, err));
	ASSERT_INT(unfinished.n, 0);
	{
		_cleanup_order_ struct order by_num = { 0 };

		OK(store_order_get_num(tx, o.num, &by_num, err));
		ASSERT_STR(by_num.id, o.id);
	}

	/* authorizations: twice is one row */
	a.order_id = xstrdup(o.id);
	OK(store_authz_put(tx, &a, err));
	first = xstrdup(a.id);
	replace_str(&a.id, "other");
	a.status = AUTHZ_VALID;
	a.challenge_url = W("https://ca/c/1");
	a.challenge_status = CHALLENGE_PROCESSING;
	a.accepted = true;
	OK(store_authz_put(tx, &a, err));
	ASSERT_STR(a.id, first);
	free(first);
	OK(store_authz_list(tx, o.id, &authzs, err));
	ASSERT_INT(authzs.n, 1);
	ASSERT_INT(authzs.v[0].status, AUTHZ_VALID);
	ASSERT_INT(authzs.v[0].challenge_status, CHALLENGE_PROCESSING);
	ASSERT_TRUE(authzs.v[0].wildcard && authzs.v[0].accepted);

	/* records: twice is one row */
	r.order_id = xstrdup(o.id);
	OK(store_record_add(tx, &r, err));
	again = (struct record){ .id = new_id(), .order_id = xstrdup(o.id), .kind = r.kind, .method = W("delegation"),
				 .domain = xstrdup(r.domain), .value = W("v"), .ttl = 60, .created_ms = 9 };
	OK(store_record_add(tx, &again, err));
	ASSERT_STR(again.id, r.id);
	ASSERT_INT(again.num, r.num);
	r.status = RECORD_READY;
	r.ready_ms = 77;
	r.detail = W("{}");
	OK(store_record_put(tx, &r, err));
	OK(store_record_get(tx, r.id, &got, err));
	ASSERT_INT(got.status, RECORD_READY);
	ASSERT_INT(got.ready_ms, 77);
	ASSERT_INT(got.rev, 2);
	OK(store_record_get_num(tx, r.num, &num, err));
	OK(store_record_list_order(tx, o.id, &records, err));
	ASSERT_INT(records.n, 1);
	{
		/* every filter with every other, the newest and the oldest first; one that does not fit finds nothing */
		for (int i = 0; i < 64; i++) {
			struct record_filter f = { .order_id = i & 1 ? o.id : NULL, .kind = i & 2 ? "dns-01" : NULL,
						   .status = i & 32 ? "valid" : i & 4 ? "ready" : NULL, .domain = i & 8 ? r.domain : NULL };
			const struct page p = { .limit = 10, .order = i & 16 ? PAGE_OLDEST : PAGE_NEWEST };

			OK(store_record_list(tx, &f, &p, &records, err));
			ASSERT_INT(records.n, i & 32 ? 0 : 1);
		}
	}

	/* a record with an owed debt is not pruned; a paid debt and a withdrawn record are */
	d.order_id = xstrdup(o.id);
	d.record_id = xstrdup(r.id);
	OK(store_debt_add(tx, &d, err));
	r.status = RECORD_WITHDRAWN;
	r.withdrawn_ms = 100;
	OK(store_record_put(tx, &r, err));
	OK(store_record_prune(tx, 200, &n, err));
	ASSERT_INT(n, 0);
	OK(store_debt_pay(tx, d.id, 150, err));
	OK(store_debt_get(tx, d.id, &back, err));
	ASSERT_TRUE(back.paid);
	ASSERT_INT(back.paid_ms, 150);
	OK(store_debt_reopen(tx, d.id, 160, err));
	OK(store_debt_prune(tx, 1000, &n, err));
	ASSERT_INT(n, 0);
	OK(store_debt_owed(tx, &n, err));
	ASSERT_INT(n, 1);
	OK(store_debt_list_order(tx, o.id, &debts, err));
	ASSERT_INT(debts.n, 1);
	ASSERT_FALSE(debts.v[0].held);
	ASSERT_INT(debts.v[0].due_ms, 160);
	OK(store_debt_pay(tx, d.id, 170, err));
	OK(store_debt_prune(tx, 171, &n, err));
	ASSERT_INT(n, 1);
	OK(store_record_prune(tx, 200, &n, err));
	ASSERT_INT(n, 1);
	FAILS(store_record_put(tx, &r, err), ERR_NOT_FOUND);
	FAILS(store_debt_get(tx, d.id, &back, err), ERR_NOT_FOUND);
	FAILS(store_record_get_any(tx, r.id, &num, err), ERR_NOT_FOUND);
	return 0;
}

static int feed_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_edge_item_list_ struct edge_item_list list = { 0 };
	int64_t one = 0, same = 0, two = 0, gone = 0, last = 0, n = 0;

	OK(store_feed_item_last_seq(tx, &last, err));
	ASSERT_INT(last, 0);
	OK(store_feed_item_put(tx, EDGE_TXT, "_acme-challenge.a.example", "v1", 60, 10, &one, err));
	OK(store_feed_item_put(tx, EDGE_TXT, "_acme-challenge.a.example", "v1", 60, 11, &same, err));
	ASSERT_INT(same, one);
	OK(store_feed_item_put(tx, EDGE_TXT, "_acme-challenge.a.example", "v2", 60, 12, &two, err));
	ASSERT_INT(two, one + 1);
	OK(store_feed_item_del(tx, EDGE_TXT, "_acme-challenge.a.example", "v1", 13, &gone, err));
	ASSERT_INT(gone, two + 1);
	OK(store_feed_item_del(tx, EDGE_TXT, "_acme-challenge.a.example", "never", 13, &n, err));
	ASSERT_INT(n, gone);
	OK(store_feed_item_list(tx, 0, false, 0, &list, err));
	ASSERT_INT(list.n, 2);
	ASSERT_INT(list.v[0].seq, two);
	ASSERT_FALSE(list.v[1].live);
	OK(store_feed_item_list(tx, 0, true, 0, &list, err));
	ASSERT_INT(list.n, 1);
	ASSERT_STR(list.v[0].value, "v2");
	OK(store_feed_item_list(tx, two, false, 10, &list, err));
	ASSERT_INT(list.n, 1);
	OK(store_feed_item_list(tx, 0, false, 1, &list, err));
	ASSERT_INT(list.n, 1);
	ASSERT_TRUE(list.more);
	/* alive again: the next number, the same small id */
	OK(store_feed_item_put(tx, EDGE_TXT, "_acme-challenge.a.example", "v1", 60, 14, &same, err));
	ASSERT_INT(same, gone + 1);
	OK(store_feed_item_list(tx, gone, false, 0, &list, err));
	ASSERT_INT(list.v[0].id, 1);
	OK(store_feed_item_del(tx, EDGE_TXT, "_acme-challenge.a.example", "v1", 15, NULL, err));
	OK(store_feed_item_prune(tx, same, 1000, &n, err));
	ASSERT_INT(n, 0); /* not acknowledged yet */
	OK(store_feed_item_prune(tx, same + 1, 1000, &n, err));
	ASSERT_INT(n, 1);
	return 0;
}

static int delegations_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_delegation_ struct delegation a = { .id = new_id(), .name = W("example.com"), .created_ms = 5 },
				   b = { .id = new_id(), .name = W("example.com"), .created_ms = 6 }, c = { 0 }, got = { 0 };
	_cleanup_delegation_list_ struct delegation_list list = { 0 };
	bool made = false;

	OK(store_delegation_ensure(tx, &a, &made, err));
	ASSERT_TRUE(made);
	OK(store_delegation_ensure(tx, &b, &made, err));
	ASSERT_FALSE(made);
	ASSERT_STR(b.id, a.id);
	OK(store_delegation_list(tx, "ample.c", &(struct page){ .limit = 10, .order = PAGE_OLDEST }, &list, err));
	ASSERT_INT(list.n, 1);
	OK(store_delegation_list(tx, "_", &ten, &list, err));
	ASSERT_INT(list.n, 0);
	OK(store_delegation_list(tx, NULL, &ten, &list, err));
	ASSERT_INT(list.n, 1);
	OK(store_delegation_find(tx, "example.com", &got, err));
	OK(store_delegation_delete(tx, a.id, 9, err));
	FAILS(store_delegation_get(tx, a.id, &c, err), ERR_NOT_FOUND);
	FAILS(store_delegation_delete(tx, a.id, 9, err), ERR_NOT_FOUND);
	c = (struct delegation){ .id = new_id(), .name = W("example.com"), .created_ms = 7 };
	OK(store_delegation_ensure(tx, &c, &made, err)); /* the name is free again */
	ASSERT_TRUE(made);
	ASSERT_INT(c.num, 2);
	return 0;
}

static int views_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_dns_view_ struct dns_view v = { .id = new_id(), .name = W("outside"), .kind = VIEW_DOH, .servers = W(""),
						 .url = W("https://dns.example/dns-query"), .connection = W("{}"), .created_ms = 5 },
			  twin = { .id = new_id(), .name = W("outside"), .servers = W(""), .url = W(""), .created_ms = 6 }, got = { 0 };
	_cleanup_view_rule_ struct view_rule all = { .id = new_id(), .suffix = W(""), .vendor = W(""), .wait_s = 90, .created_ms = 5 },
			   sub = { .id = new_id(), .suffix = W("example.com"), .vendor = W(""), .created_ms = 6 },
			   vendor = { .id = new_id(), .suffix = W("example.com"), .vendor = W("pebble"), .wait_s = 5, .created_ms = 7 }, found = { 0 };
	_cleanup_dns_view_list_ struct dns_view_list views = { 0 };
	_cleanup_view_rule_list_ struct view_rule_list rules = { 0 };

	OK(store_view_add(tx, &v, err));
	FAILS(store_view_add(tx, &twin, err), ERR_CONFLICT);
	OK(store_view_get_num(tx, v.num, &got, err));
	ASSERT_INT(got.kind, VIEW_DOH);
	ASSERT_STR(got.url, v.url);
	v.direct = true;
	OK(store_view_put(tx, &v, 1, err));
	ASSERT_INT(v.rev, 2);
	FAILS(store_view_put(tx, &v, 1, err), ERR_CHANGED);
	NARROWS(store_view_list, views, v.name, "doh", 3);
	OK(store_view_list(tx, NULL, &ten, &views, err));
	ASSERT_INT(views.n, 1);
	ASSERT_TRUE(views.v[0].direct);

	sub.view_id = xstrdup(v.id);
	OK(store_view_rule_add(tx, &all, err));
	OK(store_view_rule_add(tx, &sub, err));
	OK(store_view_rule_add(tx, &vendor, err));
	FAILS(store_view_delete(tx, v.id, 9, err), ERR_IN_USE);
	ASSERT_INT(store_view_rule_match(tx, "www.example.com", "", &found, err), 1);
	ASSERT_STR(found.view_id, v.id);
	view_rule_done(&found);
	ASSERT_INT(store_view_rule_match(tx, "example.com", "pebble", &found, err), 1);
	ASSERT_INT(found.wait_s, 5);
	view_rule_done(&found);
	ASSERT_INT(store_view_rule_match(tx, "notexample.com", "pebble", &found, err), 1);
	ASSERT_INT(found.wait_s, 90);
	view_rule_done(&found);
	vendor.wait_s = 7;
	OK(store_view_rule_put(tx, &vendor, 0, err));
	OK(store_view_rule_get(tx, vendor.id, &found, err));
	ASSERT_INT(found.wait_s, 7);
	view_rule_done(&found);
	OK(store_view_rule_get_num(tx, sub.num, &found, err));
	for (int i = 0; i < 3; i++) {
		OK(store_view_rule_list(tx, &(struct narrow){ .name = sub.suffix, .only = v.id }, &(struct page){ .limit = 10, .order = (enum page_order)i }, &rules, err));
		ASSERT_TRUE(rules.n > 0);
	}
	OK(store_view_rule_list(tx, NULL, &ten, &rules, err));
	ASSERT_INT(rules.n, 3);
	OK(store_view_rule_delete(tx, sub.id, 9, err));
	OK(store_view_delete(tx, v.id, 9, err));
	FAILS(store_view_delete(tx, v.id, 9, err), ERR_NOT_FOUND);
	FAILS(store_view_get(tx, v.id, &got, err), ERR_NOT_FOUND);
	return 0;
}

/* However many networks ask, a delegation keeps the latest. */
static int asked_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { .id = new_id(), .name = W("asked.example"), .created_ms = 1 };
	_cleanup_(delegation_done) struct delegation seen = { 0 };
	_cleanup_delegation_list_ struct delegation_list due = { 0 };
	_cleanup_asked_list_ struct asked_list l = { 0 };

	OK(store_delegation_ensure(tx, &d, NULL, err));
	d.looked = W("{}");
	d.looked_ms = 5;
	d.good_ms = 4;
	d.away = W("it is delegated to somebody else");
	d.away_ms = 5;
	OK(store_delegation_looked(tx, &d, err));
	OK(store_delegation_get(tx, d.id, &seen, err));
	ASSERT_STR(seen.away, "it is delegated to somebody else");
	ASSERT_INT(seen.good_ms, 4);
	OK(store_delegation_due(tx, 100, 10, &due, err));
	ASSERT_TRUE(due.n > 0);
	for (size_t i = 0; i < due.n; i++)
		OK(store_delegation_next_look(tx, due.v[i].id, 200, err));
	OK(store_delegation_due(tx, 199, 10, &due, err));
	ASSERT_INT(due.n, 0);
	for (int i = 0; i < 3 * ASKED_KEPT; i++) {
		_cleanup_asked_ struct asked a = { .network = xasprintf("192.0.%d.0/24", i), .transport = W("udp"), .qtype = W("TXT"),
						   .outcome = W("answered"), .times = 2, .first_ms = 100 + i, .last_ms = 100 + i };

		OK(store_asked_add(tx, d.id, &a, err));
		a.last_ms++;
		OK(store_asked_add(tx, d.id, &a, err));
	}
	OK(store_asked_list(tx, d.id, 200, &l, err));
	ASSERT_TRUE(l.n >= ASKED_KEPT - 1 && l.n <= ASKED_KEPT);
	ASSERT_STR(l.v[0].network, "192.0.149.0/24");
	ASSERT_INT(l.v[0].times, 4);
	ASSERT_INT(l.v[0].first_ms, 249);
	return 0;
}

static int events_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_event_list_ struct event_list list = { 0 };
	char kind[] = "order", subject[] = "01SUBJECT", text[] = "the CA said no", detail[] = "{\"x\":1}";
	struct page p = { .limit = 2 };
	int64_t n = 0;

	for (int i = 0; i < 3; i++) {
		_cleanup_free_ char *id = new_id();

		OK(store_event_add(tx,
				   &(struct event){ .id = id, .subject_kind = kind, .subject_id = subject, .at_ms = i,
						    .level = EVENT_WARNING, .text = text, .detail = detail },
				   err));
	}
	OK(store_event_list(tx, subject, &p, &list, err));
	ASSERT_INT(list.n, 2);
	ASSERT_TRUE(list.more);
	ASSERT_INT(list.v[0].at_ms, 0);
	ASSERT_STR(list.v[0].text, text);
	{
		_cleanup_free_ char *after = xstrdup(list.v[1].id);

		p.started = true;
		p.after_id = after;
		OK(store_event_list(tx, subject, &p, &list, err));
	}
	ASSERT_INT(list.n, 1);
	ASSERT_FALSE(list.more);
	OK(store_event_prune(tx, 2, &n, err));
	ASSERT_INT(n, 2);
	return 0;
}

static struct version a_version(const char *certificate_id, const char *order_id, const char *serial, int64_t at)
{
	struct version v = { .id = new_id(), .certificate_id = xstrdup(certificate_id), .order_id = xstrdup_null(order_id),
			     .state = VERSION_CURRENT, .serial = xstrdup(serial), .subject = W("CN=a"), .issuer = W("CN=ca"),
			     .public_hash = W("p"), .key_type = W("p256"), .not_before_ms = at, .not_after_ms = at + 1000,
			     .chain = W("-----BEGIN"), .created_ms = at };

	v.fingerprint = xasprintf("f%s", serial);
	strlist_add(&v.names, "a.example");
	return v;
}

static int certificates_fn(struct sql *tx, void *arg, struct err *err)
{
	struct rig *rig = arg;
	_cleanup_certificate_ struct certificate c = { .id = new_id(), .source = W("issued"), .names_hash = W("h"),
						       .validation = W("dns-01"), .key_policy = W("new"), .key_type = W("p256"),
						       .managed = true, .created_ms = 50, .not_after_ms = 9 },
				    got = { 0 }, num = { 0 };
	_cleanup_version_ struct version one = { 0 }, two = { 0 }, evidence = { 0 }, found = { 0 }, by_order = { 0 }, by_print = { 0 };
	_cleanup_certificate_list_ struct certificate_list list = { 0 };
	_cleanup_version_list_ struct version_list versions = { 0 };

	strlist_add(&c.names, "a.example");
	c.account_id = xstrdup(rig->account_id);
	OK(store_certificate_add(tx, &c, err));
	one = a_version(c.id, "order-1", "01", 1000);
	two = a_version(c.id, "order-2", "02", 2000);
	evidence = a_version(c.id, "order-2", "03", 3000);
	evidence.state = VERSION_EVIDENCE;
	OK(store_version_add(tx, &one, err));
	OK(store_version_add(tx, &two, err));
	OK(store_version_add(tx, &evidence, err));
	OK(store_certificate_get(tx, c.id, &got, err));
	ASSERT_STR(got.version_id, two.id);
	ASSERT_INT(got.not_after_ms, 3000);
	ASSERT_INT(got.rev, 3);
	OK(store_version_get(tx, one.id, &found, err));
	ASSERT_INT(found.state, VERSION_REPLACED);
	OK(store_version_find_order(tx, "order-2", &by_order, err));
	ASSERT_STR(by_order.serial, "02");
	OK(store_version_find_fingerprint(tx, "f01", &by_print, err));
	OK(store_version_list(tx, c.id, &versions, err));
	ASSERT_INT(versions.n, 3);
	ASSERT_STR(versions.v[0].serial, "03");
	ASSERT_STR(versions.v[0].names.v[0], "a.example");

	got.next_attempt_ms = 500;
	got.renew_at_ms = 400;
	got.updated_ms = 60;
	FAILS(store_certificate_put(tx, &got, 1, err), ERR_CHANGED);
	OK(store_certificate_put(tx, &got, 3, err));
	OK(store_certificate_due(tx, 499, 10, &list, err));
	ASSERT_INT(list.n, 0);
	OK(store_certificate_due(tx, 500, 10, &list, err));
	ASSERT_INT(list.n, 1);
	OK(store_certificate_list(tx, CERTIFICATES_NEWEST, &ten, &list, NULL, err));
	ASSERT_INT(list.n, 1);
	OK(store_certificate_list(tx, CERTIFICATES_EXPIRY, &ten, &list, NULL, err));
	ASSERT_INT(list.n, 1);
	for (int sort = 0; sort < CERTIFICATES_SORTS; sort++) {
		OK(store_certificate_list(tx, (enum certificate_sort)sort, &ten, &list, NULL, err));
		ASSERT_INT(list.n, 1);
	}
	OK(store_certificate_get_num(tx, c.num, &num, err));
	OK(store_certificate_delete(tx, c.id, 70, err));
	FAILS(store_certificate_put(tx, &got, 0, err), ERR_NOT_FOUND);
	OK(store_certificate_list(tx, CERTIFICATES_EXPIRY, &ten, &list, NULL, err));
	ASSERT_INT(list.n, 0);
	return 0;
}

static int csr_in_use_fn(struct sql *tx, void *arg, struct err *err)
{
	_cleanup_order_ struct order o = rig_order(arg, 1, "a", 1);
	_cleanup_csr_ struct csr c = { .id = new_id(), .source = CSR_UPLOADED, .names_hash = W("h"), .key_type = W("p256"),
				       .public_hash = W("x"), .created_ms = 20 };

	c.der = xmemdup("\x30", 1);
	c.der_n = 1;
	OK(store_csr_add(tx, &c, err));
	o.csr_id = xstrdup(c.id);
	OK(store_order_add(tx, &o, err));
	ASSERT_INT(store_csr_delete(tx, c.id, 40, err), -ERR_IN_USE);
	ASSERT_HAS(err->detail, "order 1");
	err_clear(err);
	return 0;
}

/* jobs and lanes that store.c does not reach */

static int jobs_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_job_ struct job a = { .id = new_id(), .kind = JOB_PRUNE, .lane = W("local"), .created_ms = 1 },
			    b = { .id = new_id(), .kind = JOB_ACCOUNT_REGISTER, .subject_kind = W("account"), .subject_id = W("01A"),
				  .args = W("{\"a\":1}"), .lane = W("vendor:x"), .created_ms = 2 },
			    got = { 0 }, live = { 0 }, alone = { 0 }, num = { 0 };
	_cleanup_job_list_ struct job_list list = { 0 };
	_cleanup_lane_list_ struct lane_list lanes = { 0 };
	_cleanup_lane_load_list_ struct lane_load_list loads = { 0 };
	_cleanup_lane_ struct lane lane = { 0 };
	int64_t n = 0;

	OK(store_job_add(tx, &a, err));
	OK(store_job_add(tx, &b, err));
	OK(store_job_get(tx, b.id, &got, err));
	ASSERT_STR(got.args, "{\"a\":1}");
	ASSERT_INT(got.state, JOB_QUEUED);
	OK(store_job_get_num(tx, 2, &num, err));
	OK(store_job_find_live(tx, JOB_ACCOUNT_REGISTER, "01A", &live, err));
	ASSERT_STR(live.id, b.id);
	OK(store_job_find_live(tx, JOB_PRUNE, NULL, &alone, err));
	ASSERT_STR(alone.id, a.id);
	got.state = JOB_FAILED;
	got.ended_ms = 50;
	got.reason = W("{}");
	OK(store_job_put(tx, &got, LEASE_END, 50, err));
	FAILS(store_job_find_live(tx, JOB_ACCOUNT_REGISTER, "01A", &live, err), ERR_NOT_FOUND);
	for (int i = 0; i < 8; i++) {
		const struct job_filter f = { .kind = i & 1 ? job_kind_text(got.kind) : NULL, .state = i & 2 ? "failed" : NULL };

		OK(store_job_list(tx, &f, &(struct page){ .limit = 10, .order = (i & 4) ? PAGE_OLDEST : PAGE_NEWEST }, &list, err));
		ASSERT_INT(list.n, i & 3 ? 1 : 2);
		ASSERT_STR(list.v[i & 4 ? list.n - 1 : 0].id, b.id);
	}
	OK(store_job_list(tx, &(struct job_filter){ 0 }, &ten, &list, err));
	ASSERT_INT(list.n, 2);
	ASSERT_STR(list.v[0].id, b.id);
	OK(store_job_list_subject(tx, "01A", &ten, &list, err));
	ASSERT_INT(list.n, 1);
	ASSERT_INT(list.v[0].state, JOB_FAILED);
	OK(store_job_prune(tx, 100, &n, err));
	ASSERT_INT(n, 1);

	OK(store_lane_ensure(tx, "local", 4, err));
	OK(store_lane_park(tx, "local", 99, "{}", err));
	OK(store_lane_get(tx, "local", &lane, err));
	ASSERT_INT(lane.parked_until_ms, 99);
	OK(store_lane_unpark(tx, "local", err));
	OK(store_lane_list(tx, &lanes, err));
	ASSERT_INT(lanes.v[0].parked_until_ms, 0);
	ASSERT_TRUE(!lanes.v[0].reason);
	OK(store_lane_loads(tx, 5, &loads, err));
	ASSERT_INT(loads.v[0].due_ms, 0);
	FAILS(store_lease_extend(tx, "job", a.id, 9, 100, err), ERR_LOST_LEASE);
	OK(store_lease_extend(tx, "job", a.id, 0, 100, err));
	FAILS(store_lease_release(tx, "orders", "no", 1, 2, err), ERR_LOST_LEASE);
	OK(store_lease_end_former(tx, "n", "n/1", 3, &n, err));
	return 0;
}

/* people */

static int users_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_user_ struct user u = { .id = new_id(), .name = W("anna"), .role = ROLE_ADMIN, .password_hash = W("$argon2id$x"), .rights = BIT(PERM_AUDIT) | BIT(PERM_REVOKE),
					 .created_ms = 1 },
			     got = { 0 }, by_name = { 0 };
	_cleanup_session_ struct session s = { .id = W("01S1"), .hash = W("s1"), .csrf = W("c"), .address = W("::1"), .created_ms = 1, .seen_ms = 1,
					       .expires_ms = 100 },
				s2 = { .id = W("01S2"), .hash = W("s2"), .csrf = W("c"), .created_ms = 1, .seen_ms = 1, .expires_ms = 200 }, back = { 0 };
	_cleanup_token_ struct token t = { .id = new_id(), .name = W("ci"), .role = ROLE_VIEWER, .hash = W("h"), .prefix = W("cw_ab"), .rights = BIT(PERM_KEY_EXPORT),
					   .created_ms = 5, .expires_ms = 500 },
			      found = { 0 }, by_id = { 0 }, pulls = { 0 };
	_cleanup_token_ struct token pull = { .id = new_id(), .name = W("web"), .role = ROLE_PULL, .hash = W("h2"), .prefix = W("cw_cd"),
					      .certificate_id = W("01CERT"), .reason = W("nginx"), .created_ms = 5, .expires_ms = 500 };
	_cleanup_user_list_ struct user_list users = { 0 };
	_cleanup_token_list_ struct token_list tokens = { 0 };
	_cleanup_session_list_ struct session_list sessions = { 0 };
	int64_t n = 0;
	bool known = true;

	strlist_add(&t.sources, "192.0.2.0/24");
	strlist_add(&t.sources, "2001:db8::/32");
	OK(store_user_add(tx, &u, err));
	s.user_id = xstrdup(u.id);
	s2.user_id = xstrdup(u.id);
	t.user_id = xstrdup(u.id);
	OK(store_user_find(tx, "anna", &by_name, err));
	ASSERT_INT(by_name.role, ROLE_ADMIN);
	u.failures = 3;
	u.locked_until_ms = 9;
	u.last_login_ms = 8;
	OK(store_user_put_login(tx, &u, err));
	OK(store_user_get(tx, u.id, &got, err));
	ASSERT_INT(got.failures, 3);
	ASSERT_INT(got.rev, 1);
	got.disabled = true;
	FAILS(store_user_put(tx, &got, 5, err), ERR_CHANGED);
	OK(store_user_put(tx, &got, 1, err));
	ASSERT_INT(got.rev, 2);
	OK(store_user_count(tx, &n, err));
	ASSERT_INT(n, 1);
	OK(store_user_count_admins(tx, &n, err));
	ASSERT_INT(n, 0);
	NARROWS(store_user_list, users, got.name, role_text(got.role), 3);
	OK(store_user_list(tx, NULL, &ten, &users, err));
	ASSERT_INT(users.n, 1);
	ASSERT_TRUE(users.v[0].disabled);

	OK(store_session_add(tx, &s, err));
	OK(store_session_add(tx, &s2, err));
	OK(store_session_list(tx, u.id, 50, 0, 10, &sessions, err));
	ASSERT_INT(sessions.n, 2);
	OK(store_session_list(tx, u.id, 100, 0, 10, &sessions, err));
	ASSERT_INT(sessions.n, 1);
	ASSERT_STR(sessions.v[0].id, "01S2");
	OK(store_session_list(tx, u.id, 50, 1, 10, &sessions, err));
	ASSERT_INT(sessions.n, 0);
	OK(store_session_by_id(tx, "01S1", &back, err));
	ASSERT_STR(back.hash, "s1");
	session_done(&back);
	FAILS(store_session_by_id(tx, "s1", &back, err), ERR_NOT_FOUND);
	OK(store_known_source_has(tx, u.id, "192.0.2.1", &known, err));
	ASSERT_FALSE(known);
	OK(store_known_source_put(tx, u.id, "192.0.2.1", 5, err));
	OK(store_known_source_put(tx, u.id, "192.0.2.1", 7, err));
	OK(store_known_source_has(tx, u.id, "192.0.2.1", &known, err));
	ASSERT_TRUE(known);
	OK(store_known_source_prune(tx, 7, &n, err));
	ASSERT_INT(n, 0);
	OK(store_known_source_prune(tx, 8, &n, err));
	ASSERT_INT(n, 1);
	OK(store_session_seen(tx, "s1", 50, 150, err));
	OK(store_session_get(tx, "s1", &back, err));
	ASSERT_INT(back.expires_ms, 150);
	ASSERT_STR(back.address, "::1");
	OK(store_session_del_user(tx, u.id, "s1", err));
	FAILS(store_session_seen(tx, "s2", 1, 2, err), ERR_NOT_FOUND);
	OK(store_session_del(tx, "s2", err));
	OK(store_session_prune(tx, 151, &n, err));
	ASSERT_INT(n, 1);
	OK(store_session_add(tx, &s, err));

	OK(store_token_add(tx, &t, err));
	OK(store_token_used(tx, t.id, 6, err));
	OK(store_token_find(tx, "h", &found, err));
	ASSERT_INT(found.used_ms, 6);
	ASSERT_INT(found.role, ROLE_VIEWER);
	ASSERT_TRUE(!found.certificate_id);
	NARROWS(store_token_list, tokens, found.name, found.user_id, 4);
	OK(store_token_list(tx, &(struct narrow){ .only = "somebody else" }, &ten, &tokens, err));
	ASSERT_INT(tokens.n, 0);

	pull.user_id = xstrdup(u.id);
	OK(store_token_add(tx, &pull, err));
	OK(store_token_find(tx, "h2", &pulls, err));
	ASSERT_STR(pulls.certificate_id, "01CERT");
	ASSERT_STR(pulls.reason, "nginx");
	OK(store_token_revoke_of_certificate(tx, "01OTHER", 60, err));
	OK(store_token_revoke_of_certificate(tx, "01CERT", 61, err));
	OK(store_token_revoke_of_certificate(tx, "01CERT", 62, err));
	token_done(&pulls);
	OK(store_token_find(tx, "h2", &pulls, err));
	ASSERT_INT(pulls.revoked_ms, 61);

	OK(store_user_delete(tx, u.id, 77, err));
	FAILS(store_user_delete(tx, u.id, 77, err), ERR_NOT_FOUND);
	OK(store_token_get(tx, t.id, &by_id, err));
	ASSERT_INT(by_id.revoked_ms, 77);
	FAILS(store_token_revoke(tx, t.id, 78, err), ERR_NOT_FOUND);
	session_done(&back);
	FAILS(store_session_get(tx, "s1", &back, err), ERR_NOT_FOUND);

	OK(store_setup_token_add(tx, "once", 10, 100, err));
	OK(store_setup_token_add(tx, "late", 10, 20, err));
	OK(store_setup_token_use(tx, "once", 50, err));
	FAILS(store_setup_token_use(tx, "once", 51, err), ERR_DENIED);
	FAILS(store_setup_token_use(tx, "late", 50, err), ERR_DENIED);
	FAILS(store_setup_token_use(tx, "never", 50, err), ERR_DENIED);
	return 0;
}

static int audit_rows_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_audit_list_ struct audit_list list = { 0 };
	_cleanup_idempotency_ struct idempotency found = { 0 };
	static const char *const some[] = { NULL, "01JZZZZZZZZZZZZZZZZZZZZZZZ", "shop.example" };
	char id[] = "01JZZZZZZZZZZZZZZZZZZZZZZA", system_id[] = "01JZZZZZZZZZZZZZZZZZZZZZZZ", user[] = "user", name[] = "anna", action[] = "order.create", object[] = "01O", route[] = "POST /orders",
	     key[] = "k", hash[] = "h", kind[] = "order";
	struct idempotency i = { .user_id = user, .route = route, .key = key, .body_hash = hash, .object_kind = kind, .object_id = object,
				 .created_ms = 1000 };
	int64_t n = 0;

	OK(store_audit_add(tx,
			   &(struct audit){ .id = id, .at_ms = 5, .actor_kind = user, .actor_name = name, .action = action,
					    .object_id = object },
			   err));
	OK(store_audit_system(tx, 9, "certificate.issue", "certificate", system_id, "shop.example", "order 1", "{\"serial\":\"1\"}", err));
	OK(store_audit_list(tx, &(struct audit_filter){ 0 }, &ten, &list, err));
	ASSERT_INT(list.n, 2);
	ASSERT_STR(list.v[0].action, "certificate.issue");
	ASSERT_STR(list.v[0].actor_kind, "system");
	ASSERT_STR(list.v[0].reason, "order 1");
	ASSERT_STR(list.v[0].after, "{\"serial\":\"1\"}");
	ASSERT_STR(list.v[1].action, "order.create");
	OK(store_audit_list(tx, &(struct audit_filter){ .since_ms = 6 }, &ten, &list, err));
	ASSERT_INT(list.n, 1);
	OK(store_audit_list(tx, &(struct audit_filter){ .since_ms = 5, .until_ms = 9 }, &ten, &list, err));
	ASSERT_INT(list.n, 1);
	ASSERT_STR(list.v[0].action, "order.create");
	/* every filter with every other: each finds what it should, and (the plans below) by an index */
	for (size_t o = 0; o < ARRAY_SIZE(some); o++)
		for (int bits = 0; bits < 4; bits++) {
			struct audit_filter f = { .object = some[o], .actor = bits & 1 ? "system" : NULL,
						  .action = bits & 2 ? "certificate.issue" : NULL };

			OK(store_audit_list(tx, &f, &ten, &list, err));
			ASSERT_INT(list.n, f.object || f.actor || f.action ? 1 : 2);
			ASSERT_STR(list.v[0].object_name, "shop.example");
		}
	OK(store_audit_list(tx, &(struct audit_filter){ .since_ms = 6 }, &(struct page){ .limit = 10, .order = PAGE_OLDEST }, &list, err));
	for (size_t k = 1; k < list.n; k++)
		ASSERT_TRUE(list.v[k - 1].at_ms <= list.v[k].at_ms);
	ASSERT_TRUE(list.n && list.v[0].at_ms >= 6);
	OK(store_audit_list(tx, &(struct audit_filter){ .object = "shop.example", .actor = "anna" }, &ten, &list, err));
	ASSERT_INT(list.n, 0);

	OK(store_idempotency_add(tx, &i, 0, err));
	OK(store_idempotency_find(tx, user, route, key, 500, &found, err));
	ASSERT_STR(found.object_id, "01O");
	idempotency_done(&found);
	FAILS(store_idempotency_find(tx, user, route, key, 1500, &found, err), ERR_NOT_FOUND);
	i.created_ms = 2000;
	OK(store_idempotency_add(tx, &i, 1500, err)); /* the expired one makes way */
	OK(store_idempotency_prune(tx, 3000, &n, err));
	ASSERT_INT(n, 1);
	return 0;
}

/* renewals, windows, notices */

static int renewals_fn(struct sql *tx, void *arg, struct err *err)
{
	char id[] = "01RENEW", dir[] = "https://ca.example/dir", name[] = "w", cron[] = "0 2 * * *", zone[] = "UTC", why[] = "{}";
	struct certificate c = { .id = id, .source = name, .names_hash = name, .validation = name, .key_policy = name, .key_type = name,
				 .managed = true, .status = CERTIFICATE_ACTIVE, .not_after_ms = 900, .renew_at_ms = 500, .next_attempt_ms = 500, .created_ms = 1 };
	struct renewal n = { .certificate_id = id, .version_id = name, .directory_url = dir, .ari_id = name, .ari_next_ms = 700, .why = RENEWAL_BY_ARI,
			     .waits = WAITS_WINDOW, .window_start_ms = 1, .window_end_ms = 2, .key_max_days = 398 };
	struct renewal_window w = { .id = name, .name = name, .cron = cron, .zone = zone, .minutes = 60, .is_default = true, .created_ms = 5 };
	_cleanup_renewal_ struct renewal got = { 0 };
	_cleanup_renewal_list_ struct renewal_list l = { 0 };
	_cleanup_certificate_list_ struct certificate_list cl = { 0 };
	_cleanup_renewal_window_ struct renewal_window gw = { 0 };
	_cleanup_renewal_window_list_ struct renewal_window_list wl = { 0 };
	_cleanup_strlist_ struct strlist dirs = { 0 };
	_cleanup_free_ char *order = NULL;
	int64_t k = 0;

	strlist_add(&c.names, "a.example");
	OK(store_certificate_add(tx, &c, err));
	strlist_clear(&c.names);
	FAILS(store_renewal_get(tx, id, &got, err), ERR_NOT_FOUND);
	OK(store_renewal_put(tx, &n, err));
	n.reason = why;
	OK(store_renewal_put(tx, &n, err));
	OK(store_renewal_get(tx, id, &got, err));
	ASSERT_INT(got.why, RENEWAL_BY_ARI);
	ASSERT_INT(got.waits, WAITS_WINDOW);
	ASSERT_STR(got.reason, "{}");
	OK(store_renewal_ari_due(tx, dir, 699, 10, &l, err));
	ASSERT_INT(l.n, 0);
	OK(store_renewal_ari_due(tx, dir, 700, 10, &l, err));
	ASSERT_INT(l.n, 1);
	OK(store_renewal_ari_next(tx, dir, &k, err));
	ASSERT_INT(k, 700);
	OK(store_renewal_directories(tx, &dirs, err));
	ASSERT_INT(dirs.n, 1);
	c.renew_at_ms = 600;
	c.next_attempt_ms = 601;
	OK(store_certificate_plan(tx, &c, err));
	OK(store_certificate_next_due(tx, &k, err));
	ASSERT_TRUE(k <= 601);
	OK(store_certificate_due_count(tx, 601, 10, &k, err));
	ASSERT_TRUE(k >= 1);
	OK(store_certificate_schedule(tx, &ten, &cl, err));
	ASSERT_TRUE(cl.n >= 1);
	OK(store_certificate_overdue(tx, 601, 10, &cl, err));
	ASSERT_TRUE(cl.n >= 1);
	OK(store_certificate_watched(tx, 0, 1000, 10, &cl, err));
	OK(store_version_count(tx, id, 0, &k, err));
	ASSERT_INT(k, 0);
	OK(store_version_revoked(tx, name, 5, err));
	FAILS(store_order_find_renewal(tx, id, &order, err), ERR_NOT_FOUND);
	OK(store_job_wake(tx, "renewal", NULL, 5, err));
	OK(store_job_wake(tx, "renewal-info", dir, 5, err));
	OK(store_renewal_window_add(tx, &w, err));
	OK(store_renewal_window_get(tx, name, &gw, err));
	ASSERT_TRUE(gw.is_default);
	renewal_window_done(&gw);
	OK(store_renewal_window_get_num(tx, w.num, &gw, err));
	OK(store_renewal_window_list(tx, &wl, err));
	ASSERT_INT(wl.n, 1);
	OK(store_renewal_window_delete(tx, name, 9, err));
	FAILS(store_renewal_window_delete(tx, name, 9, err), ERR_NOT_FOUND);
	return 0;
}

static int notices_fn(struct sql *tx, void *arg, struct err *err)
{
	char id[] = "01NOTICE", kind[] = "account", subject[] = "01ACC", cause[] = "gone";
	struct notice n = { .id = id, .kind = NOTICE_ACCOUNT, .subject_kind = kind, .subject_id = subject, .cause = cause, .raised_ms = 7 };
	_cleanup_notice_ struct notice got = { 0 };
	_cleanup_notice_list_ struct notice_list l = { 0 };
	_cleanup_strlist_ struct strlist ids = { 0 };
	bool fresh = false;
	int64_t k = 0, first = 0;

	OK(store_notice_add(tx, &n, err));
	OK(store_notice_find(tx, NOTICE_ACCOUNT, kind, subject, &got, err));
	ASSERT_STR(got.cause, "gone");
	OK(store_notice_touch(tx, id, "01B", 50, 8, &fresh, err));
	ASSERT_TRUE(fresh);
	OK(store_notice_touch(tx, id, "01A", 40, 8, &fresh, err));
	OK(store_notice_touch(tx, id, "01A", 40, 9, &fresh, err));
	ASSERT_FALSE(fresh);
	OK(store_notice_sum(tx, id, &k, &first, err));
	ASSERT_INT(k, 2);
	ASSERT_INT(first, 40);
	OK(store_notice_certificates(tx, id, 1, &ids, err));
	ASSERT_STR(ids.v[0], "01A");
	OK(store_notice_of(tx, "01B", &l, err));
	ASSERT_INT(l.n, 1);
	OK(store_notice_open(tx, 10, &l, err));
	ASSERT_INT(l.n, 1);
	OK(store_notice_untouch(tx, id, "01B", err));
	n.ended_ms = 10;
	OK(store_notice_put(tx, &n, err));
	FAILS(store_notice_find(tx, NOTICE_ACCOUNT, kind, subject, &got, err), ERR_NOT_FOUND);
	OK(store_notice_prune(tx, 11, &k, err));
	ASSERT_INT(k, 1);
	return 0;
}

/* Each way a search walks, also with what it judges row by row. */
static int search_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	static const char *const texts[] = { "", "tag:a", "owner:a", "key:p256", "source:imported", "status:revoked", "vendor:letsencrypt", "example",
					     "name:*.example.com tag:a", "expires<9999d", "status:expired", "expires>1d vendor:letsencrypt" };
	_cleanup_certificate_notes_ struct certificate_notes notes = { 0 };
	_cleanup_free_ char *id = NULL;
	bool changed;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (int by_expiry = 0; by_expiry < 2; by_expiry++) {
			_cleanup_search_ struct search s = { 0 };
			_cleanup_search_page_ struct search_page page = { 0 };

			OK(search_parse(texts[i], 10, &s, err));
			OK(store_search(tx, &s, by_expiry, &ten, 10, &page, err));
		}
	OK(store_fingerprint_find(tx, "none", &id, err));
	ASSERT_TRUE(!id);
	OK(store_version_set_key(tx, "none", "none", &changed, err));
	ASSERT_TRUE(!changed);
	FAILS(store_notes_get(tx, "none", &notes, err), ERR_NOT_FOUND);
	FAILS(store_key_revive(tx, "none", "x", 1, err), ERR_NOT_FOUND);
	return 0;
}

/* query plans */

struct plan {
	const char *statement;
	bool bad;
};

static int plan_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	/* lane is as small as the list of vendors; schema, admins and sums are read whole on purpose */
	static const char *const fine[] = { "SCAN lane", "SCAN schema_migration", "SCAN leased", "SCAN (subquery",
					    "SCAN users", "SCAN CONSTANT ROW", "SCAN debt USING INDEX debt_owed",
					    /* a row per directory; accounts once an hour */
					    "SCAN vendor_setting", "SCAN vendor_check", "SCAN a USING INDEX account_directory",
					    /* windows and open notices are few and all wanted */
					    "SCAN renewal_window USING INDEX renewal_window_live", "SCAN notice USING INDEX notice_live", "SCAN due",
					    /* the trigram index, newest first */
					    "SCAN f VIRTUAL TABLE INDEX" };
	struct plan *p = arg;
	const char *detail = row_text(r, 3);
	/* without LIMIT all rows are wanted and few: those of one order, say */
	bool scan = str_starts(detail, "SCAN") ||
		    (strstr(detail, "TEMP B-TREE FOR ORDER BY") && strstr(p->statement, " LIMIT "));

	for (size_t i = 0; i < ARRAY_SIZE(fine) && scan; i++)
		scan = !str_starts(detail, fine[i]);
	/* rows in work: a partial index that holds nothing else */
	if (scan && (strstr(detail, "USING INDEX orders_lease") || strstr(detail, "USING INDEX job_lease") ||
		     strstr(detail, "USING INDEX debt_lease")))
		scan = false;
	if (scan) {
		print_error("%s\n  -> %s\n", p->statement, detail);
		count_plan_scans++;
	}
	return 0;
}

/* The lists of names that no other test fills: each order's statement is there for the plans. */
static int empty_lists_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	for (int i = 0; i < 3; i++) {
		const struct page p = { .limit = 10, .order = (enum page_order)i };
		_cleanup_provider_list_ struct provider_list providers = { 0 };
		_cleanup_validation_rule_list_ struct validation_rule_list rules = { 0 };
		_cleanup_channel_list_ struct channel_list channels = { 0 };

		OK(store_provider_list(tx, &(struct narrow){ .only = "none" }, &p, &providers, err));
		OK(store_rule_list(tx, &(struct narrow){ .only = "none" }, &p, &rules, err));
		OK(store_channel_list(tx, &(struct narrow){ .only = "none" }, &p, &channels, err));
		ASSERT_INT(providers.n + rules.n + channels.n, 0);
	}
	return 0;
}

static int plans_fn(struct sql *tx, UNUSED void *arg, struct err *err)
{
	static struct sql_value nulls[SQL_MAX_VALUES];
	_cleanup_strlist_ struct strlist texts = { 0 };
	size_t params[1024], n = 0;

	for (size_t i = 0; i < STMT_BUCKETS; i++) {
		for (struct stmt *s = tx->stmts[i]; s; s = s->next) {
			if (!str_starts(s->text, "SELECT") && !str_starts(s->text, "UPDATE") && !str_starts(s->text, "DELETE"))
				continue;
			assert(n < ARRAY_SIZE(params));
			params[n++] = s->params;
			strlist_add(&texts, s->text);
		}
	}
	ASSERT_TRUE(n > 100); /* all of them are there */
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = xasprintf("EXPLAIN QUERY PLAN %s", texts.v[i]);
		struct plan p = { .statement = texts.v[i] };

		ASSERT_TRUE(sql_each(tx, text, (struct sql_values){ nulls, params[i] }, plan_row, &p, err) >= 0);
	}
	ASSERT_INT(count_plan_scans, 0);
	return 0;
}

/* What orders and claims need of statements beyond the functions above. */
static int order_statements_fn(struct sql *tx, void *arg, struct err *err)
{
	struct rig *rig = arg;
	_cleanup_order_ struct order o = rig_order(rig, 2, "z", 1), found = { 0 };
	_cleanup_order_list_ struct order_list list = { 0 };
	_cleanup_claimed_ struct claimed got = { 0 };
	const struct claim_lane lane[] = { { "z", 5 } };
	_cleanup_free_ char *holder = NULL;
	struct page_mark end;
	int64_t num = 0;

	OK(store_order_add(tx, &o, err));
	for (int i = 0; i < 32; i++) { /* every filter with every other, both ways */
		const struct order_filter f = { .status = i & 1 ? "pending" : NULL, .account_id = i & 2 ? "x" : NULL, .certificate_id = i & 4 ? "x" : NULL,
						.name = i & 8 ? "exa" : NULL };

		OK(store_order_list(tx, &f, &(struct page){ .limit = 10, .order = (i & 16) ? PAGE_OLDEST : PAGE_NEWEST }, &list, &end, err));
		if (i < 4) {
			OK(store_order_list(tx, &f, &(struct page){ .limit = 10, .order = PAGE_NAME }, &list, &end, err));
			OK(store_order_list(tx, &f, &(struct page){ .limit = 10, .order = PAGE_STATUS }, &list, &end, err));
		}
	}
	OK(store_order_find_request(tx, o.request_hash, &found, err));
	for (int w = WANT_FINALIZE; w <= WANT_CANCEL; w++) {
		OK(store_order_ask(tx, o.id, (enum order_want)w, 10, 10, err));
		OK(store_order_served(tx, &o, (enum order_want)w, err));
	}
	OK(store_order_go_on(tx, o.id, 10, err));
	OK(store_order_go_on_get(tx, o.id, &num, err));
	ASSERT_INT(num, 10);
	OK(store_claim(tx,
		       &(struct claim){ .lanes = lane, .n_lanes = 1, .max = 5, .owner = "n/1", .now_ms = 100, .lease_until_ms = 200 },
		       &got, err));
	ASSERT_INT(got.orders.n, 1);
	OK(store_order_take_turn(tx, &got.orders.v[0], &holder, &num, err));
	OK(store_order_poll(tx, &got.orders.v[0], 110, err));
	FAILS(store_order_poll(tx, &o, 110, err), ERR_LOST_LEASE);
	OK(store_order_wake_waiters(tx, o.id, 120, err));
	OK(store_debt_release_order(tx, o.id, 120, err));
	OK(store_order_delete(tx, o.id, 130, err));
	return 0;
}

#define ROWS_TEST(name, fn)                                                                                            \
	static void name(UNUSED void **state)                                                                          \
	{                                                                                                              \
		_cleanup_rig_ struct rig *rig = rig_new();                                                             \
                                                                                                                       \
		WRITE(rig, fn, rig);                                                                                   \
	}

ROWS_TEST(keys_are_kept_and_destroyed_when_nothing_points_to_them, keys_fn)
ROWS_TEST(accounts_are_written_by_rev_and_hidden, accounts_fn)
ROWS_TEST(an_account_is_known_to_be_stale_rolling_and_busy, account_life_fn)
ROWS_TEST(what_hangs_on_an_order_is_made_once_and_kept_while_owed, order_parts_fn)
ROWS_TEST(every_change_of_the_feed_has_the_next_number, feed_fn)
ROWS_TEST(a_delegation_is_made_once_per_name, delegations_fn)
ROWS_TEST(views_and_their_rules_are_found_by_the_longest_suffix, views_fn)
ROWS_TEST(what_was_asked_about_a_zone_is_bounded, asked_fn)
ROWS_TEST(events_are_read_in_pages_and_pruned, events_fn)
ROWS_TEST(a_new_version_replaces_the_current_one, certificates_fn)
ROWS_TEST(a_csr_in_use_is_refused_with_its_users, csr_in_use_fn)
ROWS_TEST(jobs_are_found_and_lanes_parked, jobs_fn)
ROWS_TEST(users_sessions_and_tokens_end_together, users_fn)
ROWS_TEST(audit_and_idempotency_keys_are_found_again, audit_rows_fn)

static void no_statement_reads_a_whole_table(UNUSED void **state)
{
	static sql_tx_fn *const all[] = { keys_fn,	   accounts_fn, order_parts_fn, feed_fn, delegations_fn, views_fn, asked_fn, events_fn,
					  certificates_fn, search_fn, jobs_fn,	users_fn,	audit_rows_fn, order_statements_fn, account_life_fn,
					  renewals_fn, notices_fn, empty_lists_fn, plans_fn };
	_cleanup_rig_ struct rig *rig = rig_new();

	if (rig_pgsql)
		return; /* its planner reads small tables whole; the indexes are the same */
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		WRITE(rig, all[i], rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_kept_and_destroyed_when_nothing_points_to_them),
		TEST(accounts_are_written_by_rev_and_hidden),
		TEST(an_account_is_known_to_be_stale_rolling_and_busy),
		TEST(what_hangs_on_an_order_is_made_once_and_kept_while_owed),
		TEST(every_change_of_the_feed_has_the_next_number),
		TEST(a_delegation_is_made_once_per_name),
		TEST(views_and_their_rules_are_found_by_the_longest_suffix),
		TEST(what_was_asked_about_a_zone_is_bounded),
		TEST(events_are_read_in_pages_and_pruned),
		TEST(a_new_version_replaces_the_current_one),
		TEST(a_csr_in_use_is_refused_with_its_users),
		TEST(jobs_are_found_and_lanes_parked),
		TEST(users_sessions_and_tokens_end_together),
		TEST(audit_and_idempotency_keys_are_found_again),
		TEST(no_statement_reads_a_whole_table),
	};

	return rig_main("rows", tests, ARRAY_SIZE(tests));
}
