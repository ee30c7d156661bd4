/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/clock.h"
#include "base/pool.h"
#include "base/stop.h"

#include <semaphore.h>

static sem_t gate;
static int ran;

static void wait_at_gate(void *arg UNUSED)
{
	sem_wait(&gate);
	__atomic_add_fetch(&ran, 1, __ATOMIC_SEQ_CST);
}

static void a_full_queue_is_refused_and_the_rest_is_finished(void **state UNUSED)
{
	struct pool *p = pool_new("test", 2, 3);
	struct err err = ERR_INIT;
	int accepted = 0;

	sem_init(&gate, 0, 0);
	ran = 0;
	for (int i = 0; i < 20; i++) {
		if (pool_run(p, wait_at_gate, NULL, &err) == 0) {
			accepted++;
		} else {
			ASSERT_INT(err.code, ERR_BUSY);
			err_clear(&err);
		}
	}
	ASSERT_TRUE(accepted >= 3 && accepted <= 5); /* three queued, up to two taken */
	for (int i = 0; i < accepted; i++)
		sem_post(&gate);
	pool_free(p);
	ASSERT_INT(ran, accepted);
	sem_destroy(&gate);
}

static void a_wake_up_is_not_lost_and_stop_ends_every_wait(void **state UNUSED)
{
	struct wake w;
	struct stop s;
	int64_t start;

	wake_init(&w);
	stop_init(&s);
	wake_up(&w);
	wake_up(&w);
	ASSERT_TRUE(wake_wait(&w, &s, -1));
	ASSERT_FALSE(wake_wait(&w, &s, 1));
	stop_raise(&s);
	start = clock_boot(&clock_system);
	ASSERT_FALSE(wake_wait(&w, &s, 60000));
	ASSERT_TRUE(clock_boot(&clock_system) - start < 30000);
	ASSERT_TRUE(stop_raised(&s));
	wake_done(&w);
	stop_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_queue_is_refused_and_the_rest_is_finished),
		TEST(a_wake_up_is_not_lost_and_stop_ends_every_wait),
	};

	return RUN(tests);
}
