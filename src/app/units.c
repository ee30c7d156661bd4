/* SPDX-License-Identifier: Apache-2.0 */
/* units.c - see units.h. */
#include "app/units.h"

#include "app/edge_program.h"
#include "app/host.h"
#include "app/log_pair.h"
#include "base/addr.h"
#include "base/buf.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_DIR "/usr/lib/systemd/system"

extern char **environ;

static int refused(const struct err *err)
{
	log_err(LOG_ERROR, "could not start", err);
	return err_exit_status(err->code);
}

int units_edge(const struct config *c)
{
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_strlist_ struct strlist list = { 0 };
	_cleanup_free_ char **argv = NULL;
	_cleanup_close_ int program = -1;

	if (edge_program_open(&program, &err) < 0)
		return refused(&err);
	edge_program_arguments(&list, c, false);
	argv = xcalloc(list.n + 1, sizeof *argv);
	for (size_t i = 0; i < list.n; i++)
		argv[i] = list.v[i];
	fexecve(program, argv, environ);
	err_set_errno(&err, ERR_INTERNAL, "could not execute certwright-edge");
	return refused(&err);
}

int units_runner(const struct config *c, const struct runner_builtin *builtins)
{
	const struct runner_options o = { .programs = &c->programs, .builtins = builtins };
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *log = c->run_sockets ? path_join(c->run_sockets, "log.sock") : NULL;
	struct host_sockets s = { 0 };

	if (log)
		log_pair_connect(log);
	host_passed("runner", &s);
	if (geteuid() == 0)
		err_set(&err, ERR_NEEDS_PERSON, "the runner of foreign programs does not run as root");
	else if (s.n != 1)
		err_set(&err, ERR_INVALID, "one socket named 'runner' is needed, %zu were handed over", s.n);
	else
		(void)runner_serve(&o, s.fd[0], &err);
	host_sockets_close(&s);
	return err_is(&err) ? refused(&err) : 0;
}

/* ---- the generator ------------------------------------------------------------------------------------------------- */

static int folder(const char *path, struct err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_set_errno(err, ERR_INTERNAL, "could not make '%s'", path);
	return 0;
}

static int drop_in(const char *dir, const char *unit, const struct buf *text, struct err *err)
{
	_cleanup_free_ char *name = xasprintf("%s.d", unit), *at = path_join(dir, name), *file = path_join(at, "50-certwright-conf.conf");

	if (folder(at, err) < 0)
		return -(int)err->code;
	return file_write_atomic(file, buf_text(text), text->n, 0644, err);
}

static int socket_unit(const char *dir, const char *unit, const struct strlist *addresses, bool datagrams, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(16 * 1024);

	if (!addresses->n)
		return 0;
	buf_add_str(&text, "# from certwright.conf\n[Socket]\n");
	for (size_t i = 0; i < addresses->n; i++) {
		union addr a;
		char spelt[ADDR_TEXT];

		if (addr_parse(addresses->v[i], &a, err) < 0)
			return -(int)err->code;
		addr_format(&a, spelt);
		if (datagrams)
			buf_addf(&text, "ListenDatagram=%s\n", spelt);
		buf_addf(&text, "ListenStream=%s\n", spelt);
	}
	return drop_in(dir, unit, &text, err);
}

static int service_sockets(const char *dir, const char *service, const char *one, const char *two, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(1024);

	buf_add_str(&text, "# from certwright.conf\n[Service]\n");
	if (one)
		buf_addf(&text, "Sockets=%s\n", one);
	if (two)
		buf_addf(&text, "Sockets=%s\n", two);
	return drop_in(dir, service, &text, err);
}

/* Core wants edge, and does not need it: edge answers while core is restarted, and the reverse. */
static int want_edge(const char *dir, struct err *err)
{
	_cleanup_free_ char *wants = path_join(dir, "certwright.service.wants"), *link = path_join(wants, "certwright-edge.service");

	if (folder(wants, err) < 0)
		return -(int)err->code;
	if (symlink(UNIT_DIR "/certwright-edge.service", link) < 0 && errno != EEXIST)
		return err_set_errno(err, ERR_INTERNAL, "could not make '%s'", link);
	return 0;
}

int units_write(const struct config *c, const char *dir, struct err *err)
{
	bool dns = c->dns_listen.n, http = c->http01_listen.n;

	if (socket_unit(dir, "certwright-https.socket", &c->api_listen, false, err) < 0 ||
	    socket_unit(dir, "certwright-dns.socket", &c->dns_listen, true, err) < 0 ||
	    socket_unit(dir, "certwright-http.socket", &c->http01_listen, false, err) < 0)
		return -(int)err->code;
	if (c->api_listen.n && service_sockets(dir, "certwright.service", "certwright-https.socket", NULL, err) < 0)
		return -(int)err->code;
	if (!dns && !http)
		return 0;
	if (service_sockets(dir, "certwright-edge.service", dns ? "certwright-dns.socket" : NULL, http ? "certwright-http.socket" : NULL, err) < 0)
		return -(int)err->code;
	return want_edge(dir, err);
}
