/* SPDX-License-Identifier: Apache-2.0 */
/* bigip.c - see bigip.h. */
#include "remote/bigip.h"

#include "base/limits.h"
#include "net/url.h"

#define REQUEST_MS (20 * SECOND_MS)
#define CONNECT_MS (5 * SECOND_MS) /* a unit that is switched off does not answer at all: the other one is to get its turn */
#define WORDS_MAX 512

void bigip_reply_done(struct bigip_reply *r)
{
	json_decref(r->doc);
	*r = (struct bigip_reply){ 0 };
}

/* ---- words ---- */

static void hide(char *text, const struct secret *s)
{
	char *at = text;

	while (s && s->n >= 4 && (at = memmem(at, strlen(at), s->p, s->n))) {
		memset(at, '*', s->n);
		at += s->n;
	}
}

static char *words_of(const struct bigip *b, const char *text)
{
	_cleanup_free_ char *plain = xstrdup(text);

	hide(plain, b->t->password);
	hide(plain, &b->token);
	return str_clean(plain, strlen(plain), WORDS_MAX);
}

static const char *message_of(const struct bigip_reply *r)
{
	const char *m = json_string_value(json_object_get(r->doc, "message"));

	return m ? m : "";
}

/* ---- what an answer means ---- */

/* A device says 401 both to a token that it does not know and to a user who may not do that. */
static enum err_code meaning(int status, const char *message)
{
	if (strcasestr(message, "Authorization failed") || strcasestr(message, "Access Denied") || status == 403)
		return ERR_DENIED;
	if (strcasestr(message, "maximum active login tokens") || status == 429)
		return ERR_REMOTE_LIMIT;
	if (status == 401)
		return ERR_UNAUTHENTICATED;
	if (status == 404)
		return ERR_NOT_FOUND;
	if (status == 409)
		return ERR_CONFLICT;
	if (status == 408 || status >= 500)
		return ERR_REMOTE_BUSY;
	return status < 400 ? ERR_REMOTE_BAD : ERR_REMOTE_REFUSED;
}

static const char *sentence(enum err_code what)
{
	switch ((int)what) {
	case ERR_DENIED:
		return "does not let this user do that";
	case ERR_UNAUTHENTICATED:
		return "does not accept the credential";
	case ERR_REMOTE_LIMIT:
		return "takes no more requests of this user now";
	case ERR_REMOTE_BUSY:
		return "could not serve the request";
	case ERR_NOT_FOUND:
		return "does not know the object";
	case ERR_CONFLICT:
		return "has that already";
	case ERR_REMOTE_BAD:
		return "answered what it should not";
	default:
		return "refused the request";
	}
}

static int refused(const struct bigip *b, const struct http_response *res, const struct bigip_reply *r, struct err *err)
{
	const char *message = message_of(r);
	enum err_code what = meaning(res->status, message);
	int64_t now = clock_now(b->t->clock), wait = http_retry_after(res, now, SECOND_MS, DAY_MS);
	_cleanup_free_ char *words = words_of(b, message);

	if (what == ERR_REMOTE_LIMIT && !wait)
		wait = MINUTE_MS;
	err_set(err, what, "BIG-IP %s %s (HTTP %d)", b->url, sentence(what), res->status);
	if (wait && (what == ERR_REMOTE_LIMIT || what == ERR_REMOTE_BUSY))
		err->retry_at_ms = clock_add(now, wait);
	return *words ? err_remote(err, NULL, words) : -(int)err->code;
}

/* While mcpd or the REST framework start, a page or a JSON document says so, with whatever status. */
static bool restarting(const struct http_response *res)
{
	static const char words[] = "Configuration Utility restarting";

	return res->status != 200 && res->body.n && memmem(res->body.p, res->body.n, words, sizeof words - 1);
}

static int judge(const struct bigip *b, const struct http_response *res, struct bigip_reply *r, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };
	bool json;

	r->status = res->status;
	if (restarting(res)) {
		err_set(err, ERR_REMOTE_BUSY, "BIG-IP %s is restarting its configuration utility (HTTP %d)", b->url, res->status);
		err->retry_at_ms = clock_add(clock_now(b->t->clock), 30 * SECOND_MS);
		return -(int)err->code;
	}
	json = res->body.n && json_parse(buf_text(&res->body), res->body.n, &r->doc, &why) == 0;
	if (res->status < 200 || res->status > 299)
		return refused(b, res, r, err);
	if (!json || !json_is_object(r->doc))
		return err_set(err, ERR_REMOTE_BAD, "BIG-IP %s answered HTTP %d with something that is not a document of its API", b->url, res->status);
	return 0;
}

