/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - the look whether everything is right with this server (engine/checks.h): starting one, and what the last one found. */
#ifndef SERVICE_CHECK_H
#define SERVICE_CHECK_H

#include "base/json.h"
#include "service/service.h"

/* Starts it, or joins one that runs. *ret_job is owned. */
int service_check_start(struct service *s, const struct actor *a, char **ret_job, struct err *err) MUST_CHECK;
/* node, ran_at, counts, rows; with null and nothing when it never ran. Owned. */
int service_check_last(struct service *s, json_t **ret, struct err *err) MUST_CHECK;

#endif
