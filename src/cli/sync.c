/* SPDX-License-Identifier: Apache-2.0 */
/* sync.c - `sync`: keeps a certificate in certbot's layout on any host, the four files switched at once, and has its server read it. */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/lineage.h"
#include "cli/reload.h"
#include "cli/verb.h"
#include "crypto/match.h"
#include "crypto/x509.h"

#include <grp.h>
#include <stdio.h>
#include <unistd.h>

#define KEEP_DEFAULT 5

static const struct cli_option options[] = {
	{ "certificate", "ID", "the certificate, by id or number; the token is made for it (certwright token create --certificate)", false },
	{ "layout", "L", "certbot: live, archive and renewal below DIR, as in /etc/letsencrypt (the default, and the only one)", false },
	{ "name", "NAME", "of the folder below live; default: the first name of the certificate", false },
	{ "key", "FILE", "the private key, for certificates whose key is kept on this host; default: it is fetched too", false },
	{ "group", "GROUP", "who may read keys and folders made here besides the owner", false },
	{ "keep", "N", "how many the archive keeps, 0 = all; default 5", false },
	{ "take-over", NULL, "of a folder below live that is there already; its files stay in the archive", false },
	{ 0 }
};

struct sync {
	struct cli *c;
	const char *id, *key_file;
	char *dir, *name, *source;
	struct lineage lineage;
	struct lineage_state state;
	struct strlist command;
	struct cli_answer answer;
	struct chain chain;
	struct secret key;
	int lock;
	bool changed, reloaded;
	int64_t number;
};

static void sync_done(struct sync *s)
{
	if (s->answer.http.body.p)
		explicit_bzero(s->answer.http.body.p, s->answer.http.body.n);
	cli_answer_done(&s->answer);
	chain_clear(&s->chain);
	secret_clear(&s->key);
	lineage_state_done(&s->state);
	strlist_clear(&s->command);
	free(s->dir);
	free(s->name);
	free(s->source);
	if (s->lock >= 0)
		close(s->lock);
}

/* --- what was asked for -------------------------------------------------------------------------------------------------- */

static int read_group(const char *name, struct lineage *l, struct err *err)
{
	const struct group *g = getgrnam(name);
	_cleanup_err_ struct err odd = ERR_INIT;
	int64_t number;

	if (g)
		l->group = g->gr_gid;
	else if (str_to_i64(name, 0, UINT32_MAX - 1, &number, &odd) == 0)
		l->group = (gid_t)number;
	else
		return err_set(err, ERR_INVALID, "there is no group '%s'", name);
	l->group_given = true;
	return 0;
}

static char *absolute(const char *path)
{
	_cleanup_free_ char *here = *path == '/' ? NULL : getcwd(NULL, 0);
	char *full = here ? path_join(here, path) : xstrdup(path);

	for (size_t n = strlen(full); n > 1 && full[n - 1] == '/'; n--)
		full[n - 1] = '\0';
	return full;
}

static int read_request(struct sync *s, const struct cli_args *a, struct err *err)
{
	struct lineage *l = &s->lineage;

	if (!a->words.n || !*a->words.v[0])
		return err_set(err, ERR_INVALID, "the folder is missing, such as /etc/letsencrypt");
	s->id = arg(a, "certificate");
	if (!s->id)
		return err_set(err, ERR_INVALID, "--certificate ID is missing");
	if (arg_has(a, "layout") && !streq(arg(a, "layout"), "certbot"))
		return err_set(err, ERR_INVALID, "there is no layout '%s', only certbot", arg(a, "layout"));
	for (size_t i = 1; i < a->words.n; i++)
		strlist_add(&s->command, a->words.v[i]);
	s->key_file = arg(a, "key");
	l->keep = KEEP_DEFAULT;
	if (arg_has(a, "keep") && str_to_i64(arg(a, "keep"), 0, 1000, &l->keep, err) < 0)
		return err_wrap(err, "--keep");
	if ((arg_has(a, "group") && read_group(arg(a, "group"), l, err) < 0) || (arg_has(a, "name") && lineage_name(arg(a, "name"), &s->name, err) < 0))
		return -(int)err->code;
	l->dir = s->dir = absolute(a->words.v[0]);
	s->source = xasprintf("%s/download/%s", s->c->server, s->id);
	return 0;
}

/* --- fetching ------------------------------------------------------------------------------------------------------------ */

