/* SPDX-License-Identifier: Apache-2.0 */
/* methods.c - the one table that says how a name is proved. See provider.h. */
#include "engine/private.h"
#include "engine/provider.h"

static bool serves(const struct provider_kind *k, enum validation v)
{
	return v == VALIDATION_DNS01 ? k->dns : k->http;
}

int method_check(struct sql *q, const char *method, enum validation validation, const char *field, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };
	const struct provider_kind *k;

	if (publisher_find(validation, method))
		return 0;
	if (strlen(method) != ULID_LEN || publisher_find(VALIDATION_DNS01, method) || publisher_find(VALIDATION_HTTP01, method))
		return err_set_field(err, ERR_INVALID, field, "there is no method '%s' for %s", method, validation_text(validation));
	if (store_provider_get(q, method, &p, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, field, "there is no provider '%s'", method);
	}
	k = provider_kind_find(p.kind);
	if (!k || !serves(k, validation))
		return err_set_field(err, ERR_INVALID, field, "provider '%s' does not serve %s", p.name, validation_text(validation));
	return 0;
}

static const char *base_of(const char *name)
{
	return str_starts(name, "*.") ? name + 2 : name;
}

/* The choice for the name, or for the same name with or without "*.": both are one record. */
static int chosen(const struct methods_request *r, const char *name, const char **ret, struct err *err)
{
	const char *method = NULL;

	for (size_t i = 0; r->chosen && i < r->chosen->n; i++) {
		const struct name_method *c = &r->chosen->v[i];

		if (!streq(base_of(c->name), base_of(name)))
			continue;
		if (method && !streq(method, c->method))
			return err_set_field(err, ERR_INVALID, r->field_names, "'%s' and its wildcard are proved by one record: choose one method for both",
					     base_of(name));
		method = c->method;
	}
	*ret = method;
	return 0;
}

static int all_in_order(const struct methods_request *r, struct err *err)
{
	for (size_t i = 0; r->chosen && i < r->chosen->n; i++)
		if (!strlist_has(r->names, r->chosen->v[i].name))
			return err_set_field(err, ERR_INVALID, r->field_names, "'%s' is not one of the order's names", r->chosen->v[i].name);
	return 0;
}

/* "By delegation" means as the delegation of the name says: answered here, or where it leads, by that provider. 0: there is none. */
static int delegated(struct sql *q, const char *name, char **ret_method, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { 0 };
	int rc = delegation_of(q, name, &d, err);

	if (rc == 1)
		*ret_method = xstrdup(d.provider_id ? d.provider_id : METHOD_DELEGATION);
	return rc;
}

/* The method as it is stored with the order. Owned. */
static int settle(struct sql *q, const struct methods_request *r, const char *name, const char *method, char **ret, struct err *err)
{
	if (r->validation == VALIDATION_DNS01 && streq(method, METHOD_DELEGATION) && delegated(q, base_of(name), ret, err) < 0)
		return -(int)err->code;
	if (!*ret)
		*ret = xstrdup(method);
	return 0;
}

static int decide(struct sql *q, const struct methods_request *r, const char *name, struct name_methods *ret, struct err *err)
{
	_cleanup_validation_rule_ struct validation_rule rule = { 0 };
	_cleanup_free_ char *settled = NULL;
	const char *method = NULL;
	int rc;

	if (chosen(r, name, &method, err) < 0)
		return -(int)err->code;
	if (method || r->order_method) {
		if (settle(q, r, name, method ? method : r->order_method, &settled, err) < 0)
			return -(int)err->code;
		name_methods_add(ret, name, settled, method ? METHOD_BY_NAME : METHOD_BY_ORDER);
		return method_check(q, settled, r->validation, method ? r->field_names : r->field_order, err);
	}
	rc = store_rule_match(q, base_of(name), r->vendor ? r->vendor : "", r->validation, &rule, err);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		if (settle(q, r, name, rule.method, &settled, err) < 0)
			return -(int)err->code;
		name_methods_add(ret, name, settled, METHOD_BY_RULE)->rule_id = xstrdup(rule.id);
		return method_check(q, settled, r->validation, r->field_order, err);
	}
	rc = r->validation == VALIDATION_DNS01 ? delegated(q, base_of(name), &settled, err) : 0;
	if (rc < 0)
		return rc;
	if (rc == 1)
		name_methods_add(ret, name, settled, METHOD_BY_DELEGATION);
	else
		name_methods_add(ret, name, r->validation == VALIDATION_DNS01 ? METHOD_MANUAL : METHOD_BUILTIN, METHOD_BY_DEFAULT);
	return 0;
}

int methods_decide(struct sql *q, const struct methods_request *r, struct name_methods *ret, struct err *err)
{
	_cleanup_name_methods_ struct name_methods got = { 0 };

	if (all_in_order(r, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->names->n; i++)
		if (decide(q, r, r->names->v[i], &got, err) < 0)
			return -(int)err->code;
	*ret = TAKE(got);
	return 0;
}

const char *methods_common(const struct name_methods *m)
{
	for (size_t i = 1; i < m->n; i++)
		if (!streq(m->v[i].method, m->v[0].method))
			return METHOD_SEVERAL;
	return m->n ? m->v[0].method : METHOD_MANUAL;
}

void methods_explicit(const struct name_methods *m, struct name_methods *ret_names, char **ret_order)
{
	*ret_order = NULL;
	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i].by == METHOD_BY_NAME)
			name_methods_add(ret_names, m->v[i].name, m->v[i].method, METHOD_BY_NAME);
		else if (m->v[i].by == METHOD_BY_ORDER)
			replace_str(ret_order, m->v[i].method);
	}
}

/* ---- what could hold the name ---- */

static bool sees(const char *zones_json, const char *name, const char **ret_zone, json_t **keep)
{
	size_t i, best = 0;
	json_t *zone;

	*keep = json_text_or_null(zones_json);
	*ret_zone = NULL;
	json_array_foreach(*keep, i, zone) {
		const char *z = json_string_value(zone);
		size_t n = z ? strlen(z) : 0, m = strlen(name);

		if (n && n > best && m >= n && str_case_eq(name + m - n, z) && (m == n || name[m - n - 1] == '.')) {
			best = n;
			*ret_zone = z;
		}
	}
	return *ret_zone != NULL;
}

int methods_offers(struct sql *q, const char *name, json_t **ret, struct err *err)
{
	_cleanup_provider_list_ struct provider_list l = { 0 };
	json_t *offers;

	if (store_provider_all(q, &l, err) < 0)
		return -(int)err->code;
	offers = json_array();
	for (size_t i = 0; i < l.n; i++) {
		_cleanup_json_ json_t *keep = NULL;
		const struct provider_kind *k = provider_kind_find(l.v[i].kind);
		const char *zone;

		if (k && k->dns && sees(l.v[i].zones, base_of(name), &zone, &keep))
			json_array_append_new(offers, json_pack("{s:s, s:s, s:s, s:s}", "id", l.v[i].id, "name", l.v[i].name, "title", k->title,
								"zone", zone));
	}
	*ret = offers;
	return 0;
}
