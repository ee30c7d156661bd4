/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - the verbs that are clients of the REST API: nothing is possible here that is not possible there, and the reverse.
 * One file per noun; the table of verbs carries its documentation in the row.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

struct json_t;

/* Runs `certwright argv[0] argv[1] ...`; the exit status by base/err.h's table. */
int cli_run(int argc, char **argv);
/*
 * `certwright doctor` without a name: argv[0] is "doctor"; take_host_rows: what was found on this host, or NULL when it is not the server's;
 * ask: the server, too.
 */
int cli_doctor(int argc, char **argv, struct json_t *take_host_rows, bool ask);
/* One line per verb. */
void cli_usage(FILE *out);
/* docs/generated/cli.md */
void cli_document(FILE *out);

#endif
