/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h - the command that makes a server read its new certificate, with certbot's environment names and without a shell. */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "base/str.h"

/*
 * Runs words (the program is looked for in PATH, the rest are its arguments) with our environment, RENEWED_LINEAGE and RENEWED_DOMAINS;
 * its output is ours, or standard error with to_stderr. Its end is waited for, five minutes at most. INTERNAL unless it ended with 0.
 */
int reload_run(const struct strlist *words, const char *lineage, const struct strlist *domains, bool to_stderr, struct err *err);

#endif
