/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - people, sessions, API tokens, one-time setup tokens; only hashes are kept. */
#include "store/user.h"

#include "store/narrow.h"

#define COLUMNS                                                                                                        \
	"id, num, name, role, password_hash, failures, locked_until_ms, disabled, last_login_ms, rev, created_ms, updated_ms," \
	" deleted_ms, rights, source"

static const char USER_ADD[] = "INSERT INTO users (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, 0, 0, $6, 0, 1, $7, $7, 0, $8, $9)";
static const char USER_GET[] = "SELECT " COLUMNS " FROM live_users WHERE id = $1";
static const char USER_GET_NUM[] = "SELECT " COLUMNS " FROM live_users WHERE num = $1";
static const char USER_FIND[] = "SELECT " COLUMNS " FROM live_users WHERE name = $1";
static const char USER_PUT[] =
	"UPDATE users SET name = $3, role = $4, password_hash = $5, disabled = $6, updated_ms = $7, failures = $8,"
	" locked_until_ms = $9, rights = $10, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char USER_PUT_LOGIN[] =
	"UPDATE users SET failures = $2, locked_until_ms = $3, last_login_ms = $4 WHERE id = $1 AND deleted_ms = 0";
static const char *const USER_LIST[] = NARROWED(COLUMNS, "live_users", "(role = $5 OR $5 = '')", "name");
static const char USER_DELETE[] =
	"UPDATE users SET deleted_ms = $2, password_hash = NULL, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";
static const char USER_COUNT[] = "SELECT COUNT(*) FROM live_users";
static const char USER_COUNT_ADMINS[] = "SELECT COUNT(*) FROM live_users WHERE role = 'admin' AND disabled = 0";

static int user_from_row(const struct row *r, struct user *u, struct err *err)
{
	u->id = row_text_dup(r, 0);
	u->num = row_int(r, 1);
	u->name = row_text_dup(r, 2);
	u->password_hash = row_text_dup(r, 4);
	u->failures = row_int(r, 5);
	u->locked_until_ms = row_int(r, 6);
	u->disabled = row_bool(r, 7);
	u->last_login_ms = row_int(r, 8);
	u->rev = row_int(r, 9);
	u->created_ms = row_int(r, 10);
	u->updated_ms = row_int(r, 11);
	u->deleted_ms = row_int(r, 12);
	u->source = row_text_dup(r, 14);
	if (!rights_parse(row_text(r, 13), &u->rights))
		return err_set(err, ERR_STORE, "database holds an unknown right of user '%s'", u->name);
	if (ROW_ENUM(role, r, 3, &u->role, err) < 0)
		return err_wrap(err, "could not read user '%s'", u->name);
	return 0;
}

DEFINE_ROW_FN(user)
DEFINE_COLLECT(user)

int store_user_add(struct sql *tx, struct user *u, struct err *err)
{
	int64_t num = 0;
	_cleanup_free_ char *rights = rights_text(u->rights);

	if (store_next_num(tx, "user", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, USER_ADD,
		     SQL_VALUES(SQL_TEXT(u->id), SQL_INT(num), SQL_TEXT(u->name), SQL_TEXT(role_text(u->role)),
				SQL_TEXT(u->password_hash), SQL_BOOL(u->disabled), SQL_INT(u->created_ms), SQL_TEXT(rights),
				SQL_TEXT(u->source ? u->source : "local")),
		     NULL, err) < 0)
		return err_wrap(err, "could not store user '%s'", u->name);
	u->num = num;
	u->rev = 1;
	u->updated_ms = u->created_ms;
	store_touch(tx, "user", u->id, 1);
	return 0;
}

int store_user_get(struct sql *q, const char *id, struct user *ret, struct err *err)
{
	return user_one(q, USER_GET, SQL_VALUES(SQL_TEXT(id)), "user", id, ret, err);
}

int store_user_get_num(struct sql *q, int64_t num, struct user *ret, struct err *err)
{
	return user_one(q, USER_GET_NUM, SQL_VALUES(SQL_INT(num)), "user", num_text(num).s, ret, err);
}

int store_user_find(struct sql *q, const char *name, struct user *ret, struct err *err)
{
	return user_one(q, USER_FIND, SQL_VALUES(SQL_TEXT(name)), "user", name, ret, err);
}

