/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h - validation rules: suffix and vendor to method. */
#ifndef STORE_RULE_H
#define STORE_RULE_H

#include "model/provider.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(validation_rule);
#define _cleanup_validation_rule_list_ __attribute__((cleanup(validation_rule_list_done)))

/* CONFLICT ("/suffix") when there is one for the same suffix, vendor and validation. */
int store_rule_add(struct sql *tx, struct validation_rule *r, struct err *err) MUST_CHECK;
/* suffix, vendor, validation, method; sets rev. */
int store_rule_put(struct sql *tx, struct validation_rule *r, int64_t expect_rev, struct err *err) MUST_CHECK;
int store_rule_get(struct sql *q, const char *id, struct validation_rule *ret, struct err *err) MUST_CHECK;
int store_rule_get_num(struct sql *q, int64_t num, struct validation_rule *ret, struct err *err) MUST_CHECK;
/* By newest, oldest or name; only: the method. */
int store_rule_list(struct sql *q, const struct narrow *by, const struct page *p, struct validation_rule_list *ret, struct err *err) MUST_CHECK;
int store_rule_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/*
 * The rule of the longest suffix that is the name or an end of it at a dot; of two with the same suffix the one that names the
 * vendor. 1, or 0 when there is none. name is canonical, without "*.".
 */
int store_rule_match(struct sql *q, const char *name, const char *vendor, enum validation validation, struct validation_rule *ret,
		     struct err *err) MUST_CHECK;

#endif
