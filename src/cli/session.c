/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - the connection to the server: which one, what is remembered of it, requests, problems as errors, jobs. */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/ulid.h"
#include "cli/verb.h"
#include "net/client.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define ANSWER_MAX (8 * 1024 * 1024)
#define JOB_WAIT_MS (10 * MINUTE_MS)

/* ---- what is remembered ------------------------------------------------------------------------------------------ */

static char *memory_path(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (!str_empty(xdg))
		return path_join(xdg, "certwright/servers.json");
	return str_empty(home) ? NULL : path_join(home, ".config/certwright/servers.json");
}

/* {"last": URL, "servers": {URL: {token, fingerprint, ca}}}; an empty one when there is none. */
static int memory_read(json_t **ret, struct err *err)
{
	_cleanup_free_ char *path = memory_path();
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(256 * 1024);
	_cleanup_err_ struct err why = ERR_INIT;

	if (!path || (file_read(path, &text, &why) < 0 && why.code == ERR_NOT_FOUND)) {
		*ret = json_pack("{s:{}}", "servers");
		return 0;
	}
	if (err_is(&why))
		return err_move(err, &why);
	if (json_parse(buf_text(&text), text.n, ret, err) < 0)
		return err_wrap(err, "could not read '%s'", path);
	if (!json_is_object(json_object_get(*ret, "servers"))) {
		json_decref(*ret);
		*ret = NULL;
		return err_set(err, ERR_INVALID, "'%s' is damaged: remove it and sign in again", path);
	}
	return 0;
}

static int memory_write(const json_t *doc, struct err *err)
{
	_cleanup_free_ char *path = memory_path(), *text = json_text(doc), *dir = NULL;
	int rc;

	if (!path)
		return err_set(err, ERR_INVALID, "there is no HOME to keep the token in; use --token-file");
	dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	rc = dir_make(dir, 0700, err);
	if (rc == 0)
		rc = file_write_atomic(path, text, strlen(text), 0600, err);
	explicit_bzero(text, strlen(text));
	return rc;
}

int cli_remember(const char *server, const struct secret *token, const char *fingerprint, const char *ca_pem, struct err *err)
{
	_cleanup_json_ json_t *doc = NULL;

	if (memory_read(&doc, err) < 0)
		return -(int)err->code;
	json_object_set_new(json_object_get(doc, "servers"), server,
			    json_pack("{s:s%, s:o, s:o}", "token", (const char *)token->p, token->n, "fingerprint", json_str_or_null(fingerprint), "ca",
				      json_str_or_null(ca_pem)));
	json_object_set_new(doc, "last", json_string(server));
	return memory_write(doc, err);
}

