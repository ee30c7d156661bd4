/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c tests src/api/routes.c and problem.c: finding a row, what it may answer, errors as documents. */
#include "tests/unit/assert.h"

#include "api/call.h"
#include "api/problem.h"

static void each_path_finds_its_row_and_its_id(void **state)
{
	static const struct {
		const char *method, *path, *operation, *id;
		enum route_match match;
	} cases[] = {
		{ "GET", "/orders", "listOrders", NULL, ROUTE_FOUND },
		{ "POST", "/orders", "createOrder", NULL, ROUTE_FOUND },
		{ "GET", "/orders/12", "getOrder", "12", ROUTE_FOUND },
		{ "DELETE", "/orders/12", "deleteOrder", "12", ROUTE_FOUND },
		{ "POST", "/orders/12/refresh", "refreshOrder", "12", ROUTE_FOUND },
		{ "GET", "/orders/%31%32", "getOrder", "12", ROUTE_FOUND },
		{ "POST", "/csrs/upload", "uploadCsr", NULL, ROUTE_FOUND },
		{ "GET", "/csrs/7", "getCsr", "7", ROUTE_FOUND },
		{ "GET", "/openapi.yaml", "getOpenapi", NULL, ROUTE_FOUND },
		{ "PUT", "/orders", NULL, NULL, ROUTE_NO_METHOD },
		{ "get", "/orders", NULL, NULL, ROUTE_NO_METHOD },
		{ "GET", "/csrs/upload", NULL, NULL, ROUTE_NO_METHOD },
		{ "GET", "/orders/preview", NULL, NULL, ROUTE_NO_METHOD },
		{ "DELETE", "/orders/preview", NULL, NULL, ROUTE_NO_METHOD },
		{ "PATCH", "/vendors/read", NULL, NULL, ROUTE_NO_METHOD },
		{ "POST", "/vendors/check", "checkVendors", NULL, ROUTE_FOUND },
		{ "GET", "/", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "/orders/", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "//orders", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "/orders/1/2", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "/orders/1%2f2", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "/orders/%00", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "/order", NULL, NULL, ROUTE_NO_PATH },
		{ "GET", "/ordersx", NULL, NULL, ROUTE_NO_PATH },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct route *r = NULL;
		_cleanup_route_parts_ struct route_parts parts = { 0 };
		_cleanup_buf_ struct buf allow = BUF_MAX(256);

		ASSERT_INT(route_find(cases[i].method, cases[i].path, &r, &parts, &allow), cases[i].match);
		ASSERT_STR(r ? r->operation : NULL, cases[i].operation);
		ASSERT_STR(parts.id, cases[i].id);
		ASSERT_INT(allow.n > 0, cases[i].match == ROUTE_NO_METHOD);
	}
}

static void every_row_is_whole_and_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < routes_count; i++) {
		const struct route *r = &routes[i];

		ASSERT_TRUE(r->handler && r->answers[0]);
		ASSERT_INT(!r->body, !r->body_size);
		ASSERT_INT(!r->query, !r->query_size);
		/* what people edit or delete is protected: tokens and the session are not edited */
		if (streq(r->method, "PATCH") || (streq(r->method, "DELETE") && !strstr(r->path, "token") && !strstr(r->path, "session")))
			ASSERT_TRUE(r->flags & ROUTE_MATCH);
		/* whoever changes something has signed in, but for the two ways in */
		if (r->permission == PERM_NONE && !streq(r->method, "GET"))
			ASSERT_TRUE(r->flags & ROUTE_LOGIN);
		for (size_t k = 0; k < i; k++) {
			ASSERT_FALSE(streq(r->operation, routes[k].operation));
			ASSERT_FALSE(streq(r->method, routes[k].method) && streq(r->path, routes[k].path));
		}
	}
}

