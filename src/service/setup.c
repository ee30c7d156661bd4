/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup.c - the first administrator, made in the page with a setup token or on the host; and the way back in on the host when every
 * password is lost.
 */
#include "service/session_new.h"

#include "keys/password.h"
#include "keys/token.h"
#include "service/audit.h"
#include "service/user.h"

/* --- the first administrator -------------------------------------------------------------------------------------------- */

static int count_tx(struct sql *q, void *arg, struct err *err)
{
	return store_user_count(q, arg, err);
}

int service_setup_needed(struct service *s, bool *ret, struct err *err)
{
	int64_t n = 0;

	if (store_read(s->store, count_tx, &n, err) < 0)
		return -(int)err->code;
	*ret = n == 0;
	return 0;
}

static int refuse_when_set_up(struct sql *q, struct err *err)
{
	int64_t n = 0;

	if (store_user_count(q, &n, err) < 0)
		return -(int)err->code;
	if (n) {
		err_set(err, ERR_CONFLICT, "this server has been set up already");
		return err_hint(err, "Sign in, or let an administrator give you a new password.");
	}
	return 0;
}

struct setup_token_job {
	const char *hash;
	int64_t now_ms;
};

static int setup_token_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct setup_token_job *j = arg;

	return store_setup_token_add(tx, j->hash, j->now_ms, j->now_ms + SETUP_TOKEN_MS, err);
}

int service_setup_make_token(struct store *store, const struct clock *clock, struct secret *ret, struct err *err)
{
	char hash[SHA256_HEX];
	_cleanup_secret_ struct secret text = { 0 };
	struct setup_token_job j = { hash, clock_now(clock ? clock : &clock_system) };

	token_make(TOKEN_SETUP, &text, hash);
	if (store_write(store, setup_token_tx, &j, err) < 0)
		return err_wrap(err, "could not make a setup token");
	*ret = TAKE(text);
	return 0;
}

struct first_user_job {
	const struct service *s;
	const char *setup_hash; /* NULL on the host */
	struct user user;
	struct session *session; /* or NULL */
	const char *old_session; /* hash of the one it replaces, or NULL */
	struct token *token;     /* or NULL */
	struct audit audit;
	int64_t now_ms;
};

static int first_user_tx(struct sql *tx, void *arg, struct err *err)
{
	struct first_user_job *j = arg;

	/* a token was made by whoever owns this host: it is also the way back in when every password is lost */
	if (!j->setup_hash && refuse_when_set_up(tx, err) < 0)
		return -(int)err->code;
	if (j->setup_hash && store_setup_token_use(tx, j->setup_hash, j->now_ms, err) < 0)
		return -(int)err->code;
	if (store_user_add(tx, &j->user, err) < 0 || store_audit_add(tx, &j->audit, err) < 0)
		return -(int)err->code;
	if (j->session && store_session_add(tx, j->session, err) < 0)
		return -(int)err->code;
	if (j->old_session && store_session_del(tx, j->old_session, err) < 0)
		return -(int)err->code;
	if (j->token && store_token_add(tx, j->token, err) < 0)
		return -(int)err->code;
	return 0;
}

/* Checks name and password, and hashes. */
static int first_user(const char *name, const struct secret *password, int64_t now, struct user *ret, struct err *err)
{
	_cleanup_user_ struct user u = { .role = ROLE_ADMIN, .created_ms = now, .updated_ms = now, .last_login_ms = now, .rev = 1 };

	if (user_name_canonical(name, &u.name, err) < 0 || password_check(password, u.name, err) < 0 ||
	    password_hash(password, &u.password_hash, err) < 0)
		return -(int)err->code;
	u.id = xstrdup(ulid_new(now).s);
	u.source = xstrdup("local");
	*ret = TAKE(u);
	return 0;
}

int service_setup_make_admin(struct store *store, const struct clock *clock, const char *name, unsigned rights,
			     const struct secret *password, struct secret *ret_token, struct err *err)
{
	struct service offline = { .store = store, .clock = clock ? clock : &clock_system };
	struct actor host = { .kind = ACTOR_HOST, .user_name = (char[]){ "host" } };
	struct first_user_job j = { .s = &offline, .now_ms = service_now(&offline) };
	_cleanup_secret_ struct secret text = { 0 };
	_cleanup_token_ struct token token = { 0 };
	_cleanup_free_ char *after = NULL;
	char hash[SHA256_HEX];
	int r;

	if (first_user(name, password, j.now_ms, &j.user, err) < 0)
		return err_wrap(err, "could not make the first administrator");
	j.user.rights = rights;
	if (ret_token) {
		token_make(TOKEN_API, &text, hash);
		token = (struct token){ .id = xstrdup(ulid_new(j.now_ms).s), .name = xstrdup("setup"), .user_id = xstrdup(j.user.id),
					.role = ROLE_ADMIN, .rights = RIGHTS_ALL, .hash = xstrdup(hash), .prefix = xstrndup((const char *)text.p, 8),
					.created_ms = j.now_ms, .expires_ms = j.now_ms + TOKEN_DAYS_DEFAULT * DAY_MS };
		j.token = &token;
	}
	audit_begin(&offline, &host, "setup.admin", "user", &j.audit);
	replace_str(&j.audit.object_id, j.user.id);
	replace_str(&j.audit.object_name, j.user.name);
	after = rights_text(rights);
	audit_change(&j.audit, NULL, json_pack("{s:s, s:s}", "role", "admin", "rights", after));
	r = store_write(store, first_user_tx, &j, err);
	audit_done(&j.audit);
	user_done(&j.user);
	if (r < 0)
		return err_wrap(err, "could not make the first administrator");
	if (ret_token)
		*ret_token = TAKE(text);
	return 0;
}

