/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - the inventory and what may be handed out of it. */
#ifndef SERVICE_CERTIFICATE_H
#define SERVICE_CERTIFICATE_H

#include "service/service.h"
#include "store/inventory.h"

struct certificate_view {
	struct certificate certificate;
	char *vendor;          /* key, NULL when there is no account */
	struct version current; /* id NULL when there is none */
	struct certificate_notes notes;
};
void certificate_view_done(struct certificate_view *v);
#define _cleanup_certificate_view_ __attribute__((cleanup(certificate_view_done)))
STORE_LIST(certificate_view);
#define _cleanup_certificate_view_list_ __attribute__((cleanup(certificate_view_list_done)))

struct certificate_detail {
	struct certificate_view view;
	struct version_list versions; /* newest first */
	char *sha1; /* fingerprint of the current one, for those who still ask; NULL when there is none */
};
void certificate_detail_done(struct certificate_detail *d);
#define _cleanup_certificate_detail_ __attribute__((cleanup(certificate_detail_done)))

/* "active", "expiring" (under 30 days or a third of its life), "expired", "revoked", "set-aside". */
const char *service_certificate_health(const struct certificate *c, int64_t now_ms);

int service_certificate_list(struct service *s, const char *sort, const struct list_query *q, struct certificate_view_list *ret,
			     struct list_end *end, struct err *err) MUST_CHECK;
/*
 * text: model/search.h. sort: "created" (newest first), "expires" (first to expire first), NULL: as the search suggests; others are
 * INVALID with the field "/sort". A page may be short, or empty, and still have more behind it: a call looks at a bounded number of rows.
 */
int service_certificate_search(struct service *s, const char *text, const char *sort, const struct list_query *q,
			       struct certificate_view_list *ret, struct list_end *end, struct err *err) MUST_CHECK;
int service_certificate_get(struct service *s, const char *ref, struct certificate_detail *ret, struct err *err) MUST_CHECK;
int service_certificate_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;

struct certificate_export {
	const char *format; /* pem (leaf), chain, fullchain, der, pkcs12, pkcs12-legacy, zip; service/pull.h: key, combined */
	struct secret password; /* of a PKCS#12 file */
	bool with_key;      /* asks for PERM_KEY_EXPORT too */
	const char *reason;
};
struct exported {
	struct secret body;
	char *name; /* of the file, made here */
};
void exported_clear(struct exported *e);
#define _cleanup_exported_ __attribute__((cleanup(exported_clear)))
/* The audit row is durable before the key is opened. DENIED, CONFLICT (no key here), INVALID. */
int service_certificate_export(struct service *s, const struct actor *a, const char *ref, const struct certificate_export *r,
			       struct exported *ret, struct err *err) MUST_CHECK;

/* A file name of safe characters: "example.com-staging.fullchain.pem"; owned by the caller. */
char *service_file_name(const struct strlist *names, bool staging, const char *extension);

#endif
