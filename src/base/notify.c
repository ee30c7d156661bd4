/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - see notify.h. The protocol of sd_notify(3), about which systemd promises not to change it. */
#include "base/notify.h"

#include "base/log.h"
#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int kept_fd = -1;

static int connected(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (!n || (path[0] != '/' && path[0] != '@') || n >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		log_debug("the service manager cannot be reached");
	return fd;
}

void notify_open(void)
{
	if (kept_fd < 0)
		kept_fd = connected();
}

void notify_send(const char *message)
{
	int fd = kept_fd >= 0 ? kept_fd : connected();

	if (fd < 0)
		return;
	/* sendto, not send: it is the call that edge's sandbox knows */
	if (sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0) < 0)
		log_debug("could not notify the service manager");
	if (fd != kept_fd)
		close(fd);
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	_cleanup_err_ struct err why = ERR_INIT;
	int64_t n = 0, owner = getpid();

	if (!usec || str_to_i64(usec, 1000, INT64_MAX, &n, &why) < 0)
		return -1;
	if (pid && str_to_i64(pid, 1, INT32_MAX, &owner, &why) < 0)
		return -1;
	return owner == getpid() ? n / 2000 : -1;
}
