/* SPDX-License-Identifier: Apache-2.0 */
/* password.c - tests of keys/password.h and keys/token.h. */
#include "keys/password.h"

#include "base/clock.h"
#include "keys/token.h"
#include "tests/unit/assert.h"

#include <ctype.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <time.h>

/* ---- how many at once: libsodium's function, with a look at who is inside ---- */

#define GUESSES 6
static atomic_bool watching;
static atomic_int inside, most;

int crypto_pwhash_str_verify(const char hash[crypto_pwhash_STRBYTES], const char *const password, unsigned long long n)
{
	static int (*real)(const char *, const char *, unsigned long long);
	int r, was = 0;

	if (!real)
		memcpy(&real, &(void *){ dlsym(RTLD_NEXT, "crypto_pwhash_str_verify") }, sizeof real);
	if (!atomic_load(&watching))
		return real(hash, password, n);
	r = atomic_fetch_add(&inside, 1) + 1;
	while (r > was && !atomic_compare_exchange_weak(&most, &was, r))
		;
	while (atomic_load(&most) < 2) /* the first one waits for the second; a third would have time to come */
		nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
	nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	atomic_fetch_sub(&inside, 1);
	return -1;
}

static void *guess(void *arg)
{
	_cleanup_secret_ struct secret p = secret_from("correct horse battery");
	struct err err = ERR_INIT;
	bool ok = true;

	return (void *)(intptr_t)(password_verify(&p, arg, &ok, NULL, &err) < 0 || ok);
}

static void two_hashes_at_once_and_no_third(void **state)
{
	_cleanup_secret_ struct secret p = secret_from("correct horse battery");
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *hash = NULL;
	pthread_t t[GUESSES];

	ASSERT_OK(password_hash(&p, &hash, &err), &err);
	atomic_store(&watching, true);
	for (size_t i = 0; i < GUESSES; i++)
		ASSERT_INT(pthread_create(&t[i], NULL, guess, hash), 0);
	for (size_t i = 0; i < GUESSES; i++) {
		void *wrong = NULL;

		pthread_join(t[i], &wrong);
		ASSERT_TRUE(!wrong);
	}
	atomic_store(&watching, false);
	ASSERT_INT(atomic_load(&most), 2);
}

static void a_password_verifies_against_its_own_hash_only(void **state)
{
	_cleanup_secret_ struct secret right = secret_from("correct horse battery"), wrong = secret_from("correct horse batterz"), none = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *hash = NULL, *again = NULL;
	bool ok, rehash;

	ASSERT_OK(password_hash(&right, &hash, &err), &err);
	ASSERT_TRUE(str_starts(hash, "$argon2id$v=19$m=19456,t=2,p=1$"));
	ASSERT_OK(password_hash(&right, &again, &err), &err);
	ASSERT_FALSE(streq(hash, again)); /* salted */
	ASSERT_OK(password_verify(&right, hash, &ok, &rehash, &err), &err);
	ASSERT_TRUE(ok && !rehash);
	ASSERT_OK(password_verify(&wrong, hash, &ok, &rehash, &err), &err);
	ASSERT_FALSE(ok || rehash);
	ASSERT_OK(password_verify(&none, hash, &ok, &rehash, &err), &err);
	ASSERT_FALSE(ok);
	ASSERT_FAILS(password_verify(&right, "secret", &ok, &rehash, &err), &err, ERR_INTERNAL);
	ASSERT_FAILS(password_verify(&right, "$2y$10$abcdefg", &ok, &rehash, &err), &err, ERR_INTERNAL);
	ASSERT_FAILS(password_hash(&none, &again, &err), &err, ERR_INVALID);
}

static void a_hash_of_weaker_parameters_wants_to_be_made_anew(void **state)
{
	_cleanup_secret_ struct secret p = secret_from("correct horse battery");
	_cleanup_err_ struct err err = ERR_INIT;
	char weak[crypto_pwhash_STRBYTES];
	bool ok, rehash;

	ASSERT_INT(crypto_pwhash_str_alg(weak, (char *)p.p, p.n, 1, 8 * 1024 * 1024, crypto_pwhash_ALG_ARGON2ID13), 0);
	ASSERT_OK(password_verify(&p, weak, &ok, &rehash, &err), &err);
	ASSERT_TRUE(ok && rehash);
}

