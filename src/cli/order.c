/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - `order create | list | show | watch | refresh | finalize | download | delete`. */
#include "base/clock.h"
#include "base/limits.h"
#include "cli/verb.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },
	{ "Number", "num", 0 },
	{ "Names", "display_names", 0 },
	{ "Status", "status", 0 },
	{ "Stage", "stage", 0 },
	{ "Account", "account_email", 0 },
	{ "Vendor", "vendor_title", 0 },
	{ "Validation", "validation", 0 },
	{ "External DNS", "external_dns", 0 },
	{ "Mode", "mode", 0 },
	{ "Key", "key_type", 0 },
	{ "Waiting for", "waiting_for", 0 },
	{ "Kept by the authority until", "expires_at", 0 },
	{ "Given up at", "give_up_at", 0 },
	{ "Next look at", "next_at", 0 },
	{ "CSR", "csr_id", 0 },
	{ "Certificate", "certificate_id", 0 },
	{ "Order URL", "url", 0 },
	{ "Created at", "created_at", 0 },
	{ "Ended at", "ended_at", 0 },
	{ 0 }
};

static const struct cli_option create_options[] = {
	{ "account", "ID", "the account that orders", false },
	{ "csr", "ID", "the CSR; or:", false },
	{ "name", "N", "a DNS name: Certwright makes key and CSR", true },
	{ "key", "TYPE", "key made for --name: p256 (default), p384, rsa2048, rsa3072, rsa4096", false },
	{ "validation", "TYPE", "dns-01 or http-01", false },
	{ "dns", "HOW", "dns-01, all names: delegation, manual, or a provider's id; default: rules, then a delegation, then manual", false },
	{ "http", "HOW", "http-01, all names: builtin, manual, or a provider's id; default: rules, then builtin", false },
	{ "method", "NAME=HOW", "how this one name is proved, whatever is said for all", true },
	{ "profile", "NAME", "certificate profile of the authority", false },
	{ "profile-fallback", NULL, "order without the profile when the authority refuses it", false },
	{ "preferred-chain", "ISSUER", "take the chain that leads to this issuer, if it is offered", false },
	{ "not-after", "TIME", "wished end, 2027-01-31T00:00:00Z; many authorities take none", false },
	{ "step-by-step", NULL, "stop when ready, finalize by hand", false },
	{ "wait", NULL, "wait until the order is over", false },
	{ 0 }
};

static bool ended(const char *status)
{
	return streq(status, "valid") || streq(status, "invalid");
}

static void show_work(const json_t *order)
{
	size_t i;
	json_t *r;

	json_array_foreach(json_object_get(order, "records"), i, r) {
		_cleanup_free_ char *line = cli_member(r, "bind_line"), *url = cli_member(r, "url"), *value = cli_member(r, "value"),
				    *status = cli_member(r, "status"), *path = cli_member(r, "path"), *file = cli_member(r, "file_name");

		if (!streq(status, "not-ready"))
			continue;
		if (*line)
			fprintf(stderr, "    %s\n", line);
		else if (*url)
			fprintf(stderr, "    %s must answer: %s\n    (folder %s, file %s, that content and nothing else)\n", url, value, path, file);
	}
}

struct watch {
	char *last_event; /* id of the last one that was shown */
	char *last_stage;
	int64_t first_ms; /* instant of the order's first event */
};

/* What happened since the last look, one line each, with the time since the order was made. */
static void progress(struct watch *w, const json_t *order, const char *stage)
{
	_cleanup_free_ char *names = cli_member(order, "display_names"), *num = cli_member(order, "num");
	bool news = !w->last_event;
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(order, "events"), i, e) {
		_cleanup_free_ char *id = cli_member(e, "id"), *text = cli_member(e, "text"), *at = cli_member(e, "at"), *level = cli_member(e, "level");
		_cleanup_err_ struct err no = ERR_INIT;
		int64_t at_ms = 0;

		if (!news) {
			news = streq(id, w->last_event);
			continue;
		}
		(void)clock_parse(at, &at_ms, &no);
		if (!w->last_event) {
			w->first_ms = at_ms;
			fprintf(stderr, "order %s: %s\n", num, names);
		}
		fprintf(stderr, "  %8.3f s  %s%s\n", (double)(at_ms - w->first_ms) / 1000, streq(level, "info") ? "" : "(!) ", text);
		replace_str(&w->last_event, id);
	}
	if (w->last_stage && streq(w->last_stage, stage))
		return;
	if (strstr(stage, "waiting") || streq(stage, "ready to finalize") || streq(stage, "set aside") || streq(stage, "valid") || streq(stage, "invalid"))
		fprintf(stderr, "  %10s  %s\n", "->", stage);
	if (streq(stage, "waiting for you"))
		show_work(order);
	replace_str(&w->last_stage, stage);
}

