/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_host.c - the looks at what lies on the host: configuration, rights of files, master key, the last error. See doctor.h. */
#include "app/doctor.h"

#include "app/last_error.h"
#include "base/clock.h"
#include "base/file.h"
#include "keys/keys.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

/* ---- configuration ---- */

static void say_problems(struct check *c, const struct config_problems *p)
{
	for (size_t i = 0; i < p->n; i++)
		check_say(c, CHECK_ERROR, p->v[i].where, "Put it right; certwright config check says when it is.", "%s", p->v[i].text);
}

/* A key that was changed since the server read it, and does not count yet. */
static void say_changed(struct check *c, const struct config *runs, const struct config *now)
{
	for (const struct config_key *k = config_keys; k->name; k++) {
		_cleanup_free_ char *was = config_value(runs, k), *is = config_value(now, k);

		if (!streq(was, is))
			check_say(c, CHECK_WARNING, k->name, k->reloadable ? "Reload Certwright (SIGHUP)." : "Restart Certwright.",
				  "was changed since the server started, which still goes by the old value");
	}
}

void check_config(struct check *c)
{
	const struct doctor *d = c->arg;
	_cleanup_config_problems_ struct config_problems problems = { 0 };
	_cleanup_config_ struct config now = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (!d->config) {
		say_problems(c, &d->problems);
		return;
	}
	if (config_read(d->input, &now, &problems, &why) < 0)
		say_problems(c, &problems);
	else if (c->where == CHECK_IN_SERVER)
		say_changed(c, d->config, &now);
	if (!json_array_size(c->rows))
		check_say(c, CHECK_OK, "", NULL, "every key of the configuration%s%s is good", d->config->file ? " in " : "", d->config->file ? d->config->file : "");
}

/* ---- rights ---- */

static bool is_ours(const struct doctor *d, uid_t owner)
{
	return owner == 0 || owner == (d->drop ? d->uid : geteuid());
}

static void say_open(struct check *c, const char *path, mode_t mode, const char *to, const char *good)
{
	_cleanup_free_ char *todo = xasprintf("Run: chmod %s '%s'", good, path);

	check_say(c, CHECK_ERROR, path, todo, "others may %s it (mode %04o)", to, (unsigned)mode & 07777);
}

/* A file that holds a secret: nobody but its owner, and root's chosen group, may read it. */
static void look_secret(struct check *c, const char *path)
{
	const struct doctor *d = c->arg;
	struct stat st;

	if (str_empty(path) || !strchr(path, '/'))
		return; /* a systemd credential has its rights from there */
	if (stat(path, &st) < 0)
		check_say(c, errno == EACCES ? CHECK_UNKNOWN : CHECK_ERROR, path, errno == EACCES ? "Run certwright doctor as root." : "Put it back, or name another file.",
			  "cannot be looked at: %s", strerror(errno));
	else if (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP) || (st.st_mode & S_IRGRP && st.st_uid != 0))
		say_open(c, path, st.st_mode, st.st_mode & (S_IWOTH | S_IWGRP) ? "write" : "read", "600");
	else if (!is_ours(d, st.st_uid))
		check_say(c, CHECK_ERROR, path, "Give it to root or to the server's user (chown).", "belongs to user %u", (unsigned)st.st_uid);
}

/* What decides what the server does: others may read it, and not change it. */
static void look_settled(struct check *c, const char *path)
{
	const struct doctor *d = c->arg;
	struct stat st;

	if (str_empty(path) || stat(path, &st) < 0)
		return; /* that it is missing is the configuration's row */
	if (st.st_mode & (S_IWOTH | S_IWGRP))
		say_open(c, path, st.st_mode, "write", "go-w");
	else if (!is_ours(d, st.st_uid))
		check_say(c, CHECK_ERROR, path, "Give it to root or to the server's user (chown).", "belongs to user %u", (unsigned)st.st_uid);
}

