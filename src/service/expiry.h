/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.h - how many certificates expire in each of the coming weeks. */
#ifndef SERVICE_EXPIRY_H
#define SERVICE_EXPIRY_H

#include "service/service.h"

#define EXPIRY_WEEKS_MAX 53

struct expiry_week {
	int64_t from_ms, to_ms;     /* to_ms excluded */
	int64_t expire, unmanaged; /* unmanaged: of them, those that nothing renews */
};
struct expiry {
	struct expiry_week weeks[EXPIRY_WEEKS_MAX]; /* the first begins now, the others at a full hour */
	int n;
	int64_t expired; /* already, within the last 90 days */
};
/* weeks is 1 to EXPIRY_WEEKS_MAX. */
int service_expiry(struct service *s, int weeks, struct expiry *ret, struct err *err) MUST_CHECK;

#endif
