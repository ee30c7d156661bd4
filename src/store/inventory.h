/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.h - what people note down about a certificate, what an import asks, and the search. Writes touch ("certificate", id). */
#ifndef STORE_INVENTORY_H
#define STORE_INVENTORY_H

#include "model/certificate.h"
#include "store/certificate.h"

struct certificate_notes {
	char *owner, *notes; /* NULL = none */
	struct strlist tags; /* sorted, unique */
	char *fetched_by;    /* who was last handed it out, or NULL */
	int64_t fetched_ms;
};
void certificate_notes_done(struct certificate_notes *n);
#define _cleanup_certificate_notes_ __attribute__((cleanup(certificate_notes_done)))

int store_notes_get(struct sql *q, const char *certificate_id, struct certificate_notes *ret, struct err *err) MUST_CHECK;
/* Owner, notes and tags; raises rev. expect_rev > 0: CHANGED when the row's rev is another one. */
int store_notes_put(struct sql *tx, const struct certificate *c, const struct certificate_notes *n, int64_t expect_rev, int64_t now_ms,
		    struct err *err) MUST_CHECK;
int store_fetched(struct sql *tx, const char *certificate_id, const char *by, int64_t now_ms, struct err *err) MUST_CHECK;

/* The live certificate that has (or had) the one with this fingerprint: its id, owned by the caller; NULL when there is none. */
int store_fingerprint_find(struct sql *q, const char *fingerprint, char **ret_certificate_id, struct err *err) MUST_CHECK;
/* The key of a version that had none; *ret_changed says whether there was such a one. */
int store_version_set_key(struct sql *tx, const char *fingerprint, const char *key_id, bool *ret_changed, struct err *err) MUST_CHECK;
/* A key that was destroyed is here again, sealed for its old row. */
int store_key_revive(struct sql *tx, const char *id, const void *sealed, size_t n, struct err *err) MUST_CHECK;

#endif
