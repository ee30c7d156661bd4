/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - see host.h. */
#include "app/host.h"

#include "base/addr.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

void host_harden(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- user -------------------------------------------------------------------------------------------------------- */

int host_user_find(const char *name, struct host_user *ret, struct err *err)
{
	struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	pw = name ? getpwnam(name) : NULL;
	if (!pw) {
		err_set(err, ERR_NEEDS_PERSON, "there is no user '%s' to run as", name ? name : "");
		return err_hint(err, "Make it with `useradd --system --no-create-home --shell /usr/sbin/nologin %s`, or name another in run.user.",
				name ? name : "certwright");
	}
	if (pw->pw_uid == 0)
		return err_set(err, ERR_NEEDS_PERSON, "run.user is '%s', which is root: Certwright never runs as root", name);
	ret->name = xstrdup(pw->pw_name);
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	ret->drop = true;
	return 0;
}

int host_user_become(const struct host_user *u, struct err *err)
{
	if (!u->drop)
		return 0;
	if (initgroups(u->name, u->gid) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 || setresuid(u->uid, u->uid, u->uid) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not become the user '%s'", u->name);
	if (setuid(0) == 0 || geteuid() != u->uid || getegid() != u->gid)
		return err_set(err, ERR_INTERNAL, "could not give up root for the user '%s'", u->name);
	(void)prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

int host_user_act(const struct host_user *u, struct err *err)
{
	if (u->drop && (setegid(u->gid) < 0 || seteuid(u->uid) < 0))
		return err_set_errno(err, ERR_INTERNAL, "could not act as the user '%s'", u->name);
	return 0;
}

void host_user_act_end(const struct host_user *u)
{
	if (u->drop && (seteuid(0) < 0 || setegid(0) < 0))
		abort();
}

void host_user_done(struct host_user *u)
{
	free(u->name);
	memset(u, 0, sizeof *u);
}

/* ---- state folder ------------------------------------------------------------------------------------------------ */

int host_state_make(const char *dir, const struct host_user *u, struct err *err)
{
	uid_t owner = u->drop ? u->uid : geteuid();
	struct stat st;

	if (lstat(dir, &st) < 0) {
		char parent[PATH_MAX];
		char *slash;

		if (errno != ENOENT)
			return err_set_errno(err, ERR_INVALID, "could not look at the state folder '%s'", dir);
		snprintf(parent, sizeof parent, "%s", dir);
		slash = strrchr(parent, '/');
		if (slash && slash > parent) {
			*slash = '\0';
			mode_t mask = umask(022); /* the user of the server has to pass through */
			int rc = dir_make(parent, 0755, err);

			(void)umask(mask);
			if (rc < 0)
				return err_wrap(err, "could not make the state folder '%s'", dir);
		}
		if (mkdir(dir, 0700) < 0)
			return err_set_errno(err, ERR_INVALID, "could not make the state folder '%s'", dir);
		if (u->drop && chown(dir, u->uid, u->gid) < 0)
			return err_set_errno(err, ERR_INVALID, "could not give the state folder '%s' to '%s'", dir, u->name);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "the state folder '%s' is not a folder", dir);
	if (st.st_uid != owner && u->drop && st.st_uid == 0) {
		/* made by root beforehand: ours to hand over, but only while it is empty */
		if (rmdir(dir) < 0 || mkdir(dir, 0700) < 0 || chown(dir, u->uid, u->gid) < 0)
			return err_set(err, ERR_INVALID, "the state folder '%s' belongs to root, not to '%s'", dir, u->name);
		return 0;
	}
	if (st.st_uid != owner)
		return err_set(err, ERR_INVALID, "the state folder '%s' belongs to user %u, not to user %u%s%s%s", dir, (unsigned)st.st_uid,
			       (unsigned)owner, u->drop ? " ('" : "", u->drop ? u->name : "", u->drop ? "')" : "");
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		err_set(err, ERR_INVALID, "others may write into the state folder '%s'", dir);
		return err_hint(err, "Run `chmod 0700 %s`.", dir);
	}
	return 0;
}

static const char *network_file_system(const char *dir)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} table[] = {
		{ NFS_SUPER_MAGIC, "NFS" }, { SMB_SUPER_MAGIC, "SMB" },   { 0xFF534D42, "CIFS" }, { 0xFE534D42, "SMB2" },
		{ AFS_SUPER_MAGIC, "AFS" }, { CODA_SUPER_MAGIC, "Coda" }, { 0x00C36400, "Ceph" }, { 0x0BD00BD0, "Lustre" },
	};
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (((unsigned long)fs.f_type & 0xffffffff) == table[i].magic)
			return table[i].name;
	return NULL;
}

static void process_name(long pid, char ret[64])
{
	char path[64], line[48] = "";
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%ld/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	snprintf(ret, 64, "%s (process %ld)", *line ? line : "a process", pid);
}

