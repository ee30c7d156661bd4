/* SPDX-License-Identifier: Apache-2.0 */
/* manual.c - a person publishes what the record says; we look whether it is there and go on by ourselves. */
#include "publish/publisher.h"

extern const struct publisher publisher_manual;
const struct publisher publisher_manual = {
	.name = "manual",
	.title = "Manual",
	.help = "Set the shown TXT record, or put the shown file on the web server; the order goes on when it is seen.",
	.kinds = KIND_DNS01 | KIND_HTTP01,
	.way = PUBLISH_PERSON,
	.ttl_s = 60,
};
