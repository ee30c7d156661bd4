/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor.h - `certwright serve`: the small process that holds nothing. It takes the state lock, binds every public port
 * and the feed's sockets while it still may, gives up root, executes certwright-edge and core with exactly the descriptors
 * each needs, and restarts either, with a growing pause, when it dies. The listening sockets outlive both, so the kernel
 * queues what arrives meanwhile.
 *
 * edge gets   dns-udp, dns-tcp, http01, feed, report
 * runner      is forked before all that, as a user of its own (runner.h)
 * core gets   runner (its end of the pair, which outlives both), https, lock (so that a state folder has one user even when the supervisor is killed), supervisor
 * and both end when the supervisor dies. On the socket "supervisor" core says READY=1; its end tells core that we are gone.
 * Core that ends before it was ever ready ends the server with its status: nobody is helped by trying a wrong master key for
 * ever. A runner that ends ends the server too, since without root it cannot become its user again; where it has our own
 * user it is started anew. Single-threaded.
 */
#ifndef APP_SUPERVISOR_H
#define APP_SUPERVISOR_H

#include "app/config.h"
#include "app/runner.h"

/* Runs until SIGTERM or SIGINT (twice: at once). The exit status of the server; the reason was logged. */
int supervisor_run(const struct config_input *in, const struct config *c, const struct runner_builtin *builtins);

/* The pause before the n-th restart in a row (n from 0): 0.1 s doubling up to 30 s. */
int64_t supervisor_pause_ms(unsigned n);

#endif
