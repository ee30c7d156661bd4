/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f5_servers.c - virtual servers of a BIG-IP, and our iRule on them. The rules of a virtual server are one ordered list that a write
 * replaces: it is read directly before, written with ours in front (or without it), and read back; an operator who looked at a list
 * that has changed since is asked to look again.
 */
#include "publish/f5.h"

#include "base/limits.h"

#include <inttypes.h>

#define VIRTUALS "/mgmt/tm/ltm/virtual"
#define SERVERS_MAX 500
#define RULES_MAX 64

static char *rule_name(const struct f5 *f)
{
	return xasprintf("/%s/%s_rule", f->partition, f->group);
}

/* ---- what is there ---- */

struct server {
	char *name, *address; /* full path; without partition and port */
	const char *http;     /* full path of its HTTP profile, or NULL; borrowed from the document */
	int64_t port;         /* 0 = every port */
	bool enabled;
	struct strlist rules;
};

static void server_done(struct server *s)
{
	free(s->name);
	free(s->address);
	strlist_clear(&s->rules);
	*s = (struct server){ 0 };
}
#define _cleanup_server_ __attribute__((cleanup(server_done)))

/* "/Common/10.0.0.5:80", "/Common/2001:db8::1.80", "/Common/any6.any", with "%1" of a route domain behind the address. */
static void take_destination(struct server *s, const char *destination)
{
	const char *from = strrchr(destination, '/'), *last;
	_cleanup_err_ struct err ignored = { 0 };

	from = from ? from + 1 : destination;
	last = strchr(from, ':') && strchr(from, ':') == strrchr(from, ':') ? strchr(from, ':') : strrchr(from, '.');
	if (!last) {
		s->address = xstrdup(from);
		return;
	}
	s->address = xstrndup(from, (size_t)(last - from));
	if (streq(last + 1, "http"))
		s->port = 80;
	else if (str_to_i64(last + 1, 0, 65535, &s->port, &ignored) < 0)
		s->port = streq(last + 1, "any") ? 0 : -1;
}

/* Full paths of all HTTP profiles: a profile in the list of a virtual server does not say its type. */
static int http_profiles(struct f5_visit *v, struct strlist *ret, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	json_t *item;
	size_t i;

	if (bigip_call(&v->b, HTTP_GET, "/mgmt/tm/ltm/profile/http", NULL, &r, err) < 0)
		return err_wrap(err, "could not list the HTTP profiles");
	json_array_foreach(json_object_get(r.doc, "items"), i, item) {
		const char *path = json_string_value(json_object_get(item, "fullPath"));

		if (path)
			strlist_add(ret, path);
	}
	return 0;
}

static int take_server(json_t *doc, const struct strlist *http, struct server *ret, struct err *err)
{
	const char *name = json_string_value(json_object_get(doc, "fullPath")), *to = json_string_value(json_object_get(doc, "destination"));
	json_t *profiles = json_object_get(json_object_get(doc, "profilesReference"), "items"), *item;
	size_t i;

	if (!name || !to || *name != '/')
		return err_set(err, ERR_REMOTE_BAD, "the device describes a virtual server without name or destination");
	ret->name = xstrdup(name);
	take_destination(ret, to);
	ret->enabled = !json_is_true(json_object_get(doc, "disabled"));
	json_array_foreach(profiles, i, item) {
		const char *path = json_string_value(json_object_get(item, "fullPath"));

		if (path && strlist_has(http, path))
			ret->http = path;
	}
	json_array_foreach(json_object_get(doc, "rules"), i, item) {
		if (!json_string_value(item) || i == RULES_MAX)
			return err_set(err, ERR_REMOTE_BAD, "the rules of virtual server '%s' cannot be read", name);
		strlist_add(&ret->rules, json_string_value(item));
	}
	return 0;
}

/* Why our rule cannot be put there, or NULL. Owned. */
static char *unfit(const struct server *s)
{
	if (s->port != 80 && s->port != 0)
		return xasprintf("it listens on port %" PRId64 ", and authorities come to port 80", s->port);
	if (!s->http)
		return xstrdup("it has no HTTP profile, so the device does not look into what is asked there");
	return NULL;
}

static void without(const struct strlist *rules, const char *ours, struct strlist *ret)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!streq(rules->v[i], ours))
			strlist_add(ret, rules->v[i]);
}

