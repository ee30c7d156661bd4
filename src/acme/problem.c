/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem.c - what a CA's refusal means to us. ONE table: its type, our code, who has to wait, and whether the user can mend it
 * by giving something else.
 */
#include "acme/private.h"

#include "base/limits.h"

#define MAX_SUBPROBLEMS LIMIT_CA_IDENTIFIERS

struct row {
	const char *type;
	enum err_code code;
	enum acme_scope scope;
	bool users_input;
	const char *hint; /* or NULL */
};

static const struct row rows[] = {
	{ "accountDoesNotExist", ERR_NEEDS_PERSON, ACME_SCOPE_ACCOUNT, false, "Register the account again, or check its key." },
	{ "agreementRequired", ERR_NEEDS_PERSON, ACME_SCOPE_ACCOUNT, true, "Read and accept the CA's terms of service." },
	{ "alreadyReplaced", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, false, NULL },
	{ "alreadyRevoked", ERR_CONFLICT, ACME_SCOPE_NONE, false, NULL },
	{ "badCSR", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, true, "Check the request's names, key type and extensions." },
	{ "badNonce", ERR_NONCE, ACME_SCOPE_NONE, false, NULL },
	{ "badPublicKey", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, true, "Use another key type or size." },
	{ "badRevocationReason", ERR_INVALID, ACME_SCOPE_NONE, true, "Try again without a reason." },
	{ "badSignatureAlgorithm", ERR_REMOTE_REFUSED, ACME_SCOPE_ACCOUNT, true, "Use an account key of another type." },
	{ "caa", ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER, true, "A CAA record does not let this CA issue for the name." },
	{ "compound", ERR_REMOTE_REFUSED, ACME_SCOPE_NAMES, true, NULL },
	{ "conflict", ERR_CONFLICT, ACME_SCOPE_NONE, false, NULL },
	{ "connection", ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER, true, NULL },
	{ "dns", ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER, true, NULL },
	{ "externalAccountRequired", ERR_NEEDS_PERSON, ACME_SCOPE_REGISTRATION, true,
	  "Ask the CA for external account binding credentials and register with them." },
	{ "incorrectResponse", ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER, true, NULL },
	{ "invalidContact", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, true, "Give another e-mail address." },
	{ "invalidProfile", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, true, "Choose a profile that the CA offers." },
	{ "malformed", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, false, NULL },
	{ "orderNotReady", ERR_CONFLICT, ACME_SCOPE_NONE, false, NULL },
	{ "rateLimited", ERR_REMOTE_LIMIT, ACME_SCOPE_NONE, false, NULL }, /* scope by what was asked */
	{ "rejectedIdentifier", ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER, true, "The CA does not issue for this name." },
	{ "serverInternal", ERR_REMOTE_BUSY, ACME_SCOPE_NONE, false, NULL },
	{ "tls", ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER, true, NULL },
	{ "unauthorized", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, false, NULL },
	{ "unsupportedContact", ERR_REMOTE_REFUSED, ACME_SCOPE_NONE, true, "Give another kind of contact." },
	{ "unsupportedIdentifier", ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER, true, "The CA does not issue for this kind of name." },
	{ "userActionRequired", ERR_NEEDS_PERSON, ACME_SCOPE_ACCOUNT, true, "Follow the CA's instructions, then resume." },
};

static const struct row *find(const char *type)
{
	if (!str_starts(type, ACME_URN))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (streq(rows[i].type, type + strlen(ACME_URN)))
			return &rows[i];
	return NULL;
}

bool acme_problem_is(const struct acme_problem *p, const char *short_type)
{
	return p->type && str_starts(p->type, ACME_URN) && streq(p->type + strlen(ACME_URN), short_type);
}

static char *clean_member(const json_t *j, const char *name, size_t max)
{
	const json_t *v = json_object_get(j, name);
	const char *s = json_string_value(v);

	return s && *s ? str_clean(s, json_string_length(v), max) : NULL;
}

static void sub_decode(const json_t *j, struct acme_subproblem *ret)
{
	const json_t *id = json_object_get(j, "identifier");

	ret->type = clean_member(j, "type", 200);
	ret->detail = clean_member(j, "detail", LIMIT_CA_DETAIL / 4);
	ret->identifier = clean_member(id, "value", LIMIT_NAME);
}

