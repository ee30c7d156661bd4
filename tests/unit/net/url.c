/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/limits.h"
#include "net/url.h"

static void usable_urls_are_taken_apart_and_kept_as_they_are(void **state UNUSED)
{
	static const struct {
		const char *text, *host, *path;
		unsigned port;
		bool ip;
	} rows[] = {
		{ "https://acme-v02.api.letsencrypt.org/directory", "acme-v02.api.letsencrypt.org", "/directory", 443, false },
		{ "HTTPS://CA.Example:8443/A?b=C&d", "ca.example", "/A?b=C&d", 8443, false },
		{ "https://ca.example", "ca.example", "/", 443, false },
		{ "https://ca.example?action=renew", "ca.example", "/?action=renew", 443, false },
		{ "https://192.0.2.1:14000/dir", "192.0.2.1", "/dir", 14000, true },
		{ "https://[2001:DB8::1]:14000/dir", "2001:db8::1", "/dir", 14000, true },
		{ "https://a_b.example/x/../y//z", "a_b.example", "/x/../y//z", 443, false },
		{ "https://xn--bcher-kva.example/%2e%2e/", "xn--bcher-kva.example", "/%2e%2e/", 443, false },
		{ "https://localhost/", "localhost", "/", 443, false },
		{ "https://ca.example:65535/", "ca.example", "/", 65535, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_url_ struct url u = { 0 };
		struct err err = ERR_INIT;

		ASSERT_OK(url_parse(rows[i].text, false, &u, &err), &err);
		ASSERT_STR(u.text, rows[i].text);
		ASSERT_STR(u.host, rows[i].host);
		ASSERT_STR(u.path, rows[i].path);
		ASSERT_INT(u.port, rows[i].port);
		ASSERT_INT(u.is_ip, rows[i].ip);
	}
}

static void what_programs_read_differently_is_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"", "https:", "https:/", "https://", "https:///x", "ca.example", "//ca.example/", "ftp://ca.example/", "file:///etc/passwd",
		"javascript:alert(1)", "data:text/html,x", "gopher://ca.example/", "http://ca.example/", "https://ca.example:0/",
		"https://ca.example:65536/", "https://ca.example:/", "https://ca.example:44x/", "https://ca.example:999999/",
		"https://user@ca.example/", "https://user:pw@ca.example/", "https://ca.example@evil.example/", "https://ca.example\\@evil/",
		"https://ca.example/#x", "https://ca.example/a b", "https://ca.example/\r\nX: y", "https://ca.example/\x01",
		"https://ca.example/\xc3\xa4", ("https://b\xc3\xbc" "cher.example/"), "https://ca..example/", "https://.ca.example/",
		"https://ca.example./", "https://127.0.0.1./", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/",
		"https://127.1/", "https://0177.0.0.1/", "https://127.0.0.01/", "https://127.0.0.256/", "https://1.2.3.4.5/",
		"https://a.1/", "https://a.0x1/", "https://[::1/", "https://[::1]x/", "https://[127.0.0.1]/", "https://[fe80::1%25eth0]/",
		"https://::1/", "https://[]/", "https://[v1.x]/", "https://ca%2eexample/", "https://ca.exam\tple/", "https://ca.example\"/",
		"https://ca.example/<x>", "https://*.example/", "https://ca,example/", "https://ca.example;x/", " https://ca.example/",
		"https://ca.example/\n", "https://ca!example/", "https://-/\x7f",
		"https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct url u = { 0 };
		struct err err = ERR_INIT;

		if (url_parse(bad[i], false, &u, &err) >= 0)
			print_error("accepted: %s\n", bad[i]);
		ASSERT_INT(err.code, ERR_INVALID);
		assert_null(u.text);
		err_clear(&err);
	}
}

static void the_length_has_a_limit(void **state UNUSED)
{
	for (int d = -1; d <= 1; d++) {
		_cleanup_url_ struct url u = { 0 };
		struct err err = ERR_INIT;
		size_t n = (size_t)(LIMIT_CA_URL + d);
		_cleanup_free_ char *text = xmalloc(n + 1);

		memset(text, 'a', n);
		memcpy(text, "https://ca.example/", 19);
		text[n] = '\0';
		if (d <= 0)
			ASSERT_OK(url_parse(text, false, &u, &err), &err);
		else
			ASSERT_FAILS(url_parse(text, false, &u, &err), &err, ERR_INVALID);
	}
}

