/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.c - see expiry.h. */
#include "service/expiry.h"

#include "service/internal.h"
#include "store/expiry.h"

#define EXPIRED_MS (90 * DAY_MS)

struct expiry_job {
	struct expiry *ret;
	int64_t now_ms;
};

static int expiry_tx(struct sql *q, void *arg, struct err *err)
{
	struct expiry_job *j = arg;
	int64_t nobody, hour = j->now_ms - j->now_ms % HOUR_MS; /* counts are kept by the hour: only the present one is counted */

	for (int i = 0; i < j->ret->n; i++) {
		struct expiry_week *w = &j->ret->weeks[i];

		w->from_ms = i ? hour + i * WEEK_MS : j->now_ms;
		w->to_ms = hour + (i + 1) * WEEK_MS;
		if (store_expiry_count(q, w->from_ms, w->to_ms, &w->expire, &w->unmanaged, err) < 0)
			return -(int)err->code;
	}
	return store_expiry_count(q, hour - EXPIRED_MS, j->now_ms, &j->ret->expired, &nobody, err);
}

int service_expiry(struct service *s, int weeks, struct expiry *ret, struct err *err)
{
	struct expiry_job j = { .ret = ret, .now_ms = service_now(s) };

	ret->n = MIN(MAX(weeks, 1), EXPIRY_WEEKS_MAX);
	return store_read(s->store, expiry_tx, &j, err);
}
