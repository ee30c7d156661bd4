/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.c - one call of one publisher against a real remote side:
 *
 *	provider KIND publish|withdraw|settled|zones|find-zone|info|look NAME VALUE... -- field=value ... [+trust=ca.pem] [+zone=Z] [+program=name=/path]
 *	provider KIND attach|detach NAME SERVER -- ...
 *
 * publish answers with what the vendor can be asked by (or null), settled with whether all of its servers have that change.
 * For http-01 the values are a token and its key authorization; +webroot=name=/path names a directory.
 *
 * The way out is the product's: the HTTP client with its policy (loopback allowed), the runner for programs. Prints one JSON object.
 */
#include "app/runner.h"
#include "base/json.h"
#include "base/stop.h"
#include "net/client.h"
#include "publish/acmesh.h"
#include "publish/publisher.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	const char *kind, *act, *name, *trust, *zone;
	struct strlist values, fields, programs, webroots;
};

static void usage(void)
{
	fputs("usage: provider KIND publish|withdraw|zones|find-zone|info NAME VALUE... -- field=value...\n", stderr);
	exit(2);
}

static void read_options(int argc, char **argv, struct options *o)
{
	int i = 4;

	if (argc < 4)
		usage();
	*o = (struct options){ .kind = argv[1], .act = argv[2], .name = argv[3], .zone = "" };
	for (; i < argc && !streq(argv[i], "--"); i++)
		strlist_add(&o->values, argv[i]);
	for (i++; i < argc; i++) {
		if (str_starts(argv[i], "+trust="))
			o->trust = argv[i] + 7;
		else if (str_starts(argv[i], "+zone="))
			o->zone = argv[i] + 6;
		else if (str_starts(argv[i], "+program="))
			strlist_add(&o->programs, argv[i] + 9);
		else if (str_starts(argv[i], "+webroot="))
			strlist_add(&o->webroots, argv[i] + 9);
		else
			strlist_add(&o->fields, argv[i]);
	}
}

/* In the order of the table; what is not given has its default. */
static size_t values_of(const struct publisher *p, const struct options *o, struct field_value *out, struct secret *secrets)
{
	size_t n = 0;

	for (const struct field *f = p->fields; f && f->name; f++, n++) {
		const char *text = f->standard;

		for (size_t i = 0; i < o->fields.n; i++)
			if (!strncmp(o->fields.v[i], f->name, strlen(f->name)) && o->fields.v[i][strlen(f->name)] == '=')
				text = o->fields.v[i] + strlen(f->name) + 1;
		out[n] = (struct field_value){ .name = f->name };
		if (f->flags & FIELD_SECRET && text) {
			secrets[n] = secret_from(text);
			out[n].secret = &secrets[n];
		} else {
			out[n].text = text;
		}
	}
	return n;
}

static json_t *info_of(const struct publish_env *env, const struct options *o, struct err *err)
{
	_cleanup_acmesh_info_ struct acmesh_info info = { 0 };
	json_t *list = json_array();

	acmesh_info_read(env, "acme-sh", o->name, &info, err);
	for (size_t i = 0; i < info.n; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:b}", "name", info.options[i].name, "help", info.options[i].help, "default",
						      json_str_or_null(info.options[i].standard), "optional", info.options[i].optional));
	return list;
}

static json_t *act(const struct publisher *p, void *self, const struct publish_env *env, struct options *o, struct err *err)
{
	struct challenge_set set = { .kind = VALIDATION_DNS01, .zone = o->zone, .name = o->name, .values = o->values, .ttl_s = p->ttl_s };
	_cleanup_strlist_ struct strlist zones = { 0 }, http = { 0 };
	struct publish_env asking = *env;
	char *zone = NULL, *receipt = NULL;
	json_t *r = NULL;

	if (p->kinds & KIND_HTTP01 && o->values.n == 2) { /* a token and its key authorization */
		set = (struct challenge_set){ .kind = VALIDATION_HTTP01, .zone = "", .name = o->name, .token = o->values.v[0] };
		strlist_add(&http, o->values.v[1]);
		set.values = http;
	}
	if (streq(o->act, "publish")) {
		asking.receipt = &receipt;
		p->publish(self, &asking, &set, err);
		r = json_str_or_null(receipt);
		free(receipt);
	} else if (streq(o->act, "settled") && p->settled) {
		r = json_boolean(p->settled(self, env, o->name, err) == 1);
	} else if (streq(o->act, "withdraw")) {
		p->withdraw(self, env, &set, err);
	} else if (streq(o->act, "look") && p->look) {
		p->look(self, env, &r, err);
	} else if ((streq(o->act, "attach") || streq(o->act, "detach")) && p->attach && o->values.n == 1) {
		p->attach(self, env, &(struct publish_attach){ .server = o->values.v[0], .attach = streq(o->act, "attach") }, &r, err);
	} else if (streq(o->act, "info")) {
		r = info_of(env, o, err);
	} else if (streq(o->act, "zones") && p->zones) {
		p->zones(self, env, &zones, err);
		r = json_strlist(&zones);
	} else if (streq(o->act, "find-zone") && p->find_zone) {
		p->find_zone(self, env, o->name, &zone, err);
		r = json_str_or_null(zone);
		free(zone);
	} else {
		usage();
	}
	return r ? r : json_null();
}

int main(int argc, char **argv)
{
	struct field_value values[16];
	struct secret secrets[16] = { 0 };
	struct net_policy *policy;
	struct net_client *client;
	struct runner_client runner = { -1 };
	struct publish_env env = { .clock = &clock_system, .run_program = runner_client_run, .program_arg = &runner };
	struct err err = { 0 };
	const struct publisher *p;
	struct options o;
	void *self = NULL;
	int pair[2] = { -1, -1 };
	pid_t pid = 0;
	json_t *result;
	char *out;

	read_options(argc, argv, &o);
	p = publisher_kind(o.kind);
	if (!p)
		usage();
	json_init();
	net_init();
	if (o.programs.n) {
		if (runner_pair(pair, &err) < 0 || runner_start(&(struct runner_options){ .programs = &o.programs }, pair[1], &pid, &err) < 0) {
			fprintf(stderr, "%s\n", err.detail);
			return 1;
		}
		runner.fd = pair[0];
	}
	if (net_policy_new(&(struct net_config){ .trust = o.trust, .allow = "127.0.0.0/8", .any_address = true }, &policy, &err) < 0) {
		fprintf(stderr, "%s\n", err.detail);
		return 1;
	}
	client = net_client_new(policy, NULL);
	env.http = net_client_http(client);
	result = json_null();
	env.webroots = &o.webroots;
	if (p->open(&env, values, values_of(p, &o, values, secrets), &self, &err) == 0) {
		result = act(p, self, &env, &o, &err);
		p->close(self);
	}
	{
		json_t *doc = json_pack("{s:b,s:o,s:s,s:o}", "ok", !err_is(&err), "result", result, "code", err_slug(err.code), "error",
					err_is(&err) ? err_to_json(&err) : json_null());

		out = json_text(doc);
		json_decref(doc);
	}
	puts(out);
	free(out);
	net_client_free(client);
	net_policy_unref(policy);
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
	return err_is(&err) ? 1 : 0;
}