static void references_are_resolved_as_rfc_3986_says(void **state UNUSED)
{
	static const struct {
		const char *ref, *result;
	} rows[] = {
		{ "https://other.example/x", "https://other.example/x" },
		{ "//other.example/x", "https://other.example/x" },
		{ "/acme/7", "https://ca.example:8443/acme/7" },
		{ "7", "https://ca.example:8443/b/c/7" },
		{ "./7", "https://ca.example:8443/b/c/7" },
		{ "../7", "https://ca.example:8443/b/7" },
		{ "../../../7", "https://ca.example:8443/7" },
		{ "7/../8", "https://ca.example:8443/b/c/8" },
		{ "..", "https://ca.example:8443/b/" },
		{ ".", "https://ca.example:8443/b/c/" },
		{ "?y=1", "https://ca.example:8443/b/c/d?y=1" },
		{ "", "https://ca.example:8443/b/c/d?q" },
		{ "7?x=/../", "https://ca.example:8443/b/c/7?x=/../" },
		{ "a:b", NULL },
		{ "http://ca.example:8443/x", NULL },
		{ "javascript:x", NULL },
		{ "/a\\b", NULL },
		{ "//u@evil/", NULL },
	};
	_cleanup_url_ struct url base = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(url_parse("https://ca.example:8443/b/c/d?q", false, &base, &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_url_ struct url u = { 0 };

		if (rows[i].result) {
			ASSERT_OK(url_resolve(&base, rows[i].ref, &u, &err), &err);
			ASSERT_STR(u.text, rows[i].result);
		} else {
			ASSERT_FAILS(url_resolve(&base, rows[i].ref, &u, &err), &err, ERR_INVALID);
		}
	}
}

static void only_the_same_host_and_port_pass_the_pin(void **state UNUSED)
{
	static const struct {
		const char *ref;
		bool ok;
	} rows[] = {
		{ "https://ca.example/x", true },	  { "https://CA.EXAMPLE/x", true },	    { "https://ca.example:443/x", true },
		{ "/x", true },				  { "https://ca.example:444/x", false },    { "https://ca.example.evil/x", false },
		{ "https://evil-ca.example/x", false },	  { "http://ca.example/x", false },	    { "https://127.0.0.1/x", false },
		{ "https://169.254.169.254/", false },	  { "//evil.example/x", false },	    { "https://[::ffff:10.0.0.1]/", false },
		{ "file:///etc/passwd", false },	  { "https://ca.example@evil.example/", false },
		{ "https://second.example/x", true },	  { "https://second.example:8443/x", false }, { "https://third.example:8443/x", true },
		{ "https://third.example/x", false },	  { "http://second.example/x", false },
	};
	_cleanup_strlist_ struct strlist also = { 0 };
	_cleanup_url_ struct url base = { 0 };
	struct err err = ERR_INIT;

	strlist_add(&also, "Second.example");
	strlist_add(&also, "third.example:8443");
	ASSERT_OK(url_parse("https://ca.example/directory", false, &base, &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *url = NULL;

		if (rows[i].ok)
			ASSERT_OK(url_pin(&base, &also, rows[i].ref, &url, &err), &err);
		else
			ASSERT_FAILS(url_pin(&base, &also, rows[i].ref, &url, &err), &err, ERR_REMOTE_BAD);
	}
}

static void escaping_leaves_only_the_unreserved(void **state UNUSED)
{
	_cleanup_buf_ struct buf b = BUF_MAX(100);

	url_escape(&b, "aZ9-._~ /?&%\xff", 13);
	ASSERT_STR(buf_text(&b), "aZ9-._~%20%2F%3F%26%25%FF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(usable_urls_are_taken_apart_and_kept_as_they_are),
		TEST(what_programs_read_differently_is_refused),
		TEST(the_length_has_a_limit),
		TEST(references_are_resolved_as_rfc_3986_says),
		TEST(only_the_same_host_and_port_pass_the_pin),
		TEST(escaping_leaves_only_the_unreserved),
	};

	return RUN(tests);
}
