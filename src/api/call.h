/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - one API request on its way from the router to its answer, and the route table. For files of this folder only.
 *
 * A handler runs on a pool thread, after sign-in, permission, CSRF, query and body were checked by the table. It sets the
 * answer with the call_* functions and returns 0, or returns an error, which becomes a problem document.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/http.h"
#include "base/json.h"
#include "base/ulid.h"
#include "model/user.h"
#include "model/work.h"
#include "service/service.h"

struct api;
struct call;

typedef int call_handler(struct call *c, struct err *err);
/* The job that was waited for is done: build the answer of the finished thing. */
typedef int call_finish(struct call *c, const struct job *j, struct err *err);

enum route_flags {
	ROUTE_SLOW = 1 << 0,  /* hashes a password: its own small pool */
	ROUTE_ONCE = 1 << 1,  /* takes an Idempotency-Key */
	ROUTE_MATCH = 1 << 2, /* needs If-Match */
	ROUTE_JOB = 1 << 3,   /* may answer 202 with a job */
	ROUTE_LOGIN = 1 << 4, /* counts failures: asked before it is queued */
};

struct route {
	const char *method, *path, *operation; /* as in openapi.yaml */
	enum permission permission;
	call_handler *handler;
	unsigned flags;
	const struct json_field *body;
	size_t body_size;
	const struct json_field *query;
	size_t query_size;
	unsigned short answers[4]; /* its own statuses; those that follow from the row are added by route_statuses */
};

extern const struct route routes[];
extern const size_t routes_count;

#define ROUTE_STATUSES_MAX 24
/* All statuses a route may answer with, ascending; returns how many. */
size_t route_statuses(const struct route *r, unsigned short ret[ROUTE_STATUSES_MAX]);
bool route_answers(const struct route *r, unsigned status);

enum route_match { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };
struct route_parts { /* decoded, owned; NULL where the path has none */
	char *id, *format;
};
void route_parts_clear(struct route_parts *p);
#define _cleanup_route_parts_ __attribute__((cleanup(route_parts_clear)))
/* path is below /api/v1, as sent. ret_parts: what stands for {id} and {format}. ret_allow (for ROUTE_NO_METHOD): "GET, POST". */
enum route_match route_find(const char *method, const char *path, const struct route **ret, struct route_parts *ret_parts, struct buf *ret_allow);
/*
 * query.c: *ret is the struct of the route's table (NULL when it has none), whose texts are in *ret_doc; both are set even on failure, and
 * owned by the caller (json_decode_free, free, json_decref).
 */
int query_decode(const struct route *r, const char *q, json_t **ret_doc, void **ret, struct err *err) MUST_CHECK;
/* Everything the tables say, for the test that compares it with openapi.yaml. */
json_t *route_tables(void);

struct call {
	struct api *api;
	struct service *service;
	struct http_request *rq;
	const struct route *route;
	struct ulid request_id;
	struct actor actor;
	char *id;     /* what stands for {id} in the path */
	char *format; /* the same of {format} */
	json_t *query_doc, *body_doc;
	void *query, *body; /* decoded; the structs of the route's tables */
	int64_t match;      /* rev of If-Match, 0 = any */
	struct request_key once;
	struct http_answer answer;
	char *job; /* waited for */
	call_finish *finish;
	int64_t until_ms, looked_ms; /* boot clock */
	struct call *next;
};

/* --- what handlers say --- */
void call_json(struct call *c, unsigned status, json_t *doc); /* takes doc */
void call_empty(struct call *c);                              /* 204 */
void call_etag(struct call *c, int64_t rev);
void call_location(struct call *c, const char *collection, const char *id); /* /api/v1/orders/ID */
void call_file(struct call *c, const char *type, const char *name, const void *p, size_t n);
void call_cookie(struct call *c, const struct secret *value); /* NULL: forget it */
/* {items, has_more, cursor}; takes items */
void call_page(struct call *c, json_t *items, const struct list_end *end);
/* The answer waits for this job (taken) up to two seconds; then it is 202 with the job. */
void call_wait(struct call *c, char *job, call_finish *finish);

