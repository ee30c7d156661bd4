/* SPDX-License-Identifier: Apache-2.0 */
/* authz.h - authorizations, rows under the order's lease (write them in the same write function as store_order_put). */
#ifndef STORE_AUTHZ_H
#define STORE_AUTHZ_H

#include "model/order.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(authz);
#define _cleanup_authz_list_ __attribute__((cleanup(authz_list_done)))

/* Inserts, or updates the row of the same (order, identifier, wildcard); a->id becomes the row's id. */
int store_authz_put(struct sql *tx, struct authz *a, struct err *err) MUST_CHECK;
/* An order of this account that is under way has the pending authorization with this URL: it gives it back itself. */
int store_authz_needed(struct sql *q, const char *account_id, const char *url, bool *ret, struct err *err) MUST_CHECK;
/* By position. */
int store_authz_list(struct sql *q, const char *order_id, struct authz_list *ret, struct err *err) MUST_CHECK;

#endif
