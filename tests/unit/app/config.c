/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/app/config.c: precedence, and every problem found in one pass with where it stands. */
#include "tests/unit/assert.h"

#include "app/config.h"
#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

static char dir[] = "/tmp/certwright-config-XXXXXX";

static char *write_file(const char *text, size_t n)
{
	char *path = path_join(dir, "certwright.conf");
	struct err err = ERR_INIT;

	ASSERT_OK(file_write_atomic(path, text, n, 0600, &err), &err);
	return path;
}

static int read_text(const char *text, const char *const *set, struct config *c, struct config_problems *p, struct err *err)
{
	_cleanup_free_ char *path = text ? write_file(text, strlen(text)) : NULL;
	_cleanup_strlist_ struct strlist flags = { 0 };
	struct config_input in = { .file = path, .state = dir, .set = &flags };

	for (; set && *set; set++)
		strlist_add(&flags, *set);
	return config_read(&in, c, p, err);
}

static void defaults_hold_without_a_file(void **state)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_free_ char *store = xasprintf("sqlite:%s/certwright.db", dir), *key = xasprintf("%s/master.key", dir);
	struct err err = ERR_INIT;

	ASSERT_OK(read_text(NULL, NULL, &c, NULL, &err), &err);
	ASSERT_INT(c.api_listen.n, 1);
	ASSERT_STR(c.api_listen.v[0], "127.0.0.1:8443");
	ASSERT_STR(c.store_url, store);
	ASSERT_STR(c.keys_master.v[0], key);
	ASSERT_STR(c.run_user, "certwright");
	ASSERT_INT(c.engine_workers, 32);
	ASSERT_INT(c.dns_listen.n, 2);
}

static void a_flag_beats_the_environment_and_that_the_file(void **state)
{
	static const char file[] = "[log]\nlevel = error\n[dns]\nhostname = FILE.example\nzone = file.example\n[engine]\nworkers = 2\n";
	const char *const set[] = { "dns.hostname=flag.example.", NULL };
	_cleanup_config_ struct config c = { 0 };
	struct err err = ERR_INIT;

	setenv("CERTWRIGHT_DNS_HOSTNAME", "environment.example", 1);
	setenv("CERTWRIGHT_ENGINE_WORKERS", "3", 1);
	setenv("CERTWRIGHT_BUILD", "is no section of ours", 1);
	ASSERT_OK(read_text(file, set, &c, NULL, &err), &err);
	unsetenv("CERTWRIGHT_DNS_HOSTNAME");
	unsetenv("CERTWRIGHT_ENGINE_WORKERS");
	ASSERT_STR(c.dns_hostname, "flag.example");
	ASSERT_STR(c.dns_zone, "file.example");
	ASSERT_INT(c.engine_workers, 3);
	ASSERT_STR(c.log_level, "error");
}

static void an_empty_list_means_not_offered(void **state)
{
	const char *const set[] = { "dns.listen=", "http01.listen=", NULL };
	_cleanup_config_ struct config c = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(read_text(NULL, set, &c, NULL, &err), &err);
	ASSERT_INT(c.dns_listen.n + c.http01_listen.n, 0);
}

static void a_list_goes_on_in_the_next_indented_line(void **state)
{
	_cleanup_config_ struct config c = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(read_text("[dns]\nlisten = 192.0.2.1:53\n  [2001:db8::1]:53\n\t192.0.2.2:53\nhostname=a.example\n", NULL, &c, NULL, &err), &err);
	ASSERT_INT(c.dns_listen.n, 3);
	ASSERT_STR(c.dns_listen.v[1], "[2001:db8::1]:53");
	ASSERT_STR(c.dns_hostname, "a.example");
}

