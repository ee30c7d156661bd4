/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c - what the reader hands out, and all that it refuses. */
#include "remote/xml.h"
#include "tests/unit/assert.h"

static int note(void *arg, const char *path, const char *text)
{
	buf_addf(arg, "%s=%s\n", path, text);
	return streq(text, "stop") ? 1 : 0;
}

static void elements_are_told_at_their_end_with_their_text(void **state)
{
	static const struct { const char *xml, *says; } rows[] = {
		{ "<a/>", "/a=\n" },
		{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"https://x/\">\n <b>1</b>\n <b x='>'> 2 </b></a>\n", "/a/b=1\n/a/b= 2 \n/a=\n" },
		{ "<n:a xmlns:n='u'><n:b>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&#x20AC;</n:b></n:a>", "/a/b=<&>\"'AB\xe2\x82\xac\n/a=\n" },
		{ "\xef\xbb\xbf<a><!-- <b>no</b> --><c><![CDATA[<x>&amp;]]>y</c></a>", "/a/c=<x>&amp;y\n/a=\n" },
		{ "<a>\"v=spf1\" -all</a >", "/a=\"v=spf1\" -all\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf got = BUF_MAX(4096);
		struct err err = { 0 };

		ASSERT_OK(xml_walk(rows[i].xml, strlen(rows[i].xml), note, &got, &err), &err);
		ASSERT_STR(buf_text(&got), rows[i].says);
	}
}

static void what_is_not_plain_xml_is_refused_with_its_place(void **state)
{
	static const char *const rows[] = {
		"", " ", "x", "<", "<a", "<a>", "<a/", "</a>", "<a></b>", "<a/><b/>", "<a/>x", "x<a/>", "<a b/>", "<a b=c/>", "<a b='c/>", "<a>&x;</a>",
		"<a>&</a>", "<a>&;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#;</a>", "<a>&#xg;</a>", "<a>&#1234567890123;</a>",
		"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a><?php x?></a>", "<a><![CDATA[x</a>", "<![CDATA[x]]><a/>", "<a><!-- </a>", "<a>\001</a>",
		"<a>\xff</a>", "&amp;<a/>", "<a:/>", "<a><b></a></b>", "<?xml <a/>",
		"<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf got = BUF_MAX(4096);
		struct err err = { 0 };

		if (xml_walk(rows[i], strlen(rows[i]), note, &got, &err) != -ERR_REMOTE_BAD) {
			print_error("%s was read\n", rows[i]);
			fail();
		}
		err_clear(&err);
	}
}

static void a_text_has_its_limit_and_a_walk_can_be_ended(void **state)
{
	for (int over = 0; over < 2; over++) {
		size_t n = XML_TEXT + (size_t)over;
		_cleanup_free_ char *doc = xcalloc(n + 8, 1);
		_cleanup_buf_ struct buf got = BUF_MAX(2 * XML_TEXT);
		struct err err = { 0 };

		memcpy(doc, "<a>", 3);
		memset(doc + 3, 'x', n);
		memcpy(doc + 3 + n, "</a>", 5);
		ASSERT_INT(xml_walk(doc, strlen(doc), note, &got, &err), over ? -ERR_REMOTE_BAD : 0);
		err_clear(&err);
		buf_reset(&got);
		ASSERT_INT(xml_walk("<a><b>stop</b><c/></a>", 22, note, &got, &err), 1);
		ASSERT_STR(buf_text(&got), "/a/b=stop\n");
	}
}

static void what_is_escaped_is_read_back(void **state)
{
	_cleanup_buf_ struct buf doc = BUF_MAX(4096), got = BUF_MAX(4096);
	struct err err = { 0 };

	buf_add_str(&doc, "<a>");
	xml_escape(&doc, "\"a\" <b> & 'c' ]]>\001\xe2\x82\xac");
	buf_add_str(&doc, "</a>");
	ASSERT_OK(xml_walk(buf_text(&doc), doc.n, note, &got, &err), &err);
	ASSERT_STR(buf_text(&got), "/a=\"a\" <b> & 'c' ]]>?\xe2\x82\xac\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(elements_are_told_at_their_end_with_their_text),
		TEST(what_is_not_plain_xml_is_refused_with_its_place),
		TEST(a_text_has_its_limit_and_a_walk_can_be_ended),
		TEST(what_is_escaped_is_read_back),
	};

	return RUN(tests);
}
