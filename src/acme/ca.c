/* SPDX-License-Identifier: Apache-2.0 */
/* ca.c - see ca.h. */
#include "acme/private.h"

#include "base/limits.h"

#include <pthread.h>

#define DIRECTORY_AGE_MS DAY_MS

struct nonce {
	char *text;
	int64_t boot_ms;
};

struct acme_ca {
	struct acme_ca *next;
	struct url url;
	pthread_mutex_t lock;
	struct nonce nonces[LIMIT_NONCES]; /* oldest first */
	size_t n_nonces;
	struct acme_directory directory; /* new_order NULL = none */
	int64_t directory_boot_ms;
	int64_t skew_ms;
};

struct acme_cas {
	pthread_mutex_t lock;
	struct acme_ca *first;
};

struct acme_cas *acme_cas_new(void)
{
	struct acme_cas *c = xcalloc(1, sizeof *c);

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void ca_free(struct acme_ca *ca)
{
	for (size_t i = 0; i < ca->n_nonces; i++)
		free(ca->nonces[i].text);
	acme_directory_clear(&ca->directory);
	url_done(&ca->url);
	pthread_mutex_destroy(&ca->lock);
	free(ca);
}

void acme_cas_free(struct acme_cas *c)
{
	if (!c)
		return;
	while (c->first) {
		struct acme_ca *next = c->first->next;

		ca_free(c->first);
		c->first = next;
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct acme_ca *find(struct acme_cas *c, const char *url)
{
	for (struct acme_ca *ca = c->first; ca; ca = ca->next)
		if (streq(ca->url.text, url))
			return ca;
	return NULL;
}

int acme_ca_get(struct acme_cas *c, const char *directory_url, struct acme_ca **ret, struct err *err)
{
	_cleanup_url_ struct url u = { 0 };
	struct acme_ca *ca;

	if (url_parse(directory_url, false, &u, err) < 0)
		return err_wrap(err, "could not use the directory URL");
	pthread_mutex_lock(&c->lock);
	ca = find(c, directory_url);
	if (!ca) {
		ca = xcalloc(1, sizeof *ca);
		pthread_mutex_init(&ca->lock, NULL);
		ca->url = TAKE(u);
		ca->next = c->first;
		c->first = ca;
	}
	pthread_mutex_unlock(&c->lock);
	*ret = ca;
	return 0;
}

const char *acme_ca_url(const struct acme_ca *ca)
{
	return ca->url.text;
}

const struct url *acme_ca_parsed(const struct acme_ca *ca)
{
	return &ca->url;
}

/* ---- nonces ---- */

bool acme_nonce_usable(const char *nonce)
{
	size_t n = nonce ? strnlen(nonce, 513) : 0;

	return n && n <= 512 && str_is_base64url(nonce, n);
}

static void drop_oldest(struct acme_ca *ca, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(ca->nonces[i].text);
	memmove(ca->nonces, ca->nonces + n, (ca->n_nonces - n) * sizeof ca->nonces[0]);
	ca->n_nonces -= n;
}

static void drop_stale(struct acme_ca *ca, int64_t boot_ms)
{
	size_t n = 0;

	while (n < ca->n_nonces && boot_ms - ca->nonces[n].boot_ms > LIMIT_NONCE_AGE_S * SECOND_MS)
		n++;
	if (n)
		drop_oldest(ca, n);
}

char *acme_nonce_take(struct acme_ca *ca, int64_t boot_ms)
{
	char *text = NULL;

	pthread_mutex_lock(&ca->lock);
	drop_stale(ca, boot_ms);
	if (ca->n_nonces)
		text = ca->nonces[--ca->n_nonces].text;
	pthread_mutex_unlock(&ca->lock);
	return text;
}

void acme_nonce_put(struct acme_ca *ca, const char *nonce, int64_t boot_ms)
{
	if (!acme_nonce_usable(nonce))
		return;
	pthread_mutex_lock(&ca->lock);
	drop_stale(ca, boot_ms);
	for (size_t i = 0; i < ca->n_nonces; i++)
		if (streq(ca->nonces[i].text, nonce)) {
			pthread_mutex_unlock(&ca->lock);
			return;
		}
	if (ca->n_nonces == LIMIT_NONCES)
		drop_oldest(ca, 1);
	ca->nonces[ca->n_nonces++] = (struct nonce){ xstrdup(nonce), boot_ms };
	pthread_mutex_unlock(&ca->lock);
}

size_t acme_ca_nonces(struct acme_ca *ca)
{
	size_t n;

	pthread_mutex_lock(&ca->lock);
	n = ca->n_nonces;
	pthread_mutex_unlock(&ca->lock);
	return n;
}

/* ---- directory ---- */

bool acme_ca_directory(struct acme_ca *ca, int64_t boot_ms, struct acme_directory *ret)
{
	bool fresh;

	pthread_mutex_lock(&ca->lock);
	fresh = ca->directory.new_order && boot_ms - ca->directory_boot_ms < DIRECTORY_AGE_MS;
	if (fresh)
		acme_directory_copy(ret, &ca->directory);
	pthread_mutex_unlock(&ca->lock);
	return fresh;
}

void acme_ca_keep_directory(struct acme_ca *ca, int64_t boot_ms, const struct acme_directory *d)
{
	pthread_mutex_lock(&ca->lock);
	acme_directory_clear(&ca->directory);
	acme_directory_copy(&ca->directory, d);
	ca->directory_boot_ms = boot_ms;
	pthread_mutex_unlock(&ca->lock);
}

void acme_ca_forget_directory(struct acme_ca *ca)
{
	pthread_mutex_lock(&ca->lock);
	acme_directory_clear(&ca->directory);
	pthread_mutex_unlock(&ca->lock);
}

/* ---- the CA's clock ---- */

void acme_ca_note_date(struct acme_ca *ca, const char *date, int64_t now_ms)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	int64_t at;

	if (!date || clock_parse_http(date, now_ms, &at, &ignored) < 0)
		return;
	pthread_mutex_lock(&ca->lock);
	ca->skew_ms = at - now_ms;
	pthread_mutex_unlock(&ca->lock);
}

int64_t acme_ca_skew_ms(struct acme_ca *ca)
{
	int64_t ms;

	pthread_mutex_lock(&ca->lock);
	ms = ca->skew_ms;
	pthread_mutex_unlock(&ca->lock);
	return ms;
}
