/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner_builtins.c - the jobs that are functions of this program and still run in the runner, because what they read comes
 * from outside and the code that reads it is large. One row each: its name with '@', what to load before the lock goes on,
 * the function.
 */
#include "app/runner.h"

#include "crypto/bundle.h"

const struct runner_builtin runner_builtins[] = {
	{ "@bundle", bundle_open_prepare, bundle_open }, /* PKCS#12 files and encrypted keys */
	{ 0 },
};
