/* SPDX-License-Identifier: Apache-2.0 */
/* key_verb.c - `certwright key`: making a master key, its copy for a safe, and the way back. See setup.h. */
#include "app/setup.h"

#include "app/host.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "keys/escrow.h"
#include "keys/keys.h"
#include "keys/recipient.h"
#include "service/local.h"
#include "store/safekeeping.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TYPED_MAX 4096
#define MASTERS_MAX 16

static int create(const char *file, struct err *err)
{
	if (keys_master_create(file, err) < 0)
		return -(int)err->code;
	printf("made the master key '%s'; without it nothing that is sealed can be opened: keep a copy in a safe place\n", file);
	return 0;
}

/* ---- what the database was sealed with -------------------------------------------------------------------------------- */

static int known_read(struct sql *q, void *arg, struct err *err)
{
	char **ret = arg;
	_cleanup_err_ struct err why = ERR_INIT;

	free(*ret);
	*ret = NULL;
	if (store_meta_get(q, META_KEYS, ret, &why) < 0 && why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	return 0;
}

static int database(const struct config *c, struct store **ret, char **ret_known, struct err *err)
{
	if (verb_store(c, ret, err) < 0)
		return -(int)err->code;
	if (store_read(*ret, known_read, ret_known, err) < 0)
		return err_wrap(err, "could not read which master key the database was sealed with");
	if (!*ret_known) {
		err_set(err, ERR_NEEDS_PERSON, "nothing was sealed with a master key yet");
		return err_hint(err, "Start the server once; then this works.");
	}
	return 0;
}

/* "ID:CHECK ID:CHECK" */
static bool is_known(const char *known, const char *id)
{
	const char *at = strstr(known, id);

	return at && (at == known || at[-1] == ' ') && at[strlen(id)] == ':';
}

/* ---- show ------------------------------------------------------------------------------------------------------------ */

struct copies {
	struct secret text[MASTERS_MAX];
	char *id[MASTERS_MAX];
	size_t n;
};

static void copies_done(struct copies *s)
{
	for (size_t i = 0; i < s->n; i++) {
		secret_clear(&s->text[i]);
		free(s->id[i]);
	}
}

static char *copies_ids(const struct copies *s)
{
	_cleanup_strlist_ struct strlist l = { 0 };

	for (size_t i = 0; i < s->n; i++)
		strlist_add(&l, s->id[i]);
	return strlist_join(&l, ", ");
}

/* Every key the database needs is among the files, or the paper in the safe would be worth nothing. */
static int copies_cover(const struct copies *s, const char *known, struct err *err)
{
	_cleanup_strlist_ struct strlist pairs = { 0 };

	strlist_split(&pairs, known, ' ');
	for (size_t i = 0; i < pairs.n; i++) {
		size_t length = strcspn(pairs.v[i], ":");
		bool found = false;

		for (size_t k = 0; k < s->n; k++)
			found |= strlen(s->id[k]) == length && strncmp(s->id[k], pairs.v[i], length) == 0;
		if (!found)
			return err_set(err, ERR_NEEDS_PERSON, "the database needs the master key %.*s, which is in no file of keys.master", (int)length,
				       pairs.v[i]);
	}
	return 0;
}

static void print_copy(const struct copies *s, size_t i)
{
	char host[256] = "", day[32];
	time_t now = (time_t)(clock_now(&clock_system) / SECOND_MS);
	struct tm tm;

	(void)gethostname(host, sizeof host - 1);
	gmtime_r(&now, &tm);
	strftime(day, sizeof day, "%Y-%m-%d", &tm);
	printf("Certwright master key %s\nof %s, copied %s\n\n%s\nWho has this and a backup has every key. Keep it in a safe, away from the backups and their\n"
	       "passphrase. Back from paper: certwright key restore-escrow FILE; is a typed copy right: certwright key check-escrow\n%s",
	       s->id[i], host, day, (const char *)s->text[i].p, i + 1 < s->n ? "\f\n" : "");
}

static int show(const struct config *c, struct err *err)
{
	struct copies s = { 0 };
	_cleanup_store_ struct store *store = NULL;
	_cleanup_free_ char *known = NULL, *ids = NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->keys_master.n && i < MASTERS_MAX; i++) {
		rc = escrow_text(c->keys_master.v[i], &s.text[i], &s.id[i], err);
		s.n += rc == 0;
	}
	ids = copies_ids(&s);
	if (rc == 0)
		rc = database(c, &store, &known, err);
	if (rc == 0)
		rc = copies_cover(&s, known, err);
	if (rc == 0) /* the row before the key */
		rc = service_local_escrow(store, NULL, "shown", ids, err);
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		print_copy(&s, i);
	if (rc == 0 && fflush(stdout) != 0)
		rc = err_set_errno(err, ERR_INTERNAL, "could not print the copy");
	copies_done(&s);
	return rc;
}

