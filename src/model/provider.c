/* SPDX-License-Identifier: Apache-2.0 */
/* provider.c - see provider.h. */
#include "model/provider.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"

DEFINE_ENUM(provider_status, PROVIDER_STATUSES)
DEFINE_ENUM(method_source, METHOD_SOURCES)

void provider_done(struct provider *p)
{
	free(p->id);
	free(p->kind);
	free(p->name);
	free(p->fields);
	strlist_clear(&p->secret_names);
	free(p->sealed);
	free(p->connection);
	free(p->reason);
	free(p->test);
	free(p->zones);
	*p = (struct provider){ 0 };
}

char *provider_endpoint(const struct field *table, const char *fields_json)
{
	_cleanup_json_ json_t *doc = json_text_or_null(fields_json);
	_cleanup_strlist_ struct strlist parts = { 0 };

	for (const struct field *f = table; f && f->name; f++) {
		const char *text = json_string_value(json_object_get(doc, f->name));

		if (!(f->flags & FIELD_ENDPOINT))
			continue;
		text = text ? text : f->standard;
		strlist_add(&parts, text ? text : "");
	}
	return parts.n ? strlist_join(&parts, "\n") : xstrdup("");
}

void validation_rule_done(struct validation_rule *r)
{
	free(r->id);
	free(r->suffix);
	free(r->vendor);
	free(r->method);
	*r = (struct validation_rule){ 0 };
}

void name_method_done(struct name_method *m)
{
	free(m->name);
	free(m->method);
	free(m->rule_id);
	*m = (struct name_method){ 0 };
}

void name_methods_done(struct name_methods *m)
{
	for (size_t i = 0; i < m->n; i++)
		name_method_done(&m->v[i]);
	free(m->v);
	*m = (struct name_methods){ 0 };
}

struct name_method *name_methods_add(struct name_methods *m, const char *name, const char *method, enum method_source by)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 8;
		m->v = xrealloc(m->v, m->cap * sizeof *m->v);
	}
	m->v[m->n] = (struct name_method){ .name = xstrdup(name), .method = xstrdup(method), .by = by };
	return &m->v[m->n++];
}

const struct name_method *name_methods_find(const struct name_methods *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (streq(m->v[i].name, name))
			return &m->v[i];
	return NULL;
}

char *name_methods_text(const struct name_methods *m)
{
	_cleanup_json_ json_t *doc = json_object();

	for (size_t i = 0; i < m->n; i++)
		json_object_set_new(doc, m->v[i].name,
				    json_pack("{s:s, s:s, s:o}", "method", m->v[i].method, "by", method_source_text(m->v[i].by), "rule",
					      json_str_or_null(m->v[i].rule_id)));
	return json_text(doc);
}

int name_methods_parse(const char *text, struct name_methods *ret, struct err *err)
{
	_cleanup_name_methods_ struct name_methods got = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	const char *name;
	json_t *item;

	if (str_empty(text))
		return 0;
	doc = json_text_or_null(text);
	json_object_foreach(doc, name, item) {
		const char *method = json_string_value(json_object_get(item, "method"));
		const char *rule = json_string_value(json_object_get(item, "rule"));
		enum method_source by;

		if (str_empty(method) || !method_source_parse(json_string_value(json_object_get(item, "by")), &by))
			return err_set(err, ERR_INTERNAL, "what is stored about proving '%s' cannot be read", name);
		name_methods_add(&got, name, method, by)->rule_id = xstrdup_null(rule);
	}
	if (!got.n)
		return err_set(err, ERR_INTERNAL, "what is stored about proving the names cannot be read");
	*ret = TAKE(got);
	return 0;
}
