/* SPDX-License-Identifier: Apache-2.0 */
/* service.c - see service.h: what all use cases share. */
#include "service/service.h"

#include "base/base64.h"
#include "base/random.h"
#include "crypto/digest.h"
#include "engine/engine.h"
#include "service/audit.h"
#include "service/bulk.h"
#include "service/internal.h"

#define MAC_KEY_META "mac_key"

/* Five wrong passwords at once, then one a minute; a source twenty, then one in six seconds. */
#define ACCOUNT_BURST 5
#define ACCOUNT_REFILL_MS MINUTE_MS
#define SOURCE_BURST 20
#define SOURCE_REFILL_MS (6 * SECOND_MS)
#define BUCKETS 4096

/* --- the MAC key, sealed in meta ---------------------------------------------------------------------------------------- */

struct mac_job {
	const char *fresh; /* what to store when there is none */
	char *stored;
};

static int mac_key_tx(struct sql *tx, void *arg, struct err *err)
{
	struct mac_job *j = arg;
	_cleanup_err_ struct err why = ERR_INIT;

	replace_str(&j->stored, NULL);
	if (store_meta_get(tx, MAC_KEY_META, &j->stored, &why) == 0)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	if (store_meta_set(tx, MAC_KEY_META, j->fresh, err) < 0)
		return -(int)err->code;
	replace_str(&j->stored, j->fresh);
	return 0;
}

