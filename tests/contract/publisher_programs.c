/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher_programs.c - exec and acmesh against a scripted runner: what is called with which arguments and environment, what each
 * end of a program means, and that no credential comes back in an error.
 */
#include "publish/acmesh.h"
#include "publish/program.h"
#include "tests/unit/assert.h"

#define SECRET "s3cret-Token-0123456789"
#define VALUE "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
#define OTHER "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

static struct {
	unsigned runs;
	struct strlist calls; /* "name: arg arg | NAME=value …" */
	int status;           /* of runs that do something */
	const char *out, *info;
	enum err_code fails;
	int64_t takes_ms;
	struct clock clock;
	struct publish_env env;
} w;

static const char *env_of(const struct program_request *q, const char *name)
{
	size_t n = strlen(name);

	for (const char *const *e = q->env; e && *e; e++)
		if (!strncmp(*e, name, n) && (*e)[n] == '=')
			return *e + n + 1;
	return "";
}

static int runner(void *arg, const struct program_request *q, struct program_result *ret, struct err *err)
{
	struct buf b = BUF_MAX(8192);
	bool info = streq(env_of(q, "CW_ACT"), "info");

	w.runs++;
	ASSERT_TRUE(q->timeout_ms > 0 && q->timeout_ms <= 60 * SECOND_MS && !q->input.n);
	buf_addf(&b, "%s:", q->name);
	for (const char *const *a = q->args; a && *a; a++) {
		ASSERT_FALSE(strstr(*a, SECRET));
		if (!streq(q->name, "acme-sh"))
			buf_addf(&b, " %s", *a);
	}
	if (streq(q->name, "acme-sh"))
		buf_addf(&b, " %s %s %s %s", env_of(q, "CW_HOOK"), env_of(q, "CW_ACT"), env_of(q, "CW_FQDN"), env_of(q, "CW_VALUE"));
	buf_addf(&b, " | %s", env_of(q, "TOKEN"));
	strlist_add(&w.calls, buf_text(&b));
	buf_done(&b);
	w.clock.fake_ms += w.takes_ms;
	if (w.fails)
		return err_set(err, w.fails, "the runner says no");
	ret->status = info ? 0 : w.status;
	if (info ? w.info : w.out)
		buf_add_str(&ret->out, info ? w.info : w.out);
	return 0;
}

static int reset(void **state)
{
	strlist_clear(&w.calls);
	memset(&w, 0, sizeof w);
	w.clock = clock_fake(1795000000000);
	w.env = (struct publish_env){ .clock = &w.clock, .run_program = runner };
	return 0;
}

static void *open_kind(const char *kind, const char *lines)
{
	struct secret s = { (unsigned char *)xstrdup(lines), strlen(lines) };
	struct field_value values[] = {
		{ .name = "program", .text = streq(kind, "exec") ? "dns-hook" : "acme-sh" }, { .name = "hook", .text = "dns_test" },
		{ .name = streq(kind, "exec") ? "environment" : "options", .secret = &s },
	};
	struct err err = { 0 };
	void *self = NULL;

	ASSERT_OK(publisher_kind(kind)->open(&w.env, values, ARRAY_SIZE(values), &self, &err), &err);
	free(s.p);
	return self;
}

static struct challenge_set two(void)
{
	struct challenge_set set = { .kind = VALIDATION_DNS01, .zone = "", .name = "_acme-challenge.example.com", .ttl_s = 60 };

	strlist_add(&set.values, VALUE);
	strlist_add(&set.values, OTHER);
	return set;
}

static void programs_are_called_as_their_world_calls_them(void **state)
{
	static const struct { const char *kind, *add, *remove; } rows[] = {
		{ "exec", "dns-hook: present _acme-challenge.example.com. " VALUE " | " SECRET,
		  "dns-hook: cleanup _acme-challenge.example.com. " OTHER " | " SECRET },
		{ "acmesh", "acme-sh: dns_test add _acme-challenge.example.com " VALUE " | " SECRET,
		  "acme-sh: dns_test rm _acme-challenge.example.com " OTHER " | " SECRET },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct publisher *p = publisher_kind(rows[i].kind);
		_cleanup_challenge_set_ struct challenge_set set = two();
		struct err err = { 0 };
		void *self;

		reset(NULL);
		self = open_kind(rows[i].kind, "# mine\n\nexport TOKEN=\"" SECRET "\"\r\nB = 2\n");
		ASSERT_OK(p->publish(self, &w.env, &set, &err), &err);
		ASSERT_INT(w.calls.n, 2);
		ASSERT_STR(w.calls.v[0], rows[i].add);
		ASSERT_OK(p->withdraw(self, &w.env, &set, &err), &err);
		ASSERT_INT(w.calls.n, 4);
		ASSERT_STR(w.calls.v[3], rows[i].remove);
		p->close(self);
	}
}

