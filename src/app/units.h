/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units.h - the parts as units of systemd instead of children of `certwright serve`: the same programs with the same sockets,
 * which are systemd's (packaging/systemd). Nobody holds the others: each is restarted alone, and the sockets outlive all.
 *
 *	certwright edge        reads the configuration and becomes certwright-edge, which reads no file
 *	certwright runner      serves the socket "runner"
 *	certwright core        as under the supervisor; takes the state lock itself
 *	certwright config units DIR
 *	                       what systemd's generator runs: api.listen, dns.listen and http01.listen become the addresses of
 *	                       the socket units, so that they stand in one place, certwright.conf. Empty lists make no socket,
 *	                       and without dns.listen and http01.listen edge is not started.
 */
#ifndef APP_UNITS_H
#define APP_UNITS_H

#include "app/config.h"
#include "app/runner.h"

/* Returns only when it failed: this process becomes edge. The exit status; the reason was logged. */
int units_edge(const struct config *c);
int units_runner(const struct config *c, const struct runner_builtin *builtins);
/* Writes drop-ins below dir. */
int units_write(const struct config *c, const char *dir, struct err *err);

#endif
