/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - see token.h. */
#include "service/token.h"

#include "base/addr.h"
#include "keys/token.h"
#include "service/audit.h"
#include "service/internal.h"
#include "store/certificate.h"

#define USED_EVERY_MS MINUTE_MS

void token_view_done(struct token_view *v)
{
	token_done(&v->token);
	free(v->user_name);
	free(v->certificate_name);
	memset(v, 0, sizeof *v);
}

static int get_num(struct sql *q, int64_t num, struct token *ret, struct err *err)
{
	return store_token_get_num(q, num, ret, err);
}

/* --- who is it ---------------------------------------------------------------------------------------------------------- */

struct auth_job {
	const char *hash;
	struct token token;
	struct user user;
	int64_t now_ms;
};

static int auth_tx(struct sql *q, void *arg, struct err *err)
{
	struct auth_job *j = arg;

	token_done(&j->token);
	user_done(&j->user);
	if (store_token_find(q, j->hash, &j->token, err) < 0)
		return -(int)err->code;
	return store_user_get(q, j->token.user_id, &j->user, err);
}

static int used_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct auth_job *j = arg;

	return store_token_used(tx, j->token.id, j->now_ms, err);
}

static int unknown(struct err *err)
{
	err_clear(err);
	return err_set(err, ERR_UNAUTHENTICATED, "API token is unknown, expired, revoked, or not good from this address");
}

static bool good_from(const struct token *t, const char *address)
{
	union addr a;
	_cleanup_err_ struct err why = ERR_INIT;

	if (!t->sources.n)
		return true;
	if (!address || addr_parse_ip(address, &a, &why) < 0)
		return false;
	for (size_t i = 0; i < t->sources.n; i++) {
		struct cidr c;
		_cleanup_err_ struct err odd = ERR_INIT;

		if (cidr_parse(t->sources.v[i], &c, &odd) == 0 && cidr_has(&c, &a))
			return true;
	}
	return false;
}

int service_token_auth(struct service *s, const char *text, struct actor *ret, struct err *err)
{
	char hash[SHA256_HEX];
	struct auth_job j = { .hash = hash, .now_ms = service_now(s) };
	int r = 0;

	if (!token_hash(TOKEN_API, text, strlen(text), hash))
		return unknown(err);
	if (store_read(s->store, auth_tx, &j, err) < 0) {
		r = err->code == ERR_NOT_FOUND ? unknown(err) : -(int)err->code;
	} else if (j.token.revoked_ms || j.now_ms >= j.token.expires_ms || j.user.disabled || !good_from(&j.token, ret->address)) {
		service_audit_refused(s, &(struct actor){ .address = ret->address, .request_id = ret->request_id }, "token.refused", "", j.token.id,
				      j.token.revoked_ms ? "revoked" : j.now_ms >= j.token.expires_ms ? "expired" : j.user.disabled ?
				      "the owner is disabled" : "not from this address");
		r = unknown(err);
	} else {
		if (j.now_ms - j.token.used_ms >= USED_EVERY_MS) {
			_cleanup_err_ struct err why = ERR_INIT;

			if (store_write(s->store, used_tx, &j, &why) < 0)
				err_clear(&why); /* a full disk must not shut scripts out that only read */
		}
		ret->kind = ACTOR_TOKEN;
		ret->role = MIN(j.token.role, j.user.role);
		ret->rights = j.token.rights & j.user.rights;
		replace_str(&ret->certificate_id, j.token.certificate_id);
		replace_str(&ret->reason, j.token.reason);
		replace_str(&ret->token_name, j.token.name);
		replace_str(&ret->user_id, j.user.id);
		replace_str(&ret->user_name, j.user.name);
		replace_str(&ret->token_id, j.token.id);
		ret->expires_ms = j.token.expires_ms;
	}
	token_done(&j.token);
	user_done(&j.user);
	return r;
}

/* --- the resource ------------------------------------------------------------------------------------------------------- */

struct token_job {
	const struct actor *actor;
	const char *ref;
	struct page page;
	struct narrow by;
	struct token_view_list *list;
	struct token_view *view;
	const struct token *fresh;
	const char *certificate; /* as asked for, NULL = none */
	struct audit *audit;
	int64_t now_ms;
};

/* "who made it": deleted users keep their tokens' rows, so a name may be gone. */
static int user_name_of(struct sql *q, const char *user_id, char **ret, struct err *err)
{
	_cleanup_user_ struct user u = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (store_user_get(q, user_id, &u, &why) < 0) {
		if (why.code != ERR_NOT_FOUND)
			return err_move(err, &why);
		*ret = xstrdup("(deleted)");
		return 0;
	}
	*ret = TAKE(u.name);
	return 0;
}

