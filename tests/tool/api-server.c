/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api-server - the API alone, for tests of it: store, keys, service and API in one process, no engine thread and no edge (jobs
 * and orders are stored and wait). usage: api-server DIR PORT [CERT KEY]
 * Prints "ready PORT" when it serves and ends by SIGTERM. "api-server tables" prints the route and decode tables as JSON.
 */
#include "api/api.h"
#include "api/call.h"
#include "base/file.h"
#include "base/log.h"
#include "keys/keys.h"
#include "service/service.h"
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int die(struct err *err)
{
	_cleanup_free_ char *text = err_text(err);

	fprintf(stderr, "api-server: %s\n", text);
	return 1;
}

static void edge_state(void *arg, struct service_edge *ret)
{
	(void)arg;
	*ret = (struct service_edge){ .configured = false };
}

static int tables(void)
{
	_cleanup_json_ json_t *t = route_tables();
	_cleanup_free_ char *text = json_text(t);

	printf("%s\n", text);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *master = NULL, *url = NULL, *listen = NULL;
	_cleanup_strlist_ struct strlist files = { 0 }, addresses = { 0 };
	struct store *store = NULL;
	struct keys *keys = NULL;
	struct service *service = NULL;
	struct api *api = NULL;
	union addr addr;
	sigset_t set;
	int sig;

	json_init();
	log_init(LOG_INFO, LOG_LOGFMT, "api-server");
	if (argc == 2 && streq(argv[1], "tables"))
		return tables();
	if (argc != 3 && argc != 5)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	master = xasprintf("%s/master.key", argv[1]);
	url = xasprintf("sqlite:%s/certwright.db", argv[1]);
	listen = xasprintf("127.0.0.1:%s", argv[2]);
	strlist_add(&files, master);
	strlist_add(&addresses, listen);
	if (!file_exists(master) && keys_master_create(master, &err) < 0)
		return die(&err);
	if (store_open(&(struct store_options){ .url = url }, &store, &err) < 0 ||
	    keys_open(&(struct keys_options){ .files = files }, &keys, &err) < 0)
		return die(&err);
	if (service_new(&(struct service_options){ .store = store, .keys = keys, .edge_state = edge_state,
						   .config = { .version = "test", .dns_hostname = "ns.test.example",
							       .dns_listen = &addresses, .http01_listen = &addresses,
							       .tls_cert = argc == 5 ? argv[3] : NULL,
							       .tls_key = argc == 5 ? argv[4] : NULL } },
			&service, &err) < 0 ||
	    api_start(&(struct api_options){ .service = service, .listen = &addresses }, &api, &err) < 0)
		return die(&err);
	if (api_address(api, 0, &addr))
		printf("ready %u\n", (unsigned)addr_port(&addr));
	fflush(stdout);
	sigwait(&set, &sig);
	api_stop(api);
	service_free(service);
	keys_close(keys);
	store_close(store);
	return 0;
}
