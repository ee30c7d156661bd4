/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_job.c - the jobs: preflight of names, and the look at one delegation, whose result stays with it. */
#include "engine/doctor.h"

#include "model/vendor.h"

#define LOOK_MS (40 * SECOND_MS) /* of a step's 60 s: the last question may take a while */

/* How the authority calls itself in CAA records, as its directory says. */
static void learn_authority(struct job_run *r, struct doctor *d, struct acme_directory *ret)
{
	const char *id = json_string_value(json_object_get(r->args, "account_id"));
	_cleanup_err_ struct err why = { 0 };

	if (!id)
		return;
	if (job_account_open(r, id, &why) < 0) {
		_cleanup_free_ char *text = err_text(&why);

		fact(d, "vendor", "unknown", NULL, "%s", text);
		return;
	}
	d->vendor = vendor_find(r->account.vendor);
	d->account_url = r->account.url;
	if (acme_directory_get(&r->session, ret, &why) < 0) {
		_cleanup_free_ char *text = err_text(&why);

		fact(d, "vendor", "unknown", "The authority's directory could not be read; an order waits until it can.", "%s", text);
		return;
	}
	d->identities = &ret->caa_identities;
}

static void begin(struct job_run *r, struct doctor *d)
{
	*d = (struct doctor){ .e = r->e, .http = r->w->http, .deadline_boot_ms = clock_boot(&clock_system) + LOOK_MS, .name = "", .view = "",
			      .any_validation = true, .facts = json_array() };
}

int job_preflight(struct job_run *r, struct err *err)
{
	const char *validation = json_string_value(json_object_get(r->args, "validation"));
	json_t *names = json_object_get(r->args, "names"), *name, *methods = json_object_get(r->args, "methods");
	_cleanup_acme_directory_ struct acme_directory dir = { 0 };
	struct doctor d;
	size_t i;

	if (!json_is_array(names))
		return err_set(err, ERR_INTERNAL, "the job names nothing to look at");
	begin(r, &d);
	d.any_validation = !validation || !validation_parse(validation, &d.validation);
	learn_authority(r, &d, &dir);
	json_array_foreach(names, i, name) {
		d.method = json_string_value(json_object_get(methods, json_string_value(name)));
		doctor_name(&d, json_string_value(name));
	}
	r->result = json_pack("{s:O, s:o}", "names", names, "facts", d.facts);
	return 0;
}

static int load(struct sql *q, void *arg, struct err *err)
{
	struct job_run *r = arg;

	return store_delegation_get(q, r->j.subject_id, r->data, err);
}

static int put_looked(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	_cleanup_free_ char *text = json_text(r->result);

	return store_delegation_looked(tx, r->j.subject_id, text, engine_now(r->e), err);
}

static void free_delegation(void *data)
{
	delegation_done(data);
	free(data);
}

int job_delegation_check(struct job_run *r, struct err *err)
{
	struct delegation *row = xcalloc(1, sizeof *row);
	_cleanup_outlook_ struct outlook o = { 0 };
	struct doctor d;

	r->data = row;
	r->data_free = free_delegation;
	if (engine_read(r->e, load, r, err) < 0)
		return err_wrap(err, "could not read the delegation");
	if (outlook_for(r->e, r->w->http, row->name, "", &o, err) < 0)
		return -(int)err->code;
	if (o.wait) {
		outlook_done(&o);
		outlook_default(r->e, &o);
	}
	begin(r, &d);
	d.name = row->name;
	d.view = o.view;
	d.method = METHOD_DELEGATION;
	doctor_delegation(&d, row->name, &o);
	r->result = json_pack("{s:s, s:o}", "delegation_id", row->id, "facts", d.facts);
	r->also = put_looked;
	return 0;
}
