/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c - what engine, keys and store cost for one certificate, with no network: orders run to their end on a fake clock
 * against an authority in the same process. For counting instructions, which no neighbour disturbs:
 *
 *	ninja -C build bench/bench_engine
 *	valgrind --tool=callgrind --toggle-collect=measured build/bench/bench_engine 200
 */
#include "tests/unit/engine/rig.h"

#include <stdio.h>

static void place(struct rig *r, int from, int n)
{
	for (int i = from; i < from + n; i++) {
		char name[32];

		snprintf(name, sizeof name, "n%d.bench.example", i);
		rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_DNS01, .method = METHOD_DELEGATION, .key_type = "p256" });
	}
}

void measured(struct rig *r, int from, int n);
__attribute__((noinline)) void measured(struct rig *r, int from, int n)
{
	place(r, from, n);
	rig_run(r);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 300;
	_cleanup_rig_ struct rig *r = rig_new();
	double start;

	measured(r, 0, 20);
	start = cpu_s();
	measured(r, 20, n);
	printf("%d certificates, %.3f ms of CPU each, %" PRId64 " stored\n", n, (cpu_s() - start) * 1000 / n,
	       rig_count(r, "SELECT count(*) FROM version"));
	return rig_count(r, "SELECT count(*) FROM version") == n + 20 ? 0 : 1;
}
