/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - POST /support-bundle: what somebody who helps needs to see, as a tar.gz. */
#include "api/internal.h"

#include "service/bundle.h"

int support_bundle(struct call *c, struct err *err)
{
	_cleanup_buf_ struct buf metrics = BUF_MAX(4 * 1024 * 1024), out = BUF_MAX(32 * 1024 * 1024);
	_cleanup_free_ char *name = NULL;
	struct bundle_file files[] = { { "metrics.txt", NULL } };

	if (metrics_text(c->api, &metrics, err) < 0)
		return -(int)err->code;
	files[0].text = buf_text(&metrics);
	if (service_support_bundle(c->service, &c->actor, files, ARRAY_SIZE(files), &out, &name, err) < 0)
		return -(int)err->code;
	call_file(c, "application/gzip", name, buf_text(&out), out.n);
	return 0;
}
