/* SPDX-License-Identifier: Apache-2.0 */
/* manage.h - a certificate that was made elsewhere, or elsewhere until now, is renewed from here. */
#ifndef SERVICE_MANAGE_H
#define SERVICE_MANAGE_H

#include "base/json.h"
#include "service/service.h"

struct manage_create { /* as the API decodes it */
	const char *account_id, *validation; /* account: id or number */
	const char *dns, *http;              /* for all names, as in orders; NULL = rules and delegations decide */
	json_t *methods;                     /* for single names */
	const char *profile;
	const char *key;                     /* "new" at each renewal, or "reuse" */
	const char *csr_id;                  /* of reuse, when the key is elsewhere */
	const char *key_type;                /* of new; NULL: as it is */
};
/*
 * reuse without a CSR: the certificate's own CSR, else one is made now with the key that is kept here. Managed ones change their account,
 * validation or key policy the same way. CONFLICT, INVALID as engine/manage.h; "/csr_id" when there is nothing to use again.
 */
int service_manage(struct service *s, const struct actor *a, const char *ref, const struct manage_create *r, struct err *err) MUST_CHECK;

#endif
