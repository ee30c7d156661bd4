/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "dns/dns.h"

#define L10 "abcdefghij"
#define L63 L10 L10 L10 L10 L10 L10 "abc"

static void names_are_read_and_written_as_text(void **state UNUSED)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
		unsigned labels, bytes;
	} rows[] = {
		{ ".", ".", 0, 1 },
		{ "example.com", "example.com", 2, 13 },
		{ "example.com.", "example.com", 2, 13 },
		{ "_acme-challenge.Example.COM", "_acme-challenge.Example.COM", 3, 29 },
		{ "*.a", "*.a", 2, 5 },
		{ "a\\.b.c", "a\\046b.c", 2, 7 },
		{ "\\000\\255", "\\000\\255", 1, 4 },
		{ "<img>", "\\060img\\062", 1, 7 },
		{ L63, L63, 1, 65 },
		{ L63 "." L63 "." L63 "." L63, NULL, 0, 0 },
		{ L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "x", L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "x", 4, 255 },
		{ L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "x.", L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "x", 4, 255 },
		{ L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "xy", NULL, 0, 0 },
		{ L63 "x", NULL, 0, 0 },
		{ "", NULL, 0, 0 },
		{ "a..b", NULL, 0, 0 },
		{ ".a", NULL, 0, 0 },
		{ "..", NULL, 0, 0 },
		{ "a\\", NULL, 0, 0 },
		{ "a\\25", NULL, 0, 0 },
		{ "a\\256", NULL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = ERR_INIT;
		struct dns_name name;
		char text[DNS_NAME_TEXT];

		if (!rows[i].out) {
			ASSERT_FAILS(dns_name_parse(rows[i].in, &name, &err), &err, ERR_INVALID);
			continue;
		}
		ASSERT_OK(dns_name_parse(rows[i].in, &name, &err), &err);
		ASSERT_STR(dns_name_text(&name, text), rows[i].out);
		ASSERT_INT(dns_name_labels(&name), rows[i].labels);
		ASSERT_INT(name.n, rows[i].bytes);
	}
}

static struct dns_name N(const char *s)
{
	struct err err = ERR_INIT;
	struct dns_name name;

	ASSERT_OK(dns_name_parse(s, &name, &err), &err);
	return name;
}

static void names_are_compared_without_case_and_by_labels(void **state UNUSED)
{
	struct dns_name a = N("_acme-challenge.Example.com"), zone = N("example.COM"), other = N("ample.com"), root = N(".");
	struct dns_name b = N("_ACME-challenge.example.com");

	ASSERT_TRUE(dns_name_eq(&a, &b));
	ASSERT_FALSE(dns_name_eq(&a, &zone));
	ASSERT_TRUE(dns_name_within(&a, &zone));
	ASSERT_TRUE(dns_name_within(&zone, &zone));
	ASSERT_TRUE(dns_name_within(&a, &root));
	ASSERT_FALSE(dns_name_within(&zone, &a));
	ASSERT_FALSE(dns_name_within(&zone, &other));
	ASSERT_TRUE(dns_name_parent(&a));
	ASSERT_TRUE(dns_name_eq(&a, &zone));
	ASSERT_FALSE(dns_name_parent(&root));
}

