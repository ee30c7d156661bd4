/* SPDX-License-Identifier: Apache-2.0 */
/* delegation.h - zones _acme-challenge.<name> that Certwright serves. Each write touches ("delegation", id). */
#ifndef STORE_DELEGATION_H
#define STORE_DELEGATION_H

#include "model/order.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(delegation);
#define _cleanup_delegation_list_ __attribute__((cleanup(delegation_list_done)))

/* Makes one for the name if there is no live one; *ret_made (may be NULL) says which. d becomes the row. */
int store_delegation_ensure(struct sql *tx, struct delegation *d, bool *ret_made, struct err *err) MUST_CHECK;
int store_delegation_get(struct sql *q, const char *id, struct delegation *ret, struct err *err) MUST_CHECK;
int store_delegation_get_num(struct sql *q, int64_t num, struct delegation *ret, struct err *err) MUST_CHECK;
int store_delegation_find(struct sql *q, const char *name, struct delegation *ret, struct err *err) MUST_CHECK;
/* Newest first, page as for orders. */
/* name: a part of it in lower case, NULL = any. */
int store_delegation_list(struct sql *q, const char *name, const struct page *p, struct delegation_list *ret, struct err *err) MUST_CHECK;
int store_delegation_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* What the last look found: looked, looked_ms, good_ms, away, away_ms. No new rev: nothing editable changed. One that was deleted meanwhile is fine. */
int store_delegation_looked(struct sql *tx, const struct delegation *d, struct err *err) MUST_CHECK;
/* Those whose look by itself is due, the longest waiting first. */
int store_delegation_due(struct sql *q, int64_t now_ms, int limit, struct delegation_list *ret, struct err *err) MUST_CHECK;
int store_delegation_next_look(struct sql *tx, const char *id, int64_t due_ms, struct err *err) MUST_CHECK;

#endif
