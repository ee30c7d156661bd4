/* SPDX-License-Identifier: Apache-2.0 */
/* sts.c - see sts.h. */
#include "remote/sts.h"

#include "base/clock.h"
#include "remote/xml.h"


/* ---- errors ---- */

static int error_part(void *arg, const char *path, const char *text)
{
	struct aws_error *e = arg;
	const char *last = strrchr(path, '/') + 1;

	if (!e->code && streq(last, "Code"))
		e->code = xstrdup(text);
	else if (!e->message && streq(last, "Message") && *text)
		e->message = xstrdup(text);
	else if (!e->code && streq(path, "/InvalidChangeBatch")) /* a root of its own, without a code */
		e->code = xstrdup("InvalidChangeBatch");
	return 0;
}

void aws_error_read(const struct buf *body, struct aws_error *ret)
{
	_cleanup_err_ struct err ignored = { 0 };

	*ret = (struct aws_error){ 0 };
	if (xml_walk(buf_text(body), body->n, error_part, ret, &ignored) < 0)
		aws_error_done(ret);
}

void aws_error_done(struct aws_error *e)
{
	free(e->code);
	free(e->message);
	*e = (struct aws_error){ 0 };
}

enum aws_verdict aws_error_judge(const struct aws_error *e)
{
	static const struct { const char *code; enum aws_verdict v; } rows[] = {
		{ "InvalidClientTokenId", AWS_CREDENTIAL },	 { "UnrecognizedClientException", AWS_CREDENTIAL },
		{ "InvalidAccessKeyId", AWS_CREDENTIAL },	 { "SignatureDoesNotMatch", AWS_CREDENTIAL },
		{ "IncompleteSignature", AWS_CREDENTIAL },	 { "MissingAuthenticationToken", AWS_CREDENTIAL },
		{ "MissingAuthenticationTokenException", AWS_CREDENTIAL }, { "AuthFailure", AWS_CREDENTIAL },
		{ "OptInRequired", AWS_CREDENTIAL },		 { "InvalidSignatureException", AWS_CREDENTIAL },
		{ "ExpiredToken", AWS_EXPIRED },		 { "ExpiredTokenException", AWS_EXPIRED },
		{ "AccessDenied", AWS_DENIED },			 { "AccessDeniedException", AWS_DENIED },
		{ "NotAuthorized", AWS_DENIED },		 { "UnauthorizedOperation", AWS_DENIED },
		{ "RequestTimeTooSkewed", AWS_CLOCK },		 { "RequestExpired", AWS_CLOCK },
		{ "Throttling", AWS_THROTTLED },		 { "ThrottlingException", AWS_THROTTLED },
		{ "RequestLimitExceeded", AWS_THROTTLED },	 { "TooManyRequestsException", AWS_THROTTLED },
		{ "PriorRequestNotComplete", AWS_THROTTLED },	 { "SlowDown", AWS_THROTTLED },
		{ "ServiceUnavailable", AWS_BUSY },		 { "InternalError", AWS_BUSY },
		{ "InternalFailure", AWS_BUSY },
	};

	for (size_t i = 0; e->code && i < ARRAY_SIZE(rows); i++)
		if (streq(e->code, rows[i].code)) {
			bool time = e->message && (strstr(e->message, "Signature expired") || strstr(e->message, "Signature not yet current"));

			return rows[i].v == AWS_CREDENTIAL && time ? AWS_CLOCK : rows[i].v;
		}
	return AWS_OTHER;
}

/* ---- AssumeRole ---- */

static void form_add(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "&%s=", name);
	url_escape(b, value, strlen(value));
}

char *sts_assume_role(const char *role_arn, const char *session, const char *external_id)
{
	struct buf b = BUF_MAX(16 * 1024);

	buf_add_str(&b, "Action=AssumeRole&Version=2011-06-15");
	form_add(&b, "RoleArn", role_arn);
	form_add(&b, "RoleSessionName", session);
	if (!str_empty(external_id))
		form_add(&b, "ExternalId", external_id);
	return buf_take(&b);
}

static int assumed_part(void *arg, const char *path, const char *text)
{
	static const char in[] = "/AssumeRoleResponse/AssumeRoleResult/Credentials/";
	struct aws_temporary *t = arg;
	_cleanup_err_ struct err ignored = { 0 };

	if (!str_starts(path, in) || !*text)
		return 0;
	path += sizeof in - 1;
	if (streq(path, "AccessKeyId") && !t->id)
		t->id = xstrdup(text);
	else if (streq(path, "SecretAccessKey") && !t->secret.n)
		t->secret = secret_from(text);
	else if (streq(path, "SessionToken") && !t->token.n)
		t->token = secret_from(text);
	else if (streq(path, "Expiration") && clock_parse(text, &t->expires_ms, &ignored) < 0)
		t->expires_ms = 0;
	return 0;
}

int sts_assumed(const struct buf *body, struct aws_temporary *ret, struct err *err)
{
	_cleanup_aws_temporary_ struct aws_temporary t = { 0 };

	if (xml_walk(buf_text(body), body->n, assumed_part, &t, err) < 0)
		return -(int)err->code;
	if (!t.id || !t.secret.n || !t.token.n || !t.expires_ms)
		return err_set(err, ERR_REMOTE_BAD, "the answer to AssumeRole holds no whole credential");
	*ret = TAKE(t);
	return 0;
}

void aws_temporary_done(struct aws_temporary *t)
{
	free(t->id);
	secret_clear(&t->secret);
	secret_clear(&t->token);
	*t = (struct aws_temporary){ 0 };
}