/* The list as it would be: ours in front, the others in their order. */
static void with(const struct strlist *rules, const char *ours, struct strlist *ret)
{
	strlist_add(ret, ours);
	without(rules, ours, ret);
}

static json_t *server_json(const struct server *s, const char *ours)
{
	_cleanup_strlist_ struct strlist on = { 0 }, off = { 0 };
	_cleanup_free_ char *why = unfit(s);

	with(&s->rules, ours, &on);
	without(&s->rules, ours, &off);
	return json_pack("{s:s, s:s, s:I, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "name", s->name, "address", s->address, "port", (json_int_t)s->port,
			 "http_profile", json_str_or_null(s->http), "enabled", s->enabled, "attached", strlist_has(&s->rules, ours), "unfit",
			 json_str_or_null(why), "rules", json_strlist(&s->rules), "rules_attached", json_strlist(&on), "rules_detached",
			 json_strlist(&off));
}

static int list_servers(struct f5_visit *v, json_t *ret, struct err *err)
{
	_cleanup_strlist_ struct strlist http = { 0 };
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	_cleanup_free_ char *ours = rule_name(v->f);
	json_t *item;
	size_t i;

	if (http_profiles(v, &http, err) < 0)
		return -(int)err->code;
	if (bigip_call(&v->b, HTTP_GET, VIRTUALS "?expandSubcollections=true", NULL, &r, err) < 0)
		return err_wrap(err, "could not list the virtual servers");
	json_array_foreach(json_object_get(r.doc, "items"), i, item) {
		_cleanup_server_ struct server s = { 0 };

		if (i == SERVERS_MAX)
			break;
		if (take_server(item, &http, &s, err) < 0)
			return -(int)err->code;
		json_array_append_new(ret, server_json(&s, ours));
	}
	return 0;
}

/* What the user may not see is null: with the least rights the tokens work all the same. */
int f5_look(void *self, const struct publish_env *env, json_t **ret, struct err *err)
{
	_cleanup_f5_visit_ struct f5_visit v = { 0 };
	_cleanup_free_ char *sync = NULL;
	_cleanup_json_ json_t *servers = json_array();
	_cleanup_err_ struct err why = { 0 };

	if (f5_visit(self, env, &v, err) < 0)
		return -(int)err->code;
	if (bigip_sync_status(&v.b, &sync, &why) < 0 && v.f->sync == F5_SYNC_CLEAN)
		return err_move(err, &why);
	if (list_servers(&v, servers, err) < 0)
		return -(int)err->code;
	*ret = json_pack("{s:s, s:o, s:o, s:o, s:o, s:O}", "address", v.b.url, "host", json_str_or_null(v.b.host), "version",
			 json_str_or_null(v.b.version), "state", json_str_or_null(v.b.state), "sync", json_str_or_null(sync), "servers", servers);
	return 0;
}

/* ---- attaching ---- */

static int read_server(struct f5_visit *v, const char *name, const struct strlist *http, struct bigip_reply *r, struct server *ret, struct err *err)
{
	_cleanup_free_ char *id = bigip_path(name), *path = xasprintf(VIRTUALS "/%s?expandSubcollections=true", id);

	if (bigip_call(&v->b, HTTP_GET, path, NULL, r, err) == 0)
		return take_server(r->doc, http, ret, err);
	if (err->code == ERR_NOT_FOUND) {
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/server", "the device has no virtual server '%s'", name);
	}
	return err_wrap(err, "could not read the virtual server '%s'", name);
}

/* The device stores the text as it likes, with other white space at the ends. */
static bool same_rule(const char *stored, const char *text)
{
	size_t n = strlen(text), m;

	if (!stored)
		return false;
	stored += strspn(stored, " \r\n\t");
	m = strlen(stored);
	while (n && strchr(" \r\n\t", text[n - 1]))
		n--;
	while (m && strchr(" \r\n\t", stored[m - 1]))
		m--;
	return n == m && !memcmp(stored, text, n);
}

