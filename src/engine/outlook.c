/* SPDX-License-Identifier: Apache-2.0 */
/* outlook.c - through whom the world is looked at: the view that the rules choose for a name, and what was seen as JSON. */
#include "engine/outlook.h"

#include "engine/private.h"
#include "net/url.h"

void outlook_done(struct outlook *l)
{
	free(l->view);
	free(l->rule);
	dns_view_done(&l->row);
	connection_done(&l->connection);
	*l = (struct outlook){ 0 };
}

void outlook_default(struct engine *e, struct outlook *ret)
{
	ret->view = xstrdup("");
	ret->at = e->o.view;
}

int outlook_open(struct engine *e, struct http *http, const struct dns_view *row, struct outlook *l, struct err *err)
{
	l->view = xstrdup(row->name);
	l->row = (struct dns_view){ .id = xstrdup(row->id), .url = xstrdup(row->url) };
	switch (row->kind) {
	case VIEW_SYSTEM:
	case VIEW_SERVERS:
		if (resolve_view_parse(row->kind == VIEW_SYSTEM ? NULL : row->servers, !row->direct, &l->at, err) < 0)
			return err_wrap(err, "view '%s' cannot be used", row->name);
		break;
	case VIEW_DOH:
		if (connection_parse(row->connection, &l->connection, err) < 0 || door_open(&l->connection, l->row.url, &l->net, err) < 0)
			return err_wrap(err, "view '%s' cannot be used", row->name);
		l->at = (struct resolve_view){ .doh = l->row.url, .http = http, .rule = &l->net, .ask_view = !row->direct };
		break;
	}
	l->at.auth_port = e->o.view.auth_port;
	return 0;
}

int outlook_check(struct engine *e, const struct dns_view *v, struct connection *c, bool confirm, struct err *err)
{
	struct resolve_view at = { 0 };

	switch (v->kind) {
	case VIEW_SYSTEM:
		return 0;
	case VIEW_SERVERS:
		if (str_empty(v->servers))
			return err_set_field(err, ERR_INVALID, "/servers", "the address of a resolver is needed");
		if (resolve_view_parse(v->servers, !v->direct, &at, err) < 0)
			replace_str(&err->field, "/servers");
		return err_is(err) ? -(int)err->code : 0;
	case VIEW_DOH:
		if (str_empty(v->url))
			return err_set_field(err, ERR_INVALID, "/url", "the URL of the DNS over HTTPS server is needed");
		if (door_check(e ? e->o.policy : NULL, c, v->url, confirm, err) < 0 && !err->field)
			replace_str(&err->field, "/url");
		return err_is(err) ? -(int)err->code : 0;
	}
	abort();
}

struct chosen {
	const char *name, *vendor;
	struct view_rule rule;
	struct dns_view view;
	bool found;
};

static int choose(struct sql *q, void *arg, struct err *err)
{
	struct chosen *c = arg;
	int rc;

	view_rule_done(&c->rule);
	dns_view_done(&c->view);
	rc = store_view_rule_match(q, c->name, c->vendor, &c->rule, err);
	c->found = rc == 1;
	if (rc < 0 || !c->found || !c->rule.view_id)
		return rc < 0 ? rc : 0;
	return store_view_get(q, c->rule.view_id, &c->view, err);
}

int outlook_for(struct engine *e, struct http *http, const char *name, const char *vendor, struct outlook *l, struct err *err)
{
	struct chosen c = { .name = name, .vendor = vendor ? vendor : "" };
	int rc = engine_read(e, choose, &c, err);

	if (rc < 0) {
		err_wrap(err, "could not learn through which view '%s' is looked at", name);
	} else if (!c.found) {
		outlook_default(e, l);
	} else {
		l->rule = xstrdup(*c.rule.suffix ? c.rule.suffix : "*");
		if (c.rule.view_id) {
			rc = outlook_open(e, http, &c.view, l, err);
		} else {
			l->view = xstrdup("");
			l->wait = true;
			l->wait_s = c.rule.wait_s;
		}
	}
	view_rule_done(&c.rule);
	dns_view_done(&c.view);
	return rc;
}

static const char *server_state(const struct resolve_server *s, const char *value)
{
	if (!s->answered)
		return "silent";
	if (strlist_has(&s->values, value))
		return "has";
	if (s->rcode && s->rcode != DNS_RCODE_NXDOMAIN)
		return "error";
	return s->values.n ? "other" : "empty";
}

#define VALUES_SHOWN 5

static json_t *server_json(const struct resolve_server *s, const char *value)
{
	_cleanup_free_ char *text = resolve_server_text(s, value);
	json_t *values = json_array();

	for (size_t i = 0; i < MIN(s->values.n, (size_t)VALUES_SHOWN); i++)
		json_array_append_new(values, json_string(s->values.v[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", s->name, "address", s->address, "state", server_state(s, value), "text", text,
			 "values", values);
}

json_t *outlook_json(const struct outlook *l, const struct resolve_report *rep, const char *value)
{
	json_t *servers = json_array();

	for (size_t i = 0; rep && i < rep->n; i++)
		json_array_append_new(servers, server_json(&rep->servers[i], value));
	return json_pack("{s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "view", l->view, "rule", json_str_or_null(l->rule), "wait_s",
			 l->wait ? json_integer(l->wait_s) : json_null(), "zone", rep && *rep->zone ? json_string(rep->zone) : json_null(),
			 "inside", rep && rep->inside, "tcp", rep && rep->tcp, "alias", json_str_or_null(rep ? rep->alias : NULL), "servers", servers);
}
