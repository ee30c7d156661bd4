/* SPDX-License-Identifier: Apache-2.0 */
/* manage.c - a certificate is taken over. */
#include "service/manage.h"

#include "api/call.h"
#include "base/limits.h"

static const char *const validations[] = { "dns-01", "http-01", NULL };
static const char *const keys[] = { "new", "reuse", NULL };
static const char *const key_types[] = { "p256", "p384", "rsa2048", "rsa3072", "rsa4096", NULL };

const struct json_field manage_fields[] = {
	JF_STR(struct manage_create, account_id, .required = true, .min = 1, .max = ULID_LEN),
	JF_STR(struct manage_create, validation, .required = true, .one_of = validations),
	JF_STR(struct manage_create, dns, .min = 1, .max = ULID_LEN),
	JF_STR(struct manage_create, http, .min = 1, .max = ULID_LEN),
	JF_JSON(struct manage_create, methods),
	JF_STR(struct manage_create, profile, .min = 1, .max = 64),
	JF_STR(struct manage_create, key, .required = true, .one_of = keys),
	JF_STR(struct manage_create, csr_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct manage_create, key_type, .one_of = key_types),
	{ 0 }
};

int certificate_manage(struct call *c, struct err *err)
{
	return service_manage(c->service, &c->actor, c->id, c->body, err) < 0 ? -(int)err->code : certificate_get(c, err);
}
