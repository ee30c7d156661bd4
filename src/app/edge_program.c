/* SPDX-License-Identifier: Apache-2.0 */
/* edge_program.c - see edge_program.h. */
#include "app/edge_program.h"

#include "base/idn.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int program_open(const char *path, int *ret, struct err *err)
{
	*ret = open(path, O_PATH | O_CLOEXEC);
	return *ret < 0 ? err_set_errno(err, ERR_INTERNAL, "could not open the program '%s'", path) : 0;
}

/* certwright-edge lies beside this program, in /usr/libexec or where CERTWRIGHT_EDGE says. */
int edge_program_open(int *ret, struct err *err)
{
	const char *given = getenv("CERTWRIGHT_EDGE");
	char self[PATH_MAX] = "", *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 32);
	static const char *const places[] = { "/certwright-edge", "/../edge/certwright-edge", "/../libexec/certwright/certwright-edge" };

	if (!str_empty(given))
		return program_open(given, ret, err);
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++) {
		*slash = '\0';
		_cleanup_free_ char *path = xasprintf("%s%s", self, places[i]);

		*slash = '/';
		if (access(path, F_OK) == 0)
			return program_open(path, ret, err);
	}
	return err_set(err, ERR_INTERNAL, "could not find certwright-edge beside '%s'", self);
}

/* The name server's name in SOA and NS. Without dns.hostname the host's own name stands in, so that a first start works. */
static char *edge_hostname(const struct config *c)
{
	char host[256] = "";
	_cleanup_free_ char *name = NULL;
	_cleanup_err_ struct err no = ERR_INIT;

	if (c->dns_hostname)
		return xstrdup(c->dns_hostname);
	(void)gethostname(host, sizeof host - 1);
	if (name_canonical(host, &name, &no) < 0)
		name = xstrdup("localhost.localdomain");
	if (c->dns_listen.n)
		log_warning("dns.hostname is not set, the name of this host is used: delegations need the name the Internet knows", "hostname", name);
	return TAKE(name);
}

static void argv_pair(struct strlist *argv, const char *option, const char *value)
{
	strlist_add(argv, option);
	strlist_add(argv, value);
}

void edge_program_arguments(struct strlist *argv, const struct config *c, bool child)
{
	_cleanup_free_ char *hostname = edge_hostname(c);
	char number[32];

	strlist_add(argv, "certwright-edge");
	argv_pair(argv, "--hostname", hostname);
	if (c->dns_zone)
		argv_pair(argv, "--zone", c->dns_zone);
	for (size_t i = 0; i < c->dns_public_addresses.n; i++)
		argv_pair(argv, "--address", c->dns_public_addresses.v[i]);
	snprintf(number, sizeof number, "%" PRId64, c->dns_rate_limit);
	argv_pair(argv, "--rate-limit", number);
	if (c->http01_redirect_https)
		strlist_add(argv, "--redirect-https");
	if (child) {
		snprintf(number, sizeof number, "%ld", (long)getpid());
		argv_pair(argv, "--parent-pid", number);
	}
	argv_pair(argv, "--log-level", c->log_level);
	argv_pair(argv, "--log-format", config_log_format(c) == LOG_JSON ? "json" : "logfmt");
}
