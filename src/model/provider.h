/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.h - configured publishers (External DNS and the like), what kinds there are, and the rules that choose how a name
 * is proved.
 */
#ifndef MODEL_PROVIDER_H
#define MODEL_PROVIDER_H

#include "model/enum.h"
#include "model/field.h"
#include "model/order.h"

#define PROVIDER_STATUSES(X)                                                                                           \
	X(PROVIDER_NEW, "new")        /* never tested, or changed since */                                             \
	X(PROVIDER_OK, "ok")          /* the last test passed */                                                       \
	X(PROVIDER_FAILED, "failed")  /* the last test did not */                                                      \
	X(PROVIDER_REFUSED, "refused") /* the remote side does not accept the credential: all that uses it waits */
DECLARE_ENUM(provider_status, PROVIDER_STATUSES);

struct provider {
	char *id;
	int64_t num;
	char *kind, *name;
	char *fields;                /* JSON object of texts: what is not secret */
	struct strlist secret_names; /* which secrets are set */
	unsigned char *sealed;       /* JSON {"endpoint", "secrets": {}}; NULL when none is set */
	size_t sealed_n;
	char *connection; /* model/connection.h, or NULL */
	enum provider_status status;
	char *reason; /* JSON of struct err */
	int64_t tested_ms;
	char *test;  /* JSON: what the last test found */
	char *zones; /* JSON array: what the credential could see at the last test */
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void provider_done(struct provider *p);
#define _cleanup_provider_ __attribute__((cleanup(provider_done)))

/* What can be configured; made from the registry of publishers. All borrowed. */
struct provider_kind {
	const char *name, *title, *help, *rights, *site;
	const struct grant *grants; /* or NULL */
	bool dns, http; /* which validations it serves */
	bool lists_zones;
	bool reads; /* something can be read that shows whether the credential is accepted */
	const char *options_field; /* the secret whose lines the other side can be asked for (service_provider_options), or NULL */
	bool attaches; /* it has virtual servers that our answer can be put on */
	int64_t ttl_s;
	const struct field *fields;
};

/* The endpoint a secret is bound to: the texts of all FIELD_ENDPOINT fields. Owned by the caller. */
char *provider_endpoint(const struct field *table, const char *fields_json);

struct validation_rule {
	char *id;
	int64_t num;
	char *suffix; /* canonical; "" = every name */
	char *vendor; /* key of the registry, "" = any */
	enum validation validation;
	char *method; /* "delegation", "manual", "builtin", or a provider's id */
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void validation_rule_done(struct validation_rule *r);
#define _cleanup_validation_rule_ __attribute__((cleanup(validation_rule_done)))

/* Which words of the table decided. */
#define METHOD_SOURCES(X)                                                                                              \
	X(METHOD_BY_NAME, "name")             /* chosen for this name */                                               \
	X(METHOD_BY_ORDER, "order")           /* chosen for the order */                                               \
	X(METHOD_BY_RULE, "rule")             /* the longest matching rule */                                          \
	X(METHOD_BY_DELEGATION, "delegation") /* the name is delegated to us */                                        \
	X(METHOD_BY_DEFAULT, "default")       /* nothing said: by hand, or our own responder for http-01 */
DECLARE_ENUM(method_source, METHOD_SOURCES);

struct name_method {
	char *name; /* as in the order, with "*." */
	char *method;
	enum method_source by;
	char *rule_id; /* METHOD_BY_RULE */
};
void name_method_done(struct name_method *m);

struct name_methods {
	struct name_method *v;
	size_t n, cap;
};
void name_methods_done(struct name_methods *m);
#define _cleanup_name_methods_ __attribute__((cleanup(name_methods_done)))
struct name_method *name_methods_add(struct name_methods *m, const char *name, const char *method, enum method_source by);
const struct name_method *name_methods_find(const struct name_methods *m, const char *name);
/* Text of the column `methods` and back; INTERNAL when it is broken. NULL is an empty list. */
char *name_methods_text(const struct name_methods *m);
int name_methods_parse(const char *text, struct name_methods *ret, struct err *err) MUST_CHECK;

/* orders.dns_method when the names go several ways. */
#define METHOD_SEVERAL "several"

#endif
