/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_test.c - Test and save: lists the zones of a credential, or reads what the other side is, and, unless only reading is
 * asked for, publishes a probe in one zone, finds it at the authoritative servers, and removes it. After a crash it begins anew with the
 * same name and value. It ends with its verdict; a probe that could not be removed is then owed by a job of its own.
 *
 * For http-01 there is no zone: what the other side says of itself is read, and the probe is a token that is published and
 * withdrawn; whether the world sees it depends on a name, so that is looked at with each order.
 */
#include "engine/private.h"
#include "engine/intake.h"

#include "base/crash.h"
#include "base/log.h"

#define SEEN_MS (2 * MINUTE_MS) /* so long the servers of the zone may take */
#define LOOK_EVERY_MS (3 * SECOND_MS)

enum phase { PHASE_BEGIN, PHASE_LOOK, PHASE_WITHDRAW }; /* the last: jobs of versions in which a test stayed until its probe was gone */
static const char *const phases[] = { "begin", "look", "withdraw" };

struct test {
	struct job_run *r;
	struct provider row;
	struct provider_use use;
	const char *zone; /* NULL: reading only */
	bool http, write; /* http-01: write says whether more than reading is asked for */
	json_t *far;      /* what the other side is (publisher's look), or NULL */
	char *name, *value, *report;
	enum phase phase;
	int64_t published_ms;
	int seen; /* 1 at all servers, 0 not, -1 could not look */
	json_t *zones;
	char *trouble; /* JSON of why it failed */
};

static void test_done(struct test *t)
{
	provider_use_close(&t->use);
	provider_done(&t->row);
	free(t->name);
	free(t->value);
	free(t->report);
	json_decref(t->zones);
	json_decref(t->far);
	free(t->trouble);
}

static int load(struct sql *q, void *arg, struct err *err)
{
	struct test *t = arg;

	provider_done(&t->row);
	return store_provider_get(q, t->r->j.subject_id, &t->row, err);
}

/* What an earlier run of this job came to. */
static void recall(struct test *t)
{
	_cleanup_json_ json_t *was = json_text_or_null(t->r->j.result);
	const char *phase = json_string_value(json_object_get(was, "phase")), *reason;

	for (size_t i = 0; phase && i < ARRAY_SIZE(phases); i++)
		if (streq(phases[i], phase))
			t->phase = (enum phase)i;
	t->published_ms = json_integer_value(json_object_get(was, "published_ms"));
	t->seen = json_is_true(json_object_get(was, "seen")) ? 1 : json_is_null(json_object_get(was, "seen")) ? -1 : 0;
	reason = json_string_value(json_object_get(was, "servers"));
	t->report = xstrdup_null(reason);
	if (json_is_object(json_object_get(was, "trouble")))
		t->trouble = json_text(json_object_get(was, "trouble"));
	if (json_is_array(json_object_get(was, "zones")))
		t->zones = json_incref(json_object_get(was, "zones"));
	if (json_is_object(json_object_get(was, "remote")))
		t->far = json_incref(json_object_get(was, "remote"));
}

static void note(struct test *t)
{
	json_decref(t->r->result);
	t->r->result = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:o}", "provider_id", t->row.id, "provider_name", t->row.name,
				 "reading_only", !t->zone && !t->write, "zones", t->zones ? json_incref(t->zones) : json_null(), "remote",
				 t->far ? json_incref(t->far) : json_null(), "name",
				 json_str_or_null(t->name), "value", json_str_or_null(t->value), "seen",
				 t->seen < 0 || !t->zone ? json_null() : json_boolean(t->seen), "servers", json_str_or_null(t->report), "phase",
				 phases[t->phase], "published_ms", (json_int_t)t->published_ms, "trouble", json_text_or_null(t->trouble));
}

static int list_zones(struct test *t, struct err *err)
{
	_cleanup_strlist_ struct strlist zones = { 0 };

	json_decref(t->zones);
	t->zones = NULL;
	if (!t->use.pub->zones)
		return 0;
	if (t->use.pub->zones(t->use.self, &t->use.env, &zones, err) < 0)
		return err_wrap(err, "could not list the zones of provider '%s'", t->row.name);
	strlist_sort_unique(&zones);
	t->zones = json_strlist(&zones);
	return 0;
}

static int look_there(struct test *t, struct err *err)
{
	json_decref(t->far);
	t->far = NULL;
	if (!t->use.pub->look || t->use.pub->look(t->use.self, &t->use.env, &t->far, err) == 0)
		return 0;
	return err_wrap(err, "could not look at '%s'", t->row.name);
}

static void set_of(struct test *t, struct challenge_set *set)
{
	if (t->http) {
		*set = (struct challenge_set){ .kind = VALIDATION_HTTP01, .zone = "", .name = t->name, .token = t->name };
		strlist_add(&set->values, t->value);
		return;
	}
	*set = (struct challenge_set){ .kind = VALIDATION_DNS01, .zone = t->zone, .name = t->name, .ttl_s = t->use.pub->ttl_s };
	challenge_set_add(set, t->value, t->row.id); /* provider_probe_value is its digest */
}

