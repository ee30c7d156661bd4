/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h - taking certificates made elsewhere into the inventory. What comes in is only watched, until somebody manages it.
 * The same file a second time changes nothing: a certificate is known by its fingerprint.
 */
#ifndef SERVICE_IMPORT_H
#define SERVICE_IMPORT_H

#include "service/service.h"
#include "store/inventory.h"

struct import_create {       /* as the API decodes it */
	const char *content; /* PEM text, or base64 of DER or PKCS#12 */
	struct secret password;
	const char *owner, *notes;
	struct strlist tags;
	bool with_keys; /* keep the private keys in it; false: they are not looked at */
};

struct import_row {
	const char *result; /* "imported", "key-added", "known", "failed" */
	char *certificate_id; /* or NULL */
	int64_t certificate_num;
	struct strlist names;
	char *subject, *fingerprint; /* NULL when it is about a key */
	int64_t not_after_ms;
	bool has_key;
	struct err err; /* of a failed one */
};
void import_row_done(struct import_row *r);
STORE_LIST(import_row);
#define _cleanup_import_row_list_ __attribute__((cleanup(import_row_list_done)))

/*
 * Slow. One row for each certificate that is not just another's issuer, each in a transaction of its own; a row for each key that
 * cannot be kept. An error is about the file as a whole: unreadable ("/content"), a wrong password ("/password").
 */
int service_import(struct service *s, const struct actor *a, const struct import_create *r, struct import_row_list *ret,
		   struct err *err) MUST_CHECK;

struct notes_update { /* what people note down; all three are replaced */
	const char *owner, *notes;
	struct strlist tags;
};
int service_notes_update(struct service *s, const struct actor *a, const char *ref, const struct notes_update *u, int64_t rev,
			 struct err *err) MUST_CHECK;
/* Checks and brings tags into order: lower case, sorted, unique. INVALID with "/tags/N". */
int service_tags(const struct strlist *in, struct strlist *ret, struct err *err) MUST_CHECK;

#endif
