/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.c - `login` makes a named API token and keeps it (0600); `logout` revokes and forgets it, `password` changes the own one. A server whose certificate
 * no known authority has signed is shown and asked about once; from then on only that certificate is accepted.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/verb.h"
#include "net/client.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static const struct cli_option login_options[] = {
	{ "user", "NAME", "who signs in; asked for when not given", false },
	{ "password-file", "FILE", "file with the password; asked for when not given", false },
	{ "name", "TEXT", "name of the token; default: this host's name", false },
	{ "days", "N", "how long the token is good for; default 90", false },
	{ 0 }
};

static int ask(const char *prompt, bool hidden, struct secret *ret, struct err *err)
{
	FILE *tty = fopen("/dev/tty", "r+e");
	struct termios before, quiet;
	char line[1024];
	bool got, changed = false;

	if (!tty)
		return err_set(err, ERR_INVALID, "there is no terminal to ask on (%s)", prompt);
	if (hidden && tcgetattr(fileno(tty), &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		changed = tcsetattr(fileno(tty), TCSAFLUSH, &quiet) == 0;
	}
	fprintf(tty, "%s: ", prompt);
	fflush(tty);
	got = fgets(line, sizeof line, tty);
	if (changed) {
		(void)tcsetattr(fileno(tty), TCSAFLUSH, &before);
		fputc('\n', tty);
	}
	fclose(tty);
	if (!got)
		return err_set(err, ERR_INVALID, "nothing was given (%s)", prompt);
	line[strcspn(line, "\r\n")] = '\0';
	*ret = secret_from(line);
	explicit_bzero(line, sizeof line);
	return 0;
}

/* Asks for the server's certificate without judging it. */
static int look(struct cli *c, struct http_response *r, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s/healthz", c->server);
	struct http_request q = { .method = HTTP_HEAD, .url = url, .look_only = true, .rule = &(struct net_rule){ .route = NET_ROUTE_DIRECT } };

	return http_do(c->http, &q, r, err);
}

/* Is the certificate one that this system's authorities vouch for? */
static bool vouched(struct cli *c, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s/healthz", c->server);
	_cleanup_http_ struct http_response r = { 0 };
	struct http_request q = { .method = HTTP_HEAD, .url = url, .rule = &(struct net_rule){ .route = NET_ROUTE_DIRECT } };

	return http_do(c->http, &q, &r, err) == 0;
}

/* With --ca or --fingerprint the first request judges; otherwise an unknown certificate is shown and asked about once. */
static int judge_certificate(struct cli *c, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_secret_ struct secret answer = { 0 };
	char from[CLOCK_TEXT], to[CLOCK_TEXT];

	if (arg_has(c->args, "ca") || arg_has(c->args, "fingerprint"))
		return 0;
	free(c->fingerprint);
	free(c->ca_pem);
	c->fingerprint = c->ca_pem = NULL;
	if (vouched(c, &why))
		return 0;
	if (look(c, &r, err) < 0)
		return err_wrap(err, "could not reach the server '%s'", c->server);
	if (!*r.peer.fingerprint)
		return err_move(err, &why);
	clock_format(r.peer.not_before_ms, from);
	clock_format(r.peer.not_after_ms, to);
	fprintf(stderr, "No known authority vouches for the certificate of %s:\n  subject      %s\n  issuer       %s\n  names        %s\n"
			"  valid        %.10s to %.10s\n  SHA-256      %s\n",
		c->server, r.peer.subject ? r.peer.subject : "", r.peer.issuer ? r.peer.issuer : "", r.peer.names ? r.peer.names : "", from, to,
		r.peer.fingerprint);
	if (ask("Is this your server? The server's log shows the same fingerprint at its start. [yes/no]", false, &answer, err) < 0)
		return err_hint(err, "Give --fingerprint %s if it is the right one.", r.peer.fingerprint);
	if (!answer.n || (!streq((const char *)answer.p, "yes") && !streq((const char *)answer.p, "y")))
		return err_set(err, ERR_DENIED, "the certificate of '%s' was not accepted", c->server);
	c->fingerprint = xstrdup(r.peer.fingerprint);
	return 0;
}

/* The pair name=value of Set-Cookie, without its attributes. */
static char *session_cookie(const struct http_response *r)
{
	const char *v = http_header_get(r, "set-cookie");

	return v ? xstrndup(v, strcspn(v, ";")) : NULL;
}

/* Name and password from the options or the terminal, as the body of a sign-in. */
static int credentials(const struct cli_args *a, json_t **ret, struct secret *password, struct err *err)
{
	_cleanup_secret_ struct secret user = { 0 };
	int rc;

	if (arg_has(a, "user"))
		user = secret_from(arg(a, "user"));
	else if (ask("User", false, &user, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "password-file"))
		rc = file_read_secret(arg(a, "password-file"), LIMIT_PASSWORD_MAX, password, err);
	else
		rc = ask("Password", true, password, err);
	if (rc < 0)
		return rc;
	*ret = json_pack("{s:s%, s:s%}", "name", (const char *)user.p, user.n, "password", (const char *)password->p, password->n);
	return *ret ? 0 : err_set(err, ERR_INVALID, "user name and password must be UTF-8 text");
}

static int open_session(struct cli *c, json_t *body, struct cli_answer *ret, struct err *err)
{
	struct cli_call q = { .method = HTTP_POST, .path = "/session", .body = body };

	secret_clear(&c->token);
	return cli_request(c, &q, ret, err);
}

static int make_token(struct cli *c, const struct cli_args *a, const struct cli_answer *session, struct cli_answer *ret, struct err *err)
{
	char host[256] = "this host";
	_cleanup_free_ char *cookie = session_cookie(&session->http);
	struct cli_call q = { .method = HTTP_POST, .path = "/tokens", .cookie = cookie,
			      .csrf = json_string_value(json_object_get(session->doc, "csrf_token")) };
	_cleanup_json_ json_t *body = json_object();
	int64_t days = 90;

	(void)gethostname(host, sizeof host - 1);
	if (arg_has(a, "days") && str_to_i64(arg(a, "days"), 1, 3650, &days, err) < 0)
		return err_wrap(err, "--days");
	json_object_set_new(body, "name", json_string(arg_has(a, "name") ? arg(a, "name") : host));
	json_object_set_new(body, "days", json_integer(days));
	/* whoever signs in here may do here what he may do in the page */
	json_object_set(body, "rights", json_object_get(json_object_get(session->doc, "user"), "rights"));
	q.body = body;
	if (!cookie)
		return err_set(err, ERR_REMOTE_BAD, "the server did not open a session");
	if (cli_request(c, &q, ret, err) < 0)
		return err_wrap(err, "could not make an API token");
	{
		_cleanup_answer_ struct cli_answer bye = { 0 };
		_cleanup_err_ struct err ignored = ERR_INIT;
		struct cli_call end = { .method = HTTP_DELETE, .path = "/session", .cookie = cookie, .csrf = q.csrf };

		(void)cli_request(c, &end, &bye, &ignored); /* it ends by itself otherwise */
	}
	return 0;
}

static int with_password(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer session = { 0 }, token = { 0 };
	_cleanup_secret_ struct secret password = { 0 };
	_cleanup_json_ json_t *body = NULL;
	const char *text;

	if (credentials(a, &body, &password, err) < 0 || open_session(c, body, &session, err) < 0 || make_token(c, a, &session, &token, err) < 0)
		return -(int)err->code;
	text = json_string_value(json_object_get(token.doc, "token"));
	if (str_empty(text))
		return err_set(err, ERR_REMOTE_BAD, "the server's answer holds no token");
	c->token = secret_from(text);
	return 0;
}

static int login(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer me = { 0 };
	_cleanup_free_ char *name = NULL;

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "server") && str_empty(getenv("CERTWRIGHT_SERVER")))
		return err_set(err, ERR_INVALID, "--server URL is missing");
	if (cli_connect(c, err) < 0 || judge_certificate(c, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "token-file") && with_password(c, a, err) < 0)
		return -(int)err->code;
	if (cli_get(c, "/session", &me, err) < 0)
		return err_wrap(err, "could not use the token");
	if (cli_remember(c->server, &c->token, c->fingerprint, c->ca_pem, err) < 0)
		return err_wrap(err, "could not keep the token");
	name = cli_member(json_object_get(me.doc, "user"), "name");
	if (c->json)
		cli_print_json(&me);
	else
		printf("signed in to %s as %s\n", c->server, name);
	return 0;
}

