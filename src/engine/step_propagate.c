/* SPDX-License-Identifier: Apache-2.0 */
/* step_propagate.c - waiting until it is seen: advice, with a limit in time from every authoritative server, through the view of the name. */
#include "engine/private.h"

#define HTTP_LOOK_MS (20 * SECOND_MS) /* so long a target's answer is looked for through the public name */

struct sight {
	bool seen;
	char *text;     /* one sentence */
	json_t *detail; /* for the record */
	int64_t due_ms; /* nobody is asked: when it counts as seen, INT64_MAX = when a person says so */
};

static void sight_done(struct sight *s)
{
	free(s->text);
	json_decref(s->detail);
}
#define _cleanup_sight_ __attribute__((cleanup(sight_done)))

static bool by_person(const struct record *rec)
{
	return method_way(rec->kind, rec->method) == PUBLISH_PERSON;
}

/* The rule says: do not look. What a person publishes has no known beginning, so only their word counts. */
static void wait_only(struct run *r, const struct record *rec, const struct outlook *l, struct sight *ret)
{
	if (by_person(rec)) {
		ret->due_ms = INT64_MAX;
		ret->text = xasprintf("nobody is asked, as the rule for '%s' says; say when it is there", l->rule);
	} else {
		ret->due_ms = rec->published_ms + l->wait_s * SECOND_MS;
		ret->seen = engine_now(r->e) >= ret->due_ms;
		ret->text = xasprintf("nobody was asked, as the rule for '%s' says; %" PRId64 " s after publishing it counts as there", l->rule,
				      l->wait_s);
	}
	ret->detail = outlook_json(l, NULL, rec->value);
}

/*
 * The vendor itself says when its servers have it: 1 they have, or nothing more can be learned; 0 not yet. Whoever may not ask is not
 * held up: the look at the servers decides then, as it does for the other vendors.
 */
static int vendor_says(struct run *r, struct record *rec, struct sight *ret)
{
	const struct provider *row = run_provider(r, rec->method);
	_cleanup_provider_use_ struct provider_use u = { 0 };
	_cleanup_err_ struct err why = { 0 };
	int rc = row && !provider_use_open(r->e, r->w, row, &u, &why) && u.pub->settled ? u.pub->settled(u.self, &u.env, rec->receipt, &why) : -1;

	if (rc == 0) {
		ret->text = xasprintf("%s says that not all of its servers have the change yet", row->name);
		return 0;
	}
	if (rc < 0 && err_is(&why) && (err_retry(why.code) == RETRY_LATER || err_retry(why.code) == RETRY_PARK)) {
		ret->text = err_text(&why);
		return 0;
	}
	if (rc > 0)
		run_event(r, EVENT_INFO, NULL, "%s says that all of its servers have '%s'", row->name, rec->domain);
	else if (err_is(&why))
		run_event(r, EVENT_WARNING, err_to_json_text(&why), "%s cannot be asked whether its servers have '%s'; they are looked at instead", row->name, rec->domain);
	replace_str(&rec->receipt, NULL);
	record_changed(r, rec, 0);
	r->dirty = true;
	return 1;
}

/* Through the view that the rules choose. Advice: what could not be looked at never ends an order, the deadline decides. */
static int look_dns(struct run *r, struct record *rec, struct sight *ret, struct err *err)
{
	_cleanup_resolve_report_ struct resolve_report rep = { 0 };
	_cleanup_outlook_ struct outlook l = { 0 };
	struct engine *e = r->e;
	const char *name = str_starts(rec->domain, "_acme-challenge.") ? rec->domain + strlen("_acme-challenge.") : rec->domain;
	int rc;

	if (rec->receipt && !vendor_says(r, rec, ret))
		return 0;
	if (outlook_for(e, r->w->http, name, r->account.vendor, &l, err) < 0)
		return -(int)err->code;
	if (l.wait) {
		wait_only(r, rec, &l, ret);
		return 0;
	}
	rc = e->o.look_up ? e->o.look_up(e->o.look_up_arg, rec->domain, &rep, err) : resolve_txt(&l.at, rec->domain, record_place(rec) != rec->domain, &rep, err);
	if (rc < 0)
		return rc;
	ret->seen = resolve_report_all_have(&rep, rec->value);
	ret->text = resolve_report_text(&rep, rec->value);
	ret->detail = outlook_json(&l, &rep, rec->value);
	return 0;
}

/* http-01 set up by hand: what the CA is going to fetch. Redirects are the CA's business; one that is there counts as not seen. */
static int look_http(struct run *r, struct record *rec, struct sight *ret, struct err *err)
{
	_cleanup_http_ struct http_response rsp = { 0 };
	_cleanup_free_ char *url = xasprintf("http://%s/.well-known/acme-challenge/%s", rec->domain, rec->token);
	struct net_rule rule = { .route = NET_ROUTE_DIRECT, .plain_ok = true };
	struct http_request q = { .method = HTTP_GET, .url = url, .rule = &rule, .timeout_ms = 10 * SECOND_MS, .max_body = 4096 };
	size_t n = strlen(rec->value);

	if (http_do(r->w->http, &q, &rsp, err) < 0)
		return -(int)err->code;
	ret->seen = rsp.status == 200 && rsp.body.n >= n && !memcmp(buf_text(&rsp.body), rec->value, n) &&
		strspn(buf_text(&rsp.body) + n, " \r\n\t") == rsp.body.n - n;
	ret->text = ret->seen ? xstrdup("the host answers with it") : xasprintf("the host answers %d and %zu bytes", rsp.status, rsp.body.n);
	return 0;
}

