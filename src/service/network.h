/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - looking at whom an integration would talk to, before it is saved. */
#ifndef SERVICE_NETWORK_H
#define SERVICE_NETWORK_H

#include "base/json.h"
#include "service/service.h"

/*
 * Starts the job that looks which certificate the host of url shows now. connection: the settings as the form has them (model/connection.h),
 * of which route and allowed networks count; borrowed, may be NULL. *ret_job is owned. INVALID with the field.
 */
int service_network_look(struct service *s, const struct actor *a, const char *url, json_t *connection, char **ret_job, struct err *err) MUST_CHECK;

#endif