static void watch_done(struct watch *w)
{
	free(w->last_event);
	free(w->last_stage);
}

/* How the wait ended, as the exit status wants it. */
static int verdict(const json_t *order, const char *status, const char *stage, struct err *err)
{
	_cleanup_free_ char *num = cli_member(order, "num");

	if (streq(status, "valid"))
		return 0;
	if (streq(status, "invalid")) {
		cli_reason_error(json_object_get(order, "reason"), err);
		return err_wrap(err, "order %s is invalid", num);
	}
	if (json_is_true(json_object_get(order, "set_aside"))) {
		if (json_is_object(json_object_get(order, "reason"))) {
			_cleanup_err_ struct err why = ERR_INIT;
			_cleanup_free_ char *text = NULL;

			cli_reason_error(json_object_get(order, "reason"), &why);
			text = err_text(&why);
			return err_set(err, ERR_NEEDS_PERSON, "order %s is set aside: %s", num, text);
		}
		return err_set(err, ERR_NEEDS_PERSON, "order %s is set aside", num);
	}
	err_set(err, ERR_NEEDS_PERSON, "order %s waits for a person (%s)", num, stage);
	if (streq(status, "ready"))
		err_hint(err, "Finalize it: `certwright order finalize %s`.", num);
	return -(int)err->code;
}

/* A server that restarts is no reason to stop waiting. */
static bool passing(enum err_code code)
{
	return code == ERR_NETWORK || code == ERR_TIMEOUT || code == ERR_BUSY || code == ERR_STORE;
}

int cli_watch_order(struct cli *c, const char *id, bool told, struct cli_answer *a, struct err *err)
{
	_cleanup_free_ char *path = cli_path("orders", id, "");
	__attribute__((cleanup(watch_done))) struct watch w = { 0 };
	int64_t patience = clock_boot(&clock_system) + 30 * SECOND_MS, pause = 50;
	unsigned lost = 0;

	for (;;) {
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *status = NULL, *stage = NULL;
		bool by_steps, person;

		if (cli_get(c, path, a, &why) < 0) {
			if (!passing(why.code) || ++lost > 60)
				return err_move(err, &why);
			nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
			continue;
		}
		lost = 0;
		status = cli_member(a->doc, "status");
		stage = cli_member(a->doc, "stage");
		if (!c->quiet)
			progress(&w, a->doc, stage);
		by_steps = streq(stage, "ready to finalize") && (!told || clock_boot(&clock_system) > patience);
		person = streq(stage, "waiting for you") && !isatty(STDERR_FILENO);
		if (ended(status) || by_steps || person || json_is_true(json_object_get(a->doc, "set_aside")))
			return verdict(a->doc, status, stage, err);
		nanosleep(&(struct timespec){ .tv_sec = pause / 1000, .tv_nsec = (pause % 1000) * 1000000 }, NULL);
		pause = MIN(pause + 50, 1000);
	}
}

/* Waits when asked to, then shows; a wait that ended badly is shown too and stays the error. */
static int wait_and_show(struct cli *c, const struct cli_args *a, bool told, struct cli_answer *r, struct err *err)
{
	_cleanup_free_ char *id = cli_member(r->doc, "id");

	if (arg_has(a, "wait")) {
		(void)cli_watch_order(c, id, told, r, err);
		if (!r->doc)
			return -(int)err->code;
	}
	if (c->json)
		cli_print_json(r);
	else
		cli_print_fields(r->doc, fields);
	return err_is(err) ? -(int)err->code : 0;
}

int cli_take_methods(const struct cli_args *a, json_t *body, struct err *err)
{
	_cleanup_strlist_ struct strlist l = { 0 };
	_cleanup_json_ json_t *methods = json_object();

	arg_list(a, "method", &l);
	for (size_t i = 0; i < l.n; i++) {
		char *eq = strchr(l.v[i], '=');

		if (!eq || eq == l.v[i] || !eq[1])
			return err_set(err, ERR_INVALID, "--method is NAME=HOW");
		*eq = '\0';
		if (json_object_set_new(methods, l.v[i], json_string(eq + 1)) < 0)
			return err_set(err, ERR_INVALID, "--method is not UTF-8 text");
	}
	if (l.n)
		json_object_set(body, "methods", methods);
	return 0;
}