static int lock_held(const char *dir, int fd, struct err *err)
{
	char text[32] = "", holder[64];
	int64_t pid = 0;
	_cleanup_err_ struct err no = ERR_INIT;
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (str_to_i64(text, 2, INT32_MAX, &pid, &no) < 0)
		return err_set(err, ERR_CONFLICT, "another server uses the state folder '%s'", dir);
	process_name((long)pid, holder);
	return err_set(err, ERR_CONFLICT, "another server uses the state folder '%s': %s", dir, holder);
}

int host_state_lock(const char *dir, const struct host_user *u, int64_t wait_ms, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *path = path_join(dir, "lock");
	const char *fs = network_file_system(dir);
	int64_t until = clock_boot(&clock_system) + wait_ms;
	char pid[32];
	int fd;

	if (fs)
		return err_set(err, ERR_INVALID, "the state folder '%s' is on a network file system (%s), where two servers could not be told apart", dir, fs);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not open '%s'", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			err_set_errno(err, ERR_INTERNAL, "could not lock '%s'", path);
			close(fd);
			return -(int)err->code;
		}
		if (clock_boot(&clock_system) >= until) {
			lock_held(dir, fd, err);
			close(fd);
			return -(int)err->code;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	}
	snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if ((u->drop && fchown(fd, u->uid, u->gid) < 0) || ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0) {
		err_set_errno(err, ERR_INTERNAL, "could not write '%s'", path);
		close(fd);
		return -(int)err->code;
	}
	*ret_fd = fd;
	return 0;
}

/* ---- sockets ----------------------------------------------------------------------------------------------------- */

/* Inode of the socket that has the port (on that address or on all), from /proc/net. 0 = not found. */
static unsigned long port_inode(const union addr *a, enum host_socket kind)
{
	static const char *const files[2][2] = { { "/proc/net/udp", "/proc/net/udp6" }, { "/proc/net/tcp", "/proc/net/tcp6" } };
	unsigned long found = 0;

	for (int v6 = 0; v6 < 2 && !found; v6++) {
		FILE *f = fopen(files[kind == HOST_TCP][v6], "re");
		char line[512];

		while (f && !found && fgets(line, sizeof line, f)) {
			char *save = NULL, *field[10] = { NULL };
			int n = 0;
			unsigned port;

			for (char *t = strtok_r(line, " \n", &save); t && n < 10; t = strtok_r(NULL, " \n", &save))
				field[n++] = t;
			if (n < 10 || !strchr(field[1], ':'))
				continue;
			port = (unsigned)strtoul(strchr(field[1], ':') + 1, NULL, 16);
			if (port == addr_port(a) && (kind == HOST_UDP || streq(field[3], "0A")))
				found = strtoul(field[9], NULL, 10);
		}
		if (f)
			fclose(f);
	}
	return found;
}

/* The process that has the socket open; false when the system does not let us see it. */
static bool inode_holder(unsigned long inode, char ret[64])
{
	char want[64];
	DIR *proc = opendir("/proc");
	struct dirent *p;
	bool found = false;

	snprintf(want, sizeof want, "socket:[%lu]", inode);
	while (proc && !found && (p = readdir(proc))) {
		char path[64];
		long pid = strtol(p->d_name, NULL, 10);
		struct dirent *e;
		DIR *fds;

		if (pid <= 0)
			continue;
		snprintf(path, sizeof path, "/proc/%ld/fd", pid);
		fds = opendir(path);
		while (fds && !found && (e = readdir(fds))) {
			char target[64] = "";
			ssize_t n = readlinkat(dirfd(fds), e->d_name, target, sizeof target - 1);

			found = n > 0 && streq(target, want);
		}
		if (found)
			process_name(pid, ret);
		if (fds)
			closedir(fds);
	}
	if (proc)
		closedir(proc);
	return found;
}

static int bind_one(const union addr *a, enum host_socket kind, struct err *err)
{
	int on = 1, fd = socket(a->sa.sa_family, (kind == HOST_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[ADDR_TEXT], holder[64];
	const char *what = kind == HOST_UDP ? "UDP" : "TCP";
	int saved;

	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make a %s socket", what);
	if (kind == HOST_TCP)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->sa.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, &a->sa, addr_len(a)) == 0 && (kind == HOST_UDP || listen(fd, 1024) == 0))
		return fd;
	saved = errno;
	close(fd);
	addr_format(a, text);
	errno = saved;
	if (saved == EADDRINUSE) {
		unsigned long inode = port_inode(a, kind);

		if (inode && inode_holder(inode, holder))
			return err_set(err, ERR_CONFLICT, "could not listen on %s (%s): the port is in use by %s", text, what, holder);
		return err_set(err, ERR_CONFLICT, "could not listen on %s (%s): the port is in use", text, what);
	}
	if (saved == EACCES) {
		err_set(err, ERR_DENIED, "could not listen on %s (%s): ports below 1024 need root at start", text, what);
		return err_hint(err, "Start as root (it is given up at once), or choose another port.");
	}
	return err_set_errno(err, ERR_INVALID, "could not listen on %s (%s)", text, what);
}

