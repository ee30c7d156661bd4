/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the program's front door: the local verbs (serve, setup, config, key), and everything else through the API (cli/). */
#include "app/backup.h"
#include "app/config.h"
#include "app/core.h"
#include "app/doctor.h"
#include "app/host.h"
#include "app/kinds.h"
#include "app/pages.h"
#include "app/restored.h"
#include "app/setup.h"
#include "app/supervisor.h"
#include "app/units.h"
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static int verb_serve(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	(void)argv, (void)o;
	host_harden();
	if (argc) {
		fprintf(stderr, "certwright: serve takes no argument\n");
		return 2;
	}
	if (config_read(in, &c, NULL, &err) < 0) {
		log_init(LOG_INFO, isatty(STDERR_FILENO) ? LOG_LOGFMT : LOG_JSON, "supervisor");
		log_err(LOG_ERROR, "the configuration has a problem", &err);
		return err_exit_status(err.code);
	}
	config_log(&c, "supervisor");
	return supervisor_run(in, &c, runner_builtins);
}

/* Started by systemd with its sockets: the configuration, then the part. */
static int part(const struct config_input *in, const char *name, struct config *ret)
{
	_cleanup_err_ struct err err = ERR_INIT;

	host_harden();
	if (config_read(in, ret, NULL, &err) < 0) {
		log_init(LOG_INFO, LOG_LOGFMT, name);
		log_err(LOG_ERROR, "the configuration has a problem", &err);
		return err_exit_status(err.code);
	}
	config_log(ret, name);
	return 0;
}

static int verb_core(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	_cleanup_config_ struct config c = { 0 };
	int rc = part(in, "core", &c);

	(void)argc, (void)argv, (void)o;
	return rc ? rc : core_run(in, &c);
}

static int verb_edge(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	_cleanup_config_ struct config c = { 0 };
	int rc = part(in, "edge", &c);

	(void)argc, (void)argv, (void)o;
	return rc ? rc : units_edge(&c);
}

static int verb_runner(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	_cleanup_config_ struct config c = { 0 };
	int rc = part(in, "runner", &c);

	(void)argc, (void)argv, (void)o;
	return rc ? rc : units_runner(&c, runner_builtins);
}

static int verb_setup(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	(void)argv;
	host_harden();
	if (argc) {
		fprintf(stderr, "certwright: setup takes no argument\n");
		return 2;
	}
	log_init(LOG_WARNING, LOG_LOGFMT, "setup");
	if (config_read(in, &c, NULL, &err) < 0) {
		_cleanup_free_ char *text = err_text(&err);

		fprintf(stderr, "certwright: %s\n", text);
		return err_exit_status(err.code);
	}
	return setup_run(&c, o);
}

/* The way back in when the last administrator's password is lost: whoever owns the host owns the state. */
static int verb_user(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	struct setup_options passwd = *o;

	if (argc != 2 || !streq(argv[0], "passwd") || o->token_out || o->admin || o->rights->n) {
		fprintf(stderr, "certwright: usage: certwright user passwd NAME --local [--state DIR] [--config FILE] [--password-file F]\n");
		return 2;
	}
	passwd.passwd = argv[1];
	return verb_setup(in, 0, NULL, &passwd);
}

static int verb_config(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	(void)o;
	if (argc == 1 && streq(argv[0], "providers")) { /* a document, not configuration: docs/generated/providers.md */
		kinds_page(stdout);
		return 0;
	}
	if (argc == 1 && streq(argv[0], "checks")) { /* the same: docs/generated/checks.md */
		doctor_document(stdout);
		return 0;
	}
	if (argc == 1 && streq(argv[0], "vendors")) { /* docs/generated/vendors.md */
		vendors_page(stdout);
		return 0;
	}
	if (argc == 1 && streq(argv[0], "firewall")) { /* docs/generated/firewall.md */
		firewall_page(stdout);
		return 0;
	}
	if (argc == 1 && streq(argv[0], "rights")) { /* docs/generated/rights.md */
		rights_page(stdout);
		return 0;
	}
	return config_verb(in, argc, argv);
}

static int verb_key(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	(void)o;
	host_harden();
	log_init(LOG_WARNING, LOG_LOGFMT, "key");
	return key_verb(in, argc, argv);
}

