/* SPDX-License-Identifier: Apache-2.0 */
/* rate.c - see rate.h. Numbers: Let's Encrypt's page on rate limits (August 2026); ZeroSSL by what clients of many users found. */
#include "model/rate.h"

#include "base/str.h"

#define A_SECOND(n, b) { n, SECOND_MS, b }

const char *rate_kind_text(enum rate_kind k)
{
	static const char *const texts[] = {
#define X(e, text) text,
		RATE_KINDS(X)
#undef X
	};

	return (unsigned)k < RATE_KIND_COUNT ? texts[k] : "?";
}

static const struct vendor_rates rates[] = {
	{ .key = "letsencrypt", .published = {
		[RATE_DIRECTORY] = A_SECOND(40, 40), [RATE_NONCE] = A_SECOND(20, 10), [RATE_ACCOUNT_NEW] = A_SECOND(5, 15),
		[RATE_ORDER_NEW] = A_SECOND(300, 200), [RATE_REVOKE] = A_SECOND(10, 100), [RATE_RENEWAL_INFO] = A_SECOND(1000, 100),
		[RATE_OTHER] = A_SECOND(250, 125), [RATE_ORDERS] = { 300, 3 * HOUR_MS, 300 }, [RATE_DOMAIN] = { 50, 7 * DAY_MS, 50 },
		[RATE_SET] = { 5, 7 * DAY_MS, 5 }, [RATE_FAILURES] = { 5, HOUR_MS, 5 } } },
	{ .key = "letsencrypt-staging", .published = {
		[RATE_DIRECTORY] = A_SECOND(40, 40), [RATE_NONCE] = A_SECOND(20, 10), [RATE_ACCOUNT_NEW] = A_SECOND(5, 15),
		[RATE_ORDER_NEW] = A_SECOND(20, 40), [RATE_REVOKE] = A_SECOND(10, 100), [RATE_RENEWAL_INFO] = A_SECOND(1000, 100),
		[RATE_OTHER] = A_SECOND(20, 20), [RATE_ORDERS] = { 1500, 3 * HOUR_MS, 1500 }, [RATE_DOMAIN] = { 30000, 7 * DAY_MS, 30000 },
		[RATE_FAILURES] = { 200, HOUR_MS, 200 } } },
	{ .key = "zerossl", .at_once = 4, .published = { [RATE_DIRECTORY] = A_SECOND(7, 7), [RATE_NONCE] = A_SECOND(7, 7),
		[RATE_ACCOUNT_NEW] = A_SECOND(1, 4), [RATE_ORDER_NEW] = A_SECOND(3, 7), [RATE_OTHER] = A_SECOND(7, 7) } },
	/* Unpublished, and stricter than Let's Encrypt by what is reported: few at once. */
	{ .key = "google", .at_once = 8, .published = { [RATE_ORDER_NEW] = A_SECOND(5, 20), [RATE_OTHER] = A_SECOND(40, 40) } },
	{ .key = "google-staging", .at_once = 8, .published = { [RATE_ORDER_NEW] = A_SECOND(5, 20), [RATE_OTHER] = A_SECOND(40, 40) } },
	{ .key = "sslcom-rsa", .at_once = 4, .published = { [RATE_ORDER_NEW] = A_SECOND(5, 10), [RATE_OTHER] = A_SECOND(20, 20) } },
	{ .key = "sslcom-ecc", .at_once = 4, .published = { [RATE_ORDER_NEW] = A_SECOND(5, 10), [RATE_OTHER] = A_SECOND(20, 20) } },
	{ .key = "digicert", .at_once = 8, .published = { [RATE_ORDER_NEW] = A_SECOND(5, 10), [RATE_OTHER] = A_SECOND(20, 20) } },
};

const struct vendor_rates *vendor_rates_find(const char *vendor_key)
{
	for (size_t i = 0; vendor_key && i < ARRAY_SIZE(rates); i++)
		if (streq(rates[i].key, vendor_key))
			return &rates[i];
	return NULL;
}

struct rate rate_below(enum rate_kind k, struct rate p)
{
	struct rate r = p;
	int burst = p.burst ? p.burst : p.number;

	if (k == RATE_DOMAIN || k == RATE_SET || k == RATE_FAILURES)
		r.burst = MAX(burst - MAX(burst / 20, 1), 1);
	else
		r.burst = MAX(burst * 4 / 5, 1);
	/* slow ones refill as the authority's do: staying one behind is enough */
	if (!rate_is_slow(k))
		r.number = MAX(p.number * 4 / 5, 1);
	return r;
}

static int64_t full(struct rate r)
{
	return 1000 * (int64_t)(r.burst ? r.burst : r.number);
}

void rate_fill(struct rate_bucket *b, struct rate r, int64_t now_ms)
{
	int64_t passed = now_ms - b->at_ms, most = r.period_ms * (full(r) / (1000 * (int64_t)r.number) + 1), more;

	if (!b->at_ms || passed >= most) {
		*b = (struct rate_bucket){ full(r), now_ms };
		return;
	}
	if (passed <= 0) {
		b->at_ms = now_ms; /* the clock went back: nothing is filled, nothing is lost for long */
		return;
	}
	more = passed * r.number * 1000 / r.period_ms;
	b->level += more;
	/* what is less than a thousandth is counted the next time */
	b->at_ms += more * r.period_ms / (1000 * (int64_t)r.number);
	if (b->level >= full(r))
		*b = (struct rate_bucket){ full(r), now_ms };
}

int64_t rate_wait(const struct rate_bucket *b, struct rate r)
{
	if (b->level >= 1000)
		return 0;
	return ((1000 - b->level) * r.period_ms + 1000 * (int64_t)r.number - 1) / (1000 * (int64_t)r.number);
}
