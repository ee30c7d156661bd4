/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.h - configured publishers as service sees them: what kinds there are, how secrets are sealed and what they are bound
 * to, and the table that decides how each name of an order is proved.
 *
 * A provider's secrets are one sealed value: JSON {"endpoint", "secrets"}, bound to its row by the associated data and to the
 * endpoint (all FIELD_ENDPOINT fields) by its content. A row whose endpoint was changed in any way does not open its secrets
 * (DENIED): they never reach a host they were not entered for.
 */
#ifndef ENGINE_PROVIDER_H
#define ENGINE_PROVIDER_H

#include "base/json.h"
#include "engine/door.h"
#include "engine/engine.h"
#include "model/provider.h"

/* All kinds in the order of the registry, made once. */
size_t provider_kinds(const struct provider_kind **ret);
const struct provider_kind *provider_kind_find(const char *name); /* NULL: none */

/* secrets is an object of texts (borrowed); nothing in it: *ret is NULL. */
int provider_seal(struct keys *k, const char *id, const char *endpoint, json_t *secrets, unsigned char **ret, size_t *ret_n,
		  struct err *err) MUST_CHECK;
/* The object of secrets; owned by the caller, {} when none is set. DENIED when they belong to another endpoint. */
int provider_secrets(struct keys *k, const struct provider *p, json_t **ret, struct err *err) MUST_CHECK;

/*
 * When a provider is saved: the URL it talks to (NULL when its kind has none of its own) and its connection. confirm: the
 * connection came with this request. e may be NULL (tests): only texts are judged.
 */
int provider_check_door(struct engine *e, const struct provider_kind *k, const char *fields_json, struct connection *c, bool confirm,
			struct err *err) MUST_CHECK;

/* What the configuration file names for a field that is a program or a web root; nothing for any other. */
void engine_named(const struct engine *e, const struct field *f, struct strlist *ret);

/* What the probe of Test and save publishes: owner name below the zone, and its value. Always the same for one provider. */
char *provider_probe_name(const char *id, const char *zone); /* zone NULL: the label only; owned */
char *provider_probe_value(const char *id);                  /* owned */

/* ---- how a name is proved ---- */

struct methods_request {             /* all borrowed */
	const struct strlist *names; /* canonical */
	enum validation validation;
	const char *vendor;          /* key of the registry */
	const char *order_method;    /* explicit choice for the order, or NULL */
	const struct name_methods *chosen; /* explicit choices by name (name, method); may be NULL */
	const char *field_order, *field_names; /* JSON pointers for errors: "/dns", "/methods" */
};

/*
 * The one table: explicit choice for the name > explicit choice for the order > rule of the longest matching suffix > for dns-01
 * a registered delegation > by hand (for http-01: our own responder). A name and its wildcard are proved by one record and go
 * one way. INVALID: a method that does not exist or does not serve the validation, a choice for a name that is not in the order.
 */
int methods_decide(struct sql *q, const struct methods_request *r, struct name_methods *ret, struct err *err) MUST_CHECK;
/* "delegation", or METHOD_SEVERAL. Borrowed. */
const char *methods_common(const struct name_methods *m);
/* The explicit choices among them, for a renewal: by name; *ret_order (owned or NULL) is what was chosen for the order. */
void methods_explicit(const struct name_methods *m, struct name_methods *ret_names, char **ret_order);
/* A method exists and serves the validation: INVALID with the field. */
int method_check(struct sql *q, const char *method, enum validation validation, const char *field, struct err *err) MUST_CHECK;
/* Live providers that saw a zone of the name when they were tested last; names and titles for people. */
int methods_offers(struct sql *q, const char *name, json_t **ret, struct err *err) MUST_CHECK;

#endif