static int verb_backup(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	const struct backup_options b = { .to = o->to, .passphrase_file = o->passphrase_file, .identity = o->identity, .recipients = o->recipients, .json = o->json };

	host_harden();
	log_init(LOG_WARNING, LOG_LOGFMT, "backup");
	return backup_verb(in, argc, argv, &b);
}

static int verb_restore(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	const struct backup_options b = { .to = o->to, .passphrase_file = o->passphrase_file, .identity = o->identity };

	host_harden();
	log_init(LOG_WARNING, LOG_LOGFMT, "restore");
	return restore_verb(in, argc, argv, &b);
}

static int verb_restored(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	(void)argv, (void)o;
	host_harden();
	log_init(LOG_WARNING, LOG_LOGFMT, "restored");
	return restored_verb(in, argc);
}

static int verb_upgrade(const struct config_input *in, int argc, char **argv, const struct setup_options *o)
{
	(void)argv;
	host_harden();
	log_init(LOG_WARNING, LOG_LOGFMT, "upgrade");
	return upgrade_verb(in, argc, o->backup_made);
}

static const struct local_verb {
	const char *name;
	int (*run)(const struct config_input *in, int argc, char **argv, const struct setup_options *o);
	const char *usage;
	const char *help;
	bool hidden;
} local_verbs[] = {
	{ "serve", verb_serve, "serve [--config FILE] [--state DIR] [--set section.key=value]...",
	  "run the server: HTTPS API and page, DNS, HTTP-01" },
	{ "setup", verb_setup, "setup [--state DIR] [--config FILE] [--admin NAME [--right R]... [--password-file F] [--token-out F]]",
	  "on the server's host: a one-time sign-in link, or the first administrator" },
	{ "user", verb_user, "user passwd NAME --local [--state DIR] [--config FILE] [--password-file F]",
	  "a new password on the server's host, without signing in", true },
	{ "config", verb_config, "config check|show|keys|example|units DIR [--config FILE] [--state DIR] [--set section.key=value]...",
	  "every problem of the configuration with its line; the values in force; what there is to set; a commented file; the drop-ins of systemd's generator" },
	{ "backup", verb_backup, "backup [verify FILE] [--to FILE|DIR] [--recipient KEY... | --passphrase-file F] [--identity F] [--json] [--config FILE] [--state DIR]",
	  "one sealed file of everything but the master key, beside a running server; or what is in such a file" },
	{ "restore", verb_restore, "restore FILE [--state DIR] [--identity F | --passphrase-file F] [--config FILE]", "a backup into an empty state folder, on any host" },
	{ "restored", verb_restored, "restored [--config FILE] [--state DIR]",
	  "says that the database went back in time by other means (a snapshot, PostgreSQL's recovery): the stopped server will look before it acts" },
	{ "upgrade", verb_upgrade, "upgrade [--backup-made] [--config FILE] [--state DIR]",
	  "what this version does to the database; of one in PostgreSQL: that there is a backup, which the server waits for" },
	{ "key", verb_key, "key create FILE | show-escrow | check-escrow | restore-escrow FILE | create-recipient FILE [--config FILE] [--state DIR]",
	  "make a master key; print it once for a safe, check a typed copy, write it back; a key pair that backups are sealed for" },
	{ "core", verb_core, "core", "what serve or systemd starts", true },
	{ "edge", verb_edge, "edge", "what systemd starts: becomes certwright-edge", true },
	{ "runner", verb_runner, "runner", "what systemd starts: runs foreign programs", true },
	{ 0 },
};

static int local_usage(const struct local_verb *v, FILE *out)
{
	fprintf(out, "usage: certwright %s\n\n%s\n", v->usage, v->help);
	return out == stdout ? 0 : 2;
}

