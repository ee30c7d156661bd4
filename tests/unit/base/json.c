/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/json.h"

struct request {
	const char *name;
	int64_t days;
	bool must_staple;
	struct strlist names;
};

static const char *const name_choices[] = { "a", "b", NULL };
static const struct json_field fields[] = {
	JF_STR(struct request, name, .required = true, .one_of = name_choices),
	JF_INT(struct request, days, .min = 1, .max = 398),
	JF_BOOL(struct request, must_staple),
	JF_LIST(struct request, names, .max = 2, .item_max = 5),
	{ 0 },
};

static void check(const char *text, enum decode_mode mode, enum err_code want, const char *field)
{
	struct err err = ERR_INIT;
	struct request q = { .days = 90 };
	json_t *doc = NULL;
	int r;

	ASSERT_OK(json_parse(text, strlen(text), &doc, &err), &err);
	r = json_decode(doc, fields, mode, &q, &err);
	if (want == ERR_NONE) {
		ASSERT_OK(r, &err);
	} else {
		ASSERT_STR(err.field, field);
		ASSERT_FAILS(r, &err, want);
	}
	json_decode_free(fields, &q);
	json_decref(doc);
}

static void good_documents_are_decoded(void **state UNUSED)
{
	check("{\"name\":\"a\"}", DECODE_STRICT, ERR_NONE, NULL);
	check("{\"name\":\"b\",\"days\":398,\"must_staple\":true,\"names\":[\"x\",\"y\"]}", DECODE_STRICT, ERR_NONE, NULL);
	check("{\"name\":\"b\",\"other\":1,\"days\":null}", DECODE_LENIENT, ERR_NONE, NULL);
}

static void the_error_names_the_member(void **state UNUSED)
{
	check("{}", DECODE_STRICT, ERR_INVALID, "/name");
	check("{\"name\":\"c\"}", DECODE_STRICT, ERR_INVALID, "/name");
	check("{\"name\":1}", DECODE_STRICT, ERR_INVALID, "/name");
	check("{\"name\":\"a\",\"days\":0}", DECODE_STRICT, ERR_INVALID, "/days");
	check("{\"name\":\"a\",\"days\":399}", DECODE_STRICT, ERR_INVALID, "/days");
	check("{\"name\":\"a\",\"days\":1.5}", DECODE_STRICT, ERR_INVALID, "/days");
	check("{\"name\":\"a\",\"other\":1}", DECODE_STRICT, ERR_INVALID, "/other");
	check("{\"name\":\"a\",\"names\":[\"x\",\"\"]}", DECODE_STRICT, ERR_INVALID, "/names/1");
	check("{\"name\":\"a\",\"names\":[\"x\",\"123456\"]}", DECODE_LENIENT, ERR_INVALID, "/names/1");
	check("{\"name\":\"a\",\"names\":[\"x\",\"y\",\"z\"]}", DECODE_STRICT, ERR_INVALID, "/names");
	check("[]", DECODE_STRICT, ERR_INVALID, "");
}

static void hostile_text_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "", "{", "{\"a\":1,\"a\":2}", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "{\"a\":1e999}",
					   "{\"a\":\"\\u0000\"}", "nul", "[1]x" };
	struct err err = ERR_INIT;
	json_t *doc = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(json_parse(bad[i], strlen(bad[i]), &doc, &err), &err, ERR_INVALID);
}

static void an_error_becomes_json(void **state UNUSED)
{
	struct err err = ERR_INIT;
	char *text;

	err_set(&err, ERR_NETWORK, "could not connect to '%s'", "ca.example");
	err_wrap(&err, "could not register account");
	text = err_to_json_text(&err);
	ASSERT_STR(text, "{\"code\":\"network\",\"title\":\"Remote service not reached\",\"detail\":\"could not register account\","
			 "\"chain\":[\"could not connect to 'ca.example'\"]}");
	free(text);
	err_clear(&err);
}

static void an_error_comes_back_from_json(void **state)
{
	static const char *const none[] = { "null", "{}", "[]", "7", "{\"chain\":[1,null],\"code\":7,\"detail\":[]}", "{\"code\":\"made-up\"}" };
	_cleanup_err_ struct err err = ERR_INIT, back = ERR_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *doc = NULL;

	err_set_field(&err, ERR_REMOTE_REFUSED, "/email", "the CA refused it");
	err_hint(&err, "Look again.");
	err_remote(&err, "urn:x", "no");
	err_wrap(&err, "could not register");
	err_wrap(&err, "could not do the job");
	err.retry_at_ms = 1000;
	doc = err_to_json(&err);
	err_from_json(doc, &back);
	text = err_text(&back);
	ASSERT_STR(text, "could not do the job: could not register: the CA refused it");
	ASSERT_INT(back.code, ERR_REMOTE_REFUSED);
	ASSERT_STR(back.field, "/email");
	ASSERT_STR(back.hint, "Look again.");
	ASSERT_STR(back.remote, "no");
	ASSERT_STR(back.remote_type, "urn:x");
	ASSERT_INT(back.retry_at_ms, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		_cleanup_json_ json_t *odd = json_loads(none[i], JSON_DECODE_ANY, NULL);
		_cleanup_err_ struct err e = ERR_INIT;

		err_from_json(odd, &e);
		ASSERT_INT(e.code, ERR_INTERNAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_documents_are_decoded),
		TEST(the_error_names_the_member),
		TEST(hostile_text_is_refused),
		TEST(an_error_becomes_json),
		TEST(an_error_comes_back_from_json),
	};

	return RUN(tests);
}