static const struct cli_option password_options[] = {
	{ "user", "NAME", "whose password; asked for when not given", false },
	{ "password-file", "FILE", "file with the present password; asked for when not given", false },
	{ "new-password-file", "FILE", "file with the new one; asked for when not given", false },
	{ 0 }
};

/* A password is changed in a session only: signs in for that, and out again. */
static int password(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer session = { 0 }, done = { 0 }, bye = { 0 };
	_cleanup_secret_ struct secret old = { 0 }, new = { 0 }, again = { 0 };
	_cleanup_json_ json_t *body = NULL, *who = NULL;
	_cleanup_free_ char *cookie = NULL;
	_cleanup_err_ struct err ignored = ERR_INIT;
	struct cli_call q = { .method = HTTP_PUT, .path = "/password" }, end = { .method = HTTP_DELETE, .path = "/session" };

	if (arg_no_words(a, err) < 0 || credentials(a, &who, &old, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "new-password-file")) {
		if (file_read_secret(arg(a, "new-password-file"), LIMIT_PASSWORD_MAX, &new, err) < 0)
			return -(int)err->code;
	} else {
		if (ask("New password", true, &new, err) < 0 || ask("Again", true, &again, err) < 0)
			return -(int)err->code;
		if (!secret_eq(&new, &again))
			return err_set(err, ERR_INVALID, "the two passwords differ");
	}
	body = json_pack("{s:s%, s:s%}", "old_password", (const char *)old.p, old.n, "new_password", (const char *)new.p, new.n);
	if (!body)
		return err_set(err, ERR_INVALID, "passwords must be UTF-8 text");
	if (open_session(c, who, &session, err) < 0)
		return -(int)err->code;
	cookie = session_cookie(&session.http);
	q.body = body;
	q.cookie = end.cookie = cookie;
	q.csrf = end.csrf = json_string_value(json_object_get(session.doc, "csrf_token"));
	if (!cookie)
		return err_set(err, ERR_REMOTE_BAD, "the server did not open a session");
	(void)cli_request(c, &q, &done, err);
	(void)cli_request(c, &end, &bye, &ignored); /* it ends by itself otherwise */
	if (err_is(err))
		return -(int)err->code;
	cli_print_done(c, "the password was changed; other sessions have ended, API tokens stay");
	return 0;
}

