/* SPDX-License-Identifier: Apache-2.0 */
/* core.c - see core.h. The only file that knows how the parts of core belong together. */
#include "app/core.h"

#include "api/api.h"
#include "app/disk.h"
#include "app/doctor.h"
#include "app/exposed.h"
#include "app/host.h"
#include "app/last_error.h"
#include "app/log_pair.h"
#include "app/proxy.h"
#include "app/restored.h"
#include "app/runner.h"
#include "app/settings.h"
#include "app/setup.h"
#include "app/syslog.h"
#include "app/weak.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log_keep.h"
#include "base/notify.h"
#include "base/ulid.h"
#include "engine/engine.h"
#include "keys/keys.h"
#include "net/client.h"
#include "net/policy.h"
#include "resolve/resolve.h"
#include "service/service.h"
#include "store/safekeeping.h"
#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define STOP_GRACE_MS (5 * SECOND_MS)
#define STOP_LAST_S 80
#define LOG_KEPT_BYTES (256 * 1024) /* for a support bundle */
#define LOCK_WAIT_MS (6 * SECOND_MS) /* a former server that is still ending */

struct core {
	const struct config_input *input;
	const struct config *config;
	struct host_sockets https, lock, supervisor, runner, log;
	struct runner_client programs;
	program_run_fn *run_program; /* NULL: there is no runner */
	int signal_fd, state_fd;
	char *feed_path, *report_path, *runner_path, *public_url;
	struct strlist tls_names;
	char *exposed;
	struct doctor doctor;
	struct strlist weak, settings;
	struct syslog *syslog;

