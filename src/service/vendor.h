/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.h - the vendor registry as this installation sees it: rows, overrides, and what the directories said. */
#ifndef SERVICE_VENDOR_H
#define SERVICE_VENDOR_H

#include "model/vendor.h"
#include "service/service.h"
#include "store/vendor.h"

struct vendor_view {
	const struct vendor *vendor; /* of the registry, or vendor_custom for a directory that is in no row */
	char *directory_url;         /* the override, or the registry's */
	bool overridden;
	int64_t rev;
	struct vendor_check check;   /* of directory_url; directory_url NULL = never read */
	int64_t accounts;            /* live ones there */
};
void vendor_view_done(struct vendor_view *v);
STORE_LIST(vendor_view);
#define _cleanup_vendor_view_ __attribute__((cleanup(vendor_view_done)))
#define _cleanup_vendor_view_list_ __attribute__((cleanup(vendor_view_list_done)))

/* All rows of the registry, then the directories of accounts (and readings) that are in none. */
int service_vendor_list(struct service *s, struct vendor_view_list *ret, struct err *err) MUST_CHECK;
int service_vendor_get(struct service *s, const char *key, struct vendor_view *ret, struct err *err) MUST_CHECK; /* NOT_FOUND */
/* directory_url NULL or "" = the registry's again. */
int service_vendor_update(struct service *s, const struct actor *a, const char *key, int64_t rev, const char *directory_url,
			  struct vendor_view *ret, struct err *err) MUST_CHECK;
/* Reads one directory: of a vendor (region NULL = its usual one) or any. *ret_job is owned. */
int service_vendor_check(struct service *s, const struct actor *a, const char *key, const char *region, const char *directory_url,
			 char **ret_job, struct err *err) MUST_CHECK;
/* Reads the directories of vendors with an account here, or of all that are active; the jobs' ids. */
int service_vendor_check_all(struct service *s, const struct actor *a, bool all, struct strlist *ret_jobs, struct err *err) MUST_CHECK;
/* The reading of a directory; NOT_FOUND when there is none. */
int service_vendor_reading(struct service *s, const char *directory_url, struct vendor_check *ret, struct err *err) MUST_CHECK;

#endif
