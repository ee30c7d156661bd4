/* SPDX-License-Identifier: Apache-2.0 */
/* provider.h - External DNS providers as people configure and test them, validation rules, and what is owed. */
#ifndef SERVICE_PROVIDER_H
#define SERVICE_PROVIDER_H

#include "base/json.h"
#include "model/provider.h"
#include "service/service.h"
#include "store/debt.h"
#include "store/provider.h"
#include "store/rule.h"

/* What can be configured, in a fixed order. */
size_t service_provider_kinds(const struct provider_kind **ret);
const struct provider_kind *service_provider_kind(const char *name); /* NULL: none */

struct provider_save { /* create: kind and name are required; update: what is NULL stays */
	const char *kind, *name;
	json_t *fields;     /* object; text, number, boolean; null takes a value away; secrets that are not given stay */
	json_t *connection; /* object, or JSON null for none */
};

int service_provider_list(struct service *s, const struct list_query *q, struct provider_list *ret, struct list_end *end,
			  struct err *err) MUST_CHECK;
int service_provider_get(struct service *s, const char *ref, struct provider *ret, struct err *err) MUST_CHECK;
/* Who uses it, in words. */
int service_provider_users(struct service *s, const char *ref, struct strlist *ret, struct err *err) MUST_CHECK;
/* INVALID with "/kind", "/name", "/fields/NAME", "/connection/...". Nothing is asked of the remote side. */
int service_provider_create(struct service *s, const struct actor *a, const struct provider_save *r, const struct request_key *key,
			    struct provider *ret, struct err *err) MUST_CHECK;
/*
 * A change of where it talks to (a field that is its endpoint) takes the stored secrets away, unless they are given in the same
 * request. What waits for it is tried again.
 */
int service_provider_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct provider_save *r,
			    struct provider *ret, struct err *err) MUST_CHECK;
/* IN_USE with who uses it. */
int service_provider_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;
/* zone NULL: reading only; write is the same for http-01, which has no zones. *ret_job is owned: its result is the provider's "test". */
int service_provider_test(struct service *s, const struct actor *a, const char *ref, const char *zone, bool write, char **ret_job,
			  struct err *err) MUST_CHECK;
/* Our iRule on a virtual server, or off it; expect: the rules as they were seen. INVALID when its kind has no virtual servers. */
int service_provider_attach(struct service *s, const struct actor *a, const char *ref, const char *server, bool attach,
			    const struct strlist *expect, char **ret_job, struct err *err) MUST_CHECK;
/*
 * Asks what a provider needs beside these fields, where only the other side knows (provider_kind.options_field): nothing is saved, and no
 * secret is taken. INVALID with "/kind" or "/fields/NAME". *ret_job is owned: its result is the answer.
 */
int service_provider_options(struct service *s, const struct actor *a, const char *kind, json_t *fields, char **ret_job, struct err *err) MUST_CHECK;
/* What the configuration file names for a field that is a program or a web root. */
void service_named(const struct service *s, const struct field *f, struct strlist *ret);
/* What a test publishes: <label>.<zone> TXT <value>; both owned. */
char *service_probe_label(const char *id);
char *service_probe_value(const char *id);
/* The stored text of a connection as the API shows it; the caller owns the result. */
json_t *service_connection_json(const char *text);
/* "PowerDNS" and the provider's name for a method's text; both owned. "Delegation" twice for a built-in one. */
int service_method_names(struct service *s, const char *method, char **ret_title, char **ret_name, struct err *err) MUST_CHECK;
/* The same within a transaction. */
int method_names(struct sql *q, const char *method, char **ret_title, char **ret_name, struct err *err) MUST_CHECK;

struct rule_save {
	const char *suffix, *vendor, *validation, *method; /* update: NULL stays */
};
int service_rule_list(struct service *s, const struct list_query *q, struct validation_rule_list *ret, struct list_end *end,
		      struct err *err) MUST_CHECK;
int service_rule_get(struct service *s, const char *ref, struct validation_rule *ret, struct err *err) MUST_CHECK;
int service_rule_create(struct service *s, const struct actor *a, const struct rule_save *r, const struct request_key *key,
			struct validation_rule *ret, struct err *err) MUST_CHECK;
int service_rule_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct rule_save *r,
			struct validation_rule *ret, struct err *err) MUST_CHECK;
int service_rule_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;

/* What is still published, or still to be given back, and has to be undone; the oldest first. */
struct debt_view {
	struct debt debt;
	int64_t order_num;
	char *title; /* of its method */
	char *name;  /* of the provider */
};
void debt_view_done(struct debt_view *v);
STORE_LIST(debt_view);
#define _cleanup_debt_view_list_ __attribute__((cleanup(debt_view_list_done)))
int service_debt_list(struct service *s, const struct list_query *q, struct debt_view_list *ret, struct list_end *end,
		      struct err *err) MUST_CHECK;
/* Tried again now, also when it was set aside. CONFLICT while its order still needs it. */
int service_debt_retry(struct service *s, const struct actor *a, const char *id, struct err *err) MUST_CHECK;

#endif
