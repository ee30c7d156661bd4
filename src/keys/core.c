/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.c - what each call does with keys in clear. JWS: RFC 7515 and RFC 8555 6.2; external account binding: 7.3.4; key
 * change: 7.3.5.
 *
 * The plain text of a sealed value: 'K', purpose, origin with its length in two bytes, packed key; or 'S' and the secret.
 * So a secret can never be used as a key, nor a key be handed out as a credential.
 */
#include "keys/core.h"

#include "base/addr.h"
#include "base/base64.h"
#include "base/idn.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/ulid.h"
#include "crypto/private.h"
#include "crypto/x509.h"
#include "keys/cache.h"

#define SECRET_MAX (64 * 1024)
#define PLAIN_MAX (SECRET_MAX + 1024)
#define SEALED_MAX (PLAIN_MAX + 256)
#define TEXT_OUT_MAX (512 * 1024)
#define URL_MAX LIMIT_CA_URL
#define SELF_SIGNED_DAYS_MAX 3650

struct core {
	struct ring *ring;
	struct cache *cache;
};

struct core *core_new(struct ring *ring)
{
	struct core *c = xcalloc(1, sizeof *c);

	c->ring = ring;
	c->cache = cache_new();
	return c;
}

void core_free(struct core *c)
{
	if (!c)
		return;
	cache_free(c->cache);
	ring_free(c->ring);
	free(c);
}

static struct bytes take_bytes(struct buf *b)
{
	size_t n = b->n;

	return (struct bytes){ buf_take(b), n };
}

static struct key_place place_of(const struct wire_handle *h)
{
	return (struct key_place){ h->table, h->id, h->column };
}

/* --- origins --- */

/* "https://Host:443/x" to "https://host:443": what an account key is bound to. */
static int url_origin(const char *url, char **ret, struct err *err)
{
	const char *host, *end, *port;
	bool https = url && str_starts(url, "https://");
	size_t n;

	if (!url || strlen(url) > URL_MAX || (!https && !str_starts(url, "http://")))
		return err_set(err, ERR_INVALID, "a URL of an authority begins with https://");
	for (const unsigned char *p = (const unsigned char *)url; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '\\')
			return err_set(err, ERR_INVALID, "a URL of an authority has a character that no URL has");
	host = strstr(url, "://") + 3;
	end = host + strcspn(host, "/?#");
	n = (size_t)(end - host);
	if (!n || n > LIMIT_NAME + 8 || memchr(host, '@', n))
		return err_set(err, ERR_INVALID, "a URL of an authority has no host, or a user name before it");
	port = memrchr(host, ':', n);
	if (port && memchr(port, ']', (size_t)(end - port)))
		port = NULL; /* a colon of an IPv6 address */
	if (port && (port + 1 == end || port == host || end - port > 6 ||
		     strspn(port + 1, "0123456789") < (size_t)(end - port - 1)))
		return err_set(err, ERR_INVALID, "a URL of an authority has a bad port");
	n = (size_t)((port ? port : end) - host);
	*ret = port ? xasprintf("%s://%.*s:%.*s", https ? "https" : "http", (int)n, host, (int)(end - port - 1), port + 1)
		    : xasprintf("%s://%.*s:%s", https ? "https" : "http", (int)n, host, https ? "443" : "80");
	str_lower(*ret);
	return 0;
}

static int check_origin(const struct opened *o, const char *url, struct err *err)
{
	_cleanup_free_ char *origin = NULL;

	if (url_origin(url, &origin, err) < 0)
		return -(int)err->code;
	if (!o->origin || !streq(origin, o->origin))
		return err_set(err, ERR_DENIED, "the account key is for '%s' and signs nothing for '%s'",
			       o->origin ? o->origin : "", origin);
	return 0;
}

/* --- opening --- */

static int broken_plain(const struct wire_handle *h, struct err *err)
{
	return err_set(err, ERR_NEEDS_PERSON, "the sealed value at %s/%s/%s has unknown contents", h->table, h->id,
		       h->column);
}

static int check_handle(const struct wire_handle *h, struct err *err)
{
	struct key_place at = place_of(h);

	if (place_check(&at, err) < 0)
		return -(int)err->code;
	if (!h->sealed.p || h->sealed.n > SEALED_MAX)
		return err_set(err, ERR_NEEDS_PERSON, "the sealed value at %s/%s/%s is %s", h->table, h->id, h->column,
			       h->sealed.p ? "too long" : "not there: it was destroyed");
	return 0;
}

