/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debts.c - the janitor: withdraws what a crash, a failed order or a provider's outage left behind. It removes only our own
 * value, treats "not there" as done, and goes on for a week before it asks for a person (DESIGN 3 rule 6).
 */
#include "engine/private.h"

#include "base/crash.h"
#include "base/log.h"

#define DEBT_PATIENCE_MS (7 * DAY_MS)

char *debt_what(enum debt_kind kind, const char *zone, const struct record *r, const char *authz_url)
{
	json_t *j = kind == DEBT_DEACTIVATE_AUTHZ ?
		json_pack("{s:s}", "url", authz_url) :
		json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:I}", "kind", validation_text(r->kind), "zone", zone, "name", record_place(r), "token",
			  json_str_or_null(r->token), "value", r->value, "key_auth", json_str_or_null(r->key_auth), "ttl", (json_int_t)r->ttl);
	char *text = json_text(j);

	json_decref(j);
	return text;
}

struct pay {
	struct engine *e;
	struct worker *w;
	struct debt d;
	int64_t lease_boot_ms;
	struct record record;
	bool has_record;
	struct order order;
	struct account account;
	struct key_row key;
	struct acme_session session;
	struct acme_keys_signer signer;
	struct way way;
	struct gate gate;
	char *park; /* lane that waits with it, until its due_ms */
	struct provider provider; /* of a configured method; id NULL when there is none */
	bool shared;
	const struct err *refused; /* its credential was refused */
	const struct err *owed;    /* set aside for a person, who is told why */
	struct event_list events;
};

static void pay_done(struct pay *p)
{
	debt_done(&p->d);
	record_done(&p->record);
	order_done(&p->order);
	account_done(&p->account);
	key_row_done(&p->key);
	acme_session_done(&p->session);
	way_done(&p->way);
	free(p->park);
	provider_done(&p->provider);
	event_list_done(&p->events);
}