int cli_forget(const char *server, struct err *err)
{
	_cleanup_json_ json_t *doc = NULL;

	if (memory_read(&doc, err) < 0)
		return -(int)err->code;
	if (json_object_del(json_object_get(doc, "servers"), server) < 0)
		return err_set(err, ERR_NOT_FOUND, "nothing is remembered of '%s'", server);
	return memory_write(doc, err);
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

int cli_server_url(const char *text, char **ret, struct err *err)
{
	_cleanup_free_ char *full = strstr(text, "://") ? xstrdup(text) : xasprintf("https://%s", text);
	_cleanup_url_ struct url url = { 0 };
	const char *host;

	if (url_parse(full, false, &url, err) < 0)
		return err_wrap(err, "'%s' is not the address of a server", text);
	if (!streq(url.path, "/"))
		return err_set(err, ERR_INVALID, "the server's address '%s' must have no path", text);
	host = url.host;
	if (strchr(host, ':'))
		*ret = xasprintf("https://[%s]:%u", host, url.port);
	else
		*ret = xasprintf("https://%s:%u", host, url.port);
	return 0;
}

static int read_pem(const char *path, char **ret, struct err *err)
{
	_cleanup_buf_ struct buf b = BUF_MAX(256 * 1024);

	if (file_read(path, &b, err) < 0)
		return -(int)err->code;
	*ret = xstrdup(buf_text(&b));
	return 0;
}

static int which_server(struct cli *c, const json_t *memory, struct err *err)
{
	const char *named = arg(c->args, "server");

	if (c->server)
		return 0;
	if (!named)
		named = getenv("CERTWRIGHT_SERVER");
	if (str_empty(named))
		named = json_string_value(json_object_get(memory, "last"));
	if (str_empty(named)) {
		err_set(err, ERR_INVALID, "no server is named");
		return err_hint(err, "Use `certwright login --server URL`, --server or CERTWRIGHT_SERVER.");
	}
	return cli_server_url(named, &c->server, err);
}

static int which_token(struct cli *c, const json_t *known, struct err *err)
{
	const char *file = arg(c->args, "token-file"), *text = json_string_value(json_object_get(known, "token"));

	if (!file)
		file = getenv("CERTWRIGHT_TOKEN_FILE");
	if (c->token.n)
		return 0;
	if (!str_empty(file))
		return file_read_secret(file, 1024, &c->token, err);
	if (text)
		c->token = secret_from(text);
	return 0;
}

static int which_trust(struct cli *c, const json_t *known, struct err *err)
{
	const char *ca = arg(c->args, "ca"), *fingerprint = arg(c->args, "fingerprint");

	if (ca && fingerprint)
		return err_set(err, ERR_INVALID, "--ca and --fingerprint exclude each other");
	if (c->fingerprint || c->ca_pem)
		return 0;
	if (ca)
		return read_pem(ca, &c->ca_pem, err);
	if (!fingerprint)
		fingerprint = getenv("CERTWRIGHT_FINGERPRINT");
	if (!str_empty(fingerprint))
		c->fingerprint = xstrdup(fingerprint);
	if (c->fingerprint)
		return 0;
	c->fingerprint = xstrdup_null(json_string_value(json_object_get(known, "fingerprint")));
	c->ca_pem = xstrdup_null(json_string_value(json_object_get(known, "ca")));
	return 0;
}

int cli_connect(struct cli *c, struct err *err)
{
	struct net_config o = { .any_address = true };
	_cleanup_json_ json_t *memory = NULL;
	const json_t *known;

	if (memory_read(&memory, err) < 0 || which_server(c, memory, err) < 0)
		return -(int)err->code;
	known = json_object_get(json_object_get(memory, "servers"), c->server);
	if (which_token(c, known, err) < 0 || which_trust(c, known, err) < 0 || net_policy_new(&o, &c->policy, err) < 0)
		return -(int)err->code;
	c->client = net_client_new(c->policy, NULL);
	c->http = net_client_http(c->client);
	return 0;
}

void cli_done(struct cli *c)
{
	net_client_free_p(&c->client);
	net_policy_unref_p(&c->policy);
	secret_clear(&c->token);
	free(c->server);
	free(c->ca_pem);
	free(c->fingerprint);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

void cli_answer_done(struct cli_answer *a)
{
	http_response_done(&a->http);
	json_decref(a->doc);
	memset(a, 0, sizeof *a);
}

char *cli_path(const char *collection, const char *id, const char *tail)
{
	_cleanup_buf_ struct buf b = BUF_MAX(4096);

	buf_addf(&b, "/%s/", collection);
	url_escape(&b, id, MIN(strlen(id), 512));
	buf_add_str(&b, tail);
	return buf_take(&b);
}

static char *text_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return json_is_string(v) ? str_clean(json_string_value(v), json_string_length(v), LIMIT_CA_DETAIL) : NULL;
}

static int problem(const struct cli_answer *a, struct err *err)
{
	static const char urn[] = "urn:certwright:error:";
	_cleanup_free_ char *type = text_of(a->doc, "type"), *detail = text_of(a->doc, "detail"), *title = text_of(a->doc, "title"),
			    *hint = text_of(a->doc, "hint"), *remote = text_of(a->doc, "remote"), *remote_type = text_of(a->doc, "remote_type");
	const json_t *first = json_array_get(json_object_get(a->doc, "errors"), 0);
	_cleanup_free_ char *pointer = text_of(first, "pointer"), *about = text_of(first, "detail");
	enum err_code code = a->http.status == 404 ? ERR_NOT_FOUND : a->http.status >= 500 ? ERR_INTERNAL : ERR_INVALID;
	const char *words = detail ? detail : title;

	if (type && str_starts(type, urn))
		(void)err_from_slug(type + strlen(urn), &code);
	if (!words)
		return err_set(err, a->http.status == 401 ? ERR_UNAUTHENTICATED : code, "the server answered with status %d", a->http.status);
	if (pointer && about && !strstr(words, about))
		err_set_field(err, code, pointer, "%s: %s", words, about);
	else if (pointer)
		err_set_field(err, code, pointer, "%s", words);
	else
		err_set(err, code, "%s", words);
	if (hint)
		err_hint(err, "%s", hint);
	else if (code == ERR_UNAUTHENTICATED)
		err_hint(err, "Sign in with `certwright login`.");
	if (remote)
		err_remote(err, remote_type, remote);
	return -(int)err->code;
}

static bool is_json(const struct http_response *r)
{
	return http_is_type(r, "application/json") || http_is_type(r, "application/problem+json");
}

static int send_once(struct cli *c, const struct cli_call *q, const char *key, struct cli_answer *ret, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s/api/v1%s", c->server, q->path), *bearer = NULL;
	_cleanup_free_ char *body = q->body ? json_dumps(q->body, JSON_COMPACT) : NULL;
	struct http_header headers[10] = { { 0 } };
	struct net_rule rule = { .route = NET_ROUTE_DIRECT, .ca_pem = c->ca_pem, .fingerprint = c->fingerprint };
	struct http_request request = { .method = q->method, .url = url, .headers = headers, .rule = &rule,
					.max_body = q->max_body ? q->max_body : ANSWER_MAX };
	size_t n = 0;
	int rc;

	if (c->token.n && !q->cookie) {
		bearer = xasprintf("Bearer %s", (const char *)c->token.p);
		headers[n++] = (struct http_header){ "Authorization", bearer };
	}
	if (q->cookie)
		headers[n++] = (struct http_header){ "Cookie", q->cookie };
	if (q->csrf)
		headers[n++] = (struct http_header){ "X-CSRF-Token", q->csrf };
	if (q->if_match)
		headers[n++] = (struct http_header){ "If-Match", q->if_match };
	if (q->if_none_match)
		headers[n++] = (struct http_header){ "If-None-Match", q->if_none_match };
	if (q->pkcs12_password)
		headers[n++] = (struct http_header){ "X-Pkcs12-Password", q->pkcs12_password };
	if (key)
		headers[n++] = (struct http_header){ "Idempotency-Key", key };
	headers[n++] = (struct http_header){ "Accept", "application/json, application/problem+json, */*" };
	if (body) {
		request.content_type = "application/json";
		request.body = STR(body);
	}
	rc = http_do(c->http, &request, &ret->http, err);
	if (bearer)
		explicit_bzero(bearer, strlen(bearer));
	if (body)
		explicit_bzero(body, strlen(body));
	return rc;
}

static int not_reached(const struct cli *c, const struct cli_answer *a, struct err *err)
{
	if (a->http.leg == NET_LEG_TLS && !c->fingerprint && !c->ca_pem)
		err_hint(err, "If the server's certificate is not from a known authority: `certwright login --server %s`, --ca or --fingerprint.",
			 c->server);
	else if (a->http.leg == NET_LEG_TLS && c->fingerprint)
		err_hint(err, "If the server has a new certificate, sign in again with `certwright login --server %s`.", c->server);
	return err_wrap(err, "could not reach the server '%s'", c->server);
}

int cli_request(struct cli *c, const struct cli_call *q, struct cli_answer *ret, struct err *err)
{
	const struct ulid key = ulid_new(clock_now(&clock_system));

	for (int attempt = 0;; attempt++) {
		_cleanup_err_ struct err why = ERR_INIT;

		cli_answer_done(ret);
		if (send_once(c, q, q->create ? key.s : NULL, ret, &why) == 0)
			break;
		/* with an Idempotency-Key (or for reading) the same may be asked again after a lost answer */
		if (attempt >= 1 || (!q->create && q->method != HTTP_GET) || ret->http.leg < NET_LEG_HTTP) {
			err_move(err, &why);
			return not_reached(c, ret, err);
		}
	}
	if (is_json(&ret->http) && ret->http.body.n && json_parse(buf_text(&ret->http.body), ret->http.body.n, &ret->doc, err) < 0)
		return err_wrap(err, "the server '%s' sent an unreadable answer", c->server);
	if (ret->http.status == 304 && q->if_none_match)
		return 0;
	return ret->http.status >= 200 && ret->http.status < 300 ? 0 : problem(ret, err);
}

int cli_get(struct cli *c, const char *path, struct cli_answer *ret, struct err *err)
{
	struct cli_call q = { .method = HTTP_GET, .path = path };

	return cli_request(c, &q, ret, err);
}

int cli_delete(struct cli *c, const char *collection, const char *id, struct err *err)
{
	_cleanup_answer_ struct cli_answer a = { 0 }, gone = { 0 };
	_cleanup_free_ char *path = cli_path(collection, id, "");
	struct cli_call q = { .method = HTTP_DELETE, .path = path };

	if (cli_get(c, path, &a, err) < 0)
		return -(int)err->code;
	q.if_match = http_header_get(&a.http, "etag");
	return cli_request(c, &q, &gone, err);
}

int cli_patch(struct cli *c, const char *collection, const char *id, json_t *body, struct cli_answer *ret, struct err *err)
{
	_cleanup_answer_ struct cli_answer before = { 0 };
	_cleanup_free_ char *path = cli_path(collection, id, "");
	struct cli_call q = { .method = HTTP_PATCH, .path = path, .body = body };

	if (cli_get(c, path, &before, err) < 0)
		return -(int)err->code;
	q.if_match = http_header_get(&before.http, "etag");
	return cli_request(c, &q, ret, err);
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static void nap(int64_t ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 }, NULL);
}

