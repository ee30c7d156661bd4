/* SPDX-License-Identifier: Apache-2.0 */
/* killed.c - a renewal whose process ends at its n-th write or request, for every n: one certificate, no residue, nobody told. */
#include "engine/renewal.h"
#include "store/renewal.h"
#include "tests/unit/engine/rig.h"

struct asking {
	const char *id;
	struct certificate c;
};

static int read_it(struct sql *q, void *arg, struct err *err)
{
	struct asking *a = arg;

	certificate_done(&a->c);
	return store_certificate_get(q, a->id, &a->c, err);
}

static void killed_anywhere_it_is_renewed_once(void **state)
{
	int64_t n = 1;
	bool reached = true;

	for (; n < 400 && reached; n++) {
		_cleanup_rig_ struct rig *r = rig_new_empty();
		struct asking a = { 0 };
		struct order_taken t;

		r->ca.ari = true;
		rig_account(r);
		t = rig_order(r, &(struct rig_order){ .names = "a.example b.example", .validation = VALIDATION_HTTP01 });
		rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
		RIG_GET(r, o, t.id);
		a.id = o.certificate_id;
		ASSERT_OK(store_read(r->store, read_it, &a, &r->err), &r->err);
		r->clock.fake_ms = a.c.renew_at_ms + MINUTE_MS;
		r->crash_in = n;
		rig_run_until(r, r->clock.fake_ms + 10 * MINUTE_MS);
		reached = r->crashed;
		if (reached) {
			rig_engine_close(r);
			rig_engine_open(r);
		}
		rig_run_until(r, r->clock.fake_ms + 2 * DAY_MS);
		if (r->ca.certificates != 2)
			print_error("killed at point %" PRId64 ": %u certificates\n", n, r->ca.certificates);
		ASSERT_INT(r->ca.certificates, 2);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders"), 2);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'current'"), 1);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE ended_ms = 0"), 0);
		rig_no_residue(r);
		certificate_done(&a.c);
	}
	print_message("killed at %" PRId64 " points\n", n - 2);
	ASSERT_TRUE(n > 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(killed_anywhere_it_is_renewed_once) };

	return RUN(tests);
}
