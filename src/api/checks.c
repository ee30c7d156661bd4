/* SPDX-License-Identifier: Apache-2.0 */
/* checks.c - is everything right with this server: what the last look found, and another look. */
#include "api/call.h"
#include "service/check.h"

int checks_get(struct call *c, struct err *err)
{
	json_t *doc = NULL;

	if (service_check_last(c->service, &doc, err) < 0)
		return -(int)err->code;
	call_json(c, 200, doc);
	return 0;
}

/* The job's own result is only how many rows of each kind: jobs are shown to more people. */
static int looked(struct call *c, const struct job *j, struct err *err)
{
	(void)j;
	return checks_get(c, err);
}

int checks_run_now(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_check_start(c->service, &c->actor, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, looked);
	return 0;
}
