/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c - see tls.h. GnuTLS asks for the certificate at each handshake and gets an external key (gnutls_privkey_import_ext4)
 * whose signatures are made by service_identity_sign.
 */
#include "api/tls.h"

#include "base/clock.h"
#include "base/log.h"
#include "service/status.h"
#include "service/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdatomic.h>

#define CHAIN_MAX 8

static struct {
	pthread_rwlock_t lock;
	struct service *service;
	struct service_identity *now;
	_Atomic bool touched; /* a certificate changed */
} tls = { .lock = PTHREAD_RWLOCK_INITIALIZER };

static struct service_identity *current(void)
{
	struct service_identity *i;

	pthread_rwlock_rdlock(&tls.lock);
	i = tls.now ? service_identity_ref(tls.now) : NULL;
	pthread_rwlock_unlock(&tls.lock);
	return i;
}

/* --- the key as GnuTLS sees it ---------------------------------------------------------------------------------------- */

static const struct scheme {
	gnutls_sign_algorithm_t algorithm;
	gnutls_pk_algorithm_t pk;
	enum tls_scheme scheme;
	enum digest digest;
	const char *only; /* a curve's algorithm needs that curve */
} schemes[] = {
	{ GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_PK_ECDSA, TLS_ECDSA, DIGEST_SHA256, "p256" },
	{ GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, GNUTLS_PK_ECDSA, TLS_ECDSA, DIGEST_SHA384, "p384" },
	{ GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_PK_ECDSA, TLS_ECDSA, DIGEST_SHA256, NULL },
	{ GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_PK_ECDSA, TLS_ECDSA, DIGEST_SHA384, NULL },
	{ GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_PK_ECDSA, TLS_ECDSA, DIGEST_SHA512, NULL },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_PK_RSA, TLS_RSA_PSS, DIGEST_SHA256, NULL },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_PK_RSA, TLS_RSA_PSS, DIGEST_SHA384, NULL },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_PK_RSA, TLS_RSA_PSS, DIGEST_SHA512, NULL },
	{ GNUTLS_SIGN_RSA_SHA256, GNUTLS_PK_RSA, TLS_RSA_PKCS1, DIGEST_SHA256, NULL },
	{ GNUTLS_SIGN_RSA_SHA384, GNUTLS_PK_RSA, TLS_RSA_PKCS1, DIGEST_SHA384, NULL },
	{ GNUTLS_SIGN_RSA_SHA512, GNUTLS_PK_RSA, TLS_RSA_PKCS1, DIGEST_SHA512, NULL },
};

static gnutls_pk_algorithm_t pk_of(const struct service_identity *i)
{
	return str_starts(service_identity_key_type(i), "rsa") ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA;
}

static const struct scheme *scheme_for(const struct service_identity *i, gnutls_sign_algorithm_t algorithm)
{
	for (size_t k = 0; k < ARRAY_SIZE(schemes); k++)
		if (schemes[k].algorithm == algorithm && schemes[k].pk == pk_of(i) &&
		    (!schemes[k].only || streq(schemes[k].only, service_identity_key_type(i))))
			return &schemes[k];
	return NULL;
}

/*
 * GnuTLS hashes by itself. For RSA with PKCS#1 it hands over the whole DigestInfo (RFC 8017 9.2), whose last bytes are the
 * digest; 19 bytes stand before it for every SHA-2.
 */
static const struct scheme *raw_rsa(const gnutls_datum_t *info, const unsigned char **ret, size_t *ret_n)
{
	static const struct {
		size_t n;
		gnutls_sign_algorithm_t algorithm;
	} kinds[] = { { 32, GNUTLS_SIGN_RSA_SHA256 }, { 48, GNUTLS_SIGN_RSA_SHA384 }, { 64, GNUTLS_SIGN_RSA_SHA512 } };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (info->size == 19 + kinds[k].n && info->data[17] == 0x04 && info->data[18] == kinds[k].n) {
			*ret = info->data + 19;
			*ret_n = kinds[k].n;
			for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
				if (schemes[i].algorithm == kinds[k].algorithm)
					return &schemes[i];
		}
	return NULL;
}

static int sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata, unsigned flags,
		     const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	const struct service_identity *i = userdata;
	const unsigned char *hash = data->data;
	size_t hash_n = data->size, n = 0;
	const struct scheme *scheme = algorithm == GNUTLS_SIGN_RSA_RAW ? raw_rsa(data, &hash, &hash_n) : scheme_for(i, algorithm);
	_cleanup_err_ struct err err = ERR_INIT;
	unsigned char *sig = NULL;

	(void)key;
	(void)flags;
	if (!scheme)
		return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM;
	if (service_identity_sign(i, scheme->scheme, scheme->digest, hash, hash_n, &sig, &n, &err) < 0) {
		log_err(LOG_ERROR, "could not sign a TLS handshake", &err);
		return GNUTLS_E_PK_SIGN_FAILED;
	}
	signature->data = gnutls_malloc(n);
	if (!signature->data)
		abort();
	memcpy(signature->data, sig, n);
	signature->size = (unsigned)n;
	free(sig);
	return 0;
}

