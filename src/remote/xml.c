/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c - see xml.h. One pass, a path that grows and shrinks; no tree and no recursion. */
#include "remote/xml.h"

#define PATH_MAX_ 1024

struct walk {
	const char *p, *end, *start;
	char path[PATH_MAX_];
	size_t path_n;
	size_t depth;
	bool leaf;          /* no element inside the open one so far */
	bool root_seen;
	struct buf text;
	const char *wrong;
};

static bool bad(struct walk *w, const char *what)
{
	if (!w->wrong)
		w->wrong = what;
	return false;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ':';
}

static bool space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct walk *w)
{
	while (w->p < w->end && space(*w->p))
		w->p++;
}

static bool starts(const struct walk *w, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(w->end - w->p) >= n && !memcmp(w->p, s, n);
}

/* Moves behind the next s. */
static bool skip_past(struct walk *w, const char *s)
{
	const char *at = memmem(w->p, (size_t)(w->end - w->p), s, strlen(s));

	if (!at)
		return bad(w, "something is not closed");
	w->p = at + strlen(s);
	return true;
}

static struct str name(struct walk *w)
{
	struct str s = { w->p, 0 };
	const char *colon;

	while (w->p < w->end && name_char(*w->p))
		w->p++;
	s.n = (size_t)(w->p - s.p);
	colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	if (colon) {
		s.n -= (size_t)(colon + 1 - s.p);
		s.p = colon + 1;
	}
	return s;
}

