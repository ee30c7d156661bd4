/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.c - `vendor list | show | set | check`: the authorities known by name, and what their directories say. */
#include "cli/verb.h"

#include <stdio.h>

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = {
		{ "NAME", "key", 0 },	       { "VENDOR", "title", 0 },      { "STAGING", "staging", 0 },	     { "EAB NEEDED", "eab_required", 0 },
		{ "PAID", "costs_money", 0 }, { "WILDCARDS", "wildcards", 0 }, { "ARI", "ari", 0 },	     { "ENDED", "discontinued_since", 0 },
		{ "ACCOUNTS", "accounts", 0 }, { "DIRECTORY", "directory_url", 0 }, { 0 }
	};
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, "/vendors", &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

/* ---- one vendor ---- */

static const struct cli_column fields[] = {
	{ "Name", "key", 0 },		   { "Vendor", "title", 0 },	       { "Directory", "directory_url", 0 }, { "Built-in directory", "builtin_url", 0 },
	{ "Overridden", "overridden", 0 }, { "Discontinued", "discontinued", 0 }, { "Staging", "staging", 0 },	     { "Accounts here", "accounts", 0 },
	{ "E-mail needed", "contact_required", 0 }, { "EAB needed", "eab_required", 0 }, { "EAB credentials live", "eab_life", 0 },
	{ "Certificates live", "lifetime", 0 },	   { "Key types", "key_types", 0 },	  { "Names per certificate", "names_max", 0 },
	{ "Wildcards", "wildcards", 0 },   { "Renewal information", "ari", 0 }, { "Costs money", "costs_money", 0 }, { "Price", "price", 0 },
	{ "Limits", "limits", 0 },	   { "Terms", "terms_url", 0 },	       { "Documentation", "docs_url", 0 },   { 0 }
};

static void print_texts(const char *title, const json_t *texts, bool numbered)
{
	size_t i;
	json_t *t;

	if (!json_array_size(texts))
		return;
	printf("\n%s\n", title);
	json_array_foreach(texts, i, t) {
		const char *s = json_string_value(t);
		_cleanup_free_ char *clean = s ? str_clean(s, strlen(s), 1000) : NULL;

		if (numbered)
			printf("  %zu. %s\n", i + 1, clean ? clean : "");
		else
			printf("  %s\n", clean ? clean : "");
	}
}

