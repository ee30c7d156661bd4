/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.c - see private.h. The system's CAs are found where OpenSSL looks for them (SSL_CERT_FILE and SSL_CERT_DIR count).
 */
#include "net/private.h"

#include "base/clock.h"
#include "base/limits.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>

#define MAX_OWN 64

struct own_store {
	char *pem;
	X509_STORE *store;
};

struct trust {
	pthread_mutex_t lock;
	char *extra_pem;
	X509_STORE *store;
	struct own_store own[MAX_OWN];
	size_t n_own;
};

/* Adds every certificate of the text; the count, or -1 when a block cannot be read. */
static int add_pem(X509_STORE *store, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)strnlen(pem, 1024 * 1024));
	int n = 0;
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, NULL, (void *)(uintptr_t)""))) {
		X509_STORE_add_cert(store, x);
		X509_free(x);
		n++;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		n = -1;
	ERR_clear_error();
	BIO_free(bio);
	return n;
}

static X509_STORE *store_new(void)
{
	X509_STORE *s = X509_STORE_new();

	assert(s);
	/* What an administrator listed is trusted as it stands, be it a root or not. */
	X509_STORE_set_flags(s, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	return s;
}

int trust_check_pem(const char *pem, struct err *err)
{
	X509_STORE *s = store_new();
	int n = add_pem(s, pem);

	X509_STORE_free(s);
	if (n < 0)
		return err_set(err, ERR_INVALID, "a certificate in the PEM text cannot be read");
	if (!n)
		return err_set(err, ERR_INVALID, "the PEM text holds no certificate");
	return 0;
}

int trust_new(const char *extra_pem, struct trust **ret, struct err *err)
{
	struct trust *t;

	if (extra_pem && trust_check_pem(extra_pem, err) < 0)
		return -(int)err->code;
	t = xcalloc(1, sizeof *t);
	pthread_mutex_init(&t->lock, NULL);
	t->extra_pem = xstrdup_null(extra_pem);
	*ret = t;
	return 0;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_own; i++) {
		free(t->own[i].pem);
		X509_STORE_free(t->own[i].store);
	}
	X509_STORE_free(t->store);
	pthread_mutex_destroy(&t->lock);
	free(t->extra_pem);
	free(t);
}

/* A folder with OpenSSL's hashed names ("4042bcee.0"), as Debian's /etc/ssl/certs. */
static bool is_hashed(const char *path)
{
	DIR *d = opendir(path);
	bool found = false;

	for (struct dirent *e; d && !found && (e = readdir(d));)
		found = strlen(e->d_name) == 10 && strspn(e->d_name, "0123456789abcdef") == 8 && e->d_name[8] == '.';
	if (d)
		closedir(d);
	return found;
}

/* The folder before the bundle: it costs nothing until a root is met, the bundle 40 ms and 1.2 MB. */
static void load_system(X509_STORE *s)
{
	const char *dir = X509_get_default_cert_dir();

	if (!getenv(X509_get_default_cert_file_env()) && !getenv(X509_get_default_cert_dir_env()) && is_hashed(dir))
		X509_STORE_load_path(s, dir);
	else
		X509_STORE_set_default_paths(s);
}

/* Under the lock. A store with a reference of its own. */
static X509_STORE *shared_store(struct trust *t)
{
	if (!t->store) {
		t->store = store_new();
		load_system(t->store);
		if (t->extra_pem)
			add_pem(t->store, t->extra_pem);
		ERR_clear_error();
	}
	X509_STORE_up_ref(t->store);
	return t->store;
}

static X509_STORE *own_store(struct trust *t, const char *pem)
{
	X509_STORE *s;

	for (size_t i = 0; i < t->n_own; i++)
		if (streq(t->own[i].pem, pem)) {
			X509_STORE_up_ref(t->own[i].store);
			return t->own[i].store;
		}
	s = store_new();
	if (add_pem(s, pem) <= 0) {
		X509_STORE_free(s);
		return NULL;
	}
	if (t->n_own < MAX_OWN) {
		X509_STORE_up_ref(s);
		t->own[t->n_own++] = (struct own_store){ xstrdup(pem), s };
	}
	return s;
}

