/* SPDX-License-Identifier: Apache-2.0 */
/* setup.c - see setup.h. Works offline on the same host: the store is opened directly, beside a running server or without one. */
#include "app/setup.h"

#include "app/host.h"
#include "app/units.h"
#include "app/verb.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "model/user.h"
#include "service/service.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* One line from the terminal without showing it. */
static int ask_hidden(FILE *tty, const char *prompt, struct secret *ret, struct err *err)
{
	struct termios before, hidden;
	char line[LIMIT_PASSWORD_MAX + 2];
	bool got;

	if (tcgetattr(fileno(tty), &before) < 0)
		return err_set_errno(err, ERR_INVALID, "could not use the terminal");
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, tty);
	fflush(tty);
	(void)tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
	got = fgets(line, sizeof line, tty);
	(void)tcsetattr(fileno(tty), TCSAFLUSH, &before);
	fputc('\n', tty);
	if (!got)
		return err_set(err, ERR_INVALID, "no password was given");
	line[strcspn(line, "\n")] = '\0';
	*ret = secret_from(line);
	explicit_bzero(line, sizeof line);
	return 0;
}

static int ask_password(struct secret *ret, struct err *err)
{
	_cleanup_secret_ struct secret first = { 0 }, second = { 0 };
	FILE *tty = fopen("/dev/tty", "r+e");
	int rc;

	if (!tty) {
		err_set(err, ERR_INVALID, "there is no terminal to ask for a password");
		return err_hint(err, "Give it in a file: --password-file FILE.");
	}
	rc = ask_hidden(tty, "Password: ", &first, err);
	if (rc == 0)
		rc = ask_hidden(tty, "Again: ", &second, err);
	if (rc == 0 && !secret_eq(&first, &second))
		rc = err_set(err, ERR_INVALID, "the two passwords differ");
	fclose(tty);
	if (rc == 0)
		*ret = TAKE(first);
	return rc;
}

/* Opened before root is given up: the caller's folder need not be the server's. */
static int token_file_open(const char *path, int *ret, struct err *err)
{
	*ret = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret < 0 && errno == EEXIST)
		return err_set(err, ERR_CONFLICT, "the file '%s' exists already", path);
	return *ret < 0 ? err_set_errno(err, ERR_INVALID, "could not make '%s'", path) : 0;
}

static void print_json(const json_t *doc)
{
	_cleanup_free_ char *text = doc ? json_text(doc) : NULL;

	printf("%s\n", text ? text : "{}");
}

static int make_admin(struct store *store, const struct setup_options *o, const struct secret *password, int token_fd, struct err *err)
{
	_cleanup_secret_ struct secret token = { 0 };
	unsigned rights = 0;

	if (rights_from_list(o->rights, "/rights", &rights, err) < 0 ||
	    service_setup_make_admin(store, NULL, o->admin, rights, password, token_fd >= 0 ? &token : NULL, err) < 0)
		return -(int)err->code;
	if (token_fd >= 0 && (fd_write_all(token_fd, token.p, token.n) < 0 || fd_write_all(token_fd, "\n", 1) < 0 || fsync(token_fd) < 0))
		return err_set_errno(err, ERR_INTERNAL, "could not write the token to '%s'", o->token_out);
	if (o->json) {
		_cleanup_json_ json_t *doc = json_pack("{s:s}", "admin", o->admin);

		print_json(doc);
	} else {
		printf("The administrator '%s' can sign in now.\n", o->admin);
		if (!rights)
			printf("Reading the audit, revoking and exporting keys are rights that no role has: grant them with --right, in the page, or\n"
			       "with: certwright user right %s --grant audit\n", o->admin);
	}
	return 0;
}

char *page_url(const struct config *c)
{
	const char *listen = c->api_listen.v[0];

	if (c->api_public_url) {
		size_t n = strlen(c->api_public_url);

		while (n && c->api_public_url[n - 1] == '/')
			n--;
		return xstrndup(c->api_public_url, n);
	}
	if (str_starts(listen, "0.0.0.0:") || str_starts(listen, "[::]:")) {
		char host[256] = "localhost";

		(void)gethostname(host, sizeof host - 1);
		return xasprintf("https://%s:%s", host, strrchr(listen, ':') + 1);
	}
	return xasprintf("https://%s", listen);
}

