/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/base64.h"
#include "base/random.h"

/* RFC 4648 section 10 */
static const struct {
	const char *plain, *std, *url;
} vectors[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff", "+/8=", "-_8" },
};

static void the_vectors_of_the_rfc_hold(void **state UNUSED)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct buf a = BUF_MAX(100), b = BUF_MAX(100), back = BUF_MAX(100);

		base64_encode(&a, vectors[i].plain, strlen(vectors[i].plain));
		base64url_encode(&b, vectors[i].plain, strlen(vectors[i].plain));
		ASSERT_STR(buf_text(&a), vectors[i].std);
		ASSERT_STR(buf_text(&b), vectors[i].url);
		ASSERT_OK(base64_decode(&back, buf_text(&a), a.n, &err), &err);
		ASSERT_STR(buf_text(&back), vectors[i].plain);
		buf_reset(&back);
		ASSERT_OK(base64url_decode(&back, buf_text(&b), b.n, &err), &err);
		ASSERT_STR(buf_text(&back), vectors[i].plain);
		buf_done(&a);
		buf_done(&b);
		buf_done(&back);
	}
}

static void other_texts_are_refused(void **state UNUSED)
{
	static const char *const bad_url[] = { "Zg==", "Z", "Zh", "Z g", "Zm9+", "Zm8=", "Zg\n" };
	static const char *const bad_std[] = { "Zg", "Zg=", "Zg=x", "====", "Zh==", "Zm-_", "Z===" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad_url); i++) {
		struct buf b = BUF_MAX(100);

		ASSERT_FAILS(base64url_decode(&b, bad_url[i], strlen(bad_url[i]), &err), &err, ERR_INVALID);
		buf_done(&b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_std); i++) {
		struct buf b = BUF_MAX(100);

		ASSERT_FAILS(base64_decode(&b, bad_std[i], strlen(bad_std[i]), &err), &err, ERR_INVALID);
		buf_done(&b);
	}
}

static void eab_keys_are_read_as_vendors_write_them(void **state UNUSED)
{
	static const char *const same[] = { "-_8", "-_8=", "+/8=", "+/8", "  +/8=\n" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct buf b = BUF_MAX(100);

		ASSERT_OK(base64_decode_any(&b, same[i], strlen(same[i]), &err), &err);
		ASSERT_INT(b.n, 2);
		ASSERT_MEM(b.p, "\xfb\xff", 2);
		buf_done(&b);
	}
}

static void random_bytes_come_back(void **state UNUSED)
{
	struct err err = ERR_INIT;

	for (int i = 0; i < 500; i++) {
		unsigned char in[80];
		size_t n = random_below(sizeof in);
		struct buf b = BUF_MAX(200), back = BUF_MAX(200);

		random_bytes(in, sizeof in);
		base64url_encode(&b, in, n);
		ASSERT_OK(base64url_decode(&back, buf_text(&b), b.n, &err), &err);
		ASSERT_INT(back.n, n);
		ASSERT_MEM(buf_text(&back), in, n);
		buf_done(&b);
		buf_done(&back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vectors_of_the_rfc_hold),
		TEST(other_texts_are_refused),
		TEST(eab_keys_are_read_as_vendors_write_them),
		TEST(random_bytes_come_back),
	};

	return RUN(tests);
}