/* What keeps it, once: nobody waits in silence. */
static void say_why_it_waits(const json_t *job, char **told)
{
	const json_t *reason = json_object_get(job, "reason");
	_cleanup_free_ char *next = cli_member(job, "next_at"), *text = NULL;
	_cleanup_err_ struct err why = ERR_INIT;

	if (!json_is_object(reason))
		return;
	cli_reason_error(reason, &why);
	text = err_text(&why);
	if (*told && streq(*told, text))
		return;
	fprintf(stderr, "not yet: %s; tried again at %s\n", text, next);
	if (why.hint)
		fprintf(stderr, "  %s\n", why.hint);
	replace_str(told, text);
}

int cli_job_wait(struct cli *c, struct cli_answer *a, struct err *err)
{
	int64_t until = clock_boot(&clock_system) + JOB_WAIT_MS;
	_cleanup_free_ char *told = NULL, *job_path = cli_path("jobs", json_string_value(json_object_get(a->doc, "id")) ?: "-", "");

	for (;;) {
		const char *state = json_string_value(json_object_get(a->doc, "state"));

		if (state && streq(state, "failed"))
			return cli_reason_error(json_object_get(a->doc, "reason"), err);
		if (state && streq(state, "done"))
			return 0;
		if (clock_boot(&clock_system) > until) {
			err_set(err, ERR_TIMEOUT, "the job is not done yet");
			return err_hint(err, "It goes on without you: %s.", job_path);
		}
		say_why_it_waits(a->doc, &told);
		nap(250);
		if (cli_get(c, job_path, a, err) < 0)
			return -(int)err->code;
	}
}

