/* SPDX-License-Identifier: Apache-2.0 */
/* site.c - the page: files embedded in the program, index.html with a fresh nonce in every answer (assets.h). */
#include "api/assets.h"
#include "api/internal.h"
#include "api/problem.h"
#include "base/base64.h"
#include "base/random.h"

static void nothing_here(struct http_answer *a, const char *instance)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_NOT_FOUND, "there is no such path");
	problem_answer(a, &err, instance, 0);
	err_clear(&err);
}

static void not_built(struct http_answer *a)
{
	static const char text[] = "The page was not built into this program. Run 'npm ci' and 'npm run build' in ui/, then build again. "
				   "The API is at /api/v1, its description at /api/v1/openapi.yaml.\n";

	a->status = 200;
	a->fixed = text;
	a->n = sizeof text - 1;
	http_answer_header(a, "Content-Type", "text/plain; charset=utf-8");
	http_answer_header(a, "Cache-Control", "no-store");
	answer_security(a, NULL);
}

static void page(const struct ui_asset *asset, const char *instance, struct http_answer *a)
{
	_cleanup_buf_ struct buf nonce = BUF_MAX(64), csp = BUF_MAX(2048), out = BUF_MAX(1024 * 1024);
	unsigned char bytes[18];
	struct err err = ERR_INIT;

	random_bytes(bytes, sizeof bytes);
	base64url_encode(&nonce, bytes, sizeof bytes);
	ui_csp_add(&csp, buf_text(&nonce));
	if (ui_page_render(asset, buf_text(&nonce), &out, &err) < 0) {
		problem_answer(a, &err, instance, 0);
		err_clear(&err);
		return;
	}
	a->status = 200;
	a->n = out.n;
	a->body = buf_take(&out);
	http_answer_header(a, "Content-Type", asset->type);
	http_answer_header(a, "Cache-Control", "no-store");
	answer_security(a, buf_text(&csp));
}

static void file(const struct ui_asset *asset, const struct http_request *rq, struct http_answer *a)
{
	const char *match = http_header(rq, "If-None-Match");
	bool same = match && strstr(match, asset->etag);

	a->status = same ? 304 : 200;
	if (!same) {
		a->fixed = asset->data;
		a->n = asset->size;
		http_answer_header(a, "Content-Type", asset->type);
		if (asset->gzip)
			http_answer_header(a, "Content-Encoding", "gzip");
	}
	http_answer_header(a, "ETag", asset->etag);
	http_answer_header(a, "Cache-Control", asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	answer_security(a, NULL);
}

void site_answer(struct http_request *rq, const char *instance, struct http_answer *a)
{
	const struct ui_asset *asset = ui_asset_find(http_path(rq));

	if (!ui_assets_count && streq(http_path(rq), "/"))
		not_built(a);
	else if (!asset)
		nothing_here(a, instance);
	else if (asset->page)
		page(asset, instance, a);
	else
		file(asset, rq, a);
}
