/* SPDX-License-Identifier: Apache-2.0 */
/* provider.c - see provider.h. */
#include "service/provider.h"

#include "base/idn.h"
#include "engine/intake.h"
#include "engine/provider.h"
#include "service/internal.h"
#include "store/order.h"

struct provider_job {
	const struct service *s;
	const struct actor *actor;
	const char *ref;
	int64_t rev, now_ms;
	struct page page;
	struct narrow by;
	struct provider_list *list;
	struct provider *row, *ret;
	struct strlist *users;
	struct once *once;
	struct audit *audit;
	struct job_request *job;
	char job_id[ULID_LEN + 1];
	bool again;   /* what waits for it is tried again */
	bool reading; /* a test that only reads */
};

size_t service_provider_kinds(const struct provider_kind **ret)
{
	return provider_kinds(ret);
}

const struct provider_kind *service_provider_kind(const char *name)
{
	return provider_kind_find(name);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct provider_job *j = arg;

	return store_provider_list(q, &j->by, &j->page, j->list, err);
}

int service_provider_list(struct service *s, const struct list_query *q, struct provider_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "providers", .also = BIT(PAGE_NAME) };
	struct provider_job j = { .list = ret, .by = q->by };
	const struct provider *last;

	if (listing_open(&l, q, NULL, 0, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close_named(&l, ret->more, last ? last->created_ms : 0, last ? last->name : NULL, last ? last->id : NULL, end);
	return 0;
}

static int find(struct sql *q, const char *ref, struct provider *ret, struct err *err)
{
	provider_done(ret);
	return SERVICE_GET(q, ref, store_provider_get, store_provider_get_num, ret, err);
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct provider_job *j = arg;

	return find(q, j->ref, j->ret, err);
}

int service_provider_get(struct service *s, const char *ref, struct provider *ret, struct err *err)
{
	struct provider_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

static int users_tx(struct sql *q, void *arg, struct err *err)
{
	struct provider_job *j = arg;
	_cleanup_provider_ struct provider p = { 0 };

	return find(q, j->ref, &p, err) < 0 ? -(int)err->code : store_provider_users(q, p.id, j->users, err);
}

int service_provider_users(struct service *s, const char *ref, struct strlist *ret, struct err *err)
{
	struct provider_job j = { .ref = ref, .users = ret };

	return store_read(s->store, users_tx, &j, err);
}

/* --- what was typed ------------------------------------------------------------------------------------------------------ */

struct typed {
	json_t *fields, *secrets; /* owned; what is to be stored */
	bool changed;
};

static void typed_done(struct typed *t)
{
	json_decref(t->fields);
	json_decref(t->secrets);
}

/* Numbers and booleans are kept as the texts they are in a form. */
static char *text_of(const json_t *v)
{
	if (json_is_string(v))
		return xstrdup(json_string_value(v));
	if (json_is_boolean(v))
		return xstrdup(json_is_true(v) ? "true" : "false");
	return json_is_integer(v) ? xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(v)) : NULL;
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

static int take_one(const struct field *f, const json_t *value, struct typed *t, struct err *err)
{
	json_t *into = f->flags & FIELD_SECRET ? t->secrets : t->fields;
	_cleanup_(wipe) char *text = json_is_null(value) ? xstrdup("") : text_of(value);
	_cleanup_free_ char *pointer = xasprintf("/fields/%s", f->name);

	if (!text)
		return err_set_field(err, ERR_INVALID, pointer, "'%s' is a text, a number, true, false or null", f->name);
	if (field_check(f, text, strlen(text), err) < 0)
		return -(int)err->code;
	t->changed = true;
	if (*text)
		json_object_set_new(into, f->name, json_string(text));
	else
		json_object_del(into, f->name);
	return 0;
}

static int take_fields(const struct provider_kind *k, json_t *given, struct typed *t, struct err *err)
{
	const char *name;
	json_t *value;

	if (given && !json_is_object(given))
		return err_set_field(err, ERR_INVALID, "/fields", "fields is an object");
	json_object_foreach(given, name, value) {
		_cleanup_free_ char *pointer = xasprintf("/fields/%.64s", name);
		const struct field *f = field_find(k->fields, name);

		if (!f)
			return err_set_field(err, ERR_INVALID, pointer, "%s has no '%.64s'", k->title, name);
		if (take_one(f, value, t, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static int all_there(const struct provider_kind *k, const struct typed *t, struct err *err)
{
	for (const struct field *f = k->fields; f->name; f++) {
		_cleanup_free_ char *pointer = xasprintf("/fields/%s", f->name);

		if (f->flags & FIELD_REQUIRED && !f->standard && !json_object_get(f->flags & FIELD_SECRET ? t->secrets : t->fields, f->name))
			return err_set_field(err, ERR_INVALID, pointer, "'%s' is needed: %s", f->name, f->help);
	}
	return 0;
}

static int take_name(struct provider *p, const char *name, struct err *err)
{
	size_t n = name ? strlen(name) : 0;
	_cleanup_free_ char *clean = n ? str_clean(name, n, 256) : NULL;

	if (!n || n > 100 || !streq(clean, name) || *name == ' ' || name[n - 1] == ' ')
		return err_set_field(err, ERR_INVALID, "/name", "a name is 1 to 100 ordinary characters");
	replace_str(&p->name, name);
	return 0;
}

static int take_connection(struct service *s, const struct provider_kind *k, json_t *given, struct provider *p, struct err *err)
{
	_cleanup_connection_ struct connection c = { 0 };

	if (given && !json_is_null(given)) {
		if (connection_decode(given, "/connection", false, &c, err) < 0)
			return -(int)err->code;
	} else if (!given && connection_parse(p->connection, &c, err) < 0) {
		return -(int)err->code;
	}
	if (provider_check_door(s->engine, k, p->fields, &c, given != NULL, err) < 0) {
		if (!err->field)
			err->field = xstrdup("/connection");
		return -(int)err->code;
	}
	free(p->connection);
	p->connection = connection_text(&c);
	return 0;
}

/* Sealed anew, bound to the endpoint as it is now; the names of what is set stay readable. */
static int seal(struct service *s, const struct provider_kind *k, struct provider *p, const struct typed *t, struct err *err)
{
	_cleanup_free_ char *endpoint = provider_endpoint(k->fields, p->fields);
	const char *name;
	json_t *value;

	free(p->sealed);
	p->sealed = NULL;
	strlist_clear(&p->secret_names);
	json_object_foreach(t->secrets, name, value)
		strlist_add(&p->secret_names, name);
	return provider_seal(s->keys, p->id, endpoint, t->secrets, &p->sealed, &p->sealed_n, err);
}

/* What the audit says of a provider: which secrets it has, never what they are. */
static json_t *terms(const struct provider *p, bool secrets_changed)
{
	json_t *doc = json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", p->name, "kind", p->kind, "fields", json_text_or_null(p->fields), "secrets",
				json_strlist(&p->secret_names), "connection", json_text_or_null(p->connection));

	if (doc && secrets_changed)
		json_object_set_new(doc, "secrets", json_string("changed"));
	return doc;
}

/* --- making -------------------------------------------------------------------------------------------------------------- */

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct provider_job *j = arg;
	_cleanup_free_ char *before = NULL;

	provider_done(j->ret);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before)
		return store_provider_get(tx, before, j->ret, err);
	if (store_provider_add(tx, j->row, err) < 0 || store_audit_add(tx, j->audit, err) < 0 ||
	    once_add(tx, j->s, j->once, "provider", j->row->id, err) < 0)
		return -(int)err->code;
	return store_provider_get(tx, j->row->id, j->ret, err);
}

int service_provider_create(struct service *s, const struct actor *a, const struct provider_save *r, const struct request_key *key,
			    struct provider *ret, struct err *err)
{
	const struct provider_kind *k = r->kind ? provider_kind_find(r->kind) : NULL;
	_cleanup_provider_ struct provider p = { .created_ms = service_now(s) };
	_cleanup_(typed_done) struct typed t = { json_object(), json_object(), false };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct provider_job j = { .s = s, .row = &p, .ret = ret, .once = &once, .audit = &audit };

	if (!k) {
		err_set_field(err, ERR_INVALID, "/kind", "there is no kind of provider '%.64s'", r->kind ? r->kind : "");
		return err_hint(err, "GET /provider-kinds lists them.");
	}
	p.id = xstrdup(ulid_new(p.created_ms).s);
	p.kind = xstrdup(k->name);
	if (take_name(&p, r->name, err) < 0 || take_fields(k, r->fields, &t, err) < 0 || all_there(k, &t, err) < 0)
		return -(int)err->code;
	p.fields = json_text(t.fields);
	if (take_connection(s, k, r->connection ? r->connection : NULL, &p, err) < 0 || seal(s, k, &p, &t, err) < 0)
		return -(int)err->code;
	once_begin(s, a, key, &once);
	audit_begin(s, a, "provider.create", "provider", &audit);
	audit_object(&audit, p.id, p.name, NULL, terms(&p, false));
	return store_write(s->store, create_tx, &j, err);
}

/* --- changing ------------------------------------------------------------------------------------------------------------ */

static int update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct provider_job *j = arg;

	if (store_provider_put(tx, j->row, j->rev, err) < 0 || store_audit_add(tx, j->audit, err) < 0 ||
	    (j->again && store_provider_resume(tx, j->row->id, j->now_ms, err) < 0))
		return -(int)err->code;
	provider_done(j->ret);
	return store_provider_get(tx, j->row->id, j->ret, err);
}

/* Those that are stored, unless the endpoint moves: what was entered for one host is not sent to another. */
static int keep_secrets(struct service *s, const struct provider *p, const char *fields_after, struct typed *t, struct err *err)
{
	const struct provider_kind *k = provider_kind_find(p->kind);
	_cleanup_free_ char *was = provider_endpoint(k->fields, p->fields), *is = provider_endpoint(k->fields, fields_after);
	_cleanup_json_ json_t *kept = NULL;
	const char *name;
	json_t *value;

	if (!streq(was, is))
		return 0;
	if (provider_secrets(s->keys, p, &kept, err) < 0)
		return -(int)err->code;
	json_object_foreach(kept, name, value)
		if (!json_object_get(t->secrets, name))
			json_object_set(t->secrets, name, value);
	return 0;
}

/* Secrets that were taken away by name are not put back from what is stored. */
static void forget_nulls(json_t *given, struct typed *t)
{
	const char *name;
	json_t *value;

	json_object_foreach(given, name, value)
		if (json_is_null(value) || (json_is_string(value) && !*json_string_value(value)))
			json_object_del(t->secrets, name);
}

static int apply_fields(struct service *s, const struct provider_kind *k, const struct provider_save *r, struct provider *p, struct err *err)
{
	_cleanup_(typed_done) struct typed t = { json_text_or_null(p->fields), json_object(), false };
	char *fields;

	if (take_fields(k, r->fields, &t, err) < 0)
		return -(int)err->code;
	fields = json_text(t.fields);
	if (keep_secrets(s, p, fields, &t, err) < 0) {
		free(fields);
		return -(int)err->code;
	}
	forget_nulls(r->fields, &t);
	free(p->fields);
	p->fields = fields;
	if (seal(s, k, p, &t, err) < 0)
		return -(int)err->code;
	p->status = PROVIDER_NEW;
	p->tested_ms = 0;
	replace_str(&p->reason, NULL);
	return 0;
}

static bool names_a_secret(const struct provider_kind *k, json_t *fields)
{
	for (const struct field *f = k->fields; f->name; f++)
		if (f->flags & FIELD_SECRET && json_object_get(fields, f->name))
			return true;
	return false;
}

int service_provider_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct provider_save *r,
			    struct provider *ret, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_json_ json_t *before = NULL;
	struct provider_job j = { .s = s, .row = &p, .ret = ret, .audit = &audit, .now_ms = service_now(s), .again = r->fields || r->connection };
	const struct provider_kind *k;

	if (service_provider_get(s, ref, &p, err) < 0 || rev_check(rev, p.rev, "provider", err) < 0)
		return -(int)err->code;
	k = provider_kind_find(p.kind);
	if (!k)
		return err_set(err, ERR_CONFLICT, "this program knows no provider of the kind '%s'", p.kind);
	if (r->kind && !streq(r->kind, p.kind))
		return err_set_field(err, ERR_INVALID, "/kind", "the kind of a provider stays; make another one");
	j.rev = p.rev; /* what was read is what is changed */
	before = terms(&p, false);
	if ((r->name && take_name(&p, r->name, err) < 0) || (r->fields && apply_fields(s, k, r, &p, err) < 0) ||
	    take_connection(s, k, r->connection, &p, err) < 0)
		return -(int)err->code;
	p.updated_ms = j.now_ms;
	audit_begin(s, a, "provider.update", "provider", &audit);
	audit_object(&audit, p.id, p.name, json_incref(before), terms(&p, names_a_secret(k, r->fields)));
	return store_write(s->store, update_tx, &j, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct provider_job *j = arg;
	_cleanup_provider_ struct provider p = { 0 };
	_cleanup_strlist_ struct strlist users = { 0 };

	if (find(tx, j->ref, &p, err) < 0 || rev_check(j->rev, p.rev, "provider", err) < 0 || store_provider_users(tx, p.id, &users, err) < 0)
		return -(int)err->code;
	if (users.n) {
		_cleanup_free_ char *who = strlist_join(&users, ", ");

		err_set(err, ERR_IN_USE, "provider '%s' is used by %s", p.name, who);
		return err_hint(err, "Choose another method for them first; what is published has to be withdrawn with this credential.");
	}
	audit_object(j->audit, p.id, p.name, terms(&p, false), NULL);
	if (store_provider_delete(tx, p.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_provider_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct provider_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "provider.delete", "provider", &audit);
	return store_write(s->store, delete_tx, &j, err);
}

/* --- Test and save ------------------------------------------------------------------------------------------------------- */

static int test_tx(struct sql *tx, void *arg, struct err *err)
{
	struct provider_job *j = arg;
	_cleanup_provider_ struct provider p = { 0 };
	_cleanup_free_ char *lane = NULL;

	if (find(tx, j->ref, &p, err) < 0)
		return -(int)err->code;
	if (j->reading && !(provider_kind_find(p.kind) && provider_kind_find(p.kind)->reads)) {
		err_set_field(err, ERR_INVALID, "/zone", "nothing can be read at provider '%s' that would show whether it works", p.name);
		return err_hint(err, "Name a zone: a probe is written there, looked for and removed.");
	}
	if (j->job->kind == JOB_PROVIDER_ATTACH && !(provider_kind_find(p.kind) && provider_kind_find(p.kind)->attaches))
		return err_set(err, ERR_INVALID, "provider '%s' has no virtual servers", p.name);
	lane = xasprintf("provider-test:%s", p.id);
	j->job->subject_id = p.id;
	j->job->lane = lane;
	replace_str(&j->audit->object_id, p.id);
	replace_str(&j->audit->object_name, p.name);
	if (job_intake(tx, j->job, j->job_id, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_provider_test(struct service *s, const struct actor *a, const char *ref, const char *zone, bool write, char **ret_job,
			  struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_free_ char *canonical = NULL, *args = NULL;
	struct ulid id = ulid_new(service_now(s));
	struct job_request q = { .id = id.s, .kind = JOB_PROVIDER_TEST, .subject_kind = "provider", .created_by = a->user_id,
				 .now_ms = service_now(s) };
	struct provider_job j = { .ref = ref, .audit = &audit, .job = &q, .reading = !zone && !write };
	json_t *doc;

	if (zone && name_canonical(zone, &canonical, err) < 0) {
		replace_str(&err->field, "/zone");
		return -(int)err->code;
	}
	doc = json_pack("{s:o, s:b}", "zone", json_str_or_null(canonical), "write", write);
	args = json_text(doc);
	json_decref(doc);
	q.args = args;
	audit_begin(s, a, zone || write ? "provider.test" : "provider.read", "provider", &audit);
	if (store_write(s->store, test_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_job = xstrdup(j.job_id);
	return 0;
}

int service_provider_attach(struct service *s, const struct actor *a, const char *ref, const char *server, bool attach,
			    const struct strlist *expect, char **ret_job, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_free_ char *args = json_text_take(json_pack("{s:s, s:b, s:o}", "server", server, "attach", attach, "expect", json_strlist(expect)));
	struct ulid id = ulid_new(service_now(s));
	struct job_request q = { .id = id.s, .kind = JOB_PROVIDER_ATTACH, .subject_kind = "provider", .created_by = a->user_id, .args = args,
				 .now_ms = service_now(s) };
	struct provider_job j = { .ref = ref, .audit = &audit, .job = &q };

	audit_begin(s, a, attach ? "provider.attach" : "provider.detach", "provider", &audit);
	if (store_write(s->store, test_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_job = xstrdup(j.job_id);
	return 0;
}

void service_named(const struct service *s, const struct field *f, struct strlist *ret)
{
	engine_named(s->engine, f, ret);
}

static int options_tx(struct sql *tx, void *arg, struct err *err)
{
	struct provider_job *j = arg;

	return job_intake(tx, j->job, j->job_id, err);
}

int service_provider_options(struct service *s, const struct actor *a, const char *kind, json_t *fields, char **ret_job, struct err *err)
{
	const struct provider_kind *k = provider_kind_find(kind);
	_cleanup_(typed_done) struct typed t = { json_object(), json_object(), false };
	_cleanup_free_ char *args = NULL;
	struct ulid id = ulid_new(service_now(s));
	struct job_request q = { .id = id.s, .kind = JOB_PROVIDER_OPTIONS, .created_by = a->user_id, .now_ms = service_now(s) };
	struct provider_job j = { .job = &q };

	if (!k || !k->options_field)
		return err_set_field(err, ERR_INVALID, "/kind", "there is no kind of provider '%.64s' that can be asked what it needs", kind);
	if (take_fields(k, fields, &t, err) < 0)
		return -(int)err->code;
	if (json_object_size(t.secrets))
		return err_set_field(err, ERR_INVALID, "/fields", "no secret is needed to ask what a provider needs");
	if (all_there(k, &t, err) < 0)
		return -(int)err->code;
	args = json_text_take(json_pack("{s:s, s:O}", "kind", k->name, "fields", t.fields));
	q.args = args;
	if (store_write(s->store, options_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_job = xstrdup(j.job_id);
	return 0;
}

json_t *service_connection_json(const char *text)
{
	_cleanup_connection_ struct connection c = { 0 };
	_cleanup_err_ struct err why = { 0 };

	return str_empty(text) || connection_parse(text, &c, &why) < 0 ? json_null() : connection_encode(&c);
}

char *service_probe_label(const char *id)
{
	return provider_probe_name(id, NULL);
}

char *service_probe_value(const char *id)
{
	return provider_probe_value(id);
}

/* --- names for people ---------------------------------------------------------------------------------------------------- */

int method_names(struct sql *q, const char *method, char **ret_title, char **ret_name, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };
	const struct provider_kind *k;

	if (strlen(method) != ULID_LEN) {
		*ret_title = xstrdup(method_title(method));
		*ret_name = xstrdup(*ret_title);
		return 0;
	}
	if (store_provider_get_any(q, method, &p, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		*ret_title = xstrdup(method);
		*ret_name = xstrdup(method);
		return 0;
	}
	k = provider_kind_find(p.kind);
	*ret_title = xstrdup(k ? k->title : p.kind);
	*ret_name = TAKE(p.name);
	return 0;
}

struct names_job {
	const char *method;
	char **title, **name;
};

static int names_tx(struct sql *q, void *arg, struct err *err)
{
	struct names_job *j = arg;

	free(*j->title);
	free(*j->name);
	*j->title = *j->name = NULL;
	return method_names(q, j->method, j->title, j->name, err);
}

int service_method_names(struct service *s, const char *method, char **ret_title, char **ret_name, struct err *err)
{
	struct names_job j = { method, ret_title, ret_name };

	*ret_title = *ret_name = NULL;
	return store_read(s->store, names_tx, &j, err);
}
