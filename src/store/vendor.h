/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendor.h - what this installation knows of vendors beside the registry: other directory URLs, and what their directories said when
 * they were last read. Writes touch ("vendor", key) and ("vendor-check", directory URL).
 */
#ifndef STORE_VENDOR_H
#define STORE_VENDOR_H

#include "base/str.h"
#include "store/list.h"
#include "store/store.h"

struct vendor_setting {
	char *key;
	char *directory_url; /* NULL: the registry's */
	int64_t rev;         /* 0: there is no row yet */
	int64_t updated_ms;
};
void vendor_setting_done(struct vendor_setting *s);
STORE_LIST(vendor_setting);
#define _cleanup_vendor_setting_ __attribute__((cleanup(vendor_setting_done)))
#define _cleanup_vendor_setting_list_ __attribute__((cleanup(vendor_setting_list_done)))

struct vendor_check {
	char *directory_url;
	char *facts;  /* JSON of the last reading that succeeded, NULL = never */
	int64_t facts_ms;
	char *moved;  /* JSON list of sentences, NULL = nothing ever moved */
	int64_t moved_ms, checked_ms;
	char *reason; /* JSON of struct err: the last reading failed */
};
void vendor_check_done(struct vendor_check *c);
STORE_LIST(vendor_check);
#define _cleanup_vendor_check_ __attribute__((cleanup(vendor_check_done)))
#define _cleanup_vendor_check_list_ __attribute__((cleanup(vendor_check_list_done)))

/* Empty with rev 0 when nobody has set anything. */
int store_vendor_setting_get(struct sql *q, const char *key, struct vendor_setting *ret, struct err *err) MUST_CHECK;
/* expect_rev 0 = any; CHANGED when the row has another. Raises rev. */
int store_vendor_setting_put(struct sql *tx, struct vendor_setting *s, int64_t expect_rev, struct err *err) MUST_CHECK;
int store_vendor_setting_list(struct sql *q, struct vendor_setting_list *ret, struct err *err) MUST_CHECK;

int store_vendor_check_get(struct sql *q, const char *directory_url, struct vendor_check *ret, struct err *err) MUST_CHECK; /* NOT_FOUND */
int store_vendor_check_put(struct sql *tx, const struct vendor_check *c, struct err *err) MUST_CHECK; /* inserts or replaces */
int store_vendor_check_list(struct sql *q, struct vendor_check_list *ret, struct err *err) MUST_CHECK;
/* Directory URLs of live accounts that were not read since that instant, at most 100. */
int store_vendor_check_due(struct sql *q, int64_t before_ms, struct strlist *ret, struct err *err) MUST_CHECK;

#endif