void acme_problem_decode(const json_t *j, const char *request_url, struct acme_problem *ret)
{
	const json_t *sub = json_object_get(j, "subproblems"), *algorithms = json_object_get(j, "algorithms");
	const char *instance = acme_member(j, "instance", LIMIT_CA_URL);
	size_t n = MIN(json_array_size(sub), (size_t)MAX_SUBPROBLEMS);

	ret->type = clean_member(j, "type", 200);
	if (!ret->type)
		ret->type = xstrdup("about:blank");
	ret->detail = clean_member(j, "detail", LIMIT_CA_DETAIL);
	if (!ret->detail)
		ret->detail = clean_member(j, "title", LIMIT_CA_DETAIL);
	ret->instance = instance ? acme_url_to_show(request_url, instance) : NULL;
	if (json_is_integer(json_object_get(j, "status"))) {
		json_int_t status = json_integer_value(json_object_get(j, "status"));

		ret->status = status >= 100 && status <= 999 ? (int)status : 0;
	}
	ret->sub = n ? xcalloc(n, sizeof *ret->sub) : NULL;
	ret->n_sub = n;
	for (size_t i = 0; i < n; i++)
		sub_decode(json_array_get(sub, i), &ret->sub[i]);
	for (size_t i = 0; i < MIN(json_array_size(algorithms), (size_t)20); i++) {
		const json_t *v = json_array_get(algorithms, i);
		const char *s = json_string_value(v);
		_cleanup_free_ char *clean = s ? str_clean(s, json_string_length(v), 40) : NULL;

		if (clean && *clean)
			strlist_add(&ret->algorithms, clean);
	}
}

/* Only a document that says it is one: a proxy's page that happens to be JSON-like is none. */
static bool problem_read(const struct http_response *r, const char *request_url, struct acme_problem *ret)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_json_ json_t *doc = NULL;

	if (!http_is_type(r, "application/problem+json") && !http_is_type(r, "application/json"))
		return false;
	if (json_parse(buf_text(&r->body), r->body.n, &doc, &ignored) < 0 || !json_is_object(doc) || !json_object_get(doc, "type"))
		return false;
	acme_problem_decode(doc, request_url, ret);
	return true;
}

/* DESIGN: rateLimited on newOrder, finalize or a challenge is this order's names, on newAccount the registration. */
static enum acme_scope limit_scope(enum acme_kind kind)
{
	switch (kind) {
	case ACME_KIND_ORDER_NEW:
	case ACME_KIND_FINALIZE:
	case ACME_KIND_CHALLENGE:
		return ACME_SCOPE_NAMES;
	case ACME_KIND_ACCOUNT_NEW:
		return ACME_SCOPE_REGISTRATION;
	case ACME_KIND_ACCOUNT:
	case ACME_KIND_REVOKE:
		return ACME_SCOPE_ACCOUNT;
	case ACME_KIND_RENEWAL_INFO:
		return ACME_SCOPE_NONE;
	case ACME_KIND_DIRECTORY:
	case ACME_KIND_NONCE:
	case ACME_KIND_ORDER:
	case ACME_KIND_AUTHZ:
	case ACME_KIND_CERTIFICATE:
	case ACME_KIND_COUNT:
		break;
	}
	return ACME_SCOPE_VENDOR;
}

static bool is_resource(enum acme_kind kind)
{
	return kind == ACME_KIND_ORDER || kind == ACME_KIND_AUTHZ || kind == ACME_KIND_CHALLENGE || kind == ACME_KIND_FINALIZE ||
	       kind == ACME_KIND_CERTIFICATE;
}

/* The one name that the subproblems are about, or NULL. Borrowed. */
static const char *only_identifier(const struct acme_problem *p)
{
	const char *one = NULL;

	for (size_t i = 0; i < p->n_sub; i++) {
		if (!p->sub[i].identifier)
			continue;
		if (one && !str_case_eq(one, p->sub[i].identifier))
			return NULL;
		one = p->sub[i].identifier;
	}
	return one;
}

/* Without a problem document only the status speaks, and it may not even be the CA who answered. */
static enum err_code code_of_status(int status)
{
	if (status == 429)
		return ERR_REMOTE_LIMIT;
	if (status >= 500 || status == 408)
		return ERR_REMOTE_BUSY;
	return ERR_REMOTE_BAD;
}

static enum err_code judge_unknown_type(int status)
{
	enum err_code c = code_of_status(status);

	return c == ERR_REMOTE_BAD && status >= 400 ? ERR_REMOTE_REFUSED : c;
}

/* Let's Encrypt: an account and name after very many failures; only a person can undo it, on the page named in the text. */
static bool is_paused(const struct acme_problem *p)
{
	return p->detail && (strcasestr(p->detail, "unpause") || strcasestr(p->detail, "is paused"));
}

/* The first https address in the CA's words: where it says what can be done. Owned. */
static char *link_in(const char *text)
{
	const char *p = text ? strstr(text, "https://") : NULL;
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_url_ struct url u = { 0 };
	_cleanup_free_ char *ref = NULL;
	size_t n;

	if (!p)
		return NULL;
	n = strcspn(p, " \t\r\n\"'<>()");
	while (n && strchr(".,;:!", p[n - 1]))
		n--;
	ref = xstrndup(p, n);
	return n <= LIMIT_CA_URL && url_parse(ref, true, &u, &ignored) == 0 ? TAKE(u.text) : NULL;
}

