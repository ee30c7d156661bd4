/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - signing in and out, and who a cookie is: see session.h. */
#include "service/session_new.h"

#include "base/addr.h"
#include "base/base64.h"
#include "crypto/digest.h"
#include "keys/password.h"
#include "keys/token.h"
#include "service/audit.h"
#include "service/internal.h"
#include "service/user.h"

void session_made_clear(struct session_made *m)
{
	secret_clear(&m->cookie);
	actor_clear(&m->actor);
	user_done(&m->user);
}

/* Who is counted: an address; of IPv6 its /64, since one line has all of them. "" when it is not known. */
const char *service_source(const struct actor *from, char buf[ADDR_TEXT])
{
	union addr a;
	_cleanup_err_ struct err no = ERR_INIT;

	if (!from->address)
		return "";
	if (addr_parse_ip(from->address, &a, &no) < 0 || a.sa.sa_family != AF_INET6 || IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr))
		return from->address;
	memset(a.in6.sin6_addr.s6_addr + 8, 0, 8);
	a.in6.sin6_scope_id = 0;
	return addr_format_ip(&a, buf);
}

void service_source_failed(struct service *s, const struct actor *from, int64_t now_ms)
{
	char buf[ADDR_TEXT];

	throttle_failed(s->sources, service_source(from, buf), now_ms);
}

/* --- making a session --------------------------------------------------------------------------------------------------- */

/* The CSRF token follows from the session: it is not stored, so a copy of the database does not have it. */
static void csrf_of(const struct service *s, const char *session_hash, char ret[64])
{
	_cleanup_buf_ struct buf text = BUF_MAX(64);
	unsigned char m[SHA256_LEN];

	hmac_sha256(s->mac_key.p, s->mac_key.n, session_hash, strlen(session_hash), m);
	base64url_encode(&text, m, sizeof m);
	memcpy(ret, buf_text(&text), text.n + 1);
}

void new_session_make(const struct service *s, const struct actor *from, struct secret *cookie, struct new_session *ret)
{
	int64_t now = service_now(s);

	token_make(TOKEN_SESSION, cookie, ret->hash);
	ret->stored[0] = '\0';
	csrf_of(s, ret->hash, ret->csrf);
	ret->id = ulid_new(now);
	ret->row = (struct session){ .id = ret->id.s, .hash = ret->hash, .csrf = ret->stored, .address = from->address, .created_ms = now, .seen_ms = now,
				     .expires_ms = now + SESSION_ABSOLUTE_MS };
}

void new_session_actor(const struct new_session *n, const struct user *u, const struct actor *from, struct actor *ret)
{
	actor_clear(ret);
	*ret = (struct actor){
		.kind = ACTOR_SESSION,
		.role = u->role,
		.rights = u->rights,
		.user_id = xstrdup(u->id),
		.user_name = xstrdup(u->name),
		.session_hash = xstrdup(n->hash),
		.csrf = xstrdup(n->csrf),
		.expires_ms = MIN(n->row.expires_ms, n->row.seen_ms + SESSION_IDLE_MS),
		.address = xstrdup_null(from->address),
		.request_id = xstrdup_null(from->request_id),
	};
}

/* --- signing in --------------------------------------------------------------------------------------------------------- */

/*
 * The bucket of a name. Where this user has signed in well before, it is one of that source alone: whatever strangers guess
 * elsewhere does not keep him waiting here, and whoever guesses here does not keep him waiting elsewhere.
 */
static char *account_bucket(const char *name, const char *known_source)
{
	return known_source ? xasprintf("%s\n%s", name, known_source) : xstrdup(name);
}

int service_sign_in_allowed(struct service *s, const struct actor *from, const char *bucket, struct err *err)
{
	char buf[ADDR_TEXT];
	int64_t now = service_now(s);
	int64_t at = throttle_check(s->sources, service_source(from, buf), now);

	if (bucket)
		at = MAX(at, throttle_check(s->accounts, bucket, now));
	if (!at)
		return 0;
	(void)refusals_note(s->refusals, "session.throttled", service_source(from, buf), false, now);
	err_set(err, ERR_TOO_MANY, "too many failed sign-ins");
	err->retry_at_ms = at;
	return -(int)err->code;
}

