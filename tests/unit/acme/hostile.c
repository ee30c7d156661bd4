/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CA that misbehaves: each row is one answer to one call, and what must come of it. Nowhere may a request leave for another host
 * (the fake counts), nothing may be taken for a state that it is not, and whoever has to wait must be named.
 */
#include "tests/unit/acme/fake.h"

#include <stdio.h>

enum call { DIRECTORY, NONCE, REGISTER, FIND, ACCOUNT, KEY_CHANGE, ORDER_NEW, ORDER, FINALIZE, AUTHZ_, ACCEPT, CERTIFICATE, REVOKE, ARI, CALLS };

static const char *const call_names[] = { "directory", "nonce",	   "register", "find",	"account",     "key change", "new order",
					  "order",     "finalize", "authz",    "accept", "certificate", "revoke",     "ari" };

/* Makes the call; what it returned is thrown away. */
static int perform(struct world *w, enum call call)
{
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_acme_order_ struct acme_order o = { 0 };
	_cleanup_acme_authz_ struct acme_authz z = { 0 };
	_cleanup_acme_challenge_ struct acme_challenge c = { 0 };
	_cleanup_acme_chain_ struct acme_chain chain = { 0 };
	_cleanup_acme_renewal_info_ struct acme_renewal_info info = { 0 };
	struct acme_session *s = &w->s;
	struct err *err = &w->err;

	switch (call) {
	case DIRECTORY:
		return acme_directory_get(s, &d, err);
	case REGISTER:
		return acme_account_register(s, &(struct acme_registration){ .tos_agreed = true }, &a, err);
	case FIND:
		return acme_account_find(s, &a, err);
	case ACCOUNT:
		return acme_account_get(s, &a, err);
	case KEY_CHANGE:
		return acme_key_change(s, err);
	case ORDER_NEW:
		return acme_order_new(s, &(struct acme_order_request){ .names = &names }, &o, err);
	case NONCE:
	case ORDER:
		return acme_order_get(s, "https://ca.example/order/1", &names, &o, err);
	case FINALIZE:
		return acme_order_finalize(s, "https://ca.example/order/1", "https://ca.example/finalize/1", "x", 1, &names, &o, err);
	case AUTHZ_:
		return acme_authz_get(s, "https://ca.example/authz/1", &z, err);
	case ACCEPT:
		return acme_challenge_accept(s, "https://ca.example/c/1", &c, err);
	case CERTIFICATE:
		return acme_certificate_get(s, "https://ca.example/cert/1", &chain, err);
	case REVOKE:
		return acme_revoke(s, "x", 1, ACME_REASON_NONE, false, err);
	case ARI:
		return acme_renewal_info_get(s, "aa.bb", &info, err);
	case CALLS:
		break;
	}
	abort();
}

struct row {
	enum call call;
	struct answer a;
	enum err_code code; /* ERR_NONE = it is to be taken */
	enum acme_scope scope;
};

static void try_row(const struct row *r, size_t i)
{
	_cleanup_world_ struct world w;

	world_init(&w, &r->a, 1);
	if (r->call == DIRECTORY)
		w.fake.directory = &r->a;
	if (r->call == NONCE)
		w.fake.nonce = &r->a;
	perform(&w, r->call);
	if (w.err.code != r->code || (r->scope && w.s.refusal.scope != r->scope)) {
		_cleanup_free_ char *text = err_text(&w.err);

		print_error("row %zu, %s: %s (scope %s): %s\n", i, call_names[r->call], err_slug(w.err.code),
			    acme_scope_text(w.s.refusal.scope), text);
	}
	ASSERT_INT(w.err.code, r->code);
	if (r->scope)
		ASSERT_INT(w.s.refusal.scope, r->scope);
}

#define IDS "\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"},{\"type\":\"dns\",\"value\":\"b.test\"}]"
#define AZ "\"authorizations\":[\"/authz/1\"]"
#define FIN "\"finalize\":\"/finalize/1\""
#define HTML "Content-Type: text/html\r\n"
#define BAD ERR_REMOTE_BAD
#define V ACME_SCOPE_VENDOR