/* What a person can do, with the address to do it at. Owned, or NULL. */
static char *what_to_do(const struct acme_refusal *f, const char *hint)
{
	_cleanup_free_ char *link = is_paused(&f->problem) ? link_in(f->problem.detail) : NULL;

	if (!hint)
		return NULL;
	if (link)
		return xasprintf("The CA has paused this name: open %s, then look at the order again (Refresh Order).", link);
	if (acme_problem_is(&f->problem, "userActionRequired") && (f->tos_url || f->problem.instance))
		return xasprintf("Read %s, agree to the terms on the account's page, and its orders go on.", f->tos_url ? f->tos_url : f->problem.instance);
	return xstrdup(hint);
}

static enum err_code judge(struct acme_refusal *f, enum acme_kind kind, const char **ret_hint)
{
	const struct row *row = find(f->problem.type);
	enum err_code code = row ? row->code : judge_unknown_type(f->status);
	const char *one = only_identifier(&f->problem);

	f->scope = row ? row->scope : ACME_SCOPE_NONE;
	f->users_input = row && row->users_input;
	*ret_hint = row ? row->hint : NULL;
	if (code == ERR_REMOTE_LIMIT) {
		f->scope = limit_scope(kind);
		if (f->problem.detail && str_starts(f->problem.detail, "Service busy"))
			f->scope = ACME_SCOPE_VENDOR;
		else if (is_paused(&f->problem)) {
			code = ERR_NEEDS_PERSON;
			*ret_hint = "The CA has paused this name: open the page it names, then resume.";
			f->scope = one ? ACME_SCOPE_IDENTIFIER : ACME_SCOPE_NAMES;
		} else if (f->scope == ACME_SCOPE_NAMES && one) {
			f->scope = ACME_SCOPE_IDENTIFIER;
		}
	}
	if (f->scope == ACME_SCOPE_IDENTIFIER && !one)
		f->scope = ACME_SCOPE_NAMES;
	if (f->scope == ACME_SCOPE_IDENTIFIER)
		f->identifier = xstrdup(one);
	if (f->status == 503)
		f->scope = ACME_SCOPE_VENDOR;
	if (code == ERR_REMOTE_REFUSED && (f->status == 404 || f->status == 410) && is_resource(kind))
		code = ERR_REMOTE_GONE;
	return code;
}

static void take_links(struct acme_refusal *f, const char *url, const struct http_response *r)
{
	_cleanup_free_ char *help = http_link_nth(r, "help", 0), *tos = http_link_nth(r, "terms-of-service", 0);
	const char *location = http_header_get(r, "location");

	f->help_url = help ? acme_url_to_show(url, help) : NULL;
	f->tos_url = tos ? acme_url_to_show(url, tos) : NULL;
	f->location = location ? acme_url_to_show(url, location) : NULL;
}

static int no_document(struct acme_refusal *f, const struct acme_call *c, const struct http_response *r, struct err *err)
{
	enum err_code code = code_of_status(r->status);
	const char *type = http_header_get(r, "content-type");
	_cleanup_free_ char *shown = str_clean(type ? type : "nothing", strlen(type ? type : "nothing"), 60);

	f->scope = ACME_SCOPE_VENDOR;
	f->problem.type = xstrdup("about:blank");
	if (r->status >= 300 && r->status < 400)
		return err_set(err, code, "could not %s: redirected with status %d to '%s', which is not followed", c->what, r->status,
			       f->location ? f->location : "?");
	return err_set(err, code, "could not %s: status %d with %s instead of a problem document", c->what, r->status, shown);
}

int acme_refused(struct acme_session *s, const struct acme_call *c, const struct http_response *r, struct err *err)
{
	struct acme_refusal *f = &s->refusal;
	int64_t now = clock_now(s->clock), span = http_retry_after(r, now, SECOND_MS, 7 * DAY_MS);
	_cleanup_free_ char *todo = NULL;
	const char *hint = NULL;
	enum err_code code;

	acme_refusal_clear(f);
	f->status = r->status;
	f->retry_at_ms = span ? clock_add(now, span) : 0;
	take_links(f, c->url, r);
	if (!problem_read(r, c->url, &f->problem)) {
		no_document(f, c, r, err);
	} else {
		_cleanup_free_ char *text = acme_problem_text(&f->problem), *shown = str_clean(text, strlen(text), 600);

		code = judge(f, c->kind, &hint);
		f->problem.status = r->status;
		err_set(err, code, "the CA refused to %s: %s", c->what, shown);
		err_remote(err, f->problem.type, f->problem.detail ? text : NULL);
		todo = what_to_do(f, hint);
		if (todo)
			err_hint(err, "%s", todo);
	}
	err->retry_at_ms = f->retry_at_ms;
	return -(int)err->code;
}