/* The own token is known by its prefix among those of the list. False: it goes on until it expires. */
static bool revoke_own(struct cli *c)
{
	_cleanup_answer_ struct cli_answer list = { 0 }, gone = { 0 };
	_cleanup_err_ struct err ignored = ERR_INIT;
	size_t i;
	json_t *t;

	if (cli_get(c, "/tokens?limit=200", &list, &ignored) < 0)
		return ignored.code == ERR_UNAUTHENTICATED; /* it is over already */
	json_array_foreach(json_object_get(list.doc, "items"), i, t) {
		const char *prefix = json_string_value(json_object_get(t, "prefix")), *id = json_string_value(json_object_get(t, "id"));

		if (!str_empty(prefix) && id && c->token.n && str_starts((const char *)c->token.p, prefix)) {
			_cleanup_free_ char *path = cli_path("tokens", id, "");
			struct cli_call q = { .method = HTTP_DELETE, .path = path };

			return cli_request(c, &q, &gone, &ignored) == 0;
		}
	}
	return false;
}

static int logout(struct cli *c, const struct cli_args *a, struct err *err)
{
	bool had = c->token.n, revoked;

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	revoked = had && revoke_own(c);
	if (cli_forget(c->server, err) < 0)
		return -(int)err->code;
	if (had && !revoked)
		fputs("certwright: the token was forgotten here but could not be revoked; `certwright token revoke` ends it\n", stderr);
	cli_print_done(c, "signed out");
	return 0;
}

const struct cli_verb login_verbs[] = {
	{ "login", NULL, "", login, login_options, "sign in: make a named API token and keep it", true },
	{ "password", NULL, "", password, password_options, "change your own password" },
	{ "logout", NULL, "", logout, NULL, "revoke the kept token and forget it" },
	{ 0 }
};