static int plain_to_opened(const struct wire_handle *h, const struct secret *plain, struct opened *o, struct err *err)
{
	const unsigned char *p = plain->p;
	size_t origin_n;

	if (plain->n < 4 || p[0] != 'K' || p[1] >= key_purpose_count)
		return plain->n && p[0] == 'S'
			       ? err_set(err, ERR_DENIED, "the sealed value at %s/%s/%s is a secret, not a key",
					 h->table, h->id, h->column)
			       : broken_plain(h, err);
	origin_n = (size_t)p[2] << 8 | p[3];
	if (origin_n > plain->n - 4)
		return broken_plain(h, err);
	if (pkey_unpack(p + 4 + origin_n, plain->n - 4 - origin_n, &o->key, err) < 0)
		return err_wrap(err, "could not open the key at %s/%s/%s", h->table, h->id, h->column);
	o->purpose = (enum key_purpose)p[1];
	o->origin = origin_n ? xstrndup((const char *)p + 4, origin_n) : NULL;
	return 0;
}

static void describe(struct opened *o)
{
	o->type = pkey_text(o->key);
	o->jwk = pkey_jwk(o->key);
	pkey_public_hash(o->key, o->public_hash);
}

static void handle_id(const struct wire_handle *h, unsigned char id[SHA256_LEN])
{
	struct buf b = BUF_MAX(SEALED_MAX + 512);

	buf_addf(&b, "%s/%s/%s/", h->table, h->id, h->column);
	buf_add(&b, h->sealed.p, h->sealed.n);
	sha256(b.p, b.n, id);
	buf_done(&b);
}

/* A reference, to be given back with cache_unref. */
static int open_key(struct core *c, const struct wire_handle *h, struct opened **ret, struct err *err)
{
	_cleanup_secret_ struct secret plain = { 0 };
	struct key_place at = place_of(h);
	unsigned char id[SHA256_LEN];
	struct opened *o;

	if (check_handle(h, err) < 0)
		return -(int)err->code;
	handle_id(h, id);
	*ret = cache_get(c->cache, id);
	if (*ret)
		return 0;
	if (ring_unseal(c->ring, &at, h->sealed.p, h->sealed.n, &plain, err) < 0)
		return -(int)err->code;
	o = xcalloc(1, sizeof *o);
	memcpy(o->id, id, sizeof id);
	if (plain_to_opened(h, &plain, o, err) < 0) {
		opened_free(o);
		return -(int)err->code;
	}
	describe(o);
	*ret = cache_put(c->cache, o);
	return 0;
}

static int open_for(struct core *c, const struct wire_handle *h, enum key_purpose purpose, struct opened **ret,
		    struct err *err)
{
	if (open_key(c, h, ret, err) < 0)
		return -(int)err->code;
	if ((*ret)->purpose == purpose)
		return 0;
	err_set(err, ERR_DENIED, "the key at %s/%s/%s is of purpose '%s' and is not used for '%s'", h->table, h->id,
		h->column, key_purpose_text((*ret)->purpose), key_purpose_text(purpose));
	cache_unref(c->cache, *ret);
	*ret = NULL;
	return -(int)err->code;
}

static int open_secret(struct core *c, const struct wire_handle *h, struct secret *ret, struct err *err)
{
	_cleanup_secret_ struct secret plain = { 0 };
	struct key_place at = place_of(h);

	if (check_handle(h, err) < 0 || ring_unseal(c->ring, &at, h->sealed.p, h->sealed.n, &plain, err) < 0)
		return -(int)err->code;
	if (plain.n && plain.p[0] == 'K')
		return err_set(err, ERR_DENIED,
			       "the sealed value at %s/%s/%s is a private key, which is not handed out as a credential",
			       h->table, h->id, h->column);
	if (plain.n < 2 || plain.p[0] != 'S')
		return broken_plain(h, err);
	*ret = secret_copy(plain.p + 1, plain.n - 1);
	return 0;
}

/* --- keys --- */

