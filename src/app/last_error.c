/* SPDX-License-Identifier: Apache-2.0 */
/* last_error.c - see last_error.h. */
#include "app/last_error.h"

#include "base/clock.h"
#include "base/file.h"

#include <unistd.h>

#define NAME "last-error"

void last_error_keep(const char *state, const char *process, const struct err *why)
{
	_cleanup_free_ char *path = path_join(state, NAME), *text = NULL, *words = err_text(why);
	_cleanup_err_ struct err no = ERR_INIT;
	_cleanup_json_ json_t *doc = NULL;

	doc = json_pack("{s:o, s:s, s:s, s:s, s:o}", "time", json_time_or_null(clock_now(&clock_system)), "process", process, "error", words, "code",
			err_slug(why->code), "hint", json_str_or_null(why->hint));
	text = json_text(doc);
	(void)file_write_atomic(path, text, strlen(text), 0600, &no);
}

void last_error_over(const char *state)
{
	_cleanup_free_ char *path = path_join(state, NAME);

	(void)unlink(path);
}

json_t *last_error_read(const char *state)
{
	_cleanup_free_ char *path = path_join(state, NAME);
	_cleanup_buf_ struct buf text = BUF_MAX(64 * 1024);
	_cleanup_err_ struct err no = ERR_INIT;
	json_t *doc = NULL;

	if (file_read(path, &text, &no) < 0 || json_parse(buf_text(&text), text.n, &doc, &no) < 0)
		return NULL;
	return doc;
}
