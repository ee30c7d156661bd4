/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - views of DNS, the rules that choose one, and the looks that go through them: preflight and delegations. */
#ifndef SERVICE_VIEW_H
#define SERVICE_VIEW_H

#include "base/json.h"
#include "model/view.h"
#include "service/service.h"
#include "store/delegation.h"
#include "store/view.h"

struct view_save { /* NULL, and has_ false: as it is */
	const char *name, *kind, *url;
	struct strlist servers;
	bool has_servers, has_direct, direct;
	json_t *connection; /* borrowed; NULL = not given */
};
int service_view_list(struct service *s, const struct list_query *q, struct dns_view_list *ret, struct list_end *end, struct err *err) MUST_CHECK;
int service_view_get(struct service *s, const char *ref, struct dns_view *ret, struct err *err) MUST_CHECK;
int service_view_create(struct service *s, const struct actor *a, const struct view_save *q, const struct request_key *key,
			struct dns_view *ret, struct err *err) MUST_CHECK;
int service_view_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct view_save *q,
			struct dns_view *ret, struct err *err) MUST_CHECK;
/* IN_USE while a rule names it. */
int service_view_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;
/* The stored connection as the API shows it; owned. */
json_t *service_view_connection(const struct dns_view *v);

struct view_rule_save {
	const char *suffix, *vendor, *view_id; /* "" as view_id: nobody is asked */
	int64_t wait_s;
	bool has_wait;
};
int service_view_rule_list(struct service *s, const struct list_query *q, struct view_rule_list *ret, struct list_end *end,
			   struct err *err) MUST_CHECK;
int service_view_rule_get(struct service *s, const char *ref, struct view_rule *ret, struct err *err) MUST_CHECK;
int service_view_rule_create(struct service *s, const struct actor *a, const struct view_rule_save *q, const struct request_key *key,
			     struct view_rule *ret, struct err *err) MUST_CHECK;
int service_view_rule_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct view_rule_save *q,
			     struct view_rule *ret, struct err *err) MUST_CHECK;
int service_view_rule_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;

/* --- looks --- */

struct preflight_request {
	struct strlist names; /* as typed */
	const char *account_id, *validation, *dns, *http;
};
/* A job; its result is {names, facts}. */
int service_preflight(struct service *s, const struct actor *a, const struct preflight_request *q, char **ret_job, struct err *err) MUST_CHECK;
/* A job; what it found is the delegation's. */
int service_delegation_check(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err) MUST_CHECK;
/* What the Internet asked, the latest first. */
int service_delegation_asked(struct service *s, const char *ref, struct asked_list *ret, struct err *err) MUST_CHECK;

/* One line of a pasted list. */
struct delegation_line {
	int64_t line;
	char *typed, *id, *name;
	char *target;       /* where it leads by CNAME, or NULL */
	const char *result; /* "made", "exists", "refused" */
	char *detail;       /* why it was refused, or NULL */
};
void delegation_line_done(struct delegation_line *l);
STORE_LIST(delegation_line);
#define _cleanup_delegation_line_list_ __attribute__((cleanup(delegation_line_list_done)))
#define DELEGATION_LINES_MAX 1000
struct delegation_paste { /* borrowed */
	const char *text;
	const char *provider; /* all lead by CNAME to where it writes; NULL: this server answers */
	const char *zone;     /* with a provider: a line that does not say where it leads leads to _acme-challenge.NAME.ZONE; NULL: each has to */
};
/*
 * Names one a line, perhaps with where they lead, also as a zone file has it; empty lines and what stands behind '#' or ';' count for
 * nothing. All that can be made are made. INVALID with "/provider_id" or "/zone" before any is.
 */
int service_delegation_paste(struct service *s, const struct actor *a, const struct delegation_paste *p, struct delegation_line_list *ret,
			     struct err *err) MUST_CHECK;
/* NS lines for the parents' zone files; missing: only of those that the last look did not find delegated. Owned. */
int service_delegation_lines(struct service *s, bool missing, char **ret, struct err *err) MUST_CHECK;

#endif