static void fill_public(const struct opened *o, struct key_reply *ret)
{
	char thumbprint[SHA256_B64] = "";

	if (o->jwk)
		sha256_base64url(o->jwk, strlen(o->jwk), thumbprint);
	ret->type = xstrdup(o->type.s);
	ret->public_hash = xstrdup(o->public_hash);
	ret->thumbprint = xstrdup(thumbprint);
	ret->jwk = xstrdup_null(o->jwk);
}

static int seal_key(struct core *c, const struct wire_handle *to, EVP_PKEY *key, int64_t purpose, const char *origin,
		    struct buf *out, struct err *err)
{
	_cleanup_buf_wipe_ struct buf plain = BUF_MAX(PLAIN_MAX);
	_cleanup_secret_ struct secret packed = { 0 };
	size_t origin_n = origin ? strlen(origin) : 0;
	struct key_place at = place_of(to);

	if (pkey_pack(key, &packed, err) < 0)
		return -(int)err->code;
	buf_add_char(&plain, 'K');
	buf_add_char(&plain, (char)purpose);
	buf_add_char(&plain, (char)(origin_n >> 8));
	buf_add_char(&plain, (char)origin_n);
	buf_add(&plain, origin, origin_n);
	buf_add(&plain, packed.p, packed.n);
	if (buf_check(&plain, err) < 0)
		return -(int)err->code;
	return ring_seal(c->ring, &at, &(struct secret){ (unsigned char *)plain.p, plain.n }, out, err);
}

static void keep_open(struct core *c, const struct wire_handle *to, const struct buf *sealed, struct opened *take_o)
{
	struct wire_handle h = { .table = to->table, .id = to->id, .column = to->column };
	struct opened *o = xcalloc(1, sizeof *o);

	*o = TAKE(*take_o);
	o->purpose = KEY_CERTIFICATE;
	h.sealed = (struct bytes){ sealed->p, sealed->n };
	handle_id(&h, o->id);
	cache_unref(c->cache, cache_put(c->cache, o));
}

static int add_key(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	_cleanup_buf_ struct buf sealed = BUF_MAX(SEALED_MAX);
	_cleanup_free_ char *origin = NULL;
	struct key_place to = place_of(&q->other);
	struct opened o = { 0 };
	int r;

	if (place_check(&to, err) < 0)
		return -(int)err->code;
	if (q->purpose < 0 || q->purpose >= key_purpose_count || q->type < 0 || q->type >= key_type_count)
		return err_set(err, ERR_INVALID, "unknown purpose or type of a key");
	if ((q->purpose == KEY_ACCOUNT) != !!q->directory_url)
		return err_set(err, ERR_INVALID,
			       "account keys, and only these, are bound to the directory of an authority");
	if (q->directory_url && url_origin(q->directory_url, &origin, err) < 0)
		return -(int)err->code;
	r = q->op == OP_GENERATE ? pkey_generate((enum key_type)q->type, &o.key, err)
				 : pkey_from_pem(q->data.p ? q->data.p : "", q->data.n, &o.key, err);
	if (r < 0)
		return r;
	if (q->purpose == KEY_ACCOUNT && !pkey_jws_alg(o.key))
		r = err_set(err, ERR_INVALID, "a key of type %s cannot be an account key", pkey_text(o.key).s);
	if (r == 0)
		r = seal_key(c, &q->other, o.key, q->purpose, origin, &sealed, err);
	if (r == 0) {
		describe(&o);
		fill_public(&o, ret);
		if (q->op == OP_GENERATE && q->purpose == KEY_CERTIFICATE)
			keep_open(c, &q->other, &sealed, &o); /* its CSR comes next */
		ret->bytes = take_bytes(&sealed);
	}
	free(o.jwk);
	pkey_done(&o.key);
	return r;
}

static int do_public(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	struct opened *o;

	if (open_key(c, &q->key, &o, err) < 0)
		return -(int)err->code;
	fill_public(o, ret);
	cache_unref(c->cache, o);
	return 0;
}

static int do_reseal(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_MAX(SEALED_MAX);
	_cleanup_secret_ struct secret plain = { 0 };
	struct key_place at = place_of(&q->key);

	if (check_handle(&q->key, err) < 0 ||
	    ring_unseal(c->ring, &at, q->key.sealed.p, q->key.sealed.n, &plain, err) < 0 ||
	    ring_seal(c->ring, &at, &plain, &out, err) < 0)
		return -(int)err->code;
	ret->bytes = take_bytes(&out);
	return 0;
}