static void compression_pointers_only_lead_backwards(void **state UNUSED)
{
	static const struct {
		const char *what;
		uint8_t bytes[40];
		size_t n, at;
		const char *name; /* NULL: refused */
		size_t after;
	} rows[] = {
		{ "plain", { 1, 'a', 0 }, 3, 0, "a", 3 },
		{ "pointer to an earlier name", { 1, 'a', 0, 1, 'b', 0xc0, 0 }, 7, 3, "b.a", 7 },
		{ "pointer to a pointer", { 1, 'a', 0, 0xc0, 0, 1, 'c', 0xc0, 3 }, 9, 5, "c.a", 9 },
		{ "pointer to itself", { 0xc0, 0 }, 2, 0, NULL, 0 },
		{ "pointer forward", { 0xc0, 2, 0 }, 3, 0, NULL, 0 },
		{ "pointer into its own labels", { 1, 'a', 0xc0, 0 }, 4, 0, NULL, 0 },
		{ "two pointers in a loop", { 1, 'a', 0xc0, 4, 1, 'b', 0xc0, 0 }, 8, 4, NULL, 0 },
		{ "pointer cut off", { 0, 0xc0 }, 2, 1, NULL, 0 },
		{ "label type 01", { 0x41, 'a', 0 }, 3, 0, NULL, 0 },
		{ "label type 10", { 0x81, 'a', 0 }, 3, 0, NULL, 0 },
		{ "label cut off", { 3, 'a', 'b' }, 3, 0, NULL, 0 },
		{ "no end", { 1, 'a' }, 2, 0, NULL, 0 },
		{ "nothing", { 0 }, 0, 0, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dns_in in = { rows[i].bytes, rows[i].n, rows[i].at, false };
		struct dns_name name;
		char text[DNS_NAME_TEXT];

		dns_in_name(&in, &name);
		ASSERT_INT(in.bad, rows[i].name == NULL);
		if (rows[i].name) {
			ASSERT_STR(dns_name_text(&name, text), rows[i].name);
			ASSERT_INT(in.at, rows[i].after);
		}
	}
}

static void a_name_above_255_bytes_is_refused_on_the_wire(void **state UNUSED)
{
	for (size_t labels = 126; labels <= 128; labels++) {
		uint8_t wire[300];
		struct dns_in in = { wire, labels * 2 + 1, 0, false };
		struct dns_name name;

		for (size_t i = 0; i < labels; i++)
			memcpy(wire + 2 * i, "\1a", 2);
		wire[2 * labels] = 0;
		dns_in_name(&in, &name);
		ASSERT_INT(in.bad, labels > 127);
	}
}

static void types_have_text(void **state UNUSED)
{
	char buf[DNS_TYPE_TEXT];
	uint16_t type;

	ASSERT_STR(dns_type_text(16, buf), "TXT");
	ASSERT_STR(dns_type_text(4711, buf), "TYPE4711");
	ASSERT_TRUE(dns_type_parse("caa", &type));
	ASSERT_INT(type, DNS_CAA);
	ASSERT_TRUE(dns_type_parse("TYPE65535", &type));
	ASSERT_INT(type, 65535);
	ASSERT_FALSE(dns_type_parse("TYPE65536", &type));
	ASSERT_FALSE(dns_type_parse("nonsense", &type));
	ASSERT_STR(dns_rcode_text(3, buf), "NXDOMAIN");
	ASSERT_STR(dns_rcode_text(16, buf), "BADVERS");
	ASSERT_STR(dns_rcode_text(23, buf), "RCODE23");
}

static void a_full_builder_stays_full_and_keeps_within_its_room(void **state UNUSED)
{
	uint8_t p[8] = { 0 };
	struct dns_out out = { p, 6, 0, false };

	dns_out_u32(&out, 0x01020304);
	dns_out_u32(&out, 5);
	ASSERT_TRUE(out.full);
	dns_out_u8(&out, 9);
	ASSERT_INT(out.n, 4);
	ASSERT_INT(p[4], 0);
	dns_out_set_u16(&out, 2, 0xabcd);
	ASSERT_INT(p[2], 0xab);
	dns_out_set_u16(&out, 3, 0x1111);
	ASSERT_INT(p[3], 0xcd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_read_and_written_as_text),
		TEST(names_are_compared_without_case_and_by_labels),
		TEST(compression_pointers_only_lead_backwards),
		TEST(a_name_above_255_bytes_is_refused_on_the_wire),
		TEST(types_have_text),
		TEST(a_full_builder_stays_full_and_keeps_within_its_room),
	};

	return RUN(tests);
}
