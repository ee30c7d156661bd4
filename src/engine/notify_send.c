/* SPDX-License-Identifier: Apache-2.0 */
/* notify_send.c - a channel opened: its secrets, its way out, and one message through it. See notify.h. */
#include "engine/notify_private.h"
#include "notify/smtp.h"
#include "notify/webhook.h"

/* ---- settings ---- */

static const char *text_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

char *notify_endpoint(const char *settings)
{
	_cleanup_json_ json_t *s = json_text_or_null(settings);

	return xasprintf("%s:%lld %s %s", text_of(s, "host"), (long long)json_integer_value(json_object_get(s, "port")),
			 text_of(s, "security"), text_of(s, "user"));
}

static enum mail_security security_of(json_t *s)
{
	const char *text = text_of(s, "security");

	return streq(text, "tls") ? MAIL_TLS : streq(text, "none") ? MAIL_PLAIN : MAIL_STARTTLS;
}

static int at(struct err *err, const char *field)
{
	if (!err->field)
		err->field = xstrdup(field);
	return -(int)err->code;
}

static int check_mail(struct engine *e, json_t *s, struct connection *c, bool confirm, struct err *err)
{
	const char *host = text_of(s, "host");
	uint16_t port = (uint16_t)json_integer_value(json_object_get(s, "port"));
	struct net_rule rule;

	if (confirm)
		connection_confirm(c, host, port);
	else if (connection_check_host(c, host, port, err) < 0)
		return at(err, "/connection");
	rule = door_rule(c);
	if (mail_check_host(e ? e->o.policy : NULL, &rule, host, port, err) < 0)
		return at(err, "/settings/host");
	if (security_of(s) == MAIL_PLAIN && str_empty(c->allow)) {
		err_set_field(err, ERR_INVALID, "/settings/security", "mail without TLS is sent only to a private host that is confirmed");
		return err_hint(err, "List the host's network in the connection's allow, or take starttls.");
	}
	return 0;
}

int notify_check_door(struct engine *e, const struct channel *c, struct connection *connection, bool confirm, struct err *err)
{
	_cleanup_json_ json_t *s = json_text_or_null(c->settings);

	if (c->kind == CHANNEL_EMAIL)
		return check_mail(e, s, connection, confirm, err);
	return door_check(e ? e->o.policy : NULL, connection, text_of(s, "url"), confirm, err) < 0 ? at(err, "/settings/url") : 0;
}

/* ---- secrets ---- */

int channel_seal(struct keys *k, const char *id, json_t *secrets, unsigned char **ret, size_t *ret_n, struct err *err)
{
	struct key_place place = { "channel", id, "sealed" };
	_cleanup_secret_ struct secret clear = { 0 };
	char *text;

	*ret = NULL;
	*ret_n = 0;
	if (!json_object_size(secrets))
		return 0;
	text = json_text(secrets);
	clear = secret_from(text);
	explicit_bzero(text, strlen(text));
	free(text);
	return keys_seal(k, &clear, &place, ret, ret_n, err) < 0 ? err_wrap(err, "could not seal the channel's secrets") : 0;
}

int channel_open(struct keys *k, const struct channel *c, json_t **ret, struct err *err)
{
	struct key_handle h = { "channel", c->id, "sealed", c->sealed, c->sealed_n };
	_cleanup_secret_ struct secret clear = { 0 };

	if (!c->sealed) {
		*ret = json_object();
		return 0;
	}
	if (keys_open_credential(k, &h, &clear, err) < 0 || json_parse((const char *)clear.p, clear.n, ret, err) < 0)
		return err_wrap(err, "could not open the secrets of channel '%s'", c->name);
	return 0;
}

void notify_secret_new(struct secret *ret)
{
	webhook_secret_new(ret);
}

int notify_address_check(const char *address, struct err *err)
{
	return smtp_address_check(address, err);
}

/* ---- sending ---- */

/* Where and as whom; q's texts are those of s. password is wiped by the caller. */
static int mail_to(const struct channel *ch, json_t *s, json_t *secrets, const struct connection *c, const struct net_rule *rule, struct secret *password,
		   struct mail_request *q, struct err *err)
{
	_cleanup_free_ char *endpoint = notify_endpoint(ch->settings);
	const char *user = text_of(s, "user");