/* --- JWS --- */

static json_t *text64(const void *p, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_MAX(TEXT_OUT_MAX);

	base64url_encode(&b, p, n);
	return json_stringn(buf_text(&b), b.n);
}

/* {"protected","payload","signature"} by a key, or by an HMAC secret when key is NULL. */
static int jws(EVP_PKEY *key, const struct secret *mac, const json_t *head, const char *payload, char **ret,
	       struct err *err)
{
	_cleanup_free_ char *head_text = json_text(head);
	_cleanup_buf_ struct buf in = BUF_MAX(TEXT_OUT_MAX), sig = BUF_MAX(2048);
	_cleanup_json_ json_t *out = NULL;
	unsigned char tag[SHA256_LEN];

	base64url_encode(&in, head_text, strlen(head_text));
	buf_add_char(&in, '.');
	base64url_encode(&in, payload, strlen(payload));
	if (buf_check(&in, err) < 0)
		return err_wrap(err, "could not sign the request");
	if (key) {
		if (pkey_jws_sign(key, in.p, in.n, &sig, err) < 0)
			return -(int)err->code;
	} else {
		hmac_sha256(mac->p, mac->n, in.p, in.n, tag);
		buf_add(&sig, tag, sizeof tag);
	}
	out = json_object();
	json_object_set_new(out, "protected", text64(head_text, strlen(head_text)));
	json_object_set_new(out, "payload", text64(payload, strlen(payload)));
	json_object_set_new(out, "signature", text64(sig.p, sig.n));
	*ret = json_text(out);
	return 0;
}

static json_t *jwk_json(const struct opened *o)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	json_t *j = NULL;
	int r = json_parse(o->jwk, strlen(o->jwk), &j, &ignored);

	assert(r == 0); /* our own text */
	return j;
}

/* Text of others in a header: bounded, and printable ASCII. */
static int check_text(const char *what, const char *s, size_t max, struct err *err)
{
	size_t n = s ? strlen(s) : 0;

	if (!n || n > max)
		return err_set(err, ERR_INVALID, "the %s is missing or longer than %zu bytes", what, max);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e)
			return err_set(err, ERR_INVALID, "the %s has a character that is not printable", what);
	return 0;
}

/* Protected header with the members that are not NULL; kid NULL embeds the key. */
static int sign_with(const struct opened *o, const char *url, const char *nonce, const char *kid, const char *payload,
		     char **ret, struct err *err)
{
	_cleanup_json_ json_t *head = json_object();
	const char *alg = pkey_jws_alg(o->key);

	if (!alg || !o->jwk)
		return err_set(err, ERR_INVALID, "a key of type %s cannot sign for an ACME account", o->type.s);
	if (nonce && (strlen(nonce) > URL_MAX || !*nonce || !str_is_base64url(nonce, strlen(nonce))))
		return err_set(err, ERR_INVALID, "the nonce is empty, too long or not base64url");
	if (check_text("URL", url, URL_MAX, err) < 0 || (kid && check_text("key id", kid, URL_MAX, err) < 0))
		return -(int)err->code;
	json_object_set_new(head, "alg", json_string(alg));
	if (kid)
		json_object_set_new(head, "kid", json_string(kid));
	else
		json_object_set_new(head, "jwk", jwk_json(o));
	if (nonce)
		json_object_set_new(head, "nonce", json_string(nonce));
	json_object_set_new(head, "url", json_string(url));
	return jws(o->key, NULL, head, payload, ret, err);
}

/*
 * The only thing that a certificate's key signs in ACME's form is the revocation of a certificate that was issued for it (RFC 8555
 * 7.6): the payload is looked at here, so that no caller can have anything else signed.
 */
