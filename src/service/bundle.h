/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - what somebody who helps needs to see, in one tar.gz: versions, the configuration, what the doctor found last, metrics, how many
 * rows there are, how jobs go, the last lines of the log and the last events. No secret: those are sealed in the database, which is
 * not in it, and appear in none of these. Of e-mail addresses only what stands behind the @ is left; names of hosts, users and
 * integrations stay, since most faults are about one.
 */
#ifndef SERVICE_BUNDLE_H
#define SERVICE_BUNDLE_H

#include "base/buf.h"
#include "service/service.h"

struct bundle_file {
	const char *name;
	const char *text; /* borrowed */
};
/* files: what the caller adds (metrics). The audit row is durable before. *ret_name: of the file; owned. */
int service_support_bundle(struct service *s, const struct actor *a, const struct bundle_file *files, size_t n, struct buf *out, char **ret_name,
			   struct err *err) MUST_CHECK;
/* "certwright-support-20261127T014500Z", owned. */
char *bundle_folder(int64_t at_ms);
/* Text with "somebody@example.com" as "…@example.com". */
void bundle_mask(const char *text, size_t n, struct buf *out);

/* README.txt of a bundle; parts: one line each. */
extern const char bundle_readme[];

#endif