static bool is_wildcard(const union addr *a)
{
	return a->sa.sa_family == AF_INET ? a->in.sin_addr.s_addr == INADDR_ANY : IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static int sockets_add(struct host_sockets *s, int fd, struct err *err)
{
	if (s->n == ARRAY_SIZE(s->fd)) {
		close(fd);
		return err_set(err, ERR_INVALID, "more than %zu listening sockets", ARRAY_SIZE(s->fd));
	}
	s->fd[s->n++] = fd;
	return 0;
}

/* Every present address by itself; the ones that somebody else has are logged and left out. At least one must remain. */
static int bind_each(const union addr *any, enum host_socket kind, struct host_sockets *ret, struct err *err)
{
	struct ifaddrs *list = NULL;
	size_t before = ret->n;
	_cleanup_err_ struct err last = ERR_INIT;

	if (getifaddrs(&list) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not list the addresses of this machine");
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		union addr a = { 0 };
		int fd;

		if (!i->ifa_addr || i->ifa_addr->sa_family != any->sa.sa_family)
			continue;
		memcpy(&a, i->ifa_addr, i->ifa_addr->sa_family == AF_INET ? sizeof a.in : sizeof a.in6);
		if (a.sa.sa_family == AF_INET)
			a.in.sin_port = htons(addr_port(any));
		else
			a.in6.sin6_port = htons(addr_port(any));
		err_clear(&last);
		fd = bind_one(&a, kind, &last);
		if (fd < 0) {
			log_err(LOG_WARNING, "an address is left out", &last);
		} else if (sockets_add(ret, fd, err) < 0) {
			freeifaddrs(list);
			return -(int)err->code;
		}
	}
	freeifaddrs(list);
	if (ret->n == before)
		return err_is(&last) ? err_move(err, &last) : err_set(err, ERR_INVALID, "this machine has no address to listen on");
	return 0;
}

/* A host without IPv6 is ordinary: [::] beside 0.0.0.0 is then nothing. */
static bool family_missing(const union addr *a)
{
	int fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool missing = fd < 0 && errno == EAFNOSUPPORT;

	if (fd >= 0)
		close(fd);
	return missing;
}

int host_bind(const struct strlist *addresses, enum host_socket kind, struct host_sockets *ret, struct err *err)
{
	for (size_t i = 0; i < addresses->n; i++) {
		_cleanup_err_ struct err why = ERR_INIT;
		union addr a = { 0 };
		int fd;

		if (addr_parse(addresses->v[i], &a, err) < 0)
			return -(int)err->code;
		if (is_wildcard(&a) && addresses->n > 1 && family_missing(&a))
			continue;
		fd = bind_one(&a, kind, &why);
		if (fd >= 0) {
			if (sockets_add(ret, fd, err) < 0)
				return -(int)err->code;
			continue;
		}
		if (why.code != ERR_CONFLICT || !is_wildcard(&a))
			return err_move(err, &why);
		log_err(LOG_WARNING, "the port is not free on every address, taking the addresses one by one", &why);
		if (bind_each(&a, kind, ret, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

void host_sockets_close(struct host_sockets *s)
{
	for (size_t i = 0; i < s->n; i++)
		close(s->fd[i]);
	s->n = 0;
}

char *host_socket_path(const char *dir, const char *name, int *dir_fd)
{
	char *path = path_join(dir, name);

	if (strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path)
		return path;
	free(path);
	if (*dir_fd < 0)
		*dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return xasprintf("/proc/self/fd/%d/%s", *dir_fd, name);
}

int host_bind_unix(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make a unix socket");
	if (strlen(path) >= sizeof a.sun_path) {
		close(fd);
		return err_set(err, ERR_INVALID, "the path '%s' is too long for a socket", path);
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	if ((unlink(path) < 0 && errno != ENOENT) || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 8) < 0) {
		err_set_errno(err, ERR_INTERNAL, "could not listen on '%s'", path);
		close(fd);
		return -(int)err->code;
	}
	*ret_fd = fd;
	return 0;
}

/* ---- systemd ----------------------------------------------------------------------------------------------------- */

void host_passed(const char *name, struct host_sockets *ret)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_strlist_ struct strlist list = { 0 };
	int64_t owner = 0, n = 0;

	if (!pid || !count || !names || str_to_i64(pid, 1, INT32_MAX, &owner, &why) < 0 || owner != getpid() ||
	    str_to_i64(count, 1, 256, &n, &why) < 0)
		return;
	strlist_split(&list, names, ':');
	for (size_t i = 0; i < list.n && i < (size_t)n; i++) {
		if (!streq(list.v[i], name) || ret->n == ARRAY_SIZE(ret->fd))
			continue;
		fd_cloexec(3 + (int)i, true);
		ret->fd[ret->n++] = 3 + (int)i;
	}
}