	struct store *store;
	struct keys *keys;
	struct net_policy *policy;
	struct engine *engine;
	struct service *service;
	struct api *api;
};

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static int meta_read(struct sql *q, void *arg, struct err *err)
{
	char **ret = arg;
	_cleanup_err_ struct err why = ERR_INIT;

	free(*ret);
	*ret = NULL;
	if (store_meta_get(q, META_KEYS, ret, &why) < 0 && why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	return 0;
}

static int meta_write(struct sql *tx, void *arg, struct err *err)
{
	return store_meta_set(tx, META_KEYS, arg, err);
}

/* The ring of master keys; the first start of a new database makes one when the file of the default place is missing. */
static int keys_begin(struct core *c, struct err *err)
{
	_cleanup_free_ char *known = NULL, *now = NULL;
	struct keys_options o = { 0 };
	int rc;

	if (store_read(c->store, meta_read, &known, err) < 0)
		return err_wrap(err, "could not read which master key the database was sealed with");
	if (!known && c->config->keys_master.n == 1 && strchr(c->config->keys_master.v[0], '/') &&
	    !file_exists(c->config->keys_master.v[0])) {
		if (keys_master_create(c->config->keys_master.v[0], err) < 0)
			return err_wrap(err, "could not make the master key");
		log_info("made a master key; keep a copy of it in a safe place", "file", c->config->keys_master.v[0]);
	}
	strlist_copy(&o.files, &c->config->keys_master);
	o.check_text = known;
	rc = keys_open(&o, &c->keys, err);
	strlist_clear(&o.files);
	if (rc < 0)
		return rc;
	now = keys_check_text(c->keys);
	if (!known || !streq(known, now))
		return store_write(c->store, meta_write, now, err);
	return 0;
}

/* ---- wiring ------------------------------------------------------------------------------------------------------ */

static int store_begin(struct core *c, struct err *err)
{
	const struct store_upgraded *upgraded;
	struct store_options o = { .upgrade = STORE_UPGRADE_BY_SERVER, .url = c->config->store_url, .password_file = c->config->store_password_file };

	if (store_open(&o, &c->store, err) < 0)
		return -(int)err->code;
	upgraded = store_upgraded(c->store);
	if (upgraded->from && upgraded->copy)
		log_info("upgraded the database; the copy from before is kept until the next upgrade", "copy", upgraded->copy);
	else if (upgraded->from)
		log_info("upgraded the database; the way back is the backup that was confirmed");
	return 0;
}

static int policy_begin(struct core *c, struct err *err)
{
	_cleanup_free_ char *allow = strlist_join(&c->config->net_allow, ",");
	_cleanup_proxy_ struct proxy proxy = { 0 };
	struct net_config o = { .trust = c->config->net_trust, .allow = allow };

	if (proxy_read(c->config, &proxy, err) < 0)
		return -(int)err->code;
	o.proxy = proxy.url;
	o.proxy_user = proxy.user;
	o.proxy_password = &proxy.password;
	o.no_proxy = proxy.no_proxy;
	return net_policy_new(&o, &c->policy, err);
}

/* What was logged before it is the local log's only. */
static int syslog_begin(struct core *c, struct err *err)
{
	const struct syslog_options o = { .target = c->config->log_target, .ca_file = c->config->log_target_ca, .fingerprint = c->config->log_target_fingerprint,
					  .policy = c->policy };

	if (!o.target)
		return 0;
	return syslog_start(&o, &c->syslog, err) < 0 ? err_wrap(err, "could not begin to send the log to log.target") : 0;
}

static bool edge_configured(const struct config *c)
{
	return c->dns_listen.n || c->http01_listen.n;
}

/*
 * Leases belong to node + start, and a start ends those of its former self: two servers on one database must never have one name, not
 * even on one host or in containers named alike. So the name is the host's with an id kept in the state folder; of a
 * copied state folder the host's name tells them apart.
 */
static int node_name(const struct config *c, char **ret, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/node", c->state);
	_cleanup_buf_ struct buf id = BUF_MAX(64);
	char host[256] = "";

	if (gethostname(host, sizeof host - 1) < 0 || !*host)
		snprintf(host, sizeof host, "node");
	if (file_exists(path) && file_read(path, &id, err) < 0)
		return err_wrap(err, "could not read the name of this node");
	if (!ulid_valid(buf_text(&id))) {
		struct ulid made = ulid_new(clock_now(&clock_system));

		buf_reset(&id);
		buf_add(&id, made.s, ULID_LEN);
		if (file_write_atomic(path, made.s, ULID_LEN, 0600, err) < 0)
			return err_wrap(err, "could not store the name of this node");
	}
	*ret = xasprintf("%s.%s", host, buf_text(&id));
	return 0;
}

/* The runner is the supervisor's child, at the other end of a socket pair, or a unit of its own that listens; or there is none. */
static void runner_begin(struct core *c)
{
	if (c->runner.n) {
		c->programs = (struct runner_client){ .fd = c->runner.fd[0] };
		c->run_program = runner_client_run;
	} else if (c->config->run_sockets) {
		c->runner_path = path_join(c->config->run_sockets, "runner.sock");
		c->programs = (struct runner_client){ .fd = -1, .path = c->runner_path };
		c->run_program = runner_client_run;
	}
}

/* PostgreSQL has its own backups, which are made without us. */
static int64_t backup_warn_ms(const struct config *c)
{
	return str_starts(c->store_url, "sqlite:") ? c->backup_warn_after * HOUR_MS : 0;
}

static void nightly(void *arg)
{
	const struct core *c = arg;

	disk_sample(c->config->state, clock_now(&clock_system));
}

static int engine_begin(struct core *c, struct err *err)
{
	_cleanup_free_ char *resolvers = strlist_join(&c->config->resolve_servers, ", "), *node = NULL;
	struct engine_options o = { .store = c->store, .keys = c->keys, .policy = c->policy,
				    .workers = (unsigned)c->config->engine_workers, .dns_hostname = c->config->dns_hostname,
				    .dns_zone = c->config->dns_zone, .dns_public = &c->config->dns_public_addresses,
				    .webroots = &c->config->webroots, .programs = &c->config->programs, .backup_warn_ms = backup_warn_ms(c->config),
				    .keep_events_ms = c->config->retention_events * DAY_MS, .keep_queries_ms = c->config->retention_queries * DAY_MS,
				    .heartbeat_url = c->config->heartbeat_url, .heartbeat_post = streq(c->config->heartbeat_method, "POST"),
				    .heartbeat_ms = c->config->heartbeat_every * MINUTE_MS, .nightly = nightly, .nightly_arg = c };

	o.run_program = c->run_program;
	o.program_arg = &c->programs;
	c->doctor = (struct doctor){ .input = c->input, .config = c->config, .known_keys = keys_check_text(c->keys),
				     .started_ms = clock_now(&clock_system) };
	o.checks = doctor_table;
	o.checks_arg = &c->doctor;
	if (node_name(c->config, &node, err) < 0)
		return -(int)err->code;
	o.node = node;
	o.public_url = c->public_url = page_url(c->config);
	if (*resolvers && resolve_view_parse(resolvers, c->config->resolve_ask_view, &o.view, err) < 0)
		return -(int)err->code;
	if (edge_configured(c->config)) {
		const char *dir = c->config->run_sockets ? c->config->run_sockets : c->config->state;

		c->feed_path = host_socket_path(dir, "feed.sock", &c->state_fd);
		c->report_path = host_socket_path(dir, "report.sock", &c->state_fd);
		o.feed_path = c->feed_path;
		o.report_path = c->report_path;
	}
	return engine_open(&o, &c->engine, err);
}

static void edge_state(void *arg, struct service_edge *ret)
{
	struct core *c = arg;
	struct engine_status s;

	engine_status(c->engine, &s);
	ret->configured = s.feed.offered;
	ret->connected = s.feed.connected;
	ret->loaded = s.feed.loaded;
}

/* Host names and addresses that the self-signed certificate is for: what the API listens on, and the address people use. */
static void tls_names(struct core *c)
{
	const char *url = c->config->api_public_url;

	for (size_t i = 0; i < c->config->api_listen.n; i++) {
		_cleanup_err_ struct err no = ERR_INIT;
		union addr a;
		char text[ADDR_TEXT];

		if (addr_parse(c->config->api_listen.v[i], &a, &no) == 0)
			strlist_add(&c->tls_names, addr_format_ip(&a, text));
	}
	if (url && strstr(url, "//")) {
		const char *host = strstr(url, "//") + 2;

		strlist_addn(&c->tls_names, host, strcspn(host, ":/"));
	}
	strlist_sort_unique(&c->tls_names);
}

static int service_begin(struct core *c, struct err *err)
{
	struct service_options o = { .store = c->store, .keys = c->keys, .engine = c->engine, .edge_state = edge_state, .edge_arg = c };

	o.run_program = c->run_program;
	o.program_arg = &c->programs;
	tls_names(c);
	weak_settings(c->config, &c->weak);
	settings_lines(c->config, &c->settings);
	c->exposed = exposed_address(c->config);
	if (c->exposed)
		log_warning("the API listens on an address on which DNS or HTTP-01 must be reached from the Internet; let api.listen name an inside address, or "
			    "say in api.allow_from who may reach it",
			    "address", c->exposed);
	o.config = (struct service_config){
		.version = CERTWRIGHT_VERSION,
		.dns_hostname = c->config->dns_hostname, .dns_zone = c->config->dns_zone,
		.trial_directory = c->config->acme_trial_directory,
		.dns_listen = &c->config->dns_listen,
		.http01_listen = &c->config->http01_listen,
		.api_listen = &c->config->api_listen,
		.tls_cert = c->config->api_tls_cert,
		.tls_key = c->config->api_tls_key,
		.tls_certificate = c->config->api_certificate,
		.tls_names = &c->tls_names,
		.metrics_allow = &c->config->metrics_allow_from,
		.api_allow = &c->config->api_allow_from,
		.trusted_proxies = &c->config->api_trusted_proxies,
		.settings = &c->settings,
		.weak = &c->weak,
		.api_exposed = c->exposed,
		.backup_warn_ms = backup_warn_ms(c->config),
	};
	return service_new(&o, &c->service, err);
}

static int api_begin(struct core *c, struct err *err)
{
	struct api_options o = { .service = c->service, .listen_fds = c->https.fd, .listen_fds_n = c->https.n };

	if (!c->https.n)
		o.listen = &c->config->api_listen;
	return api_start(&o, &c->api, err);
}

/* Without a supervisor, which hands over the lock it took, core takes it itself. */
static int lock_begin(struct core *c, struct err *err)
{
	const struct host_user ourselves = { 0 };

	if (c->lock.n)
		return 0;
	if (host_state_make(c->config->state, &ourselves, err) < 0 ||
	    host_state_lock(c->config->state, &ourselves, LOCK_WAIT_MS, &c->lock.fd[0], err) < 0)
		return -(int)err->code;
	c->lock.n = 1;
	return 0;
}

static int begin(struct core *c, struct err *err)
{
	if (lock_begin(c, err) < 0)
		return -(int)err->code;
	if (store_begin(c, err) < 0)
		return err_wrap(err, "could not open the store");
	if (keys_begin(c, err) < 0)
		return err_wrap(err, "could not open the keys");
	if (c->log.n && log_pair_listen(c->log.fd[0], err) < 0)
		return -(int)err->code;
	if (restored_look(c->store, err) < 0)
		return -(int)err->code;
	if (policy_begin(c, err) < 0)
		return err_wrap(err, "could not use the [net] settings");
	if (syslog_begin(c, err) < 0)
		return -(int)err->code;
	runner_begin(c);
	if (engine_begin(c, err) < 0)
		return err_wrap(err, "could not open the engine");
	if (service_begin(c, err) < 0)
		return err_wrap(err, "could not open the service");
	if (api_begin(c, err) < 0)
		return -(int)err->code;
	if (engine_start(c->engine, err) < 0)
		return err_wrap(err, "could not start the engine");
	return 0;
}

static void end(struct core *c)
{
	api_stop(c->api);
	if (c->engine)
		engine_stop(c->engine, STOP_GRACE_MS);
	service_free(c->service);
	engine_close(c->engine);
	syslog_stop(c->syslog);
	net_policy_unref(c->policy);
	keys_close(c->keys);
	store_close(c->store);
	free(c->public_url);
	free(c->feed_path);
	free(c->report_path);
	free(c->runner_path);
	strlist_clear(&c->tls_names);
	strlist_clear(&c->weak);
	strlist_clear(&c->settings);
	free(c->exposed);
	free(c->doctor.known_keys);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void say_ready(struct core *c)
{
	static const char ready[] = "READY=1";
	_cleanup_free_ char *fingerprint = api_fingerprint(c->api);
	char text[ADDR_TEXT] = "";
	union addr a;

	if (api_address(c->api, 0, &a))
		addr_format(&a, text);
	log_info("serving", "api", text, "certificate_sha256", fingerprint);
	for (size_t i = 0; i < c->supervisor.n; i++)
		if (send(c->supervisor.fd[i], ready, strlen(ready), MSG_NOSIGNAL) < 0)
			log_debug("could not tell the supervisor", "why", strerror(errno));
	notify_send(ready);
}

/* Only what may change while running is taken: the level of the log. TLS files are looked at by the API itself. */
static void reload(struct core *c)
{
	_cleanup_config_ struct config now = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	enum log_level level;

	if (config_read(c->input, &now, NULL, &err) < 0) {
		log_err(LOG_ERROR, "the configuration was not read again", &err);
		return;
	}
	if (log_level_parse(now.log_level, &level))
		log_set_level(level);
	log_info("read the configuration again", "log_level", now.log_level);
}

/* A sign of life passes through the engine's locks: a core that hangs there gives none. */
static void sign_of_life(struct core *c)
{
	_cleanup_free_ char *text = NULL;
	struct engine_status s;

	engine_status(c->engine, &s);
	text = xasprintf("WATCHDOG=1\nSTATUS=%u of %u workers busy; %s", s.busy, s.workers,
			 !s.feed.offered ? "answers no challenge itself" : s.feed.loaded ? "edge answers" : "edge is away");
	notify_send(text);
}

static void wait_for_end(struct core *c)
{
	int64_t watchdog = notify_watchdog_ms();

	for (;;) {
		struct pollfd fds[] = { { .fd = c->signal_fd, .events = POLLIN },
					{ .fd = c->supervisor.n ? c->supervisor.fd[0] : -1, .events = POLLIN },
					{ .fd = c->log.n ? c->log.fd[0] : -1, .events = POLLIN } };
		struct signalfd_siginfo info;

		if (watchdog >= 0)
			sign_of_life(c);
		if (poll(fds, ARRAY_SIZE(fds), (int)watchdog) < 0 && errno != EINTR)
			return;
		if (fds[2].revents)
			log_pair_read(c->log.fd[0], getppid());
		if (fds[1].revents) {
			log_warning("the supervisor is gone, stopping");
			return;
		}
		while (read(c->signal_fd, &info, sizeof info) == sizeof info) {
			if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
				return;
			if (info.ssi_signo == SIGHUP)
				reload(c);
		}
	}
}

static int signals(struct err *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set_errno(err, ERR_INTERNAL, "could not listen for signals") : fd;
}

int core_run(const struct config_input *in, const struct config *config)
{
	_cleanup_err_ struct err err = ERR_INIT;
	struct core c = { .input = in, .config = config, .signal_fd = -1, .state_fd = -1 };
	int rc;

#ifdef CERTWRIGHT_CRASH_HOOKS
	clock_offset_file = getenv("CERTWRIGHT_CLOCK_FILE");
#endif
	if (geteuid() == 0) {
		log_error("core does not run as root; start it with `certwright serve`");
		return err_exit_status(ERR_NEEDS_PERSON);
	}
	log_keep(LOG_KEPT_BYTES);
	host_passed("https", &c.https);
	host_passed("lock", &c.lock);
	host_passed("supervisor", &c.supervisor);
	host_passed("runner", &c.runner);
	host_passed("log", &c.log);
	json_init();
	net_init();
	c.signal_fd = signals(&err);
	rc = c.signal_fd < 0 ? c.signal_fd : begin(&c, &err);
	if (rc == 0) {
		last_error_over(config->state);
		disk_sample(config->state, clock_now(&clock_system));
		say_ready(&c);
		wait_for_end(&c);
		notify_send("STOPPING=1");
		log_info("stopping");
		alarm(STOP_LAST_S); /* whatever hangs, the state folder becomes free */
	} else {
		log_err(LOG_ERROR, "could not start", &err);
		if (c.lock.n) /* else it is another server's folder */
			last_error_keep(config->state, "core", &err);
	}
	end(&c);
	if (c.signal_fd >= 0)
		close(c.signal_fd);
	return rc == 0 ? 0 : err_exit_status(err.code);
}
