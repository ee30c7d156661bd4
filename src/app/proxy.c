/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c - see proxy.h. */
#include "app/proxy.h"

#include "base/file.h"

#include <stdlib.h>

#define PASSWORD_MAX 1024

static int password(const char *path, struct secret *ret, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_free_ char *credential = NULL;

	if (!strchr(path, '/')) {
		if (str_empty(dir))
			return err_set(err, ERR_INVALID, "there is no credentials directory to find net.proxy_password_file '%s' in", path);
		path = credential = path_join(dir, path);
	}
	if (file_read_secret(path, PASSWORD_MAX, ret, err) < 0)
		return err_wrap(err, "could not read net.proxy_password_file");
	if (!ret->n || memchr(ret->p, '\n', ret->n) || memchr(ret->p, '\0', ret->n))
		return err_set(err, ERR_INVALID, "net.proxy_password_file '%s' does not hold one line of text", path);
	return 0;
}

static const char *variable(const char *lower, const char *upper, const char **ret_name)
{
	const char *s = getenv(lower);

	*ret_name = str_empty(s) ? upper : lower;
	return str_empty(s) ? getenv(upper) : s;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decoded in place; false for a broken escape or a control character. */
static bool unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '%') {
			int high = hex(s[1]), low = high < 0 ? -1 : hex(s[2]);

			if (low < 0)
				return false;
			*to = (char)(high * 16 + low);
			s += 2;
		} else {
			*to = *s;
		}
		if ((unsigned char)*to++ < ' ')
			return false;
	}
	*to = '\0';
	return true;
}

/* "[http://][user[:password]@]host:port[/]". The value is in no error: it may hold the password. */
static int from_url(const char *name, const char *value, struct proxy *ret, struct err *err)
{
	const char *rest = str_starts(value, "http://") ? value + strlen("http://") : value, *at = strrchr(rest, '@'), *host = at ? at + 1 : rest;
	_cleanup_free_ char *user = at ? xstrndup(rest, (size_t)(at - rest)) : NULL;
	size_t n = strcspn(host, "/");
	char *colon;

	if (strstr(rest, "://") || !n || (host[n] && !streq(host + n, "/")))
		return err_set(err, ERR_INVALID, "the proxy in %s is not http://HOST:PORT", name);
	ret->url = xasprintf("http://%.*s", (int)n, host);
	if (!user)
		return 0;
	colon = strchr(user, ':');
	if (colon)
		*colon++ = '\0';
	if (!unescape(user) || (colon && !unescape(colon))) {
		explicit_bzero(user, strlen(user));
		return err_set(err, ERR_INVALID, "user or password in %s is not percent-encoded", name);
	}
	ret->user = xstrdup(user);
	ret->password = secret_from(colon ? colon : "");
	if (colon)
		explicit_bzero(colon, strlen(colon));
	return 0;
}

static int from_environment(struct proxy *ret, struct err *err)
{
	const char *name, *no_name, *url = variable("https_proxy", "HTTPS_PROXY", &name), *none;

	if (str_empty(url))
		url = variable("all_proxy", "ALL_PROXY", &name);
	none = variable("no_proxy", "NO_PROXY", &no_name);
	ret->no_proxy = xstrdup_null(none);
	return str_empty(url) ? 0 : from_url(name, url, ret, err);
}

int proxy_read(const struct config *c, struct proxy *ret, struct err *err)
{
	_cleanup_proxy_ struct proxy p = { 0 };

	if (c->net_proxy && streq(c->net_proxy, "environment")) {
		if (from_environment(&p, err) < 0)
			return -(int)err->code;
		if (c->net_no_proxy)
			replace_str(&p.no_proxy, c->net_no_proxy);
	} else {
		p.url = xstrdup_null(c->net_proxy);
		p.user = xstrdup_null(c->net_proxy_user);
		p.no_proxy = xstrdup_null(c->net_no_proxy);
		if (c->net_proxy_password_file && password(c->net_proxy_password_file, &p.password, err) < 0)
			return -(int)err->code;
	}
	*ret = TAKE(p);
	return 0;
}

void proxy_done(struct proxy *p)
{
	free(p->url);
	free(p->user);
	free(p->no_proxy);
	secret_clear(&p->password);
	memset(p, 0, sizeof *p);
}
