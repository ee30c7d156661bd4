/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest.h - what publishers that talk to somebody's HTTP API share: one time budget for a visit, the verdict of a status, the
 * other side's words without our secrets, configured values by name.
 *
 * The classes are the same for every vendor: a refused credential needs a person, "too many" parks until the time that was
 * named, "not now" comes later, everything else that is refused will be refused again.
 */
#ifndef PUBLISH_REST_H
#define PUBLISH_REST_H

#include "base/json.h"
#include "publish/publisher.h"

#define REST_SECRETS 6

struct rest { /* one visit; all borrowed */
	const struct publish_env *env;
	const char *vendor;         /* as it is called in sentences */
	int64_t until_ms;           /* boot clock: the budget of the visit */
	const struct secret *secrets[REST_SECRETS]; /* never shown, whatever the other side sends back; NULL = none */
	int64_t limit_ms;           /* pause when it says "too many" without a time; 0 = a minute */
};

/* With the publisher's timeout_s, or 30 s. */
struct rest rest_begin(const struct publish_env *env, const struct publisher *p);

/* Sends with the rest of the budget; an answer of any status is success. max_body 0 = LIMIT_PROVIDER_ANSWER. */
int rest_send(const struct rest *r, const struct http_request *q, struct http_response *ret, struct err *err);
/* As rest_send with a JSON body (may be NULL; taken) and "Accept: application/json" beside the headers (at most 6). */
int rest_send_json(const struct rest *r, const struct http_request *q, json_t *body, struct http_response *ret, struct err *err);
/* The body as JSON; REMOTE_BAD. *ret is owned by the caller. */
int rest_json(const struct rest *r, const struct http_response *res, json_t **ret, struct err *err);
/* json_decode of a document of the other side: lenient, and what does not fit is REMOTE_BAD. */
int rest_decode(const struct rest *r, json_t *doc, const struct json_field *fields, void *ret, struct err *err);

/* Turns an answer that is not a success into an error, with the other side's own code and words (either may be NULL). */
int rest_refused(const struct rest *r, const struct http_response *res, const char *code, const char *words, struct err *err);
/* The same with the meaning known from the vendor's own code. */
int rest_refused_as(const struct rest *r, const struct http_response *res, enum err_code what, const char *code, const char *words,
		    struct err *err);
/* NOT_FOUND: nothing of this credential holds the name. */
int rest_no_zone(const struct rest *r, const char *name, struct err *err);
/* Remote text, short, safe to show and without our secrets; owned by the caller. */
char *rest_words(const struct rest *r, const char *words);

/* The configured URL (or the standard one), an owned copy without a final slash. */
char *rest_url(const struct field_value *v, size_t n, const char *name, const char *standard);

#endif
