/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - tests of src/service/throttle.c. */
#include "service/throttle.h"
#include "tests/unit/assert.h"

#define REFILL 60000
#define NOW 1000000000

static void five_failures_are_free_then_one_a_minute(void **state)
{
	struct throttle *t = throttle_new(5, REFILL, 64);

	(void)state;
	for (int i = 0; i < 5; i++) {
		ASSERT_INT(throttle_check(t, "alice", NOW), 0);
		throttle_failed(t, "alice", NOW);
	}
	ASSERT_INT(throttle_check(t, "alice", NOW), NOW + REFILL);
	ASSERT_INT(throttle_check(t, "bob", NOW), 0);
	ASSERT_INT(throttle_check(t, "alice", NOW + REFILL), 0);
	throttle_failed(t, "alice", NOW + REFILL);
	ASSERT_INT(throttle_check(t, "alice", NOW + REFILL), NOW + 2 * REFILL);
	throttle_free(t);
}

static void a_success_forgives(void **state)
{
	struct throttle *t = throttle_new(5, REFILL, 64);

	(void)state;
	for (int i = 0; i < 5; i++)
		throttle_failed(t, "alice", NOW);
	throttle_forgive(t, "alice");
	ASSERT_INT(throttle_check(t, "alice", NOW), 0);
	throttle_free(t);
}

static void sixty_other_names_do_not_push_a_bucket_out(void **state)
{
	int pushed_out = 0;

	(void)state;
	for (int turn = 0; turn < 20; turn++) {
		struct throttle *t = throttle_new(5, REFILL, 4096);
		char name[32];

		for (int i = 0; i < 5; i++)
			throttle_failed(t, "alice", NOW);
		for (int i = 0; i < 64; i++) {
			snprintf(name, sizeof name, "name-%d", i);
			for (int k = 0; k < 6; k++)
				throttle_failed(t, name, NOW);
		}
		pushed_out += throttle_check(t, "alice", NOW) == 0;
		throttle_free(t);
	}
	ASSERT_INT(pushed_out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_failures_are_free_then_one_a_minute),
		cmocka_unit_test(a_success_forgives),
		cmocka_unit_test(sixty_other_names_do_not_push_a_bucket_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
