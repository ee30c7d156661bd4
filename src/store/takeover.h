/* SPDX-License-Identifier: Apache-2.0 */
/* takeover.h - the certificates that an account orders, and giving them to another when it goes. Touches ("certificate", id). */
#ifndef STORE_TAKEOVER_H
#define STORE_TAKEOVER_H

#include "base/str.h"
#include "store/list.h"
#include "store/store.h"

struct account_certificate {
	char *id;
	int64_t num;
	struct strlist names;
	bool managed; /* renewed by itself */
	int64_t not_after_ms;
};
void account_certificate_done(struct account_certificate *c);
STORE_LIST(account_certificate);
#define _cleanup_account_certificate_list_ __attribute__((cleanup(account_certificate_list_done)))

/* Live ones of the account by id; limit 0 = all. */
int store_account_certificates(struct sql *q, const char *account_id, int limit, struct account_certificate_list *ret,
			       struct err *err) MUST_CHECK;
int store_account_certificate_count(struct sql *q, const char *account_id, int64_t *ret_all, int64_t *ret_managed, struct err *err) MUST_CHECK;
/* All of them: account to_id orders their renewals; a pause because an account was missing ends. */
int store_account_takeover(struct sql *tx, const char *account_id, const char *to_id, int64_t now_ms, struct err *err) MUST_CHECK;
/* None takes them over: reason (JSON of struct err) is why the managed ones wait. */
int store_account_orphan(struct sql *tx, const char *account_id, const char *reason, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
