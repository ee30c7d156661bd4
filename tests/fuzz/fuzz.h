/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h - what every fuzz target is: one function that must survive any bytes. With -Dfuzz=true (clang) it becomes a
 * libFuzzer program fuzz_NAME; always it becomes a test that runs over the files of tests/fuzz/corpus/NAME.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A property that must hold whatever the input is. */
#define HOLDS(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x))                                                                                              \
			abort();                                                                                       \
	} while (0)

#endif
