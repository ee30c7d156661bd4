/* SPDX-License-Identifier: Apache-2.0 */
/* methods.h - how the names of an order are proved, before it is submitted and afterwards, with the words people read. */
#ifndef SERVICE_METHODS_H
#define SERVICE_METHODS_H

#include "base/json.h"
#include "model/provider.h"
#include "service/order.h"

/* {"name": "method"}; names in any spelling. INVALID with "/methods". */
int methods_from_json(json_t *doc, struct name_methods *ret, struct err *err) MUST_CHECK;
/* What such an order would be given; nothing is stored. account_id may be missing: then rules of a vendor do not count. */
int service_order_preview(struct service *s, const struct order_create *r, struct name_preview_list *ret, struct err *err) MUST_CHECK;
/* The stored decision of an order, with words; offers are empty. */
int methods_view(struct sql *q, const struct order *o, struct name_preview_list *ret, struct err *err) MUST_CHECK;

#endif