static void add_utf8(struct buf *b, unsigned long c)
{
	if (c < 0x80) {
		buf_add_char(b, (char)c);
	} else if (c < 0x800) {
		buf_add_char(b, (char)(0xc0 | c >> 6));
		buf_add_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_char(b, (char)(0xe0 | c >> 12));
		buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_add_char(b, (char)(0xf0 | c >> 18));
		buf_add_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

static int digit(char c, unsigned base)
{
	int v = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : 99;

	return v < (int)base ? v : -1;
}

/* "#38" or "#x26" between & and ; */
static bool number(struct walk *w, struct str s)
{
	unsigned base = s.n > 1 && s.p[1] == 'x' ? 16 : 10;
	unsigned long c = 0;
	size_t i = base == 16 ? 2 : 1;

	if (i >= s.n || s.n > 10)
		return bad(w, "a character reference that is none");
	for (; i < s.n; i++) {
		int d = digit(s.p[i], base);

		if (d < 0)
			return bad(w, "a character reference that is none");
		c = c * base + (unsigned)d;
	}
	if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return bad(w, "a character reference to what is no character");
	add_utf8(&w->text, c);
	return true;
}

static bool reference(struct walk *w)
{
	static const struct { const char *name; char c; } known[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' } };
	const char *semi = memchr(w->p, ';', MIN((size_t)(w->end - w->p), 12));
	struct str s = { w->p + 1, semi ? (size_t)(semi - w->p - 1) : 0 };

	if (!s.n)
		return bad(w, "an & that begins nothing");
	w->p = semi + 1;
	if (s.p[0] == '#')
		return number(w, s);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_is(s, known[i].name)) {
			buf_add_char(&w->text, known[i].c);
			return true;
		}
	return bad(w, "an entity of its own");
}

static bool attributes(struct walk *w, bool *ret_empty)
{
	while (true) {
		char quote;

		skip_space(w);
		if (starts(w, "/>") || starts(w, ">")) {
			*ret_empty = *w->p == '/';
			w->p += *ret_empty ? 2 : 1;
			return true;
		}
		if (!name(w).n)
			return bad(w, "a tag that is none");
		skip_space(w);
		if (w->p >= w->end || *w->p != '=')
			return bad(w, "an attribute without a value");
		w->p++;
		skip_space(w);
		if (w->p >= w->end || (*w->p != '"' && *w->p != '\''))
			return bad(w, "an attribute without quotes");
		quote = *w->p++;
		w->p = memchr(w->p, quote, (size_t)(w->end - w->p));
		if (!w->p) {
			w->p = w->end;
			return bad(w, "an attribute that is not closed");
		}
		w->p++;
	}
}

static int close_element(struct walk *w, xml_fn *fn, void *arg)
{
	char *slash;
	int r = fn(arg, w->path, w->leaf ? buf_text(&w->text) : "");

	slash = strrchr(w->path, '/');
	assert(slash);
	w->path_n = (size_t)(slash - w->path);
	*slash = 0;
	w->depth--;
	w->leaf = false;
	buf_reset(&w->text);
	return r;
}

static bool open_tag(struct walk *w, bool *ret_empty)
{
	struct str s;

	w->p++;
	s = name(w);
	if (!s.n)
		return bad(w, "a tag that is none");
	if (!w->depth && w->root_seen)
		return bad(w, "a second root");
	if (w->depth >= XML_DEPTH || w->path_n + 1 + s.n >= sizeof w->path)
		return bad(w, "too deep");
	w->root_seen = true;
	w->path[w->path_n++] = '/';
	memcpy(w->path + w->path_n, s.p, s.n);
	w->path_n += s.n;
	w->path[w->path_n] = 0;
	w->depth++;
	w->leaf = true;
	buf_reset(&w->text);
	return attributes(w, ret_empty);
}

static bool close_tag(struct walk *w)
{
	struct str s;

	w->p += 2;
	s = name(w);
	skip_space(w);
	if (!w->depth || w->p >= w->end || *w->p != '>' || !str_is(s, strrchr(w->path, '/') + 1))
		return bad(w, "a closing tag that closes nothing");
	w->p++;
	return true;
}

static bool cdata(struct walk *w)
{
	const char *from = w->p + 9;

	if (!w->depth || !skip_past(w, "]]>"))
		return bad(w, "text outside of elements");
	buf_add(&w->text, from, (size_t)(w->p - 3 - from));
	return true;
}

static bool characters(struct walk *w)
{
	if (*w->p == '&')
		return w->depth ? reference(w) : bad(w, "text outside of elements");
	if (!w->depth && !space(*w->p))
		return bad(w, "text outside of elements");
	if ((unsigned char)*w->p < 0x20 && !space(*w->p))
		return bad(w, "a control character");
	buf_add_char(&w->text, *w->p++);
	return true;
}

/* One piece; *ret is what fn returned. */
static bool step(struct walk *w, xml_fn *fn, void *arg, int *ret)
{
	bool empty = false;

	if (*w->p != '<')
		return characters(w);
	if (starts(w, "</")) {
		if (!close_tag(w))
			return false;
		*ret = close_element(w, fn, arg);
		return true;
	}
	if (starts(w, "<!--")) {
		w->p += 4;
		return skip_past(w, "-->");
	}
	if (starts(w, "<![CDATA["))
		return cdata(w);
	if (starts(w, "<!"))
		return bad(w, "a document type, which is not read");
	if (starts(w, "<?"))
		return bad(w, "a processing instruction, which is not read");
	if (!open_tag(w, &empty))
		return false;
	if (empty)
		*ret = close_element(w, fn, arg);
	return true;
}

int xml_walk(const char *p, size_t n, xml_fn *fn, void *arg, struct err *err)
{
	struct walk w = { .p = p, .end = p + n, .start = p, .text = BUF_MAX(XML_TEXT) };
	int r = 0;

	if (!utf8_valid(p, n) || memchr(p, 0, n))
		return err_set(err, ERR_REMOTE_BAD, "not XML in UTF-8");
	if (starts(&w, "\xef\xbb\xbf"))
		w.p += 3;
	if (starts(&w, "<?xml ") && !skip_past(&w, "?>"))
		w.p = w.end;
	while (r == 0 && !w.wrong && w.p < w.end && step(&w, fn, arg, &r))
		if (w.text.failed)
			bad(&w, "text that is too long");
	if (!w.wrong && r == 0 && (w.depth || !w.root_seen))
		bad(&w, "the end in the middle");
	buf_done(&w.text);
	if (w.wrong)
		return err_set(err, ERR_REMOTE_BAD, "not the XML that was expected: %s at byte %zu", w.wrong, (size_t)(w.p - w.start));
	return r;
}

void xml_escape(struct buf *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&':
			buf_add_str(out, "&amp;");
			break;
		case '<':
			buf_add_str(out, "&lt;");
			break;
		case '>':
			buf_add_str(out, "&gt;");
			break;
		case '"':
			buf_add_str(out, "&quot;");
			break;
		case '\'':
			buf_add_str(out, "&apos;");
			break;
		default:
			buf_add_char(out, (unsigned char)*s < 0x20 && !space(*s) ? '?' : *s);
			break;
		}
}
