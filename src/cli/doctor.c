/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - `doctor NAME...`: what stands in the way of proving names; `doctor`: is everything right with the server. */
#include "cli/cli.h"
#include "cli/verb.h"

#include <stdio.h>

/* Both say it with the exit status, too. */
static int to_put_right(size_t bad, const char *of, struct err *err)
{
	return bad ? err_set(err, ERR_NEEDS_PERSON, "%zu thing%s to be put right%s%s", bad, bad == 1 ? " has" : "s have", of ? ", of " : "", of ? of : "") : 0;
}

static bool is_text(const json_t *object, const char *member, const char *text)
{
	const char *s = json_string_value(json_object_get(object, member));

	return s && streq(s, text);
}

/* ---- names ---- */

static const struct cli_option options[] = {
	{ "account", "ID", "the account that is to order: its authority's rules, and its accounturi", false },
	{ "validation", "V", "dns-01 or http-01; both when left out", false },
	{ "dns", "M", "delegation, manual, or a provider's id", false },
	{ "http", "M", "builtin, manual, or a provider's id", false },
	{ "local", NULL, "without a name: only what the host itself shows, without asking the server", false },
	{ "last", NULL, "without a name: what the server found last, without looking again", false },
	{ 0 }
};

/* The exit status says whether something is bad; advice and what could not be seen do not. */
int cli_print_facts(struct cli *c, const struct cli_answer *r, json_t *facts, struct err *err)
{
	static const struct cli_column columns[] = { { "NAME", "name", 40 },   { "STATE", "state", 0 }, { "CHECK", "check", 0 },
						     { "WHAT", "text", 140 }, { "DO", "todo", 140 },   { "VIEW", "view", 20 }, { 0 } };
	const char *name = NULL;
	size_t bad = 0, i;
	json_t *f;

	if (c->json)
		cli_print_json(r);
	else
		cli_print_rows(facts, columns, "");
	json_array_foreach(facts, i, f)
		if (is_text(f, "state", "bad")) {
			name = json_string_value(json_object_get(f, "name"));
			bad++;
		}
	return to_put_right(bad, name, err);
}

static int look_at_names(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/preflight", .body = body };
	json_t *names = json_array(), *doc;

	json_object_set_new(body, "names", names);
	for (size_t i = 0; i < a->words.n; i++)
		if (json_array_append_new(names, json_string(a->words.v[i])) < 0)
			return err_set(err, ERR_INVALID, "a name is not UTF-8 text");
	if (cli_connect(c, err) < 0 || cli_take_text(a, body, "account", "account_id", err) < 0 || cli_take_text(a, body, "validation", "validation", err) < 0 ||
	    cli_take_text(a, body, "dns", "dns", err) < 0 || cli_take_text(a, body, "http", "http", err) < 0 || cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (r.http.status == 202 && cli_job_wait(c, &r, err) < 0)
		return -(int)err->code;
	doc = json_object_get(r.doc, "result") ? json_object_get(r.doc, "result") : r.doc;
	return cli_print_facts(c, &r, json_object_get(doc, "facts"), err);
}

/* ---- the whole server ---- */

static json_t *from_host;    /* what `certwright doctor` found on this host before; NULL: it is not the server's */
static bool ask_server = true;

/* *ret: the API's Checks; owned. */
static int checks_of_server(struct cli *c, const struct cli_args *a, json_t **ret, struct err *err)
{
	struct cli_call q = { .method = HTTP_POST, .path = "/checks" };
	_cleanup_answer_ struct cli_answer r = { 0 }, last = { 0 };
	bool again = !arg_has(a, "last");

	if (cli_connect(c, err) < 0 || (again && cli_request(c, &q, &r, err) < 0))
		return -(int)err->code;
	if (again && r.http.status == 202 && cli_job_wait(c, &r, err) < 0)
		return -(int)err->code;
	if (again && json_object_get(r.doc, "rows")) {
		*ret = json_incref(r.doc);
		return 0;
	}
	if (cli_get(c, "/checks", &last, err) < 0)
		return -(int)err->code;
	*ret = json_incref(last.doc);
	return 0;
}

/* A server that does not answer, or that we may not ask, is a row beside those of the host. */
static void say_unreached(json_t *rows, const struct err *why)
{
	_cleanup_free_ char *text = err_text(why);
	bool denied = why->code == ERR_UNAUTHENTICATED || why->code == ERR_DENIED || why->code == ERR_INVALID || why->code == ERR_NEEDS_PERSON;

	json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "where", "host", "check", "server", "about", "", "state",
					      denied ? "not-checked" : "error", "text", text, "todo",
					      denied ? "Sign in as an administrator (certwright login) to have what the server itself sees." :
						       "Look at the rows above: why does it not run or answer?"));
}

static void count(json_t *doc)
{
	static const char *const states[] = { "ok", "warning", "error", "not-checked" };
	json_t *counts = json_object(), *row;
	size_t i;

	for (size_t k = 0; k < ARRAY_SIZE(states); k++) {
		json_int_t n = 0;

		json_array_foreach(json_object_get(doc, "rows"), i, row)
			n += is_text(row, "state", states[k]);
		json_object_set_new(counts, states[k], json_integer(n));
	}
	json_object_set_new(doc, "counts", counts);
}

static int look_at_all(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "STATE", "state", 0 }, { "CHECK", "check", 0 }, { "ABOUT", "about", 50 }, { "WHAT", "text", 160 }, { "DO", "todo", 160 }, { 0 } };
	_cleanup_json_ json_t *doc = NULL, *server = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *text = NULL;
	json_t *rows = from_host ? json_incref(from_host) : json_array();
	bool asked = ask_server && checks_of_server(c, a, &server, &why) == 0;

	if (ask_server && !asked && !from_host) {
		json_decref(rows);
		return err_move(err, &why);
	}
	if (ask_server && !asked)
		say_unreached(rows, &why);
	doc = asked ? json_copy(server) : json_pack("{s:n, s:n}", "node", "ran_at");
	if (asked)
		json_array_extend(rows, json_object_get(server, "rows"));
	json_object_set_new(doc, "rows", rows);
	count(doc);
	text = json_text(doc);
	if (c->json)
		printf("%s\n", text);
	else
		cli_print_rows(rows, columns, "");
	return to_put_right((size_t)json_integer_value(json_object_get(json_object_get(doc, "counts"), "error")), NULL, err);
}

static int doctor(struct cli *c, const struct cli_args *a, struct err *err)
{
	return a->words.n ? look_at_names(c, a, err) : look_at_all(c, a, err);
}

int cli_doctor(int argc, char **argv, struct json_t *take_host_rows, bool ask)
{
	int status;

	from_host = take_host_rows;
	ask_server = ask;
	status = cli_run(argc, argv);
	json_decref(from_host);
	from_host = NULL;
	return status;
}

const struct cli_verb doctor_verbs[] = {
	{ "doctor", NULL, "[NAME...]", doctor, options,
	  "is everything right with this server, on its host also when it is down; with names: what stands in the way of proving them (CAA, delegation, port 80, rules)", true },
	{ 0 }
};
