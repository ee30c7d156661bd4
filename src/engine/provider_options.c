/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_options.c - asks what a provider that is not saved yet needs beside its fields, where only the other side knows: which options
 * a hook of acme.sh reads. No secret is part of the question, and nothing is stored but the answer.
 */
#include "engine/private.h"

int run_provider_options(struct job_run *r, struct err *err)
{
	const char *kind = json_string_value(json_object_get(r->args, "kind"));
	_cleanup_provider_ struct provider row = { 0 };
	_cleanup_provider_use_ struct provider_use use = { 0 };
	json_t *found = NULL;

	if (!kind || !json_is_object(json_object_get(r->args, "fields")))
		return err_set(err, ERR_INTERNAL, "the job names no kind of provider");
	row = (struct provider){ .id = xstrdup(r->j.id), .kind = xstrdup(kind), .name = xstrdup(kind),
				 .fields = json_text(json_object_get(r->args, "fields")) };
	if (provider_use_open(r->e, r->w, &row, &use, err) < 0)
		return -(int)err->code;
	if (!use.pub->options)
		return err_set(err, ERR_INVALID, "%s says nothing of options", use.pub->title);
	if (use.pub->options(use.self, &use.env, &found, err) < 0)
		return err_wrap(err, "could not ask what the provider needs");
	json_decref(r->result);
	r->result = found;
	return 0;
}
