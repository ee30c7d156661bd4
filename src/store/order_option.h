/* SPDX-License-Identifier: Apache-2.0 */
/* order_option.h - what an order asks for beyond names and profile; most orders have no row. */
#ifndef STORE_ORDER_OPTION_H
#define STORE_ORDER_OPTION_H

#include "model/order.h"
#include "store/store.h"

/* Nothing is stored when nothing is asked for. */
int store_order_options_add(struct sql *tx, const char *order_id, const struct order_options *o, struct err *err) MUST_CHECK;
/* Empty without a row. */
int store_order_options_get(struct sql *q, const char *order_id, struct order_options *ret, struct err *err) MUST_CHECK;
/* Those of the newest order of a certificate that has any; not its end, which was that order's. */
int store_order_options_of_certificate(struct sql *q, const char *certificate_id, struct order_options *ret, struct err *err) MUST_CHECK;
int store_order_options_drop_profile(struct sql *tx, const char *order_id, struct err *err) MUST_CHECK;

#endif
