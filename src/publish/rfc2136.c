/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rfc2136.c - dynamic updates (RFC 2136) signed with TSIG, to the primary server of the zone: BIND, Knot DNS, PowerDNS, Windows.
 *
 * Updates add and delete single values, so nothing of others is read or written. Two traps are silent, NOERROR and nothing to be
 * seen: TXT at a name that holds a CNAME, and TXT in the parent below a zone cut. So what was written is read back.
 */
#include "publish/publisher.h"
#include "publish/txt.h"

#include "resolve/update.h"

extern const struct publisher publisher_rfc2136;

struct rfc2136 {
	char *server, *zone;
	struct tsig_key *key;
};

static void close_(void *self)
{
	struct rfc2136 *d = self;

	if (!d)
		return;
	free(d->server);
	free(d->zone);
	update_key_free(d->key);
	free(d);
}

static int read_key(struct rfc2136 *d, const struct field_value *values, size_t n, struct err *err)
{
	const char *name = field_text(values, n, "tsig_key"), *alg = field_text(values, n, "tsig_algorithm");
	const struct secret *secret = field_secret(values, n, "tsig_secret");

	if (str_empty(name) && (!secret || !secret->n))
		return 0;
	if (str_empty(name))
		return err_set_field(err, ERR_INVALID, "/fields/tsig_key", "the name of the TSIG key is missing");
	if (!secret || !secret->n)
		return err_set_field(err, ERR_INVALID, "/fields/tsig_secret", "the secret of the TSIG key is missing");
	return update_key_new(name, str_empty(alg) ? "hmac-sha256" : alg, secret, &d->key, err);
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const char *server = field_text(values, n, "server"), *zone = field_text(values, n, "zone");
	struct rfc2136 *d = xcalloc(1, sizeof *d);

	(void)env;
	if (str_empty(server) || update_server_check(server, err) < 0 || read_key(d, values, n, err) < 0) {
		if (!err_is(err))
			err_set_field(err, ERR_INVALID, "/fields/server", "the name server is missing");
		close_(d);
		return -(int)err->code;
	}
	d->server = xstrdup(server);
	d->zone = str_empty(zone) ? NULL : name_plain(zone);
	*ret_self = d;
	return 0;
}

static struct update_server begin(const struct rfc2136 *d, const struct publish_env *env)
{
	return (struct update_server){ .server = d->server, .key = d->key, .clock = env->clock,
				       .until_ms = clock_boot(env->clock) + publisher_rfc2136.timeout_s * SECOND_MS };
}

static bool within(const char *name, const char *zone)
{
	_cleanup_free_ char *plain = name_plain(name);

	for (const char *at = plain; at; at = name_up(at))
		if (streq(at, zone))
			return true;
	return false;
}

static int find(const struct rfc2136 *d, const struct update_server *s, const char *zone, const char *name, char **ret, struct err *err)
{
	if (!str_empty(zone)) {
		*ret = name_plain(zone);
		return 0;
	}
	if (!d->zone)
		return update_find_zone(s, name, ret, err);
	if (!within(name, d->zone))
		return err_set(err, ERR_NOT_FOUND, "'%s' is not in the zone '%s' of this provider", name, d->zone);
	*ret = xstrdup(d->zone);
	return 0;
}

