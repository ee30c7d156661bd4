/* SPDX-License-Identifier: Apache-2.0 */
/* provider.c - kinds of providers, their sealed secrets, and an opened one with its way out. See provider.h, private.h. */
#include "engine/provider.h"

#include "engine/private.h"
#include "net/url.h"

#include <pthread.h>

/* ---- kinds ---- */

#define KINDS_MAX 64

static struct provider_kind kinds[KINDS_MAX];
static size_t kinds_n;
static pthread_once_t kinds_once = PTHREAD_ONCE_INIT;

static void kinds_make(void)
{
	for (size_t i = 0; publishers[i]; i++) {
		const struct publisher *p = publishers[i];

		if (!p->fields)
			continue;
		assert(kinds_n < KINDS_MAX);
		kinds[kinds_n++] = (struct provider_kind){
			.name = p->name, .title = p->title, .help = p->help, .rights = p->rights, .grants = p->grants, .site = p->site,
			.dns = p->kinds & KIND_DNS01, .http = p->kinds & KIND_HTTP01, .lists_zones = p->zones != NULL, .reads = p->zones || p->look,
			.attaches = p->attach != NULL,
			.ttl_s = p->ttl_s, .options_field = p->options ? p->options_field : NULL,
			.fields = p->fields,
		};
	}
}

size_t provider_kinds(const struct provider_kind **ret)
{
	pthread_once(&kinds_once, kinds_make);
	*ret = kinds;
	return kinds_n;
}

const struct provider_kind *provider_kind_find(const char *name)
{
	const struct provider_kind *all;
	size_t n = provider_kinds(&all);

	for (size_t i = 0; i < n; i++)
		if (streq(all[i].name, name))
			return &all[i];
	return NULL;
}

/* ---- secrets ---- */

int provider_seal(struct keys *k, const char *id, const char *endpoint, json_t *secrets, unsigned char **ret, size_t *ret_n,
		  struct err *err)
{
	struct key_place place = { "provider", id, "sealed" };
	_cleanup_secret_ struct secret clear = { 0 };
	char *text;
	json_t *doc;
	int rc;

	*ret = NULL;
	*ret_n = 0;
	if (!json_object_size(secrets))
		return 0;
	doc = json_pack("{s:s, s:O}", "endpoint", endpoint, "secrets", secrets);
	text = json_text(doc);
	json_decref(doc);
	clear = secret_from(text);
	explicit_bzero(text, strlen(text));
	free(text);
	rc = keys_seal(k, &clear, &place, ret, ret_n, err);
	return rc < 0 ? err_wrap(err, "could not seal the secrets of the provider") : 0;
}

int provider_secrets(struct keys *k, const struct provider *p, json_t **ret, struct err *err)
{
	const struct provider_kind *kind = provider_kind_find(p->kind);
	struct key_handle h = { "provider", p->id, "sealed", p->sealed, p->sealed_n };
	_cleanup_secret_ struct secret clear = { 0 };
	_cleanup_free_ char *endpoint = NULL;
	_cleanup_json_ json_t *doc = NULL;
	const char *bound;

	if (!p->sealed) {
		*ret = json_object();
		return 0;
	}
	if (keys_open_credential(k, &h, &clear, err) < 0)
		return err_wrap(err, "could not open the secrets of provider '%s'", p->name);
	if (json_parse((const char *)clear.p, clear.n, &doc, err) < 0)
		return err_wrap(err, "the secrets of provider '%s' are broken", p->name);
	endpoint = provider_endpoint(kind ? kind->fields : NULL, p->fields);
	bound = json_string_value(json_object_get(doc, "endpoint"));
	if (!bound || !streq(bound, endpoint))
		return err_set(err, ERR_DENIED, "the secrets of provider '%s' were entered for another address", p->name);
	*ret = json_incref(json_object_get(doc, "secrets"));
	return 0;
}

/* ---- the way out ---- */

