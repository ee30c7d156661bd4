/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assets.h - the web page inside the program: files made by `npm run build` in ui/, put there by tools/embed.
 *
 * The table is sorted by path and empty when the page was not built (ui_assets_count is 0): then answer GET / with a
 * sentence that says so. How to answer a GET or HEAD whose path is not one of the API's:
 *
 *	const struct ui_asset *a = ui_asset_find(path);
 *
 *	if (!a)			-> 404
 *	else if (a->page)	-> text of ui_page_render(), with the Content-Security-Policy of ui_csp_add() for the same
 *				   fresh nonce, Cache-Control: no-store, no ETag
 *	else			-> a->data, a->size bytes; ETag: a->etag (quoted already; If-None-Match gives 304);
 *				   Content-Encoding: gzip when a->gzip; Cache-Control: public, max-age=31536000, immutable
 *				   when a->immutable, else no-cache
 *
 * All of them: Content-Type: a->type, X-Content-Type-Options: nosniff, Referrer-Policy: no-referrer,
 * Cross-Origin-Opener-Policy: same-origin, Cross-Origin-Resource-Policy: same-origin.
 */
#ifndef API_ASSETS_H
#define API_ASSETS_H

#include "base/buf.h"

struct ui_asset {
	const char *path; /* "/assets/index-BCq2.js" */
	const char *type; /* the Content-Type, with its charset */
	const char *etag; /* with its quotes */
	const unsigned char *data;
	size_t size;
	bool gzip;      /* data is compressed; clients that do not take gzip get it all the same */
	bool immutable; /* its name has its hash */
	bool page;      /* index.html, with __CSP_NONCE__ where the nonce belongs */
};

extern const struct ui_asset ui_assets[]; /* ends with a NULL path */
extern const size_t ui_assets_count;

/*
 * What to answer for a path (without query): the file of that name; for a page of the application ("/", "/orders/12":
 * no file extension in the last part) index.html; else NULL. Paths below /api/, /healthz, /readyz and /metrics are
 * never pages. path may be anything.
 */
const struct ui_asset *ui_asset_find(const char *path);

/* nonce: base64url, at least 128 bits, fresh for each answer. */
int ui_page_render(const struct ui_asset *a, const char *nonce, struct buf *out, struct err *err);
void ui_csp_add(struct buf *out, const char *nonce);

#endif