	*q = (struct mail_request){ .host = text_of(s, "host"), .port = (uint16_t)json_integer_value(json_object_get(s, "port")), .security = security_of(s), .rule = rule };
	if (connection_check_host(c, q->host, q->port, err) < 0)
		return -(int)err->code;
	if (!*user)
		return 0;
	if (!streq(text_of(secrets, "endpoint"), endpoint))
		return err_set(err, ERR_NEEDS_PERSON, "channel '%s' has a user and no password for it; give it again", ch->name);
	*password = secret_from(text_of(secrets, "password"));
	q->user = user;
	q->password = password;
	return 0;
}

static int mail_out(struct engine *e, const struct mail_request *q, enum net_leg *leg, struct err *err)
{
	if (e->o.send_mail)
		return e->o.send_mail(e->o.send_mail_arg, q, leg, err);
	return mail_send(e->o.policy, &e->abort, q, leg, err);
}

static int by_mail(struct job_run *r, const struct channel *ch, json_t *s, json_t *secrets, const char *id, const char *event,
		   const struct told *t, const struct connection *c, enum net_leg *leg, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(2 * 1024 * 1024);
	_cleanup_secret_ struct secret password = { 0 };
	_cleanup_strlist_ struct strlist to = { 0 };
	struct net_rule rule = door_rule(c);
	struct smtp_message m = { .id = id, .from = text_of(s, "from"), .to = &to, .subject = t->subject, .body = t->body, .event = event,
				  .at_ms = engine_now(r->e), .urgent = t->urgent };
	struct mail_request q;
	json_t *item;
	size_t i;

	if (mail_to(ch, s, secrets, c, &rule, &password, &q, err) < 0)
		return -(int)err->code;
	json_array_foreach(json_object_get(s, "to"), i, item)
		strlist_add(&to, json_string_value(item));
	smtp_text(&m, &text);
	if (buf_check(&text, err) < 0)
		return -(int)err->code;
	q.from = m.from;
	q.to = &to;
	q.message = (struct str){ buf_text(&text), text.n };
	return mail_out(r->e, &q, leg, err);
}

int channel_probe(struct engine *e, const struct channel *ch, int64_t timeout_ms, enum net_leg *ret_leg, struct err *err)
{
	_cleanup_json_ json_t *s = json_text_or_null(ch->settings), *secrets = NULL;
	_cleanup_connection_ struct connection c = { 0 };
	_cleanup_secret_ struct secret password = { 0 };
	struct mail_request q;
	struct net_rule rule;

	*ret_leg = NET_LEG_NONE;
	if (connection_parse(ch->connection, &c, err) < 0 || channel_open(e->o.keys, ch, &secrets, err) < 0)
		return -(int)err->code;
	rule = door_rule(&c);
	if (mail_to(ch, s, secrets, &c, &rule, &password, &q, err) < 0)
		return -(int)err->code;
	q.timeout_ms = timeout_ms;
	return mail_out(e, &q, ret_leg, err);
}

static int by_webhook(struct job_run *r, json_t *s, json_t *secrets, const char *id, const struct told *t, const struct connection *c,
		      enum net_leg *leg, struct err *err)
{
	_cleanup_secret_ struct secret secret = secret_from(text_of(secrets, "secret")), previous = { 0 };
	int64_t now = engine_now(r->e);
	char stamp[CLOCK_TEXT];
	_cleanup_json_ json_t *doc = json_pack("{s:s, s:s, s:O}", "type", t->type, "timestamp", clock_format(now, stamp), "data", t->data);
	_cleanup_free_ char *body = json_text(doc);
	struct net_rule rule = { 0 };
	struct webhook_message m = { .url = text_of(s, "url"), .id = id, .body = body, .secret = &secret, .at_ms = now, .rule = &rule };

	if (door_open(c, m.url, &rule, err) < 0)
		return -(int)err->code;
	if (json_integer_value(json_object_get(secrets, "previous_until_ms")) > now) {
		previous = secret_from(text_of(secrets, "previous"));
		m.previous = &previous;
	}
	return webhook_send(r->w->http, &m, leg, err);
}

int channel_send(struct job_run *r, const struct channel *ch, const char *id, const char *event, const struct told *t,
		enum net_leg *ret_leg, struct err *err)
{
	_cleanup_json_ json_t *s = json_text_or_null(ch->settings), *secrets = NULL;
	_cleanup_connection_ struct connection c = { 0 };

	*ret_leg = NET_LEG_NONE;
	if (connection_parse(ch->connection, &c, err) < 0 || channel_open(r->e->o.keys, ch, &secrets, err) < 0)
		return -(int)err->code;
	if (ch->kind == CHANNEL_EMAIL)
		return by_mail(r, ch, s, secrets, id, event, t, &c, ret_leg, err);
	return by_webhook(r, s, secrets, id, t, &c, ret_leg, err);
}
