/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pg.h - a private PostgreSQL server for tests: in a temporary directory, on a unix socket only, as user postgres when we
 * are root. pg_start says in *why why there is none (then tests are skipped with that reason).
 */
#ifndef TESTS_CONTRACT_PG_H
#define TESTS_CONTRACT_PG_H

#include <stdbool.h>
#include <sys/types.h>

struct pg {
	char *dir;
	pid_t pid;
};

bool pg_start(struct pg *pg, const char **why);
bool pg_run(struct pg *pg);            /* the server again, after pg_kill; waits until it answers */
void pg_kill(struct pg *pg, int signo); /* and waits for its end */
void pg_stop(struct pg *pg);
char *pg_url(const struct pg *pg, const char *database); /* owned by the caller */

#endif
