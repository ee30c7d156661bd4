/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - telling the service manager how we are, without its library: sd_notify(3) on the socket of NOTIFY_SOCKET, a path or
 * an abstract name ("@..."). Nothing happens where there is none.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/*
 * Connects now, for a process that may not make sockets later (edge's sandbox); the descriptor is kept until the process ends.
 * Without this call notify_send makes one each time. Before the first thread.
 */
void notify_open(void);
/* "READY=1", "STATUS=...", "WATCHDOG=1", "STOPPING=1", several of them in lines. Never waits; a loss is no failure. */
void notify_send(const char *message);
/* Half of the watchdog's period in ms, or -1 when the manager did not ask this process for a sign of life. */
int64_t notify_watchdog_ms(void);

#endif