/* --- query of lists: every list's struct begins with it --- */
struct page_query {
	int64_t limit;
	const char *cursor;
	const char *sort; /* of lists that go both ways */
};
static inline struct list_query page_of(const struct call *c)
{
	const struct page_query *p = c->query;

	return (struct list_query){ .limit = (int)p->limit, .cursor = p->cursor, .sort = p->sort };
}
#define PAGE_FIELDS(type)                                                                                              \
	{ .name = "limit", .kind = JSON_KIND_INT, .offset = offsetof(type, page.limit), .min = 1, .max = LIMIT_API_PAGE }, \
	{                                                                                                              \
		.name = "cursor", .kind = JSON_KIND_STR, .offset = offsetof(type, page.cursor), .max = 512             \
	}

/* Of lists of what has a name: service/service.h, struct list_query. */
struct named_query {
	struct page_query page;
	const char *name, *only;
};
static inline struct list_query named_page_of(const struct call *c)
{
	const struct named_query *n = c->query;
	struct list_query q = page_of(c);

	q.by = (struct narrow){ .name = n->name, .only = n->only };
	return q;
}
extern const char *const named_sorts[]; /* newest, oldest, name */
#define NAMED_FIELDS                                                                                                   \
	JF_STR(struct named_query, name, .min = 1, .max = LIMIT_NAME),                                                 \
	{ .name = "sort", .kind = JSON_KIND_STR, .offset = offsetof(struct named_query, page.sort), .one_of = named_sorts }, PAGE_FIELDS(struct named_query)
#define ONLY_FIELD(what, ...) { .name = what, .kind = JSON_KIND_STR, .offset = offsetof(struct named_query, only), __VA_ARGS__ }
extern const struct json_field user_list_fields[], token_list_fields[], provider_list_fields[], rule_list_fields[], view_list_fields[],
	view_rule_list_fields[], channel_list_fields[];

extern const char *const list_sorts[]; /* newest, oldest */
#define SORT_FIELD(type) { .name = "sort", .kind = JSON_KIND_STR, .offset = offsetof(type, page.sort), .one_of = list_sorts }

struct only_page {
	struct page_query page;
};
extern const struct json_field only_page_fields[];

/* --- the rows' handlers and tables, one file per resource --- */
call_handler setup_get, setup_post, session_post, session_get, session_delete, password_put;
extern const struct json_field setup_fields[], sign_in_fields[], password_fields[];
struct setup_body {
	struct secret setup_token;
	const char *name;
	struct secret password;
};
struct sign_in_body {
	const char *name;
	struct secret password;
};
struct password_body {
	struct secret old_password, new_password;
};

call_handler view_list, view_create, view_get, view_patch, view_delete, view_rule_list, view_rule_create, view_rule_get, view_rule_patch,
	view_rule_delete, preflight, delegation_check, delegation_asked, delegation_paste, delegation_lines;
extern const struct json_field view_create_fields[], view_update_fields[], view_rule_create_fields[], view_rule_update_fields[],
	preflight_fields[], delegation_paste_fields[], delegation_lines_fields[];
struct delegation_paste_body {
	const char *text, *provider_id, *zone;
};
struct delegation_lines_query {
	const char *which;
};

call_handler token_list, token_create, token_get, token_delete;
extern const struct json_field token_create_fields[];

call_handler user_list, user_create, user_get, user_patch, user_delete, session_list, session_end, user_sessions, user_sessions_end;
extern const struct json_field user_create_fields[], user_update_fields[];
struct user_update_body {
	const char *role;
	struct strlist rights;
	struct secret password;
	bool disabled;
};
struct user;
json_t *user_json(const struct user *u);

call_handler vendor_list, vendor_get, vendor_patch, vendor_check_all, directory_read, csr_check;
extern const struct json_field vendor_update_fields[], vendor_check_fields[], directory_read_fields[], csr_check_fields[];
struct vendor_update_body {
	const char *directory_url; /* "" = the built-in one */
};
struct vendor_check_body {
	bool all;
};
struct directory_read_body {
	const char *vendor, *region, *directory_url;
};
call_handler csr_lint_text;
extern const struct json_field csr_lint_fields[];
struct csr_lint_body {
	const char *pem, *vendor, *profile;
};
call_handler network_look;
extern const struct json_field network_look_fields[];
struct network_look_body {
	const char *url;
	json_t *connection;
};
struct csr_check_query {
	const char *vendor, *profile;
};

call_handler account_list, account_register, account_get, account_patch, account_delete, account_deletion, account_refresh,
	account_contact, account_agree, account_rollover;
extern const struct json_field account_register_fields[], account_update_fields[], account_contact_fields[], account_agree_fields[],
	account_delete_fields[];
