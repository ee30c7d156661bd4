/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - `certificate renew | schedule | renewal | retry | installed | revoke`, `renewals pause | resume | status`, `notice list`. */
#include "base/limits.h"
#include "cli/verb.h"

#include <stdio.h>

static json_t *refs_of(const struct cli_args *a, struct err *err)
{
	json_t *l;

	if (!a->words.n) {
		err_set(err, ERR_INVALID, "at least one certificate is needed: its id or number");
		return NULL;
	}
	l = json_array();
	for (size_t i = 0; i < a->words.n; i++)
		json_array_append_new(l, json_string(a->words.v[i]));
	return l;
}

/* One line for each certificate; the first refusal is the exit status. */
static int show_rows(struct cli *c, const struct cli_answer *r, const char *done, struct err *err)
{
	json_t *row;
	size_t i;

	if (c->json)
		cli_print_json(r);
	json_array_foreach(json_object_get(r->doc, "items"), i, row) {
		_cleanup_free_ char *ref = cli_member(row, "ref"), *order = cli_member(row, "order_num"), *job = cli_member(row, "job_id");
		const json_t *reason = json_object_get(row, "reason");
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *text = NULL;

		if (!json_is_object(reason)) {
			if (!c->json)
				printf("%s: %s%s%s%s%s%s\n", ref, done, *order ? ", order " : "", order,
				       json_is_true(json_object_get(row, "existing")) ? " (under way already)" : "", *job ? ", job " : "", job);
			continue;
		}
		cli_reason_error(reason, &why);
		text = err_text(&why);
		if (!c->json)
			printf("%s: %s\n", ref, text);
		if (!err_is(err)) {
			err_set(err, why.code, "certificate %s: %s", ref, text);
			if (why.hint)
				err_hint(err, "%s", why.hint);
		}
	}
	return err_is(err) ? -(int)err->code : 0;
}

static const struct cli_option renew_options[] = {
	{ "csr", "ID", "for a single certificate: another CSR with the same names, used from now on", false },
	{ "accept-cost", NULL, "orders at an authority that charges are meant", false },
	{ "wait", NULL, "for a single certificate: wait until the order is over", false },
	{ 0 }
};

static int renew(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = NULL, *refs = refs_of(a, err);
	_cleanup_answer_ struct cli_answer r = { 0 }, order = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/renewals" };
	const char *id;

	if (!refs)
		return -(int)err->code;
	if (arg_has(a, "wait") && a->words.n != 1)
		return err_set(err, ERR_INVALID, "--wait is for a single certificate");
	q.body = body = json_pack("{s:O, s:b}", "certificate_ids", refs, "accept_cost", arg_has(a, "accept-cost"));
	if (arg(a, "csr"))
		json_object_set_new(body, "csr_id", json_string(arg(a, "csr")));
	if (cli_request(c, &q, &r, err) < 0 || show_rows(c, &r, "is being renewed", err) < 0)
		return -(int)err->code;
	id = json_string_value(json_object_get(json_array_get(json_object_get(r.doc, "items"), 0), "order_id"));
	return arg_has(a, "wait") && id ? cli_watch_order(c, id, false, &order, err) : 0;
}

static const struct cli_option revoke_options[] = {
	{ "reason", "WHY", "unspecified, key-compromise, superseded, cessation-of-operation; default: none is given", false },
	{ "by-key", NULL, "signed by the certificate's own key instead of the account's", false },
	{ "replace", NULL, "renew first; revoked when the new certificate is there", false },
	{ "accept-cost", NULL, "with --replace: an order at an authority that charges is meant", false },
	{ "version", "ID", "for a single certificate: another version than the current one", false },
	{ 0 }
};

static int revoke_these(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = NULL, *refs = refs_of(a, err);
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/revocations" };

	if (!refs)
		return -(int)err->code;
	q.body = body = json_pack("{s:O, s:b, s:b, s:b}", "certificate_ids", refs, "by_key", arg_has(a, "by-key"), "replace", arg_has(a, "replace"),
				    "accept_cost", arg_has(a, "accept-cost"));
	if (arg(a, "reason"))
		json_object_set_new(body, "reason", json_string(arg(a, "reason")));
	if (arg(a, "version"))
		json_object_set_new(body, "version_id", json_string(arg(a, "version")));
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	return show_rows(c, &r, "is being revoked", err);
}