static int check_own_end(const struct opened *o, const struct key_request *q, struct err *err)
{
	_cleanup_json_ json_t *payload = NULL;
	_cleanup_buf_ struct buf der = BUF_MAX(LIMIT_CA_CHAIN);
	_cleanup_chain_ struct chain chain = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	const char *text;

	if (json_parse(q->payload, strlen(q->payload), &payload, &why) < 0)
		return err_set(err, ERR_DENIED, "a certificate's key signs revocations only");
	text = json_string_value(json_object_get(payload, "certificate"));
	if (q->kid || !text || json_object_size(payload) > 1 + (json_object_get(payload, "reason") != NULL))
		return err_set(err, ERR_DENIED, "a certificate's key signs revocations only");
	if (base64url_decode(&der, text, strlen(text), err) < 0 || chain_parse_der(der.p, der.n, &chain, err) < 0)
		return err_wrap(err, "could not read the certificate that is to be revoked");
	if (!streq(chain.v[0].info.public_hash, o->public_hash))
		return err_set(err, ERR_DENIED, "the certificate that is to be revoked was not issued for this key");
	return 0;
}

static int do_sign_jws(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	struct opened *o;
	char *text = NULL;
	int r;

	if (!q->payload || !q->nonce)
		return err_set(err, ERR_INVALID, "a request to an authority needs a payload and a nonce");
	if (open_key(c, &q->key, &o, err) < 0)
		return -(int)err->code;
	if (o->purpose == KEY_CERTIFICATE)
		r = check_own_end(o, q, err);
	else if (o->purpose == KEY_ACCOUNT)
		r = check_origin(o, q->url, err);
	else
		r = err_set(err, ERR_DENIED, "the key is of purpose '%s' and signs nothing for an authority", key_purpose_text(o->purpose));
	if (r == 0)
		r = sign_with(o, q->url, q->nonce, q->kid, q->payload, &text, err);
	cache_unref(c->cache, o);
	ret->text = text;
	return r;
}

static int do_eab(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	_cleanup_buf_wipe_ struct buf mac = BUF_MAX(SECRET_MAX);
	_cleanup_secret_ struct secret text = { 0 };
	_cleanup_json_ json_t *head = json_object();
	_cleanup_err_ struct err why = ERR_INIT;
	struct opened *o;
	char *out = NULL;
	int r;

	if (check_text("key id of the external account", q->kid, LIMIT_TEXT, err) < 0 ||
	    open_secret(c, &q->other, &text, err) < 0)
		return -(int)err->code;
	if (base64_decode_any(&mac, (char *)text.p, text.n, &why) < 0 || !mac.n)
		return err_set(err, ERR_INVALID, "the HMAC key of the external account is not base64url text");
	if (open_for(c, &q->key, KEY_ACCOUNT, &o, err) < 0)
		return -(int)err->code;
	r = check_origin(o, q->url, err);
	if (r == 0) {
		json_object_set_new(head, "alg", json_string("HS256"));
		json_object_set_new(head, "kid", json_string(q->kid));
		json_object_set_new(head, "url", json_string(q->url));
		r = jws(NULL, &(struct secret){ (unsigned char *)mac.p, mac.n }, head, o->jwk, &out, err);
	}
	cache_unref(c->cache, o);
	ret->text = out;
	return r;
}

/* q->kid is the account URL. */
static int rollover(const struct opened *old, const struct opened *new, const struct key_request *q, char **ret,
		    struct err *err)
{
	_cleanup_json_ json_t *payload = json_object();
	_cleanup_free_ char *payload_text = NULL, *inner = NULL;

	if (check_origin(old, q->url, err) < 0 || check_origin(new, q->url, err) < 0)
		return -(int)err->code;
	if (streq(old->public_hash, new->public_hash))
		return err_set(err, ERR_INVALID, "the new account key is the old one");
	json_object_set_new(payload, "account", json_string(q->kid));
	json_object_set_new(payload, "oldKey", jwk_json(old));
	payload_text = json_text(payload);
	if (sign_with(new, q->url, NULL, NULL, payload_text, &inner, err) < 0)
		return -(int)err->code;
	return sign_with(old, q->url, q->nonce, q->kid, inner, ret, err);
}

static int do_rollover(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	struct opened *old = NULL, *new = NULL;
	char *text = NULL;
	int r;

	if (!q->nonce || check_text("account URL", q->kid, URL_MAX, err) < 0)
		return err_is(err) ? -(int)err->code : err_set(err, ERR_INVALID, "a key change needs a nonce");
	r = open_for(c, &q->key, KEY_ACCOUNT, &old, err);
	if (r == 0)
		r = open_for(c, &q->other, KEY_ACCOUNT, &new, err);
	if (r == 0)
		r = rollover(old, new, q, &text, err);
	cache_unref(c->cache, old);
	cache_unref(c->cache, new);
	ret->text = text;
	return r;
}

