/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - certwright-edge: takes its descriptors and settings, starts the threads, locks itself in, serves the feed. */
#include "edge/edge.h"
#include "edge/lines.h"

#include "base/file.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/pool.h"
#include "base/sandbox.h"

#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_FD 3

static const char usage[] =
	"usage: certwright-edge [OPTIONS]\n"
	"Answers DNS-01 and HTTP-01 challenges from memory. Started by certwright or systemd with its sockets inherited\n"
	"(LISTEN_FDS, LISTEN_FDNAMES: dns-udp, dns-tcp or dns for either, http01 or http, feed, report); not meant to be\n"
	"started by hand.\n"
	"\n"
	"  --hostname NAME      host name of this name server (dns.hostname); needed for DNS\n"
	"  --zone NAME          a zone of our own for CNAME targets (dns.zone)\n"
	"  --address IP         public address of the host name, any number (dns.public_addresses)\n"
	"  --soa-ttl SECONDS    TTL of SOA and of negative answers, 1 to 30 (default 10)\n"
	"  --rate-limit N       answers per second to a /24 or /56 and of one kind; 0 = no limit (default 200);\n"
	"                       answers with live challenges are never limited\n"
	"  --redirect-https     HTTP requests for anything but a live token are sent to https://\n"
	"  --parent-pid PID     end when this process, our parent, ends\n"
	"  --log-level LEVEL    debug, info, warning, error (default info)\n"
	"  --log-format FORMAT  logfmt or json (default json)\n"
	"  --help\n";

struct options {
	struct edge_settings settings;
	int64_t parent_pid;
	enum log_level log_level;
	enum log_format log_format;
};

static int take_address(struct edge_settings *s, const char *text, struct err *err)
{
	if (s->addresses_n == EDGE_ADDRESSES)
		return err_set(err, ERR_INVALID, "more than %d addresses", EDGE_ADDRESSES);
	return addr_parse_ip(text, &s->addresses[s->addresses_n++], err);
}

static int take_number(const char *text, int64_t min, int64_t max, unsigned *ret, struct err *err)
{
	int64_t v;

	if (str_to_i64(text, min, max, &v, err) < 0)
		return -(int)err->code;
	*ret = (unsigned)v;
	return 0;
}

static int take_option(struct options *o, int opt, const char *arg, struct err *err)
{
	switch (opt) {
	case 'h':
		return dns_name_parse(arg, &o->settings.hostname, err);
	case 'z':
		return dns_name_parse(arg, &o->settings.zone, err);
	case 'a':
		return take_address(&o->settings, arg, err);
	case 's':
		return take_number(arg, 1, EDGE_SOA_TTL_MAX, &o->settings.soa_ttl_s, err);
	case 'r':
		return take_number(arg, 0, 1000000, &o->settings.rate_limit, err);
	case 'R':
		o->settings.redirect_https = true;
		return 0;
	case 'p':
		return str_to_i64(arg, 1, INT32_MAX, &o->parent_pid, err);
	case 'l':
		if (log_level_parse(arg, &o->log_level))
			return 0;
		return err_set(err, ERR_INVALID, "unknown log level '%s'", arg);
	case 'f':
		if (!streq(arg, "json") && !streq(arg, "logfmt"))
			return err_set(err, ERR_INVALID, "unknown log format '%s'", arg);
		o->log_format = streq(arg, "json") ? LOG_JSON : LOG_LOGFMT;
		return 0;
	default:
		return err_set(err, ERR_INVALID, "unknown argument; see --help");
	}
}

static int take_options(struct options *o, int argc, char **argv, struct err *err)
{
	static const struct option options[] = {
		{ "hostname", 1, NULL, 'h' },      { "zone", 1, NULL, 'z' },       { "address", 1, NULL, 'a' },
		{ "soa-ttl", 1, NULL, 's' },       { "rate-limit", 1, NULL, 'r' }, { "redirect-https", 0, NULL, 'R' },
		{ "parent-pid", 1, NULL, 'p' },    { "log-level", 1, NULL, 'l' },  { "log-format", 1, NULL, 'f' },
		{ "help", 0, NULL, '?' + 128 },    { NULL, 0, NULL, 0 },
	};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == '?' + 128) {
			fputs(usage, stdout);
			exit(0);
		}
		if (take_option(o, opt, optarg, err) < 0)
			return err_wrap(err, "cannot use argument '%s'", argv[optind - 1]);
	}
	if (optind < argc)
		return err_set(err, ERR_INVALID, "unexpected argument '%s'; see --help", argv[optind]);
	return 0;
}