static int key_info(gnutls_privkey_t key, unsigned flags, void *userdata)
{
	const struct service_identity *i = userdata;
	const char *type = service_identity_key_type(i);

	(void)key;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return scheme_for(i, GNUTLS_FLAGS_TO_SIGN_ALGO(flags)) != NULL;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)pk_of(i);
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return streq(type, "p384") ? 384 : streq(type, "p256") ? 256 : (int)strtol(type + 3, NULL, 10);
	if (flags & GNUTLS_PRIVKEY_INFO_SIGN_ALGO)
		return pk_of(i) == GNUTLS_PK_RSA ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256;
	return -1;
}

static void key_deinit(gnutls_privkey_t key, void *userdata)
{
	(void)key;
	service_identity_unref(userdata);
}

static int on_handshake(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **ret_chain,
			unsigned *ret_n, gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_n, gnutls_privkey_t *ret_key,
			unsigned *flags)
{
	struct service_identity *i = current();
	gnutls_pcert_st *chain = gnutls_calloc(CHAIN_MAX, sizeof *chain);
	gnutls_privkey_t key = NULL;
	unsigned n = CHAIN_MAX;
	gnutls_datum_t pem;

	(void)session;
	(void)info;
	if (!i || !chain)
		goto fail;
	pem.data = (unsigned char *)(uintptr_t)service_identity_chain(i);
	pem.size = (unsigned)strlen(service_identity_chain(i));
	if (gnutls_pcert_list_import_x509_raw(chain, &n, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
		goto fail;
	if (gnutls_privkey_init(&key) < 0)
		goto fail_chain;
	if (gnutls_privkey_import_ext4(key, i, NULL, sign_hash, NULL, key_deinit, key_info, 0) < 0)
		goto fail_chain;
	*ret_chain = chain;
	*ret_n = n;
	*ret_ocsp = NULL;
	*ret_ocsp_n = 0;
	*ret_key = key;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL; /* chain, key, and with the key our reference */
	return 0;

fail_chain:
	for (unsigned k = 0; k < n; k++)
		gnutls_pcert_deinit(&chain[k]);
	if (key)
		gnutls_privkey_deinit(key);
fail:
	gnutls_free(chain);
	service_identity_unref(i);
	return -1;
}

/* --- life cycle ------------------------------------------------------------------------------------------------------- */

int tls_open(struct service *s, struct err *err)
{
	struct service_identity *i = NULL;

	if (service_identity_open(s, &i, err) < 0)
		return err_wrap(err, "could not load the certificate of the API");
	pthread_rwlock_wrlock(&tls.lock);
	assert(!tls.now);
	tls.now = i;
	tls.service = s;
	pthread_rwlock_unlock(&tls.lock);
	return 0;
}

void tls_touched(void)
{
	tls.touched = true;
}

/* Files are looked at each time; a managed certificate when one changed, and each minute, since commits of other nodes are not heard. */
static bool look_now(int64_t now)
{
	static int64_t minute_ms; /* the ticking thread's, as in tls_refresh */

	if (!service_config(tls.service)->tls_certificate)
		return true;
	if (!atomic_exchange(&tls.touched, false) && now < minute_ms)
		return false;
	minute_ms = now + MINUTE_MS;
	return true;
}

void tls_refresh(void)
{
	_cleanup_err_ struct err err = ERR_INIT;
	static int64_t again_ms; /* only the one ticking thread comes here */
	struct service_identity *old = current(), *fresh = NULL;
	int64_t now = clock_boot(&clock_system);

	if (!old)
		return;
	if (now >= again_ms && look_now(now) && service_identity_changed(tls.service, old)) {
		again_ms = now + 10 * SECOND_MS; /* a broken pair is not read, and logged, every second */
		if (service_identity_open(tls.service, &fresh, &err) < 0) {
			log_err(LOG_WARNING, "could not read the changed certificate of the API, the old one stays", &err);
		} else {
			struct service_identity *was;

			pthread_rwlock_wrlock(&tls.lock);
			was = tls.now;
			tls.now = fresh;
			pthread_rwlock_unlock(&tls.lock);
			service_identity_unref(was);
			log_info("certificate of the API was read again", "fingerprint", service_identity_fingerprint(fresh));
		}
	}
	service_identity_unref(old);
}

void tls_close(void)
{
	struct service_identity *i;

	pthread_rwlock_wrlock(&tls.lock);
	i = tls.now;
	tls.now = NULL;
	tls.service = NULL;
	pthread_rwlock_unlock(&tls.lock);
	service_identity_unref(i);
}

char *tls_fingerprint(void)
{
	struct service_identity *i = current();
	char *text = xstrdup(i ? service_identity_fingerprint(i) : "");

	service_identity_unref(i);
	return text;
}

void *tls_certificate_callback(void)
{
	union {
		gnutls_certificate_retrieve_function3 *fn;
		void *p;
	} u = { .fn = on_handshake };

	return u.p;
}

const char *tls_priorities(void)
{
	return "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD";
}
