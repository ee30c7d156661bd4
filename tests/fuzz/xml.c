/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c - any bytes as the XML of an API's answer: paths and texts keep their bounds, and what was escaped is read back. */
#include "tests/fuzz/fuzz.h"

#include "remote/xml.h"

static int note(void *arg, const char *path, const char *text)
{
	size_t *sum = arg;
	_cleanup_buf_ struct buf doc = BUF_MAX(8 * XML_TEXT);
	_cleanup_err_ struct err err = { 0 };

	HOLDS(path[0] == '/' && path[1] && strlen(text) <= XML_TEXT && utf8_valid(text, strlen(text)));
	if (sum) {
		*sum += 1;
		buf_add_str(&doc, "<a>");
		xml_escape(&doc, text);
		buf_add_str(&doc, "</a>");
		HOLDS(xml_walk(buf_text(&doc), doc.n, note, NULL, &err) == 0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_err_ struct err err = { 0 };
	size_t elements = 0;

	if (xml_walk((const char *)data, n, note, &elements, &err) == 0)
		HOLDS(elements && !err_is(&err));
	else
		HOLDS(err.code == ERR_REMOTE_BAD);
	return 0;
}
