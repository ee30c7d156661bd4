/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsig.c - signatures held against another implementation (dnspython 2.3): its requests have our MACs, its answers are believed, and
 * no answer that differs in one bit is.
 */
#include "resolve/tsig.h"

#include "tests/unit/assert.h"

#define NOW INT64_C(1795000000)

struct vector {
	const char *algorithm;
	size_t unsigned_n; /* bytes of the request before its TSIG record */
	const char *request, *answer, *badtime; /* signed at NOW, NOW + 3, NOW; the last with error BADTIME and the server's clock */
};

static const struct vector *vectors(size_t *n)
{
	static const struct vector rows[] = {
		{ "hmac-sha256", 62,
		  "123428000001000000010001076578616d706c65047465737400000600010f5f61636d652d6368616c6c656e6765c00c001000010000003c00040341"
		  "41410e436572747772696768742d4b65790000fa00ff00000000003d0b686d61632d7368613235360000006afd86c0012c0020006ffc03a5d32fb023"
		  "6cd6933cb9b0b5ba1346ac5f019b93cfa60c2b11b7b6c8123400000000",
		  "1234a8000001000000000001076578616d706c65047465737400000600010e436572747772696768742d4b65790000fa00ff00000000003d0b686d61"
		  "632d7368613235360000006afd86c3012c002035f903089a92af7491c88c0c8b2eeac406b7d177303400921b53d0155b0c6035123400000000",
		  "1234a8090001000000000001076578616d706c65047465737400000600010e436572747772696768742d4b65790000fa00ff0000000000430b686d61"
		  "632d7368613235360000006afd86c0012c0020fc039511099e616a5cf27fd14701d1f407637e7317b9e44424c6dcf9728c7cd812340012000600006a"
		  "fd8aa8" },
		{ "hmac-sha384", 62,
		  "123428000001000000010001076578616d706c65047465737400000600010f5f61636d652d6368616c6c656e6765c00c001000010000003c00040341"
		  "41410e436572747772696768742d4b65790000fa00ff00000000004d0b686d61632d7368613338340000006afd86c0012c0030cf75c67bd0eebaf8b5"
		  "d0bbc5e5a28a1d70a3e8ec199fa45eeab0d1efaf50d4261a2fc5fa4b4d504283fd907216b34277123400000000",
		  "1234a8000001000000000001076578616d706c65047465737400000600010e436572747772696768742d4b65790000fa00ff00000000004d0b686d61"
		  "632d7368613338340000006afd86c3012c00307c0231af5fe16c27da59f76baf92104969e35503b5cfbe3d1fd721b7fb0259b5e6bd17d8c79670db79"
		  "5fef106f61c42f123400000000",
		  "1234a8090001000000000001076578616d706c65047465737400000600010e436572747772696768742d4b65790000fa00ff0000000000530b686d61"
		  "632d7368613338340000006afd86c0012c0030a6d8d9e0be4c52e773c45d9c637cb8d1342fe14ca08c78c86a4345b70aacd24411dc7803fbe7e03876"
		  "5649110a6551ce12340012000600006afd8aa8" },
		{ "hmac-sha512", 62,
		  "123428000001000000010001076578616d706c65047465737400000600010f5f61636d652d6368616c6c656e6765c00c001000010000003c00040341"
		  "41410e436572747772696768742d4b65790000fa00ff00000000005d0b686d61632d7368613531320000006afd86c0012c0040186b90d68358b9d387"
		  "ea548ea40f3853a18534710f27969efbc3647e00d052e9526bb4cd13855fa5e8af5255b88654073ae1ca879f3f377e5daeff6e26d34f1f1234000000"
		  "00",
		  "1234a8000001000000000001076578616d706c65047465737400000600010e436572747772696768742d4b65790000fa00ff00000000005d0b686d61"
		  "632d7368613531320000006afd86c3012c0040975763062f2a646bd5bd4625fdc9fc4c79fc93ec6edd4e581b2ca529181d0705a40d086e78d1e3398d"
		  "a3cd828831170cb8fbc445bfae05a6e86aae102dff19dd123400000000",
		  "1234a8090001000000000001076578616d706c65047465737400000600010e436572747772696768742d4b65790000fa00ff0000000000630b686d61"
		  "632d7368613531320000006afd86c0012c0040b4ad1b43f77e7f7cd0c786e05899dbae871e7e0533b62d822514752cce4b970981becfe1537a8ec3ac"
		  "60bec5edd3a75a02a2206277f4a90c257922cf2ed4b83812340012000600006afd8aa8" },
	};

	*n = ARRAY_SIZE(rows);
	return rows;
}

static size_t unhex(const char *s, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; *s; s += 2)
		out[n++] = (uint8_t)((strchr(digits, s[0]) - digits) << 4 | (strchr(digits, s[1]) - digits));
	return n;
}

static void key_of(const char *algorithm, struct tsig_key *k)
{
	_cleanup_secret_ struct secret b64 = secret_from("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTAxMjM=");
	struct err err = { 0 };

	ASSERT_OK(tsig_key_make("Certwright-KEY.", algorithm, &b64, k, &err), &err);
}

/* The request signed by us; its MAC. */
static void sign(const struct vector *v, const struct tsig_key *k, uint8_t *buf, size_t cap, size_t *ret_n, struct tsig_mac *mac)
{
	uint8_t whole[1024];
	struct dns_out out = { .p = buf, .cap = cap };

	unhex(v->request, whole);
	dns_out_bytes(&out, whole, v->unsigned_n);
	dns_out_set_u16(&out, 10, 0);
	tsig_sign(&out, k, NULL, NOW, mac);
	ASSERT_FALSE(out.full);
	*ret_n = out.n;
}

