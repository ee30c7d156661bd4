/* SPDX-License-Identifier: Apache-2.0 */
/* name.c - DNS names in wire form (RFC 1035 3.1, 4.1.4), the cursors, types and codes as text; see dns.h. */
#include "dns/dns.h"

#include <stdio.h>
#include <strings.h>

/* ---- text tables ---- */

static const struct {
	const char *text;
	uint16_t number;
} types[] = {
#define X(name, number) { #name, number },
	DNS_TYPES(X)
#undef X
}, rcodes[] = {
#define X(name, number) { #name, number },
	DNS_RCODES(X)
#undef X
};

const char *dns_type_text(uint16_t type, char buf[DNS_TYPE_TEXT])
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].number == type)
			return types[i].text;
	snprintf(buf, DNS_TYPE_TEXT, "TYPE%u", type);
	return buf;
}

bool dns_type_parse(const char *s, uint16_t *ret)
{
	_cleanup_err_ struct err err = ERR_INIT;
	int64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_case_eq(types[i].text, s)) {
			*ret = types[i].number;
			return true;
		}
	}
	if (strncasecmp(s, "TYPE", 4) || str_to_i64(s + 4, 0, 65535, &number, &err) < 0)
		return false;
	*ret = (uint16_t)number;
	return true;
}

const char *dns_rcode_text(unsigned rcode, char buf[DNS_TYPE_TEXT])
{
	for (size_t i = 0; i < ARRAY_SIZE(rcodes); i++)
		if (rcodes[i].number == rcode)
			return rcodes[i].text;
	snprintf(buf, DNS_TYPE_TEXT, "RCODE%u", rcode & 0xfff);
	return buf;
}

/* ---- names ---- */

static inline uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* One character of text, with its escape; false when there is none or it is a broken escape. */
static bool text_byte(const char **s, uint8_t *ret, bool *ret_dot)
{
	const char *p = *s;

	*ret_dot = *p == '.';
	if (*p != '\\') {
		*ret = (uint8_t)*p;
		*s = p + 1;
		return *p != '\0';
	}
	if (p[1] >= '0' && p[1] <= '9') {
		int v = 0;

		for (int i = 1; i <= 3; i++) {
			if (p[i] < '0' || p[i] > '9')
				return false;
			v = v * 10 + p[i] - '0';
		}
		*ret = (uint8_t)v;
		*s = p + 4;
		return v <= 255;
	}
	*ret = (uint8_t)p[1];
	*s = p + 2;
	return p[1] != '\0';
}

int dns_name_parse(const char *s, struct dns_name *ret, struct err *err)
{
	struct dns_name name = { 0 };
	const char *text = s;
	size_t label = 0, n = 1; /* where the length byte of this label is, and the next free byte */

	if (streq(s, "."))
		s++;
	else if (!*s)
		return err_set(err, ERR_INVALID, "a DNS name is empty");
	while (*s) {
		uint8_t byte;
		bool dot;

		if (!text_byte(&s, &byte, &dot))
			return err_set(err, ERR_INVALID, "a DNS name has a broken escape: '%.300s'", text);
		if (dot) {
			if (n - label == 1)
				return err_set(err, ERR_INVALID, "a DNS name has an empty label: '%.300s'", text);
			name.b[label] = (uint8_t)(n - label - 1);
			label = n++;
		} else {
			if (n - label > DNS_LABEL_MAX)
				return err_set(err, ERR_INVALID, "a label of a DNS name is above 63 bytes: '%.300s'", text);
			name.b[n++] = byte;
		}
		if (n >= (dot && !*s ? DNS_NAME_MAX + 1u : DNS_NAME_MAX))
			return err_set(err, ERR_INVALID, "a DNS name is above 255 bytes: '%.300s'", text);
	}
	if (n - label > 1) {
		name.b[label] = (uint8_t)(n - label - 1);
		label = n++;
	}
	name.b[label] = 0;
	name.n = (uint8_t)n;
	*ret = name;
	return 0;
}

static bool plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*';
}

const char *dns_name_text(const struct dns_name *name, char buf[DNS_NAME_TEXT])
{
	size_t at = 0, n = 0;

	while (at < name->n && name->b[at]) {
		if (n)
			buf[n++] = '.';
		for (unsigned left = name->b[at++]; left; left--) {
			uint8_t c = name->b[at++];

			if (plain(c))
				buf[n++] = (char)c;
			else
				n += (size_t)snprintf(buf + n, 5, "\\%03u", c);
		}
	}
	if (n == 0)
		buf[n++] = '.';
	buf[n] = '\0';
	return buf;
}

bool dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (lower(a->b[i]) != lower(b->b[i]))
			return false;
	return true;
}

bool dns_name_parent(struct dns_name *name)
{
	size_t cut = name->n ? (size_t)name->b[0] + 1 : 0;

	if (name->n <= 1)
		return false;
	memmove(name->b, name->b + cut, name->n - cut);
	name->n = (uint8_t)(name->n - cut);
	return true;
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *zone)
{
	struct dns_name n = *name;

	while (n.n > zone->n)
		if (!dns_name_parent(&n))
			return false;
	return dns_name_eq(&n, zone);
}