static void look_state(struct check *c, const char *dir)
{
	const struct doctor *d = c->arg;
	struct dirent *e;
	struct stat st;
	DIR *list;

	if (stat(dir, &st) < 0) {
		check_say(c, errno == ENOENT ? CHECK_UNKNOWN : CHECK_ERROR, dir, "It is made at the first start.", "the state folder cannot be looked at: %s", strerror(errno));
		return;
	}
	if (st.st_mode & 0077)
		say_open(c, dir, st.st_mode, st.st_mode & (S_IWOTH | S_IWGRP) ? "write into" : "look into", "700");
	list = opendir(dir);
	while (list && (e = readdir(list))) {
		_cleanup_free_ char *path = path_join(dir, e->d_name);

		if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (st.st_mode & 0077)
			say_open(c, path, st.st_mode, st.st_mode & (S_IWOTH | S_IWGRP) ? "write" : "read", "600");
		else if (d->drop && st.st_uid != d->uid && st.st_uid != 0)
			check_say(c, CHECK_ERROR, path, "Give it to the server's user (chown).", "belongs to user %u, and the server runs as %u", (unsigned)st.st_uid, (unsigned)d->uid);
	}
	if (list)
		closedir(list);
}

void check_rights(struct check *c)
{
	const struct doctor *d = c->arg;
	const struct config *f = d->config;

	if (!f) {
		check_say(c, CHECK_UNKNOWN, "", "Put the configuration right first.", "the configuration cannot be read");
		return;
	}
	look_state(c, f->state);
	look_settled(c, f->file);
	look_settled(c, f->net_trust);
	look_settled(c, f->api_tls_cert);
	look_secret(c, f->api_tls_key);
	look_secret(c, f->store_password_file);
	look_secret(c, f->net_proxy_password_file);
	look_secret(c, f->backup_passphrase_file);
	for (size_t i = 0; i < f->programs.n; i++)
		look_settled(c, strchr(f->programs.v[i], '=') + 1);
	if (!json_array_size(c->rows))
		check_say(c, CHECK_OK, "", NULL, "nobody else may read a secret or change what the server does");
}

/* ---- master key ---- */

/* Also in a server that runs: its key is in memory, and the file may be gone or another one by now. */
void check_master_key(struct check *c)
{
	const struct doctor *d = c->arg;
	struct keys_options o = { .check_text = d->known_keys };
	_cleanup_err_ struct err why = ERR_INIT;

	if (!d->config) {
		check_say(c, CHECK_UNKNOWN, "", "Put the configuration right first.", "the configuration cannot be read");
		return;
	}
	if (!file_exists(d->config->state)) {
		check_say(c, CHECK_UNKNOWN, "", "It is made, or looked for, at the first start.", "there is no state folder yet, so there is nothing to open");
		return;
	}
	strlist_copy(&o.files, &d->config->keys_master);
	if (keys_try(&o, &why) < 0)
		check_err(c, CHECK_ERROR, "", "With no or another key nothing that is sealed can be opened, and the server does not start: put the right one back "
			  "(from the safe: certwright key restore-escrow).", &why);
	else if (d->known_keys)
		check_say(c, CHECK_OK, "", NULL, "the database was sealed with the key of %s", d->config->keys_master.v[0]);
	else
		check_say(c, CHECK_UNKNOWN, "", d->store_why.hint, "the file is good; whether it is this database's is not known: %s",
			  d->store_why.detail ? d->store_why.detail : "nothing was sealed yet");
	strlist_clear(&o.files);
}

/* ---- the last error ---- */

void check_last_error(struct check *c)
{
	const struct doctor *d = c->arg;
	_cleanup_json_ json_t *doc = d->config ? last_error_read(d->config->state) : NULL;

	if (doc)
		check_say(c, CHECK_ERROR, json_string_value(json_object_get(doc, "process")),
			  json_string_value(json_object_get(doc, "hint")) ?: "Put that right and start it again; its log says more.", "did not start at %s: %s",
			  json_string_value(json_object_get(doc, "time")) ?: "?", json_string_value(json_object_get(doc, "error")) ?: "?");
	else
		check_say(c, CHECK_OK, "", NULL, "the last start went well, or there was none");
}
