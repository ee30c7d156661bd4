/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.c - what the key module does per second: signing requests with an open key and with one that has to be opened first, in
 * this process and in one of its own, with 1, 2 and 4 threads; libjose's signing beside it where it is installed.
 *
 *	ninja -C build bench/bench_keys && build/bench/bench_keys [SECONDS per line]
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "keys/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#ifdef HAVE_JOSE
#include <jose/jwk.h>
#include <jose/jws.h>
#endif

#define DIRECTORY "https://ca.example/directory"
#define KEYS_MAX 200 /* more than are kept open */

static int64_t seconds = 2;

static void check(int r, struct err *err)
{
	_cleanup_free_ char *text = r < 0 ? err_text(err) : NULL;

	if (r < 0) {
		fprintf(stderr, "bench: %s\n", text);
		exit(1);
	}
}

struct job {
	struct keys *keys;
	const struct key_made *made;
	unsigned n_keys, first;
	int64_t until_ms;
	uint64_t done;
};

static void *sign(void *arg)
{
	struct job *j = arg;
	unsigned i = j->first;

	while (clock_boot(&clock_system) < j->until_ms) {
		const struct key_made *m = &j->made[i++ % j->n_keys];
		struct jws_request q = {
			{ "key", "01JD0000000000000000000000", "sealed", m->sealed, m->sealed_n },
			"https://ca.example/acme/order/1", "bm9uY2Vub25jZW5vbmNl", "https://ca.example/acme/acct/1", "{\"status\":\"x\"}"
		};
		struct err err = ERR_INIT;
		char *out = NULL;

		check(keys_sign_jws(j->keys, &q, &out, &err), &err);
		free(out);
		j->done++;
	}
	return NULL;
}

static void measure(const char *what, struct keys *k, const struct key_made *made, unsigned n_keys, unsigned threads)
{
	int64_t start = clock_boot(&clock_system), until = start + seconds * SECOND_MS;
	struct job jobs[8] = { { 0 } };
	pthread_t t[8];
	uint64_t done = 0;

	for (unsigned i = 0; i < threads; i++) {
		jobs[i] = (struct job){ k, made, n_keys, i * 50, until, 0 };
		if (pthread_create(&t[i], NULL, sign, &jobs[i]))
			exit(1);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(t[i], NULL);
		done += jobs[i].done;
	}
	printf("%-46s %u thread%s %9.0f /s\n", what, threads, threads > 1 ? "s" : " ",
	       (double)done * 1000 / (double)(clock_boot(&clock_system) - start));
	fflush(stdout);
}

static void make_keys(struct keys *k, enum key_type type, struct key_made *made, unsigned n)
{
	const struct key_place to = { "key", "01JD0000000000000000000000", "sealed" };
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < n; i++)
		check(keys_generate(k, KEY_ACCOUNT, type, &to, DIRECTORY, &made[i], &err), &err);
}

static void bench_flavour(const char *master, bool separate)
{
	struct keys_options o = { .separate = separate };
	static struct key_made p256[KEYS_MAX];
	struct key_made rsa = { 0 };
	struct err err = ERR_INIT;
	struct keys *k = NULL;

	strlist_add(&o.files, master);
	check(keys_open(&o, &k, &err), &err);
	strlist_clear(&o.files);
	printf("-- %s\n", separate ? "in a process of its own" : "in this process");
	make_keys(k, KEY_P256, p256, KEYS_MAX);
	make_keys(k, KEY_RSA2048, &rsa, 1);
	for (unsigned threads = 1; threads <= 4; threads *= 2)
		measure("ES256 requests, one open key", k, p256, 1, threads);
	measure("ES256 requests, each key opened first", k, p256, KEYS_MAX, 1);
	measure("RS256 requests (2048 bits), one open key", k, &rsa, 1, 1);
	for (unsigned i = 0; i < KEYS_MAX; i++)
		key_made_clear(&p256[i]);
	key_made_clear(&rsa);
	keys_close(k);
}

#ifdef HAVE_JOSE
static void bench_jose(void)
{
	_cleanup_json_ json_t *jwk = json_pack("{s:s}", "alg", "ES256");
	int64_t start, until;
	uint64_t done = 0;

	if (!jose_jwk_gen(NULL, jwk))
		return;
	printf("-- libjose\n");
	start = clock_boot(&clock_system);
	until = start + seconds * SECOND_MS;
	for (; clock_boot(&clock_system) < until; done++) {
		_cleanup_json_ json_t *jws = json_pack("{s:s}", "payload", "eyJzdGF0dXMiOiJ4In0");
		_cleanup_json_ json_t *sig = json_pack("{s:{s:s,s:s,s:s}}", "protected", "nonce", "bm9uY2Vub25jZW5vbmNl", "url",
						       "https://ca.example/acme/order/1", "kid", "https://ca.example/acme/acct/1");
		_cleanup_free_ char *text = NULL;

		if (!jose_jws_sig(NULL, jws, sig, jwk))
			exit(1);
		text = json_text(jws);
	}
	printf("%-46s 1 thread  %9.0f /s\n", "ES256 requests", (double)done * 1000 / (double)(clock_boot(&clock_system) - start));
}
#endif

int main(int argc, char **argv)
{
	char dir[] = "/tmp/cw-bench-XXXXXX";
	struct err err = ERR_INIT;
	char *master;

	if (argc > 1)
		check(str_to_i64(argv[1], 1, 600, &seconds, &err), &err);
	json_init();
	if (!mkdtemp(dir))
		return 1;
	master = path_join(dir, "master.key");
	check(keys_master_create(master, &err), &err);
	bench_flavour(master, true); /* forks: before any thread */
	bench_flavour(master, false);
#ifdef HAVE_JOSE
	bench_jose();
#endif
	unlink(master);
	rmdir(dir);
	free(master);
	return 0;
}
