/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f5.c - F5 BIG-IP by iControl REST. A challenge is one record of an internal data group (token -> key authorization), added and
 * removed by itself (?options=records add { … }): a write of the whole list, as the API offers it too, would lose what another
 * administrator adds at the same instant, and is never used. The iRule that answers from the data group is put on a virtual server
 * by an operator, once (attach); an order touches only the data group.
 *
 * What was written is read back: a device that says yes and does nothing is found out here.
 */
#include "publish/f5.h"

#include "base/limits.h"
#include "remote/bigip.h"

#define GROUPS "/mgmt/tm/ltm/data-group/internal"
#define UNITS_MAX 8

extern const struct publisher publisher_f5;

static void close_(void *self)
{
	struct f5 *f = self;

	if (!f)
		return;
	strlist_clear(&f->urls);
	free(f->user);
	secret_clear(&f->password);
	free(f->partition);
	free(f->group);
	free(f->device_group);
	free(f);
}

static int bad(const char *field, struct err *err, const char *words)
{
	_cleanup_free_ char *pointer = xasprintf("/fields/%s", field);

	return err_set_field(err, ERR_INVALID, pointer, "%s", words);
}

static void add_url(struct f5 *f, const char *p, size_t n)
{
	_cleanup_free_ char *url = NULL;

	while (n && (p[n - 1] == '/' || p[n - 1] == ' ' || p[n - 1] == '\r'))
		n--;
	url = xstrndup(p, n);
	if (n && !strlist_has(&f->urls, url))
		strlist_add(&f->urls, url);
}

/* The other units, one a line. */
static int take_units(struct f5 *f, const char *url, const char *peers, struct err *err)
{
	add_url(f, url, strlen(url));
	for (const char *p = peers ? peers : ""; *p;) {
		size_t n = strcspn(p, "\n");

		add_url(f, p, n);
		p += n + (p[n] == '\n');
	}
	if (f->urls.n > UNITS_MAX)
		return bad("peers", err, "a device group has at most 8 units");
	for (size_t i = 0; i < f->urls.n; i++)
		if (!str_starts(f->urls.v[i], "https://"))
			return bad(i ? "peers" : "url", err, "a management address begins with https://");
	return 0;
}

static int take(struct f5 *f, const struct field_value *v, size_t n, struct err *err)
{
	const struct secret *password = field_secret(v, n, "password");
	const char *url = field_text(v, n, "url"), *user = field_text(v, n, "username"), *sync = field_text(v, n, "sync");

	if (str_empty(url))
		return bad("url", err, "the management address is missing");
	if (str_empty(user))
		return bad("username", err, "the user is missing");
	if (!password || !password->n)
		return bad("password", err, "the password is missing");
	if (take_units(f, url, field_text(v, n, "peers"), err) < 0)
		return -(int)err->code;
	f->user = xstrdup(user);
	f->password = secret_copy(password->p, password->n);
	f->partition = xstrdup(field_text(v, n, "partition"));
	f->group = xstrdup(field_text(v, n, "data_group"));
	f->device_group = xstrdup_null(field_text(v, n, "device_group"));
	f->save = field_bool(v, n, "save");
	f->sync = !sync || streq(sync, "no") ? F5_SYNC_NO : streq(sync, "always") ? F5_SYNC_ALWAYS : F5_SYNC_CLEAN;
	if (!bigip_name_ok(f->partition))
		return bad("partition", err, "a partition is named by letters, digits, '.', '_' and '-'");
	if (!bigip_name_ok(f->group))
		return bad("data_group", err, "a data group is named by letters, digits, '.', '_' and '-'");
	if (f->sync != F5_SYNC_NO && !bigip_name_ok(f->device_group))
		return bad("device_group", err, "the name of the device group is missing, to which the configuration is copied");
	return 0;
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	struct f5 *f = xcalloc(1, sizeof *f);

	(void)env;
	if (take(f, values, n, err) < 0) {
		close_(f);
		return -(int)err->code;
	}
	*ret_self = f;
	return 0;
}

/* ---- a visit ---- */

int f5_visit(const struct f5 *f, const struct publish_env *env, struct f5_visit *v, struct err *err)
{
	v->f = f;
	v->t = (struct bigip_target){
		.http = env->http, .clock = env->clock, .urls = &f->urls, .user = f->user, .password = &f->password,
		.until_ms = clock_boot(env->clock) + publisher_f5.timeout_s * SECOND_MS - BIGIP_CLOSE_MS,
	};
	return bigip_open(&v->b, &v->t, err);
}

void f5_leave(struct f5_visit *v)
{
	free(v->sync_before);
	bigip_close(&v->b);
}

