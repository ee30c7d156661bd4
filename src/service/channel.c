/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - see channel.h. */
#include "service/channel.h"

#include "base/idn.h"
#include "engine/intake.h"
#include "engine/notify.h"
#include "base/limits.h"
#include "model/search.h"
#include "model/vendor.h"
#include "service/internal.h"

#define OVERLAP_MS DAY_MS /* both secrets of a webhook sign */

struct channel_job {
	const struct service *s;
	const char *ref;
	int64_t rev, now_ms;
	struct page page;
	struct narrow by;
	struct channel_view_list *list;
	struct channel *row;
	struct channel_view *ret;
	struct outbox_list *messages;
	struct once *once;
	struct audit *audit;
	struct job_request *job;
	char job_id[ULID_LEN + 1];
	bool existing;
};

void channel_view_done(struct channel_view *v)
{
	channel_done(&v->channel);
	*v = (struct channel_view){ 0 };
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static int fill(struct sql *q, struct channel_view *v, struct err *err)
{
	v->has_password = v->channel.kind == CHANNEL_EMAIL && v->channel.sealed;
	return store_outbox_waiting(q, v->channel.id, &v->waiting, err);
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct channel_job *j = arg;
	_cleanup_channel_list_ struct channel_list l = { 0 };

	channel_view_list_done(j->list);
	if (store_channel_list(q, &j->by, &j->page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct channel_view *v = channel_view_list_add(j->list);

		v->channel = TAKE(l.v[i]);
		if (fill(q, v, err) < 0)
			return -(int)err->code;
	}
	j->list->more = l.more;
	return 0;
}

int service_channel_list(struct service *s, const struct list_query *q, struct channel_view_list *ret, struct list_end *end,
			 struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "channels", .also = BIT(PAGE_NAME) };
	struct channel_job j = { .list = ret, .by = q->by };
	const struct channel *last;

	if (listing_open(&l, q, NULL, 0, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1].channel : NULL;
	listing_close_named(&l, ret->more, last ? last->created_ms : 0, last ? last->name : NULL, last ? last->id : NULL, end);
	return 0;
}

static int find(struct sql *q, const char *ref, struct channel *ret, struct err *err)
{
	channel_done(ret);
	return SERVICE_GET(q, ref, store_channel_get, store_channel_get_num, ret, err);
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct channel_job *j = arg;

	return find(q, j->ref, &j->ret->channel, err) < 0 ? -(int)err->code : fill(q, j->ret, err);
}

int service_channel_get(struct service *s, const char *ref, struct channel_view *ret, struct err *err)
{
	struct channel_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

static int messages_tx(struct sql *q, void *arg, struct err *err)
{
	struct channel_job *j = arg;
	_cleanup_channel_ struct channel c = { 0 };

	return find(q, j->ref, &c, err) < 0 ? -(int)err->code : store_outbox_list(q, c.id, &j->page, j->messages, err);
}

int service_channel_messages(struct service *s, const char *ref, const struct list_query *q, struct outbox_list *ret, struct list_end *end,
			     struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct channel_job j = { .ref = ref, .messages = ret };
	const struct outbox *last;

	if (cursor_open(s, "messages", ref, q, &c, err) < 0)
		return -(int)err->code;
	j.page = c.page;
	if (store_read(s->store, messages_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	cursor_close(s, "messages", ref, ret->more, last ? last->created_ms : 0, NULL, last ? last->id : "", end);
	return 0;
}

/* --- what was typed ------------------------------------------------------------------------------------------------------ */

static int bad(struct err *err, const char *name, const char *what)
{
	_cleanup_free_ char *pointer = xasprintf("/settings/%.64s", name);

	return err_set_field(err, ERR_INVALID, pointer, "%s", what);
}

static bool plain_text(const char *s, size_t max)
{
	size_t n = strlen(s);

	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return n > 0 && n <= max;
}

static int check_to(json_t *to, struct err *err)
{
	json_t *item;
	size_t i;

	if (!json_is_array(to) || !json_array_size(to) || json_array_size(to) > LIMIT_MAIL_TO)
		return bad(err, "to", "'to' is a list of 1 to 50 e-mail addresses");
	json_array_foreach(to, i, item) {
		_cleanup_free_ char *name = xasprintf("to/%zu", i);

		if (!json_is_string(item) || notify_address_check(json_string_value(item), err) < 0) {
			err_clear(err);
			return bad(err, name, "that is not a plain e-mail address");
		}
	}
	return 0;
}

static int check_email(json_t *s, struct err *err)
{
	const char *host = json_string_value(json_object_get(s, "host")), *from = json_string_value(json_object_get(s, "from"));
	const char *security = json_string_value(json_object_get(s, "security")), *user = json_string_value(json_object_get(s, "user"));
	json_int_t port = json_integer_value(json_object_get(s, "port"));
	_cleanup_free_ char *lower = host ? xstrdup(host) : NULL;

	if (!host || !plain_text(host, LIMIT_NAME))
		return bad(err, "host", "'host' is needed: the mail server's name");
	str_lower(lower);
	json_object_set_new(s, "host", json_string(lower));
	if (!security)
		json_object_set_new(s, "security", json_string("starttls"));
	else if (!streq(security, "starttls") && !streq(security, "tls") && !streq(security, "none"))
		return bad(err, "security", "'security' is starttls, tls or none");
	if (!json_object_get(s, "port"))
		json_object_set_new(s, "port", json_integer(security && streq(security, "tls") ? 465 : 587));
	else if (port < 1 || port > 65535)
		return bad(err, "port", "'port' is a number from 1 to 65535");
	if (user && !plain_text(user, 256))
		return bad(err, "user", "'user' is up to 256 ordinary characters");
	if (!from || notify_address_check(from, err) < 0) {
		err_clear(err);
		return bad(err, "from", "'from' is needed: a plain e-mail address");
	}
	return check_to(json_object_get(s, "to"), err);
}

static int check_settings(struct channel *c, json_t *s, json_t *secrets, struct err *err)
{
	const char *user = json_string_value(json_object_get(s, "user"));
	bool password = json_object_get(secrets, "password") != NULL;

	if (c->kind == CHANNEL_WEBHOOK)
		return json_is_string(json_object_get(s, "url")) ? 0 : bad(err, "url", "'url' is needed: an https address");
	if (check_email(s, err) < 0)
		return -(int)err->code;
	if (user && !password)
		return bad(err, "password", "a user needs a password; it is asked for again when host, port, security or user change");
	return !user && password ? bad(err, "user", "a password needs a user") : 0;
}

/* Numbers, texts and lists as they are; null takes one away. The password goes to the secrets. */
static int merge(const struct channel *c, json_t *given, json_t *into, json_t *secrets, struct err *err)
{
	static const char *const mail[] = { "host", "port", "security", "user", "password", "from", "to", NULL };
	static const char *const hook[] = { "url", NULL };
	const char *const *known = c->kind == CHANNEL_EMAIL ? mail : hook;
	const char *name;
	json_t *v;

	if (given && !json_is_object(given))
		return err_set_field(err, ERR_INVALID, "/settings", "settings is an object");
	json_object_foreach(given, name, v) {
		const char *const *k = known;
		json_t *to = streq(name, "password") ? secrets : into;

		while (*k && !streq(*k, name))
			k++;
		if (!*k)
			return bad(err, name, "there is no such setting");
		if (json_is_null(v))
			json_object_del(to, name);
		else if (streq(name, "port") ? !json_is_integer(v) : streq(name, "to") ? !json_is_array(v) : !json_is_string(v))
			return bad(err, name, "that is not the type of this setting");
		else if (streq(name, "password") && !plain_text(json_string_value(v), 1024))
			return bad(err, name, "a password is up to 1024 characters and no line ends");
		else
			json_object_set(to, name, v);
	}
	return 0;
}

static int take_list(json_t *rules, const char *name, bool (*known)(const char *), struct strlist *ret, struct err *err)
{
	json_t *list = json_object_get(rules, name), *item;
	size_t i;

	if (!list)
		return 0;
	strlist_clear(ret);
	if (!json_is_array(list) || json_array_size(list) > 64)
		return err_set_field(err, ERR_INVALID, "/rules", "'%s' is a list of texts", name);
	json_array_foreach(list, i, item) {
		_cleanup_free_ char *pointer = xasprintf("/rules/%s/%zu", name, i);

		if (!json_is_string(item) || !known(json_string_value(item)))
			return err_set_field(err, ERR_INVALID, pointer, "there is no such word for '%s'", name);
		strlist_add(ret, json_string_value(item));
	}
	strlist_sort_unique(ret);
	return 0;
}

static bool vendor_known(const char *key)
{
	return streq(key, VENDOR_CUSTOM) || vendor_find(key);
}

static bool tag_known(const char *tag)
{
	return *tag && strlen(tag) <= 64 && !tag[strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789-_./=")];
}

static bool owner_known(const char *owner)
{
	return *owner && strlen(owner) <= LIMIT_EMAIL && !strpbrk(owner, "\r\n");
}

/* "" takes it away. That it is read is judged now; what it finds, whenever something is to be told. */
static int take_search(struct service *s, struct channel *c, json_t *rules, struct err *err)
{
	const char *text = json_string_value(json_object_get(rules, "search"));
	_cleanup_search_ struct search read = { 0 };

	if (!json_object_get(rules, "search"))
		return 0;
	if (!text || strlen(text) > LIMIT_SEARCH)
		return err_set_field(err, ERR_INVALID, "/rules/search", "a search is a text of at most %d bytes", LIMIT_SEARCH);
	if (search_parse(text, service_now(s), &read, err) < 0) {
		replace_str(&err->field, "/rules/search");
		return -(int)err->code;
	}
	replace_str(&c->search, search_empty(&read) ? NULL : text);
	return 0;
}

static int take_rules(struct service *s, struct channel *c, json_t *rules, struct err *err)
{
	const char *name;
	json_t *v;

	if (!rules)
		return 0;
	if (!json_is_object(rules))
		return err_set_field(err, ERR_INVALID, "/rules", "rules is an object");
	json_object_foreach(rules, name, v) {
		_cleanup_free_ char *pointer = xasprintf("/rules/%.64s", name);

		if (!streq(name, "events") && !streq(name, "vendors") && !streq(name, "tags") && !streq(name, "owners") && !streq(name, "search"))
			return err_set_field(err, ERR_INVALID, pointer, "there is no such rule");
	}
	return take_list(rules, "events", notify_event_known, &c->events, err) < 0 ||
			       take_list(rules, "vendors", vendor_known, &c->vendors, err) < 0 ||
			       take_list(rules, "tags", tag_known, &c->tags, err) < 0 || take_list(rules, "owners", owner_known, &c->owners, err) < 0 ||
			       take_search(s, c, rules, err) < 0 ?
		       -(int)err->code :
		       0;
}

static int take_name(struct channel *c, const char *name, struct err *err)
{
	size_t n = name ? strlen(name) : 0;

	if (!n || n > 100 || !plain_text(name, 100) || *name == ' ' || name[n - 1] == ' ')
		return err_set_field(err, ERR_INVALID, "/name", "a name is 1 to 100 ordinary characters");
	replace_str(&c->name, name);
	return 0;
}

static int take_connection(struct service *s, json_t *given, struct channel *ch, struct err *err)
{
	_cleanup_connection_ struct connection c = { 0 };

	if (given && !json_is_null(given)) {
		if (connection_decode(given, "/connection", false, &c, err) < 0)
			return -(int)err->code;
	} else if (!given && connection_parse(ch->connection, &c, err) < 0) {
		return -(int)err->code;
	}
	if (notify_check_door(s->engine, ch, &c, given != NULL, err) < 0)
		return -(int)err->code;
	free(ch->connection);
	ch->connection = connection_text(&c);
	return 0;
}

/* Settings, rules, connection, secrets: all that a channel is. before: where the stored password may go, NULL = none is stored. */
static int take(struct service *s, const struct channel_save *r, struct channel *c, json_t *secrets, const char *before, struct err *err)
{
	_cleanup_json_ json_t *settings = json_text_or_null(c->settings);
	_cleanup_free_ char *after = NULL;

	if (merge(c, r->settings, settings, secrets, err) < 0)
		return -(int)err->code;
	free(c->settings);
	c->settings = json_text(settings);
	after = notify_endpoint(c->settings);
	if (before && !streq(before, after) && !json_object_get(r->settings, "password"))
		json_object_del(secrets, "password");
	if (check_settings(c, settings, secrets, err) < 0)
		return -(int)err->code;
	free(c->settings);
	c->settings = json_text(settings);
	free(after);
	after = notify_endpoint(c->settings); /* with what was filled in */
	if (json_object_get(secrets, "password"))
		json_object_set_new(secrets, "endpoint", json_string(after));
	else
		json_object_del(secrets, "endpoint");
	if (take_rules(s, c, r->rules, err) < 0 || take_connection(s, r->connection, c, err) < 0)
		return -(int)err->code;
	free(c->sealed);
	c->sealed = NULL;
	return channel_seal(s->keys, c->id, secrets, &c->sealed, &c->sealed_n, err);
}

/* What the audit says of a channel; of its secret only that it changed. */
static json_t *terms(const struct channel *c, bool secret_changed)
{
	json_t *doc = json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:s?}", "name", c->name, "kind", channel_kind_text(c->kind), "settings",
				json_text_or_null(c->settings), "enabled", c->enabled, "events", json_strlist(&c->events), "vendors",
				json_strlist(&c->vendors), "tags", json_strlist(&c->tags), "owners", json_strlist(&c->owners), "search", c->search);

	if (doc && secret_changed)
		json_object_set_new(doc, "secret", json_string("changed"));
	return doc;
}

static void tell(struct audit *audit, const struct channel *c, json_t *take_before, json_t *take_after)
{
	audit_object(audit, c->id, c->name, take_before, take_after);
}

/* --- changing ------------------------------------------------------------------------------------------------------------ */

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct channel_job *j = arg;
	_cleanup_free_ char *before = NULL;

	channel_view_done(j->ret);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	j->existing = before != NULL;
	if (!before && (store_channel_add(tx, j->row, err) < 0 || notify_wanted(tx, j->row->id, j->now_ms + DAY_MS, j->now_ms, err) < 0 ||
			store_audit_add(tx, j->audit, err) < 0 || once_add(tx, j->s, j->once, "channel", j->row->id, err) < 0))
		return -(int)err->code;
	return store_channel_get(tx, before ? before : j->row->id, &j->ret->channel, err) < 0 ? -(int)err->code : fill(tx, j->ret, err);
}

int service_channel_create(struct service *s, const struct actor *a, const struct channel_save *r, const struct request_key *key,
			   struct channel_view *ret, struct secret *ret_secret, struct err *err)
{
	_cleanup_channel_ struct channel c = { .created_ms = service_now(s), .enabled = true };
	_cleanup_json_ json_t *secrets = json_object();
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	_cleanup_secret_ struct secret secret = { 0 };
	struct channel_job j = { .s = s, .row = &c, .ret = ret, .once = &once, .audit = &audit, .now_ms = c.created_ms };

	if (!channel_kind_parse(r->kind, &c.kind))
		return err_set_field(err, ERR_INVALID, "/kind", "there is no kind of channel '%.64s'", r->kind);
	c.id = xstrdup(ulid_new(c.created_ms).s);
	c.settings = xstrdup("{}");
	c.digest_ms = c.created_ms + DAY_MS;
	if (r->has_enabled)
		c.enabled = r->enabled;
	if (c.kind == CHANNEL_WEBHOOK) {
		notify_secret_new(&secret);
		json_object_set_new(secrets, "secret", json_stringn((const char *)secret.p, secret.n));
	}
	if (take_name(&c, r->name, err) < 0 || take(s, r, &c, secrets, NULL, err) < 0)
		return -(int)err->code;
	once_begin(s, a, key, &once);
	audit_begin(s, a, "channel.create", "channel", &audit);
	tell(&audit, &c, NULL, terms(&c, false));
	if (store_write(s->store, create_tx, &j, err) < 0)
		return -(int)err->code;
	if (!j.existing)
		*ret_secret = TAKE(secret);
	return 0;
}

static int update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct channel_job *j = arg;

	if (store_channel_put(tx, j->row, j->rev, err) < 0 || store_audit_add(tx, j->audit, err) < 0 ||
	    notify_wanted(tx, j->row->id, j->now_ms, j->now_ms, err) < 0)
		return -(int)err->code;
	channel_view_done(j->ret);
	return store_channel_get(tx, j->row->id, &j->ret->channel, err) < 0 ? -(int)err->code : fill(tx, j->ret, err);
}

int service_channel_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct channel_save *r,
			   struct channel_view *ret, struct err *err)
{
	_cleanup_channel_view_ struct channel_view v = { 0 };
	_cleanup_json_ json_t *secrets = NULL;
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_free_ char *before = NULL;
	_cleanup_json_ json_t *was = NULL;
	struct channel *c = &v.channel;
	struct channel_job j = { .s = s, .row = c, .ret = ret, .audit = &audit, .now_ms = service_now(s) };

	if (service_channel_get(s, ref, &v, err) < 0 || rev_check(rev, c->rev, "notification channel", err) < 0 ||
	    channel_open(s->keys, c, &secrets, err) < 0)
		return -(int)err->code;
	j.rev = c->rev;
	before = notify_endpoint(c->settings);
	was = terms(c, false);
	if (r->has_enabled)
		c->enabled = r->enabled;
	if ((r->name && take_name(c, r->name, err) < 0) || take(s, r, c, secrets, before, err) < 0)
		return -(int)err->code;
	c->updated_ms = j.now_ms;
	audit_begin(s, a, "channel.update", "channel", &audit);
	tell(&audit, c, json_incref(was), terms(c, json_object_get(r->settings, "password") != NULL));
	return store_write(s->store, update_tx, &j, err);
}

int service_channel_rotate(struct service *s, const struct actor *a, const char *ref, struct channel_view *ret, struct secret *ret_secret,
			   struct err *err)
{
	_cleanup_channel_view_ struct channel_view v = { 0 };
	_cleanup_json_ json_t *secrets = NULL;
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_secret_ struct secret secret = { 0 };
	struct channel *c = &v.channel;
	struct channel_job j = { .s = s, .row = c, .ret = ret, .audit = &audit, .now_ms = service_now(s) };
	json_t *old;

	if (service_channel_get(s, ref, &v, err) < 0)
		return -(int)err->code;
	if (c->kind != CHANNEL_WEBHOOK)
		return err_set(err, ERR_CONFLICT, "channel '%s' signs nothing: only a webhook has a signing secret", c->name);
	if (channel_open(s->keys, c, &secrets, err) < 0)
		return -(int)err->code;
	notify_secret_new(&secret);
	old = json_object_get(secrets, "secret");
	if (old)
		json_object_set(secrets, "previous", old);
	json_object_set_new(secrets, "previous_until_ms", json_integer(j.now_ms + OVERLAP_MS));
	json_object_set_new(secrets, "secret", json_stringn((const char *)secret.p, secret.n));
	free(c->sealed);
	c->sealed = NULL;
	if (channel_seal(s->keys, c->id, secrets, &c->sealed, &c->sealed_n, err) < 0)
		return -(int)err->code;
	j.rev = c->rev;
	c->updated_ms = j.now_ms;
	audit_begin(s, a, "channel.rotate", "channel", &audit);
	tell(&audit, c, terms(c, false), terms(c, true));
	if (store_write(s->store, update_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_secret = TAKE(secret);
	return 0;
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct channel_job *j = arg;
	_cleanup_channel_ struct channel c = { 0 };

	if (find(tx, j->ref, &c, err) < 0 || rev_check(j->rev, c.rev, "notification channel", err) < 0)
		return -(int)err->code;
	tell(j->audit, &c, terms(&c, false), NULL);
	if (store_channel_delete(tx, c.id, j->now_ms, err) < 0 || notify_wanted(tx, c.id, j->now_ms, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_channel_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct channel_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "channel.delete", "channel", &audit);
	return store_write(s->store, delete_tx, &j, err);
}

/* --- Send test ----------------------------------------------------------------------------------------------------------- */

static int test_tx(struct sql *tx, void *arg, struct err *err)
{
	struct channel_job *j = arg;
	_cleanup_channel_ struct channel c = { 0 };
	_cleanup_free_ char *lane = NULL;

	if (find(tx, j->ref, &c, err) < 0)
		return -(int)err->code;
	lane = xasprintf("channel-test:%s", c.id);
	j->job->subject_id = c.id;
	j->job->lane = lane;
	replace_str(&j->audit->object_id, c.id);
	replace_str(&j->audit->object_name, c.name);
	return job_intake(tx, j->job, j->job_id, err) < 0 ? -(int)err->code : store_audit_add(tx, j->audit, err);
}

int service_channel_test(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct ulid id = ulid_new(service_now(s));
	struct job_request q = { .id = id.s, .kind = JOB_CHANNEL_TEST, .subject_kind = "channel", .args = "{}", .created_by = a->user_id,
				 .now_ms = service_now(s) };
	struct channel_job j = { .ref = ref, .audit = &audit, .job = &q };

	audit_begin(s, a, "channel.test", "channel", &audit);
	if (store_write(s->store, test_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_job = xstrdup(j.job_id);
	return 0;
}
