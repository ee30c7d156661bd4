/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.h - several DNS questions at once, UDP first and TCP after truncation; private to resolve/. */
#ifndef RESOLVE_EXCHANGE_H
#define RESOLVE_EXCHANGE_H

#include "resolve/resolve.h"

#define EXCHANGE_ANSWER 16384 /* by TCP: some 250 challenge values at one name */

struct exchange {
	/* in */
	union addr to;
	struct dns_name name;
	uint16_t type;
	bool recurse;
	bool tcp_only;
	/* out */
	bool answered;
	bool tcp; /* did not fit into UDP, or was asked by TCP from the start */
	struct dns_message m; /* points into answer */
	uint8_t answer[EXCHANGE_ANSWER];
	size_t n;
	char trouble[128];
	/* inner */
	uint16_t id;
	int fd;
	int64_t again_ms;
};

/* Runs all of them until answered or the deadline (clock_boot of the system) is over. */
void exchange_run(struct exchange *x, size_t n, int64_t deadline_boot_ms);

#endif
