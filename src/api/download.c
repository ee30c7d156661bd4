/* SPDX-License-Identifier: Apache-2.0 */
/* download.c - GET /download/{id}/{format}: a certificate for hosts that ask again and again (service/pull.h). */
#include "api/call.h"
#include "service/pull.h"

#define PASSWORD_HEADER "X-Pkcs12-Password"

int certificate_download(struct call *c, struct err *err)
{
	struct pull q = { .format = c->format, .if_none_match = http_header(c->rq, "If-None-Match"),
			  .password = http_header(c->rq, PASSWORD_HEADER), .only_look = streq(http_method(c->rq), "HEAD") };
	_cleanup_pulled_ struct pulled p = { 0 };

	if (service_pull(c->service, &c->actor, c->id, &q, &p, err) < 0)
		return -(int)err->code;
	http_answer_header(&c->answer, "ETag", p.etag);
	if (p.unchanged) {
		c->answer.status = 304;
	} else if (q.only_look) {
		c->answer.status = 200;
		c->answer.unsized = true;
		http_answer_header(&c->answer, "Content-Type", "application/octet-stream");
	} else {
		call_file(c, "application/octet-stream", p.file.name, p.file.body.p, p.file.body.n);
	}
	return 0;
}