static void raw_mode_gets_what_the_value_was_made_of(void **state)
{
	const struct publisher *p = publisher_kind("exec");
	struct field_value values[] = { { .name = "program", .text = "dns-hook" }, { .name = "mode", .text = "RAW" } };
	_cleanup_challenge_set_ struct challenge_set set = { .kind = VALIDATION_DNS01, .zone = "", .name = "_acme-challenge.example.com" };
	_cleanup_challenge_set_ struct challenge_set older = { .kind = VALIDATION_DNS01, .zone = "", .name = "_acme-challenge.example.com" };
	_cleanup_err_ struct err err = { 0 };
	void *self;

	reset(NULL);
	challenge_set_add(&set, VALUE, "token-one.thumb");
	challenge_set_add(&set, OTHER, "token-two.thumb");
	ASSERT_OK(p->open(&w.env, values, ARRAY_SIZE(values), &self, &err), &err);
	ASSERT_OK(p->publish(self, &w.env, &set, &err), &err);
	ASSERT_OK(p->withdraw(self, &w.env, &set, &err), &err);
	ASSERT_INT(w.calls.n, 4);
	ASSERT_STR(w.calls.v[0], "dns-hook: present -- example.com token-one token-one.thumb | ");
	ASSERT_STR(w.calls.v[3], "dns-hook: cleanup -- example.com token-two token-two.thumb | ");
	/* one value of the set is of an earlier release: nothing is called with half of it */
	challenge_set_add(&older, VALUE, "token-one.thumb");
	challenge_set_add(&older, OTHER, NULL);
	ASSERT_INT(p->withdraw(self, &w.env, &older, &err), -(int)ERR_NEEDS_PERSON);
	ASSERT_INT(w.calls.n, 4);
	p->close(self);
}

