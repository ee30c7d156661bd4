/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sts.h - temporary credentials of AWS: AssumeRole (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html), and the error
 * document that all AWS services answer with. Plain data: requests and answers are made and read here, sent by the caller.
 */
#ifndef REMOTE_STS_H
#define REMOTE_STS_H

#include "base/secret.h"
#include "net/http.h"

struct aws_error { /* zero is none; owned */
	char *code, *message;
};
/* From an answer's body; what is not such a document leaves it empty. */
void aws_error_read(const struct buf *body, struct aws_error *ret);
void aws_error_done(struct aws_error *e);
#define _cleanup_aws_error_ __attribute__((cleanup(aws_error_done)))

enum aws_verdict {
	AWS_OTHER,
	AWS_CREDENTIAL, /* the key, its signature or its token */
	AWS_EXPIRED,    /* temporary credentials are over */
	AWS_DENIED,
	AWS_CLOCK,      /* the signature is too old or not valid yet */
	AWS_THROTTLED,
	AWS_BUSY,
};
enum aws_verdict aws_error_judge(const struct aws_error *e);

struct aws_temporary { /* owned */
	char *id;
	struct secret secret, token;
	int64_t expires_ms;
};
void aws_temporary_done(struct aws_temporary *t);
#define _cleanup_aws_temporary_ __attribute__((cleanup(aws_temporary_done)))

/* The form of an AssumeRole; external_id may be NULL. Owned by the caller. */
char *sts_assume_role(const char *role_arn, const char *session, const char *external_id);
/* REMOTE_BAD unless all four parts are there. ret must be empty. */
int sts_assumed(const struct buf *body, struct aws_temporary *ret, struct err *err);

#endif
