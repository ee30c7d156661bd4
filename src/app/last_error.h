/* SPDX-License-Identifier: Apache-2.0 */
/*
 * last_error.h - why the server did not start, kept in the state folder as STATE/last-error until it does: whoever looks at a server
 * that is down need not find its log first. One JSON object: time, process, error, code, hint.
 */
#ifndef APP_LAST_ERROR_H
#define APP_LAST_ERROR_H

#include "base/json.h"

/* What cannot be written is left: the log has it. */
void last_error_keep(const char *state, const char *process, const struct err *why);
void last_error_over(const char *state);
/* NULL when there is none; owned. */
json_t *last_error_read(const char *state);

#endif