static int make_link(const struct config *c, struct store *store, bool as_json, struct err *err)
{
	_cleanup_secret_ struct secret token = { 0 };
	_cleanup_free_ char *url = page_url(c);

	if (service_setup_make_token(store, NULL, &token, err) < 0)
		return -(int)err->code;
	if (as_json) {
		_cleanup_free_ char *link = xasprintf("%s/#setup=%s", url, (const char *)token.p);
		_cleanup_json_ json_t *doc = json_pack("{s:s, s:s}", "url", link, "setup_token", (const char *)token.p);

		print_json(doc);
	} else {
		printf("Open this link within 30 minutes to make an administrator; it works once:\n\n    %s/#setup=%s\n\n", url, (const char *)token.p);
	}
	return 0;
}

static int with_store(const struct config *c, const struct setup_options *o, const struct secret *password, int token_fd, struct err *err)
{
	_cleanup_store_ struct store *store = NULL;

	if (verb_store(c, &store, err) < 0)
		return -(int)err->code;
	if (o->passwd) {
		if (service_local_password(store, NULL, o->passwd, password, err) < 0)
			return -(int)err->code;
		if (o->json)
			print_json(NULL);
		else
			printf("'%s' can sign in with the new password now; the sessions have ended.\n", o->passwd);
		return 0;
	}
	return o->admin ? make_admin(store, o, password, token_fd, err) : make_link(c, store, o->json, err);
}

int setup_run(const struct config *c, const struct setup_options *o)
{
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_secret_ struct secret password = { 0 };
	_cleanup_close_ int token_fd = -1;
	int rc = 0;

	json_init();
	if (!o->admin && !o->passwd && (o->password_file || o->token_out || o->rights->n)) {
		err_set(&err, ERR_INVALID, "--password-file, --token-out and --right belong to --admin NAME");
		return verb_failed(&err);
	}
	if (o->password_file)
		rc = file_read_secret(o->password_file, LIMIT_PASSWORD_MAX, &password, &err);
	else if (o->admin || o->passwd)
		rc = ask_password(&password, &err);
	if (rc == 0 && o->token_out)
		rc = token_file_open(o->token_out, &token_fd, &err);
	if (rc == 0 && with_store(c, o, &password, token_fd, &err) < 0 && o->token_out)
		(void)unlink(o->token_out);
	return err_is(&err) ? verb_failed(&err) : 0;
}

/* ---- config ------------------------------------------------------------------------------------------------------ */

static int config_check(const struct config_input *in)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_config_problems_ struct config_problems p = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	if (config_read(in, &c, &p, &err) == 0) {
		printf("%s: no problem\n", c.file ? c.file : "no configuration file, only defaults and flags");
		return 0;
	}
	for (size_t i = 0; i < p.n; i++)
		printf("%s: %s\n", p.v[i].where, p.v[i].text);
	return err_exit_status(err.code);
}

static void show_free(const char *section, const struct strlist *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		const char *eq = strchr(pairs->v[i], '=');

		printf("%s.%.*s = %s\n", section, (int)(eq - pairs->v[i]), pairs->v[i], eq + 1);
	}
}

static int config_show(const struct config_input *in)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	if (config_read(in, &c, NULL, &err) < 0)
		return verb_failed(&err);
	for (const struct config_key *k = config_keys; k->name; k++) {
		_cleanup_free_ char *value = config_value(&c, k);

		printf("%s = %s\n", k->name, value);
	}
	show_free("programs", &c.programs);
	show_free("webroots", &c.webroots);
	return 0;
}

static int config_units(const struct config_input *in, const char *dir)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	if (config_read(in, &c, NULL, &err) < 0 || units_write(&c, dir, &err) < 0)
		return verb_failed(&err);
	return 0;
}

int config_verb(const struct config_input *in, int argc, char **argv)
{
	_cleanup_err_ struct err err = ERR_INIT;

	if (argc == 1 && streq(argv[0], "check"))
		return config_check(in);
	if (argc == 1 && streq(argv[0], "show"))
		return config_show(in);
	if (argc == 1 && streq(argv[0], "keys"))
		return config_document(stdout), 0;
	if (argc == 1 && streq(argv[0], "example"))
		return config_example(stdout, in->set, &err) < 0 ? verb_failed(&err) : 0;
	if (argc == 2 && streq(argv[0], "units"))
		return config_units(in, argv[1]);
	if (argc == 1 && streq(argv[0], "verbs"))
		return cli_document(stdout), 0;
	fprintf(stderr, "certwright: config needs one of: check, show, keys, example, units DIR\n");
	return 2;
}