int cli_settle(struct cli *c, const char *collection, struct cli_answer *a, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	const char *subject;

	if (a->http.status != 202)
		return 0;
	if (cli_job_wait(c, a, err) < 0)
		return -(int)err->code;
	subject = json_string_value(json_object_get(a->doc, "subject_id"));
	path = subject ? cli_path(collection, subject, "") : NULL;
	return path ? cli_get(c, path, a, err) : 0;
}

/* What is sent with If-Match is what was read just before. */
int cli_delete_with(struct cli *c, const char *collection, const char *id, const char *query, struct err *err)
{
	_cleanup_answer_ struct cli_answer a = { 0 }, gone = { 0 };
	_cleanup_free_ char *path = cli_path(collection, id, ""), *with = xasprintf("%s%s", path, query ? query : "");
	struct cli_call q = { .method = HTTP_DELETE, .path = with };

	if (cli_get(c, path, &a, err) < 0)
		return -(int)err->code;
	q.if_match = http_header_get(&a.http, "etag");
	return cli_request(c, &q, &gone, err);
}

char *cli_list_path(struct cli *c, const char *path, const char *const *filters)
{
	static const char *const paging[] = { "limit", "cursor", NULL };
	const char *const *tables[] = { filters, paging };
	_cleanup_buf_ struct buf b = BUF_MAX(8192);
	char sep = '?';

	buf_add_str(&b, path);
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const char *const *f = tables[t]; f && *f; f++) {
			_cleanup_free_ char *option = xstrdup(*f);
			const char *value;

			for (char *p = option; *p; p++)
				if (*p == '_')
					*p = '-';
			if (str_ends(option, "-id"))
				option[strlen(option) - 3] = '\0';
			value = arg(c->args, option);
			if (!value)
				continue;
			buf_addf(&b, "%c%s=", sep, *f);
			url_escape(&b, value, MIN(strlen(value), 1024));
			sep = '&';
		}
	return buf_take(&b);
}

int cli_reason_error(const json_t *reason, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *text = NULL, *clean = NULL;

	err_from_json(reason, &why);
	text = err_text(&why);
	clean = str_clean(text, strlen(text), 4 * LIMIT_CA_DETAIL);
	err_set(err, why.code, "%s", clean);
	if (why.hint) {
		_cleanup_free_ char *hint = str_clean(why.hint, strlen(why.hint), LIMIT_CA_DETAIL);

		err_hint(err, "%s", hint);
	}
	if (why.remote) {
		_cleanup_free_ char *remote = str_clean(why.remote, strlen(why.remote), LIMIT_CA_DETAIL);
		_cleanup_free_ char *type = why.remote_type ? str_clean(why.remote_type, strlen(why.remote_type), 256) : NULL;

		err_remote(err, type, remote);
	}
	return -(int)err->code;
}