static const struct cli_option list_options[] = {
	CLI_PAGING, { 0 }
};

static int schedule(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "certificate_num", 0 }, { "NAMES", "display_names", 40 }, { "RENEWED AT", "renew_at", 0 },
						     { "WHY", "why", 0 },	      { "WAITS FOR", "waits", 0 },	  { "NEXT ATTEMPT", "next_attempt_at", 0 },
						     { "FAILURES", "failures", 0 },   { "UNDER WAY", "order_stage", 30 }, { "NOT AFTER", "not_after", 0 }, { 0 } };
	_cleanup_free_ char *path = cli_list_path(c, "/renewals", (const char *const[]){ NULL });
	_cleanup_answer_ struct cli_answer r = { 0 }, p = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	if (!c->json && cli_get(c, "/renewal-pause", &p, err) < 0)
		return -(int)err->code;
	if (!c->json && json_is_true(json_object_get(p.doc, "stopped"))) {
		_cleanup_free_ char *reason = cli_member(p.doc, "reason"), *until = cli_member(p.doc, "until");

		printf("ALL AUTOMATIC RENEWALS ARE STOPPED%s%s: %s\n\n", *until ? " until " : "", until, reason);
	}
	cli_print_list(c, r.doc, columns);
	return 0;
}

static const struct cli_column fields[] = {
	{ "Certificate", "certificate_num", 0 }, { "Names", "display_names", 0 },	   { "Not after", "not_after", 0 },
	{ "Renewed at", "renew_at", 0 },	 { "Chosen by", "why", 0 },		   { "Window from", "window_start", 0 },
	{ "Window to", "window_end", 0 },	 { "The authority explains", "explanation_url", 0 }, { "Asked again at", "information_at", 0 },
	{ "Waits for", "waits", 0 },		 { "Next attempt", "next_attempt_at", 0 }, { "Order", "order_num", 0 },
	{ "Stage", "order_stage", 0 },		 { "Failures", "failures", 0 },		   { "Failing since", "failing_since", 0 },
	{ "Paused", "paused", 0 },		 { "To be installed since", "waiting_to_be_installed_since", 0 },
	{ "Key", "key_policy", 0 },		 { "Key used for days", "key_max_days", 0 }, { "Maintenance window", "window_id", 0 }, { 0 }
};

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, "the certificate's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("certificates", id, "/renewal");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	if (!c->json && json_is_object(json_object_get(r.doc, "reason")))
		cli_print_reason(json_object_get(r.doc, "reason"), "");
	return 0;
}

static int patch(struct cli *c, const struct cli_args *a, json_t *body, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST, .body = body };
	const char *id;

	if (arg_word(a, "the certificate's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("certificates", id, "/renewal");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static const struct cli_option set_options[] = {
	{ "installed", NULL, "what was issued is in use where its key is", false },
	{ "retry", NULL, "take a pause off and look again now", false },
	{ "key-max-days", "N", "how long a CSR made elsewhere is used again", false },
	{ "window", "ID", "its own maintenance window; '' = the default one", false },
	{ 0 }
};

static int set(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	int64_t days;

	if (arg_has(a, "installed"))
		json_object_set_new(body, "installed", json_true());
	if (arg_has(a, "retry"))
		json_object_set_new(body, "retry", json_true());
	if (arg(a, "key-max-days")) {
		if (str_to_i64(arg(a, "key-max-days"), 1, 36500, &days, err) < 0)
			return err_wrap(err, "--key-max-days");
		json_object_set_new(body, "key_max_days", json_integer(days));
	}
	if (arg(a, "window"))
		json_object_set_new(body, "window_id", json_string(arg(a, "window")));
	if (!json_object_size(body))
		return err_set(err, ERR_INVALID, "nothing to set: give --installed, --retry, --key-max-days or --window");
	return patch(c, a, body, err);
}

static const struct cli_option pause_options[] = {
	{ "reason", "TEXT", "why; everybody sees it", false },
	{ "until", "INSTANT", "they resume by themselves then, as 2026-12-31T18:00:00Z", false },
	{ 0 }
};

static int pause_all(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_json_ json_t *body = NULL;
	struct cli_call q = { .method = HTTP_PUT, .path = "/renewal-pause" };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg(a, "reason"))
		return err_set(err, ERR_INVALID, "--reason is needed: everybody sees why renewals are stopped");
	q.body = body = json_pack("{s:b, s:s}", "stopped", true, "reason", arg(a, "reason"));
	if (!body)
		return err_set(err, ERR_INVALID, "--reason is not UTF-8 text");
	if (arg(a, "until"))
		json_object_set_new(body, "until", json_string(arg(a, "until")));
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (c->json)
		cli_print_json(&r);
	else
		cli_print_done(c, "all automatic renewals are stopped");
	return 0;
}