static int probe(struct test *t, struct err *err)
{
	_cleanup_challenge_set_ struct challenge_set set = { 0 };

	if (!t->http && t->use.pub->find_zone) {
		_cleanup_free_ char *zone = NULL;

		if (t->use.pub->find_zone(t->use.self, &t->use.env, t->name, &zone, err) < 0)
			return err_wrap(err, "could not find the zone of '%s' at provider '%s'", t->name, t->row.name);
		if (!str_case_eq(zone, t->zone))
			return err_set(err, ERR_INVALID, "'%s' is not a zone of provider '%s': the name is in '%s'", t->zone, t->row.name, zone);
	}
	set_of(t, &set);
	if (t->use.pub->publish(t->use.self, &t->use.env, &set, err) < 0)
		return err_wrap(err, "could not publish '%s' at provider '%s'", t->name, t->row.name);
	CRASH_POINT_OF("probed", t->http ? "http" : "dns", t->http ? t->row.name : t->zone);
	t->published_ms = engine_now(t->r->e);
	return 0;
}

static void look(struct test *t)
{
	_cleanup_resolve_report_ struct resolve_report rep = { 0 };
	_cleanup_err_ struct err why = { 0 };
	struct engine *e = t->r->e;
	int rc = e->o.look_up ? e->o.look_up(e->o.look_up_arg, t->name, &rep, &why) : resolve_txt(&e->o.view, t->name, false, &rep, &why);

	free(t->report);
	if (rc < 0) {
		t->seen = -1;
		t->report = err_text(&why);
		return;
	}
	t->seen = resolve_report_all_have(&rep, t->value);
	t->report = resolve_report_text(&rep, t->value);
}

static int take_back(struct test *t, struct err *err)
{
	_cleanup_challenge_set_ struct challenge_set set = { 0 };

	set_of(t, &set);
	if (t->use.pub->withdraw(t->use.self, &t->use.env, &set, err) < 0)
		return err_wrap(err, "could not remove the probe '%s' at provider '%s'", t->name, t->row.name);
	return 0;
}

struct verdict_row { /* what the job's last transaction stores */
	struct provider row;
	bool owed; /* the probe may still be there */
};

static void verdict_row_free(void *p)
{
	struct verdict_row *v = p;

	provider_done(&v->row);
	free(v);
}

/* A job of its own: the verdict does not wait for it, and neither does the next test. */
static int owe(struct sql *tx, const struct job_run *r, const char *provider_id, struct err *err)
{
	int64_t now = engine_now(r->e);
	struct ulid id = ulid_new(now);
	_cleanup_free_ char *lane = xasprintf(LANE_PROVIDER_TEST "%s", provider_id), *args = json_text(r->args);
	char ignored[ULID_LEN + 1];

	return job_intake(tx, &(struct job_request){ .id = id.s, .kind = JOB_PROVIDER_WITHDRAW, .subject_kind = "provider", .subject_id = provider_id,
						    .args = args, .lane = lane, .created_by = r->j.created_by, .now_ms = now }, ignored, err);
}

/* The verdict is the provider's status; what waits for it goes on when it is good. */
static int conclude(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	struct verdict_row *v = r->data;
	struct provider *row = &v->row;
	bool done = false;

	if ((v->owed && owe(tx, r, row->id, err) < 0) || store_provider_put_state(tx, row, &done, err) < 0)
		return -(int)err->code;
	if (!done || row->status != PROVIDER_OK)
		return 0;
	return cause_credential_over(tx, row->id, engine_now(r->e), err) < 0 ? -(int)err->code :
									       store_provider_resume(tx, row->id, engine_now(r->e), err);
}

static int finish(struct test *t, const struct err *why, bool owed)
{
	struct job_run *r = t->r;
	struct verdict_row *v = xcalloc(1, sizeof *v);
	struct provider *p = &v->row;

	v->owed = owed;
	note(t);
	json_object_del(r->result, "phase");
	json_object_del(r->result, "published_ms");
	*p = TAKE(t->row);
	replace_str(&p->reason, NULL);
	if (why)
		p->reason = err_to_json_text(why);
	p->status = !why ? PROVIDER_OK : provider_refuses(why) ? PROVIDER_REFUSED : PROVIDER_FAILED;
	p->tested_ms = p->updated_ms = engine_now(r->e);
	free(p->test);
	p->test = json_text(r->result);
	if (t->zones) {
		free(p->zones);
		p->zones = json_text(t->zones);
	}
	r->data = v;
	r->data_free = verdict_row_free;
	r->also = conclude;
	return 0;
}

/* What went wrong is the test's result: the job has done its work. */
static int failed(struct test *t, struct err *why)
{
	free(t->trouble);
	t->trouble = err_to_json_text(why);
	return finish(t, why, false);
}

static int wait(struct test *t, enum phase phase, int64_t span_ms)
{
	t->phase = phase;
	note(t);
	t->r->wait = true;
	t->r->j.due_ms = engine_now(t->r->e) + span_ms;
	return 0;
}