/* --- certificates --- */

static int csr_names(const struct strlist *in, struct strlist *names, struct err *err)
{
	if (!in->n || in->n > LIMIT_NAMES)
		return err_set_field(err, ERR_INVALID, "/names", "a request has 1 to %d names", LIMIT_NAMES);
	for (size_t i = 0; i < in->n; i++) {
		_cleanup_free_ char *name = NULL;
		_cleanup_err_ struct err why = ERR_INIT;
		char field[32];

		if (name_canonical(in->v[i], &name, &why) < 0) {
			snprintf(field, sizeof field, "/names/%zu", i);
			return err_set_field(err, ERR_INVALID, field, "%s", why.detail);
		}
		strlist_add(names, name);
	}
	strlist_sort_unique(names);
	return 0;
}

static int csr_subject(const struct key_request *q, const struct strlist *names, struct csr_subject *ret,
		       struct err *err)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_free_ char *cn = NULL;
	const struct csr_subject borrowed = {
		(char *)(uintptr_t)q->cn, (char *)(uintptr_t)q->o, (char *)(uintptr_t)q->ou,
		(char *)(uintptr_t)q->c,  (char *)(uintptr_t)q->l, (char *)(uintptr_t)q->st,
	};

	if (csr_subject_check(&borrowed, err) < 0)
		return -(int)err->code;
	if (q->cn && (name_canonical(q->cn, &cn, &ignored) < 0 || !strlist_has(names, cn)))
		return err_set_field(err, ERR_INVALID, "/subject/cn",
				     "the common name is not one of the names; it can be left out");
	csr_subject_copy(ret, &borrowed);
	return 0;
}

static int do_sign_csr(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	__attribute__((cleanup(csr_subject_clear))) struct csr_subject subject = { 0 };
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_buf_ struct buf der = BUF_MAX(LIMIT_CSR);
	struct opened *o;
	int r;

	if (csr_names(&q->names, &names, err) < 0 || (q->has_subject && csr_subject(q, &names, &subject, err) < 0) ||
	    open_for(c, &q->key, KEY_CERTIFICATE, &o, err) < 0)
		return -(int)err->code;
	r = csr_build(o->key, &names, q->has_subject ? &subject : NULL, q->must_staple, &der, err);
	cache_unref(c->cache, o);
	if (r < 0)
		return r;
	ret->bytes = take_bytes(&der);
	return 0;
}

static bool one_label(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-'))
			return false;
	return true;
}

static int server_names(const struct strlist *in, struct strlist *names, struct err *err)
{
	if (!in->n || in->n > LIMIT_NAMES)
		return err_set(err, ERR_INVALID, "a server certificate has 1 to %d names", LIMIT_NAMES);
	for (size_t i = 0; i < in->n; i++) {
		_cleanup_err_ struct err why = ERR_INIT, not_ip = ERR_INIT;
		_cleanup_free_ char *name = NULL;
		union addr addr;

		if (addr_parse_ip(in->v[i], &addr, &not_ip) == 0) {
			char text[ADDR_TEXT];

			addr_format_ip(&addr, text);
			if (!strlist_has(names, text))
				strlist_add(names, text);
			continue;
		}
		name = xstrdup(in->v[i]);
		str_lower(name);
		if (!one_label(name)) {
			free(name);
			name = NULL;
			if (name_canonical(in->v[i], &name, &why) < 0)
				return err_set(err, ERR_INVALID, "%s", why.detail);
		}
		if (!strlist_has(names, name))
			strlist_add(names, name);
	}
	return 0;
}

static int do_self_signed(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_buf_ struct buf pem = BUF_MAX(LIMIT_CA_CHAIN);
	struct opened *o;
	int r;

	if (q->days < 1 || q->days > SELF_SIGNED_DAYS_MAX)
		return err_set(err, ERR_INVALID, "a self-signed certificate lasts 1 to %d days", SELF_SIGNED_DAYS_MAX);
	if (server_names(&q->names, &names, err) < 0 || open_for(c, &q->key, KEY_TLS, &o, err) < 0)
		return -(int)err->code;
	r = cert_self_signed(o->key, &names, q->now_ms, q->days, &pem, err);
	cache_unref(c->cache, o);
	if (r < 0)
		return r;
	ret->text = buf_take(&pem);
	return 0;
}

