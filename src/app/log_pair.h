/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_pair.h - what the supervisor and the runner log also goes to core, which alone reaches a collector (syslog.h) and passes it on
 * (base/log_foreign.h).
 *
 * One socket pair, made by the supervisor before there is anything else, and both ends kept by it: lines wait in the kernel while core is
 * away. Whoever logs never waits: what does not fit is in the local log only. Under systemd there is no supervisor; the runner is a unit,
 * and sends its lines to a socket of systemd's that is handed to core (certwright-log.socket).
 */
#ifndef APP_LOG_PAIR_H
#define APP_LOG_PAIR_H

#include "base/err.h"

#include <sys/types.h>

/* The supervisor: from now on its lines also go there. *ret_core is core's end. Once. */
int log_pair_make(int *ret_core, struct err *err);
/* The runner as a unit: its lines go to that socket too, and are the local log's only as long as it is not there. Once. */
void log_pair_connect(const char *path);
/* After a fork: the descriptor that lines go to (-1: none), and where it is now. */
int log_pair_end(void);
void log_pair_use(int fd);
/* Core, with the end it was handed: before the first line is read. */
int log_pair_listen(int fd, struct err *err);
/* Core: passes on what waits. The kernel says who sent a line: supervisor is the supervisor's, any other the runner's. */
void log_pair_read(int fd, pid_t supervisor);

#endif