static void every_problem_is_found_with_its_line(void **state)
{
	static const char file[] = "[api]\n"                                     /* 1 */
				   "lisen = 127.0.0.1:1\n"                       /* 2: unknown, near */
				   "listen = 127.0.0.1\n"                        /* 3: no port */
				   "listen = 127.0.0.1:9\n"                      /* 4: twice */
				   "tls_cert = /\n"                              /* 5: alone */
				   "[log\n"                                      /* 6: no ] */
				   "nonsense\n"                                  /* 7 */
				   "[log]\nlevel = loud\n"                       /* 9 */
				   "[store]\nurl = postgresql://u:p@h/d\n"       /* 11 */
				   "[engine]\nworkers = 65\n"                    /* 13 */
				   "[net]\nallow = 10.0.0.0/33\n"                /* 15 */
				   "[dns]\nhostname = *.example\n";              /* 17 */
	static const struct {
		const char *where, *what;
	} want[] = {
		{ ":2", "did you mean 'api.listen'" }, { ":3", "127.0.0.1" }, { ":4", "given twice" },	 { ":5", "belong together" },
		{ ":6", "no ']'" },		       { ":7", "neither" },   { ":9", "is not one of" }, { ":11", "store.password_file" },
		{ ":13", "65" },		       { ":15", "10.0.0.0" }, { ":17", "*.example" },
	};
	_cleanup_config_ struct config c = { 0 };
	_cleanup_config_problems_ struct config_problems p = { 0 };
	struct err err = ERR_INIT;

	ASSERT_FAILS(read_text(file, NULL, &c, &p, &err), &err, ERR_INVALID);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		bool found = false;

		for (size_t j = 0; j < p.n; j++)
			found = found || (str_ends(p.v[j].where, want[i].where) && strstr(p.v[j].text, want[i].what));
		if (!found) {
			for (size_t j = 0; j < p.n; j++)
				print_error("%s: %s\n", p.v[j].where, p.v[j].text);
			print_error("missing: %s %s\n", want[i].where, want[i].what);
			fail();
		}
	}
	ASSERT_INT(p.n, ARRAY_SIZE(want));
}

static void what_cannot_work_later_is_said_now(void **state)
{
	static const struct {
		const char *set, *what; /* NULL: fine */
	} rows[] = {
		{ "api.public_url=https://certs.example.com", NULL },
		{ "api.public_url=https://certs.example.com:8443/", NULL },
		{ "api.public_url=https://192.0.2.1:8443", NULL },
		{ "api.public_url=https://[2001:db8::1]:8443", NULL },
		{ "api.public_url=https://[2001:db8::1]/", NULL },
		{ "api.public_url=http://certs.example.com", "https://HOST" },
		{ "api.public_url=javascript:alert(1)", "https://HOST" },
		{ "api.public_url=https://", "https://HOST" },
		{ "api.public_url=https://u:p@certs.example.com", "https://HOST" },
		{ "api.public_url=https://certs.example.com/path", "https://HOST" },
		{ "api.public_url=https://certs.example.com?x", "https://HOST" },
		{ "api.public_url=https://certs.example.com:99999", "port" },
		{ "api.public_url=https://not a host", "character" },
		{ "net.proxy=http://proxy.example:3128", NULL },
		{ "net.proxy=ftp://proxy.example", "http://HOST:PORT" },
		{ "net.proxy=http://u:secret@proxy.example:3128", "no user name" },
		{ "net.trust=/", NULL },
		{ "net.trust=/nonexistent/ca.pem", "No such file" },
		{ "store.password_file=/nonexistent/password", "No such file" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const set[] = { rows[i].set, NULL };
		_cleanup_config_ struct config c = { 0 };
		_cleanup_config_problems_ struct config_problems p = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;
		int rc = read_text(NULL, set, &c, &p, &err);

		if (!rc != !rows[i].what || (rows[i].what && !strstr(p.v[0].text, rows[i].what))) {
			print_error("%s: %s\n", rows[i].set, p.n ? p.v[0].text : "no problem");
			fail();
		}
	}
}

static void an_unknown_flag_and_variable_are_problems(void **state)
{
	const char *const set[] = { "dns.lissten=127.0.0.1:53", "no equals", "zzz.yyy=1", NULL };
	_cleanup_config_ struct config c = { 0 };
	_cleanup_config_problems_ struct config_problems p = { 0 };
	struct err err = ERR_INIT;

	setenv("CERTWRIGHT_LOG_LEVLE", "debug", 1);
	ASSERT_FAILS(read_text(NULL, set, &c, &p, &err), &err, ERR_INVALID);
	unsetenv("CERTWRIGHT_LOG_LEVLE");
	ASSERT_INT(p.n, 4);
	ASSERT_STR(p.v[0].where, "environment CERTWRIGHT_LOG_LEVLE");
	ASSERT_HAS(p.v[0].text, "log.level");
	ASSERT_HAS(p.v[1].text, "dns.listen");
}

static void a_long_line_is_refused_and_not_cut(void **state)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_config_problems_ struct config_problems p = { 0 };
	_cleanup_free_ char *text = NULL;
	char path[400];
	struct err err = ERR_INIT;

	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	text = xasprintf("[store]\nurl = sqlite:/%s\n[log]\nlevel = info\n", path);
	ASSERT_FAILS(read_text(text, NULL, &c, &p, &err), &err, ERR_INVALID);
	ASSERT_INT(p.n, 1);
	ASSERT_HAS(p.v[0].where, ":2");
	ASSERT_HAS(p.v[0].text, "longer than");
}

