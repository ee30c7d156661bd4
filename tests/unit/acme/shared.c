/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen workers share one CA: no nonce is ever used twice, and the directory is read once a day. */
#include "tests/unit/acme/fake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define WORKERS 16
#define ROUNDS 300

static struct {
	atomic_int given;
	atomic_bool used[WORKERS * ROUNDS * 4];
	atomic_int twice, directories;
} server;

static int answer(struct http *h UNUSED, const struct http_request *q, struct http_response *r, struct err *err UNUSED)
{
	const char *nonce = q->body.p ? strstr(q->body.p, "nonce=n") : NULL;
	char text[64];

	if (nonce && atomic_exchange(&server.used[strtol(nonce + 7, NULL, 10)], true))
		server.twice++;
	snprintf(text, sizeof text, "Replay-Nonce: n%d\r\n", server.given++);
	fake_headers(r, text);
	r->status = 200;
	r->body.max = LIMIT_CA_JSON;
	if (streq(q->url, DIR)) {
		server.directories++;
		buf_add_str(&r->body, GOOD_DIRECTORY);
	} else if (q->method == HTTP_POST) {
		buf_add_str(&r->body, ORDER_BODY("pending", ""));
	}
	return 0;
}

static void *work(void *arg)
{
	struct http http = { answer };
	struct acme_signer signer = { fake_sign, NULL, NULL };
	struct clock clock = clock_fake(INT64_C(1795459531000));
	struct acme_session s = { .http = &http, .signer = &signer, .clock = &clock, .account_url = "https://ca.example/acct/1" };
	struct err err = ERR_INIT;
	long failed = 0;

	if (acme_ca_get(arg, DIR, &s.ca, &err) < 0)
		return (void *)1;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_acme_order_ struct acme_order o = { 0 };

		if (acme_order_get(&s, "https://ca.example/order/1", NULL, &o, &err) < 0)
			failed++;
		err_clear(&err);
	}
	acme_session_done(&s);
	return (void *)(uintptr_t)failed;
}

static void no_nonce_is_used_twice(void **state UNUSED)
{
	struct acme_cas *cas = acme_cas_new();
	pthread_t threads[WORKERS];
	struct acme_ca *ca;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, work, cas);
	for (size_t i = 0; i < WORKERS; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	ASSERT_INT(server.twice, 0);
	ASSERT_TRUE(server.directories >= 1 && server.directories <= WORKERS);
	ASSERT_OK(acme_ca_get(cas, DIR, &ca, &err), &err);
	ASSERT_TRUE(acme_ca_nonces(ca) <= LIMIT_NONCES);
	acme_cas_free(cas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_nonce_is_used_twice),
	};

	return RUN(tests);
}
