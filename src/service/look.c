/* SPDX-License-Identifier: Apache-2.0 */
/* look.c - preflight, looks at delegations, many delegations at once; see view.h. */
#include "base/idn.h"
#include "base/ulid.h"
#include "engine/intake.h"
#include "engine/provider.h"
#include "service/internal.h"
#include "service/view.h"
#include "store/account.h"

void delegation_line_done(struct delegation_line *l)
{
	free(l->typed);
	free(l->id);
	free(l->name);
	free(l->detail);
	*l = (struct delegation_line){ 0 };
}

struct look_job {
	const struct service *s;
	const struct actor *actor;
	const char *ref, *fresh_id;
	char *id; /* of the job */
	const struct preflight_request *request;
	const struct strlist *names; /* canonical */
	enum validation validation;
	struct delegation *delegation;
	struct asked_list *asked;
	bool made;
	struct audit *audit;
	int64_t now_ms;
	bool missing;
	struct buf *lines;
	const char *hostname;
	bool nameless; /* a line would need it */
};

/* --- preflight ----------------------------------------------------------------------------------------------------------- */

static int account_of(struct sql *tx, const char *ref, char **ret_id, char **ret_vendor, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };

	if (SERVICE_GET(tx, ref, store_account_get, store_account_get_num, &a, err) < 0) {
		if (err->code != ERR_NOT_FOUND && err->code != ERR_INVALID)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/account_id", "there is no account '%.64s'", ref);
	}
	*ret_id = xstrdup(a.id);
	*ret_vendor = xstrdup(a.vendor);
	return 0;
}