/* Said at once by step_publish; here at half time and a day before the end. */
static void remind(struct run *r, const struct record *rec, json_t *detail)
{
	int stage = person_stage(r->o.step_since_ms, r->o.give_up_ms, engine_now(r->e));
	_cleanup_json_ json_t *before = rec->detail ? json_text_or_null(rec->detail) : NULL;
	bool first = !json_is_integer(json_object_get(before, "told"));
	char until[CLOCK_TEXT];

	json_object_set_new(detail, "told", json_integer(stage));
	if (first || stage > (int)json_integer_value(json_object_get(before, "told")))
		r->person_told = true;
	if (!first && stage > (int)json_integer_value(json_object_get(before, "told")))
		run_event(r, EVENT_WARNING, NULL, "still waits for you to publish '%s', until %s", rec->domain,
			  clock_format(r->o.give_up_ms, until));
}

static void saw(struct run *r, struct record *rec, struct sight *s)
{
	json_t *j = s->detail ? json_incref(s->detail) : json_object();
	_cleanup_free_ char *detail = NULL;

	json_object_set_new(j, "seen", json_boolean(s->seen));
	json_object_set_new(j, "text", json_string(s->text));
	if (!s->seen && by_person(rec))
		remind(r, rec, j);
	detail = json_text(j);
	if (s->seen) {
		rec->status = RECORD_READY;
		rec->ready_ms = engine_now(r->e);
		if (s->due_ms)
			run_event(r, EVENT_INFO, NULL, "'%s' counts as there: %s", rec->domain, s->text);
		else
			run_event(r, EVENT_INFO, NULL, "'%s' is seen everywhere: %s", rec->domain, s->text);
		if (json_is_true(json_object_get(j, "inside")))
			run_event(r, EVENT_WARNING, NULL, "the servers that were asked about '%s' have private addresses, so the authority asks others "
				  "(split DNS); a view that looks from outside would see what it sees", rec->domain);
	}
	json_decref(j);
	if (s->seen || !rec->detail || !streq(rec->detail, detail)) {
		replace_str(&rec->detail, detail);
		record_changed(r, rec, 0);
		r->dirty = true;
	}
}

struct said {
	const char *order_id;
	int64_t at_ms;
};

static int go_on_said(struct sql *q, void *arg, struct err *err)
{
	struct said *s = arg;

	return store_order_go_on_get(q, s->order_id, &s->at_ms, err);
}

static int look(struct run *r, struct record *rec, int64_t *ret_due, struct err *err)
{
	_cleanup_sight_ struct sight s = { 0 };
	_cleanup_err_ struct err why = { 0 };

	if ((rec->kind == VALIDATION_DNS01 ? look_dns : look_http)(r, rec, &s, &why) < 0) {
		if (r->e->crashed)
			return err_move(err, &why);
		free(s.text);
		s.text = err_text(&why);
	}
	if (!s.seen && s.due_ms)
		*ret_due = MIN(*ret_due, s.due_ms);
	saw(r, rec, &s);
	return 0;
}

/*
 * All that is missing is at targets of http-01: what they took was read back there, and they answer at once. Our own look through the
 * public name is advice: from inside there may be no way to it.
 */
static bool looked_enough(const struct run *r)
{
	if (r->o.validation != VALIDATION_HTTP01 || engine_now(r->e) - r->o.step_since_ms < HTTP_LOOK_MS)
		return false;
	for (size_t i = 0; i < r->records.n; i++) {
		const struct record *rec = &r->records.v[i];

		if (rec->status == RECORD_NOT_READY && method_way(rec->kind, rec->method) != PUBLISH_REMOTE)
			return false;
	}
	return true;
}

/* One name a visit; when all have been looked at and one is missing, again by the propagation clock. */
int step_propagate(struct run *r, struct verdict *v, struct err *err)
{
	struct said said = { .order_id = r->o.id };
	size_t open = 0;

	if (!r->looked && engine_read(r->e, go_on_said, &said, err) < 0)
		return err_wrap(err, "could not read the order");
	if (said.at_ms && said.at_ms >= r->o.step_since_ms) {
		run_event(r, EVENT_WARNING, NULL, "goes on at a person's word, although the records are not seen everywhere");
		return verdict_go(v, r, STEP_ACCEPT, false);
	}
	for (size_t i = 0; i < r->authz.n; i++) {
		struct record *rec = run_needs(r, &r->authz.v[i]) ? run_record(r, &r->authz.v[i], NULL) : NULL;

		if (!rec || rec->status != RECORD_NOT_READY)
			continue;
		open++;
		if (i < r->looked)
			continue;
		if (!r->looked)
			r->look_due_ms = INT64_MAX;
		r->looked = i + 1;
		if (look(r, rec, &r->look_due_ms, err) < 0)
			return -(int)err->code;
		return verdict_go(v, r, STEP_PROPAGATE, true);
	}
	r->looked = 0;
	if (!open)
		return verdict_go(v, r, STEP_ACCEPT, true);
	if (looked_enough(r)) {
		run_event(r, EVENT_WARNING, NULL, "the answer is in place, but is not seen from here through the public name; the authority looks now");
		return verdict_go(v, r, STEP_ACCEPT, false);
	}
	return verdict_wait(v, r, MIN(propagation_clock(r->e, r->o.polls), MAX(r->look_due_ms - engine_now(r->e), SECOND_MS)));
}
