/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - between the files of acme/ only. */
#ifndef ACME_PRIVATE_H
#define ACME_PRIVATE_H

#include "acme/acme.h"
#include "base/json.h"

struct acme_call {
	enum acme_kind kind;
	const char *what;     /* "create the order": for "could not …" and "the CA refused to …" */
	const char *url;      /* pinned here once more */
	const char *payload;  /* NULL = POST-as-GET */
	const char *accept;   /* NULL = JSON */
	size_t max_body;      /* 0 = LIMIT_CA_JSON */
	bool embed_key;       /* jwk instead of kid */
	bool rollover;        /* signed by sign_rollover; no payload */
};

/* ---- session.c ---- */

/* At the start of every public call: forgets the last refusal. */
void acme_begin(struct acme_session *s);
/* Plain GET. A 2xx answer, or an error with s->refusal filled. */
int acme_get(struct acme_session *s, const struct acme_call *c, struct http_response *ret, struct err *err);
/* Signed POST with nonce and repetitions. */
int acme_post(struct acme_session *s, const struct acme_call *c, struct http_response *ret, struct err *err);
/* The cached or fetched directory, without forgetting the last refusal; a copy. */
int acme_directory_load(struct acme_session *s, struct acme_directory *ret, struct err *err);
/* The JSON object of a 2xx answer; REMOTE_BAD when there is none. */
int acme_answer_json(struct acme_session *s, const struct acme_call *c, const struct http_response *r, json_t **ret, struct err *err);
/* REMOTE_BAD: "the CA's answer to '<what>' cannot be used: <why>"; why (an error of json_decode) is consumed. */
int acme_answer_bad(const struct acme_call *c, struct err *why, struct err *err);
int acme_answer_unusable(const struct acme_call *c, struct err *err, const char *fmt, ...) PRINTF(3, 4);
/* Resolves ref against the URL of the answer and pins it. *ret owned by the caller. */
int acme_pin(const struct acme_session *s, const char *request_url, const char *ref, char **ret, struct err *err);
/* An URL that is only shown to people: http or https, or NULL. Owned by the caller. */
char *acme_url_to_show(const char *request_url, const char *ref);
/* Location header, pinned; REMOTE_BAD when missing. */
int acme_location(const struct acme_session *s, const struct acme_call *c, const struct http_response *r, char **ret, struct err *err);

/* Text of a member, or NULL when it is missing, of another type or longer than max. Borrowed. */
const char *acme_member(const json_t *doc, const char *name, size_t max);
/* RFC 3339 text to ms, 0 when missing or unreadable. */
int64_t acme_time(const char *text);
/* "dns"/"ip" identifier object to lower-case canonical text; owned by the caller. */
int acme_identifier_decode(const json_t *j, char **ret, struct err *err);
/* The statuses as in RFC 8555 and their count + 1. */
extern const char *const acme_account_statuses[], *const acme_order_statuses[], *const acme_authz_statuses[],
	*const acme_challenge_statuses[];
#define ACME_ACCOUNT_STATUSES 4
#define ACME_ORDER_STATUSES 6
#define ACME_AUTHZ_STATUSES 7
#define ACME_CHALLENGE_STATUSES 5
/* REMOTE_BAD-to-be (INVALID) that names the status. */
int acme_status_decode(const char *const *texts, size_t n, const char *text, const char *of, int *ret, struct err *err);

/* ---- problem.c ---- */

#define ACME_URN "urn:ietf:params:acme:error:"
/* A problem object; every member may be missing or nonsense. */
void acme_problem_decode(const json_t *j, const char *request_url, struct acme_problem *ret);
/* Turns a non-2xx answer into s->refusal and err. */
int acme_refused(struct acme_session *s, const struct acme_call *c, const struct http_response *r, struct err *err);

/* ---- ca.c ---- */

char *acme_nonce_take(struct acme_ca *ca, int64_t boot_ms);
/* Keeps a Replay-Nonce if it is usable. */
void acme_nonce_put(struct acme_ca *ca, const char *nonce, int64_t boot_ms);
bool acme_nonce_usable(const char *nonce);
const struct url *acme_ca_parsed(const struct acme_ca *ca);
bool acme_ca_directory(struct acme_ca *ca, int64_t boot_ms, struct acme_directory *ret);
void acme_ca_keep_directory(struct acme_ca *ca, int64_t boot_ms, const struct acme_directory *d);
void acme_ca_note_date(struct acme_ca *ca, const char *date, int64_t now_ms);

#endif