/* What a token of the role pull fetches, as people know it; nothing when that was deleted. */
static int certificate_name_of(struct sql *q, const char *id, char **ret, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (!id)
		return 0;
	if (store_certificate_get(q, id, &c, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	*ret = xstrdup(c.names.n ? c.names.v[0] : "");
	return 0;
}

static int names_of(struct sql *q, struct token_view *v, struct err *err)
{
	if (user_name_of(q, v->token.user_id, &v->user_name, err) < 0)
		return -(int)err->code;
	return certificate_name_of(q, v->token.certificate_id, &v->certificate_name, err);
}

static bool sees_all(const struct actor *a)
{
	return may(a->role, a->rights, PERM_ADMIN);
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct token_job *j = arg;
	_cleanup_token_list_ struct token_list l = { 0 };

	token_view_list_done(j->list);
	if (store_token_list(q, &j->by, &j->page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct token_view *v = token_view_list_add(j->list);

		v->token = TAKE(l.v[i]);
		if (names_of(q, v, err) < 0)
			return -(int)err->code;
	}
	j->list->more = l.more;
	return 0;
}

int service_token_list(struct service *s, const struct actor *a, const struct list_query *q, struct token_view_list *ret,
		       struct list_end *end, struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "tokens", .also = BIT(PAGE_NAME) | BIT(PAGE_EXPIRES) };
	struct token_job j = { .actor = a, .list = ret, .by = q->by };
	const struct token *last;
	int64_t key;

	j.by.only = sees_all(a) ? NULL : a->user_id;
	if (listing_open(&l, q, &j.by.only, 1, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1].token : NULL;
	key = !last ? 0 : l.cursor.page.order == PAGE_EXPIRES ? last->expires_ms : last->created_ms;
	listing_close_named(&l, ret->more, key, last ? last->name : NULL, last ? last->id : NULL, end);
	return 0;
}

static int get_mine(struct sql *q, const struct token_job *j, struct token *ret, struct err *err)
{
	if (SERVICE_GET(q, j->ref, store_token_get, get_num, ret, err) < 0)
		return -(int)err->code;
	if (!sees_all(j->actor) && !streq(ret->user_id, j->actor->user_id)) {
		token_done(ret);
		memset(ret, 0, sizeof *ret);
		return err_set(err, ERR_NOT_FOUND, "no such token '%s'", j->ref);
	}
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct token_job *j = arg;

	token_view_done(j->view);
	if (get_mine(q, j, &j->view->token, err) < 0)
		return -(int)err->code;
	return names_of(q, j->view, err);
}

int service_token_get(struct service *s, const struct actor *a, const char *ref, struct token_view *ret, struct err *err)
{
	struct token_job j = { .actor = a, .ref = ref, .view = ret };

	return store_read(s->store, get_tx, &j, err);
}

/* The one certificate: it must be there, else the field says so. */
static int bind_certificate(struct sql *tx, const struct token_job *j, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	struct token *t = &j->view->token;

	if (!j->certificate)
		return 0;
	if (SERVICE_GET(tx, j->certificate, store_certificate_get, store_certificate_get_num, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND && err->code != ERR_INVALID)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/certificate", "there is no certificate '%.64s'", j->certificate);
	}
	t->certificate_id = TAKE(c.id);
	j->view->certificate_name = xstrdup(c.names.n ? c.names.v[0] : "");
	return 0;
}

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct token_job *j = arg;
	struct token *t = &j->view->token;

	token_view_done(j->view);
	*t = *j->fresh;
	t->id = xstrdup(j->fresh->id);
	t->name = xstrdup(j->fresh->name);
	t->user_id = xstrdup(j->fresh->user_id);
	t->hash = xstrdup(j->fresh->hash);
	t->prefix = xstrdup(j->fresh->prefix);
	t->reason = xstrdup_null(j->fresh->reason);
	t->sources = (struct strlist){ 0 };
	strlist_copy(&t->sources, &j->fresh->sources);
	j->view->user_name = xstrdup(j->actor->user_name);
	if (bind_certificate(tx, j, err) < 0 || store_token_add(tx, t, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

static int check_sources(const struct strlist *sources, struct strlist *ret, struct err *err)
{
	for (size_t i = 0; i < sources->n; i++) {
		struct cidr c;
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *field = xasprintf("/sources/%zu", i);

		if (cidr_parse(sources->v[i], &c, &why) < 0)
			return err_set_field(err, ERR_INVALID, field, "must be an address or a network such as 192.0.2.0/24");
		strlist_add(ret, sources->v[i]);
	}
	return 0;
}

static json_t *token_terms(const struct token *t, const char *certificate)
{
	_cleanup_free_ char *rights = rights_text(t->rights);

	json_t *terms = json_pack("{s:s, s:s, s:o, s:o}", "role", role_text(t->role), "rights", rights, "expires_at",
				  json_time_or_null(t->expires_ms), "sources", json_strlist(&t->sources));

	if (certificate)
		json_object_set_new(terms, "certificate", json_string(certificate));
	return terms;
}

/*
 * A token that fetches one certificate has no other role, and no right but the one to carry its key, for which a reason is kept:
 * every fetch is audited with it.
 */
static int check_pull(const struct token_create *r, struct token *t, struct err *err)
{
	bool reason = r->reason && r->reason[strspn(r->reason, " \t\r\n")];

	if (!r->certificate)
		return r->reason ? err_set_field(err, ERR_INVALID, "/reason", "belongs to a token that fetches the key of one certificate") : 0;
	if (r->role)
		return err_set_field(err, ERR_INVALID, "/role", "a token for one certificate fetches that and has no other role");
	if (t->rights & ~BIT(PERM_KEY_EXPORT))
		return err_set_field(err, ERR_INVALID, "/rights", "a token for one certificate may have the right 'key-export' and no other");
	if (t->rights && !reason)
		return err_set_field(err, ERR_INVALID, "/reason", "say why the key leaves; it is kept in the audit of each fetch");
	if (!t->rights && r->reason)
		return err_set_field(err, ERR_INVALID, "/reason", "is asked for with the right 'key-export' only");
	t->role = ROLE_PULL;
	t->reason = xstrdup_null(r->reason);
	return 0;
}

int service_token_create(struct service *s, const struct actor *a, const struct token_create *r, struct secret *ret_text,
			 struct token_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_secret_ struct secret text = { 0 };
	_cleanup_token_ struct token t = { .role = a->role };
	char hash[SHA256_HEX];
	struct token_job j = { .actor = a, .view = ret, .fresh = &t, .certificate = r->certificate, .audit = &audit };
	int64_t now = service_now(s);

	if (r->role && (!role_parse(r->role, &t.role) || t.role == ROLE_PULL))
		return err_set_field(err, ERR_INVALID, "/role", "there is no role '%s'", r->role);
	if (t.role > a->role)
		return err_set_field(err, ERR_DENIED, "/role", "a token may not do more than its maker, whose role is '%s'",
				     role_text(a->role));
	if (rights_from_list(&r->rights, "/rights", &t.rights, err) < 0 || check_sources(&r->sources, &t.sources, err) < 0)
		return -(int)err->code;
	if (t.rights & ~a->rights) {
		_cleanup_free_ char *lacking = rights_text(t.rights & ~a->rights);

		return err_set_field(err, ERR_DENIED, "/rights", "a token may not do more than its maker, who has not the right '%s'", lacking);
	}
	if (check_pull(r, &t, err) < 0)
		return -(int)err->code;
	if (strpbrk(r->name, "\r\n\t"))
		return err_set_field(err, ERR_INVALID, "/name", "must not have control characters");
	token_make(TOKEN_API, &text, hash);
	t.id = xstrdup(ulid_new(now).s);
	t.name = xstrdup(r->name);
	t.user_id = xstrdup(a->user_id);
	t.hash = xstrdup(hash);
	t.prefix = xstrndup((const char *)text.p, 8);
	t.created_ms = now;
	t.expires_ms = now + (r->days ? r->days : TOKEN_DAYS_DEFAULT) * DAY_MS;
	if (a->kind == ACTOR_TOKEN)
		t.expires_ms = MIN(t.expires_ms, a->expires_ms); /* a token cannot make itself immortal */
	audit_begin(s, a, "token.create", "token", &audit);
	replace_str(&audit.object_id, t.id);
	replace_str(&audit.object_name, t.name);
	replace_str(&audit.reason, t.reason);
	audit_change(&audit, NULL, token_terms(&t, r->certificate));
	if (store_write(s->store, create_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_text = TAKE(text);
	return 0;
}

static int revoke_tx(struct sql *tx, void *arg, struct err *err)
{
	struct token_job *j = arg;
	_cleanup_token_ struct token t = { 0 };

	if (get_mine(tx, j, &t, err) < 0)
		return -(int)err->code;
	if (t.revoked_ms)
		return 0;
	replace_str(&j->audit->object_id, t.id);
	replace_str(&j->audit->object_name, t.name);
	if (store_token_revoke(tx, t.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_token_revoke(struct service *s, const struct actor *a, const char *ref, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct token_job j = { .actor = a, .ref = ref, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "token.revoke", "token", &audit);
	return store_write(s->store, revoke_tx, &j, err);
}