/* 200 or 304; the tag of what is there counts only while the four are there. */
static int fetch(struct sync *s, struct err *err)
{
	static const char *const kinds[] = { "cert", "chain", "fullchain", "privkey" };
	_cleanup_free_ char *path = cli_path("download", s->id, s->key_file ? "/fullchain" : "/combined");
	struct cli_call q = { .method = HTTP_GET, .path = path, .if_none_match = s->state.etag };

	for (size_t i = 0; q.if_none_match && i < ARRAY_SIZE(kinds); i++) {
		_cleanup_free_ char *file = xasprintf("%s/live/%s/%s.pem", s->dir, s->name, kinds[i]);

		if (!file_exists(file))
			q.if_none_match = NULL;
	}
	return cli_request(s->c, &q, &s->answer, err);
}

/* The answer as chain and key, which belong together: nothing a server would choke on gets to the disk. */
static int read_answer(struct sync *s, struct err *err)
{
	const char *text = buf_text(&s->answer.http.body), *key = strstr(text, "-----BEGIN PRIVATE KEY-----");
	size_t n = key ? (size_t)(key - text) : s->answer.http.body.n;

	if (chain_parse(text, n, &s->chain, err) < 0 || chain_verify_links(&s->chain, err) < 0)
		return err_wrap(err, "the server sent no certificate that can be used");
	if (s->chain.v[0].info.not_after_ms <= clock_now(&clock_system)) {
		err_set(err, ERR_REMOTE_BAD, "the certificate has expired; what is there stays");
		return err_hint(err, "See `certwright certificate renewal %s` for why it was not renewed, or whether this host's clock is right.", s->id);
	}
	if (s->key_file) {
		if (file_read_secret(s->key_file, 64 * 1024, &s->key, err) < 0)
			return -(int)err->code;
	} else if (!key) {
		return err_set(err, ERR_REMOTE_BAD, "the server sent no private key");
	} else {
		s->key = secret_copy(key, s->answer.http.body.n - n);
	}
	if (key_matches(&s->key, s->chain.v[0].info.public_hash, err) < 0)
		return s->key_file ? err_wrap(err, "could not use the key in '%s'", s->key_file) : err_wrap(err, "could not use what the server sent");
	return 0;
}

/* --- putting it there ---------------------------------------------------------------------------------------------------- */

/* A folder that is somebody else's is not touched unasked. */
static int may_switch(const struct sync *s, bool take_over, struct err *err)
{
	const struct lineage_state *st = &s->state;

	if (st->there && !st->ours && !take_over) {
		err_set(err, ERR_CONFLICT, "'%s/live/%s' is there already and not made by certwright sync", s->dir, s->name);
		return err_hint(err, "--take-over makes it ours and keeps its files in the archive; --name NAME uses another folder.");
	}
	if (st->ours && st->source && !streq(st->source, s->source) && !take_over) {
		err_set(err, ERR_CONFLICT, "'%s/live/%s' holds another certificate: %s", s->dir, s->name, st->source);
		return err_hint(err, "--name NAME uses another folder, --take-over this one.");
	}
	return lineage_certbot_is_off(&s->lineage, err);
}

static int put(struct sync *s, struct err *err)
{
	_cleanup_buf_ struct buf leaf = BUF_MAX(LIMIT_CA_CHAIN), above = BUF_MAX(LIMIT_CA_CHAIN), full = BUF_MAX(2 * LIMIT_CA_CHAIN);
	_cleanup_buf_wipe_ struct buf key = BUF_MAX(64 * 1024 + 1);
	struct lineage_files files;

	cert_pem(s->chain.v[0].der, s->chain.v[0].der_n, &leaf);
	chain_pem(&s->chain, 1, &above);
	chain_pem(&s->chain, 0, &full);
	buf_add(&key, s->key.p, s->key.n);
	if (key.n && key.p[key.n - 1] != '\n')
		buf_add_str(&key, "\n");
	if (buf_check(&leaf, err) < 0 || buf_check(&above, err) < 0 || buf_check(&full, err) < 0 || buf_check(&key, err) < 0)
		return -(int)err->code;
	files = (struct lineage_files){ { buf_text(&leaf), leaf.n }, { buf_text(&above), above.n }, { buf_text(&full), full.n }, { buf_text(&key), key.n } };
	if (lineage_switch(&s->lineage, &files, s->source, http_header_get(&s->answer.http, "etag"), s->command.n > 0, &s->number, err) < 0)
		return err_wrap(err, "could not put the certificate into '%s'", s->dir);
	s->changed = true;
	return 0;
}

