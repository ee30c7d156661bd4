/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.c - `challenge texts`, `challenge servers | attach | detach`: what HTTP-01 needs on the machine that has port 80. */
#include "base/buf.h"
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_option text_options[] = {
	{ "host", "NAME", "public name of this server, as it stands in the texts", false },
	{ "way", "W", "redirect or forward; both when it is not given", false },
	{ "for", "WHAT", "nginx, apache, iis, haproxy, f5-policy or irule", false },
	{ 0 }
};

static bool wanted(const struct cli_args *a, json_t *item, const char *option, const char *member)
{
	const char *text = json_string_value(json_object_get(item, member));

	return !arg_has(a, option) || (text && streq(text, arg(a, option)));
}

static int texts(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const char *const filters[] = { "host", NULL };
	_cleanup_free_ char *path = cli_list_path(c, "/challenge-texts", filters);
	_cleanup_answer_ struct cli_answer r = { 0 };
	json_t *item;
	size_t i;

	if (arg_no_words(a, err) < 0 || cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	if (c->json) {
		cli_print_object(c, &r, NULL);
		return 0;
	}
	json_array_foreach(json_object_get(r.doc, "items"), i, item)
		if (wanted(a, item, "way", "way") && wanted(a, item, "for", "name"))
			printf("# %s (%s). %s\n%s\n", json_string_value(json_object_get(item, "title")), json_string_value(json_object_get(item, "way")),
			       json_string_value(json_object_get(item, "help")), json_string_value(json_object_get(item, "text")));
	return 0;
}

/* The device is looked at; the provider's document is the answer. */
static int look(struct cli *c, const char *id, struct cli_answer *r, json_t **ret_servers, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_free_ char *path = cli_path("providers", id, "/test");
	struct cli_call q = { .method = HTTP_POST, .path = path, .body = body };
	json_t *reason;

	if (cli_request(c, &q, r, err) < 0 || cli_settle(c, "providers", r, err) < 0)
		return -(int)err->code;
	reason = json_object_get(r->doc, "reason");
	if (json_is_object(reason))
		return cli_reason_error(reason, err);
	*ret_servers = json_object_get(json_object_get(json_object_get(r->doc, "test"), "remote"), "servers");
	return json_is_array(*ret_servers) ? 0 : err_set(err, ERR_INVALID, "'%s' has no virtual servers", id);
}

static int servers(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "SERVER", "name", 0 },	    { "ADDRESS", "address", 0 }, { "PORT", "port", 0 }, { "HTTP", "http_profile", 0 },
						     { "ATTACHED", "attached", 0 }, { "UNFIT", "unfit", 60 },	 { "RULES", "rules", 60 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	json_t *list = NULL;
	const char *id;

	if (arg_word(a, "the provider's id", &id, err) < 0 || look(c, id, &r, &list, err) < 0)
		return -(int)err->code;
	if (c->json)
		cli_print_object(c, &r, NULL);
	else
		cli_print_rows(list, columns, "");
	return 0;
}

static const struct cli_option server_options[] = { { "virtual", "NAME", "the virtual server, /Common/vs_http", false }, { 0 } };

/* The rules as they are now are what the change is bound to. */
static int change(struct cli *c, const struct cli_args *a, bool attach, struct err *err)
{
	static const struct cli_column columns[] = { { "Server", "server", 0 }, { "Attached", "attached", 0 }, { "Before", "before", 0 }, { "After", "after", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer seen = { 0 }, r = { 0 };
	_cleanup_json_ json_t *body = NULL;
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST };
	json_t *list = NULL, *item, *rules = NULL;
	const char *id;
	size_t i;

	if (arg_word(a, "the provider's id", &id, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "virtual"))
		return err_set(err, ERR_INVALID, "--virtual NAME is needed; `certwright challenge servers` lists them");
	if (look(c, id, &seen, &list, err) < 0)
		return -(int)err->code;
	json_array_foreach(list, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name && streq(name, arg(a, "virtual")))
			rules = json_object_get(item, "rules");
	}
	if (!rules)
		return err_set(err, ERR_NOT_FOUND, "the device has no virtual server '%s'", arg(a, "virtual"));
	q.body = body = json_pack("{s:s, s:b, s:O}", "server", arg(a, "virtual"), "attach", attach, "expect", rules);
	q.path = path = cli_path("providers", id, "/attach");
	if (cli_request(c, &q, &r, err) < 0 || (r.http.status == 202 && cli_job_wait(c, &r, err) < 0))
		return -(int)err->code;
	if (!c->json && json_is_object(json_object_get(r.doc, "result"))) {
		cli_print_fields(json_object_get(r.doc, "result"), columns);
		return 0;
	}
	cli_print_object(c, &r, columns);
	return 0;
}

static int attach_(struct cli *c, const struct cli_args *a, struct err *err)
{
	return change(c, a, true, err);
}

static int detach_(struct cli *c, const struct cli_args *a, struct err *err)
{
	return change(c, a, false, err);
}

const struct cli_verb challenge_verbs[] = {
	{ "challenge", "texts", "", texts, text_options, "configuration that redirects or forwards HTTP-01 challenges to this server" },
	{ "challenge", "servers", "ID", servers, NULL, "virtual servers of an F5 target, and why one cannot be used" },
	{ "challenge", "attach", "ID", attach_, server_options, "put our iRule before the rules of a virtual server" },
	{ "challenge", "detach", "ID", detach_, server_options, "take our iRule from a virtual server" },
	{ 0 }
};