/* ---- one request ---- */

static int transmit(const struct bigip *b, struct http_request *q, const char *path, json_t *body, int64_t until_ms, struct http_response *res,
		struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s%s", b->url, path);
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(LIMIT_PROVIDER_ANSWER);
	struct http_header headers[] = { { "Accept", "application/json" }, { 0 }, { 0 } };
	int64_t left = until_ms - clock_boot(b->t->clock);
	char *json = body ? json_text(body) : NULL;

	if (json) {
		buf_add_str(&text, json);
		explicit_bzero(json, strlen(json));
		free(json);
		q->content_type = "application/json";
		q->body = (struct str){ buf_text(&text), text.n };
	}
	if (b->token.n)
		headers[1] = (struct http_header){ "X-F5-Auth-Token", (const char *)b->token.p };
	if (left <= 0)
		return err_set(err, ERR_TIMEOUT, "BIG-IP %s took too long", b->url);
	q->url = url;
	q->headers = headers;
	q->timeout_ms = MIN(left, REQUEST_MS);
	q->connect_ms = MIN(left, CONNECT_MS);
	q->max_body = LIMIT_PROVIDER_ANSWER;
	if (http_do(b->t->http, q, res, err) < 0)
		return err_wrap(err, "could not ask BIG-IP %s", b->url);
	return 0;
}

int bigip_call(const struct bigip *b, enum http_method method, const char *path, json_t *take_body, struct bigip_reply *r, struct err *err)
{
	_cleanup_json_ json_t *body = take_body;
	_cleanup_http_ struct http_response res = { 0 };
	struct http_request q = { .method = method };

	if (transmit(b, &q, path, body, b->t->until_ms, &res, err) < 0)
		return -(int)err->code;
	if (judge(b, &res, r, err) == 0)
		return 0;
	/* we have just got that token: something between restarted, or took it away */
	if (err->code == ERR_UNAUTHENTICATED && b->token.n)
		err->code = ERR_REMOTE_BUSY;
	return -(int)err->code;
}

/* ---- the session ---- */

