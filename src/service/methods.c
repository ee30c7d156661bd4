/* SPDX-License-Identifier: Apache-2.0 */
/* methods.c - see methods.h. */
#include "service/methods.h"

#include "base/idn.h"
#include "engine/provider.h"
#include "service/internal.h"
#include "service/provider.h"
#include "store/csr.h"

void name_preview_done(struct name_preview *p)
{
	name_method_done(&p->m);
	free(p->title);
	free(p->provider);
	json_decref(p->offers);
	*p = (struct name_preview){ 0 };
}

int methods_from_json(json_t *doc, struct name_methods *ret, struct err *err)
{
	_cleanup_name_methods_ struct name_methods got = { 0 };
	const char *name;
	json_t *value;

	if (!doc || json_is_null(doc))
		return 0;
	if (!json_is_object(doc) || json_object_size(doc) > LIMIT_NAMES)
		return err_set_field(err, ERR_INVALID, "/methods", "methods is an object of names and their methods, %d at most", LIMIT_NAMES);
	json_object_foreach(doc, name, value) {
		const char *method = json_string_value(value);
		_cleanup_free_ char *canonical = NULL;

		if (str_empty(method) || strlen(method) > ULID_LEN)
			return err_set_field(err, ERR_INVALID, "/methods", "the method of '%.64s' is a text of 1 to %d characters", name, ULID_LEN);
		if (name_canonical(name, &canonical, err) < 0) {
			replace_str(&err->field, "/methods");
			return -(int)err->code;
		}
		if (name_methods_find(&got, canonical))
			return err_set_field(err, ERR_INVALID, "/methods", "'%s' is there twice", canonical);
		name_methods_add(&got, canonical, method, METHOD_BY_NAME);
	}
	*ret = TAKE(got);
	return 0;
}

/* ---- before it is submitted ---- */

struct preview_job {
	const struct order_create *r;
	enum validation validation;
	struct strlist names;
	struct name_methods chosen;
	struct name_preview_list *ret;
};

static void job_done_(struct preview_job *j)
{
	strlist_clear(&j->names);
	name_methods_done(&j->chosen);
}

static int vendor_of(struct sql *q, const char *ref, char **ret, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };

	if (!ref)
		return 0;
	if (SERVICE_GET(q, ref, store_account_get, store_account_get_num, &a, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/account_id", "there is no account '%s'", ref);
	}
	*ret = TAKE(a.vendor);
	return 0;
}

static int names_of(struct sql *q, const struct preview_job *j, struct strlist *ret, struct err *err)
{
	_cleanup_csr_ struct csr c = { 0 };

	if (!j->r->csr_id) {
		strlist_copy(ret, &j->names);
		return 0;
	}
	if (SERVICE_GET(q, j->r->csr_id, store_csr_get, store_csr_get_num, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR '%s'", j->r->csr_id);
	}
	strlist_copy(ret, &c.names);
	return 0;
}

static int words(struct sql *q, struct name_preview *p, struct err *err)
{
	return method_names(q, p->m.method, &p->title, &p->provider, err);
}

static int preview_tx(struct sql *q, void *arg, struct err *err)
{
	struct preview_job *j = arg;
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_name_methods_ struct name_methods decided = { 0 };
	_cleanup_free_ char *vendor = NULL;
	bool dns = j->validation == VALIDATION_DNS01;
	struct methods_request m = { .names = &names, .validation = j->validation, .order_method = dns ? j->r->dns : j->r->http,
				     .chosen = &j->chosen, .field_order = dns ? "/dns" : "/http", .field_names = "/methods" };

	name_preview_list_done(j->ret);
	if (vendor_of(q, j->r->account_id, &vendor, err) < 0 || names_of(q, j, &names, err) < 0)
		return -(int)err->code;
	m.vendor = vendor;
	if (methods_decide(q, &m, &decided, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < decided.n; i++) {
		struct name_preview *p = name_preview_list_add(j->ret);

		p->m = TAKE(decided.v[i]);
		if (words(q, p, err) < 0 || (dns ? methods_offers(q, p->m.name, &p->offers, err) < 0 : 0))
			return -(int)err->code;
		p->ask = p->m.by == METHOD_BY_DEFAULT && json_array_size(p->offers) > 0;
	}
	return 0;
}

int service_order_preview(struct service *s, const struct order_create *r, struct name_preview_list *ret, struct err *err)
{
	_cleanup_(job_done_) struct preview_job j = { .r = r, .ret = ret };

	if (!validation_parse(r->validation, &j.validation))
		return err_set_field(err, ERR_INVALID, "/validation", "there is no validation '%s'", r->validation);
	if (!r->csr_id && !r->names.n)
		return err_set_field(err, ERR_INVALID, "/names", "names or a CSR are needed");
	if ((j.validation == VALIDATION_DNS01) ? r->http != NULL : r->dns != NULL)
		return err_set_field(err, ERR_INVALID, r->http ? "/http" : "/dns", "an order by %s has no such method", r->validation);
	if ((r->names.n && names_canonical(&r->names, "/names", &j.names, err) < 0) || methods_from_json(r->methods, &j.chosen, err) < 0)
		return -(int)err->code;
	return store_read(s->store, preview_tx, &j, err);
}

/* ---- as it was stored ---- */

int methods_view(struct sql *q, const struct order *o, struct name_preview_list *ret, struct err *err)
{
	_cleanup_name_methods_ struct name_methods m = { 0 };
	const char *all = o->validation == VALIDATION_DNS01 ? o->dns_method : o->http_method;

	name_preview_list_done(ret);
	if (name_methods_parse(o->methods, &m, err) < 0)
		return -(int)err->code;
	if (!m.n && all) /* made before each name had its own */
		for (size_t i = 0; i < o->names.n; i++)
			name_methods_add(&m, o->names.v[i], all, METHOD_BY_ORDER);
	for (size_t i = 0; i < m.n; i++) {
		struct name_preview *p = name_preview_list_add(ret);

		p->m = TAKE(m.v[i]);
		if (words(q, p, err) < 0)
			return -(int)err->code;
	}
	return 0;
}