static int load_provider(struct sql *q, struct pay *p, struct err *err)
{
	enum validation kind = p->d.kind == DEBT_WITHDRAW_DNS ? VALIDATION_DNS01 : VALIDATION_HTTP01;

	provider_done(&p->provider);
	if (p->d.kind == DEBT_DEACTIVATE_AUTHZ || !method_is_provider(kind, p->d.method))
		return 0;
	if (store_provider_get_any(q, p->d.method, &p->provider, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

static int load(struct sql *q, void *arg, struct err *err)
{
	struct pay *p = arg;

	p->shared = false;
	order_done(&p->order);
	account_done(&p->account);
	key_row_done(&p->key);
	record_done(&p->record);
	p->has_record = false;
	if (store_order_get_any(q, p->d.order_id, &p->order, err) < 0 ||
	    store_account_get_any(q, p->order.account_id, &p->account, err) < 0 ||
	    store_key_get(q, p->account.key_id, &p->key, err) < 0)
		return -(int)err->code;
	if (p->d.record_id) {
		if (store_record_get_any(q, p->d.record_id, &p->record, err) < 0)
			return -(int)err->code;
		p->has_record = true;
		if (store_record_shared(q, &p->record, &p->shared, err) < 0)
			return -(int)err->code;
	}
	return load_provider(q, p, err);
}

struct needing {
	const struct pay *p;
	const char *url;
	bool needed;
};

static int read_needed(struct sql *q, void *arg, struct err *err)
{
	struct needing *n = arg;

	return store_authz_needed(q, n->p->account.id, n->url, &n->needed, err);
}

static int deactivate(struct pay *p, const char *url, struct err *err)
{
	_cleanup_acme_authz_ struct acme_authz now = { 0 };
	struct needing n = { p, url, false };
	struct http *http;
	struct acme_ca *ca;

	/* authorities hand out a pending authorization again: an order that has it now gives it back itself when it ends */
	if (engine_read(p->e, read_needed, &n, err) < 0 || n.needed)
		return n.needed ? 0 : -(int)err->code;
	http = way_open(&p->way, p->w->http, p->account.connection, p->account.directory_url, err);
	if (!http || acme_ca_get(p->e->cas, p->account.directory_url, &ca, err) < 0)
		return -(int)err->code;
	signer_init(&p->signer, p->e->o.keys, &p->key, &p->account);
	p->gate = (struct gate){ .e = p->e, .directory_url = p->account.directory_url, .lane = p->d.lane, .vendor = p->account.vendor };
	p->session = (struct acme_session){
		.ca = ca, .http = http, .signer = &p->signer.acme, .account_url = p->account.url, .clock = p->e->clock,
		.gate = lane_gate, .gate_data = &p->gate, .deadline_boot_ms = engine_deadline(p->e, p->lease_boot_ms),
	};
	/* decided meanwhile: a valid one may serve another order */
	if (acme_authz_get(&p->session, url, &now, err) == 0 &&
	    (now.status != ACME_AUTHZ_PENDING || acme_authz_deactivate(&p->session, url, err) == 0))
		return 0;
	/* gone, or final already: nothing is owed any more */
	if (err->code == ERR_REMOTE_GONE || err->code == ERR_REMOTE_REFUSED || err->code == ERR_NEEDS_PERSON) {
		acme_refusal_clear(&p->session.refusal);
		err_clear(err);
		return 0;
	}
	return -(int)err->code;
}

/* The zone is in the debt since before anything was published; a publisher that finds its zone itself has none. */
static int withdraw_at(struct pay *p, struct challenge_set *set, struct err *err)
{
	_cleanup_provider_use_ struct provider_use u = { 0 };
	_cleanup_free_ char *zone = NULL;

	if (provider_use_open(p->e, p->w, &p->provider, &u, err) < 0)
		return -(int)err->code;
	if (u.pub->find_zone && str_empty(set->zone)) {
		if (u.pub->find_zone(u.self, &u.env, set->name, &zone, err) < 0) {
			if (err->code != ERR_NOT_FOUND)
				return -(int)err->code;
			err_clear(err); /* no zone of it holds the name: nothing was ever published there */
			return 0;
		}
		set->zone = zone;
	}
	if (u.pub->withdraw(u.self, &u.env, set, err) < 0)
		return err_wrap(err, "could not withdraw '%s' at provider '%s'", set->name, p->provider.name);
	CRASH_POINT_OF("withdrawn", validation_text(set->kind), p->order.names.n ? p->order.names.v[0] : NULL);
	return 0;
}

static int withdraw(struct pay *p, json_t *what, struct err *err)
{
	enum validation kind = p->d.kind == DEBT_WITHDRAW_DNS ? VALIDATION_DNS01 : VALIDATION_HTTP01;
	_cleanup_challenge_set_ struct challenge_set set = { .kind = kind };
	const char *value = json_string_value(json_object_get(what, "value"));

	if (method_way(kind, p->d.method) != PUBLISH_REMOTE)
		return 0; /* rows: in the transaction that pays */
	if (!p->provider.id)
		return err_set(err, ERR_NEEDS_PERSON, "nothing is known about publishing by '%s'", p->d.method);
	if (p->shared)
		return 0; /* another order of ours still needs the value: its debt withdraws it */
	set.zone = json_string_value(json_object_get(what, "zone"));
	set.name = json_string_value(json_object_get(what, "name"));
	set.token = json_string_value(json_object_get(what, "token"));
	set.ttl_s = json_integer_value(json_object_get(what, "ttl"));
	if (!set.name || !value)
		return err_set(err, ERR_NEEDS_PERSON, "it is not noted what has to be withdrawn");
	set.zone = set.zone ? set.zone : "";
	challenge_set_add(&set, value, json_string_value(json_object_get(what, "key_auth")));
	return withdraw_at(p, &set, err);
}

static int remove_rows(struct sql *tx, struct pay *p, struct err *err)
{
	const struct publisher *pub = p->has_record ? publisher_find(p->record.kind, p->record.method) : NULL;
	bool shared = false;
	int64_t now = engine_now(p->e);

	if (!pub || pub->way != PUBLISH_ROWS)
		return 0;
	if (store_record_shared(tx, &p->record, &shared, err) < 0)
		return -(int)err->code;
	if (shared)
		return 0;
	if (p->record.kind == VALIDATION_DNS01) {
		if (p->record.alias && store_feed_item_del(tx, EDGE_TXT, p->record.alias, p->record.value, now, NULL, err) < 0)
			return -(int)err->code;
		return store_feed_item_del(tx, EDGE_TXT, p->record.domain, p->record.value, now, NULL, err);
	}
	return store_feed_item_del(tx, EDGE_HTTP, p->record.token, p->record.value, now, NULL, err);
}

static int store(struct sql *tx, void *arg, struct err *err)
{
	struct pay *p = arg;
	int64_t now = engine_now(p->e);

	if (store_debt_put(tx, &p->d, LEASE_END, now, err) < 0)
		return -(int)err->code;
	if (p->d.paid && p->has_record && p->record.status != RECORD_WITHDRAWN) {
		enum record_status before = p->record.status;
		int rc;

		if (remove_rows(tx, p, err) < 0)
			return -(int)err->code;
		p->record.status = RECORD_WITHDRAWN;
		p->record.withdrawn_ms = p->record.updated_ms = now;
		rc = store_record_put(tx, &p->record, err);
		p->record.status = before; /* this function may run twice */
		if (rc < 0)
			return rc;
	}
	if (p->park && (store_lane_ensure(tx, p->park, lane_cap(p->park), err) < 0 ||
			store_lane_park(tx, p->park, p->d.due_ms, p->d.reason, err) < 0 ||
			cause_parked(tx, p->park, p->d.due_ms, p->d.reason, NULL, now, err) < 0))
		return -(int)err->code;
	if (p->refused && provider_put_refused(tx, p->e, p->provider.id, p->refused, err) < 0)
		return -(int)err->code;
	if ((p->owed && cause_debt(tx, p->owed, now, err) < 0) || (p->d.paid && cause_debt_over(tx, now, err) < 0))
		return -(int)err->code;
	for (size_t i = 0; i < p->events.n; i++)
		if (store_event_add(tx, &p->events.v[i], err) < 0)
			return -(int)err->code;
	return 0;
}

static void tell(struct pay *p, enum event_level level, char *take_text)
{
	struct event *ev = event_list_add(&p->events);

	*ev = (struct event){
		.id = xstrdup(ulid_new(engine_now(p->e)).s), .subject_kind = xstrdup("order"), .subject_id = xstrdup(p->d.order_id),
		.at_ms = engine_now(p->e), .level = level, .text = take_text,
	};
}

static void failed(struct pay *p, const struct err *why)
{
	const struct acme_refusal *f = &p->session.refusal;
	int64_t now = engine_now(p->e);
	_cleanup_free_ char *text = err_text(why);

	p->d.due_ms = retry_due(p->e, why, f, p->d.attempts);
	if (f->gated)
		return; /* nothing was wrong: when there is room */
	free(p->d.reason);
	p->d.reason = err_to_json_text(why);
	p->park = refusal_lane(&p->account, p->d.lane, f); /* who refuses all of us is asked by none of us */
	p->refused = p->provider.id && provider_refuses(why) ? why : NULL;
	if (p->d.attempts++ == 0)
		tell(p, EVENT_WARNING, xasprintf("could not undo what was published, it is tried again: %s", text));
	if (err_retry(why->code) == RETRY_PERSON || now - p->d.created_ms > DEBT_PATIENCE_MS) {
		p->d.set_aside = true;
		p->owed = why;
		tell(p, EVENT_ERROR, xasprintf("could not undo what was published, a person has to look: %s", text));
		log_err(LOG_ERROR, "a published challenge could not be withdrawn", why);
	}
}

static int release(struct sql *tx, void *arg, struct err *err)
{
	struct pay *p = arg;

	return store_lease_release(tx, "debt", p->d.id, p->d.gen, engine_now(p->e), err);
}

void debt_run_one(struct engine *e, struct worker *w, struct debt *take_debt, int64_t lease_boot_ms)
{
	_cleanup_(pay_done) struct pay p = { .e = e, .w = w, .d = TAKE(*take_debt), .lease_boot_ms = lease_boot_ms };
	_cleanup_err_ struct err why = { 0 }, err = { 0 };
	_cleanup_json_ json_t *what = NULL;
	int rc;

	LOG_SCOPE("debt", p.d.id);
	rc = engine_read(e, load, &p, &why);
	CRASH_POINT_OF("debt", debt_kind_text(p.d.kind), p.order.names.n ? p.order.names.v[0] : NULL);
	if (rc == 0)
		rc = json_parse(p.d.what, strlen(p.d.what), &what, &why);
	if (rc == 0)
		rc = p.d.kind == DEBT_DEACTIVATE_AUTHZ ? deactivate(&p, json_string_value(json_object_get(what, "url")), &why) :
							 withdraw(&p, what, &why);
	if (e->crashed)
		return;
	if (rc < 0 && stop_raised(&e->abort)) { /* we are ending: given back as it is */
		if (engine_write(e, release, &p, &err) < 0)
			log_err(LOG_DEBUG, "could not give a row back, its lease ends by itself", &err);
		return;
	}
	if (rc < 0) {
		failed(&p, &why);
	} else {
		p.d.paid = true;
		p.d.paid_ms = engine_now(e);
	}
	if (engine_write(e, store, &p, &err) == 0) {
		if (p.park)
			parked_note(e, p.park, p.d.due_ms);
	} else if (err.code != ERR_LOST_LEASE && !e->crashed) {
		log_err(LOG_ERROR, "could not store what a debt came to; it is tried again when its lease ends", &err);
	}
}
