/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs_vendor.c - reading a directory and saying what moved since it was read last: endpoints, terms, profiles, whether it wants an
 * external account. A directory is read when somebody asks, when an account is about to be registered, and weekly for accounts here.
 */
#include "engine/private.h"

#include "store/vendor.h"

#include <stdarg.h>
#include <stdio.h>

json_t *job_vendor_facts(const struct acme_directory *d)
{
	json_t *profiles = json_array();

	for (size_t i = 0; i < d->n_profiles; i++)
		json_array_append_new(profiles, json_pack("{s:s, s:o}", "name", d->profiles[i].name, "description",
							  json_str_or_null(d->profiles[i].description)));
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "tos_url", json_str_or_null(d->tos_url), "website",
			 json_str_or_null(d->website), "eab_required", d->eab_required, "caa_identities", json_strlist(&d->caa_identities),
			 "profiles", profiles, "new_nonce", d->new_nonce, "new_account", d->new_account, "new_order", d->new_order,
			 "revoke_cert", json_str_or_null(d->revoke_cert), "key_change", json_str_or_null(d->key_change), "renewal_info",
			 json_str_or_null(d->renewal_info));
}

static json_t *names_of(const json_t *profiles)
{
	json_t *l = json_array();

	for (size_t i = 0; i < json_array_size(profiles); i++) {
		json_t *name = json_object_get(json_array_get(profiles, i), "name");

		if (name)
			json_array_append(l, name);
	}
	return l;
}

static bool has(const json_t *list, const json_t *what)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), what))
			return true;
	return false;
}

static void say(json_t *moved, const char *fmt, ...) PRINTF(2, 3);
static void say(json_t *moved, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_array_append_new(moved, json_string(text));
}

static void profiles_moved(json_t *moved, const json_t *before, const json_t *now)
{
	_cleanup_json_ json_t *a = names_of(before), *b = names_of(now);

	for (size_t i = 0; i < json_array_size(b); i++)
		if (!has(a, json_array_get(b, i)))
			say(moved, "profile '%s' is new", json_string_value(json_array_get(b, i)));
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!has(b, json_array_get(a, i)))
			say(moved, "profile '%s' is gone", json_string_value(json_array_get(a, i)));
}

/* Sentences about what differs. Texts of both are ours: they were cleaned when they were read. */
static json_t *compare(const json_t *before, const json_t *now)
{
	static const struct {
		const char *member, *title;
	} urls[] = {
		{ "tos_url", "the terms of service" }, { "website", "the website" }, { "new_nonce", "newNonce" }, { "new_account", "newAccount" },
		{ "new_order", "newOrder" }, { "revoke_cert", "revokeCert" }, { "key_change", "keyChange" }, { "renewal_info", "renewalInfo" },
	};
	json_t *moved = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		const char *a = json_string_value(json_object_get(before, urls[i].member)), *b = json_string_value(json_object_get(now, urls[i].member));

		if (!a && b)
			say(moved, "%s is new: %.300s", urls[i].title, b);
		else if (a && !b)
			say(moved, "%s is gone (was %.300s)", urls[i].title, a);
		else if (a && b && !streq(a, b))
			say(moved, "%s moved from %.300s to %.300s", urls[i].title, a, b);
	}
	if (json_is_true(json_object_get(before, "eab_required")) != json_is_true(json_object_get(now, "eab_required")))
		say(moved, "an external account is %s", json_is_true(json_object_get(now, "eab_required")) ? "needed now" : "not needed any more");
	if (!json_equal(json_object_get(before, "caa_identities"), json_object_get(now, "caa_identities")))
		say(moved, "the names it goes by in CAA records changed");
	profiles_moved(moved, json_object_get(before, "profiles"), json_object_get(now, "profiles"));
	return moved;
}

/* What the row was before, or an empty one. */
static int load_check(struct sql *tx, const char *url, struct vendor_check *ret, struct err *err)
{
	if (store_vendor_check_get(tx, url, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	*ret = (struct vendor_check){ .directory_url = xstrdup(url) };
	return 0;
}

int job_vendor_keep(struct sql *tx, const struct job_run *r, const char *url, struct err *err)
{
	_cleanup_vendor_check_ struct vendor_check c = { 0 };
	const json_t *facts = json_object_get(r->result, "facts");
	_cleanup_json_ json_t *before = NULL, *moved = NULL;

	if (!facts)
		return 0;
	if (load_check(tx, url, &c, err) < 0)
		return -(int)err->code;
	before = c.facts ? json_text_or_null(c.facts) : NULL;
	moved = json_is_object(before) ? compare(before, facts) : json_array();
	if (json_array_size(moved)) {
		free(c.moved);
		c.moved = json_text(moved);
		c.moved_ms = engine_now(r->e);
	}
	free(c.facts);
	c.facts = json_text(facts);
	c.facts_ms = c.checked_ms = engine_now(r->e);
	replace_str(&c.reason, NULL);
	return store_vendor_check_put(tx, &c, err);
}

static int keep_reading(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	return job_vendor_keep(tx, r, json_string_value(json_object_get(r->args, "directory_url")), err);
}

static int keep_failure(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	_cleanup_vendor_check_ struct vendor_check c = { 0 };

	if (load_check(tx, json_string_value(json_object_get(r->args, "directory_url")), &c, err) < 0)
		return -(int)err->code;
	replace_str(&c.reason, r->j.reason);
	c.checked_ms = engine_now(r->e);
	return store_vendor_check_put(tx, &c, err);
}

void job_vendor_failed(struct job_run *r, const struct err *why UNUSED)
{
	if (json_string_value(json_object_get(r->args, "directory_url")))
		r->also = keep_failure;
}

int job_vendor_check(struct job_run *r, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	const char *url = json_string_value(json_object_get(r->args, "directory_url"));

	if (!url)
		return err_set(err, ERR_INTERNAL, "the job names no directory");
	if (job_session_open(r, url, err) < 0)
		return err_wrap(err, "could not read the directory %s", url);
	acme_ca_forget_directory(r->session.ca); /* what is cached is what we know already */
	if (acme_directory_get(&r->session, &d, err) < 0)
		return err_wrap(err, "could not read the directory %s", url);
	r->result = json_pack("{s:s, s:o}", "directory_url", url, "facts", job_vendor_facts(&d));
	r->also = keep_reading;
	return 0;
}