static int resume(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_json_ json_t *body = json_pack("{s:b}", "stopped", false);
	const struct cli_call q = { .method = HTTP_PUT, .path = "/renewal-pause", .body = body };

	if (arg_no_words(a, err) < 0 || cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (c->json)
		cli_print_json(&r);
	else
		cli_print_done(c, "automatic renewals go on");
	return 0;
}

static const struct cli_option expiry_options[] = { { "weeks", "N", "how many weeks, 13 when not given, up to 53", false }, { 0 } };

static int expiry(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "FROM", "from", 0 }, { "EXPIRE", "expire", 0 }, { "NOTHING RENEWS", "unmanaged", 0 }, { 0 } };
	_cleanup_buf_ struct buf path = BUF_MAX(128);
	_cleanup_answer_ struct cli_answer r = { 0 };

	buf_add_str(&path, "/expiry");
	if (arg_has(a, "weeks")) {
		buf_add_str(&path, "?weeks=");
		url_escape(&path, arg(a, "weeks"), MIN(strlen(arg(a, "weeks")), 16));
	}
	if (arg_no_words(a, err) < 0 || cli_get(c, buf_text(&path), &r, err) < 0)
		return -(int)err->code;
	if (c->json)
		cli_print_json(&r);
	else
		cli_print_rows(json_object_get(r.doc, "weeks"), columns, "");
	return 0;
}

static int notices(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	json_t *n;
	size_t i;

	if (arg_no_words(a, err) < 0 || cli_get(c, "/notices", &r, err) < 0)
		return -(int)err->code;
	if (c->json) {
		cli_print_json(&r);
		return 0;
	}
	if (!json_array_size(json_object_get(r.doc, "items")))
		printf("nothing needs attention\n");
	json_array_foreach(json_object_get(r.doc, "items"), i, n) {
		_cleanup_free_ char *kind = cli_member(n, "kind"), *cause = cli_member(n, "cause"), *step = cli_member(n, "next_step"),
				    *touched = cli_member(n, "touched"), *first = cli_member(n, "first_expiry"), *since = cli_member(n, "raised_at");

		printf("%s, since %s\n  %s\n", kind, since, cause);
		if (*first)
			printf("  touches %s, the first expires %s\n", touched, first);
		if (*step)
			printf("  %s\n", step);
	}
	return 0;
}

const struct cli_verb renewal_verbs[] = {
	{ "certificate", "renew", "ID...", renew, renew_options, "renew certificates now: same names, account and validation" },
	{ "certificate", "schedule", "", schedule, list_options, "what will be renewed, when and why" },
	{ "certificate", "renewal", "ID", show, NULL, "when and why one certificate is renewed" },
	{ "certificate", "expiry", "", expiry, expiry_options, "how many certificates expire in each of the coming weeks" },
	{ "certificate", "set-renewal", "ID", set, set_options, "mark as installed, try again, set the policy" },
	{ "certificate", "revoke", "ID...", revoke_these, revoke_options, "revoke certificates, or replace and then revoke them" },
	{ "renewal", "pause", "", pause_all, pause_options, "stop all automatic renewals" },
	{ "renewal", "resume", "", resume, NULL, "let automatic renewals go on" },
	{ "notice", "list", "", notices, NULL, "what somebody has to know" },
	{ 0 }
};