/* ---- the way back ---------------------------------------------------------------------------------------------------- */

/* From standard input, so that it is in no list of processes and in no history of a shell. */
static int typed_read(struct secret *ret, char **ret_id, struct err *err)
{
	_cleanup_secret_ struct secret typed = { .p = xcalloc(1, TYPED_MAX + 1), .n = 0 };
	size_t n = 0;

	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Type the nine groups, then Ctrl-D:\n");
	for (ssize_t got; n < TYPED_MAX; n += (size_t)got) {
		got = read(STDIN_FILENO, (char *)typed.p + n, TYPED_MAX - n);
		if (got < 0)
			return err_set_errno(err, ERR_INVALID, "could not read what was typed");
		if (got == 0)
			break;
	}
	typed.n = n;
	return escrow_read(&typed, ret, ret_id, err);
}

static int restore(const char *file, struct err *err)
{
	_cleanup_secret_ struct secret key = { 0 };
	_cleanup_free_ char *id = NULL;

	if (typed_read(&key, &id, err) < 0)
		return -(int)err->code;
	if (file_create(file, key.p, key.n, 0400, err) < 0)
		return err_wrap(err, "could not make the master key file '%s'", file);
	printf("wrote the master key %s to '%s'\n", id, file);
	return 0;
}

static int check(const struct config *c, struct err *err)
{
	_cleanup_secret_ struct secret key = { 0 };
	_cleanup_free_ char *id = NULL, *known = NULL;
	_cleanup_store_ struct store *store = NULL;

	if (typed_read(&key, &id, err) < 0 || database(c, &store, &known, err) < 0)
		return -(int)err->code;
	if (!is_known(known, id))
		return err_set(err, ERR_CONFLICT, "this is the master key %s, which the database of this server was not sealed with", id);
	printf("right: this is the master key %s, which the database of this server was sealed with\n", id);
	return 0;
}

static int create_recipient(const char *file, struct err *err)
{
	_cleanup_secret_ struct secret secret = { 0 };
	_cleanup_free_ char *public = NULL;

	if (recipient_make(&secret, &public, err) < 0 || file_create(file, secret.p, secret.n, 0400, err) < 0)
		return err_wrap(err, "could not make the key pair '%s'", file);
	printf("%s\n", public);
	fprintf(stderr, "That is the public half, for --recipient and backup.recipients. '%s' is the secret half: take it away from this host.\n", file);
	return 0;
}

int key_verb(const struct config_input *in, int argc, char **argv)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	bool shows = argc == 1 && streq(argv[0], "show-escrow"), checks = argc == 1 && streq(argv[0], "check-escrow");
	int rc;

	json_init();
	if (argc == 2 && streq(argv[0], "create"))
		return create(argv[1], &err) < 0 ? verb_failed(&err) : 0;
	if (argc == 2 && streq(argv[0], "create-recipient"))
		return create_recipient(argv[1], &err) < 0 ? verb_failed(&err) : 0;
	if (argc == 2 && streq(argv[0], "restore-escrow"))
		return restore(argv[1], &err) < 0 ? verb_failed(&err) : 0;
	if (!shows && !checks) {
		fprintf(stderr, "certwright: usage: certwright key create FILE | show-escrow | check-escrow | restore-escrow FILE | create-recipient FILE [--config FILE] [--state DIR]\n");
		return 2;
	}
	if (!getenv("CREDENTIALS_DIRECTORY"))
		(void)setenv("CREDENTIALS_DIRECTORY", "/etc/certwright", 1); /* what the units make a credential of */
	rc = config_read(in, &c, NULL, &err);
	if (rc == 0)
		rc = shows ? show(&c, &err) : check(&c, &err);
	return rc < 0 ? verb_failed(&err) : 0;
}