struct account_update_body {
	const char *name, *preferred_issuer;
	bool automatic;
	json_t *connection;
};
struct account_contact_body {
	const char *email;
};
struct account_agree_body {
	const char *terms_url;
};
struct account_delete_query {
	const char *takeover, *authority, *key;
};
struct name_body {
	const char *name;
};

call_handler csr_list, csr_create, csr_upload, csr_get, csr_delete;
extern const struct json_field csr_create_fields[], csr_upload_fields[];
struct pem_body {
	const char *pem;
};

call_handler order_list, order_create, order_get, order_events, order_refresh, order_go_on, order_finalize, order_certificate, order_remove, order_preview;
extern const struct json_field order_create_fields[], order_query_fields[], order_preview_fields[];
struct order_query {
	struct page_query page;
	const char *status, *account_id, *certificate_id, *name;
};

call_handler provider_kind_list, provider_list, provider_create, provider_get, provider_patch, provider_delete, provider_test, provider_attach,
	provider_options;
call_handler challenge_texts;
extern const struct json_field provider_attach_fields[], challenge_text_fields[];
struct provider_attach_body {
	const char *server;
	bool attach;
	struct strlist expect;
};
struct challenge_text_query {
	const char *host;
};
call_handler rule_list, rule_create, rule_get, rule_patch, rule_delete, debt_list, debt_retry;
extern const struct json_field provider_options_fields[], provider_create_fields[], provider_update_fields[], provider_test_fields[], rule_create_fields[],
	rule_update_fields[];
struct provider_options_body {
	const char *kind;
	json_t *fields;
};
struct provider_test_body {
	const char *zone;
	bool write;
};

struct account_list_query {
	struct page_query page;
	const char *vendor, *status, *q;
};
struct csr_list_query {
	struct page_query page;
	const char *key_type, *name;
};
struct delegation_list_query {
	struct page_query page;
	const char *name;
};
struct job_list_query {
	struct page_query page;
	const char *kind, *state;
};
extern const struct json_field account_list_fields[], csr_list_fields[], delegation_list_fields[], job_list_fields[];

struct delegation_body {
	const char *name, *provider_id, *target;
};
call_handler record_list, record_get, delegation_list, delegation_create, delegation_get, delegation_delete;
extern const struct json_field record_query_fields[], delegation_create_fields[];
struct record_query {
	struct page_query page;
	const char *order_id, *kind, *status, *domain;
};
struct record;
json_t *record_json(const struct record *r, int64_t order_num, const char *type); /* title of its method */

call_handler certificate_list, certificate_get, certificate_export, certificate_delete;
extern const struct json_field certificate_query_fields[], certificate_export_fields[];
struct certificate_query {
	struct page_query page;
	const char *sort, *q;
};

call_handler certificate_download;

call_handler window_list, window_get, window_create, window_delete;
extern const struct json_field window_create_fields[];

call_handler expiry_get;
extern const struct json_field expiry_query_fields[];
struct expiry_query {
	int64_t weeks;
};

call_handler import_create, certificate_patch;
extern const struct json_field import_fields[], notes_fields[];

call_handler renewal_list, renewal_get, renewal_patch, renewal_create, revocation_create, pause_get, pause_put, notice_list;
extern const struct json_field renewal_create_fields[], renewal_update_fields[], revocation_create_fields[], renewal_pause_fields[];
call_handler certificate_manage;
extern const struct json_field manage_fields[];
call_handler bulk_create;
extern const struct json_field bulk_create_fields[];
struct row_result_list;
/* renewals.c: one row for each certificate, with what was made or why not. */
json_t *rows_json(const struct row_result_list *l);
call_handler channel_list, channel_create, channel_get, channel_patch, channel_delete, channel_rotate, channel_test, channel_messages;
extern const struct json_field channel_create_fields[], channel_update_fields[];
struct event;
json_t *event_json(const struct event *e);

call_handler audit_list, audit_csv;
extern const struct json_field audit_query_fields[], audit_csv_fields[];
struct audit_query_call {
	struct page_query page;
	const char *since, *until, *actor, *object, *action;
};

call_handler checks_get, checks_run_now, report_auditor, support_bundle;
extern const struct json_field report_query_fields[];
call_handler job_list, job_get, job_row_list, status_get, events_get, openapi_get;
json_t *job_json(const struct job *j);

/* Names as people read them. */
json_t *display_names(const struct strlist *names);

#endif
