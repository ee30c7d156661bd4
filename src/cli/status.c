/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c - `status`, `job list | show` and `whoami`.
 */
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_option job_options[] = {
	{ "kind", "KIND", "only jobs of this kind, such as account-register", false },
	{ "state", "S", "queued, running, done or failed", false },
	CLI_SORT,
	CLI_PAGING,
	{ 0 }
};

/* What waits since somebody outside said so: until when, why, and what can be done. */
static void print_parked(const json_t *lanes)
{
	size_t i;
	json_t *l;

	json_array_foreach(lanes, i, l) {
		_cleanup_free_ char *name = cli_member(l, "name"), *until = cli_member(l, "parked_until");
		const json_t *reason = json_object_get(l, "reason");
		_cleanup_free_ char *detail = cli_member(reason, "detail"), *remote = cli_member(reason, "remote"), *hint = cli_member(reason, "hint");

		if (str_empty(until))
			continue;
		printf("Paused: %s until %s\n", name, until);
		if (!str_empty(detail))
			printf("  %s\n", detail);
		if (!str_empty(remote))
			printf("  it says: %s\n", remote);
		if (!str_empty(hint))
			printf("  %s\n", hint);
	}
}

static int status(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column fields[] = { { "Version", "version", 0 }, { "Started at", "started_at", 0 }, { "DNS host name", "dns_hostname", 0 },
						    { "Trial directory", "trial_directory", 0 },
						    { "DNS listens on", "dns_listen", 0 }, { "HTTP-01 listens on", "http01_listen", 0 }, { 0 } };
	static const struct cli_column edge[] = { { "Edge configured", "configured", 0 }, { "Edge connected", "connected", 0 }, { "Edge loaded", "loaded", 0 }, { 0 } };
	static const struct cli_column backup[] = { { "Last backup", "made_at", 0 }, { "Its size", "bytes", 0 }, { 0 } };
	static const struct cli_column store[] = { { "Store", "driver", 0 }, { "Writable", "writable", 0 }, { "Trouble", "reason", 0 }, { 0 } };
	static const struct cli_column certificates[] = { { "Certificates", "all", 0 }, { "Renewed by themselves", "managed", 0 },
							   { "Expire within 30 days", "expiring", 0 }, { 0 } };
	static const struct cli_column warning[] = { { "Warning", "detail", 0 }, { "What to do", "hint", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, "/status", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	if (!c->json) {
		cli_print_fields(json_object_get(r.doc, "store"), store);
		cli_print_fields(json_object_get(r.doc, "edge"), edge);
		cli_print_fields(json_object_get(r.doc, "certificates"), certificates);
		cli_print_fields(json_object_get(r.doc, "backup"), backup);
		print_parked(json_object_get(r.doc, "lanes"));
		for (size_t i = 0; i < json_array_size(json_object_get(r.doc, "warnings")); i++)
			cli_print_fields(json_array_get(json_object_get(r.doc, "warnings"), i), warning);
	}
	return 0;
}

static int jobs(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "KIND", "kind", 0 }, { "ABOUT", "subject_kind", 0 }, { "SUBJECT", "subject_id", 0 },
						     { "STATE", "state", 0 }, { "ATTEMPTS", "attempts", 0 }, { "CREATED AT", "created_at", 0 }, { 0 } };

	return cli_list(c, a, "/jobs", (const char *const[]){ "kind", "state", "sort", NULL }, columns, err);
}

static int job(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column fields[] = { { "Id", "id", 0 }, { "Number", "num", 0 }, { "Kind", "kind", 0 }, { "State", "state", 0 },
						    { "About", "subject_kind", 0 }, { "Subject", "subject_id", 0 }, { "Attempts", "attempts", 0 },
						    { "Next at", "next_at", 0 }, { "Created at", "created_at", 0 }, { "Ended at", "ended_at", 0 }, { 0 } };

	return cli_show(c, a, "the job's id", "jobs", fields, err);
}

static int whoami(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column user[] = { { "User", "name", 0 }, { "Role", "role", 0 }, { "Rights", "rights", 0 }, { 0 } };
	static const struct cli_column rest[] = { { "May", "permissions", 0 }, { "Until", "expires_at", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, "/session", &r, err) < 0)
		return -(int)err->code;
	if (c->json) {
		cli_print_json(&r);
		return 0;
	}
	cli_print_fields(json_object_get(r.doc, "user"), user);
	cli_print_fields(r.doc, rest);
	return 0;
}

const struct cli_verb status_verbs[] = {
	{ "status", NULL, "", status, NULL, "the state of the server" },
	{ "whoami", NULL, "", whoami, NULL, "who is signed in and what that allows" },
	{ "job", "list", "", jobs, job_options, "what goes on beside the orders" },
	{ "job", "show", "ID", job, NULL, "one job" },
	{ 0 }
};
