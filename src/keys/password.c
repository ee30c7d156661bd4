/* SPDX-License-Identifier: Apache-2.0 */
/* password.c - see password.h. Argon2id, t = 2, 19 MiB, p = 1 (ASVS 2.4, OWASP). */
#include "keys/password.h"

#include "base/limits.h"
#include "base/str.h"

#include <pthread.h>
#include <sodium.h>

#define OPS 2
#define MEMORY ((size_t)19 * 1024 * 1024)
#define AT_ONCE 2

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned running;
static char dummy[crypto_pwhash_STRBYTES]; /* what an unknown user's password is compared with */

static void enter(void)
{
	pthread_mutex_lock(&lock);
	while (running == AT_ONCE)
		pthread_cond_wait(&freed, &lock);
	running++;
	pthread_mutex_unlock(&lock);
}

static void leave(void)
{
	pthread_mutex_lock(&lock);
	running--;
	pthread_cond_signal(&freed);
	pthread_mutex_unlock(&lock);
}

static void start(void)
{
	unsigned char random[32];
	int r = sodium_init();

	assert(r >= 0);
	randombytes_buf(random, sizeof random); /* nobody knows its password */
	r = crypto_pwhash_str_alg(dummy, (char *)random, sizeof random, OPS, MEMORY, crypto_pwhash_ALG_ARGON2ID13);
	assert(r == 0);
}

int password_check(const struct secret *password, const char *user, struct err *err)
{
	const char *p = (const char *)password->p;
	size_t characters = 0;
	bool same = true;

	if (password->n > LIMIT_PASSWORD_MAX)
		return err_set_field(err, ERR_INVALID, "/password", "the password has more than %d bytes",
				     LIMIT_PASSWORD_MAX);
	for (size_t i = 0; i < password->n; i++) {
		characters += ((unsigned char)p[i] & 0xc0) != 0x80;
		same = same && p[i] == p[0];
	}
	if (characters < LIMIT_PASSWORD_MIN)
		return err_set_field(err, ERR_INVALID, "/password", "the password has fewer than %d characters",
				     LIMIT_PASSWORD_MIN);
	if (!utf8_valid(p, password->n) || memchr(p, 0, password->n))
		return err_set_field(err, ERR_INVALID, "/password", "the password is not valid UTF-8 text");
	if (same || (user && str_case_eq(p, user)))
		return err_set_field(err, ERR_INVALID, "/password",
				     "the password is the name of the user, or one character repeated");
	return 0;
}

int password_hash(const struct secret *password, char **ret, struct err *err)
{
	char out[crypto_pwhash_STRBYTES];
	int r;

	if (!password->n || password->n > LIMIT_PASSWORD_MAX)
		return err_set_field(err, ERR_INVALID, "/password", "a password has 1 to %d bytes", LIMIT_PASSWORD_MAX);
	pthread_once(&once, start);
	enter();
	r = crypto_pwhash_str_alg(out, (char *)password->p, password->n, OPS, MEMORY, crypto_pwhash_ALG_ARGON2ID13);
	leave();
	if (r)
		return err_set(err, ERR_INTERNAL, "could not hash a password: no memory");
	*ret = xstrdup(out);
	return 0;
}

int password_verify(const struct secret *password, const char *stored, bool *ret_ok, bool *ret_rehash, struct err *err)
{
	char hash[crypto_pwhash_STRBYTES] = { 0 };
	bool ok;
	int weak;

	pthread_once(&once, start);
	if (stored && (!str_starts(stored, "$argon2id$") || strlen(stored) >= sizeof hash))
		return err_set(err, ERR_INTERNAL, "a stored password is not an Argon2id hash");
	memcpy(hash, stored ? stored : dummy, strlen(stored ? stored : dummy));
	enter();
	ok = crypto_pwhash_str_verify(hash, password->p ? (char *)password->p : "",
				      MIN(password->n, (size_t)LIMIT_PASSWORD_MAX)) == 0;
	leave();
	weak = crypto_pwhash_str_needs_rehash(hash, OPS, MEMORY);
	*ret_ok = ok && stored && password->n <= LIMIT_PASSWORD_MAX;
	if (ret_rehash)
		*ret_rehash = *ret_ok && weak != 0;
	return 0;
}
