/* SPDX-License-Identifier: Apache-2.0 */
/* channels.c - notification channels: who is told, a test, and what each was told. */
#include "api/call.h"
#include "base/limits.h"
#include "service/channel.h"
#include "service/provider.h"

const struct json_field channel_create_fields[] = {
	JF_STR(struct channel_save, kind, .required = true, .min = 1, .max = 16),
	JF_STR(struct channel_save, name, .required = true, .min = 1, .max = 100),
	JF_BOOL(struct channel_save, enabled),
	JF_JSON(struct channel_save, settings, .required = true),
	JF_JSON(struct channel_save, rules),
	JF_JSON(struct channel_save, connection),
	{ 0 }
};
const struct json_field channel_update_fields[] = {
	JF_STR(struct channel_save, name, .min = 1, .max = 100),
	JF_BOOL(struct channel_save, enabled),
	JF_JSON(struct channel_save, settings),
	JF_JSON(struct channel_save, rules),
	JF_JSON(struct channel_save, connection),
	{ 0 }
};

/* What stands behind the host is the secret of many services (Slack, Teams): only who may change it sees it. */
static void hide_path(json_t *settings)
{
	const char *url = json_string_value(json_object_get(settings, "url"));
	const char *host = url ? strstr(url, "://") : NULL;
	_cleanup_free_ char *shown = NULL;

	if (!url)
		return;
	shown = host ? xasprintf("%.*s/...", (int)((size_t)(host - url) + 3 + strcspn(host + 3, "/?#")), url) : xstrdup("...");
	json_object_set_new(settings, "url", json_string(shown));
}

static json_t *channel_json(const struct call *call, const struct channel_view *v)
{
	const struct channel *c = &v->channel;
	json_t *settings = json_text_or_null(c->settings), *j;

	if (!may(call->actor.role, call->actor.rights, PERM_ADMIN))
		hide_path(settings);

	if (c->kind == CHANNEL_EMAIL)
		json_object_set_new(settings, "password", v->has_password ? json_string("set") : json_null());
	j = json_pack("{s:s, s:I, s:s, s:s, s:b, s:o, s:{s:o, s:o, s:o, s:o, s:s}, s:o, s:s, s:o}", "id", c->id, "num", (json_int_t)c->num, "kind",
		      channel_kind_text(c->kind), "name", c->name, "enabled", c->enabled, "settings", settings, "rules", "events",
		      json_strlist(&c->events), "vendors", json_strlist(&c->vendors), "tags", json_strlist(&c->tags), "owners", json_strlist(&c->owners), "search", c->search ? c->search : "", "connection", service_connection_json(c->connection),
		      "status", channel_status_text(c->status), "reason", json_text_or_null(c->reason));
	json_object_set_new(j, "waiting", json_integer(v->waiting));
	json_object_set_new(j, "dropped", json_integer(c->dropped));
	json_object_set_new(j, "tested_at", json_time_or_null(c->tested_ms));
	json_object_set_new(j, "sent_at", json_time_or_null(c->sent_ms));
	json_object_set_new(j, "created_at", json_time_or_null(c->created_ms));
	json_object_set_new(j, "updated_at", json_time_or_null(c->updated_ms));
	return j;
}

static void answer(struct call *c, unsigned status, const struct channel_view *v, const struct secret *secret)
{
	json_t *j = channel_json(c, v);

	if (secret)
		json_object_set_new(j, "secret", secret->n ? json_stringn((const char *)secret->p, secret->n) : json_null());
	if (status == 201)
		call_location(c, "channels", v->channel.id);
	call_etag(c, v->channel.rev);
	call_json(c, status, j);
}

static const char *const channel_kinds[] = { "email", "webhook", NULL };
const struct json_field channel_list_fields[] = { NAMED_FIELDS, ONLY_FIELD("kind", .one_of = channel_kinds), { 0 } };

int channel_list(struct call *c, struct err *err)
{
	_cleanup_channel_view_list_ struct channel_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = named_page_of(c);
	json_t *items;

	if (service_channel_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, channel_json(c, &l.v[i]));
	call_page(c, items, &end);
	return 0;
}

/* Whether "enabled" was given. */
static struct channel_save saved(const struct call *c)
{
	struct channel_save r = *(const struct channel_save *)c->body;

	r.has_enabled = json_object_get(c->body_doc, "enabled") != NULL;
	return r;
}

int channel_create(struct call *c, struct err *err)
{
	struct channel_save r = saved(c);
	_cleanup_channel_view_ struct channel_view v = { 0 };
	_cleanup_secret_ struct secret secret = { 0 };

	if (service_channel_create(c->service, &c->actor, &r, &c->once, &v, &secret, err) < 0)
		return -(int)err->code;
	answer(c, 201, &v, &secret);
	return 0;
}

int channel_get(struct call *c, struct err *err)
{
	_cleanup_channel_view_ struct channel_view v = { 0 };

	if (service_channel_get(c->service, c->id, &v, err) < 0)
		return -(int)err->code;
	answer(c, 200, &v, NULL);
	return 0;
}

int channel_patch(struct call *c, struct err *err)
{
	struct channel_save r = saved(c);
	_cleanup_channel_view_ struct channel_view v = { 0 };

	if (service_channel_update(c->service, &c->actor, c->id, c->match, &r, &v, err) < 0)
		return -(int)err->code;
	answer(c, 200, &v, NULL);
	return 0;
}

int channel_delete(struct call *c, struct err *err)
{
	if (service_channel_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

int channel_rotate(struct call *c, struct err *err)
{
	_cleanup_channel_view_ struct channel_view v = { 0 };
	_cleanup_secret_ struct secret secret = { 0 };

	if (service_channel_rotate(c->service, &c->actor, c->id, &v, &secret, err) < 0)
		return -(int)err->code;
	answer(c, 200, &v, &secret);
	return 0;
}

/* The test is over: what it came to is the channel's. */
static int tested(struct call *c, const struct job *j, struct err *err)
{
	_cleanup_channel_view_ struct channel_view v = { 0 };

	if (service_channel_get(c->service, j->subject_id, &v, err) < 0)
		return -(int)err->code;
	answer(c, 200, &v, NULL);
	return 0;
}

int channel_test(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_channel_test(c->service, &c->actor, c->id, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, tested);
	return 0;
}

int channel_messages(struct call *c, struct err *err)
{
	_cleanup_outbox_list_ struct outbox_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_channel_messages(c->service, c->id, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++) {
		const struct outbox *o = &l.v[i];

		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o}", "id", o->id, "event", o->event, "phase",
						       outbox_phase_text(o->phase), "notice_id", json_str_or_null(o->notice_id), "subject",
						       json_str_or_null(o->subject), "state", outbox_state_text(o->state), "created_at",
						       json_time_or_null(o->created_ms), "due_at", json_time_or_null(o->due_ms), "ended_at",
						       json_time_or_null(o->ended_ms)));
	}
	call_page(c, items, &end);
	return 0;
}