static bool token_ok(const char *t)
{
	size_t n = t ? strlen(t) : 0;

	return n >= 8 && n <= 256 && strspn(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == n;
}

static int login(struct bigip *b, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	json_t *body = json_pack("{s:s, s:s, s:s}", "username", b->t->user, "password", (const char *)b->t->password->p, "loginProviderName", "tmos");
	const char *token;

	if (!body)
		return err_set_field(err, ERR_INVALID, "/fields/password", "the password is not text that can be sent");
	if (bigip_call(b, HTTP_POST, "/mgmt/shared/authn/login", body, &r, err) < 0) {
		if (err->code == ERR_UNAUTHENTICATED)
			err_hint(err, "Is the user '%s' known there, not locked out, and allowed to log in by tmos?", b->t->user);
		if (err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT)
			err->code = ERR_REMOTE_BAD; /* whoever answers there is no BIG-IP */
		return -(int)err->code;
	}
	token = json_string_value(json_object_get(json_object_get(r.doc, "token"), "token"));
	if (!token_ok(token))
		return err_set(err, ERR_REMOTE_BAD, "BIG-IP %s gave no token that can be used", b->url);
	b->token = secret_from(token);
	return 0;
}

/* Which of the group we are at. The user may not be allowed to see that: then there is nothing to choose by. */
static int look_round(struct bigip *b, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	json_t *items, *item;
	size_t i;

	if (bigip_call(b, HTTP_GET, "/mgmt/tm/cm/device", NULL, &r, err) < 0) {
		if ((err->code != ERR_DENIED && err->code != ERR_NOT_FOUND) || b->t->urls->n > 1)
			return err_wrap(err, "could not see which unit is active");
		err_clear(err);
		return 0;
	}
	items = json_object_get(r.doc, "items");
	json_array_foreach(items, i, item) {
		const char *self = json_string_value(json_object_get(item, "selfDevice"));

		if (!self || !streq(self, "true"))
			continue;
		b->host = xstrdup_null(json_string_value(json_object_get(item, "hostname")));
		b->version = xstrdup_null(json_string_value(json_object_get(item, "version")));
		b->state = xstrdup_null(json_string_value(json_object_get(item, "failoverState")));
		return 0;
	}
	return 0;
}

/* 1 it is the one, 0 it is on standby. */
static int try_unit(struct bigip *b, const char *url, struct err *err)
{
	b->url = url;
	if (login(b, err) < 0 || look_round(b, err) < 0)
		return -(int)err->code;
	return !b->state || streq(b->state, "active");
}

int bigip_open(struct bigip *b, const struct bigip_target *t, struct err *err)
{
	_cleanup_err_ struct err away = { 0 };
	_cleanup_strlist_ struct strlist standby = { 0 };

	for (size_t i = 0; i < t->urls->n; i++) {
		_cleanup_err_ struct err why = { 0 };
		int rc;

		*b = (struct bigip){ .t = t };
		rc = try_unit(b, t->urls->v[i], &why);
		if (rc == 1)
			return 0;
		if (rc == 0) {
			_cleanup_free_ char *one = xasprintf("%s is %s", b->url, b->state), *clean = str_clean(one, strlen(one), WORDS_MAX);

			strlist_add(&standby, clean);
		}
		bigip_close(b);
		if (rc < 0 && (why.code == ERR_UNAUTHENTICATED || why.code == ERR_DENIED || why.code == ERR_INVALID))
			return err_move(err, &why);
		if (rc < 0 && !err_is(&away))
			err_move(&away, &why);
	}
	*b = (struct bigip){ 0 };
	if (standby.n) {
		_cleanup_free_ char *who = strlist_join(&standby, ", "), *others = err_is(&away) ? err_text(&away) : NULL;

		err_set(err, ERR_REMOTE_BUSY, "no unit of the device group is active: %s%s%s", who, others ? "; " : "", others ? others : "");
		return err_hint(err, "Give the management addresses of all units of the device group.");
	}
	return err_is(&away) ? err_move(err, &away) : err_set(err, ERR_INVALID, "no management address is given");
}

void bigip_close(struct bigip *b)
{
	if (b->token.n) {
		_cleanup_free_ char *path = xasprintf("/mgmt/shared/authz/tokens/%s", (const char *)b->token.p);
		_cleanup_http_ struct http_response res = { 0 };
		_cleanup_err_ struct err why = { 0 };
		struct http_request q = { .method = HTTP_DELETE };

		transmit(b, &q, path, NULL, MIN(b->t->until_ms, clock_boot(b->t->clock)) + BIGIP_CLOSE_MS, &res, &why); /* it ends by itself anyway */
		explicit_bzero(path, strlen(path));
	}
	secret_clear(&b->token);
	free(b->host);
	free(b->version);
	free(b->state);
	*b = (struct bigip){ 0 };
}

/* ---- names ---- */

bool bigip_name_ok(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return n && n <= 64 && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n && name[0] != '-' && name[0] != '.';
}

char *bigip_path(const char *full_path)
{
	struct buf b = BUF_MAX(4096);

	for (const char *p = full_path; *p; p++) {
		if (*p == '/')
			buf_add_str(&b, "~");
		else
			url_escape(&b, p, 1);
	}
	return buf_take(&b);
}

/* ---- the whole device ---- */

int bigip_sync_status(const struct bigip *b, char **ret, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	const char *key, *status = NULL;
	json_t *entry;

	if (bigip_call(b, HTTP_GET, "/mgmt/tm/cm/sync-status", NULL, &r, err) < 0)
		return err_wrap(err, "could not read the state of the device group");
	json_object_foreach(json_object_get(r.doc, "entries"), key, entry) {
		json_t *in = json_object_get(json_object_get(entry, "nestedStats"), "entries");

		status = json_string_value(json_object_get(json_object_get(in, "status"), "description"));
		if (status)
			break;
	}
	if (!status)
		return err_set(err, ERR_REMOTE_BAD, "BIG-IP %s does not say the state of the device group", b->url);
	*ret = words_of(b, status);
	return 0;
}

int bigip_save(const struct bigip *b, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };

	if (bigip_call(b, HTTP_POST, "/mgmt/tm/sys/config", json_pack("{s:s}", "command", "save"), &r, err) < 0)
		return err_wrap(err, "could not save the configuration of the device");
	return 0;
}

int bigip_sync(const struct bigip *b, const char *group, struct err *err)
{
	_cleanup_bigip_reply_ struct bigip_reply r = { 0 };
	_cleanup_free_ char *args = xasprintf("config-sync to-group %s", group);

	if (bigip_call(b, HTTP_POST, "/mgmt/tm/cm", json_pack("{s:s, s:s}", "command", "run", "utilCmdArgs", args), &r, err) < 0)
		return err_wrap(err, "could not copy the configuration to the device group '%s'", group);
	return 0;
}