int service_setup(struct service *s, const struct actor *from, const struct secret *token, const char *name,
		  const struct secret *password, struct session_made *ret, struct err *err)
{
	struct first_user_job j = { .s = s, .now_ms = service_now(s) };
	_cleanup_session_made_ struct session_made made = { 0 };
	struct actor setup = { .kind = ACTOR_HOST, .address = from->address, .request_id = from->request_id };
	struct new_session n;
	char hash[SHA256_HEX];
	int r;

	if (service_sign_in_allowed(s, from, NULL, err) < 0)
		return -(int)err->code;
	if (!token_hash(TOKEN_SETUP, (const char *)token->p, token->n, hash)) {
		service_source_failed(s, from, j.now_ms);
		service_audit_refused(s, from, "setup.refused", "postSetup", NULL, "not a setup token");
		err_set_field(err, ERR_UNAUTHENTICATED, "/setup_token", "this is not a setup token");
		return err_hint(err, "Run 'certwright setup' on the server; it prints one.");
	}
	if (first_user(name, password, j.now_ms, &j.user, err) < 0)
		return -(int)err->code;
	new_session_make(s, from, &made.cookie, &n);
	n.row.user_id = j.user.id;
	j.session = &n.row;
	j.old_session = from->session_hash;
	j.setup_hash = hash;
	setup.user_name = j.user.name;
	audit_begin(s, &setup, "setup.admin", "user", &j.audit);
	replace_str(&j.audit.object_id, j.user.id);
	replace_str(&j.audit.object_name, j.user.name);
	r = store_write(s->store, first_user_tx, &j, err);
	audit_done(&j.audit);
	new_session_actor(&n, &j.user, from, &made.actor);
	made.user = j.user;
	if (r < 0) {
		if (err->code == ERR_DENIED) { /* unknown, used or too old: all the same from outside */
			service_source_failed(s, from, j.now_ms);
			service_audit_refused(s, from, "setup.refused", "postSetup", NULL, "unknown, used or older than 30 minutes");
			err_clear(err);
			err_set_field(err, ERR_UNAUTHENTICATED, "/setup_token", "setup token is unknown, used, or older than 30 minutes");
			return err_hint(err, "Run 'certwright setup' on the server; it prints a new one.");
		}
		return r;
	}
	*ret = TAKE(made);
	return 0;
}

/* --- on the host --------------------------------------------------------------------------------------------------------- */

struct local_password_job {
	const char *name, *hash;
	struct audit *audit;
	int64_t now_ms;
};

static int local_password_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct local_password_job *j = arg;
	_cleanup_user_ struct user u = { 0 };
	bool was_disabled;

	if (store_user_find(tx, j->name, &u, err) < 0)
		return -(int)err->code;
	was_disabled = u.disabled;
	replace_str(&u.password_hash, j->hash);
	u.disabled = false;
	u.updated_ms = j->now_ms;
	replace_str(&j->audit->object_id, u.id);
	replace_str(&j->audit->object_name, u.name);
	audit_change(j->audit, json_pack("{s:b}", "disabled", was_disabled), json_pack("{s:b, s:s}", "disabled", false, "password", "changed"));
	if (store_user_put(tx, &u, 0, err) < 0 || store_session_del_user(tx, u.id, NULL, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_local_password(struct store *store, const struct clock *clock, const char *name, const struct secret *password,
			   struct err *err)
{
	struct service offline = { .store = store, .clock = clock ? clock : &clock_system };
	struct actor host = { .kind = ACTOR_HOST, .user_name = (char[]){ "host" } };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_free_ char *canonical = NULL, *hash = NULL;
	struct local_password_job j = { .audit = &audit, .now_ms = service_now(&offline) };

	if (user_name_canonical(name, &canonical, err) < 0 || password_check(password, canonical, err) < 0 ||
	    password_hash(password, &hash, err) < 0)
		return err_wrap(err, "could not change the password of '%s'", name);
	j.name = canonical;
	j.hash = hash;
	audit_begin(&offline, &host, "password.reset", "user", &audit);
	if (store_write(store, local_password_tx, &j, err) < 0)
		return err_wrap(err, "could not change the password of '%s'", canonical);
	return 0;
}