static void each_end_of_a_program_has_its_meaning(void **state)
{
	static const struct { const char *kind; int status; enum err_code fails, code; const char *says; } rows[] = {
		{ "exec", 1, 0, ERR_REMOTE_BUSY, "status 1" },	 { "exec", 137, 0, ERR_REMOTE_BUSY, "signal 9" },
		{ "exec", 0, ERR_INVALID, ERR_INVALID, "says no" }, { "exec", 0, ERR_BUSY, ERR_BUSY, "says no" },
		{ "exec", 0, ERR_TIMEOUT, ERR_TIMEOUT, "says no" }, { "exec", 92, 0, ERR_REMOTE_BUSY, "status 92" },
		{ "acmesh", 1, 0, ERR_REMOTE_BUSY, "status 1" },	 { "acmesh", 91, 0, ERR_INVALID, "could not be set up" },
		{ "acmesh", 92, 0, ERR_INVALID, "has no hook 'dns_test'" }, { "acmesh", 93, 0, ERR_INVALID, "could not read" },
		{ "acmesh", 94, 0, ERR_INVALID, "without the function" },   { "acmesh", 0, ERR_BUSY, ERR_BUSY, "says no" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct publisher *p = publisher_kind(rows[i].kind);
		_cleanup_challenge_set_ struct challenge_set set = two();
		_cleanup_err_ struct err err = { 0 };
		_cleanup_free_ char *text = NULL;
		void *self;

		reset(NULL);
		self = open_kind(rows[i].kind, "TOKEN=" SECRET "\n");
		w.status = rows[i].status;
		w.fails = rows[i].fails;
		w.out = "\033[31mcannot log in with " SECRET "\n" SECRET SECRET " at once";
		ASSERT_INT(p->publish(self, &w.env, &set, &err), -(int)rows[i].code);
		text = err_text(&err);
		ASSERT_HAS(text, rows[i].says);
		ASSERT_HAS(text, "_acme-challenge.example.com");
		ASSERT_FALSE(strstr(text, SECRET) || (err.remote && (strstr(err.remote, SECRET) || strchr(err.remote, '\033'))));
		if (rows[i].code == ERR_REMOTE_BUSY)
			ASSERT_HAS(err.remote, "cannot log in with ***");
		p->close(self);
	}
}

static void a_visit_has_its_time_however_many_values_there_are(void **state)
{
	static const char *const kinds[] = { "exec", "acmesh" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct publisher *p = publisher_kind(kinds[i]);
		_cleanup_challenge_set_ struct challenge_set set = two();
		struct err err = { 0 };
		void *self;

		reset(NULL);
		self = open_kind(kinds[i], "");
		w.takes_ms = 58 * SECOND_MS;
		ASSERT_FAILS(p->publish(self, &w.env, &set, &err), &err, ERR_TIMEOUT);
		ASSERT_INT(w.runs, 1);
		w.env.run_program = NULL;
		ASSERT_FAILS(p->publish(self, &w.env, &set, &err), &err, ERR_BUSY);
		p->close(self);
	}
}

static void names_that_steer_a_program_cannot_be_set(void **state)
{
	static const char *const refused[] = { "PATH=/tmp", "LD_PRELOAD=/tmp/x.so", "IFS=x", "BASH_ENV=/x", "HOME=/", "1A=b", "A-B=c", "=x", "novalue",
					       "A B=c", "CERTWRIGHT_SCRATCH=/", "CW_HOOK=dns_x", "CW_ACT=rm" };
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_free_ char *text = xasprintf("A=1\n%s=" SECRET, refused[i]);
		struct secret s = { (unsigned char *)text, strlen(text) };
		_cleanup_program_env_ struct program_env e = { 0 };

		if (streq(refused[i], "novalue"))
			s.n -= strlen("=" SECRET);
		ASSERT_INT(program_env_parse(&s, &e, &err), -ERR_INVALID);
		ASSERT_HAS(err.detail, "line 2");
		ASSERT_FALSE(strstr(err.detail, SECRET));
		err_clear(&err);
	}
}

static const char pdns_like[] = "Test DNS \033[1mAPI\nSite: test.example\nDocs: somewhere\nOptions:\n TEST_Url API URL. E.g. \"http://x\"\n"
				" TEST_Token API Token\n TEST_Ttl TTL. Default: \"60\".\n TEST_Id Server. Optional.\n bad-name x\nOptionsAlt:\n TEST_Key Key\n"
				"Author: a <a@b>\n NOT_AN_OPTION x\n";

static void what_a_hook_says_about_itself_is_read(void **state)
{
	_cleanup_acmesh_info_ struct acmesh_info i = { 0 };
	struct err err = { 0 };

	reset(NULL);
	w.info = pdns_like;
	ASSERT_OK(acmesh_info_read(&w.env, "acme-sh", "dns_test", &i, &err), &err);
	ASSERT_FALSE(strchr(i.title, '\033'));
	ASSERT_STR(i.site, "test.example");
	ASSERT_INT(i.n, 5);
	ASSERT_STR(i.options[0].name, "TEST_Url");
	ASSERT_FALSE(i.options[0].optional);
	ASSERT_STR(i.options[1].help, "API Token");
	ASSERT_STR(i.options[2].standard, "60");
	ASSERT_TRUE(i.options[2].optional && i.options[3].optional && i.options[4].optional);
}

