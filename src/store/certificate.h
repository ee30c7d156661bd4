/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - certificates (the wish that lasts) and versions (what was issued). Writes touch ("certificate", id). */
#ifndef STORE_CERTIFICATE_H
#define STORE_CERTIFICATE_H

#include "model/certificate.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(certificate);
#define _cleanup_certificate_list_ __attribute__((cleanup(certificate_list_done)))
STORE_LIST(version);
#define _cleanup_version_list_ __attribute__((cleanup(version_list_done)))

int store_certificate_add(struct sql *tx, struct certificate *c, struct err *err) MUST_CHECK; /* hands out c->num */
int store_certificate_get(struct sql *q, const char *id, struct certificate *ret, struct err *err) MUST_CHECK;
int store_certificate_get_num(struct sql *q, int64_t num, struct certificate *ret, struct err *err) MUST_CHECK;
/*
 * Writes csr_id, account_id, validation, methods, profile, key policy and type, managed, status, version_id, validity,
 * renew_at_ms, attempt, next_attempt_ms, pause_reason, updated_ms; raises rev (c->rev is set). expect_rev > 0: CHANGED when
 * the row's rev is another one.
 */
int store_certificate_put(struct sql *tx, struct certificate *c, int64_t expect_rev, struct err *err) MUST_CHECK;
int store_certificate_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

/*
 * What stands first: made last; first to expire; first name; issuer and owner from A to Z (without an owner last); status, and of each
 * the first to expire; what was issued last.
 */
enum certificate_sort {
	CERTIFICATES_NEWEST,
	CERTIFICATES_EXPIRY,
	CERTIFICATES_NAME,
	CERTIFICATES_ISSUER,
	CERTIFICATES_OWNER,
	CERTIFICATES_STATUS,
	CERTIFICATES_ISSUED,
	CERTIFICATES_SORTS
};
/* ret_end (may be NULL): where the next page begins. */
int store_certificate_list(struct sql *q, enum certificate_sort sort, const struct page *p, struct certificate_list *ret,
			   struct page_mark *ret_end, struct err *err) MUST_CHECK;
/* Managed ones whose names are proved by that method, the first to be renewed first; among the first 5000 that are. */
int store_certificate_by_method(struct sql *q, const char *method, int limit, struct certificate_list *ret, struct err *err) MUST_CHECK;
/* Managed ones with 0 < next_attempt_ms <= now_ms, the earliest first. */
int store_certificate_due(struct sql *q, int64_t now_ms, int limit, struct certificate_list *ret, struct err *err) MUST_CHECK;

/* state current: the version before becomes replaced, and the certificate points to this one. CONFLICT: the order has one. */
int store_version_add(struct sql *tx, const struct version *v, struct err *err) MUST_CHECK;
/* How many were issued since that instant. */
int store_version_count(struct sql *q, const char *certificate_id, int64_t since_ms, int64_t *ret, struct err *err) MUST_CHECK;
int store_version_revoked(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
int store_version_get(struct sql *q, const char *id, struct version *ret, struct err *err) MUST_CHECK;
int store_version_find_order(struct sql *q, const char *order_id, struct version *ret, struct err *err) MUST_CHECK; /* not evidence */
int store_version_find_fingerprint(struct sql *q, const char *fingerprint, struct version *ret, struct err *err) MUST_CHECK;
int store_version_list(struct sql *q, const char *certificate_id, struct version_list *ret, struct err *err) MUST_CHECK; /* newest first */

#endif