/* Processor time of this thread: the machine is shared. */
static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t verify_time(const char *hash)
{
	_cleanup_secret_ struct secret p = secret_from("correct horse batterz");
	_cleanup_err_ struct err err = ERR_INIT;
	int64_t start = cpu_us();
	bool ok;

	for (int i = 0; i < 8; i++)
		ASSERT_OK(password_verify(&p, hash, &ok, NULL, &err), &err);
	ASSERT_FALSE(ok);
	return cpu_us() - start;
}

static void an_unknown_user_costs_the_same(void **state)
{
	_cleanup_secret_ struct secret p = secret_from("correct horse battery");
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *hash = NULL;
	int64_t known, unknown;

	ASSERT_OK(password_hash(&p, &hash, &err), &err);
	verify_time(NULL);
	known = verify_time(hash);
	unknown = verify_time(NULL);
	ASSERT_TRUE(unknown * 3 > known && known * 3 > unknown);
}

static void passwords_are_judged(void **state)
{
	static const struct {
		const char *p;
		bool ok;
	} cases[] = {
		{ "correct horse", true }, { "short", false }, { "eleven char", false }, { "twelve chars", true },
		{ "aaaaaaaaaaaaaaaa", false }, { "Administrator", false }, { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", false },
		{ "üüüüüüüüüüüö", true }, { "üüüüüö", false },
	};
	char big[258];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_secret_ struct secret p = secret_from(cases[i].p);
		_cleanup_err_ struct err err = ERR_INIT;

		ASSERT_INT(password_check(&p, "administrator", &err), cases[i].ok ? 0 : -ERR_INVALID);
		if (!cases[i].ok)
			ASSERT_STR(err.field, "/password");
	}
	for (size_t n = 255; n <= 257; n++) {
		_cleanup_err_ struct err err = ERR_INIT;

		memset(big, 'a', sizeof big);
		big[0] = 'b';
		ASSERT_INT(password_check(&(struct secret){ (unsigned char *)big, n }, NULL, &err), n > 256 ? -ERR_INVALID : 0);
	}
}

static void a_token_is_recognised_and_every_change_noticed(void **state)
{
	_cleanup_secret_ struct secret t = { 0 }, u = { 0 };
	char hash[SHA256_HEX], other[SHA256_HEX], again[SHA256_HEX];

	token_make(TOKEN_API, &t, hash);
	token_make(TOKEN_API, &u, other);
	ASSERT_FALSE(streq(hash, other));
	ASSERT_TRUE(str_starts((char *)t.p, "cw_"));
	ASSERT_INT(t.n, 3 + 43 + 6);
	ASSERT_TRUE(token_hash(TOKEN_API, (char *)t.p, t.n, again));
	ASSERT_STR(again, hash);
	ASSERT_FALSE(token_hash(TOKEN_SESSION, (char *)t.p, t.n, again));
	ASSERT_FALSE(token_hash(TOKEN_API, (char *)t.p, t.n - 1, again));
	ASSERT_FALSE(token_hash(TOKEN_API, "", 0, again));
	for (size_t i = 0; i < t.n; i++) {
		unsigned char was = t.p[i];

		t.p[i] = was == 'A' ? 'B' : 'A';
		ASSERT_FALSE(token_hash(TOKEN_API, (char *)t.p, t.n, again));
		t.p[i] = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_password_verifies_against_its_own_hash_only),
		TEST(a_hash_of_weaker_parameters_wants_to_be_made_anew),
		TEST(an_unknown_user_costs_the_same),
		TEST(two_hashes_at_once_and_no_third),
		TEST(passwords_are_judged),
		TEST(a_token_is_recognised_and_every_change_noticed),
	};

	return RUN(tests);
}