static void a_description_that_is_not_indented_is_read_and_one_in_json_too(void **state)
{
	_cleanup_acmesh_info_ struct acmesh_info flat = { 0 }, json = { 0 }, broken = { 0 };
	struct err err = { 0 };

	reset(NULL);
	w.info = "Flat API\nOptions:\nFLAT_URL API URL. E.g. \"http://x\"\nFLAT_KEY Key\nIssues: elsewhere\nNOT_AN_OPTION x\n";
	ASSERT_OK(acmesh_info_read(&w.env, "acme-sh", "dns_flat", &flat, &err), &err);
	ASSERT_INT(flat.n, 2);
	ASSERT_STR(flat.options[1].name, "FLAT_KEY");
	w.info = "[\n  {\"name\":\"JSON_Token\",\"usage\":\"Your \\\"token\\\"\\u001b.\",\"required\":\"1\"},\n"
		 "  {\"name\":\"JSON_Base\",\"usage\":\"Defaults to https://api.example\",\"required\":\"0\"},\n"
		 "  {\"name\":\"no option\",\"usage\":\"x\"},\n  {\"usage\":\"x\"}, 7, {\"name\":\"JSON_Bare\"}\n]";
	ASSERT_OK(acmesh_info_read(&w.env, "acme-sh", "dns_json", &json, &err), &err);
	ASSERT_INT(json.n, 3);
	ASSERT_TRUE(!json.title);
	ASSERT_STR(json.options[0].name, "JSON_Token");
	ASSERT_FALSE(json.options[0].optional || strchr(json.options[0].help, '\033'));
	ASSERT_TRUE(json.options[1].optional);
	ASSERT_STR(json.options[2].name, "JSON_Bare");
	ASSERT_FALSE(json.options[2].optional);
	w.info = "[\n  {\"name\":\"JSON_Token\",\"usage\":\"Your token\"},\n]\n"; /* a comma too many: not JSON */
	ASSERT_OK(acmesh_info_read(&w.env, "acme-sh", "dns_json", &broken, &err), &err);
	ASSERT_INT(broken.n, 0);
}

static void what_a_hook_needs_is_asked_before_it_has_any_of_it(void **state)
{
	const struct publisher *p = publisher_kind("acmesh");
	_cleanup_json_ json_t *found = NULL;
	_cleanup_err_ struct err err = { 0 };
	json_t *list;
	void *self;

	reset(NULL);
	w.info = pdns_like;
	self = open_kind("acmesh", "TEST_Token=" SECRET);
	ASSERT_OK(p->options(self, &w.env, &found, &err), &err);
	list = json_object_get(found, "options");
	ASSERT_STR(json_string_value(json_object_get(found, "site")), "test.example");
	ASSERT_INT(json_array_size(list), 5);
	ASSERT_TRUE(json_is_true(json_object_get(json_array_get(list, 0), "required")));
	ASSERT_TRUE(json_is_false(json_object_get(json_array_get(list, 0), "given")));
	ASSERT_TRUE(json_is_true(json_object_get(json_array_get(list, 1), "given")));
	ASSERT_STR(json_string_value(json_object_get(json_array_get(list, 2), "default")), "60");
	w.fails = ERR_BUSY;
	ASSERT_FAILS(p->options(self, &w.env, &found, &err), &err, ERR_BUSY);
	p->close(self);
}

static void a_hook_that_fails_names_what_it_was_not_given(void **state)
{
	const struct publisher *p = publisher_kind("acmesh");
	_cleanup_challenge_set_ struct challenge_set set = two();
	_cleanup_err_ struct err err = { 0 };
	void *self;

	reset(NULL);
	w.info = pdns_like;
	w.status = 1;
	self = open_kind("acmesh", "TEST_Url=http://x\nTOKEN=x");
	ASSERT_INT(p->publish(self, &w.env, &set, &err), -ERR_REMOTE_BUSY);
	ASSERT_HAS(err.hint, "TEST_Token (API Token)");
	p->close(self);
}

static void a_hook_is_a_plain_name(void **state)
{
	static const struct { const char *hook; bool ok; } rows[] = {
		{ "dns_pdns", true }, { "dns_1984hosting", true }, { "dns_", false }, { "pdns", false }, { "dns_../x", false }, { "dns_x;ls", false },
		{ "dns_$(id)", false }, { "dns_X", false }, { "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_INT(acmesh_hook_ok(rows[i].hook), rows[i].ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(programs_are_called_as_their_world_calls_them),
		TEST(raw_mode_gets_what_the_value_was_made_of),
		TEST(each_end_of_a_program_has_its_meaning),
		TEST(a_visit_has_its_time_however_many_values_there_are),
		TEST(names_that_steer_a_program_cannot_be_set),
		TEST(what_a_hook_says_about_itself_is_read),
		TEST(a_description_that_is_not_indented_is_read_and_one_in_json_too),
		TEST(what_a_hook_needs_is_asked_before_it_has_any_of_it),
		TEST(a_hook_that_fails_names_what_it_was_not_given),
		TEST(a_hook_is_a_plain_name),
	};

	return cmocka_run_group_tests(tests, NULL, reset);
}