unsigned dns_name_labels(const struct dns_name *name)
{
	unsigned labels = 0;

	for (size_t at = 0; at < name->n && name->b[at]; at += (size_t)name->b[at] + 1)
		labels++;
	return labels;
}

void dns_name_lower(struct dns_name *name)
{
	for (size_t i = 0; i < name->n; i++)
		name->b[i] = lower(name->b[i]);
}

/* ---- reading ---- */

const uint8_t *dns_in_bytes(struct dns_in *in, size_t n)
{
	const uint8_t *p;

	if (in->bad || in->n - in->at < n) {
		in->bad = true;
		return NULL;
	}
	p = in->p + in->at;
	in->at += n;
	return p;
}

uint8_t dns_in_u8(struct dns_in *in)
{
	const uint8_t *p = dns_in_bytes(in, 1);

	return p ? p[0] : 0;
}

uint16_t dns_in_u16(struct dns_in *in)
{
	const uint8_t *p = dns_in_bytes(in, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t dns_in_u32(struct dns_in *in)
{
	const uint8_t *p = dns_in_bytes(in, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* A pointer must point strictly before the place where this name, or the piece last jumped to, began: each jump
 * makes that smaller, so there is an end. */
static void read_name(struct dns_in *in, bool pointers, struct dns_name *ret)
{
	size_t at = in->at, before = in->at, end = 0, n = 0;

	ret->n = 0;
	if (in->bad)
		return;
	for (;;) {
		size_t len;

		if (at >= in->n)
			goto bad;
		len = in->p[at];
		if (len >= 0xc0) {
			size_t to;

			if (!pointers || at + 1 >= in->n)
				goto bad;
			to = (len & 0x3f) << 8 | in->p[at + 1];
			if (end == 0)
				end = at + 2;
			if (to >= before)
				goto bad;
			at = before = to;
			continue;
		}
		if (len > DNS_LABEL_MAX || n + len + 1 > DNS_NAME_MAX || at + len + 1 > in->n)
			goto bad;
		memcpy(ret->b + n, in->p + at, len + 1);
		n += len + 1;
		at += len + 1;
		if (len == 0)
			break;
	}
	ret->n = (uint8_t)n;
	in->at = end ? end : at;
	return;
bad:
	in->bad = true;
}

void dns_in_name(struct dns_in *in, struct dns_name *ret)
{
	read_name(in, true, ret);
}

void dns_in_name_plain(struct dns_in *in, struct dns_name *ret)
{
	read_name(in, false, ret);
}

/* ---- writing ---- */

void dns_out_bytes(struct dns_out *out, const void *p, size_t n)
{
	if (out->full || out->cap - out->n < n) {
		out->full = true;
		return;
	}
	if (n)
		memcpy(out->p + out->n, p, n);
	out->n += n;
}

void dns_out_u8(struct dns_out *out, uint8_t v)
{
	dns_out_bytes(out, &v, 1);
}

void dns_out_u16(struct dns_out *out, uint16_t v)
{
	dns_out_bytes(out, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

void dns_out_u32(struct dns_out *out, uint32_t v)
{
	dns_out_bytes(out, (uint8_t[]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }, 4);
}

void dns_out_name(struct dns_out *out, const struct dns_name *name)
{
	dns_out_bytes(out, name->b, name->n);
}

void dns_out_set_u16(struct dns_out *out, size_t at, uint16_t v)
{
	if (out->n < 2 || at > out->n - 2)
		return;
	out->p[at] = (uint8_t)(v >> 8);
	out->p[at + 1] = (uint8_t)v;
}

void dns_out_header(struct dns_out *out, uint16_t id, uint16_t flags, unsigned rcode, const uint16_t counts[4])
{
	dns_out_u16(out, id);
	dns_out_u16(out, (uint16_t)((flags & 0xfff0) | (rcode & 0xf)));
	for (int i = 0; i < 4; i++)
		dns_out_u16(out, counts[i]);
}

void dns_out_opt(struct dns_out *out, uint16_t udp_size, unsigned rcode, bool dnssec_ok)
{
	dns_out_u8(out, 0);
	dns_out_u16(out, DNS_OPT);
	dns_out_u16(out, udp_size);
	dns_out_u8(out, (uint8_t)(rcode >> 4));
	dns_out_u8(out, 0);
	dns_out_u16(out, dnssec_ok ? 0x8000 : 0);
	dns_out_u16(out, 0);
}

void dns_out_txt(struct dns_out *out, const void *value, size_t n)
{
	const uint8_t *p = value;
	size_t strings = n ? (n + 254) / 255 : 1;

	dns_out_u16(out, (uint16_t)(n + strings));
	do {
		size_t part = MIN(n, 255);

		dns_out_u8(out, (uint8_t)part);
		dns_out_bytes(out, p, part);
		p += part;
		n -= part;
	} while (n);
}
