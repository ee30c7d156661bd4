/* SPDX-License-Identifier: Apache-2.0 */
/* csr_lint.c - see csr_lint.h. */
#include "service/csr_lint.h"

#include "service/internal.h"
#include "store/csr.h"
#include "store/key.h"

void csr_lint_done(struct csr_lint *l)
{
	csr_info_clear(&l->info);
	csr_findings_clear(&l->findings);
	csr_extras_clear(&l->ignored);
}

char *csr_subject_line(const struct csr_subject *s)
{
	_cleanup_strlist_ struct strlist l = { 0 };
	const struct {
		const char *name, *value;
	} parts[] = { { "CN", s->cn }, { "O", s->o }, { "OU", s->ou }, { "L", s->l }, { "ST", s->st }, { "C", s->c } };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *part = str_empty(parts[i].value) ? NULL : xasprintf("%s=%s", parts[i].name, parts[i].value);

		if (part)
			strlist_add(&l, part);
	}
	return l.n ? strlist_join(&l, ", ") : xstrdup("");
}

struct lint_job {
	const char *ref;         /* of a stored one, or NULL */
	const char *public_hash; /* of one that is not stored */
	struct csr csr;
	bool account_key;
};

static int lint_tx(struct sql *q, void *arg, struct err *err)
{
	struct lint_job *j = arg;
	_cleanup_key_row_ struct key_row k = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	csr_done(&j->csr);
	j->account_key = false;
	if (j->ref && SERVICE_GET(q, j->ref, store_csr_get, store_csr_get_num, &j->csr, err) < 0)
		return -(int)err->code;
	if (store_key_find_public(q, j->ref ? j->csr.public_hash : j->public_hash, &k, &why) == 0)
		j->account_key = k.purpose == KEY_ACCOUNT;
	else if (why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	return 0;
}

static int check_vendor(const char *vendor, struct err *err)
{
	if (!vendor || streq(vendor, VENDOR_CUSTOM) || vendor_find(vendor))
		return 0;
	return err_set_field(err, ERR_INVALID, "/vendor", "there is no vendor '%s'", vendor);
}

/* info is there: the rest follows from it. */
static int judge(const struct lint_job *j, const char *vendor, const char *profile, struct csr_lint *l, struct err *err)
{
	struct csr_facts f = { .from_csr = true,
			       .names = &l->info.names,
			       .common_name = l->info.subject.cn,
			       .key_type = l->info.key_type.s,
			       .common_name_only = l->info.common_name_only,
			       .client_auth = l->info.client_auth,
			       .account_key = j->account_key };

	if (vendor)
		csr_lint(vendor_of(vendor), profile, &f, &l->findings);
	return csr_extras_read(l->info.der, l->info.der_n, &l->ignored, err);
}

int service_csr_lint(struct service *s, const char *csr_ref, const char *vendor, const char *profile, struct csr_lint *ret, struct err *err)
{
	struct lint_job j = { .ref = csr_ref };
	int rc = check_vendor(vendor, err);

	if (rc == 0)
		rc = store_read(s->store, lint_tx, &j, err);
	if (rc == 0)
		rc = csr_parse(j.csr.der, j.csr.der_n, &ret->info, err);
	if (rc == 0)
		rc = judge(&j, vendor, profile, ret, err);
	csr_done(&j.csr);
	return rc;
}

int service_csr_lint_text(struct service *s, const char *pem, const char *vendor, const char *profile, struct csr_lint *ret, struct err *err)
{
	struct lint_job j = { .public_hash = ret->info.public_hash };

	if (check_vendor(vendor, err) < 0)
		return -(int)err->code;
	if (csr_parse(pem, strlen(pem), &ret->info, err) < 0) {
		replace_str(&err->field, "/pem");
		return -(int)err->code;
	}
	return store_read(s->store, lint_tx, &j, err) < 0 ? -(int)err->code : judge(&j, vendor, profile, ret, err);
}
