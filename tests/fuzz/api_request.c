/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_request.c - any request to the API: "METHOD /path?query", headers, an empty line, a body. The walls of guard.h, the router,
 * the query by the route's table, the body by its table; and, so that no table waits for the right path, a body behind "#N " is
 * decoded by table N of all. What is refused names no member that is not there, what is taken is within the table's limits.
 */
#include "tests/fuzz/fuzz.h"

#include "api/call.h"
#include "api/guard.h"
#include "api/source.h"
#include "base/limits.h"

static void check_value(const struct json_field *f, const char *s)
{
	const char *at = s + f->offset;

	if (f->kind == JSON_KIND_STR) {
		const char *text = *(const char *const *)(const void *)at;
		bool known = !text || !f->one_of;

		for (size_t i = 0; text && f->one_of && f->one_of[i]; i++)
			known = known || streq(text, f->one_of[i]);
		HOLDS(known && (!text || !f->max || strlen(text) <= (size_t)f->max) && (text || !f->required));
	} else if (f->kind == JSON_KIND_INT && f->required && f->max) {
		int64_t v = *(const int64_t *)(const void *)at;

		HOLDS(v >= f->min && v <= f->max);
	} else if (f->kind == JSON_KIND_LIST) {
		const struct strlist *l = (const void *)at;

		HOLDS(!f->max || l->n <= (size_t)f->max);
	}
}

static void decode(const struct json_field *fields, size_t size, const char *text, size_t n)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_err_ struct err err = ERR_INIT;
	char *s;
	int r;

	if (json_parse(text, n, &doc, &err) < 0) {
		HOLDS(err.code == ERR_INVALID);
		return;
	}
	s = xcalloc(1, size);
	r = json_decode(doc, fields, DECODE_STRICT, s, &err);
	HOLDS((r < 0) == err_is(&err) && (r == 0 || err.code == ERR_INVALID));
	HOLDS(!err.field || !*err.field || *err.field == '/');
	for (const struct json_field *f = fields; r == 0 && f->name; f++)
		check_value(f, s);
	json_decode_free(fields, s);
	free(s);
}

static void query(const struct route *r, const char *q)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_err_ struct err err = ERR_INIT;
	void *s = NULL;

	if (query_decode(r, q, &doc, &s, &err) == 0 && s)
		for (const struct json_field *f = r->query; f->name; f++)
			check_value(f, s);
	HOLDS(!err_is(&err) || err.code == ERR_INVALID);
	if (s)
		json_decode_free(r->query, s);
	free(s);
}

/* As the HTTP library hands it over: ended by NUL, without the blanks around it, and counted. */
static void one_header(struct guard *g, const char *name, size_t name_n, const char *value, size_t value_n)
{
	_cleanup_free_ char *own_name = xmalloc(name_n + 1), *own_value = NULL;

	for (; value_n && (*value == ' ' || *value == '\t'); value_n--)
		value++;
	while (value_n && (value[value_n - 1] == ' ' || value[value_n - 1] == '\t'))
		value_n--;
	own_value = xmalloc(value_n + 1);
	memcpy(own_name, name, name_n);
	memcpy(own_value, value, value_n);
	own_name[name_n] = own_value[value_n] = '\0';
	guard_header(g, own_name, name_n, own_value, value_n);
}

/* The head, line by line; true when the walls let it through. */
static bool head(const char *uri, const char *p, size_t n)
{
	struct guard g = { 0 };
	const char *forwarded[8], *why = NULL;
	size_t n_forwarded = 0;
	union addr peer, client;
	struct source s = { 0 };
	_cleanup_strlist_ struct strlist keep = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	struct strlist trusted = { (char *[]){ (char[]){ "10.0.0.0/8" } }, 1, 1 };
	bool ok;

	while (n) {
		const char *nl = memchr(p, '\n', n), *colon;
		size_t line = nl ? (size_t)(nl - p) : n;

		colon = memchr(p, ':', line);
		one_header(&g, p, colon ? (size_t)(colon - p) : line, colon ? colon + 1 : "", colon ? (size_t)(p + line - colon - 1) : 0);
		if (colon && line > 15 && !strncasecmp(p, "X-Forwarded-For", 15) && n_forwarded < ARRAY_SIZE(forwarded)) {
			strlist_addn(&keep, colon + 1, (size_t)(p + line - colon - 1));
			n_forwarded++;
		}
		p += MIN(line + 1, n);
		n -= MIN(line + 1, n);
	}
	ok = guard_ok(&g, uri, "HTTP/1.1", &why);
	HOLDS(ok || (why && *why));
	for (size_t i = 0; i < n_forwarded; i++)
		forwarded[i] = keep.v[i];
	HOLDS(addr_parse_ip("10.1.2.3", &peer, &err) == 0 && cidr_list_read(&s.trusted, &trusted, "api.trusted_proxies", &err) == 0);
	client = source_client(&s, &peer, forwarded, n_forwarded);
	HOLDS(client.sa.sa_family == AF_INET || client.sa.sa_family == AF_INET6);
	source_clear(&s);
	return ok;
}

static void request(char *text, size_t n)
{
	char *end = memchr(text, '\n', n), *body, *path, *q;
	_cleanup_buf_ struct buf allow = BUF_MAX(256);
	_cleanup_route_parts_ struct route_parts parts = { 0 };
	const struct route *r = NULL;
	size_t head_n;

	if (!end || !(path = memchr(text, ' ', (size_t)(end - text))))
		return;
	*end++ = '\0';
	*path++ = '\0';
	body = memmem(end, n - (size_t)(end - text), "\n\n", 2);
	head_n = body ? (size_t)(body - end) : n - (size_t)(end - text);
	q = strchr(path, '?');
	if (!head(path, end, head_n))
		return;
	if (q)
		*q++ = '\0';
	if (route_find(text, path, &r, &parts, &allow) != ROUTE_FOUND)
		return;
	HOLDS(r && streq(r->method, text) && (!parts.id || !strchr(parts.id, '/')) && (!parts.format || !strchr(parts.format, '/')));
	query(r, q ? q : "");
	if (body && r->body)
		decode(r->body, r->body_size, body + 2, n - (size_t)(body + 2 - text));
}

/* "#N text": the Nth route that has a table for its body. */
static void by_number(const char *text, size_t n)
{
	size_t i = 0, want = 0, at = 1;

	while (at < n && at < 4 && text[at] >= '0' && text[at] <= '9')
		want = want * 10 + (size_t)(text[at++] - '0');
	if (at >= n || text[at++] != ' ')
		return;
	for (const struct route *r = routes; r < routes + routes_count; r++)
		if (r->body && i++ == want)
			decode(r->body, r->body_size, text + at, n - at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_free_ char *text = n ? xmalloc(n + 1) : NULL;

	if (!n)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	if (*text == '#')
		by_number(text, n);
	else
		request(text, n);
	return 0;
}
