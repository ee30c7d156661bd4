/* SPDX-License-Identifier: Apache-2.0 */
/* csr.h - certificate signing requests. Writes touch ("csr", id). */
#ifndef STORE_CSR_H
#define STORE_CSR_H

#include "model/certificate.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(csr);
#define _cleanup_csr_list_ __attribute__((cleanup(csr_list_done)))

int store_csr_add(struct sql *tx, struct csr *c, struct err *err) MUST_CHECK; /* hands out c->num */
int store_csr_get(struct sql *q, const char *id, struct csr *ret, struct err *err) MUST_CHECK;
int store_csr_get_any(struct sql *q, const char *id, struct csr *ret, struct err *err) MUST_CHECK; /* deleted too */
int store_csr_get_num(struct sql *q, int64_t num, struct csr *ret, struct err *err) MUST_CHECK;
struct csr_filter { /* NULL: any */
	const char *key_type;
	const char *name; /* a part of a name, of at least three characters: then the number is the key of the page */
};
int store_csr_list(struct sql *q, const struct csr_filter *f, const struct page *p, struct csr_list *ret, int64_t *ret_key, struct err *err) MUST_CHECK;
/* IN_USE with the numbers of the unfinished orders and live certificates that point to it. */
int store_csr_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

/* A CSR here, deleted ones too, is for the key with that hash. */
int store_csr_uses_public(struct sql *q, const char *public_hash, bool *ret, struct err *err) MUST_CHECK;

#endif