static void print_reading(const json_t *reading)
{
	static const struct cli_column read_fields[] = { { "Directory", "directory_url", 0 }, { "Read at", "facts_at", 0 }, { "Tried at", "checked_at", 0 },
							 { "Moved at", "moved_at", 0 }, { 0 } };
	static const struct cli_column fact_fields[] = { { "Terms", "tos_url", 0 }, { "Website", "website", 0 }, { "EAB needed", "eab_required", 0 },
							 { "CAA names", "caa_identities", 0 }, { "Renewal information", "renewal_info", 0 },
							 { "Key change", "key_change", 0 }, { 0 } };
	static const struct cli_column profile_columns[] = { { "PROFILE", "name", 0 }, { "DESCRIPTION", "description", 100 }, { 0 } };
	const json_t *facts = json_object_get(reading, "facts");

	cli_print_fields(reading, read_fields);
	if (json_is_object(facts)) {
		cli_print_fields(facts, fact_fields);
		if (json_array_size(json_object_get(facts, "profiles")))
			cli_print_rows(json_object_get(facts, "profiles"), profile_columns, "  ");
	}
	print_texts("Moved since the reading before", json_object_get(reading, "moved"), false);
	if (json_is_object(json_object_get(reading, "reason")))
		cli_print_reason(json_object_get(reading, "reason"), "  ");
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column regions[] = { { "REGION", "key", 0 }, { "TITLE", "title", 0 }, { "DIRECTORY", "directory_url", 0 }, { 0 } };
	static const struct cli_column quirks[] = { { "DIFFERENT THERE", "help", 0 }, { 0 } };
	static const struct cli_column profiles[] = { { "PROFILE", "name", 0 }, { "NAMES", "names_max", 0 }, { "WHAT", "note", 100 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *key;

	if (arg_word(a, "the vendor's name (certwright vendor list)", &key, err) < 0)
		return -(int)err->code;
	path = cli_path("vendors", key, "");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	if (c->json)
		return 0;
	if (json_array_size(json_object_get(r.doc, "regions")))
		cli_print_rows(json_object_get(r.doc, "regions"), regions, "\n");
	if (json_array_size(json_object_get(r.doc, "profiles")))
		cli_print_rows(json_object_get(r.doc, "profiles"), profiles, "");
	print_texts("Where to find the external account values", json_object_get(r.doc, "eab_steps"), true);
	if (json_array_size(json_object_get(r.doc, "quirks")))
		cli_print_rows(json_object_get(r.doc, "quirks"), quirks, "");
	print_texts("Notes", json_object_get(r.doc, "notes"), false);
	if (json_is_object(json_object_get(r.doc, "reading"))) {
		printf("\nThe directory, as it was read last\n");
		print_reading(json_object_get(r.doc, "reading"));
	}
	return 0;
}

static const struct cli_option set_options[] = {
	{ "directory", "URL", "the directory to use for new accounts", false },
	{ "built-in", NULL, "the built-in directory again", false },
	{ 0 }
};

static int set(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_json_ json_t *body = json_object();
	const char *key;

	if (arg_word(a, "the vendor's name", &key, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "directory") == arg_has(a, "built-in"))
		return err_set(err, ERR_INVALID, "give either --directory URL or --built-in");
	json_object_set_new(body, "directory_url", json_string(arg_has(a, "directory") ? arg(a, "directory") : ""));
	if (cli_patch(c, "vendors", key, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

/* ---- checking ---- */

static const struct cli_option check_options[] = {
	{ "all", NULL, "all active vendors, also those without an account here", false },
	{ "region", "KEY", "one of the vendor's regions", false },
	{ "directory", "URL", "any directory", false },
	{ 0 }
};

/* One directory: what it says now. */
static int check_one(struct cli *c, const struct cli_args *a, const char *key, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_json_ json_t *body = json_object();
	struct cli_call q = { .method = HTTP_POST, .path = "/vendors/read", .body = body };

	if (key)
		json_object_set_new(body, "vendor", json_string(key));
	if (arg_has(a, "region"))
		json_object_set_new(body, "region", json_string(arg(a, "region")));
	if (arg_has(a, "directory"))
		json_object_set_new(body, "directory_url", json_string(arg(a, "directory")));
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (r.http.status == 202) { /* it takes longer: when the job is done, the reading is there at once */
		if (cli_job_wait(c, &r, err) < 0)
			return -(int)err->code;
		cli_answer_done(&r);
		if (cli_request(c, &q, &r, err) < 0)
			return -(int)err->code;
	}
	if (c->json)
		cli_print_json(&r);
	else
		print_reading(r.doc);
	return 0;
}

static void print_moves(const json_t *items)
{
	size_t i;
	json_t *v;

	json_array_foreach(items, i, v) {
		const json_t *reading = json_object_get(v, "reading");
		_cleanup_free_ char *title = cli_member(v, "title"), *url = cli_member(v, "directory_url"), *at = NULL;

		if (!json_is_object(reading))
			continue;
		at = cli_member(reading, "facts_at");
		printf("%s  %s\n", title, url);
		if (json_is_object(json_object_get(reading, "reason")))
			cli_print_reason(json_object_get(reading, "reason"), "    ");
		else if (!json_array_size(json_object_get(reading, "moved")))
			printf("    nothing moved; read at %s\n", at);
		else
			print_texts("    moved:", json_object_get(reading, "moved"), false);
	}
}

static int check(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 }, now = { 0 };
	_cleanup_json_ json_t *body = json_pack("{s:b}", "all", arg_has(a, "all"));
	struct cli_call q = { .method = HTTP_POST, .path = "/vendors/check", .body = body };
	const json_t *jobs;
	json_t *job;
	size_t i;

	if (a->words.n > 1)
		return err_set(err, ERR_INVALID, "one vendor at a time, or none for all with an account here");
	if (a->words.n && (arg_has(a, "all") || arg_has(a, "directory")))
		return err_set(err, ERR_INVALID, "a vendor, --directory and --all exclude each other");
	if (a->words.n || arg_has(a, "directory"))
		return check_one(c, a, a->words.n ? a->words.v[0] : NULL, err);
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	jobs = json_object_get(r.doc, "jobs");
	json_array_foreach(jobs, i, job) {
		_cleanup_free_ char *path = cli_path("jobs", json_string_value(job) ?: "-", "");
		_cleanup_answer_ struct cli_answer one = { 0 };
		_cleanup_err_ struct err why = ERR_INIT;

		if (cli_get(c, path, &one, err) < 0)
			return -(int)err->code;
		if (cli_job_wait(c, &one, &why) < 0 && why.code == ERR_TIMEOUT)
			return err_move(err, &why); /* another reason stands in the reading */
	}
	if (cli_get(c, "/vendors", &now, err) < 0)
		return -(int)err->code;
	if (c->json)
		cli_print_json(&now);
	else
		print_moves(json_object_get(now.doc, "items"));
	return 0;
}

const struct cli_verb vendor_verbs[] = {
	{ "vendor", "list", "", list, NULL, "the authorities known by name" },
	{ "vendor", "show", "NAME", show, NULL, "all that is known of one, and where to find its external account values" },
	{ "vendor", "set", "NAME", set, set_options, "use another directory URL for a vendor" },
	{ "vendor", "check", "[NAME]", check, check_options, "read directories again and say what moved" },
	{ 0 }
};