static const struct row rows[] = {
	/* directory */
	{ DIRECTORY, { 200, JSON, "", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "[]", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "null", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"new-reg\":\"https://ca.example/acme/new-reg\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":null,\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":7,\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":\"https://10.0.0.1/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"http://ca.example/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"https://ca.example:8443/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"file:///etc/passwd\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"/n\",\"newNonce\":\"/m\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\",\"renewalInfo\":\"https://169.254.169.254/\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"/n\\u0000\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, JSON, "{\"newNonce\":\"/\xff\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", 0 }, BAD, 0 },
	{ DIRECTORY, { 200, HTML, GOOD_DIRECTORY, 0 }, BAD, V },
	{ DIRECTORY, { 204, "", "", 0 }, BAD, 0 },
	{ DIRECTORY, { 301, "Location: https://10.0.0.1/\r\n", "", 0 }, BAD, V },
	{ DIRECTORY, { 308, "Location: http://ca.example/directory\r\n", "", 0 }, BAD, V },
	{ DIRECTORY, { 404, HTML, "<h1>no</h1>", 0 }, BAD, V },
	{ DIRECTORY, { 429, HTML, "<h1>slow</h1>", 0 }, ERR_REMOTE_LIMIT, V },
	{ DIRECTORY, { 503, HTML, "<h1>later</h1>", 0 }, ERR_REMOTE_BUSY, V },
	{ DIRECTORY, { 500, "", "", 0 }, ERR_REMOTE_BUSY, V },
	{ DIRECTORY, { 429, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, V },
	{ DIRECTORY, { .fail = ERR_NETWORK }, ERR_NETWORK, 0 },
	{ DIRECTORY, { .fail = ERR_TIMEOUT }, ERR_TIMEOUT, 0 },
	/* nonce */
	{ NONCE, { 200, "", NULL, 0 }, BAD, 0 },
	{ NONCE, { 200, "Replay-Nonce:\r\n", NULL, 0 }, BAD, 0 },
	{ NONCE, { 200, "Replay-Nonce: a b\r\n", NULL, 0 }, BAD, 0 },
	{ NONCE, { 200, "Replay-Nonce: \"x\",\"y\":1\r\n", NULL, 0 }, BAD, 0 },
	{ NONCE, { 405, HTML, NULL, 0 }, BAD, V },
	{ NONCE, { 429, "Retry-After: 10\r\n", NULL, 0 }, ERR_REMOTE_LIMIT, V },
	{ NONCE, { 503, "", NULL, 0 }, ERR_REMOTE_BUSY, V },
	{ NONCE, { 302, "Location: /elsewhere\r\nReplay-Nonce: abc\r\n", NULL, 0 }, BAD, V },
	/* registration */
	{ REGISTER, { 201, JSON, "{\"status\":\"valid\"}", 0 }, BAD, 0 }, /* no Location */
	{ REGISTER, { 201, "Location:\r\n" JSON, "{\"status\":\"valid\"}", 0 }, BAD, 0 },
	{ REGISTER, { 201, "Location: https://evil.example/acct/1\r\n" JSON, "{\"status\":\"valid\"}", 0 }, BAD, 0 },
	{ REGISTER, { 201, "Location: javascript:alert(1)\r\n" JSON, "{\"status\":\"valid\"}", 0 }, BAD, 0 },
	{ REGISTER, { 201, "Location: /acct/1\r\n" JSON, "{\"status\":\"dancing\"}", 0 }, BAD, 0 },
	{ REGISTER, { 201, "Location: /acct/1\r\n" JSON, "{\"status\":7}", 0 }, BAD, 0 },
	{ REGISTER, { 201, "Location: /acct/1\r\n" JSON, "{", 0 }, BAD, 0 },
	{ REGISTER, { 201, "Location: /acct/1\r\n" HTML, "<p>welcome</p>", 0 }, BAD, V },
	{ REGISTER, { 201, "Location: /acct/1\r\n" JSON, "{\"contact\":[7,null,\"mailto:x@y\"],\"orders\":\"https://10.0.0.1/\"}", 0 }, ERR_NONE, 0 },
	{ REGISTER, { 200, "Location: /acct/1\r\n" JSON, "", 0 }, ERR_NONE, 0 },
	{ REGISTER, { 403, PROBLEM, P("externalAccountRequired", ""), 0 }, ERR_NEEDS_PERSON, ACME_SCOPE_REGISTRATION },
	{ REGISTER, { 403, PROBLEM, P("userActionRequired", ""), 0 }, ERR_NEEDS_PERSON, ACME_SCOPE_ACCOUNT },
	{ REGISTER, { 403, PROBLEM, P("agreementRequired", ""), 0 }, ERR_NEEDS_PERSON, ACME_SCOPE_ACCOUNT },
	{ REGISTER, { 400, PROBLEM, P("invalidContact", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ REGISTER, { 400, PROBLEM, P("unsupportedContact", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ REGISTER, { 400, PROBLEM, P("badPublicKey", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ REGISTER, { 400, PROBLEM, P("badSignatureAlgorithm", ",\"algorithms\":[\"ES256\",7]"), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ REGISTER, { 400, PROBLEM, P("malformed", ",\"detail\":\"The account is not awaiting external account binding\""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ REGISTER, { 429, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, ACME_SCOPE_REGISTRATION },
	{ REGISTER, { 429, HTML, "<html>", 0 }, ERR_REMOTE_LIMIT, V },
	{ REGISTER, { 429, PROBLEM, P("rateLimited", ",\"detail\":\"Service busy; retry later.\""), 0 }, ERR_REMOTE_LIMIT, V },
	{ FIND, { 400, PROBLEM, P("accountDoesNotExist", ""), 0 }, ERR_NOT_FOUND, 0 },
	{ FIND, { 200, JSON, "{\"status\":\"valid\"}", 0 }, BAD, 0 },
	{ FIND, { 400, HTML, "accountDoesNotExist", 0 }, BAD, V },
	{ ACCOUNT, { 200, JSON, "{}", 0 }, BAD, 0 },
	{ ACCOUNT, { 200, JSON, "{\"status\":\"\"}", 0 }, BAD, 0 },
	{ ACCOUNT, { 200, JSON, "{\"status\":\"VALID\"}", 0 }, BAD, 0 },
	{ ACCOUNT, { 200, JSON, "{\"status\":\"revoked\"}", 0 }, ERR_NONE, 0 },
	{ ACCOUNT, { 400, PROBLEM, P("accountDoesNotExist", ""), 0 }, ERR_NEEDS_PERSON, ACME_SCOPE_ACCOUNT },
	{ ACCOUNT, { 401, PROBLEM, P("unauthorized", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ACCOUNT, { 403, "Content-Type: application/json\r\n", "{\"message\":\"Missing Authentication Token\"}", 0 }, BAD, V },
	{ KEY_CHANGE, { 409, PROBLEM "Location: https://evil.example/x\r\n", P("conflict", ""), 0 }, ERR_CONFLICT, 0 },
	{ KEY_CHANGE, { 500, PROBLEM, P("serverInternal", ""), 0 }, ERR_REMOTE_BUSY, 0 },
	/* new order */
	{ ORDER_NEW, { 201, JSON, ORDER_BODY("pending", ""), 0 }, BAD, 0 }, /* no Location */
	{ ORDER_NEW, { 201, "Location: https://10.0.0.1/order/1\r\n" JSON, ORDER_BODY("pending", ""), 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, "Location: https://ca.example@10.0.0.1/\r\n" JSON, ORDER_BODY("pending", ""), 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, "Location: //10.0.0.1/order\r\n" JSON, ORDER_BODY("pending", ""), 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, ORDER_BODY("dancing", ""), 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":null," IDS "," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":[\"pending\"]," IDS "," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\",\"identifiers\":[]," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\",\"identifiers\":{}," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\",\"identifiers\":[7]," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"}]," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"evil.test\"},{\"type\":\"dns\",\"value\":\"a.test\"}]," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"email\",\"value\":\"a.test\"}]," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"../../etc\"}]," AZ "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS ",\"authorizations\":[]," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS "," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS "," AZ "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS ",\"authorizations\":\"/authz/1\"," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS ",\"authorizations\":[\"\"]," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS ",\"authorizations\":[null]," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS ",\"authorizations\":[\"https://127.0.0.1/a\"]," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS ",\"authorizations\":[\"https://[::ffff:10.0.0.1]/a\"]," FIN "}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS "," AZ ",\"finalize\":\"https://169.254.169.254/\"}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS "," AZ ",\"finalize\":\"http://ca.example/f\"}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, "{\"status\":\"pending\"," IDS "," AZ ",\"finalize\":\"https://ca.example:444/f\"}", 0 }, BAD, 0 },
	{ ORDER_NEW, { 200, ORDER_HEAD, ORDER_BODY("pending", ""), 0 }, ERR_NONE, 0 }, /* an existing order */
	{ ORDER_NEW, { 201, ORDER_HEAD, ORDER_BODY("ready", ",\"expires\":\"garbage\",\"error\":null,\"x\":{}"), 0 }, ERR_NONE, 0 },
	{ ORDER_NEW, { 201, ORDER_HEAD, ORDER_BODY("valid", ",\"certificate\":\"/cert/1\""), 0 }, ERR_NONE, 0 },
	{ ORDER_NEW, { 429, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, ACME_SCOPE_NAMES },
	{ ORDER_NEW, { 429, PROBLEM, P("rateLimited", ",\"subproblems\":[{\"type\":\"x\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"}}]"), 0 }, ERR_REMOTE_LIMIT, ACME_SCOPE_IDENTIFIER },
	{ ORDER_NEW, { 429, PROBLEM, P("rateLimited", ",\"subproblems\":[{\"identifier\":{\"value\":\"a.test\"}},{\"identifier\":{\"value\":\"b.test\"}}]"), 0 }, ERR_REMOTE_LIMIT, ACME_SCOPE_NAMES },
	{ ORDER_NEW, { 429, PROBLEM, P("rateLimited", ",\"detail\":\"Your account is temporarily prevented. Visit https://ca/unpause?jwt=x\",\"subproblems\":[{\"identifier\":{\"value\":\"a.test\"}}]"), 0 }, ERR_NEEDS_PERSON, ACME_SCOPE_IDENTIFIER },
	{ ORDER_NEW, { 503, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, V },
	{ ORDER_NEW, { 400, PROBLEM, P("rejectedIdentifier", ",\"subproblems\":[{\"identifier\":{\"value\":\"a.test\"}}]"), 0 }, ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER },
	{ ORDER_NEW, { 400, PROBLEM, P("rejectedIdentifier", ",\"subproblems\":\"none\""), 0 }, ERR_REMOTE_REFUSED, ACME_SCOPE_NAMES },
	{ ORDER_NEW, { 400, PROBLEM, P("compound", ""), 0 }, ERR_REMOTE_REFUSED, ACME_SCOPE_NAMES },
	{ ORDER_NEW, { 403, PROBLEM, P("caa", ""), 0 }, ERR_REMOTE_REFUSED, ACME_SCOPE_NAMES },
	{ ORDER_NEW, { 400, PROBLEM, P("unsupportedIdentifier", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ORDER_NEW, { 400, PROBLEM, P("invalidProfile", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ORDER_NEW, { 403, PROBLEM "Link: <https://ca.example/terms>;rel=\"terms-of-service\"\r\n", P("userActionRequired", ",\"instance\":\"/agree\""), 0 }, ERR_NEEDS_PERSON, ACME_SCOPE_ACCOUNT },
	{ ORDER_NEW, { 400, PROBLEM, P("neverHeardOf", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ORDER_NEW, { 500, PROBLEM, P("neverHeardOf", ""), 0 }, ERR_REMOTE_BUSY, 0 },
	{ ORDER_NEW, { 429, PROBLEM, "{\"type\":\"https://other.example/limit\"}", 0 }, ERR_REMOTE_LIMIT, ACME_SCOPE_NAMES },
	{ ORDER_NEW, { 400, PROBLEM, "{\"detail\":\"no type\"}", 0 }, BAD, V },
	{ ORDER_NEW, { 400, PROBLEM, "{\"type\":7,\"detail\":{},\"subproblems\":[7,null,{\"identifier\":7}],\"status\":\"x\",\"instance\":\"javascript:1\"}", 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ORDER_NEW, { 400, PROBLEM, "{\"type\":", 0 }, BAD, V },
	{ ORDER_NEW, { 400, PROBLEM, "", 0 }, BAD, V },
	{ ORDER_NEW, { 400, HTML, P("rateLimited", ""), 0 }, BAD, V }, /* never by luck */
	{ ORDER_NEW, { 502, HTML, "<h1>Bad gateway</h1>", 0 }, ERR_REMOTE_BUSY, V },
	{ ORDER_NEW, { 504, "", NULL, 0 }, ERR_REMOTE_BUSY, V },
	{ ORDER_NEW, { 408, "", NULL, 0 }, ERR_REMOTE_BUSY, V },
	{ ORDER_NEW, { 307, "Location: https://10.0.0.1/\r\n", NULL, 0 }, BAD, V },
	{ ORDER_NEW, { 999, "", NULL, 0 }, ERR_REMOTE_BUSY, V },
	{ ORDER_NEW, { .fail = ERR_TIMEOUT }, ERR_TIMEOUT, 0 },
	/* order */
	{ ORDER, { 200, JSON, ORDER_BODY("valid", ""), 0 }, BAD, 0 }, /* no certificate */
	{ ORDER, { 200, JSON, ORDER_BODY("valid", ",\"certificate\":null"), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("valid", ",\"certificate\":\"https://127.0.0.1:8443/c\""), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("valid", ",\"certificate\":\"gopher://ca.example/\""), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("pending", ",\"certificate\":\"https://127.0.0.1/\""), 0 }, ERR_NONE, 0 }, /* not yet of interest */
	{ ORDER, { 200, JSON, ORDER_BODY("processing", ",\"certificate\":7"), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, "{\"status\":\"invalid\"," IDS ",\"error\":{\"type\":7}}", 0 }, ERR_NONE, 0 },
	{ ORDER, { 200, JSON, "{\"status\":\"invalid\"," IDS ",\"error\":\"broken\"}", 0 }, ERR_NONE, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("expired", ""), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("deactivated", ""), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("pending ", ""), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("pending\\u0000", ""), 0 }, BAD, 0 },
	{ ORDER, { 404, PROBLEM, P("malformed", ",\"detail\":\"No order for ID\""), 0 }, ERR_REMOTE_GONE, 0 },
	{ ORDER, { 410, PROBLEM, P("malformed", ""), 0 }, ERR_REMOTE_GONE, 0 },
	{ ORDER, { 404, HTML, "<html>", 0 }, BAD, V },
	{ ORDER, { 403, PROBLEM, P("unauthorized", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ORDER, { 429, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, V },
	{ ORDER, { 204, "", NULL, 0 }, BAD, 0 },
	{ ORDER, { 200, "Content-Type: application/octet-stream\r\n", ORDER_BODY("pending", ""), 0 }, BAD, V },
	{ ORDER, { 200, JSON, ORDER_BODY("pending", ",\"expires\":7"), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("pending", ",\"n\":1e999"), 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("pending", "") "garbage", 0 }, BAD, 0 },
	{ ORDER, { 200, JSON, ORDER_BODY("pending", ",\"s\":\"\\ud800\""), 0 }, BAD, 0 },
	/* finalize */
	{ FINALIZE, { 403, PROBLEM, P("orderNotReady", ""), 0 }, ERR_CONFLICT, 0 },
	{ FINALIZE, { 400, PROBLEM, P("badCSR", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ FINALIZE, { 403, PROBLEM, P("caa", ",\"subproblems\":[{\"identifier\":{\"value\":\"a.test\"}}]"), 0 }, ERR_REMOTE_REFUSED, ACME_SCOPE_IDENTIFIER },
	{ FINALIZE, { 429, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, ACME_SCOPE_NAMES },
	{ FINALIZE, { 404, PROBLEM, P("malformed", ""), 0 }, ERR_REMOTE_GONE, 0 },
	{ FINALIZE, { 500, PROBLEM "Retry-After: 60\r\n", P("serverInternal", ""), 0 }, ERR_REMOTE_BUSY, 0 },
	{ FINALIZE, { 200, HTML, "<html>", 0 }, BAD, V },
	{ FINALIZE, { 200, JSON, "{\"status\":\"valid\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"evil.test\"}],\"certificate\":\"/c\"}", 0 }, BAD, 0 },
	/* authorizations */
	{ AUTHZ_, { 200, JSON, "{}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("dancing", ""), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("processing", ""), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("expired", ""), 0 }, ERR_NONE, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("revoked", ""), 0 }, ERR_NONE, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("deactivated", ""), 0 }, ERR_NONE, 0 },
	{ AUTHZ_, { 200, JSON, "{\"status\":\"pending\",\"challenges\":[]}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, "{\"status\":\"pending\",\"identifier\":\"a.test\",\"challenges\":[]}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a b\"},\"challenges\":[]}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"$(id).test\"},\"challenges\":[]}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"challenges\":{}}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"challenges\":[7]}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"wildcard\":\"yes\"}", 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("http-01", "/c", "../../etc/passwd/aaaaaaaaaaa", "pending")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("http-01", "/c", "aaaaaaaaaaaaaaaaaaaaaa`id`", "pending")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("http-01", "/c", "aaaaaaaaaaaaaaaaaaaaaaaaa\\n", "pending")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("http-01", "/c", "aaaaaaaaaaaaaaaaaaaaaaaaa=", "pending")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("dns-01", "/c", "aaaaaaaaaaaaaaaaaaaaa", "pending")), 0 }, BAD, 0 },	/* 21 */
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("dns-01", "/c", "aaaaaaaaaaaaaaaaaaaaaa", "pending")), 0 }, ERR_NONE, 0 }, /* 22 */
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("dns-01", "/c", "", "pending")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("dns-01", "https://127.0.0.1/c", TOKEN, "pending")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("dns-01", "http://ca.example/c", TOKEN, "pending")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("dns-01", "/c", TOKEN, "dancing")), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", "{\"type\":\"dns-01\",\"uri\":\"/c\",\"token\":\"" TOKEN "\",\"status\":\"pending\"}"), 0 }, BAD, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", "{\"type\":7}"), 0 }, ERR_NONE, 0 },
	{ AUTHZ_, { 200, JSON, AUTHZ("pending", "{\"type\":\"tls-alpn-01\",\"status\":\"dancing\",\"url\":\"https://127.0.0.1/\"}"), 0 }, ERR_NONE, 0 },
	{ AUTHZ_, { 404, PROBLEM, P("malformed", ""), 0 }, ERR_REMOTE_GONE, 0 },
	{ AUTHZ_, { 404, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, V },
	/* challenges */
	{ ACCEPT, { 200, JSON, "{", 0 }, ERR_NONE, 0 },
	{ ACCEPT, { 202, HTML, "<html>", 0 }, ERR_NONE, 0 },
	{ ACCEPT, { 400, PROBLEM, P("malformed", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ACCEPT, { 429, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, ACME_SCOPE_NAMES },
	{ ACCEPT, { 404, PROBLEM, P("malformed", ""), 0 }, ERR_REMOTE_GONE, 0 },
	{ ACCEPT, { 301, "Location: /c/2\r\n", NULL, 0 }, BAD, V },
	/* certificates */
	{ CERTIFICATE, { 200, "", CERT, 0 }, ERR_NONE, 0 },
	{ CERTIFICATE, { 200, HTML, CERT "\n\n" CERT, 0 }, ERR_NONE, 0 }, /* what counts is what it is */
	{ CERTIFICATE, { 200, "", "", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "\n\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "garbage\n" CERT, 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", CERT "garbage", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", CERT "-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "Subject: x\n" CERT, 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN CERTIFICATE-----\nMAMCAQ\n-----END CERTIFICATE-----\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN CERTIFICATE-----\nAAAAAAAA\n-----END CERTIFICATE-----\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN CERTIFICATE-----\n" CERT, 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN TRUSTED CERTIFICATE-----\nMAMCAQE=\n-----END TRUSTED CERTIFICATE-----\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nMAMCAQE=\n-----END CERTIFICATE-----\n", 0 }, BAD, 0 },
	{ CERTIFICATE, { 200, "", CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT, 0 }, ERR_NONE, 0 },
	{ CERTIFICATE, { 200, "", CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT, 0 }, BAD, 0 },
	{ CERTIFICATE, { 404, PROBLEM, P("malformed", ""), 0 }, ERR_REMOTE_GONE, 0 },
	{ CERTIFICATE, { 403, PROBLEM, P("unauthorized", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	/* revocation */
	{ REVOKE, { 200, HTML, "<html>", 0 }, ERR_NONE, 0 },
	{ REVOKE, { 400, PROBLEM, P("alreadyRevoked", ""), 0 }, ERR_NONE, 0 },
	{ REVOKE, { 400, HTML, "alreadyRevoked", 0 }, BAD, V },
	{ REVOKE, { 403, PROBLEM, P("unauthorized", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ REVOKE, { 400, PROBLEM, P("badRevocationReason", ""), 0 }, ERR_INVALID, 0 },
	/* renewal information */
	{ ARI, { 200, JSON, "{}", 0 }, BAD, 0 },
	{ ARI, { 200, JSON, "{\"suggestedWindow\":null}", 0 }, BAD, 0 },
	{ ARI, { 200, JSON, "{\"suggestedWindow\":{\"start\":\"2026-12-01T00:00:00Z\"}}", 0 }, BAD, 0 },
	{ ARI, { 200, JSON, "{\"suggestedWindow\":{\"start\":\"2026-12-01T00:00:00Z\",\"end\":\"2026-12-01T00:00:00Z\"}}", 0 }, BAD, 0 },
	{ ARI, { 200, JSON, "{\"suggestedWindow\":{\"start\":\"2026-12-02T00:00:00Z\",\"end\":\"2026-12-01T00:00:00Z\"}}", 0 }, BAD, 0 },
	{ ARI, { 200, JSON, "{\"suggestedWindow\":{\"start\":1,\"end\":2}}", 0 }, BAD, 0 },
	{ ARI, { 200, JSON, "{\"suggestedWindow\":{\"start\":\"2026-12-01\",\"end\":\"2026-12-02\"}}", 0 }, BAD, 0 },
	{ ARI, { 200, JSON, "{\"suggestedWindow\":{\"start\":\"2026-12-01T00:00:00Z\",\"end\":\"2026-12-02T00:00:00Z\"},\"explanationURL\":\"javascript:alert(1)\"}", 0 }, ERR_NONE, 0 },
	{ ARI, { 200, HTML, "{}", 0 }, BAD, V },
	{ ARI, { 404, PROBLEM, P("malformed", ""), 0 }, ERR_REMOTE_REFUSED, 0 },
	{ ARI, { 404, HTML, "<html>", 0 }, BAD, V },
	{ ARI, { 429, PROBLEM, P("rateLimited", ""), 0 }, ERR_REMOTE_LIMIT, 0 },
	{ ARI, { 500, "", NULL, 0 }, ERR_REMOTE_BUSY, V },
};

static void every_answer_has_its_result(void **state UNUSED)
{
	ASSERT_TRUE(ARRAY_SIZE(rows) >= 200);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		try_row(&rows[i], i);
}

/* ---- sizes, at limit-1, limit, limit+1 ---- */

static char *order_with(size_t authorizations, size_t detail)
{
	struct buf b = BUF_MAX(1024 * 1024);

	buf_add_str(&b, "{\"status\":\"pending\"," IDS "," FIN ",\"authorizations\":[");
	for (size_t i = 0; i < authorizations; i++)
		buf_addf(&b, "%s\"/authz/%zu\"", i ? "," : "", i);
	buf_add_str(&b, "],\"error\":{\"type\":\"x\",\"detail\":\"");
	for (size_t i = 0; i < detail; i++)
		buf_add_char(&b, 'd');
	buf_add_str(&b, "\"}}");
	return buf_take(&b);
}

static void authorizations_have_a_limit(void **state UNUSED)
{
	for (int d = -1; d <= 1; d++) {
		_cleanup_free_ char *body = order_with((size_t)(LIMIT_CA_IDENTIFIERS + d), 1);
		struct row r = { ORDER, { 200, JSON, body, 0 }, d <= 0 ? ERR_NONE : BAD, 0 };

		try_row(&r, 0);
	}
	_cleanup_free_ char *huge = order_with(20000, 1);
	struct row r = { ORDER, { 200, JSON, huge, 0 }, BAD, 0 };
	try_row(&r, 1);
}

static void an_answer_larger_than_the_limit_is_not_read(void **state UNUSED)
{
	for (int d = -1; d <= 1; d++) {
		_cleanup_free_ char *short_one = order_with(1, 0);
		_cleanup_free_ char *body = order_with(1, (size_t)(LIMIT_CA_JSON - (int)strlen(short_one) + d));
		struct row r = { ORDER, { 200, JSON, body, 0 }, d <= 0 ? ERR_NONE : BAD, 0 };

		try_row(&r, 0);
	}
}

static void words_are_cut_and_made_safe(void **state UNUSED)
{
	_cleanup_free_ char *body = order_with(1, 100000);
	struct answer a = { 200, JSON, body, 0 };
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, &a, 1);
	ASSERT_OK(acme_order_get(&w.s, "https://ca.example/order/1", NULL, &o, &w.err), &w.err);
	ASSERT_TRUE(strlen(o.error.detail) <= LIMIT_CA_DETAIL);

	static const struct answer evil = { 400, PROBLEM "Link: <javascript:x>;rel=\"help\", <https://help.example/x>;rel=\"help\"\r\n",
					    P("malformed", ",\"detail\":\"a\\u001b[2J\\u202eb\\r\\nc<script>\",\"instance\":\"javascript:alert(1)\""), 0 };
	_cleanup_world_ struct world v;
	_cleanup_acme_order_ struct acme_order p = { 0 };

	world_init(&v, &evil, 1);
	ASSERT_INT(acme_order_get(&v.s, "https://ca.example/order/1", NULL, &p, &v.err), -ERR_REMOTE_REFUSED);
	assert_null(strpbrk(v.err.remote, "\033\r\n"));
	assert_null(strstr(v.err.remote, "\xe2\x80\xae"));
	assert_null(v.s.refusal.problem.instance);
	assert_null(v.s.refusal.help_url);
	ASSERT_STR(v.err.remote_type, "urn:ietf:params:acme:error:malformed");
}

static void nesting_has_a_limit(void **state UNUSED)
{
	static const size_t depths[] = { LIMIT_JSON_DEPTH - 2, LIMIT_JSON_DEPTH - 1, LIMIT_JSON_DEPTH, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		_cleanup_buf_ struct buf b = BUF_MAX(1024 * 1024);

		buf_add_str(&b, "{\"status\":\"invalid\"," IDS ",\"x\":");
		for (size_t k = 0; k < depths[i]; k++)
			buf_add_char(&b, '[');
		for (size_t k = 0; k < depths[i]; k++)
			buf_add_char(&b, ']');
		buf_add_char(&b, '}');
		struct row r = { ORDER, { 200, JSON, buf_text(&b), 0 }, depths[i] < LIMIT_JSON_DEPTH ? ERR_NONE : BAD, 0 };
		try_row(&r, i);
	}
}

static void challenges_have_a_limit(void **state UNUSED)
{
	for (int d = -1; d <= 1; d++) {
		_cleanup_buf_ struct buf b = BUF_MAX(1024 * 1024);

		buf_add_str(&b, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"challenges\":[");
		for (int i = 0; i < LIMIT_CA_CHALLENGES + d; i++)
			buf_addf(&b, "%s" CHALLENGE("dns-01", "/c", TOKEN, "pending"), i ? "," : "");
		buf_add_str(&b, "]}");
		struct row r = { AUTHZ_, { 200, JSON, buf_text(&b), 0 }, d <= 0 ? ERR_NONE : BAD, 0 };
		try_row(&r, 0);
	}
}

static void tokens_have_a_limit(void **state UNUSED)
{
	for (int n = LIMIT_CA_TOKEN_MAX - 1; n <= LIMIT_CA_TOKEN_MAX + 1; n++) {
		_cleanup_buf_ struct buf b = BUF_MAX(4096);

		buf_add_str(&b, "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"challenges\":[{\"type\":\"dns-01\","
				"\"url\":\"/c\",\"status\":\"pending\",\"token\":\"");
		for (int i = 0; i < n; i++)
			buf_add_char(&b, 'a');
		buf_add_str(&b, "\"}]}");
		struct row r = { AUTHZ_, { 200, JSON, buf_text(&b), 0 }, n <= LIMIT_CA_TOKEN_MAX ? ERR_NONE : BAD, 0 };
		try_row(&r, 0);
	}
}

/* ---- bodies that end anywhere ---- */

static void a_body_cut_anywhere_is_never_taken(void **state UNUSED)
{
	static const struct row whole[] = {
		{ DIRECTORY, { 200, JSON, GOOD_DIRECTORY, 0 }, 0, 0 },
		{ REGISTER, { 201, "Location: /acct/1\r\n" JSON, "{\"status\":\"valid\",\"contact\":[\"mailto:a@b\"]}", 0 }, 0, 0 },
		{ ACCOUNT, { 200, JSON, "{\"status\":\"valid\",\"contact\":[\"mailto:a@b\"]}", 0 }, 0, 0 },
		{ ORDER_NEW, { 201, ORDER_HEAD, ORDER_BODY("pending", ""), 0 }, 0, 0 },
		{ ORDER, { 200, JSON, ORDER_BODY("valid", ",\"certificate\":\"/cert/1\""), 0 }, 0, 0 },
		{ FINALIZE, { 200, JSON, ORDER_BODY("processing", ""), 0 }, 0, 0 },
		{ AUTHZ_, { 200, JSON, AUTHZ("pending", CHALLENGE("dns-01", "/c", TOKEN, "pending")), 0 }, 0, 0 },
		{ CERTIFICATE, { 200, "", CERT CERT, 0 }, 0, 0 },
		{ ARI, { 200, JSON, "{\"suggestedWindow\":{\"start\":\"2026-12-01T00:00:00Z\",\"end\":\"2026-12-02T00:00:00Z\"}}", 0 }, 0, 0 },
		{ ORDER, { 429, PROBLEM, P("rateLimited", ",\"detail\":\"x\""), 0 }, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		size_t n = strlen(whole[i].a.body);

		for (size_t cut = 1; cut < n; cut++) {
			_cleanup_free_ char *body = xstrndup(whole[i].a.body, cut);
			struct answer a = { whole[i].a.status, whole[i].a.headers, body, 0 };
			_cleanup_world_ struct world w;

			/* the chain's own cuts that leave whole certificates and blank lines */
			if (whole[i].call == CERTIFICATE && (cut == strlen(CERT) || cut == strlen(CERT) - 1 || cut == n - 1))
				continue;
			world_init(&w, &a, 1);
			if (whole[i].call == DIRECTORY)
				w.fake.directory = &a;
			if (perform(&w, whole[i].call) >= 0)
				print_error("%s cut at %zu was taken\n", call_names[whole[i].call], cut);
			ASSERT_TRUE(w.err.code == ERR_REMOTE_BAD || w.err.code == ERR_REMOTE_LIMIT);
		}
	}
}

/* ---- Retry-After on every refusal ---- */

static void a_refusal_says_when_to_come_back(void **state UNUSED)
{
	static const struct {
		const char *value;
		int64_t span; /* 0 = not told */
	} values[] = {
		{ "5", 5000 },	   { "0", 1000 },	  { "-3", 1000 },	       { "604800", 604800000 }, { "604801", 604800000 },
		{ "1000000000000", 604800000 }, { "soon", 0 }, { "", 0 }, { "Mon, 23 Nov 2026 18:45:41 GMT", 10000 },
		{ "Mon, 23 Nov 2020 18:45:41 GMT", 1000 }, { "Monday, 23-Nov-26 18:45:41 GMT", 10000 },
	};
	static const int statuses[] = { 429, 503, 500, 403 };

	for (int call = 0; call < CALLS; call++)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++)
			for (size_t k = 0; k < ARRAY_SIZE(statuses); k++) {
				_cleanup_free_ char *headers = xasprintf(PROBLEM "Retry-After: %s\r\n", values[v].value);
				struct answer a = { statuses[k], headers, P("rateLimited", ""), 0 };
				_cleanup_world_ struct world w;
				int64_t now;

				world_init(&w, &a, 1);
				now = clock_now(&w.clock);
				if (call == DIRECTORY)
					w.fake.directory = &a;
				if (call == NONCE)
					w.fake.nonce = &a;
				ASSERT_TRUE(perform(&w, (enum call)call) < 0);
				ASSERT_INT(w.err.retry_at_ms, values[v].span ? now + values[v].span : 0);
				ASSERT_INT(w.s.refusal.retry_at_ms, w.err.retry_at_ms);
				ASSERT_INT(w.s.refusal.status, statuses[k]);
				if (statuses[k] == 503)
					ASSERT_INT(w.s.refusal.scope, ACME_SCOPE_VENDOR);
			}
}

static void addresses_given_by_a_caller_are_pinned_too(void **state UNUSED)
{
	static const char *const bad[] = { "https://127.0.0.1/order/1", "http://ca.example/order/1", "https://ca.example:8443/order/1", "", "file:///x" };
	static const struct answer a = { 200, JSON, ORDER_BODY("pending", ""), 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_world_ struct world w;
		_cleanup_acme_order_ struct acme_order o = { 0 };

		world_init(&w, &a, 1);
		ASSERT_FAILS(acme_order_get(&w.s, bad[i], NULL, &o, &w.err), &w.err, ERR_REMOTE_BAD);
		ASSERT_INT(w.fake.at, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_answer_has_its_result),
		TEST(authorizations_have_a_limit),
		TEST(an_answer_larger_than_the_limit_is_not_read),
		TEST(words_are_cut_and_made_safe),
		TEST(nesting_has_a_limit),
		TEST(challenges_have_a_limit),
		TEST(tokens_have_a_limit),
		TEST(a_body_cut_anywhere_is_never_taken),
		TEST(a_refusal_says_when_to_come_back),
		TEST(addresses_given_by_a_caller_are_pinned_too),
	};

	return RUN(tests);
}