/* ---- what was met ---- */

static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p, *text;
	long n;

	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	n = BIO_get_mem_data(bio, &p);
	text = str_clean(n > 0 ? p : "", n > 0 ? (size_t)n : 0, 512);
	BIO_free(bio);
	return text;
}

static int64_t time_ms(const ASN1_TIME *t)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm))
		return 0;
	return clock_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static char *alternative_names(const X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	_cleanup_buf_ struct buf b = BUF_MAX(2048);

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && i < 100; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_DNS) {
			_cleanup_free_ char *s = str_clean((const char *)ASN1_STRING_get0_data(g->d.dNSName),
							   (size_t)ASN1_STRING_length(g->d.dNSName), 253);
			buf_addf(&b, "%sDNS:%s", b.n ? ", " : "", s);
		} else if (g->type == GEN_IPADD) {
			int n = ASN1_STRING_length(g->d.iPAddress);
			union addr a = { 0 };
			char text[ADDR_TEXT];

			if (n != 4 && n != 16)
				continue;
			a.sa.sa_family = n == 4 ? AF_INET : AF_INET6;
			memcpy(n == 4 ? (void *)&a.in.sin_addr : (void *)&a.in6.sin6_addr, ASN1_STRING_get0_data(g->d.iPAddress),
			       (size_t)n);
			buf_addf(&b, "%sIP:%s", b.n ? ", " : "", addr_format_ip(&a, text));
		}
	}
	GENERAL_NAMES_free(names);
	return buf_take(&b);
}

void http_peer_clear(struct http_peer *p)
{
	free(p->subject);
	free(p->issuer);
	free(p->names);
	*p = (struct http_peer){ 0 };
}

static void peer_fill(struct http_peer *p, const X509 *x)
{
	unsigned char digest[32];
	unsigned n = sizeof digest;

	http_peer_clear(p);
	if (X509_digest(x, EVP_sha256(), digest, &n) == 1)
		for (unsigned i = 0; i < 32; i++)
			snprintf(p->fingerprint + (size_t)i * 2, 3, "%02x", digest[i]);
	p->subject = name_text(X509_get_subject_name(x));
	p->issuer = name_text(X509_get_issuer_name(x));
	p->names = alternative_names(x);
	p->not_before_ms = time_ms(X509_get0_notBefore(x));
	p->not_after_ms = time_ms(X509_get0_notAfter(x));
}

static int verify(X509_STORE_CTX *ctx, void *arg)
{
	struct trust_check *c = arg;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx), *at;
	int r;

	if (!leaf)
		return 0;
	peer_fill(c->peer, leaf);
	if (c->look_only || (*c->fingerprint && streq(c->fingerprint, c->peer->fingerprint))) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (*c->fingerprint) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
		snprintf(c->why, sizeof c->why, "its fingerprint is %s, not the expected one", c->peer->fingerprint);
		return 0;
	}
	r = X509_verify_cert(ctx);
	if (r <= 0) {
		_cleanup_free_ char *issuer = NULL;

		at = X509_STORE_CTX_get_current_cert(ctx);
		issuer = name_text(X509_get_issuer_name(at ? at : leaf));
		snprintf(c->why, sizeof c->why, "%s (issuer met: %.80s)",
			 X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)), issuer);
	}
	return r > 0;
}

bool trust_install(struct trust_check *c, void *ssl_ctx)
{
	X509_STORE *s;

	pthread_mutex_lock(&c->trust->lock);
	s = c->ca_pem ? own_store(c->trust, c->ca_pem) : shared_store(c->trust);
	pthread_mutex_unlock(&c->trust->lock);
	if (!s)
		return false;
	SSL_CTX_set_cert_store(ssl_ctx, s); /* takes our reference */
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, c);
	return true;
}
