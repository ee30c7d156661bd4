/* SPDX-License-Identifier: Apache-2.0 */
/* Where the proxy, its user and its password come from. */
#include "tests/unit/assert.h"

#include "app/proxy.h"
#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/certwright-proxy-XXXXXX";

static void text_file(const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(dir, name);
	struct err err = ERR_INIT;

	ASSERT_OK(file_write_atomic(path, text, strlen(text), 0600, &err), &err);
}

static void the_environment_counts_only_when_it_is_named(void **state UNUSED)
{
	struct config c = { 0 };
	_cleanup_proxy_ struct proxy none = { 0 }, p = { 0 };
	struct err err = ERR_INIT;

	setenv("HTTPS_PROXY", "http://us%40er:p%3Aw%40d@proxy.example:3128/", 1);
	setenv("NO_PROXY", "inside.example", 1);
	ASSERT_OK(proxy_read(&c, &none, &err), &err);
	ASSERT_TRUE(!none.url && !none.user && !none.no_proxy);
	c.net_proxy = xstrdup("environment");
	ASSERT_OK(proxy_read(&c, &p, &err), &err);
	ASSERT_STR(p.url, "http://proxy.example:3128");
	ASSERT_STR(p.user, "us@er");
	ASSERT_STR((const char *)p.password.p, "p:w@d");
	ASSERT_STR(p.no_proxy, "inside.example");
	proxy_done(&p);
	/* as other programs read it: lower case wins, and a proxy for http:// only is not ours */
	setenv("https_proxy", "other.example:8080", 1);
	setenv("http_proxy", "http://wrong.example:1", 1);
	c.net_no_proxy = xstrdup("mine.example");
	ASSERT_OK(proxy_read(&c, &p, &err), &err);
	ASSERT_STR(p.url, "http://other.example:8080");
	ASSERT_TRUE(!p.user);
	ASSERT_STR(p.no_proxy, "mine.example");
	free(c.net_proxy);
	free(c.net_no_proxy);
	unsetenv("https_proxy");
	unsetenv("http_proxy");
}

static void a_broken_variable_is_named_without_its_password(void **state UNUSED)
{
	static const char *const rows[] = { "https://u:s3cret@p.example:1", "socks5://u:s3cret@p.example:1", "http://u:s3cret%zz@p.example:1",
					    "http://u:s3cret@p.example:1/path", "http://u:s3cret%0a@p.example:1", "u:s3cret@" };
	struct config c = { .net_proxy = (char *)(uintptr_t)"environment" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_proxy_ struct proxy p = { 0 };

		setenv("HTTPS_PROXY", rows[i], 1);
		ASSERT_TRUE(proxy_read(&c, &p, &err) < 0);
		ASSERT_HAS(err.detail, "HTTPS_PROXY");
		ASSERT_TRUE(!strstr(err.detail, "s3cret"));
		ASSERT_FAILS(-(int)err.code, &err, ERR_INVALID);
	}
	unsetenv("HTTPS_PROXY");
}

static void the_password_comes_from_a_file_or_credential(void **state UNUSED)
{
	_cleanup_free_ char *path = path_join(dir, "password");
	struct config c = { .net_proxy = (char *)(uintptr_t)"http://p.example:1", .net_proxy_user = (char *)(uintptr_t)"u", .net_proxy_password_file = path };
	_cleanup_proxy_ struct proxy p = { 0 };
	struct err err = ERR_INIT;

	text_file("password", "from the file\n");
	text_file("proxy-pw", "from systemd");
	text_file("lines", "one\ntwo\n");
	ASSERT_OK(proxy_read(&c, &p, &err), &err);
	ASSERT_STR((const char *)p.password.p, "from the file");
	proxy_done(&p);
	c.net_proxy_password_file = (char *)(uintptr_t)"proxy-pw";
	unsetenv("CREDENTIALS_DIRECTORY");
	ASSERT_FAILS(proxy_read(&c, &p, &err), &err, ERR_INVALID);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	ASSERT_OK(proxy_read(&c, &p, &err), &err);
	ASSERT_STR((const char *)p.password.p, "from systemd");
	proxy_done(&p);
	c.net_proxy_password_file = (char *)(uintptr_t)"lines";
	ASSERT_FAILS(proxy_read(&c, &p, &err), &err, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_environment_counts_only_when_it_is_named),
		TEST(a_broken_variable_is_named_without_its_password),
		TEST(the_password_comes_from_a_file_or_credential),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = RUN(tests);
	for (const char *const *name = (const char *const[]){ "password", "proxy-pw", "lines", NULL }; *name; name++) {
		_cleanup_free_ char *path = path_join(dir, *name);

		unlink(path);
	}
	rmdir(dir);
	return failed;
}
