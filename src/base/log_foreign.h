/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_foreign.h - lines that another process of ours has logged (edge, the supervisor, the runner) and that core passes on to its own sinks.
 *
 * They were written to the local log where they arose. Whoever sends them may be in somebody else's hands by now, so a line is passed on only
 * when it is what log.c makes: one flat JSON object of texts that begins with time, level, process and msg, and names the process it came
 * from. It cannot pass for a row of the audit.
 */
#ifndef BASE_LOG_FOREIGN_H
#define BASE_LOG_FOREIGN_H

#include "base/log.h"

#define LOG_FOREIGN_MAX 4096 /* bytes of a line */

/* Gives the line to every sink, as of process pid (0: not known). False when it is no line of that process: then it is dropped. */
bool log_foreign(const char *process, long pid, const char *line, size_t n);

#endif