/* How each name would be proved, by the table of an order. */
static int methods_of(struct sql *tx, const struct look_job *j, const char *vendor, json_t **ret, struct err *err)
{
	const struct preflight_request *r = j->request;
	_cleanup_name_methods_ struct name_methods m = { 0 };
	struct methods_request q = { .names = j->names, .validation = j->validation, .vendor = vendor ? vendor : "",
				     .order_method = j->validation == VALIDATION_DNS01 ? r->dns : r->http,
				     .field_order = j->validation == VALIDATION_DNS01 ? "/dns" : "/http", .field_names = "/names" };

	*ret = json_object();
	if (!r->validation)
		return 0;
	if (methods_decide(tx, &q, &m, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < m.n; i++)
		json_object_set_new(*ret, m.v[i].name, json_string(m.v[i].method));
	return 0;
}

static int preflight_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_free_ char *account = NULL, *vendor = NULL, *args = NULL;
	_cleanup_json_ json_t *methods = NULL;
	char id[27];
	struct job_request q = { .id = j->fresh_id, .kind = JOB_PREFLIGHT, .created_by = j->actor->user_id, .now_ms = j->now_ms };

	if ((j->request->account_id && account_of(tx, j->request->account_id, &account, &vendor, err) < 0) ||
	    methods_of(tx, j, vendor, &methods, err) < 0)
		return -(int)err->code;
	args = json_text_take(json_pack("{s:o, s:o, s:o, s:O}", "names", json_strlist(j->names), "account_id", json_str_or_null(account),
					"validation", json_str_or_null(j->request->validation), "methods", methods));
	q.args = args;
	if (job_intake(tx, &q, id, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, id);
	return 0;
}

int service_preflight(struct service *s, const struct actor *a, const struct preflight_request *q, char **ret_job, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	int64_t now = service_now(s);
	struct ulid id = ulid_new(now);
	struct look_job j = { .s = s, .actor = a, .request = q, .names = &names, .fresh_id = id.s, .now_ms = now };

	if (!q->names.n)
		return err_set_field(err, ERR_INVALID, "/names", "names are needed");
	if (names_canonical(&q->names, "/names", &names, err) < 0)
		return -(int)err->code;
	if (q->validation && !validation_parse(q->validation, &j.validation))
		return err_set_field(err, ERR_INVALID, "/validation", "there is no validation '%.32s'", q->validation);
	if (store_write(s->store, preflight_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

/* --- one delegation ------------------------------------------------------------------------------------------------------ */

static int check_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_(delegation_done) struct delegation d = { 0 };
	char id[27];

	if (SERVICE_GET(tx, j->ref, store_delegation_get, store_delegation_get_num, &d, err) < 0)
		return -(int)err->code;
	if (job_intake(tx,
		       &(struct job_request){ .id = j->fresh_id, .kind = JOB_DELEGATION_CHECK, .subject_kind = "delegation", .subject_id = d.id,
					      .created_by = j->actor->user_id, .now_ms = j->now_ms },
		       id, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, id);
	return 0;
}

int service_delegation_check(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err)
{
	int64_t now = service_now(s);
	struct ulid id = ulid_new(now);
	struct look_job j = { .actor = a, .ref = ref, .fresh_id = id.s, .now_ms = now };

	if (store_write(s->store, check_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

static int asked_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_(delegation_done) struct delegation d = { 0 };

	if (SERVICE_GET(q, j->ref, store_delegation_get, store_delegation_get_num, &d, err) < 0)
		return -(int)err->code;
	return store_asked_list(q, d.id, ASKED_KEPT, j->asked, err);
}

int service_delegation_asked(struct service *s, const char *ref, struct asked_list *ret, struct err *err)
{
	struct look_job j = { .ref = ref, .asked = ret };

	return store_read(s->store, asked_tx, &j, err);
}

/* --- many ---------------------------------------------------------------------------------------------------------------- */

static int paste_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look_job *j = arg;
	struct delegation d = { .id = xstrdup(j->fresh_id), .name = xstrdup(j->ref), .rev = 1, .created_ms = j->now_ms };

	delegation_done(j->delegation);
	*j->delegation = d;
	if (delegation_intake(tx, j->delegation, &j->made, err) < 0)
		return -(int)err->code;
	return j->made ? store_audit_add(tx, j->audit, err) : 0;
}

/* Each line is a change of its own: what is wrong with one keeps no other back. */
static int paste_one(struct service *s, const struct actor *a, const char *name, struct delegation_line *l, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	int64_t now = service_now(s);
	struct ulid id = ulid_new(now);
	struct look_job j = { .ref = name, .fresh_id = id.s, .delegation = &d, .audit = &audit, .now_ms = now };

	audit_begin(s, a, "delegation.create", "delegation", &audit);
	replace_str(&audit.object_id, id.s);
	replace_str(&audit.object_name, name);
	if (store_write(s->store, paste_tx, &j, err) < 0)
		return -(int)err->code;
	l->id = xstrdup(d.id);
	l->name = xstrdup(d.name);
	l->result = j.made ? "made" : "exists";
	return 0;
}

static int paste_line(struct service *s, const struct actor *a, struct delegation_line *l, struct err *err)
{
	_cleanup_free_ char *canonical = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	const char *typed = str_starts(l->typed, "_acme-challenge.") ? l->typed + strlen("_acme-challenge.") : l->typed;

	if (name_canonical(typed, &canonical, &why) < 0) {
		l->result = "refused";
		l->detail = err_text(&why);
		return 0;
	}
	return paste_one(s, a, str_starts(canonical, "*.") ? canonical + 2 : canonical, l, err);
}

/* The first word of a line; what stands behind '#' or ';' is a comment. */
static char *first_word(const char *line)
{
	size_t n;

	line += strspn(line, " \t\r\"'");
	n = strcspn(line, " \t\r\"',;#");
	if (n && line[n - 1] == '.')
		n--;
	return n ? xstrndup(line, n) : NULL;
}

int service_delegation_paste(struct service *s, const struct actor *a, const char *text, struct delegation_line_list *ret, struct err *err)
{
	int64_t number = 1;

	for (const char *at = text; *at; number++) {
		size_t n = strcspn(at, "\n");
		_cleanup_free_ char *line = xstrndup(at, n), *word = first_word(line);
		struct delegation_line *l;

		at += n + (at[n] == '\n');
		if (!word)
			continue;
		if (ret->n == DELEGATION_LINES_MAX)
			return err_set_field(err, ERR_INVALID, "/text", "at most %d names at a time; those before line %" PRId64 " were taken",
					     DELEGATION_LINES_MAX, number);
		l = delegation_line_list_add(ret);
		*l = (struct delegation_line){ .line = number, .typed = TAKE(word) };
		if (paste_line(s, a, l, err) < 0)
			return -(int)err->code;
	}
	if (!ret->n)
		return err_set_field(err, ERR_INVALID, "/text", "no name stands in the list");
	return 0;
}

/* --- lines for the parents' zone files ----------------------------------------------------------------------------------- */

/* The last look found it delegated to us. */
static bool found(const struct delegation *d)
{
	_cleanup_json_ json_t *looked = json_text_or_null(d->looked);
	json_t *facts = json_object_get(looked, "facts"), *f;
	size_t i;

	json_array_foreach(facts, i, f)
		if (streq(json_string_value(json_object_get(f, "check")), "delegation") &&
		    streq(json_string_value(json_object_get(f, "state")), "good"))
			return true;
	return false;
}

static void add_line(struct look_job *j, const struct delegation *d)
{
	if (d->target)
		buf_addf(j->lines, "_acme-challenge.%s. 3600 IN CNAME %s.\n", d->name, d->target);
	else if (!str_empty(j->hostname))
		buf_addf(j->lines, "_acme-challenge.%s. 3600 IN NS %s.\n", d->name, j->hostname);
	else
		j->nameless = true;
}

static int lines_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;
	struct page page = { .limit = LIMIT_API_PAGE };
	_cleanup_free_ char *last = NULL;

	for (bool more = true; more;) {
		_cleanup_delegation_list_ struct delegation_list l = { 0 };

		if (store_delegation_list(q, NULL, &page, &l, err) < 0)
			return -(int)err->code;
		for (size_t i = 0; i < l.n; i++)
			if (!j->missing || !found(&l.v[i]))
				add_line(j, &l.v[i]);
		more = l.more && l.n;
		if (!more)
			break;
		replace_str(&last, l.v[l.n - 1].id);
		page = (struct page){ .limit = LIMIT_API_PAGE, .started = true, .after_key = l.v[l.n - 1].created_ms, .after_id = last };
	}
	return 0;
}

int service_delegation_lines(struct service *s, bool missing, char **ret, struct err *err)
{
	_cleanup_buf_ struct buf lines = BUF_MAX(16 * 1024 * 1024);
	struct look_job j = { .missing = missing, .lines = &lines, .hostname = s->config.dns_hostname };

	if (store_read(s->store, lines_tx, &j, err) < 0)
		return -(int)err->code;
	if (j.nameless) {
		err_set(err, ERR_CONFLICT, "this server has no name as a name server");
		return err_hint(err, "Set dns.hostname, and restart.");
	}
	if (buf_check(&lines, err) < 0)
		return err_wrap(err, "could not write the lines");
	*ret = buf_take(&lines);
	return 0;
}
