/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - any text as an URL, as a reference, and as what a CA sends for one. */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "net/url.h"

static void check(const struct url *u)
{
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_url_ struct url again = { 0 };

	HOLDS(str_starts(u->path, "/") && *u->host && u->port);
	for (const char *p = u->text; *p; p++)
		HOLDS(*p > ' ' && *p < 0x7f && *p != '\\' && *p != '#');
	HOLDS(u->is_ip || !strpbrk(u->host, "@:/?[]%"));
	HOLDS(url_parse(u->text, true, &again, &err) == 0 && url_same_origin(u, &again) && streq(u->path, again.path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, MIN(n, (size_t)2 * LIMIT_CA_URL)), *pinned = NULL;
	_cleanup_url_ struct url base = { 0 }, u = { 0 }, r = { 0 };
	_cleanup_err_ struct err e0 = ERR_INIT, e1 = ERR_INIT, e2 = ERR_INIT, e3 = ERR_INIT;

	HOLDS(url_parse("https://ca.example:8443/b/c/d?q", false, &base, &e0) == 0);
	if (url_parse(text, true, &u, &e1) == 0) {
		HOLDS(streq(u.text, text));
		check(&u);
	} else {
		HOLDS(e1.code == ERR_INVALID && !u.text);
	}
	if (url_resolve(&base, text, &r, &e2) == 0) {
		check(&r);
		HOLDS(r.https);
	}
	if (url_pin(&base, NULL, text, &pinned, &e3) == 0)
		HOLDS(!strncasecmp(pinned, "https://ca.example:8443", 23) && (!pinned[23] || pinned[23] == '/' || pinned[23] == '?'));
	return 0;
}