/* What was wrong first is the verdict, also when the probe cannot be removed: that is then owed. */
static int withdraw(struct test *t, struct err *err)
{
	_cleanup_err_ struct err why = { 0 }, stays = { 0 };
	bool owed = take_back(t, &stays) < 0;

	if (owed && t->r->e->crashed)
		return err_move(err, &stays);
	if (t->trouble) {
		_cleanup_json_ json_t *j = json_text_or_null(t->trouble);

		err_from_json(j, &why);
	} else if (owed) {
		err_move(&why, &stays);
	} else if (t->seen == 0 && !t->http) {
		err_set(&why, ERR_TIMEOUT, "the probe was written and removed, but not seen at all servers of the zone within two minutes: %s",
			t->report ? t->report : "");
	}
	if (owed)
		err_hint(&why, "The probe may still be there: it is removed as soon as that works.");
	return finish(t, err_is(&why) ? &why : NULL, owed);
}

static int walk(struct test *t, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };

	if (t->phase == PHASE_BEGIN) {
		if (list_zones(t, &why) < 0 || look_there(t, &why) < 0)
			return failed(t, &why);
		if (!t->zone && !t->write)
			return finish(t, NULL, false);
		/* written, perhaps, and the answer lost: from here on the probe is owed */
		if (probe(t, &why) < 0) {
			if (t->r->e->crashed)
				return err_move(err, &why);
			free(t->trouble);
			t->trouble = err_to_json_text(&why);
			if (why.code == ERR_UNAUTHENTICATED || why.code == ERR_DENIED || why.code == ERR_NOT_FOUND || why.code == ERR_INVALID ||
			    why.code == ERR_REMOTE_REFUSED)
				return finish(t, &why, false); /* refused: nothing was written */
			return withdraw(t, err);
		}
	}
	if (t->phase != PHASE_WITHDRAW && !t->http) {
		look(t);
		if (t->seen == 0 && engine_now(t->r->e) - t->published_ms < SEEN_MS)
			return wait(t, PHASE_LOOK, LOOK_EVERY_MS);
	}
	return withdraw(t, err);
}

/* The row, and what its probe is. */
static int begin(struct test *t, struct err *err)
{
	const struct publisher *pub;

	if (!t->r->j.subject_id)
		return err_set(err, ERR_INTERNAL, "the job names no provider");
	if (engine_read(t->r->e, load, t, err) < 0)
		return -(int)err->code;
	t->zone = json_string_value(json_object_get(t->r->args, "zone"));
	if (t->zone) {
		t->name = provider_probe_name(t->row.id, t->zone);
		t->value = provider_probe_value(t->row.id);
	}
	pub = publisher_kind(t->row.kind);
	t->http = pub && !(pub->kinds & KIND_DNS01);
	if (t->http && json_is_true(json_object_get(t->r->args, "write"))) {
		char *probe = provider_probe_value(t->row.id);

		t->write = true;
		t->name = probe;
		t->value = xasprintf("%s.%s", probe, probe);
	}
	return 0;
}

int run_provider_test(struct job_run *r, struct err *err)
{
	_cleanup_(test_done) struct test t = { .r = r };
	_cleanup_err_ struct err why = { 0 };

	if (begin(&t, err) < 0)
		return -(int)err->code;
	recall(&t);
	if (provider_use_open(r->e, r->w, &t.row, &t.use, &why) < 0)
		return failed(&t, &why);
	return walk(&t, err);
}

static int testing(struct sql *q, void *arg, struct err *err)
{
	struct test *t = arg;
	_cleanup_job_ struct job live = { 0 };

	return store_job_find_live(q, JOB_PROVIDER_TEST, t->r->j.subject_id, &live, err);
}

/* A credential that is refused may be replaced, a right be given: for the same week as everything else that is tried again. */
static int owed_still(struct job_run *r, struct err *err)
{
	enum retry_class again = err_retry(err->code);
	int64_t now = engine_now(r->e);

	if (again == RETRY_NOW || again == RETRY_LATER || again == RETRY_PARK || now - r->j.created_ms > 7 * DAY_MS)
		return -(int)err->code;
	err_clear(err);
	r->wait = true;
	r->j.due_ms = now + HOUR_MS;
	return 0;
}

/* What a test could not remove. A test that is under way looks for the same probe and removes it itself, or owes it anew. */
int run_provider_withdraw(struct job_run *r, struct err *err)
{
	_cleanup_(test_done) struct test t = { .r = r };
	_cleanup_err_ struct err why = { 0 };

	if (begin(&t, err) < 0)
		return -(int)err->code;
	if (engine_read(r->e, testing, &t, &why) == 0) {
		r->wait = true;
		r->j.due_ms = engine_now(r->e) + MINUTE_MS;
		return 0;
	}
	if (why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	return provider_use_open(r->e, r->w, &t.row, &t.use, err) < 0 || take_back(&t, err) < 0 ? owed_still(r, err) : 0;
}