static int mac_key_load(struct service *s, struct err *err)
{
	const struct key_place place = { "meta", MAC_KEY_META, "value" };
	_cleanup_buf_ struct buf text = BUF_MAX(1024), sealed = BUF_MAX(1024);
	_cleanup_free_ unsigned char *fresh = NULL;
	_cleanup_free_ char *stored = NULL;
	_cleanup_secret_ struct secret random = { 0 };
	struct mac_job j = { 0 };
	unsigned char bytes[32];
	size_t fresh_n;
	int r;

	random_bytes(bytes, sizeof bytes);
	random = secret_copy(bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	if (keys_seal(s->keys, &random, &place, &fresh, &fresh_n, err) < 0)
		return -(int)err->code;
	base64url_encode(&text, fresh, fresh_n);
	j.fresh = buf_text(&text);
	r = store_write(s->store, mac_key_tx, &j, err);
	stored = j.stored;
	if (r < 0)
		return r;
	if (base64url_decode(&sealed, stored, strlen(stored), err) < 0)
		return err_wrap(err, "could not read '%s' of the database", MAC_KEY_META);
	return keys_open_credential(s->keys, &(struct key_handle){ "meta", MAC_KEY_META, "value", sealed.p, sealed.n },
				    &s->mac_key, err);
}

/* --- life cycle --------------------------------------------------------------------------------------------------------- */

int service_new(const struct service_options *o, struct service **ret, struct err *err)
{
	struct service *s = xcalloc(1, sizeof *s);

	s->store = o->store;
	s->keys = o->keys;
	s->engine = o->engine;
	if (s->engine)
		engine_on_bulk(s->engine, bulk_stretch, s);
	s->clock = o->clock ? o->clock : &clock_system;
	s->config = o->config;
	s->edge_state = o->edge_state;
	s->edge_arg = o->edge_arg;
	s->run_program = o->run_program;
	s->program_arg = o->program_arg;
	s->started_ms = service_now(s);
	s->accounts = throttle_new(ACCOUNT_BURST, ACCOUNT_REFILL_MS, BUCKETS);
	s->sources = throttle_new(SOURCE_BURST, SOURCE_REFILL_MS, BUCKETS);
	s->refusals = refusals_new();
	store_on_audit(s->store, audit_log);
	if (mac_key_load(s, err) < 0) {
		service_free(s);
		return err_wrap(err, "could not start the service");
	}
	*ret = s;
	return 0;
}

void service_free(struct service *s)
{
	if (!s)
		return;
	service_audit_flush(s, true);
	store_on_audit(s->store, NULL);
	refusals_free(s->refusals);
	secret_clear(&s->mac_key);
	throttle_free(s->accounts);
	throttle_free(s->sources);
	free(s);
}

void service_on_change(struct service *s, touch_fn *fn, void *arg)
{
	store_on_commit(s->store, fn, arg);
}

void service_off_change(struct service *s, touch_fn *fn, void *arg)
{
	store_off_commit(s->store, fn, arg);
}

void actor_clear(struct actor *a)
{
	if (a->csrf)
		explicit_bzero(a->csrf, strlen(a->csrf));
	free(a->user_id);
	free(a->user_name);
	free(a->token_id);
	free(a->token_name);
	free(a->certificate_id);
	free(a->reason);
	free(a->session_hash);
	free(a->csrf);
	free(a->address);
	free(a->request_id);
	memset(a, 0, sizeof *a);
}

int service_authorize(const struct actor *a, enum permission needed, struct err *err)
{
	if (needed == PERM_NONE)
		return 0;
	if (a->kind == ACTOR_NOBODY)
		return err_set(err, ERR_UNAUTHENTICATED, "sign in first: with a session, or an API token as 'Authorization: Bearer cw_...'");
	if (a->kind == ACTOR_HOST || may(a->role, a->rights, needed))
		return 0;
	if (RIGHTS_ALL & BIT(needed)) {
		err_set(err, ERR_DENIED, "this needs the right '%s', which no role has", permission_text(needed));
		return err_hint(err, "An administrator grants it (Users in the page, or 'certwright user right NAME --grant %s'); a token has it "
				     "only if it was made with it.", permission_text(needed));
	}
	return err_set(err, ERR_DENIED, "role '%s' may not do this, it needs the permission '%s'", role_text(a->role),
		       permission_text(needed));
}

/* --- small shared things ------------------------------------------------------------------------------------------------- */

void audit_begin(const struct service *s, const struct actor *a, const char *action, const char *object_kind, struct audit *ret)
{
	static const char *const kinds[] = {
		[ACTOR_NOBODY] = "nobody", [ACTOR_SESSION] = "user", [ACTOR_TOKEN] = "token", [ACTOR_HOST] = "host",
	};
	int64_t now = service_now(s);

	*ret = (struct audit){
		.id = xstrdup(ulid_new(now).s),
		.at_ms = now,
		.actor_kind = xstrdup(kinds[a->kind]),
		.actor_id = xstrdup_null(a->user_id),
		.actor_name = xstrdup(a->user_name ? a->user_name : a->kind == ACTOR_HOST ? "host" : ""),
		.token_id = xstrdup_null(a->token_id),
		.token_name = xstrdup_null(a->token_name),
		.action = xstrdup(action),
		.object_kind = xstrdup_null(object_kind),
		.address = xstrdup_null(a->address),
		.request_id = xstrdup_null(a->request_id),
	};
}

void audit_change(struct audit *a, json_t *before, json_t *after)
{
	free(a->before);
	free(a->after);
	a->before = before ? json_text(before) : NULL;
	a->after = after ? json_text(after) : NULL;
	json_decref(before);
	json_decref(after);
}

void audit_object(struct audit *a, const char *id, const char *name, json_t *take_before, json_t *take_after)
{
	replace_str(&a->object_id, id);
	replace_str(&a->object_name, name);
	audit_change(a, take_before, take_after);
}

int ref_parse(const char *ref, const char *field, int64_t *ret_num, struct err *err)
{
	_cleanup_free_ char *safe = NULL;

	*ret_num = 0;
	if (ulid_valid(ref))
		return 0;
	if (strlen(ref) > 0 && strlen(ref) <= 12 && strspn(ref, "0123456789") == strlen(ref) && ref[0] != '0')
		return str_to_i64(ref, 1, INT64_C(999999999999), ret_num, err);
	safe = str_clean(ref, strlen(ref), 40);
	return err_set_field(err, ERR_INVALID, field, "'%s' is neither an id (26 characters) nor a number", safe);
}

int rev_check(int64_t expect, int64_t rev, const char *kind, struct err *err)
{
	if (!expect || expect == rev)
		return 0;
	err_set(err, ERR_CHANGED, "%s was changed meanwhile", kind);
	return err_hint(err, "Read it again and repeat what you wanted to change.");
}

/* --- idempotency --------------------------------------------------------------------------------------------------------- */

void once_begin(const struct service *s, const struct actor *a, const struct request_key *key, struct once *ret)
{
	unsigned char m[SHA256_LEN];
	_cleanup_buf_ struct buf hex = BUF_MAX(128);

	memset(ret, 0, sizeof *ret);
	if (!key || !key->key)
		return;
	ret->wanted = true;
	/* keyed: a body may hold a password, and its plain hash could be searched */
	hmac_sha256(s->mac_key.p, s->mac_key.n, key->body, key->body_n, m);
	buf_add_hex(&hex, m, sizeof m);
	ret->row = (struct idempotency){
		.user_id = xstrdup(a->user_id ? a->user_id : ""),
		.route = xstrdup(key->route),
		.key = xstrdup(key->key),
		.body_hash = buf_take(&hex),
		.created_ms = service_now(s),
	};
}

int once_find(struct sql *tx, const struct service *s, const struct once *o, char **ret_id, struct err *err)
{
	_cleanup_idempotency_ struct idempotency found = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	(void)s;
	replace_str(ret_id, NULL);
	if (!o->wanted)
		return 0;
	if (store_idempotency_find(tx, o->row.user_id, o->row.route, o->row.key, o->row.created_ms - IDEMPOTENCY_MS, &found, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	if (!streq(found.body_hash, o->row.body_hash))
		return err_set(err, ERR_REUSED_KEY, "this Idempotency-Key was used with another request body");
	*ret_id = TAKE(found.object_id);
	return 0;
}

int once_add(struct sql *tx, const struct service *s, struct once *o, const char *kind, const char *id, struct err *err)
{
	(void)s;
	if (!o->wanted)
		return 0;
	replace_str(&o->row.object_kind, kind);
	replace_str(&o->row.object_id, id);
	return store_idempotency_add(tx, &o->row, o->row.created_ms - IDEMPOTENCY_MS, err);
}

void once_done(struct once *o)
{
	idempotency_done(&o->row);
	memset(o, 0, sizeof *o);
}