struct sign_in_job {
	const char *name, *source;
	struct user user;
	bool found, known;
	struct session *session;
	const char *old_session; /* hash of the one it replaces, or NULL */
	struct audit *audit;
	char *rehashed; /* or NULL */
};

static int find_user_tx(struct sql *q, void *arg, struct err *err)
{
	struct sign_in_job *j = arg;
	_cleanup_err_ struct err why = ERR_INIT;

	j->found = false;
	user_done(&j->user);
	if (store_user_find(q, j->name, &j->user, &why) < 0) {
		if (why.code != ERR_NOT_FOUND)
			return err_move(err, &why);
	} else {
		j->found = true;
	}
	return store_known_source_has(q, j->found ? j->user.id : "", j->source, &j->known, err); /* asked for both: same cost */
}

static int sign_in_tx(struct sql *tx, void *arg, struct err *err)
{
	struct sign_in_job *j = arg;
	_cleanup_user_ struct user u = { 0 };

	if (store_user_get(tx, j->user.id, &u, err) < 0)
		return -(int)err->code;
	u.last_login_ms = j->session->created_ms;
	u.failures = 0;
	if (j->rehashed && streq(u.password_hash ? u.password_hash : "", j->user.password_hash)) {
		replace_str(&u.password_hash, j->rehashed);
		if (store_user_put(tx, &u, 0, err) < 0)
			return -(int)err->code;
	}
	if (store_user_put_login(tx, &u, err) < 0 || store_session_add(tx, j->session, err) < 0 ||
	    (j->old_session && store_session_del(tx, j->old_session, err) < 0) ||
	    store_known_source_put(tx, u.id, j->source, j->session->created_ms, err) < 0 ||
	    store_known_source_prune(tx, j->session->created_ms - KNOWN_SOURCE_MS, NULL, err) < 0 ||
	    store_session_prune(tx, j->session->created_ms, NULL, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

static int audit_only_tx(struct sql *tx, void *arg, struct err *err)
{
	return store_audit_add(tx, arg, err);
}

/* One sentence for every reason, so that nobody learns which names exist. */
static int wrong(struct service *s, const struct actor *from, const char *bucket, const struct user *u, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct actor nobody = { .address = from->address, .request_id = from->request_id };
	_cleanup_err_ struct err why = ERR_INIT;
	char source[ADDR_TEXT];
	int64_t now = service_now(s);

	throttle_failed(s->accounts, bucket, now);
	service_source_failed(s, from, now);
	audit_begin(s, &nobody, "session.refused", "user", &audit);
	if (u && u->id) {
		replace_str(&audit.object_id, u->id);
		replace_str(&audit.object_name, u->name);
	}
	if (refusals_note(s->refusals, "session.refused", service_source(from, source), true, now) &&
	    store_write(s->store, audit_only_tx, &audit, &why) < 0)
		return err_move(err, &why);
	return err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
}

int service_sign_in(struct service *s, const struct actor *from, const char *name, const struct secret *password,
		    struct session_made *ret, struct err *err)
{
	_cleanup_session_made_ struct session_made made = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_free_ char *canonical = NULL, *rehashed = NULL, *bucket = NULL;
	_cleanup_user_ struct user user = { 0 };
	_cleanup_err_ struct err odd = ERR_INIT;
	char source[ADDR_TEXT];
	struct sign_in_job j = { .source = service_source(from, source) };
	struct new_session n;
	bool ok = false, rehash = false;

	if (user_name_canonical(name, &canonical, &odd) < 0)
		canonical = xstrdup("\x01"); /* no user has this name: it costs what every wrong one costs */
	j.name = canonical;
	if (store_read(s->store, find_user_tx, &j, err) < 0)
		return -(int)err->code;
	user = j.user;
	bucket = account_bucket(canonical, j.known ? j.source : NULL);
	if (service_sign_in_allowed(s, from, bucket, err) < 0)
		return -(int)err->code;
	if (password_verify(password, j.found && !user.disabled ? user.password_hash : NULL, &ok, &rehash, err) < 0)
		return -(int)err->code;
	if (!ok || !j.found || user.disabled)
		return wrong(s, from, bucket, &user, err);
	if (rehash && password_hash(password, &rehashed, err) < 0)
		return -(int)err->code;
	new_session_make(s, from, &made.cookie, &n);
	n.row.user_id = user.id;
	new_session_actor(&n, &user, from, &made.actor);
	audit_begin(s, &made.actor, "session.create", "user", &audit);
	replace_str(&audit.object_id, user.id);
	replace_str(&audit.object_name, user.name);
	j.session = &n.row;
	j.old_session = from->session_hash;
	j.audit = &audit;
	j.rehashed = rehashed;
	if (store_write(s->store, sign_in_tx, &j, err) < 0)
		return err_wrap(err, "could not sign in");
	throttle_forgive(s->accounts, bucket);
	user.last_login_ms = n.row.created_ms;
	made.user = TAKE(user);
	*ret = TAKE(made);
	return 0;
}

struct sign_out_job {
	const char *hash;
	struct audit *audit;
};

static int sign_out_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct sign_out_job *j = arg;

	if (store_session_del(tx, j->hash, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_sign_out(struct service *s, const struct actor *a, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct sign_out_job j = { a->session_hash, &audit };

	if (a->kind != ACTOR_SESSION)
		return 0; /* a token has no session to end */
	audit_begin(s, a, "session.delete", "user", &audit);
	replace_str(&audit.object_id, a->user_id);
	replace_str(&audit.object_name, a->user_name);
	return store_write(s->store, sign_out_tx, &j, err);
}

/* --- who is it ---------------------------------------------------------------------------------------------------------- */

struct auth_job {
	const char *hash;
	struct session session;
	struct user user;
	int64_t now_ms;
};

static int auth_tx(struct sql *q, void *arg, struct err *err)
{
	struct auth_job *j = arg;

	session_done(&j->session);
	user_done(&j->user);
	if (store_session_get(q, j->hash, &j->session, err) < 0)
		return -(int)err->code;
	return store_user_get(q, j->session.user_id, &j->user, err);
}

static int seen_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct auth_job *j = arg;

	return store_session_seen(tx, j->hash, j->now_ms, j->session.expires_ms, err);
}

static bool session_lives(const struct auth_job *j)
{
	return !j->user.disabled && j->now_ms < j->session.expires_ms && j->now_ms < j->session.seen_ms + SESSION_IDLE_MS;
}

static int not_signed_in(struct err *err)
{
	err_clear(err);
	return err_set(err, ERR_UNAUTHENTICATED, "the session is over, sign in again");
}

void service_session_note(const char *cookie, struct actor *from)
{
	char hash[SHA256_HEX];

	if (token_hash(TOKEN_SESSION, cookie, strlen(cookie), hash))
		replace_str(&from->session_hash, hash);
}

int service_session_auth(struct service *s, const char *cookie, struct actor *ret, struct err *err)
{
	char hash[SHA256_HEX], csrf[64];
	struct auth_job j = { .hash = hash, .now_ms = service_now(s) };
	int r = 0;

	if (!token_hash(TOKEN_SESSION, cookie, strlen(cookie), hash))
		return not_signed_in(err);
	if (store_read(s->store, auth_tx, &j, err) < 0) {
		r = err->code == ERR_NOT_FOUND ? not_signed_in(err) : -(int)err->code;
	} else if (!session_lives(&j)) {
		r = not_signed_in(err);
	} else {
		if (j.now_ms - j.session.seen_ms >= SESSION_SEEN_EVERY_MS) {
			_cleanup_err_ struct err why = ERR_INIT;

			/* a full disk must not throw people out */
			if (store_write(s->store, seen_tx, &j, &why) == 0)
				j.session.seen_ms = j.now_ms;
		}
		ret->kind = ACTOR_SESSION;
		ret->role = j.user.role;
		ret->rights = j.user.rights;
		replace_str(&ret->user_id, j.user.id);
		replace_str(&ret->user_name, j.user.name);
		replace_str(&ret->session_hash, hash);
		csrf_of(s, hash, csrf);
		replace_str(&ret->csrf, csrf);
		ret->expires_ms = MIN(j.session.expires_ms, j.session.seen_ms + SESSION_IDLE_MS);
	}
	session_done(&j.session);
	user_done(&j.user);
	return r;
}

struct self_job {
	const char *id;
	struct user *ret;
};

static int self_tx(struct sql *q, void *arg, struct err *err)
{
	const struct self_job *j = arg;

	user_done(j->ret);
	return store_user_get(q, j->id, j->ret, err);
}

int service_self(struct service *s, const struct actor *a, struct user *ret, struct err *err)
{
	struct self_job j = { a->user_id, ret };

	return store_read(s->store, self_tx, &j, err);
}

static int token_alive_tx(struct sql *q, void *arg, struct err *err)
{
	struct auth_job *j = arg;
	_cleanup_token_ struct token t = { 0 };

	user_done(&j->user);
	if (store_token_get(q, j->hash, &t, err) < 0 || store_user_get(q, t.user_id, &j->user, err) < 0)
		return -(int)err->code;
	if (t.revoked_ms || t.expires_ms <= j->now_ms)
		return err_set(err, ERR_NOT_FOUND, "token is over");
	j->user.role = MIN(j->user.role, t.role);
	j->user.rights &= t.rights;
	return 0;
}

bool service_actor_alive(struct service *s, const struct actor *a)
{
	struct auth_job j = { .hash = a->kind == ACTOR_SESSION ? a->session_hash : a->token_id, .now_ms = service_now(s) };
	_cleanup_err_ struct err err = ERR_INIT;
	bool alive;

	if (a->kind != ACTOR_SESSION && a->kind != ACTOR_TOKEN)
		return false;
	if (store_read(s->store, a->kind == ACTOR_SESSION ? auth_tx : token_alive_tx, &j, &err) < 0)
		alive = err.code != ERR_NOT_FOUND; /* a store that does not answer now ends no stream */
	else
		alive = (a->kind == ACTOR_SESSION ? session_lives(&j) : !j.user.disabled) && j.user.role == a->role &&
			j.user.rights == a->rights;
	session_done(&j.session);
	user_done(&j.user);
	return alive;
}

/* --- the own password --------------------------------------------------------------------------------------------------- */

struct password_job {
	const struct actor *actor;
	const char *old_hash, *new_hash;
	struct audit *audit;
	int64_t now_ms;
};

static int password_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct password_job *j = arg;
	_cleanup_user_ struct user u = { 0 };

	if (store_user_get(tx, j->actor->user_id, &u, err) < 0)
		return -(int)err->code;
	if (!u.password_hash || !streq(u.password_hash, j->old_hash))
		return err_set(err, ERR_DENIED, "the password was changed meanwhile");
	replace_str(&u.password_hash, j->new_hash);
	u.updated_ms = j->now_ms;
	if (store_user_put(tx, &u, 0, err) < 0 ||
	    store_session_del_user(tx, u.id, j->actor->session_hash, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_password_change(struct service *s, const struct actor *a, const struct secret *old_password,
			    const struct secret *new_password, struct err *err)
{
	_cleanup_user_ struct user u = { 0 };
	_cleanup_free_ char *hash = NULL, *bucket = NULL;
	_cleanup_audit_ struct audit audit = { 0 };
	struct password_job j = { .actor = a, .now_ms = service_now(s), .audit = &audit };
	bool ok = false;

	if (a->kind != ACTOR_SESSION)
		return err_set(err, ERR_DENIED, "a password is changed in a session, not with a token");
	if (service_self(s, a, &u, err) < 0)
		return -(int)err->code;
	bucket = account_bucket(u.name, a->user_id); /* of those who are signed in: strangers do not fill it */
	if (service_sign_in_allowed(s, a, bucket, err) < 0)
		return -(int)err->code;
	if (password_check(new_password, u.name, err) < 0) {
		replace_str(&err->field, "/new_password");
		return -(int)err->code;
	}
	if (password_verify(old_password, u.password_hash, &ok, NULL, err) < 0)
		return -(int)err->code;
	if (!ok) {
		throttle_failed(s->accounts, bucket, j.now_ms);
		return err_set_field(err, ERR_DENIED, "/old_password", "the old password is wrong");
	}
	if (password_hash(new_password, &hash, err) < 0)
		return -(int)err->code;
	j.old_hash = u.password_hash;
	j.new_hash = hash;
	audit_begin(s, a, "password.change", "user", &audit);
	replace_str(&audit.object_id, u.id);
	replace_str(&audit.object_name, u.name);
	return store_write(s->store, password_tx, &j, err);
}
