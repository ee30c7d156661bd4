/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - `record list | show` and `delegation create | list | show | delete`. */
#include "cli/verb.h"

static const struct cli_option record_options[] = {
	{ "order", "ID", "only records of this order", false },
	{ "kind", "K", "dns-01 or http-01", false },
	{ "status", "S", "not-ready, ready, valid, invalid, withdrawn", false },
	{ "domain", "NAME", "only records at this name, the whole of it", false },
	CLI_SORT,
	CLI_PAGING,
	{ 0 }
};

static int records(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "DOMAIN", "domain", 60 }, { "TYPE", "type", 0 }, { "TTL", "ttl", 0 },
						     { "VALUE", "value", 48 }, { "STATUS", "status", 0 }, { "ORDER", "order_num", 0 }, { 0 } };
	static const char *const filters[] = { "order_id", "kind", "status", "domain", "sort", NULL };

	return cli_list(c, a, "/records", filters, columns, err);
}

static int record_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column fields[] = { { "Id", "id", 0 },	   { "Number", "num", 0 },   { "Order", "order_num", 0 },	{ "Domain", "domain", 0 },
						    { "Type", "type", 0 }, { "Kind", "kind", 0 },    { "TTL", "ttl", 0 },		{ "Token", "token", 0 },
						    { "Value", "value", 0 }, { "Status", "status", 0 }, { "Zone file line", "bind_line", 0 }, { "URL", "url", 0 },
						    { "Folder", "path", 0 }, { "File name", "file_name", 0 }, { "Answered also at", "alias", 0 },
						    { "Published at", "published_at", 0 }, { "Ready at", "ready_at", 0 }, { "Withdrawn at", "withdrawn_at", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, "the record's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("records", id, "");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

const struct cli_verb record_verbs[] = {
	{ "record", "list", "", records, record_options, "challenge records: domain, type, TTL, value, status" },
	{ "record", "show", "ID", record_show, NULL, "one challenge record" },
	{ 0 }
};

static const struct cli_column delegation_fields[] = { { "Id", "id", 0 }, { "Number", "num", 0 }, { "Name", "name", 0 }, { "Zone", "zone", 0 },
						       { "NS line", "ns_line", 0 }, { "CNAME line", "cname_line", 0 }, { "Provider", "provider_id", 0 }, { "Gone elsewhere", "away", 0 },
						       { "Gone since", "away_since", 0 }, { "Made for order", "made_for_order", 0 }, { "Created at", "created_at", 0 },
						       { 0 } };

static const struct cli_option delegation_options[] = {
	{ "name", "TEXT", "a part of the name", false },
	CLI_SORT,
	CLI_PAGING,
	{ 0 }
};

static const struct cli_option create_options[] = {
	{ "provider", "ID", "the name leads into a zone at this provider, which writes there", false },
	{ "target", "NAME", "where _acme-challenge.NAME leads by CNAME, in that zone", false },
	{ 0 }
};

static int delegation_create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_json_ json_t *body = NULL;
	struct cli_call q = { .method = HTTP_POST, .path = "/delegations", .create = true };
	const char *name, *provider = arg(a, "provider"), *target = arg(a, "target");

	if (arg_word(a, "the name", &name, err) < 0)
		return -(int)err->code;
	body = json_pack("{s:s, s:s*, s:s*}", "name", name, "provider_id", provider, "target", target);
	if (!body)
		return err_set(err, ERR_INVALID, "the name is not UTF-8 text");
	q.body = body;
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, delegation_fields);
	return 0;
}

static int delegations(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 60 }, { "NS LINE", "ns_line", 0 }, { "CREATED AT", "created_at", 0 }, { 0 } };

	return cli_list(c, a, "/delegations", (const char *const[]){ "name", "sort", NULL }, columns, err);
}

static int delegation_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_show(c, a, "the delegation's id", "delegations", delegation_fields, err);
}

static int delegation_delete(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_remove(c, a, "the delegation's id", "delegations", err);
}

static const struct cli_option paste_options[] = {
	{ "provider", "ID", "the names lead into a zone at this provider, which writes there", false },
	{ "zone", "ZONE", "with --provider: a name without a target leads to _acme-challenge.NAME.ZONE", false },
	{ 0 }
};

static const struct cli_option lines_options[] = {
	{ "all", NULL, "of all delegations", false },
	{ 0 }
};

const struct cli_verb delegation_verbs[] = {
	{ "delegation", "create", "NAME", delegation_create, create_options, "serve the zone _acme-challenge.NAME, or lead it to a provider" },
	{ "delegation", "list", "", delegations, delegation_options, "names whose _acme-challenge is answered here or leads to a provider" },
	{ "delegation", "show", "ID", delegation_show, NULL, "one delegation with the line to copy" },
	{ "delegation", "check", "ID", cli_delegation_check, NULL, "look whether it leads to us, or to its provider, and whether we answer" },
	{ "delegation", "asked", "ID", cli_delegation_asked, NULL, "what the Internet asked about the zone: the real proof" },
	{ "delegation", "paste", "FILE", cli_delegation_paste, paste_options, "serve the zones of all names of a list, or lead them to a provider (NAME TARGET)" },
	{ "delegation", "lines", "", cli_delegation_lines, lines_options, "NS and CNAME lines for the parent zones of what is not delegated yet" },
	{ "delegation", "delete", "ID", delegation_delete, NULL, "stop serving the zone" },
	{ 0 }
};
