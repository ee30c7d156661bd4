/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_job.c - the job that looks at names before they are ordered. */
#include "engine/doctor.h"

#include "model/vendor.h"

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

int job_preflight(struct job_run *r, struct err *err)
{
	const char *validation = json_string_value(json_object_get(r->args, "validation"));
	json_t *names = json_object_get(r->args, "names"), *name, *methods = json_object_get(r->args, "methods");
	_cleanup_acme_directory_ struct acme_directory dir = { 0 };
	struct doctor d;
	size_t i;

	if (!json_is_array(names))
		return err_set(err, ERR_INTERNAL, "the job names nothing to look at");
	doctor_begin(&d, r->e, r->w->http);
	d.any_validation = !validation || !validation_parse(validation, &d.validation);
	learn_authority(r, &d, &dir);
	json_array_foreach(names, i, name) {
		d.method = json_string_value(json_object_get(methods, json_string_value(name)));
		doctor_name(&d, json_string_value(name));
	}
	r->result = json_pack("{s:O, s:o}", "names", names, "facts", d.facts);
	return 0;
}