static int do_tls_sign(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	static const enum pkey_scheme schemes[] = {
		[TLS_ECDSA] = PKEY_ECDSA, [TLS_RSA_PKCS1] = PKEY_RSA_PKCS1, [TLS_RSA_PSS] = PKEY_RSA_PSS
	};
	_cleanup_buf_ struct buf sig = BUF_MAX(2048);
	struct opened *o;
	int r;

	if (q->scheme < 0 || q->scheme >= (int64_t)ARRAY_SIZE(schemes) || q->digest < 0 || q->digest > DIGEST_SHA512 ||
	    !q->data.p)
		return err_set(err, ERR_INVALID, "unknown signature scheme or digest");
	if (open_key(c, &q->key, &o, err) < 0)
		return -(int)err->code;
	if (o->purpose != KEY_TLS && o->purpose != KEY_CERTIFICATE) { /* the page may be served with a certificate we manage */
		err_set(err, ERR_DENIED, "the key at %s/%s/%s is of purpose '%s' and signs no handshake", q->key.table, q->key.id, q->key.column,
			key_purpose_text(o->purpose));
		cache_unref(c->cache, o);
		return -(int)err->code;
	}
	r = pkey_tls_sign(o->key, schemes[q->scheme], (enum digest)q->digest, q->is_digest, q->data.p, q->data.n, &sig,
			  err);
	cache_unref(c->cache, o);
	if (r < 0)
		return r;
	ret->bytes = take_bytes(&sig);
	return 0;
}

/* --- secrets --- */

static int do_seal(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	_cleanup_buf_wipe_ struct buf plain = BUF_MAX(PLAIN_MAX);
	_cleanup_buf_ struct buf out = BUF_MAX(SEALED_MAX);
	struct key_place to = place_of(&q->other);

	if (!q->data.n || q->data.n > SECRET_MAX)
		return err_set(err, ERR_INVALID, "a secret has 1 to %d bytes", SECRET_MAX);
	buf_add_char(&plain, 'S');
	buf_add(&plain, q->data.p, q->data.n);
	if (ring_seal(c->ring, &to, &(struct secret){ (unsigned char *)plain.p, plain.n }, &out, err) < 0)
		return -(int)err->code;
	ret->bytes = take_bytes(&out);
	return 0;
}

static int do_open_credential(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	struct secret s = { 0 };

	if (open_secret(c, &q->key, &s, err) < 0)
		return -(int)err->code;
	ret->secret = (struct bytes){ s.p, s.n };
	return 0;
}

static int do_export(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	struct secret pem = { 0 };
	struct opened *o;
	int r;

	if (!q->audit_id || !ulid_valid(q->audit_id))
		return err_set(err, ERR_DENIED, "a private key leaves only with the id of its audit entry");
	if (open_for(c, &q->key, KEY_CERTIFICATE, &o, err) < 0)
		return -(int)err->code;
	r = pkey_to_pem(o->key, &pem, err);
	cache_unref(c->cache, o);
	if (r < 0)
		return r;
	ret->secret = (struct bytes){ pem.p, pem.n };
	return 0;
}

int core_do(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	static int (*const table[OP_COUNT])(struct core *, const struct key_request *, struct key_reply *,
					    struct err *) = {
		[OP_GENERATE] = add_key,     [OP_IMPORT] = add_key,       [OP_PUBLIC] = do_public,
		[OP_RESEAL] = do_reseal,     [OP_SIGN_JWS] = do_sign_jws, [OP_EAB] = do_eab,
		[OP_ROLLOVER] = do_rollover, [OP_SIGN_CSR] = do_sign_csr, [OP_SELF_SIGNED] = do_self_signed,
		[OP_TLS_SIGN] = do_tls_sign, [OP_SEAL] = do_seal,         [OP_OPEN_CREDENTIAL] = do_open_credential,
		[OP_EXPORT] = do_export,
	};

	if (q->op < 0 || q->op >= OP_COUNT)
		return err_set(err, ERR_INVALID, "unknown call of the key module");
	return table[q->op](c, q, ret, err);
}
