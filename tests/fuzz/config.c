/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - any configuration file, and behind a line "--" any --set values. Whatever it is: read, or every problem said with its place. */
#include "tests/fuzz/fuzz.h"

#include "app/config.h"
#include "base/buf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static void say_all(const struct config *c)
{
	for (const struct config_key *k = config_keys; k->name; k++) {
		_cleanup_free_ char *value = config_value(c, k);

		HOLDS(value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_config_problems_ struct config_problems problems = { 0 };
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_strlist_ struct strlist sets = { 0 }, argv = { 0 };
	const char *cut = n ? memmem(data, n, "\n--\n", 4) : NULL;
	size_t file_n = cut ? (size_t)(cut + 1 - (const char *)data) : n;
	struct config_input in = { 0 };
	char path[32];
	int fd = memfd_create("config", MFD_CLOEXEC), r;

	HOLDS(fd >= 0 && write(fd, data, file_n) == (ssize_t)file_n);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	in.file = path;
	if (cut) {
		_cleanup_free_ char *text = xstrndup(cut + 4, n - file_n - 3);

		strlist_split(&sets, text, '\n');
	}
	in.set = &sets;
	r = config_read(&in, &c, &problems, &err);
	HOLDS((r < 0) == err_is(&err));
	HOLDS(r == 0 || problems.n || err.detail);
	for (size_t i = 0; i < problems.n; i++)
		HOLDS(problems.v[i].text && *problems.v[i].text);
	if (r == 0) {
		say_all(&c);
		config_arguments(&in, &c, &argv);
	}
	close(fd);
	return 0;
}