/* The URL of the field table, NULL when the kind knows its host itself. Owned. */
static char *url_of(const struct field *table, json_t *fields)
{
	for (const struct field *f = table; f && f->name; f++) {
		const char *text = json_string_value(json_object_get(fields, f->name));

		if (f->flags & FIELD_URL && f->flags & FIELD_ENDPOINT && (text || f->standard))
			return xstrdup(text ? text : f->standard);
	}
	return NULL;
}

/* Of "NAME=/path". */
static void names_of(const struct strlist *pairs, struct strlist *ret)
{
	for (size_t i = 0; pairs && i < pairs->n; i++)
		strlist_addn(ret, pairs->v[i], strcspn(pairs->v[i], "="));
}

void engine_named(const struct engine *e, const struct field *f, struct strlist *ret)
{
	if (e && f->flags & (FIELD_WEBROOT | FIELD_PROGRAM))
		names_of(f->flags & FIELD_WEBROOT ? e->o.webroots : e->o.programs, ret);
}

/* What the host's administrator has to name: said when it is saved, not at three in the night. */
static int check_webroot(const struct engine *e, const struct provider_kind *k, json_t *fields, struct err *err)
{
	for (const struct field *f = k->fields; e && f && f->name; f++) {
		const char *text = json_string_value(json_object_get(fields, f->name));
		_cleanup_free_ char *pointer = xasprintf("/fields/%s", f->name);
		_cleanup_strlist_ struct strlist names = { 0 };

		engine_named(e, f, &names);
		if (!(f->flags & FIELD_WEBROOT) || !text || strlist_has(&names, text))
			continue;
		err_set_field(err, ERR_INVALID, pointer, "the configuration file names no web root '%s'", text);
		return err_hint(err, "An administrator of the host names it: [webroots] %s = /path in the configuration file.", text);
	}
	return 0;
}

int provider_check_door(struct engine *e, const struct provider_kind *k, const char *fields_json, struct connection *c, bool confirm,
			struct err *err)
{
	_cleanup_json_ json_t *fields = json_text_or_null(fields_json);
	_cleanup_free_ char *url = url_of(k->fields, fields);
	_cleanup_url_ struct url u = { 0 };
	struct net_rule rule;

	if (check_webroot(e, k, fields, err) < 0)
		return -(int)err->code;
	if (!url)
		return 0;
	if (url_parse(url, true, &u, err) < 0)
		return -(int)err->code;
	if (confirm)
		connection_confirm(c, u.host, u.port);
	else if (connection_check_host(c, u.host, u.port, err) < 0)
		return -(int)err->code;
	rule = door_rule(c);
	rule.plain_ok = true;
	return e && e->o.policy ? net_policy_check(e->o.policy, &rule, url, err) : 0;
}

static void values_done(struct provider_use *u)
{
	for (size_t i = 0; u->values && i < u->n_values; i++)
		secret_clear(&u->secrets[i]);
	free(u->values);
	free(u->secrets);
	u->values = NULL;
	u->secrets = NULL;
}

static int fill_values(struct provider_use *u, struct keys *k, struct err *err)
{
	_cleanup_json_ json_t *secrets = NULL;
	const struct field *table = u->pub->fields;

	if (provider_secrets(k, &u->row, &secrets, err) < 0)
		return -(int)err->code;
	u->n_values = field_count(table);
	u->values = xcalloc(u->n_values + 1, sizeof *u->values);
	u->secrets = xcalloc(u->n_values + 1, sizeof *u->secrets);
	for (size_t i = 0; i < u->n_values; i++) {
		const struct field *f = &table[i];
		const char *text = json_string_value(json_object_get(f->flags & FIELD_SECRET ? secrets : u->fields, f->name));

		u->values[i].name = f->name;
		if (!text && f->flags & FIELD_REQUIRED && !f->standard)
			return err_set(err, ERR_INVALID, "provider '%s' has no '%s'; it has to be given again", u->row.name, f->name);
		if (f->flags & FIELD_SECRET && text) {
			u->secrets[i] = secret_from(text);
			u->values[i].secret = &u->secrets[i];
		} else if (!(f->flags & FIELD_SECRET)) {
			u->values[i].text = text ? text : f->standard;
		}
	}
	return 0;
}

