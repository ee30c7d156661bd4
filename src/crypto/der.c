/* SPDX-License-Identifier: Apache-2.0 */
/* der.c - see der.h. X.690 8.1 and RFC 7468. */
#include "crypto/der.h"

#include "base/base64.h"

static int broken(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "the DER encoding is broken: %s", why);
}

/* Reads one head at *p; *p moves behind it. */
static int der_head(const unsigned char **p, const unsigned char *end, bool *constructed, size_t *len, struct err *err)
{
	const unsigned char *q = *p;
	size_t n = 0;
	unsigned octets;

	if (q >= end)
		return broken(err, "it ends early");
	*constructed = *q & 0x20;
	if ((*q & 0x1f) == 0x1f) {
		for (octets = 0, q++; q < end && *q & 0x80; q++)
			if (++octets > 3)
				return broken(err, "a tag is too long");
	}
	if (end - q < 2)
		return broken(err, "it ends early");
	q++;
	if (*q < 0x80) {
		n = *q++;
	} else {
		octets = *q++ & 0x7f;
		if (!octets || octets > 4 || end - q < (ptrdiff_t)octets)
			return broken(err, octets ? "a length is out of bounds" : "a length is indefinite");
		if (!*q)
			return broken(err, "a length is not minimal");
		for (; octets; octets--)
			n = n << 8 | *q++;
		if (n < 0x80)
			return broken(err, "a length is not minimal");
	}
	if (n > (size_t)(end - q))
		return broken(err, "an element is longer than what holds it");
	*p = q;
	*len = n;
	return 0;
}

int der_next(const unsigned char **p, const unsigned char *end, struct der_element *ret, struct err *err)
{
	const unsigned char *at = *p;

	if (der_head(&at, end, &ret->constructed, &ret->n, err) < 0)
		return -(int)err->code;
	ret->tag = **p;
	ret->p = at;
	*p = at + ret->n;
	return 0;
}

int der_check(const void *bytes, size_t n, struct err *err)
{
	const unsigned char *p = bytes, *ends[DER_DEPTH + 1];
	unsigned depth = 0;
	bool constructed;
	size_t len;

	ends[0] = p + n;
	if (der_head(&p, ends[0], &constructed, &len, err) < 0)
		return -(int)err->code;
	if (len != (size_t)(ends[0] - p))
		return broken(err, "there are bytes behind its end");
	if (!constructed)
		return broken(err, "it is not a sequence");
	for (;;) {
		while (p == ends[depth]) {
			if (!depth)
				return 0;
			depth--;
		}
		if (der_head(&p, ends[depth], &constructed, &len, err) < 0)
			return -(int)err->code;
		if (!constructed) {
			p += len;
			continue;
		}
		if (depth == DER_DEPTH)
			return broken(err, "it is nested too deeply");
		ends[++depth] = p + len;
	}
}

static struct str next_line(struct str *rest)
{
	const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str line = { rest->p, nl ? (size_t)(nl - rest->p) : rest->n };
	size_t used = nl ? line.n + 1 : line.n;

	rest->p += used;
	rest->n -= used;
	while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	return line;
}

/* "-----BEGIN X-----" with the given word gives X. */
static bool boundary(struct str line, const char *word, struct str *label)
{
	size_t head = 5 + strlen(word) + 1;

	if (line.n <= head + 5 || memcmp(line.p, "-----", 5) || memcmp(line.p + 5, word, head - 6) ||
	    line.p[head - 1] != ' ' || memcmp(line.p + line.n - 5, "-----", 5))
		return false;
	*label = (struct str){ line.p + head, line.n - head - 5 };
	return true;
}

int pem_next(struct str *rest, struct str *ret_label, struct buf *der, struct err *err)
{
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(der->max * 2 + 16);
	struct str line = { NULL, 0 }, label, end;

	buf_reset(der);
	while (rest->n && !line.n)
		line = next_line(rest);
	if (!line.n)
		return 0;
	if (!boundary(line, "BEGIN", &label))
		return err_set(err, ERR_INVALID, "there is text outside of the PEM blocks");
	for (;;) {
		if (!rest->n)
			return err_set(err, ERR_INVALID, "a PEM block has no end line");
		line = next_line(rest);
		if (line.n > 5 && !memcmp(line.p, "-----", 5))
			break;
		if (line.n && memchr(line.p, ':', line.n))
			return err_set(err, ERR_INVALID, "a PEM block has header lines, as encrypted keys have");
		buf_add(&text, line.p, line.n);
	}
	if (!boundary(line, "END", &end) || end.n != label.n || memcmp(end.p, label.p, end.n))
		return err_set(err, ERR_INVALID, "a PEM block ends with another label than it begins with");
	if (buf_check(&text, err) < 0)
		return err_wrap(err, "could not read PEM block");
	if (base64_decode(der, buf_text(&text), text.n, err) < 0)
		return err_wrap(err, "could not read PEM block");
	*ret_label = label;
	return 1;
}

void pem_add(struct buf *out, const char *label, const void *der, size_t n)
{
	const unsigned char *p = der;

	buf_addf(out, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < n; i += 48) {
		base64_encode(out, p + i, MIN(n - i, (size_t)48));
		buf_add_char(out, '\n');
	}
	buf_addf(out, "-----END %s-----\n", label);
}
