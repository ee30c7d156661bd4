/* SPDX-License-Identifier: Apache-2.0 */
/* csr.h - certificate signing requests: made here (a job makes the key), or taken from elsewhere. */
#ifndef SERVICE_CSR_H
#define SERVICE_CSR_H

#include "service/service.h"
#include "store/csr.h"

struct csr_create {
	struct strlist names; /* as typed */
	const char *key_type; /* NULL = p256 */
	const char *organization, *organizational_unit, *country, *state, *locality;
};

int service_csr_list(struct service *s, const struct csr_filter *f, const struct list_query *q, struct csr_list *ret, struct list_end *end,
		     struct err *err) MUST_CHECK;
int service_csr_get(struct service *s, const char *ref, struct csr *ret, struct err *err) MUST_CHECK;
/* *ret_job: the job that makes it, owned; its subject is the CSR. */
int service_csr_create(struct service *s, const struct actor *a, const struct csr_create *r, const struct request_key *key,
		       char **ret_job, struct err *err) MUST_CHECK;
int service_csr_upload(struct service *s, const struct actor *a, const char *pem, const struct request_key *key, struct csr *ret,
		       struct err *err) MUST_CHECK;
/* IN_USE with who uses it. */
int service_csr_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;
char *service_csr_pem(const struct csr *c); /* owned by the caller */

#endif
