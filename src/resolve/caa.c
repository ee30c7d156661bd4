/* SPDX-License-Identifier: Apache-2.0 */
/* caa.c - see caa.h. */
#include "resolve/caa.h"

#include "base/util.h"

static struct str trimmed(struct str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s = (struct str){ s.p + 1, s.n - 1 };
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Up to the next ';', which is taken. */
static struct str next_part(struct str *rest)
{
	const char *end = memchr(rest->p, ';', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n, taken = end ? n + 1 : n;
	struct str part = { rest->p, n };

	*rest = (struct str){ rest->p + taken, rest->n - taken };
	return trimmed(part);
}

static bool host_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-' && s.p[i] != '.')
			return false;
	return true;
}

static bool word_is(struct str s, const char *word)
{
	_cleanup_free_ char *text = xstrndup(s.p, s.n);

	return str_case_eq(text, word);
}

static void parameter(struct str part, struct caa_issue *ret)
{
	const char *eq = memchr(part.p, '=', part.n);
	struct str name, value;

	if (!eq) {
		ret->bad = true;
		return;
	}
	name = trimmed((struct str){ part.p, (size_t)(eq - part.p) });
	value = trimmed((struct str){ eq + 1, part.n - (size_t)(eq + 1 - part.p) });
	if (!name.n)
		ret->bad = true;
	else if (word_is(name, "accounturi") && ret->account.p)
		ret->bad = true; /* RFC 8657 3: more than one is no match at all */
	else if (word_is(name, "accounturi"))
		ret->account = value;
	else if (word_is(name, "validationmethods") && ret->methods.p)
		ret->bad = true;
	else if (word_is(name, "validationmethods"))
		ret->methods = value;
}

void caa_issue_parse(const char *text, struct caa_issue *ret)
{
	struct str rest = { text, strlen(text) };

	*ret = (struct caa_issue){ 0 };
	ret->issuer = next_part(&rest);
	ret->bad = !host_text(ret->issuer);
	for (int i = 0; i < CAA_PARAMETERS && rest.n; i++) {
		struct str part = next_part(&rest);

		if (part.n)
			parameter(part, ret);
	}
	if (rest.n)
		ret->bad = true;
}

static bool known_tag(const char *tag)
{
	static const char *const tags[] = { "issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone" };

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (streq(tags[i], tag))
			return true;
	return false;
}

static bool has_method(struct str methods, const char *method)
{
	while (methods.n) {
		const char *comma = memchr(methods.p, ',', methods.n);
		size_t n = comma ? (size_t)(comma - methods.p) : methods.n, taken = comma ? n + 1 : n;

		if (word_is(trimmed((struct str){ methods.p, n }), method))
			return true;
		methods = (struct str){ methods.p + taken, methods.n - taken };
	}
	return false;
}

static enum caa_verdict judge_one(const char *value, const struct caa_question *q)
{
	struct caa_issue i;
	bool ours = false;

	caa_issue_parse(value, &i);
	if (i.bad || !i.issuer.n)
		return CAA_OTHERS;
	if (!q->identities || !q->identities->n)
		return CAA_UNKNOWN;
	for (size_t k = 0; k < q->identities->n; k++)
		ours |= word_is(i.issuer, q->identities->v[k]);
	if (!ours)
		return CAA_OTHERS;
	if (i.account.p && q->account_url && !str_is(i.account, q->account_url))
		return CAA_ACCOUNT;
	if (i.methods.p && q->method && !has_method(i.methods, q->method))
		return CAA_METHOD;
	return CAA_ALLOWED;
}

/* Nearest to a permission first: one record that allows is enough. */
static int rank(enum caa_verdict v)
{
	static const enum caa_verdict order[] = { CAA_ALLOWED, CAA_UNKNOWN, CAA_METHOD, CAA_ACCOUNT, CAA_OTHERS };

	for (int i = 0; i < (int)ARRAY_SIZE(order); i++)
		if (order[i] == v)
			return i;
	return (int)ARRAY_SIZE(order);
}

enum caa_verdict caa_judge(const struct caa_record *v, size_t n, const struct caa_question *q, const char **ret_named)
{
	enum caa_verdict best = CAA_NOBODY;
	const char *tag = "issue";

	*ret_named = NULL;
	for (size_t i = 0; i < n; i++) {
		if (v[i].flags & 128 && !known_tag(v[i].tag)) {
			*ret_named = v[i].tag;
			return CAA_CRITICAL;
		}
		if (q->wildcard && streq(v[i].tag, "issuewild"))
			tag = "issuewild"; /* if there is one, only those count for wildcards */
	}
	for (size_t i = 0; i < n; i++) {
		enum caa_verdict one;

		if (!streq(v[i].tag, tag))
			continue;
		one = judge_one(v[i].value, q);
		if (best == CAA_NOBODY || rank(one) < rank(best)) {
			best = one;
			*ret_named = v[i].value;
		}
	}
	return best;
}