/* The names of what is live, for a reload that is owed from before. */
static int live_names(const struct sync *s, struct strlist *ret, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/live/%s/fullchain.pem", s->dir, s->name);
	_cleanup_buf_ struct buf pem = BUF_MAX(LIMIT_CA_CHAIN);
	_cleanup_chain_ struct chain chain = { 0 };

	if (file_read(path, &pem, err) < 0 || chain_parse(buf_text(&pem), pem.n, &chain, err) < 0)
		return -(int)err->code;
	strlist_copy(ret, &chain.v[0].info.names);
	return 0;
}

static int reload(struct sync *s, struct err *err)
{
	_cleanup_free_ char *path = lineage_path(&s->lineage);
	_cleanup_strlist_ struct strlist names = { 0 };

	if (!s->command.n || !(s->changed || s->state.owed))
		return 0;
	if (live_names(s, &names, err) < 0 || reload_run(&s->command, path, &names, s->c->json, err) < 0) {
		err_wrap(err, "the new certificate is in place, but its server may still use the old one");
		return err_hint(err, "The command is run again at the next certwright sync.");
	}
	s->reloaded = true;
	return lineage_reloaded(&s->lineage, err);
}

static void say(const struct sync *s)
{
	_cleanup_free_ char *path = lineage_path(&s->lineage);

	if (s->c->json) {
		_cleanup_json_ json_t *doc = json_pack("{s:b, s:b, s:s, s:s}", "changed", s->changed, "reloaded", s->reloaded, "name", s->name, "lineage", path);
		_cleanup_free_ char *text = json_text(doc);

		printf("%s\n", text);
	} else if (s->changed) {
		printf("%s: number %" PRId64 " is live%s\n", path, s->number, s->reloaded ? ", and its server was told" : "");
	} else if (!s->c->quiet) {
		fprintf(stderr, "%s: nothing new%s\n", path, s->reloaded ? "; its server was told what it had not been told before" : "");
	}
}

static int name_and_state(struct sync *s, struct err *err)
{
	if (!s->name && lineage_find(s->dir, s->source, &s->name, err) < 0)
		return -(int)err->code;
	if (!s->name && s->chain.n) {
		if (!s->chain.v[0].info.names.n)
			return err_set(err, ERR_INVALID, "the certificate has no DNS name: give --name NAME");
		if (lineage_name(s->chain.v[0].info.subject_cn && strlist_has(&s->chain.v[0].info.names, s->chain.v[0].info.subject_cn) ?
				 s->chain.v[0].info.subject_cn : s->chain.v[0].info.names.v[0], &s->name, err) < 0)
			return -(int)err->code;
	}
	s->lineage.name = s->name;
	if (!s->name)
		return 0;
	lineage_state_done(&s->state);
	return lineage_read(&s->lineage, &s->state, err);
}

static int sync_it(struct sync *s, bool take_over, struct err *err)
{
	if (lineage_lock(&s->lineage, &s->lock, err) < 0 || name_and_state(s, err) < 0)
		return -(int)err->code;
	if (s->state.source && !streq(s->state.source, s->source))
		replace_str(&s->state.etag, NULL); /* it is of another certificate */
	if (fetch(s, err) < 0)
		return -(int)err->code;
	if (s->answer.http.status != 304 && (read_answer(s, err) < 0 || name_and_state(s, err) < 0 || may_switch(s, take_over, err) < 0 || put(s, err) < 0))
		return -(int)err->code;
	return reload(s, err);
}

static int sync_run(struct cli *c, const struct cli_args *a, struct err *err)
{
	struct sync s = { .c = c, .lock = -1 };

	if (read_request(&s, a, err) == 0 && sync_it(&s, arg_has(a, "take-over"), err) == 0)
		say(&s);
	sync_done(&s);
	return err_is(err) ? -(int)err->code : 0;
}

const struct cli_verb sync_verbs[] = {
	{ "sync", NULL, "DIR [-- COMMAND...]", sync_run, options,
	  "keep a certificate in certbot's layout below DIR; when it is new, run COMMAND with RENEWED_LINEAGE and RENEWED_DOMAINS" },
	{ 0 }
};
