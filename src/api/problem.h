/* SPDX-License-Identifier: Apache-2.0 */
/* problem.h - the one place that turns a struct err into application/problem+json (RFC 9457). */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/http.h"

/* Headers that stand on every answer; csp NULL = that of documents nobody renders. */
void answer_security(struct http_answer *a, const char *csp);
/*
 * Replaces what a holds. instance is the request id. INTERNAL, STORE and NO_SPACE keep their sentences for the log; now_ms
 * (0 = none) is for Retry-After.
 */
void problem_answer(struct http_answer *a, const struct err *e, const char *instance, int64_t now_ms);

#endif
