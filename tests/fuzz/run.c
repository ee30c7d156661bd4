/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - main() of a fuzz target without libFuzzer: every file of the folders given, each in a buffer of just its size. */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "base/file.h"

#include <dirent.h>
#include <stdio.h>

static unsigned run_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	if (!dir) {
		fprintf(stderr, "cannot open '%s'\n", folder);
		exit(1);
	}
	for (struct dirent *e; (e = readdir(dir));) {
		_cleanup_free_ char *path = path_join(folder, e->d_name), *exact = NULL;
		_cleanup_buf_ struct buf b = BUF_MAX(1 << 20);
		struct err err = ERR_INIT;

		if (e->d_name[0] == '.')
			continue;
		if (file_read(path, &b, &err) < 0) {
			fprintf(stderr, "cannot read '%s'\n", path);
			exit(1);
		}
		exact = xmemdup(buf_text(&b), b.n ? b.n : 1);
		LLVMFuzzerTestOneInput((const uint8_t *)exact, b.n);
		n++;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		unsigned n = run_folder(argv[i]);

		printf("%s: %u inputs\n", argv[i], n);
		if (n == 0)
			return 1;
	}
	return argc > 1 ? 0 : 1;
}