/* What a NOERROR did not do. */
static int say_trap(const struct rfc2136 *d, const struct challenge_set *set, const char *alias, struct err *err)
{
	if (alias) {
		err_set(err, ERR_REMOTE_REFUSED, "'%s' is an alias of '%s' at '%s', so TXT records cannot be there", set->name, alias, d->server);
		return err_hint(err, "Remove the CNAME, or publish at its target.");
	}
	err_set(err, ERR_REMOTE_REFUSED, "the name server '%s' took the update of '%s' and does not show it", d->server, set->name);
	return err_hint(err, "Below a zone cut the records belong into the zone that was delegated: name its primary server here, or that zone.");
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	const struct rfc2136 *d = self;
	struct update_server s = begin(d, env);
	_cleanup_free_ char *zone = NULL, *alias = NULL;
	_cleanup_strlist_ struct strlist there = { 0 };

	if (find(d, &s, set->zone, set->name, &zone, err) < 0 ||
	    update_send(&s, &(struct update){ zone, set->name, &set->values, set->ttl_s, true }, err) < 0)
		return err_wrap(err, "could not add TXT values at '%s'", set->name);
	if (update_read(&s, set->name, &there, &alias, err) < 0) {
		if (err->code != ERR_DENIED && err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not read back the TXT values of '%s'", set->name);
		err_clear(err); /* it takes updates from us but no questions: the engine looks elsewhere */
		return 0;
	}
	for (size_t i = 0; i < set->values.n; i++)
		if (!strlist_has(&there, set->values.v[i]))
			return say_trap(d, set, alias, err);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	const struct rfc2136 *d = self;
	struct update_server s = begin(d, env);
	_cleanup_free_ char *zone = NULL;

	if ((find(d, &s, set->zone, set->name, &zone, err) < 0 ||
	     update_send(&s, &(struct update){ zone, set->name, &set->values, 0, false }, err) < 0) && err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not remove TXT values at '%s'", set->name);
	err_clear(err);
	return 0;
}

static int find_zone(void *self, const struct publish_env *env, const char *name, char **ret_zone, struct err *err)
{
	const struct rfc2136 *d = self;
	struct update_server s = begin(d, env);

	return find(d, &s, "", name, ret_zone, err);
}

/* A signed question, of the zone that was named if one was: an answer that is signed has taken the key. */
static int look(void *self, const struct publish_env *env, json_t **ret, struct err *err)
{
	const struct rfc2136 *d = self;
	struct update_server s = begin(d, env);
	_cleanup_free_ char *zone = NULL;

	if ((d->zone ? update_find_zone(&s, d->zone, &zone, err) : update_try_key(&s, err)) < 0)
		return -(int)err->code;
	if (d->zone && !streq(zone, d->zone))
		return err_set_field(err, ERR_INVALID, "/fields/zone", "the name server '%s' has no zone '%s': the name is in '%s'", d->server, d->zone, zone);
	*ret = json_pack("{s:s, s:o, s:b}", "server", d->server, "zone", json_str_or_null(d->zone), "signed", d->key != NULL);
	return 0;
}

static const char *const algorithms[] = { "hmac-sha256", "hmac-sha384", "hmac-sha512", NULL };

static const struct field fields[] = {
	{ .name = "server", .flags = FIELD_REQUIRED | FIELD_HOST | FIELD_ENDPOINT, .title = "Name server",
	  .help = "The primary server of the zone, name or address, perhaps with :port; a hidden primary is fine" },
	{ .name = "tsig_key", .title = "TSIG key", .max = 253, .help = "Name of the key, as in the key statement of the server" },
	{ .name = "tsig_algorithm", .title = "TSIG algorithm", .standard = "hmac-sha256", .choices = algorithms,
	  .help = "As in the key statement of the server" },
	{ .name = "tsig_secret", .flags = FIELD_SECRET, .title = "TSIG secret", .help = "The secret of the key, in base64" },
	{ .name = "zone", .max = 253, .help = "Only this zone; left empty the server is asked which of its zones holds a name" },
	{ 0 },
};

const struct publisher publisher_rfc2136 = {
	.name = "rfc2136",
	.title = "RFC 2136",
	.help = "Dynamic updates signed with a TSIG key, to the primary name server of the zone.",
	.rights = "A TSIG key that may change TXT records of one zone, or, narrower, of single challenge names in it; PowerDNS knows no more than the zone. "
		  "A key for single names does all that orders of these names need, and is refused the probe of Test and save, which has a name of its own.",
	.grants = (const struct grant[]){
		{ "BIND, named.conf", "text",
		  "zone \"example.com\" { type primary; file \"example.com.zone\";\n"
		  "  update-policy { grant certwright-key wildcard *.example.com. TXT; }; };\n"
		  "# narrower: grant certwright-key name _acme-challenge.www.example.com. TXT;\n" },
		{ "Knot DNS, knot.conf", "text",
		  "acl:\n  - id: certwright\n    key: certwright-key\n    action: update\n    update-type: TXT\n    update-owner: name\n"
		  "    update-owner-match: sub-or-equal\n    update-owner-name: [_acme-challenge.www]\n" },
		{ "PowerDNS, with dnsupdate=yes and allow-dnsupdate-from in pdns.conf", "text",
		  "pdnsutil set-meta example.com TSIG-ALLOW-DNSUPDATE certwright-key\n" },
		{ 0 },
	},
	.site = "https://www.rfc-editor.org/rfc/rfc2136",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 60,
	.propagation_s = 5,
	.timeout_s = 30,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.find_zone = find_zone,
	.look = look,
};