static const struct cli_option preview_options[] = {
	{ "account", "ID", "the account that would order: rules of its vendor count", false },
	{ "csr", "ID", "the CSR; or:", false },
	{ "name", "N", "a DNS name", true },
	{ "validation", "TYPE", "dns-01 or http-01", false },
	{ "dns", "HOW", "as for order create", false },
	{ "http", "HOW", "as for order create", false },
	{ "method", "NAME=HOW", "as for order create", true },
	{ 0 }
};

int cli_preview(struct cli *c, json_t *body, struct err *err)
{
	static const struct cli_column columns[] = { { "NAME", "name", 60 }, { "METHOD", "method_name", 40 }, { "TYPE", "method_title", 0 },
						     { "DECIDED BY", "by", 0 }, { "CHOOSE", "ask", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_request(c, &(struct cli_call){ .method = HTTP_POST, .path = "/orders/preview", .body = body }, &r, err) < 0)
		return -(int)err->code;
	if (c->json)
		cli_print_json(&r);
	else
		cli_print_rows(json_object_get(r.doc, "names"), columns, "");
	return 0;
}

static int preview(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const char *const texts[][2] = { { "account", "account_id" }, { "csr", "csr_id" }, { "validation", "validation" }, { "dns", "dns" },
						{ "http", "http" } };
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_json_ json_t *body = json_object();

	if (arg_no_words(a, err) < 0 || cli_take_methods(a, body, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "validation"))
		return err_set(err, ERR_INVALID, "--validation is missing");
	arg_list(a, "name", &names);
	if (names.n)
		json_object_set_new(body, "names", json_strlist(&names));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (arg(a, texts[i][0]))
			json_object_set_new(body, texts[i][1], json_string(arg(a, texts[i][0])));
	return cli_preview(c, body, err);
}

static int create(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const char *const texts[][2] = { { "account", "account_id" }, { "csr", "csr_id" }, { "key", "key_type" }, { "validation", "validation" },
						{ "dns", "dns" }, { "http", "http" }, { "profile", "profile" },
						{ "preferred-chain", "preferred_chain" }, { "not-after", "not_after" } };
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/orders", .body = body, .create = true };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "account") || !arg_has(a, "validation"))
		return err_set(err, ERR_INVALID, "--%s is missing", arg_has(a, "account") ? "validation" : "account");
	arg_list(a, "name", &names);
	if (!names.n && !arg_has(a, "csr"))
		return err_set(err, ERR_INVALID, "give --csr ID or at least one --name");
	if (names.n)
		json_object_set_new(body, "names", json_strlist(&names));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (arg(a, texts[i][0]))
			json_object_set_new(body, texts[i][1], json_string(arg(a, texts[i][0])));
	if (cli_take_methods(a, body, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "profile-fallback"))
		json_object_set_new(body, "profile_fallback", json_true());
	if (arg_has(a, "step-by-step"))
		json_object_set_new(body, "mode", json_string("step-by-step"));
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	return wait_and_show(c, a, false, &r, err);
}

static const struct cli_option list_options[] = {
	{ "sort", "WHAT", "what stands first: newest (the default), oldest, name or status (what failed first)", false },
	{ "status", "S", "only orders of this status: pending, ready, processing, valid, invalid", false },
	{ "account", "ID", "only orders of this account", false },
	{ "certificate", "ID", "only orders of this certificate", false },
	{ "name", "TEXT", "only orders with this text in one of their names, at least three characters", false },
	CLI_PAGING,
	{ 0 }
};

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 },	  { "ID", "id", 0 },		{ "NAMES", "display_names", 40 },
						     { "VENDOR", "vendor_title", 24 }, { "ACCOUNT", "account_email", 30 }, { "VALIDATION", "validation", 0 }, { "EXTERNAL DNS", "external_dns", 30 },
						     { "STATUS", "status", 0 },	  { "STAGE", "stage", 0 },	{ "CREATED AT", "created_at", 0 }, { 0 } };
	static const char *const filters[] = { "status", "account_id", "certificate_id", "name", "sort", NULL };

	return cli_list(c, a, "/orders", filters, columns, err);
}