int store_user_put(struct sql *tx, struct user *u, int64_t expect_rev, struct err *err)
{
	int64_t rev = 0;
	_cleanup_free_ char *rights = rights_text(u->rights);

	if (put_rev(tx, USER_PUT,
		    SQL_VALUES(SQL_TEXT(u->id), SQL_INT(expect_rev), SQL_TEXT(u->name), SQL_TEXT(role_text(u->role)),
			       SQL_TEXT(u->password_hash), SQL_BOOL(u->disabled), SQL_INT(u->updated_ms), SQL_INT(u->failures),
			       SQL_INT(u->locked_until_ms), SQL_TEXT(rights)),
		    USER_GET, "user", u->id, &rev, err) < 0)
		return -(int)err->code;
	u->rev = rev;
	store_touch(tx, "user", u->id, rev);
	return 0;
}

int store_user_put_login(struct sql *tx, const struct user *u, struct err *err)
{
	return exec_named(tx, USER_PUT_LOGIN,
			  SQL_VALUES(SQL_TEXT(u->id), SQL_INT(u->failures), SQL_INT(u->locked_until_ms),
				     SQL_INT(u->last_login_ms)),
			  ERR_NOT_FOUND, "user", u->id, err);
}

int store_user_list(struct sql *q, const struct narrow *by, const struct page *p, struct user_list *ret, struct err *err)
{
	_cleanup_narrowed_ struct narrowed n = { 0 };

	return user_fetch(q, USER_LIST[p->order], narrow(by, p, &n), p->limit, ret, err);
}

int store_user_count(struct sql *q, int64_t *ret, struct err *err)
{
	return sql_int(q, USER_COUNT, SQL_NONE, ret, err);
}

int store_user_count_admins(struct sql *q, int64_t *ret, struct err *err)
{
	return sql_int(q, USER_COUNT_ADMINS, SQL_NONE, ret, err);
}

/* sessions */

#define SESSION_COLUMNS "hash, user_id, csrf, address, created_ms, seen_ms, expires_ms, id"

static const char SESSION_ADD[] = "INSERT INTO session (" SESSION_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char SESSION_BY_ID[] = "SELECT " SESSION_COLUMNS " FROM session WHERE id = $1";
static const char SESSION_LIST[] = "SELECT " SESSION_COLUMNS " FROM session WHERE user_id = $1 AND expires_ms > $2 AND seen_ms > $3"
				   " ORDER BY created_ms DESC, id DESC LIMIT $4";
static const char SESSION_GET[] = "SELECT " SESSION_COLUMNS " FROM session WHERE hash = $1";
static const char SESSION_SEEN[] = "UPDATE session SET seen_ms = $2, expires_ms = $3 WHERE hash = $1";
static const char SESSION_DEL[] = "DELETE FROM session WHERE hash = $1";
static const char SESSION_DEL_USER[] = "DELETE FROM session WHERE user_id = $1 AND hash <> $2";
static const char SESSION_PRUNE[] = "DELETE FROM session WHERE expires_ms < $1";

static int session_from_row(const struct row *r, struct session *s, UNUSED struct err *err)
{
	s->hash = row_text_dup(r, 0);
	s->user_id = row_text_dup(r, 1);
	s->csrf = row_text_dup(r, 2);
	s->address = row_text_dup(r, 3);
	s->created_ms = row_int(r, 4);
	s->seen_ms = row_int(r, 5);
	s->expires_ms = row_int(r, 6);
	s->id = row_text_dup(r, 7);
	return 0;
}

DEFINE_ROW_FN(session)
DEFINE_COLLECT(session)

