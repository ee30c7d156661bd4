/* SPDX-License-Identifier: Apache-2.0 */
/*
 * servers.h - name servers for the tests of resolve: up to four on 127.0.0.1 to 127.0.0.4, all on one port, in one thread. Each listens
 * by UDP, the second by TCP too. What they answer is the test's own function; what answers are made of is here as well.
 */
#ifndef TESTS_UNIT_RESOLVE_SERVERS_H
#define TESTS_UNIT_RESOLVE_SERVERS_H

#include "resolve/resolve.h"
#include "tests/unit/assert.h"

#define SERVERS_MAX 4

/*
 * The nth packet (from 0) that server who, from 0, sends back for the question p, in the zeroed out; its length, 0 = no more. By TCP
 * there is only the first. Called by the servers' thread.
 */
typedef size_t servers_fn(int who, bool tcp, int nth, const uint8_t *p, size_t n, uint8_t *out, size_t cap);

int servers_begin(int n, servers_fn *answer);
void servers_end(void);
/* Waits until everything that was sent to them so far has been answered: what a test changes then meets new questions only. */
void servers_rest(void);

/* A view whose resolver is the first of them, and whose zones' servers are found on their port. */
struct resolve_view servers_view(bool ask_view);
union addr servers_address(int who);

struct dns_name named(const char *text);
void put_rr(struct dns_out *o, const struct dns_name *owner, uint16_t type, uint16_t rclass, const void *rdata, size_t n);
void put_name(struct dns_out *o, const struct dns_name *owner, uint16_t type, const char *target);
/* The A record of "nsN…", which is the server N from 0: 127.0.0.(N+1). */
void put_address(struct dns_out *o, const struct dns_name *owner, const char *host);

#endif