static void requests_have_the_mac_that_another_implementation_gives_them(void **state)
{
	size_t n;

	for (const struct vector *v = vectors(&n), *end = v + n; v < end; v++) {
		_cleanup_tsig_key_ struct tsig_key k;
		uint8_t ours[1024], theirs[1024];
		struct tsig_mac mac;
		size_t ours_n, theirs_n = unhex(v->request, theirs);

		key_of(v->algorithm, &k);
		sign(v, &k, ours, sizeof ours, &ours_n, &mac);
		ASSERT_INT(ours_n, theirs_n);
		ASSERT_INT(ours[11], 1);
		ASSERT_TRUE(memmem(theirs, theirs_n, mac.b, mac.n));
		ASSERT_TRUE(memmem(ours, ours_n, mac.b, mac.n));
	}
}

static void answers_are_believed_only_as_they_were_signed(void **state)
{
	size_t n;

	for (const struct vector *v = vectors(&n), *end = v + n; v < end; v++) {
		_cleanup_tsig_key_ struct tsig_key k;
		uint8_t buf[1024], answer[1024];
		struct tsig_answer a;
		struct tsig_mac mac, other;
		size_t m;

		key_of(v->algorithm, &k);
		sign(v, &k, buf, sizeof buf, &m, &mac);
		m = unhex(v->answer, answer);
		tsig_check(answer, m, &k, &mac, NOW, &a);
		ASSERT_INT(a.verdict, TSIG_GOOD);
		tsig_check(answer, m, &k, &mac, NOW + 3 + TSIG_FUDGE_S, &a);
		ASSERT_INT(a.verdict, TSIG_GOOD);
		tsig_check(answer, m, &k, &mac, NOW + 4 + TSIG_FUDGE_S, &a);
		ASSERT_INT(a.verdict, TSIG_LATE);
		tsig_check(answer, m, &k, &mac, NOW + 2 - TSIG_FUDGE_S, &a);
		ASSERT_INT(a.verdict, TSIG_LATE);
		other = mac;
		other.b[0] ^= 1; /* the answer to another request */
		tsig_check(answer, m, &k, &other, NOW, &a);
		ASSERT_INT(a.verdict, TSIG_WRONG);
		for (size_t i = 0; i < m; i++)
			for (int bit = 0; bit < 8; bit++) {
				answer[i] ^= (uint8_t)(1 << bit);
				tsig_check(answer, m, &k, &mac, NOW, &a);
				/* The id of the message itself is replaced by the original one, and letters of names have no case. */
				if (a.verdict == TSIG_GOOD && i > 1 && bit != 5) {
					print_error("byte %zu bit %d\n", i, bit);
					fail();
				}
				answer[i] ^= (uint8_t)(1 << bit);
			}
		for (size_t cut = 0; cut < m; cut++) {
			tsig_check(answer, cut, &k, &mac, NOW, &a);
			ASSERT_TRUE(a.verdict != TSIG_GOOD);
		}
	}
}

static void a_wrong_clock_is_told_with_the_servers_time(void **state)
{
	size_t n;

	for (const struct vector *v = vectors(&n), *end = v + n; v < end; v++) {
		_cleanup_tsig_key_ struct tsig_key k;
		uint8_t buf[1024], answer[1024];
		struct tsig_answer a;
		struct tsig_mac mac;
		size_t m;

		key_of(v->algorithm, &k);
		sign(v, &k, buf, sizeof buf, &m, &mac);
		m = unhex(v->badtime, answer);
		tsig_check(answer, m, &k, &mac, NOW, &a);
		ASSERT_INT(a.verdict, TSIG_GOOD);
		ASSERT_INT(a.error, TSIG_BADTIME);
		ASSERT_INT(a.server_s, NOW + 1000);
	}
}

static void a_key_is_read_or_refused_without_its_secret(void **state)
{
	static const struct { const char *name, *algorithm, *secret; bool good; } rows[] = {
		{ "k", "hmac-sha256", "c2VjcmV0", true },	  { "K.Example.", "HMAC-SHA512", "c2VjcmV0", true },
		{ "k", "hmac-sha256", " c2VjcmV0\n", true },	  { "k", "hmac-md5", "c2VjcmV0", false },
		{ "k..x", "hmac-sha256", "c2VjcmV0", false },	  { "k", "hmac-sha256", "!c2VjcmV0", false },
		{ "k", "hmac-sha256", "", false },		  { "k", "", "c2VjcmV0", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_secret_ struct secret b64 = secret_from(rows[i].secret);
		_cleanup_tsig_key_ struct tsig_key k = { 0 };
		_cleanup_err_ struct err err = { 0 };

		ASSERT_INT(tsig_key_make(rows[i].name, rows[i].algorithm, &b64, &k, &err) == 0, rows[i].good);
		if (!rows[i].good) {
			ASSERT_INT(err.code, ERR_INVALID);
			ASSERT_FALSE(strstr(err.detail, "c2Vj"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_have_the_mac_that_another_implementation_gives_them),
		TEST(answers_are_believed_only_as_they_were_signed),
		TEST(a_wrong_clock_is_told_with_the_servers_time),
		TEST(a_key_is_read_or_refused_without_its_secret),
	};

	return RUN(tests);
}
