/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h - the HTTPS server of core: REST API, page, health, metrics, event stream. openapi.yaml beside it is the contract.
 *
 *	api_start(&o, &api, &err)   ... serves until ...   api_stop(api)
 *
 * Start it after the store, the keys, the engine and the service; stop it first: api_stop ends the streams, lets running
 * requests finish, answers waiting ones, and joins its threads.
 */
#ifndef API_API_H
#define API_API_H

#include "base/addr.h"
#include "base/str.h"

struct api;
struct service;

struct api_options {
	struct service *service;
	const int *listen_fds;        /* bound, listening, non-blocking or not; taken over and closed by api_stop */
	size_t listen_fds_n;
	const struct strlist *listen; /* or addresses to bind ("127.0.0.1:0"), for tests and servers without a supervisor */
	unsigned threads;             /* of the HTTP server; 0 = 2 */
};

int api_start(const struct api_options *o, struct api **ret, struct err *err) MUST_CHECK;
void api_stop(struct api *a); /* NULL is fine */
/* The address the n-th socket is bound to (port 0 was resolved). False when there are not so many. */
bool api_address(const struct api *a, size_t n, union addr *ret);
/* SHA-256 fingerprint of the certificate served now, hex; the start log and "setup" print it. Owned by the caller. */
char *api_fingerprint(struct api *a);

#endif