int f5_before_write(struct f5_visit *v, struct err *err)
{
	if (v->f->sync != F5_SYNC_CLEAN || v->sync_before)
		return 0;
	return bigip_sync_status(&v->b, &v->sync_before, err);
}

int f5_after_write(struct f5_visit *v, struct err *err)
{
	const struct f5 *f = v->f;

	if (f->save && bigip_save(&v->b, err) < 0)
		return -(int)err->code;
	/* somebody has changed something and not copied it yet, or perhaps has: that is not ours to hand round */
	if (f->sync == F5_SYNC_CLEAN && (!v->sync_before || strcasestr(v->sync_before, "Changes Pending")))
		return 0;
	return f->sync == F5_SYNC_NO ? 0 : bigip_sync(&v->b, f->device_group, err);
}

/* ---- the record ---- */

static bool word_ok(const char *s, const char *also)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || strchr(also, s[i])))
			return false;
	return n && n <= 512;
}

/* RFC 8555 8.1: base64url, one dot; nothing that means something to the device's own language goes into the option. */
static int check_set(const struct challenge_set *set, struct err *err)
{
	if (set->kind != VALIDATION_HTTP01 || set->values.n != 1 || !word_ok(set->token, "-_") || !word_ok(set->values.v[0], "-_."))
		return err_set(err, ERR_INVALID, "the challenge of '%s' is not one that can be put into a data group", set->name);
	return 0;
}

static char *group_url(const struct f5 *f)
{
	return xasprintf(GROUPS "/~%s~%s", f->partition, f->group);
}

