/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - see doctor.h: the table, and `certwright doctor`. */
#include "app/doctor.h"

#include "app/backup.h"
#include "app/host.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "store/safekeeping.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOST CHECK_ON_HOST
#define SERVER CHECK_IN_SERVER

const struct check_def doctor_table[] = {
	{ "config", "every key of the configuration, and what was changed since the server read it", HOST | SERVER, check_config },
	{ "last-error", "why the server did not start", HOST, check_last_error },
	{ "rights", "who else may read or change the state folder, the configuration and the files it names", HOST | SERVER, check_rights },
	{ "master-key", "whether the files of keys.master are there and open what the database holds", HOST | SERVER, check_master_key },
	{ "disk", "room on the disks of the state folder and of backup.dir, and how fast the state grows", HOST | SERVER, check_disk },
	{ "listeners", "each listening address: does it answer; of a server that is down: is it free", HOST | SERVER, check_ports },
	{ "store", "whether the database takes writes", SERVER, check_store },
	{ "edge", "whether the public server has all challenges", SERVER, check_edge },
	{ "clock", "the clock against the Date of an authority", SERVER, check_clock },
	{ "proxy", "whether net.proxy leads to an authority", SERVER, check_proxy },
	{ "vendor", "the directory of every authority that has an account here", SERVER, check_directory, check_directory_items, "there is no account yet" },
	{ "account", "accounts that their authority refuses", SERVER, check_accounts },
	{ "view", "every resolver of every view", SERVER, check_view, check_view_items, "there is no view" },
	{ "provider", "every provider, read only: its credential and its zones", SERVER, check_provider, check_provider_items, "there is no provider" },
	{ "mail", "every mail server, up to the sign-in; nothing is sent", SERVER, check_mail, check_mail_items, "no mail channel is set up" },
	{ "notification", "channels whose last message was not taken", SERVER, check_told },
	{ "job", "what goes by itself and does not go", SERVER, check_jobs },
	{ "history", "how long what is kept (retention.*), and when it was last pruned", SERVER, check_history },
	{ "backup", "the age of the last backup, and whether a copy of the master key was made", SERVER, check_backup },
	{ 0 }
};

void doctor_document(FILE *out)
{
	fputs("# What `certwright doctor` looks at\n\nWithout a name: `certwright doctor`, Administration › Status › *Is everything right?*, `POST /checks`.\n"
	      "Where: on the host itself (also when the server is down), or by the running server.\n\n| Check | Where | What is looked at |\n|---|---|---|\n",
	      out);
	for (const struct check_def *d = doctor_table; d->name; d++)
		fprintf(out, "| `%s` | %s%s%s | %s |\n", d->name, d->where & HOST ? "host" : "", d->where == (HOST | SERVER) ? ", " : "", d->where & SERVER ? "server" : "", d->help);
}

/* ---- the command line: what is ours, and what is the API's verb's ---- */

static bool takes_value(const char *option)
{
	static const char *const all[] = { "--config", "--state", "--set", "--server", "--token-file", "--ca", "--fingerprint" };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (streq(option, all[i]))
			return true;
	return false;
}

bool doctor_is_whole(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] != '-')
			return false;
		i += takes_value(argv[i]);
	}
	return true;
}

struct line {
	struct config_input in;
	struct strlist set, rest; /* rest: of the API's verb */
	bool host, only_host, server; /* a host was named; --local; a server was named */
};

static int line_read(int argc, char **argv, struct line *l, struct err *err)
{
	l->in.set = &l->set;
	strlist_add(&l->rest, "doctor");
	for (int i = 0; i < argc; i++) {
		const char *option = argv[i], *value = takes_value(option) ? argv[++i] : NULL;

		if (takes_value(option) && !value)
			return err_set(err, ERR_INVALID, "the option '%s' needs a value", option);
		if (streq(option, "--config"))
			l->in.file = value;
		else if (streq(option, "--state"))
			l->in.state = value;
		else if (streq(option, "--set"))
			strlist_add(&l->set, value);
		else if (streq(option, "--local"))
			l->only_host = true;
		else
			strlist_add(&l->rest, option);
		l->server |= streq(option, "--server");
		if (value && !streq(option, "--config") && !streq(option, "--state") && !streq(option, "--set"))
			strlist_add(&l->rest, value);
	}
	l->host = l->in.file || l->in.state || l->set.n || l->only_host || getenv("CERTWRIGHT_STATE") ||
		  (!l->server && (file_exists(CONFIG_FILE_DEFAULT) || file_exists(CONFIG_STATE_DEFAULT)));
	return 0;
}

/* ---- the host ---- */

static int known_read(struct sql *q, void *arg, struct err *err)
{
	struct doctor *d = arg;
	_cleanup_err_ struct err no = ERR_INIT;

	replace_str(&d->known_keys, NULL);
	return store_meta_get(q, META_KEYS, &d->known_keys, &no) < 0 && no.code != ERR_NOT_FOUND ? err_move(err, &no) : 0;
}

/* As the server's user, and before any look has a thread: nothing but reading, and no file that is root's beside the database. */
static void store_look(struct doctor *d, const struct host_user *u)
{
	const struct store_options o = { .url = d->config->store_url, .password_file = d->config->store_password_file, .look = true, .readers = 1, .connections = 2 };
	_cleanup_store_ struct store *store = NULL;

	if (host_user_act(u, &d->store_why) == 0 && store_open(&o, &store, &d->store_why) == 0 && store_read(store, known_read, d, &d->store_why) == 0)
		err_clear(&d->store_why);
	store_close(TAKE(store));
	host_user_act_end(u);
}

static json_t *look_at_host(const struct config_input *in)
{
	static struct config config; /* for looks that are given up and go on until the process ends */
	static struct doctor d;
	struct checks_options o = { .table = doctor_table, .where = CHECK_ON_HOST, .arg = &d };
	_cleanup_err_ struct err no = ERR_INIT;
	struct host_user user = { 0 };

	d.input = in;
	if (!getenv("CREDENTIALS_DIRECTORY"))
		(void)setenv("CREDENTIALS_DIRECTORY", "/etc/certwright", 1); /* what the units make a credential of */
	if (config_read(in, &config, &d.problems, &no) == 0) {
		d.config = &config;
		err_clear(&no);
		if (host_user_find(config.run_user, &user, &no) == 0) {
			d.drop = user.drop;
			d.uid = user.uid;
			store_look(&d, &user);
		}
		host_user_done(&user);
	}
	return checks_run(&o);
}

int doctor_verb(int argc, char **argv)
{
	_cleanup_err_ struct err err = ERR_INIT;
	struct line l = { 0 };
	int status;

	host_harden();
	log_init(LOG_ERROR, LOG_LOGFMT, "doctor");
	json_init();
	if (line_read(argc, argv, &l, &err) < 0)
		return verb_failed(&err);
	status = cli_doctor((int)l.rest.n, l.rest.v, l.host ? look_at_host(&l.in) : NULL, !l.only_host);
	strlist_clear(&l.set);
	strlist_clear(&l.rest);
	return status;
}