static void statuses_follow_from_the_row(void **state)
{
	const struct route *r = NULL;
	_cleanup_route_parts_ struct route_parts parts = { 0 };
	_cleanup_buf_ struct buf allow = BUF_MAX(256);

	(void)state;
	ASSERT_INT(route_find("DELETE", "/orders/1", &r, &parts, &allow), ROUTE_FOUND);
	for (size_t i = 0; i < 8; i++) {
		static const unsigned yes[] = { 204, 400, 401, 403, 404, 412, 428, 503 };

		ASSERT_TRUE(route_answers(r, yes[i]));
	}
	ASSERT_FALSE(route_answers(r, 200));
	ASSERT_FALSE(route_answers(r, 422));
}

static const char *header(const struct http_answer *a, const char *name)
{
	for (size_t i = 0; i < a->headers_n; i++)
		if (streq(a->headers[i].name, name))
			return a->headers[i].value;
	return NULL;
}

static void an_error_becomes_a_document_with_its_field(void **state)
{
	_cleanup_http_answer_ struct http_answer a = { 0 };
	_cleanup_err_ struct err e = ERR_INIT;

	(void)state;
	err_set_field(&e, ERR_INVALID, "/names/0", "'%s' is no name", "a b");
	err_wrap(&e, "could not make the order");
	problem_answer(&a, &e, "REQ", 0);
	ASSERT_INT(a.status, 400);
	ASSERT_STR(header(&a, "Content-Type"), "application/problem+json");
	ASSERT_STR(header(&a, "X-Request-Id"), "REQ");
	ASSERT_HAS(a.body, "\"type\":\"urn:certwright:error:invalid\"");
	ASSERT_HAS(a.body, "\"detail\":\"could not make the order\"");
	ASSERT_HAS(a.body, "\"errors\":[{\"pointer\":\"/names/0\",\"detail\":\"'a b' is no name\"}]");
	ASSERT_HAS(a.body, "\"instance\":\"REQ\"");
}

static void inner_details_stay_in_the_log(void **state)
{
	static const enum err_code codes[] = { ERR_INTERNAL, ERR_STORE, ERR_NO_SPACE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		_cleanup_http_answer_ struct http_answer a = { 0 };
		_cleanup_err_ struct err e = ERR_INIT;

		err_set(&e, codes[i], "SELECT of /var/lib/secret failed");
		problem_answer(&a, &e, "REQ", 0);
		ASSERT_INT(a.status, err_http_status(codes[i]));
		ASSERT_TRUE(!strstr(a.body, "secret") && !strstr(a.body, "SELECT") && strstr(a.body, "the server"));
	}
}

static void retry_after_is_in_whole_seconds_and_never_early(void **state)
{
	static const struct {
		int64_t at;
		const char *want;
	} cases[] = { { 1000001, "1" }, { 1001000, "1" }, { 1001001, "2" }, { 1000000, NULL }, { 0, NULL }, { 999999, NULL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_http_answer_ struct http_answer a = { 0 };
		_cleanup_err_ struct err e = ERR_INIT;

		err_set(&e, ERR_TOO_MANY, "slowly");
		e.retry_at_ms = cases[i].at;
		problem_answer(&a, &e, NULL, 1000000);
		ASSERT_STR(header(&a, "Retry-After"), cases[i].want);
	}
}

static void headers_cannot_be_split(void **state)
{
	_cleanup_http_answer_ struct http_answer a = { 0 };

	(void)state;
	http_answer_header(&a, "Location", "/x\r\nSet-Cookie: y=\xc3\xa9");
	ASSERT_STR(a.headers[0].value, "/x__Set-Cookie: y=__");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_path_finds_its_row_and_its_id),	TEST(every_row_is_whole_and_alone),
		TEST(statuses_follow_from_the_row),		TEST(an_error_becomes_a_document_with_its_field),
		TEST(inner_details_stay_in_the_log),		TEST(retry_after_is_in_whole_seconds_and_never_early),
		TEST(headers_cannot_be_split),
	};

	json_init();
	return RUN(tests);
}
