/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegation.c - whether what was delegated to us still is: the look at one, the nightly look at all, and what an order makes of
 * one that has gone elsewhere. Only what was ours before can have gone: a view that never saw it says nothing by not seeing it.
 */
#include "engine/doctor.h"
#include "engine/notice.h"

#include "base/idn.h"
#include "crypto/digest.h"

#define ALIAS_HEX 20
#define AT_ONCE 100

char *delegation_alias(const char *dns_zone, const char *name)
{
	const char *base = str_starts(name, "*.") ? name + 2 : name;
	char hex[SHA256_HEX];

	if (str_empty(dns_zone))
		return NULL;
	sha256_hex(base, strlen(base), hex);
	return xasprintf("%.*s.%s", ALIAS_HEX, hex, dns_zone);
}

int delegation_of(struct sql *q, const char *name, struct delegation *ret, struct err *err)
{
	delegation_done(ret);
	if (store_delegation_find(q, name, ret, err) == 0)
		return 1;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

bool delegation_concerns(const struct delegation *d, const char *method)
{
	return d->id && streq(method, d->provider_id ? d->provider_id : METHOD_DELEGATION);
}

int delegation_target(const char *name, const char *text, char **ret, struct err *err)
{
	_cleanup_free_ char *zone = xasprintf("_acme-challenge.%s", name);
	struct dns_name n;
	char plain[DNS_NAME_TEXT];

	if (dns_name_parse(text, &n, err) < 0) {
		replace_str(&err->field, "/target");
		return err_wrap(err, "'%s' is not a name to which a CNAME could lead", text);
	}
	dns_name_lower(&n);
	dns_name_text(&n, plain);
	if (!strchr(plain, '.') || streq(plain, zone) || str_starts(plain, "*."))
		return err_set_field(err, ERR_INVALID, "/target", "a CNAME at '%s' cannot lead to '%s'", zone, plain);
	*ret = xstrdup(plain);
	return 0;
}

/* ---- one ---- */

/* The facts say that it is ours, or is not, or nothing certain (NULL). *ret_words: what was seen, owned. */
static const char *verdict_of(json_t *facts, char **ret_words)
{
	const char *state = NULL;
	json_t *f;
	size_t i;

	json_array_foreach(facts, i, f) {
		const char *s = json_string_value(json_object_get(f, "state"));

		if (!streq(json_string_value(json_object_get(f, "check")), "delegation") || (!streq(s, "good") && !streq(s, "bad")))
			continue;
		state = s;
		replace_str(ret_words, json_string_value(json_object_get(f, "text")));
		if (streq(s, "bad"))
			break;
	}
	return state;
}

static int look(struct engine *e, struct http *http, const char *name, json_t **ret_facts, bool *ret_looked, struct err *err)
{
	_cleanup_outlook_ struct outlook o = { 0 };
	struct doctor d;

	if (outlook_for(e, http, name, "", &o, err) < 0)
		return -(int)err->code;
	*ret_looked = !o.wait;
	if (o.wait) {
		outlook_done(&o);
		outlook_default(e, &o);
	}
	doctor_begin(&d, e, http);
	d.name = name;
	d.view = o.view;
	d.method = METHOD_DELEGATION;
	doctor_delegation(&d, name, &o);
	*ret_facts = d.facts;
	return 0;
}

/* What the row makes of what was seen. */
static void judge(struct delegation *d, json_t *facts, bool counts, int64_t now)
{
	_cleanup_free_ char *words = NULL;
	const char *state = counts ? verdict_of(facts, &words) : NULL;
	json_t *looked = json_pack("{s:s, s:O}", "delegation_id", d->id, "facts", facts);

	free(d->looked);
	d->looked = json_text(looked);
	json_decref(looked);
	d->looked_ms = now;
	if (state && streq(state, "good")) {
		d->good_ms = now;
		d->away_ms = 0;
		replace_str(&d->away, NULL);
	} else if (state && d->good_ms) {
		d->away_ms = d->away_ms ? d->away_ms : now;
		replace_str(&d->away, words);
	}
}

/* Owned. */
static char *lost_text(const struct delegation *d)
{
	if (d->target)
		return xasprintf("'_acme-challenge.%s' led to '%s' and does not any more: %s", d->name, d->target, d->away);
	return xasprintf("'%s' was delegated to this server and is not any more: %s", d->name, d->away);
}

static int put(struct sql *tx, const struct delegation *d, int64_t now, struct err *err)
{
	struct notice_cause n = {
		.kind = NOTICE_DELEGATION, .subject_kind = "delegation", .subject_id = d->id, .now_ms = now,
		.next_step = "Restore the record in the parent zone, or remove the delegation here if the name is not yours any more.",
	};
	_cleanup_free_ char *cause = NULL;

	if (store_delegation_looked(tx, d, err) < 0)
		return -(int)err->code;
	if (!d->away_ms)
		return notice_end(tx, n.kind, n.subject_kind, n.subject_id, now, err);
	cause = lost_text(d);
	n.cause = cause;
	return notice_raise(tx, &n, err);
}

static int load(struct sql *q, void *arg, struct err *err)
{
	struct job_run *r = arg;

	delegation_done(r->data);
	return store_delegation_get(q, r->j.subject_id, r->data, err);
}

static int put_looked(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	return put(tx, r->data, engine_now(r->e), err);
}

static void free_delegation(void *data)
{
	delegation_done(data);
	free(data);
}

int job_delegation_check(struct job_run *r, struct err *err)
{
	struct delegation *row = xcalloc(1, sizeof *row);
	json_t *facts = NULL;
	bool counts = false;

	r->data = row;
	r->data_free = free_delegation;
	if (engine_read(r->e, load, r, err) < 0)
		return err_wrap(err, "could not read the delegation");
	if (look(r->e, r->w->http, row->name, &facts, &counts, err) < 0)
		return -(int)err->code;
	judge(row, facts, counts, engine_now(r->e));
	r->result = json_pack("{s:s, s:o}", "delegation_id", row->id, "facts", facts);
	r->also = put_looked;
	return 0;
}

/* ---- all, every night ---- */

struct watch {
	struct engine *e;
	bool more;
};

static int hand_out(struct sql *tx, void *arg, struct err *err)
{
	struct watch *w = arg;
	_cleanup_delegation_list_ struct delegation_list l = { 0 };
	int64_t now = engine_now(w->e);

	if (store_delegation_due(tx, now, AT_ONCE, &l, err) < 0)
		return -(int)err->code;
	w->more = l.more;
	for (size_t i = 0; i < l.n; i++) {
		struct ulid id = ulid_new(now);
		char taken[27];

		if (store_delegation_next_look(tx, l.v[i].id, now + engine_jitter(w->e, DAY_MS, 10), err) < 0 ||
		    job_intake(tx, &(struct job_request){ .id = id.s, .kind = JOB_DELEGATION_CHECK, .subject_kind = "delegation",
							  .subject_id = l.v[i].id, .now_ms = now },
			       taken, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int job_delegation_watch(struct job_run *r, struct err *err)
{
	struct watch w = { .e = r->e };

	r->wait = true;
	r->j.due_ms = engine_now(r->e) + HOUR_MS;
	if (engine_write(r->e, hand_out, &w, err) < 0)
		return err_wrap(err, "could not arrange the look at the delegations");
	if (w.more)
		r->j.due_ms = engine_now(r->e) + MINUTE_MS;
	return 0;
}

/* ---- before an order is placed ---- */

struct gone {
	struct run *r;
	const char *name;
	struct delegation d;
};

static int find(struct sql *q, void *arg, struct err *err)
{
	struct gone *g = arg;

	return delegation_of(q, g->name, &g->d, err) < 0 ? -(int)err->code : 0;
}

static int put_again(struct sql *tx, void *arg, struct err *err)
{
	struct gone *g = arg;

	return put(tx, &g->d, engine_now(g->r->e), err);
}

/* It was seen to have gone: seen again now, since who mends it does not wait for the night. 1 it has. */
static int still_gone(struct gone *g, struct err *err)
{
	_cleanup_json_ json_t *facts = NULL;
	bool counts = false;

	if (look(g->r->e, g->r->w->http, g->d.name, &facts, &counts, err) < 0)
		return -(int)err->code;
	if (!counts)
		return 0; /* a rule says: do not look */
	judge(&g->d, facts, true, engine_now(g->r->e));
	if (engine_write(g->r->e, put_again, g, err) < 0)
		return -(int)err->code;
	return g->d.away_ms != 0;
}

int delegations_stand(struct run *r, struct err *ret_why, struct err *err)
{
	for (size_t i = 0; i < r->o.names.n; i++) {
		const struct name_method *m = name_methods_find(&r->methods, r->o.names.v[i]);
		const char *method = m ? m->method : r->o.dns_method;
		struct gone g = { .r = r, .name = name_base(r->o.names.v[i]) };
		_cleanup_free_ char *lost = NULL;
		char since[CLOCK_TEXT];
		int rc;

		if (r->o.validation != VALIDATION_DNS01 || !method)
			continue;
		rc = engine_read(r->e, find, &g, err);
		if (rc == 0 && g.d.away_ms && delegation_concerns(&g.d, method))
			rc = still_gone(&g, err);
		if (rc == 1) {
			lost = lost_text(&g.d);
			err_set(ret_why, ERR_NEEDS_PERSON, "%s (since %s)", lost, clock_format(g.d.away_ms, since));
			err_hint(ret_why, "The authority was not asked. Restore the record in the parent zone: the order looks again by itself. If the "
					  "name is not yours any more, delete the order and the delegation.");
		}
		delegation_done(&g.d);
		if (rc != 0)
			return rc;
	}
	return 0;
}