/* ---- inherited descriptors ---- */

static int set_on(int fd, int level, int name)
{
	int on = 1;

	return setsockopt(fd, level, name, &on, sizeof on);
}

static void set_to(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof value) < 0) {
		/* of the other family, or not known to this kernel: a refinement only */
	}
}

static int prepare_udp(int fd, struct err *err)
{
	bool four = set_on(fd, IPPROTO_IP, IP_PKTINFO) == 0, six = set_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO) == 0;

	if (!four && !six)
		return err_set_errno(err, ERR_INTERNAL, "could not learn which address is asked on a UDP socket");
	/* fragments are for forgers: never sent, and no path MTU is believed */
	set_to(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	set_to(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	set_to(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
	set_to(fd, SOL_SOCKET, SO_SNDBUF, 4 << 20);
	return 0;
}

static int put_fd(struct fd_list *l, int fd, const char *name, struct err *err)
{
	if (l->n == EDGE_FDS_MAX)
		return err_set(err, ERR_INVALID, "more than %d sockets named '%s'", EDGE_FDS_MAX, name);
	l->fd[l->n++] = fd;
	return 0;
}

static int put_single(int *to, int fd, const char *name, struct err *err)
{
	if (*to >= 0)
		return err_set(err, ERR_INVALID, "more than one socket named '%s'", name);
	*to = fd;
	return 0;
}

static int take_fd(struct edge *e, int fd, const char *name, struct err *err)
{
	int flags = fcntl(fd, F_GETFL), type = 0;
	socklen_t n = sizeof type;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0)
		return err_set_errno(err, ERR_INVALID, "descriptor %d ('%s') is not a socket", fd, name);
	fd_cloexec(fd, true);
	if ((streq(name, "dns-udp") || streq(name, "dns")) && type == SOCK_DGRAM)
		return put_fd(&e->dns_udp, fd, name, err) < 0 ? -(int)err->code : prepare_udp(fd, err);
	if ((streq(name, "dns-tcp") || streq(name, "dns")) && type == SOCK_STREAM) {
		set_to(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		return put_fd(&e->dns_tcp, fd, name, err);
	}
	if ((streq(name, "http01") || streq(name, "http")) && type == SOCK_STREAM) {
		set_to(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		set_to(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
		return put_fd(&e->http01, fd, name, err);
	}
	if (streq(name, "feed") && type == SOCK_SEQPACKET)
		return put_single(&e->feed_fd, fd, name, err);
	if (streq(name, "report") && type == SOCK_SEQPACKET)
		return put_single(&e->report_listen_fd, fd, name, err);
	return err_set(err, ERR_INVALID, "descriptor %d is named '%s', which is not a name (or not the type) of ours", fd, name);
}

static int take_fds(struct edge *e, struct err *err)
{
	const char *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES"), *pid = getenv("LISTEN_PID");
	_cleanup_strlist_ struct strlist list = { 0 };
	int64_t n, ours;

	if (!count || !names)
		return err_set(err, ERR_INVALID, "no sockets were handed over (LISTEN_FDS, LISTEN_FDNAMES); see --help");
	if (pid && (str_to_i64(pid, 1, INT32_MAX, &ours, err) < 0 || ours != getpid())) {
		err_clear(err);
		return err_set(err, ERR_INVALID, "LISTEN_PID is not our process: the sockets are somebody else's");
	}
	if (str_to_i64(count, 1, 3 * EDGE_FDS_MAX + 2, &n, err) < 0)
		return err_wrap(err, "cannot read LISTEN_FDS");
	strlist_split(&list, names, ':');
	if ((int64_t)list.n != n)
		return err_set(err, ERR_INVALID, "LISTEN_FDS says %" PRId64 " but LISTEN_FDNAMES has %zu names", n, list.n);
	for (size_t i = 0; i < list.n; i++)
		if (take_fd(e, FIRST_FD + (int)i, list.v[i], err) < 0)
			return -(int)err->code;
	if (e->feed_fd < 0)
		return err_set(err, ERR_INVALID, "no socket named 'feed' was handed over");
	if (!e->dns_udp.n && !e->dns_tcp.n && !e->http01.n)
		return err_set(err, ERR_INVALID, "no socket to answer on was handed over");
	if ((e->dns_udp.n || e->dns_tcp.n) && e->settings.hostname.n <= 1)
		return err_set(err, ERR_INVALID, "DNS needs --hostname");
	return 0;
}

/* ---- threads and lock-in ---- */

static void raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= 8192)
		return;
	r.rlim_cur = MIN(r.rlim_max, 8192);
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		log_warning("could not raise the number of descriptors");
}

static int add_listener(struct edge *e, const char *name, void (*run)(void *), bool names, bool tokens, struct err *err)
{
	struct listener *l = &e->listeners[e->listeners_n];
	uint64_t thread;

	*l = (struct listener){ .edge = e, .name = name, .names = names, .tokens = tokens };
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make an eventfd");
	e->listeners_n++;
	return thread_start(&thread, name, run, l, err);
}

static int start_threads(struct edge *e, struct err *err)
{
	e->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->report_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (e->done_fd < 0 || e->report_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make the descriptors edge needs");
	if (e->dns_udp.n && add_listener(e, "dns-udp", udp_run, true, false, err) < 0)
		return -(int)err->code;
	if ((e->dns_tcp.n || e->http01.n) &&
	    add_listener(e, "dns-tcp", tcp_run, e->dns_tcp.n > 0, e->http01.n > 0, err) < 0)
		return -(int)err->code;
	return 0;
}

/* What a running edge needs, the hot ones first. mmap and mprotect are allowed by the sandbox itself, not executable. */
static const int calls[] = {
	__NR_recvmmsg, __NR_sendmmsg, __NR_epoll_pwait, __NR_recvfrom, __NR_sendto, __NR_accept4, __NR_close, __NR_epoll_ctl,
	__NR_read, __NR_write, __NR_ppoll, __NR_shutdown, __NR_futex, __NR_clock_gettime, __NR_getrandom,
	__NR_getsockopt, /* SO_PEERCRED of core */
	__NR_getuid, __NR_dup3, __NR_fcntl, /* the report socket, the reserve descriptor */
	__NR_brk, __NR_munmap, __NR_mremap, __NR_madvise, __NR_sched_getaffinity, /* malloc; newer glibc's getrandom */
	__NR_restart_syscall, __NR_rt_sigreturn, __NR_rt_sigprocmask, __NR_gettid, __NR_getpid, __NR_tgkill, /* abort */
	__NR_exit, __NR_exit_group,
#ifdef __NR_poll
	__NR_poll, __NR_epoll_wait,
#endif
#ifdef __NR_time
	__NR_time,
#endif
};

static int follow_parent(int64_t pid, struct err *err)
{
	if (!pid)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not ask to end with the parent process");
	if (getppid() != pid)
		return err_set(err, ERR_INTERNAL, "the parent process has ended");
	return 0;
}

static int start(struct edge *e, struct options *o, int argc, char **argv, struct err *err)
{
	if (take_options(o, argc, argv, err) < 0)
		return -(int)err->code;
	log_init(o->log_level, o->log_format, "edge");
	lines_keep();
	e->settings = o->settings;
	if (follow_parent(o->parent_pid, err) < 0 || take_fds(e, err) < 0 || sandbox_prepare(err) < 0)
		return -(int)err->code;
	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	log_info("edge started", "dns_udp", LOG_NUM(e->dns_udp.n), "dns_tcp", LOG_NUM(e->dns_tcp.n), "http01", LOG_NUM(e->http01.n));
	if (start_threads(e, err) < 0)
		return -(int)err->code;
	feed_wait_ready(e);
	notify_open(); /* no socket can be made from here on */
	if (sandbox_enter(calls, ARRAY_SIZE(calls), err) < 0)
		return -(int)err->code;
	notify_send("READY=1");
	return 0;
}

int main(int argc, char **argv)
{
	static struct edge e = { .feed_fd = -1, .report_listen_fd = -1 };
	struct options o = { .settings = { .soa_ttl_s = 10, .rate_limit = 200 }, .log_level = LOG_INFO, .log_format = LOG_JSON };
	_cleanup_err_ struct err err = ERR_INIT;

	log_init(LOG_INFO, LOG_JSON, "edge");
	if (start(&e, &o, argc, argv, &err) < 0) {
		log_err(LOG_ERROR, "edge cannot start", &err);
		return err_exit_status(err.code);
	}
	feed_serve(&e);
	return 0;
}