static int run_local(const struct local_verb *v, int argc, char **argv)
{
	enum { OPT_CONFIG = 256, OPT_STATE, OPT_SET, OPT_ADMIN, OPT_PASSWORD, OPT_TOKEN, OPT_JSON, OPT_RIGHT, OPT_LOCAL, OPT_TO, OPT_PASSPHRASE, OPT_IDENTITY, OPT_RECIPIENT, OPT_BACKUP_MADE };
	static const struct option options[] = {
		{ "config", required_argument, NULL, OPT_CONFIG },
		{ "state", required_argument, NULL, OPT_STATE },
		{ "set", required_argument, NULL, OPT_SET },
		{ "admin", required_argument, NULL, OPT_ADMIN },
		{ "password-file", required_argument, NULL, OPT_PASSWORD },
		{ "token-out", required_argument, NULL, OPT_TOKEN },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "right", required_argument, NULL, OPT_RIGHT },
		{ "local", no_argument, NULL, OPT_LOCAL },
		{ "to", required_argument, NULL, OPT_TO },
		{ "passphrase-file", required_argument, NULL, OPT_PASSPHRASE },
		{ "identity", required_argument, NULL, OPT_IDENTITY },
		{ "recipient", required_argument, NULL, OPT_RECIPIENT },
		{ "backup-made", no_argument, NULL, OPT_BACKUP_MADE },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	_cleanup_strlist_ struct strlist set = { 0 }, rights = { 0 }, recipients = { 0 };
	struct config_input in = { .set = &set };
	struct setup_options o = { .rights = &rights, .recipients = &recipients };
	bool for_user = streq(v->name, "user"), for_setup = streq(v->name, "setup") || for_user;
	bool for_backup = streq(v->name, "backup") || streq(v->name, "restore"), for_upgrade = streq(v->name, "upgrade");
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h')
			return local_usage(v, stdout);
		if (c == OPT_CONFIG)
			in.file = optarg;
		else if (c == OPT_STATE)
			in.state = optarg;
		else if (c == OPT_SET)
			strlist_add(&set, optarg);
		else if (for_setup && c == OPT_ADMIN)
			o.admin = optarg;
		else if (for_setup && c == OPT_PASSWORD)
			o.password_file = optarg;
		else if (for_setup && c == OPT_TOKEN)
			o.token_out = optarg;
		else if (for_backup && c == OPT_TO)
			o.to = optarg;
		else if (for_backup && c == OPT_PASSPHRASE)
			o.passphrase_file = optarg;
		else if (for_backup && c == OPT_IDENTITY)
			o.identity = optarg;
		else if (for_backup && c == OPT_RECIPIENT)
			strlist_add(&recipients, optarg);
		else if ((for_setup || for_backup) && c == OPT_JSON)
			o.json = true;
		else if (for_setup && c == OPT_RIGHT)
			strlist_add(&rights, optarg);
		else if (for_upgrade && c == OPT_BACKUP_MADE)
			o.backup_made = true;
		else if (for_user && c == OPT_LOCAL)
			continue;
		else
			return local_usage(v, stderr);
	}
	return v->run(&in, argc - optind, argv + optind, &o);
}

static int usage(FILE *out)
{
	fputs("Certwright - certificates from ACME authorities, proved, kept and handed out\n\nusage: certwright VERB ...\n\non the server's host:\n", out);
	for (const struct local_verb *v = local_verbs; v->name; v++)
		if (!v->hidden)
			fprintf(out, "  %-22s %s\n", v->name, v->help);
	cli_usage(out);
	fputs("\n`certwright VERB --help` says more. Exit status: 0 done, 1 internal, 2 usage or input, 3 not found, 4 conflict, 5 refused by\n"
	      "the remote side, 6 not reached or busy, 7 waiting for a person, 8 denied.\n",
	      out);
	return out == stdout ? 0 : 2;
}

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 2; i < argc; i++)
		if (streq(argv[i], word))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (streq(argv[1], "--help") || streq(argv[1], "-h") || streq(argv[1], "help"))
		return usage(stdout);
	if (streq(argv[1], "--version") || streq(argv[1], "version")) {
		printf("certwright %s\n", CERTWRIGHT_VERSION);
		return 0;
	}
	if (streq(argv[1], "doctor") && doctor_is_whole(argc - 2, argv + 2))
		return doctor_verb(argc - 2, argv + 2);
	for (const struct local_verb *v = local_verbs; v->name; v++)
		if (streq(argv[1], v->name) && (!streq(v->name, "user") || has_word(argc, argv, "--local")))
			return run_local(v, argc - 1, argv + 1);
	return cli_run(argc - 1, argv + 1);
}
