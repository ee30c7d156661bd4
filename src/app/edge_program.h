/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_program.h - where certwright-edge is and what it is told: it reads no file, so whoever starts it (the supervisor, or
 * `certwright edge` under a service manager) turns the configuration into arguments.
 */
#ifndef APP_EDGE_PROGRAM_H
#define APP_EDGE_PROGRAM_H

#include "app/config.h"

int program_open(const char *path, int *ret, struct err *err); /* O_PATH */
/* certwright-edge lies beside this program, in /usr/libexec or where CERTWRIGHT_EDGE says. */
int edge_program_open(int *ret, struct err *err);
/* child: it ends when this process, its parent, ends. */
void edge_program_arguments(struct strlist *argv, const struct config *c, bool child);

#endif
