/* SPDX-License-Identifier: Apache-2.0 */
/* assets.c - see assets.h. */
#include "api/assets.h"

#include <string.h>

#define NONCE_MARK "__CSP_NONCE__"

static const struct ui_asset *find_file(const char *path)
{
	size_t lo = 0, hi = ui_assets_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(path, ui_assets[mid].path);

		if (!c)
			return &ui_assets[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static bool is_below(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(path, prefix, n) && (path[n] == '\0' || path[n] == '/');
}

const struct ui_asset *ui_asset_find(const char *path)
{
	static const char *const others[] = { "/api", "/assets", "/healthz", "/readyz", "/metrics" };
	const struct ui_asset *a = find_file(path);

	if (a)
		return a;
	if (path[0] != '/' || strchr(strrchr(path, '/'), '.'))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (is_below(path, others[i]))
			return NULL;
	return find_file("/index.html");
}

int ui_page_render(const struct ui_asset *a, const char *nonce, struct buf *out, struct err *err)
{
	const char *p = (const char *)a->data, *end = p + a->size;

	for (;;) {
		const char *mark = memmem(p, (size_t)(end - p), NONCE_MARK, strlen(NONCE_MARK));

		buf_add(out, p, (size_t)((mark ? mark : end) - p));
		if (!mark)
			return buf_check(out, err);
		buf_add_str(out, nonce);
		p = mark + strlen(NONCE_MARK);
	}
}

void ui_csp_add(struct buf *out, const char *nonce)
{
	/* The page makes one Trusted Types policy, "default", which lets style sheets pass and nothing that has a tag. */
	buf_addf(out,
		 "default-src 'none'; script-src 'self' 'nonce-%s'; style-src 'self' 'nonce-%s'; connect-src 'self'; "
		 "img-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
		 "base-uri 'none'; require-trusted-types-for 'script'; trusted-types default",
		 nonce, nonce);
}