int store_session_add(struct sql *tx, const struct session *s, struct err *err)
{
	if (sql_exec(tx, SESSION_ADD,
		     SQL_VALUES(SQL_TEXT(s->hash), SQL_TEXT(s->user_id), SQL_TEXT(s->csrf), SQL_TEXT(s->address),
				SQL_INT(s->created_ms), SQL_INT(s->seen_ms), SQL_INT(s->expires_ms), SQL_TEXT(s->id)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the session");
	return 0;
}

int store_session_get(struct sql *q, const char *hash, struct session *ret, struct err *err)
{
	return session_one(q, SESSION_GET, SQL_VALUES(SQL_TEXT(hash)), "session", "given", ret, err);
}

int store_session_by_id(struct sql *q, const char *id, struct session *ret, struct err *err)
{
	return session_one(q, SESSION_BY_ID, SQL_VALUES(SQL_TEXT(id)), "session", id, ret, err);
}

int store_session_list(struct sql *q, const char *user_id, int64_t now_ms, int64_t seen_after_ms, int limit, struct session_list *ret,
		       struct err *err)
{
	return session_fetch(q, SESSION_LIST, SQL_VALUES(SQL_TEXT(user_id), SQL_INT(now_ms), SQL_INT(seen_after_ms), SQL_INT(limit)), 0,
			     ret, err);
}

int store_session_seen(struct sql *tx, const char *hash, int64_t seen_ms, int64_t expires_ms, struct err *err)
{
	return exec_named(tx, SESSION_SEEN, SQL_VALUES(SQL_TEXT(hash), SQL_INT(seen_ms), SQL_INT(expires_ms)), ERR_NOT_FOUND,
			  "session", "given", err);
}

int store_session_del(struct sql *tx, const char *hash, struct err *err)
{
	if (sql_exec(tx, SESSION_DEL, SQL_VALUES(SQL_TEXT(hash)), NULL, err) < 0)
		return err_wrap(err, "could not end the session");
	store_touch(tx, "session", NULL, 0);
	return 0;
}

int store_session_del_user(struct sql *tx, const char *user_id, const char *except_hash, struct err *err)
{
	if (sql_exec(tx, SESSION_DEL_USER, SQL_VALUES(SQL_TEXT(user_id), SQL_TEXT(except_hash ? except_hash : "")), NULL, err) < 0)
		return err_wrap(err, "could not end the sessions of user '%s'", user_id);
	store_touch(tx, "session", NULL, 0);
	return 0;
}

int store_session_prune(struct sql *tx, int64_t expired_before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, SESSION_PRUNE, SQL_VALUES(SQL_INT(expired_before_ms)), ret_n, "session", err);
}

/* sources that signed in well */

static const char KNOWN_PUT[] = "INSERT INTO known_source (user_id, source, seen_ms) VALUES ($1, $2, $3)"
				" ON CONFLICT (user_id, source) DO UPDATE SET seen_ms = $3";
static const char KNOWN_GET[] = "SELECT 1 FROM known_source WHERE user_id = $1 AND source = $2";
static const char KNOWN_PRUNE[] = "DELETE FROM known_source WHERE seen_ms < $1";

int store_known_source_put(struct sql *tx, const char *user_id, const char *source, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, KNOWN_PUT, SQL_VALUES(SQL_TEXT(user_id), SQL_TEXT(source), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not note where user '%s' signed in", user_id);
	return 0;
}

int store_known_source_has(struct sql *q, const char *user_id, const char *source, bool *ret, struct err *err)
{
	return sql_exists(q, KNOWN_GET, SQL_VALUES(SQL_TEXT(user_id), SQL_TEXT(source)), ret, err);
}

int store_known_source_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, KNOWN_PRUNE, SQL_VALUES(SQL_INT(before_ms)), ret_n, "known_source", err);
}

/* API tokens */

#define TOKEN_COLUMNS                                                                                                  \
	"id, num, name, user_id, role, hash, prefix, created_ms, expires_ms, used_ms, revoked_ms, rights, sources, certificate_id," \
	" reason"

static const char TOKEN_ADD[] = "INSERT INTO token (" TOKEN_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $11, $12,"
				" $13)";
static const char TOKEN_GET[] = "SELECT " TOKEN_COLUMNS " FROM token WHERE id = $1";
static const char TOKEN_GET_NUM[] = "SELECT " TOKEN_COLUMNS " FROM token WHERE num = $1";
static const char TOKEN_FIND[] = "SELECT " TOKEN_COLUMNS " FROM token WHERE hash = $1";
static const char TOKEN_USED[] = "UPDATE token SET used_ms = $2 WHERE id = $1 AND used_ms < $2";
static const char TOKEN_REVOKE[] = "UPDATE token SET revoked_ms = $2 WHERE id = $1 AND revoked_ms = 0";
static const char TOKEN_REVOKE_USER[] = "UPDATE token SET revoked_ms = $2 WHERE user_id = $1 AND revoked_ms = 0";
static const char TOKEN_REVOKE_CERTIFICATE[] = "UPDATE token SET revoked_ms = $2 WHERE certificate_id = $1 AND revoked_ms = 0";
#define TOKENS(where)                                                                                                  \
	{                                                                                                              \
		NARROWED_TEXTS(TOKEN_COLUMNS, "token", where, "name"),                                                 \
		"SELECT " TOKEN_COLUMNS " FROM token WHERE " where PART("name") " AND (expires_ms, id) > ($1, $2) ORDER BY expires_ms, id LIMIT $3", \
	}
static const char *const TOKEN_LIST[] = TOKENS("$5 = ''");
static const char *const TOKEN_LIST_USER[] = TOKENS("user_id = $5");

static int token_from_row(const struct row *r, struct token *t, struct err *err)
{
	t->id = row_text_dup(r, 0);
	t->num = row_int(r, 1);
	t->name = row_text_dup(r, 2);
	t->user_id = row_text_dup(r, 3);
	t->hash = row_text_dup(r, 5);
	t->prefix = row_text_dup(r, 6);
	t->created_ms = row_int(r, 7);
	t->expires_ms = row_int(r, 8);
	t->used_ms = row_int(r, 9);
	t->revoked_ms = row_int(r, 10);
	if (!rights_parse(row_text(r, 11), &t->rights))
		return err_set(err, ERR_STORE, "database holds an unknown right of API token '%s'", t->name);
	row_names(r, 12, &t->sources);
	t->certificate_id = row_text_dup(r, 13);
	t->reason = row_text_dup(r, 14);
	return ROW_ENUM(role, r, 4, &t->role, err);
}

DEFINE_ROW_FN(token)
DEFINE_COLLECT(token)

int store_token_add(struct sql *tx, struct token *t, struct err *err)
{
	int64_t num = 0;
	_cleanup_free_ char *rights = rights_text(t->rights), *sources = strlist_join(&t->sources, "\n");

	if (store_next_num(tx, "token", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, TOKEN_ADD,
		     SQL_VALUES(SQL_TEXT(t->id), SQL_INT(num), SQL_TEXT(t->name), SQL_TEXT(t->user_id),
				SQL_TEXT(role_text(t->role)), SQL_TEXT(t->hash), SQL_TEXT(t->prefix), SQL_INT(t->created_ms),
				SQL_INT(t->expires_ms), SQL_TEXT(rights), SQL_TEXT(sources), SQL_TEXT(t->certificate_id),
				SQL_TEXT(t->reason)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store API token '%s'", t->name);
	t->num = num;
	store_touch(tx, "token", t->id, 0);
	return 0;
}

int store_token_get(struct sql *q, const char *id, struct token *ret, struct err *err)
{
	return token_one(q, TOKEN_GET, SQL_VALUES(SQL_TEXT(id)), "API token", id, ret, err);
}

int store_token_get_num(struct sql *q, int64_t num, struct token *ret, struct err *err)
{
	return token_one(q, TOKEN_GET_NUM, SQL_VALUES(SQL_INT(num)), "API token", num_text(num).s, ret, err);
}

int store_token_find(struct sql *q, const char *hash, struct token *ret, struct err *err)
{
	return token_one(q, TOKEN_FIND, SQL_VALUES(SQL_TEXT(hash)), "API token", "given", ret, err);
}

int store_token_used(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, TOKEN_USED, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not write API token '%s'", id);
	return 0;
}

int store_token_revoke(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	store_touch(tx, "token", id, 0);
	return exec_named(tx, TOKEN_REVOKE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), ERR_NOT_FOUND, "valid API token", id, err);
}

int store_token_revoke_of_certificate(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, TOKEN_REVOKE_CERTIFICATE, SQL_VALUES(SQL_TEXT(certificate_id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not revoke the API tokens of certificate '%s'", certificate_id);
	store_touch(tx, "token", NULL, 0);
	return 0;
}

int store_token_list(struct sql *q, const struct narrow *by, const struct page *p, struct token_list *ret, struct err *err)
{
	_cleanup_narrowed_ struct narrowed n = { 0 };
	const char *const *texts = by && by->only ? TOKEN_LIST_USER : TOKEN_LIST;

	return token_fetch(q, texts[p->order], narrow(by, p, &n), p->limit, ret, err);
}

int store_user_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, USER_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), USER_GET, "user", id, &rev, err) < 0 ||
	    store_session_del_user(tx, id, NULL, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, TOKEN_REVOKE_USER, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not revoke the API tokens of user '%s'", id);
	store_touch(tx, "user", id, rev);
	return 0;
}

/* setup tokens */

static const char SETUP_ADD[] = "INSERT INTO setup_token (hash, created_ms, expires_ms) VALUES ($1, $2, $3)";
static const char SETUP_USE[] = "UPDATE setup_token SET used_ms = $2 WHERE hash = $1 AND used_ms = 0 AND expires_ms > $2";

int store_setup_token_add(struct sql *tx, const char *hash, int64_t now_ms, int64_t expires_ms, struct err *err)
{
	if (sql_exec(tx, SETUP_ADD, SQL_VALUES(SQL_TEXT(hash), SQL_INT(now_ms), SQL_INT(expires_ms)), NULL, err) < 0)
		return err_wrap(err, "could not store the setup token");
	return 0;
}

int store_setup_token_use(struct sql *tx, const char *hash, int64_t now_ms, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, SETUP_USE, SQL_VALUES(SQL_TEXT(hash), SQL_INT(now_ms)), &changed, err) < 0)
		return err_wrap(err, "could not use the setup token");
	if (changed)
		return 0;
	err_set(err, ERR_DENIED, "setup token is unknown, used or expired");
	return err_hint(err, "Make a new one on the server's host with: certwright setup");
}