static void a_missing_file_is_a_problem(void **state)
{
	struct config_input in = { .file = "/nonexistent/certwright.conf", .state = dir };
	_cleanup_config_ struct config c = { 0 };
	struct err err = ERR_INIT;

	ASSERT_FAILS(config_read(&in, &c, NULL, &err), &err, ERR_INVALID);
}

static void bytes_that_are_no_text_are_a_problem_and_no_crash(void **state)
{
	static const char *const texts[] = { "\xff\xfe=\x80\n", "[\n", "=\n", "[log]\nlevel\n", "[]\nx=1\n", "  leading = 1\n", "[dns]\nzone = \x1b[31m\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_config_ struct config c = { 0 };
		struct err err = ERR_INIT;

		ASSERT_FAILS(read_text(texts[i], NULL, &c, NULL, &err), &err, ERR_INVALID);
	}
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	_cleanup_free_ char *path = path_join(dir, "certwright.conf");

	(void)unlink(path);
	return rmdir(dir);
}

static void a_program_is_named_with_a_safe_path_only(void **state)
{
	static const char file[] = "[programs]\nhook = /bin/sh\nother = /bin/true\n";
	static const char bad[] = "[programs]\nHook = /bin/sh\nrelative = bin/sh\nmissing = /nowhere/x\nfolder = /bin\nhook = /bin/sh\nhook = /bin/sh\n";
	const char *const set[] = { "programs.other=/bin/false", NULL };
	_cleanup_config_ struct config c = { 0 };
	_cleanup_config_problems_ struct config_problems p = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(read_text(file, set, &c, NULL, &err), &err);
	ASSERT_INT(c.programs.n, 2);
	ASSERT_STR(c.programs.v[0], "hook=/bin/sh");
	ASSERT_STR(c.programs.v[1], "other=/bin/false");
	config_done(&c);
	ASSERT_FAILS(read_text(bad, NULL, &c, &p, &err), &err, ERR_INVALID);
	ASSERT_INT(p.n, 5);
	ASSERT_HAS(p.v[0].where, "certwright.conf:2");
	ASSERT_HAS(p.v[0].text, "a name has letters");
	ASSERT_HAS(p.v[1].text, "'bin/sh' is not an absolute path");
	ASSERT_HAS(p.v[2].text, "/nowhere/x");
	ASSERT_HAS(p.v[3].text, "is not a file");
	ASSERT_HAS(p.v[4].text, "given twice");
}

static void a_web_root_is_an_absolute_path_with_a_safe_name(void **state)
{
	static const char file[] = "[webroots]\nshop = /srv/www/shop\n";
	static const char bad[] = "[webroots]\nShop = /srv\nup = /srv/../etc\nall = /\nrelative = srv\n";
	_cleanup_config_ struct config c = { 0 };
	_cleanup_config_problems_ struct config_problems p = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(read_text(file, NULL, &c, NULL, &err), &err);
	ASSERT_INT(c.webroots.n, 1);
	ASSERT_STR(c.webroots.v[0], "shop=/srv/www/shop");
	ASSERT_INT(c.programs.n, 0);
	config_done(&c);
	ASSERT_FAILS(read_text(bad, NULL, &c, &p, &err), &err, ERR_INVALID);
	ASSERT_INT(p.n, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_web_root_is_an_absolute_path_with_a_safe_name),
		TEST(a_program_is_named_with_a_safe_path_only),
		TEST(defaults_hold_without_a_file),
		TEST(a_flag_beats_the_environment_and_that_the_file),
		TEST(an_empty_list_means_not_offered),
		TEST(a_list_goes_on_in_the_next_indented_line),
		TEST(every_problem_is_found_with_its_line),
		TEST(what_cannot_work_later_is_said_now),
		TEST(an_unknown_flag_and_variable_are_problems),
		TEST(a_long_line_is_refused_and_not_cut),
		TEST(a_missing_file_is_a_problem),
		TEST(bytes_that_are_no_text_are_a_problem_and_no_crash),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