/* 1 with its data, 0 when record or group are not there. */
static int read_record(struct f5_visit *v, const char *token, char **ret_data, struct err *err)
{
	_cleanup_free_ char *url = group_url(v->f);
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	json_t *item;
	size_t i;

	if (bigip_call(&v->b, HTTP_GET, url, NULL, &r, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	json_array_foreach(json_object_get(r.doc, "records"), i, item) {
		const char *name = json_string_value(json_object_get(item, "name")), *data = json_string_value(json_object_get(item, "data"));

		if (!name || !streq(name, token))
			continue;
		*ret_data = xstrdup(data ? data : "");
		return 1;
	}
	return 0;
}

/* A word that begins with a hyphen is quoted: it would be an option. */
static const char *quote_of(const char *word)
{
	return *word == '-' ? "%22" : "";
}

static int touch_record(struct f5_visit *v, const char *act, const char *token, const char *data, struct err *err)
{
	_cleanup_free_ char *url = group_url(v->f), *with = NULL, *path = NULL;
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	const char *q = quote_of(token);

	with = data ? xasprintf("%%20%%7b%%20data%%20%s%s%s%%20%%7d", quote_of(data), data, quote_of(data)) : xstrdup("");
	path = xasprintf("%s?options=records%%20%s%%20%%7b%%20%s%s%s%s%%20%%7d", url, act, q, token, q, with);
	return bigip_call(&v->b, HTTP_PATCH, path, json_pack("{s:s}", "name", v->f->group), &r, err);
}

int f5_make_group(struct f5_visit *v, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	json_t *body = json_pack("{s:s, s:s, s:s}", "name", v->f->group, "partition", v->f->partition, "type", "string");

	if (bigip_call(&v->b, HTTP_POST, GROUPS, body, &r, err) == 0)
		return 0;
	if (err->code != ERR_CONFLICT)
		return err_wrap(err, "could not make the data group '/%s/%s'", v->f->partition, v->f->group);
	err_clear(err); /* somebody has made it in this instant */
	return 0;
}

/* Added, or there already; a group that is missing is made first. */
static int add_record(struct f5_visit *v, const char *token, const char *data, struct err *err)
{
	for (int i = 0;; i++) {
		if (touch_record(v, "add", token, data, err) == 0)
			return 0;
		if (err->code == ERR_CONFLICT) {
			err_clear(err);
			return 0;
		}
		if (err->code != ERR_NOT_FOUND || i)
			return err_wrap(err, "could not add a record to the data group '/%s/%s'", v->f->partition, v->f->group);
		err_clear(err);
		if (f5_make_group(v, err) < 0)
			return -(int)err->code;
	}
}

static int not_added(const struct f5_visit *v, struct err *err)
{
	err_set(err, ERR_REMOTE_REFUSED, "BIG-IP %s took the record and does not have it in '/%s/%s'", v->b.url, v->f->partition, v->f->group);
	return err_hint(err, "This TMOS does not change single records of a data group; Certwright does not write the whole list, since that loses "
			"what others add. Use a newer TMOS, or the ways Forward or Redirect.");
}

static int put(struct f5_visit *v, const struct challenge_set *set, struct err *err)
{
	const char *want = set->values.v[0];

	for (int i = 0; i < 2; i++) {
		_cleanup_free_ char *data = NULL;
		int there = read_record(v, set->token, &data, err);

		if (there < 0)
			return there;
		if (there && streq(data, want))
			return f5_after_write(v, err); /* also when it was there: the visit that wrote it may have ended before this */
		if (i)
			break;
		if (f5_before_write(v, err) < 0)
			return -(int)err->code;
		if ((there ? touch_record(v, "modify", set->token, want, err) : add_record(v, set->token, want, err)) < 0)
			return -(int)err->code;
	}
	return not_added(v, err);
}

/* Only ours: a record of that name with other data is somebody else's. */
static int drop(struct f5_visit *v, const struct challenge_set *set, struct err *err)
{
	_cleanup_free_ char *data = NULL;
	int there = read_record(v, set->token, &data, err);

	if (there < 0)
		return there;
	if (!there || !streq(data, set->values.v[0]))
		return f5_after_write(v, err); /* as in put() */
	if (f5_before_write(v, err) < 0)
		return -(int)err->code;
	if (touch_record(v, "delete", set->token, NULL, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not remove the record from the data group '/%s/%s'", v->f->partition, v->f->group);
		err_clear(err);
	}
	return f5_after_write(v, err);
}

static int change(void *self, const struct publish_env *env, const struct challenge_set *set, bool add, struct err *err)
{
	_cleanup_f5_visit_ struct f5_visit v = { 0 };

	if (check_set(set, err) < 0 || f5_visit(self, env, &v, err) < 0)
		return -(int)err->code;
	return add ? put(&v, set, err) : drop(&v, set, err);
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (change(self, env, set, true, err) < 0)
		return err_wrap(err, "could not put the token of '%s' on the BIG-IP", set->name);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (change(self, env, set, false, err) < 0)
		return err_wrap(err, "could not take the token of '%s' from the BIG-IP", set->name);
	return 0;
}

static const char *const sync_choices[] = { "no", "clean", "always", NULL };

static const struct field fields[] = {
	{ .name = "url", .flags = FIELD_URL | FIELD_HTTPS | FIELD_REQUIRED | FIELD_ENDPOINT, .title = "Management address",
	  .help = "https://host of the management port. Its certificate is always verified: give the CA or pin the key under Connection" },
	{ .name = "peers", .flags = FIELD_LINES | FIELD_ENDPOINT, .max = 2048, .title = "Other units",
	  .help = "Management addresses of the other units of the device group, one a line; the active one is found by itself" },
	{ .name = "username", .flags = FIELD_REQUIRED, .max = 128, .title = "User", .help = "A user of its own, see the right it needs" },
	{ .name = "password", .flags = FIELD_SECRET | FIELD_REQUIRED, .help = "Of that user; only used to get a token, which is given back" },
	{ .name = "partition", .standard = "Common", .max = 64, .help = "Where data group and iRule are" },
	{ .name = "data_group", .standard = "certwright_acme", .max = 60, .title = "Data group",
	  .help = "Internal data group of strings; made when it is missing. The iRule is called the same with _rule behind it" },
	{ .name = "save", .flags = FIELD_BOOL, .standard = "false", .title = "Save configuration",
	  .help = "After each change; not needed for tokens, which live for minutes" },
	{ .name = "sync", .standard = "no", .choices = sync_choices, .title = "Copy to the device group",
	  .help = "clean: only when nobody else's changes are pending; always: theirs go along" },
	{ .name = "device_group", .max = 64, .title = "Device group", .help = "Name of the sync-failover group, for copying" },
	{ 0 },
};

const struct publisher publisher_f5 = {
	.name = "f5",
	.title = "F5 BIG-IP",
	.help = "The BIG-IP itself answers on port 80: tokens go into a data group, an iRule of ours on the virtual server reads them.",
	.rights = "A user of its own with the role manager on the partition and without a shell. Copying to the device group needs the role "
		  "resource-admin.",
	.grants = (const struct grant[]){
		{ "tmsh of the BIG-IP", "text",
		  "create auth user certwright partition-access add { Common { role manager } } shell none prompt-for-password\n" },
		{ 0 },
	},
	.site = "https://clouddocs.f5.com/api/icontrol-rest/",
	.kinds = KIND_HTTP01,
	.way = PUBLISH_REMOTE,
	.timeout_s = 50,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.look = f5_look,
	.attach = f5_attach,
};