int provider_use_open(struct engine *e, struct worker *w, const struct provider *row, struct provider_use *u, struct err *err)
{
	_cleanup_free_ char *url = NULL;

	*u = (struct provider_use){ .pub = publisher_kind(row->kind) };
	if (!u->pub)
		return err_set(err, ERR_NEEDS_PERSON, "this program knows no provider of the kind '%s'", row->kind);
	u->row = (struct provider){ .id = xstrdup(row->id), .kind = xstrdup(row->kind), .name = xstrdup(row->name),
				    .fields = xstrdup(row->fields), .sealed = xmemdup(row->sealed, row->sealed_n), .sealed_n = row->sealed_n };
	if (!row->sealed) {
		free(u->row.sealed);
		u->row.sealed = NULL;
	}
	u->fields = json_text_or_null(row->fields);
	url = url_of(u->pub->fields, u->fields);
	if (connection_parse(row->connection, &u->connection, err) < 0)
		goto out;
	if (url ? door_open(&u->connection, url, &u->rule, err) < 0 : 0)
		goto out;
	if (!url)
		u->rule = door_rule(&u->connection);
	u->env = (struct publish_env){
		.http = ruled_init(&u->ruled, w->http, &u->rule), .clock = e->clock, .edge_wait = engine_edge_wait, .edge_arg = e,
		.run_program = e->o.run_program, .program_arg = e->o.program_arg, .webroots = e->o.webroots,
	};
	if (fill_values(u, e->o.keys, err) < 0 || u->pub->open(&u->env, u->values, u->n_values, &u->self, err) < 0)
		goto out;
	values_done(u); /* the instance has copied what it keeps */
	u->open = true;
	return 0;
out:
	provider_use_close(u);
	return err_wrap(err, "could not use provider '%s'", row->name);
}

void provider_use_close(struct provider_use *u)
{
	if (u->open)
		u->pub->close(u->self);
	values_done(u);
	json_decref(u->fields);
	provider_done(&u->row);
	connection_done(&u->connection);
	*u = (struct provider_use){ 0 };
}

enum publish_way method_way(enum validation kind, const char *method)
{
	const struct publisher *p = publisher_find(kind, method);

	return p ? p->way : PUBLISH_REMOTE;
}

char *lane_provider(const char *id, const char *zone)
{
	return xasprintf(LANE_DNS "%s:%s", id, zone ? zone : "");
}

/* ---- the probe ---- */

char *provider_probe_name(const char *id, const char *zone)
{
	char hex[SHA256_HEX];

	sha256_hex(id, strlen(id), hex);
	return zone ? xasprintf("_acme-challenge.certwright-test-%.10s.%s", hex, zone) :
		      xasprintf("_acme-challenge.certwright-test-%.10s", hex);
}

char *provider_probe_value(const char *id)
{
	char b64[SHA256_B64];

	return xstrdup(sha256_base64url(id, strlen(id), b64));
}

/* ---- what a refusal means ---- */

bool provider_refuses(const struct err *why)
{
	return why->code == ERR_UNAUTHENTICATED;
}

int provider_put_refused(struct sql *tx, const struct engine *e, const char *id, const struct err *why, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };
	_cleanup_free_ char *text = err_text(why);
	struct ulid ev_id = ulid_new(engine_now(e));
	struct event ev = { .id = ev_id.s, .subject_kind = (char[]){ "provider" }, .at_ms = engine_now(e), .level = EVENT_ERROR };
	_cleanup_free_ char *said = NULL;

	if (store_provider_get_any(tx, id, &p, err) < 0)
		return -(int)err->code;
	if (p.status == PROVIDER_REFUSED)
		return 0; /* said before */
	p.status = PROVIDER_REFUSED;
	p.updated_ms = engine_now(e);
	free(p.reason);
	p.reason = err_to_json_text(why);
	said = xasprintf("the credential is not accepted any more, everything that uses it waits for Test and save: %s", text);
	ev.subject_id = p.id;
	ev.text = said;
	if (store_provider_put_state(tx, &p, NULL, err) < 0 || store_event_add(tx, &ev, err) < 0)
		return -(int)err->code;
	return cause_credential(tx, &p, why, engine_now(e), err);
}
