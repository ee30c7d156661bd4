/* SPDX-License-Identifier: Apache-2.0 */
/* csrs.c - certificate signing requests. */
#include "api/call.h"
#include "base/limits.h"
#include "service/csr.h"

static const char *const key_types[] = { "p256", "p384", "rsa2048", "rsa3072", "rsa4096", NULL };

const struct json_field csr_create_fields[] = {
	JF_LIST(struct csr_create, names, .required = true, .min = 1, .max = LIMIT_NAMES, .item_max = LIMIT_TEXT),
	JF_STR(struct csr_create, key_type, .one_of = key_types),
	JF_STR(struct csr_create, organization, .min = 1, .max = 64),
	JF_STR(struct csr_create, organizational_unit, .min = 1, .max = 64),
	JF_STR(struct csr_create, country, .min = 2, .max = 2),
	JF_STR(struct csr_create, state, .min = 1, .max = 128),
	JF_STR(struct csr_create, locality, .min = 1, .max = 128),
	{ 0 }
};
const struct json_field csr_upload_fields[] = {
	JF_STR(struct pem_body, pem, .required = true, .min = 1, .max = LIMIT_CSR),
	{ 0 }
};

static json_t *csr_json(const struct csr *c)
{
	_cleanup_free_ char *pem = service_csr_pem(c);

	return json_pack("{s:s, s:I, s:s, s:o, s:o, s:s, s:s, s:b, s:o, s:s, s:o}", "id", c->id, "num", (json_int_t)c->num, "source",
			 csr_source_text(c->source), "names", json_strlist(&c->names), "display_names", display_names(&c->names), "subject",
			 c->subject, "key_type", c->key_type, "has_key", c->key_id != NULL, "made_for_order",
			 json_str_or_null(c->made_for_order), "pem", pem, "created_at", json_time_or_null(c->created_ms));
}

const struct json_field csr_list_fields[] = {
	JF_STR(struct csr_list_query, key_type, .min = 1, .max = 16),
	JF_STR(struct csr_list_query, name, .min = 3, .max = LIMIT_NAME),
	SORT_FIELD(struct csr_list_query),
	PAGE_FIELDS(struct csr_list_query),
	{ 0 }
};

int csr_list(struct call *c, struct err *err)
{
	_cleanup_csr_list_ struct csr_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	const struct csr_list_query *f = c->query;
	struct list_query q = page_of(c);
	json_t *items;

	if (service_csr_list(c->service, &(struct csr_filter){ f->key_type, f->name }, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, csr_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

static void answer_csr(struct call *c, unsigned status, const struct csr *csr)
{
	if (status == 201)
		call_location(c, "csrs", csr->id);
	call_etag(c, csr->rev);
	call_json(c, status, csr_json(csr));
}

static int made(struct call *c, const struct job *j, struct err *err)
{
	_cleanup_csr_ struct csr csr = { 0 };

	if (service_csr_get(c->service, j->subject_id, &csr, err) < 0)
		return -(int)err->code;
	answer_csr(c, 201, &csr);
	return 0;
}

int csr_create(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_csr_create(c->service, &c->actor, c->body, &c->once, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, made);
	return 0;
}

int csr_upload(struct call *c, struct err *err)
{
	const struct pem_body *b = c->body;
	_cleanup_csr_ struct csr csr = { 0 };

	if (service_csr_upload(c->service, &c->actor, b->pem, &c->once, &csr, err) < 0)
		return -(int)err->code;
	answer_csr(c, 201, &csr);
	return 0;
}

int csr_get(struct call *c, struct err *err)
{
	_cleanup_csr_ struct csr csr = { 0 };

	if (service_csr_get(c->service, c->id, &csr, err) < 0)
		return -(int)err->code;
	answer_csr(c, 200, &csr);
	return 0;
}

int csr_delete(struct call *c, struct err *err)
{
	if (service_csr_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}