static void show_parts(const json_t *order)
{
	static const struct cli_column authorizations[] = { { "NAME", "identifier", 50 }, { "WILDCARD", "wildcard", 0 }, { "STATUS", "status", 0 },
							    { "CHALLENGE", "challenge_status", 0 }, { 0 } };
	static const struct cli_column records[] = { { "DOMAIN", "domain", 60 }, { "TYPE", "type", 0 }, { "TTL", "ttl", 0 }, { "VALUE", "value", 48 },
						     { "STATUS", "status", 0 }, { 0 } };
	static const struct cli_column events[] = { { "AT", "at", 0 }, { "", "level", 0 }, { "WHAT HAPPENED", "text", 0 }, { 0 } };
	const struct {
		const char *title, *member;
		const struct cli_column *columns;
	} parts[] = { { "Authorizations", "authorizations", authorizations }, { "Records", "records", records }, { "Story", "events", events } };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const json_t *items = json_object_get(order, parts[i].member);

		if (!json_array_size(items))
			continue;
		printf("\n%s\n", parts[i].title);
		cli_print_rows(items, parts[i].columns, "  ");
	}
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_read(c, a, "the order's id", "orders", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	if (!c->json)
		show_parts(r.doc);
	return 0;
}

static int watch(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the order's id", &id, err) < 0)
		return -(int)err->code;
	(void)cli_watch_order(c, id, false, &r, err);
	if (r.doc && c->json && r.http.status == 200)
		cli_print_json(&r);
	return err_is(err) ? -(int)err->code : 0;
}

static const struct cli_option event_options[] = { CLI_PAGING, { 0 } };

static int events(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "AT", "at", 0 }, { "", "level", 0 }, { "WHAT HAPPENED", "text", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL, *query = NULL;
	const char *id;

	if (arg_word(a, "the order's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("orders", id, "/events");
	query = cli_list_path(c, path, NULL);
	if (cli_get(c, query, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

static const struct cli_option wait_options[] = { { "wait", NULL, "wait until the order is over", false }, { 0 } };

static int act(struct cli *c, const struct cli_args *a, const char *what, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST };
	const char *id;

	if (arg_word(a, "the order's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("orders", id, what);
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	return wait_and_show(c, a, streq(what, "/finalize"), &r, err);
}

static int refresh(struct cli *c, const struct cli_args *a, struct err *err)
{
	return act(c, a, "/refresh", err);
}

static int go_on(struct cli *c, const struct cli_args *a, struct err *err)
{
	return act(c, a, "/go-on", err);
}

static int finalize(struct cli *c, const struct cli_args *a, struct err *err)
{
	return act(c, a, "/finalize", err);
}

static const struct cli_option out_options[] = { { "out", "FILE", "where to; default: standard output", false }, { 0 } };

static int download(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id, *out = arg(a, "out");

	if (arg_word(a, "the order's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("orders", id, "/certificate");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	return cli_hand_out(c, out, "pem", &r.http.body, false, err);
}

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *id;

	if (arg_word(a, "the order's id", &id, err) < 0 || cli_delete(c, "orders", id, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "deleted; CSR, key and certificate stay");
	return 0;
}

const struct cli_verb order_verbs[] = {
	{ "order", "create", "", create, create_options, "order a certificate; the same request again gets the live order" },
	{ "order", "preview", "", preview, preview_options, "how each name of such an order would be proved, and who decides" },
	{ "order", "list", "", list, list_options, "the orders" },
	{ "order", "show", "ID", show, NULL, "one order with its authorizations, records and story" },
	{ "order", "events", "ID", events, event_options, "the whole story of an order, oldest first" },
	{ "order", "watch", "ID", watch, NULL, "follow an order, a line a stage, until it is over" },
	{ "order", "refresh", "ID", refresh, wait_options, "make the order due now" },
	{ "order", "go-on", "ID", go_on, wait_options, "let the authority look although the records are not seen everywhere" },
	{ "order", "finalize", "ID", finalize, wait_options, "finalize an order that is ready" },
	{ "order", "download", "ID", download, out_options, "the certificate of a valid order, full chain as PEM" },
	{ "order", "delete", "ID", del, NULL, "stop a live order and take it off the lists" },
	{ 0 }
};