static int make_rule(struct f5_visit *v, struct err *err)
{
	const struct f5 *f = v->f;
	_cleanup_bigip_reply_ struct bigip_reply there = { 0 }, r = { 0 };
	_cleanup_free_ char *name = rule_name(f), *id = bigip_path(name), *path = xasprintf("/mgmt/tm/ltm/rule/%s", id);
	_cleanup_free_ char *text = f5_rule(f->partition, f->group), *plain = xasprintf("%s_rule", f->group);
	int rc = bigip_call(&v->b, HTTP_GET, path, NULL, &there, err);

	if (rc == 0 && same_rule(json_string_value(json_object_get(there.doc, "apiAnonymous")), text))
		return 0;
	if (rc == 0)
		rc = bigip_call(&v->b, HTTP_PATCH, path, json_pack("{s:s}", "apiAnonymous", text), &r, err);
	else if (err->code == ERR_NOT_FOUND) {
		err_clear(err);
		rc = bigip_call(&v->b, HTTP_POST, "/mgmt/tm/ltm/rule",
				json_pack("{s:s, s:s, s:s}", "name", plain, "partition", f->partition, "apiAnonymous", text), &r, err);
	}
	return rc < 0 ? err_wrap(err, "could not put the iRule '%s' on the device", name) : 0;
}

static bool as_seen(const struct strlist *now, const struct strlist *expect)
{
	return !expect || strlist_equal(now, expect);
}

static int write_rules(struct f5_visit *v, const struct server *s, const struct strlist *rules, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	_cleanup_free_ char *id = bigip_path(s->name), *path = xasprintf(VIRTUALS "/%s", id);

	if (bigip_call(&v->b, HTTP_PATCH, path, json_pack("{s:o}", "rules", json_strlist(rules)), &r, err) < 0)
		return err_wrap(err, "could not change the rules of virtual server '%s'", s->name);
	return 0;
}

/* Group and rule exist before the virtual server is told to use them. */
static int carry_out(struct f5_visit *v, const struct server *s, const struct strlist *after, bool attach, struct err *err)
{
	if (f5_before_write(v, err) < 0)
		return -(int)err->code;
	if (attach && (f5_make_group(v, err) < 0 || make_rule(v, err) < 0))
		return -(int)err->code;
	if (!strlist_equal(&s->rules, after) && write_rules(v, s, after, err) < 0)
		return -(int)err->code;
	return f5_after_write(v, err);
}

static int check_fit(const struct server *s, const struct publish_attach *q, struct err *err)
{
	_cleanup_free_ char *why = q->attach ? unfit(s) : NULL, *now = NULL;

	if (why)
		return err_set_field(err, ERR_INVALID, "/server", "virtual server '%s' cannot be used: %s", s->name, why);
	if (as_seen(&s->rules, q->expect))
		return 0;
	now = strlist_join(&s->rules, ", ");
	err_set(err, ERR_CONFLICT, "the rules of virtual server '%s' have been changed meanwhile: %s", s->name, *now ? now : "none");
	return err_hint(err, "Look at the list again, then decide.");
}

int f5_attach(void *self, const struct publish_env *env, const struct publish_attach *q, json_t **ret, struct err *err)
{
	_cleanup_f5_visit_ struct f5_visit v = { 0 };
	_cleanup_server_ struct server s = { 0 }, now = { 0 };
	_cleanup_bigip_reply_ struct bigip_reply before = { 0 }, after = { 0 };
	_cleanup_strlist_ struct strlist http = { 0 }, rules = { 0 };
	_cleanup_free_ char *ours = NULL;

	if (f5_visit(self, env, &v, err) < 0 || http_profiles(&v, &http, err) < 0 || read_server(&v, q->server, &http, &before, &s, err) < 0 ||
	    check_fit(&s, q, err) < 0)
		return -(int)err->code;
	ours = rule_name(v.f);
	(q->attach ? with : without)(&s.rules, ours, &rules);
	if (carry_out(&v, &s, &rules, q->attach, err) < 0 || read_server(&v, q->server, &http, &after, &now, err) < 0)
		return -(int)err->code;
	if (!strlist_equal(&now.rules, &rules))
		return err_set(err, ERR_CONFLICT, "somebody else changed the rules of virtual server '%s' at the same time: look at them", s.name);
	*ret = json_pack("{s:s, s:b, s:o, s:o}", "server", s.name, "attached", q->attach, "before", json_strlist(&s.rules), "after",
			 json_strlist(&now.rules));
	return 0;
}
