/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.c - `certificate bulk`: one action on many certificates, named one by one or by a search. */
#include "cli/verb.h"

#include <stdio.h>

static const char *done_text(const char *action, bool preview, bool existing)
{
	static const struct {
		const char *action, *done, *would, *same;
	} texts[] = {
		{ "renew", "is being renewed", "would be renewed", "is being renewed already" },
		{ "revoke", "is being revoked", "would be revoked", "is being revoked already" },
		{ "revoke-and-replace", "is being replaced, then revoked", "would be replaced, then revoked", "is being replaced already, then revoked" },
		{ "add-tags", "tagged", "would be tagged", "has these tags already" },
		{ "remove-tags", "tags removed", "tags would be removed", "has none of these tags" },
		{ "set-owner", "has its new owner", "would have a new owner", "has this owner already" },
		{ "renew-automatically", "is renewed automatically from now on", "would be renewed automatically", "is renewed automatically already" },
		{ "only-watch", "is only watched from now on", "would be only watched", "is only watched already" },
		{ "delete", "taken off the inventory", "would be taken off the inventory", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (streq(texts[i].action, action))
			return existing ? texts[i].same : preview ? texts[i].would : texts[i].done;
	return "done";
}

struct bulk_sum {
	size_t done, refused;
	json_t *all; /* rows of all stretches, for --json; NULL: they are printed as they come */
};

/* The first refusal is the exit status; all are shown. */
static void show_row(const char *action, bool preview, const json_t *row, struct bulk_sum *sum, struct err *err)
{
	_cleanup_free_ char *num = cli_member(row, "certificate_num"), *ref = cli_member(row, "ref"), *names = cli_member(row, "display_names"),
			    *order = cli_member(row, "order_num"), *text = NULL;
	const char *what = *num ? num : ref;
	const json_t *reason = json_object_get(row, "reason");
	_cleanup_err_ struct err why = ERR_INIT;

	if (!json_is_object(reason)) {
		sum->done++;
		if (!sum->all)
			printf("%s %s: %s%s%s\n", what, names, done_text(action, preview, json_is_true(json_object_get(row, "existing"))),
			       *order ? ", order " : "", order);
		return;
	}
	sum->refused++;
	cli_reason_error(reason, &why);
	text = err_text(&why);
	if (!sum->all)
		printf("%s %s: %s\n", what, names, text);
	if (err_is(err))
		return;
	err_set(err, why.code, "certificate %s: %s", what, text);
	if (why.hint)
		err_hint(err, "%s", why.hint);
}

static const struct cli_option bulk_options[] = {
	{ "search", "EXPR", "everything that the search finds, instead of ids: \"expires<14d tag:prod\"", false },
	{ "preview", NULL, "say what would come of each, and do nothing", false },
	{ "tag", "TAG", "of add-tags and remove-tags", true },
	{ "owner", "WHO", "of set-owner; '' = nobody", false },
	{ "reason", "WHY", "of revoke and revoke-and-replace: unspecified, key-compromise, superseded, cessation-of-operation", false },
	{ "by-key", NULL, "of these two: signed by the certificate's own key instead of the account's", false },
	{ "accept-cost", NULL, "orders at an authority that charges are meant", false },
	{ "stored", NULL, "as a job that goes on without you, over restarts; `job show` and `job rows` tell how far it is", false },
	{ "wait", NULL, "of a stored one: wait until it is over, then show its rows", false },
	{ 0 }
};

static json_t *body_of(const struct cli_args *a, struct err *err)
{
	_cleanup_strlist_ struct strlist tags = { 0 };
	json_t *body = json_pack("{s:s, s:b, s:b, s:b}", "action", a->words.v[0], "preview", arg_has(a, "preview"), "by_key", arg_has(a, "by-key"),
				 "accept_cost", arg_has(a, "accept-cost"));
	static const struct {
		const char *option, *member;
	} texts[] = { { "search", "q" }, { "owner", "owner" }, { "reason", "reason" } };

	if (!body) {
		err_set(err, ERR_INVALID, "the action is not UTF-8 text");
		return NULL;
	}
	arg_list(a, "tag", &tags);
	if (tags.n)
		json_object_set_new(body, "tags", json_strlist(&tags));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (arg(a, texts[i].option) && json_object_set_new(body, texts[i].member, json_string(arg(a, texts[i].option))) < 0) {
			err_set(err, ERR_INVALID, "--%s is not UTF-8 text", texts[i].option);
			json_decref(body);
			return NULL;
		}
	if (a->words.n > 1) {
		json_t *ids = json_array();

		for (size_t i = 1; i < a->words.n; i++)
			json_array_append_new(ids, json_string(a->words.v[i]));
		json_object_set_new(body, "certificate_ids", ids);
	}
	return body;
}

static void show_sum(const struct cli *c, const struct bulk_sum *sum, bool preview, int rc)
{
	if (c->json) {
		_cleanup_json_ json_t *doc = json_pack("{s:O, s:b, s:n}", "items", sum->all, "has_more", rc < 0, "cursor");
		_cleanup_free_ char *text = json_text(doc);

		puts(text);
	} else if (rc == 0) {
		printf("%zu %s, %zu refused\n", sum->done, preview ? "would be done" : "done", sum->refused);
	}
}

/* A stretch at a time, until the search is through; an error in between says so after what was done was shown. */
static int bulk_all(struct cli *c, json_t *body, const char *action, bool preview, struct bulk_sum *sum, struct err *first, struct err *err)
{
	for (;;) {
		_cleanup_answer_ struct cli_answer r = { 0 };
		const json_t *cursor;
		json_t *row;
		size_t i;

		if (cli_request(c, &(struct cli_call){ .method = HTTP_POST, .path = "/certificate-actions", .body = body }, &r, err) < 0)
			return sum->done + sum->refused ? err_wrap(err, "%zu certificates were gone through, the rest was not", sum->done + sum->refused) :
							  -(int)err->code;
		json_array_foreach(json_object_get(r.doc, "items"), i, row) {
			show_row(action, preview, row, sum, first);
			if (sum->all)
				json_array_append(sum->all, row);
		}
		cursor = json_object_get(r.doc, "cursor");
		if (!json_is_true(json_object_get(r.doc, "has_more")) || !json_is_string(cursor))
			return 0;
		json_object_set_new(body, "cursor", json_string(json_string_value(cursor)));
	}
}

/* Every row of a stored action, page by page. */
static int stored_rows(struct cli *c, const char *job, const char *action, struct bulk_sum *sum, struct err *first, struct err *err)
{
	_cleanup_free_ char *cursor = NULL;

	do {
		_cleanup_answer_ struct cli_answer r = { 0 };
		_cleanup_free_ char *rest = xasprintf("/rows?limit=200%s%s", cursor ? "&cursor=" : "", cursor ? cursor : ""), *path = cli_path("jobs", job, rest);
		json_t *row;
		size_t i;

		if (cli_get(c, path, &r, err) < 0)
			return -(int)err->code;
		json_array_foreach(json_object_get(r.doc, "items"), i, row) {
			show_row(action, false, row, sum, first);
			if (sum->all)
				json_array_append(sum->all, row);
		}
		free(cursor);
		cursor = xstrdup_null(json_string_value(json_object_get(r.doc, "cursor")));
	} while (cursor);
	return 0;
}

/* 1: the job is stored, and that was all. */
static int bulk_stored(struct cli *c, json_t *body, const char *action, bool wait, struct bulk_sum *sum, struct err *first, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *num = NULL, *id = NULL;

	json_object_set_new(body, "stored", json_true());
	if (cli_request(c, &(struct cli_call){ .method = HTTP_POST, .path = "/certificate-actions", .body = body }, &r, err) < 0)
		return -(int)err->code;
	num = cli_member(r.doc, "num");
	id = cli_member(r.doc, "id");
	if (!wait) {
		if (c->json)
			cli_print_object(c, &r, NULL);
		else
			printf("Job %s does it, and goes on without you. How far it is: certwright job show %s; what came of each: certwright job rows %s\n", num, num, num);
		return 1;
	}
	while (cli_job_wait(c, &r, err) < 0) {
		if (err->code != ERR_TIMEOUT)
			return -(int)err->code;
		err_clear(err); /* thousands take their time */
	}
	return stored_rows(c, id, action, sum, first, err);
}

static int job_rows(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *all = c->json ? json_array() : NULL;
	struct bulk_sum sum = { .all = all };
	_cleanup_err_ struct err first = ERR_INIT;
	const char *id;

	if (arg_word(a, "the job's id", &id, err) < 0 || stored_rows(c, id, "", &sum, &first, err) < 0)
		return -(int)err->code;
	show_sum(c, &sum, false, 0);
	return 0;
}

static int bulk(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = NULL, *all = c->json ? json_array() : NULL;
	struct bulk_sum sum = { .all = all };
	_cleanup_err_ struct err first = ERR_INIT;
	bool preview = arg_has(a, "preview");
	int rc;

	if (!a->words.n)
		return err_set(err, ERR_INVALID, "say what to do: renew, revoke, revoke-and-replace, add-tags, remove-tags, set-owner, "
						 "renew-automatically, only-watch or delete");
	body = body_of(a, err);
	if (!body)
		return -(int)err->code;
	rc = arg_has(a, "stored") ? bulk_stored(c, body, a->words.v[0], arg_has(a, "wait"), &sum, &first, err) :
				    bulk_all(c, body, a->words.v[0], preview, &sum, &first, err);
	if (rc > 0)
		return 0;
	show_sum(c, &sum, preview, rc);
	if (rc < 0)
		return rc;
	return err_is(&first) ? err_move(err, &first) : 0;
}

const struct cli_verb bulk_verbs[] = {
	{ "certificate", "bulk", "ACTION [ID...]", bulk, bulk_options, "do one thing to many certificates: named, or found by a search" },
	{ "job", "rows", "ID", job_rows, NULL, "what came of each certificate of a stored action on many" },
	{ 0 }
};
