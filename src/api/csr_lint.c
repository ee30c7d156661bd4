/* SPDX-License-Identifier: Apache-2.0 */
/* csr_lint.c - CSRs as an authority reads them: of a stored one, and of a text somebody is about to upload. */
#include "api/call.h"
#include "base/limits.h"
#include "service/csr_lint.h"

const struct json_field csr_check_fields[] = {
	JF_STR(struct csr_check_query, vendor, .required = true, .min = 1, .max = 64),
	JF_STR(struct csr_check_query, profile, .min = 1, .max = 100),
	{ 0 }
};
const struct json_field csr_lint_fields[] = {
	JF_STR(struct csr_lint_body, pem, .required = true, .min = 1, .max = LIMIT_CSR),
	JF_STR(struct csr_lint_body, vendor, .min = 1, .max = 64),
	JF_STR(struct csr_lint_body, profile, .min = 1, .max = 100),
	{ 0 }
};

static json_t *findings_json(const struct csr_findings *l)
{
	json_t *items = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(items, json_pack("{s:s, s:s, s:o}", "field", l->v[i].field, "text", l->v[i].text, "hint",
						       json_str_or_null(l->v[i].hint)));
	return items;
}

static json_t *ignored_json(const struct csr_extras *l)
{
	json_t *items = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(items, json_pack("{s:s, s:s}", "name", l->v[i].name, "text", l->v[i].text));
	return items;
}

int csr_check(struct call *c, struct err *err)
{
	const struct csr_check_query *q = c->query;
	_cleanup_csr_lint_ struct csr_lint l = { 0 };

	if (service_csr_lint(c->service, c->id, q->vendor, q->profile, &l, err) < 0)
		return -(int)err->code;
	call_json(c, 200, json_pack("{s:s, s:o, s:o}", "vendor", q->vendor, "findings", findings_json(&l.findings), "ignored", ignored_json(&l.ignored)));
	return 0;
}

int csr_lint_text(struct call *c, struct err *err)
{
	const struct csr_lint_body *b = c->body;
	_cleanup_csr_lint_ struct csr_lint l = { 0 };
	_cleanup_free_ char *subject = NULL;

	if (service_csr_lint_text(c->service, b->pem, b->vendor, b->profile, &l, err) < 0)
		return -(int)err->code;
	subject = csr_subject_line(&l.info.subject);
	call_json(c, 200, json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:o, s:o}", "names", json_strlist(&l.info.names), "display_names",
				    display_names(&l.info.names), "subject", subject, "key_type", l.info.key_type.s, "must_staple", l.info.must_staple,
				    "common_name_only", l.info.common_name_only, "findings", findings_json(&l.findings), "ignored",
				    ignored_json(&l.ignored)));
	return 0;
}
