/* SPDX-License-Identifier: Apache-2.0 */
/* field.c - what a row of a field table lets through, what it refuses, and by which pointer. */
#include "base/limits.h"
#include "model/field.h"
#include "tests/unit/assert.h"

static const char *const kinds[] = { "Native", "Master", NULL };
static const struct field table[] = {
	{ .name = "url", .flags = FIELD_URL | FIELD_REQUIRED | FIELD_ENDPOINT, .help = "h" },
	{ .name = "api_key", .flags = FIELD_SECRET | FIELD_REQUIRED, .help = "h", .min = 4 },
	{ .name = "timeout", .flags = FIELD_NUMBER, .help = "h", .standard = "30", .min = 1, .max = 60 },
	{ .name = "kind", .help = "h", .choices = kinds },
	{ .name = "file", .flags = FIELD_LINES, .help = "h" },
	{ .name = "wait", .flags = FIELD_BOOL, .help = "h" },
	{ .name = "server", .flags = FIELD_HOST, .help = "h", .title = "Name server" },
	{ 0 },
};

static void each_row_judges_its_text(void **state)
{
	static const struct { const char *name, *text; enum err_code code; } rows[] = {
		{ "url", "https://dns.example:8081", ERR_NONE }, { "url", "http://10.1.2.3/api", ERR_NONE },
		{ "url", "http://[2001:db8::1]:8081", ERR_NONE }, { "url", "", ERR_INVALID },
		{ "url", "ftp://dns.example", ERR_INVALID },      { "url", "https://", ERR_INVALID },
		{ "url", "https:///x", ERR_INVALID },             { "url", "https://me:pw@dns.example", ERR_INVALID },
		{ "url", "https://dns.example/#a", ERR_INVALID }, { "url", "https://dns.example/a b", ERR_INVALID },
		{ "url", "https://:80/", ERR_INVALID },           { "api_key", "1234", ERR_NONE },
		{ "api_key", "123", ERR_INVALID },                { "api_key", "", ERR_INVALID },
		{ "api_key", "a\nb\nc", ERR_INVALID },            { "timeout", "1", ERR_NONE },
		{ "timeout", "60", ERR_NONE },                    { "timeout", "0", ERR_INVALID },
		{ "timeout", "61", ERR_INVALID },                 { "timeout", "ten", ERR_INVALID },
		{ "timeout", "", ERR_NONE },                      { "kind", "Master", ERR_NONE },
		{ "kind", "master", ERR_INVALID },                { "file", "a\r\nb\tc\n", ERR_NONE },
		{ "file", "a\033[31m", ERR_INVALID },             { "file", "\xff", ERR_INVALID },
		{ "wait", "true", ERR_NONE },                     { "wait", "yes", ERR_INVALID },
		{ "server", "ns1.example:53", ERR_NONE },         { "server", "[::1]:53", ERR_NONE },
		{ "server", "ns1.example;ls", ERR_INVALID },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *pointer = xasprintf("/fields/%s", rows[i].name);
		_cleanup_err_ struct err err = { 0 };

		if (rows[i].code == ERR_NONE) {
			ASSERT_OK(field_check(field_find(table, rows[i].name), rows[i].text, strlen(rows[i].text), &err), &err);
			continue;
		}
		ASSERT_INT(field_check(field_find(table, rows[i].name), rows[i].text, strlen(rows[i].text), &err), -(int)rows[i].code);
		ASSERT_STR(err.field, pointer);
	}
}

static void a_text_is_bounded_and_a_refused_secret_is_not_repeated(void **state)
{
	_cleanup_free_ char *text = xmalloc(LIMIT_TEXT + 2);
	struct err err = { 0 };

	memset(text, 'x', LIMIT_TEXT + 1);
	text[LIMIT_TEXT + 1] = 0;
	ASSERT_OK(field_check(field_find(table, "api_key"), text, LIMIT_TEXT, &err), &err);
	ASSERT_INT(field_check(field_find(table, "api_key"), text, LIMIT_TEXT + 1, &err), -ERR_TOO_LARGE);
	ASSERT_TRUE(!strstr(err.detail, "xxx"));
	err_clear(&err);
}

static void values_are_read_by_name_and_labels_made_from_it(void **state)
{
	struct secret s = secret_from("k");
	struct field_value v[] = { { .name = "url", .text = "https://a" }, { .name = "api_key", .secret = &s }, { .name = "timeout", .text = "12" },
				   { .name = "wait", .text = "true" } };
	_cleanup_free_ char *made = field_label(field_find(table, "api_key")), *given = field_label(field_find(table, "server"));

	ASSERT_INT(field_count(table), 7);
	ASSERT_STR(field_text(v, ARRAY_SIZE(v), "url"), "https://a");
	ASSERT_TRUE(field_secret(v, ARRAY_SIZE(v), "api_key") == &s);
	ASSERT_INT(field_number(v, ARRAY_SIZE(v), "timeout"), 12);
	ASSERT_TRUE(field_bool(v, ARRAY_SIZE(v), "wait"));
	ASSERT_FALSE(field_bool(v, ARRAY_SIZE(v), "none"));
	ASSERT_TRUE(!field_text(v, ARRAY_SIZE(v), "none"));
	ASSERT_STR(made, "Api key");
	ASSERT_STR(given, "Name server");
	secret_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_row_judges_its_text),
		TEST(a_text_is_bounded_and_a_refused_secret_is_not_repeated),
		TEST(values_are_read_by_name_and_labels_made_from_it),
	};

	return RUN(tests);
}
