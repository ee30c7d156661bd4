/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.h - `certwright core`: opens store, keys, engine, service and API, wires them, and waits for the end. Started by the
 * supervisor or by systemd with its listening sockets named "https"; never needs root.
 */
#ifndef APP_CORE_H
#define APP_CORE_H

#include "app/config.h"

/* Runs until SIGTERM, or until the supervisor is gone. The exit status; the reason was logged. */
int core_run(const struct config_input *in, const struct config *c);

#endif
