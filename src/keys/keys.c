/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - see keys.h: each call as one request, here or in another process. */
#include "keys/keys.h"

#include "base/crash.h"
#include "keys/core.h"
#include "keys/message.h"
#include "keys/remote.h"

#ifndef KEYS_SOCKET
#define KEYS_SOCKET 0
#endif

struct keys {
	struct core *core; /* one of the two */
	struct remote *remote;
	char *check_text;
};

int keys_open(const struct keys_options *o, struct keys **ret, struct err *err)
{
	struct keys *k = xcalloc(1, sizeof *k);
	struct ring *ring = NULL;
	int r;

	if (o->separate || KEYS_SOCKET) {
		r = remote_open(o, &k->remote, &k->check_text, err);
	} else {
		r = ring_open(&o->files, o->check_text, &ring, err);
		if (r == 0) {
			k->check_text = ring_check_text(ring);
			k->core = core_new(ring);
		}
	}
	if (r < 0) {
		free(k);
		return r;
	}
	*ret = k;
	return 0;
}

int keys_try(const struct keys_options *o, struct err *err)
{
	struct ring *ring = NULL;

	if (ring_open(&o->files, o->check_text, &ring, err) < 0)
		return -(int)err->code;
	ring_free(ring);
	return 0;
}

void keys_close(struct keys *k)
{
	if (!k)
		return;
	core_free(k->core);
	remote_close(k->remote);
	free(k->check_text);
	free(k);
}

char *keys_check_text(struct keys *k)
{
	return xstrdup(k->check_text);
}

void key_made_clear(struct key_made *m)
{
	free(m->sealed);
	free(m->jwk);
	*m = (struct key_made){ 0 };
}

static int call(struct keys *k, const struct key_request *q, struct key_reply *ret, struct err *err)
{
	if (FAIL_POINT("crypto"))
		return err_set(err, ERR_INTERNAL, "the operation was made to fail");
	return k->core ? core_do(k->core, q, ret, err) : remote_do(k->remote, q, ret, err);
}

static struct wire_handle from_handle(const struct key_handle *h)
{
	return (struct wire_handle){ h->table, h->id, h->column, { h->sealed, h->n } };
}

static struct wire_handle from_place(const struct key_place *p)
{
	return (struct wire_handle){ p->table, p->id, p->column, { NULL, 0 } };
}

static void *own(const void *p)
{
	return (void *)(uintptr_t)p;
}

/* The reply's bytes, text or secret become the caller's. */
static void take_bytes(struct key_reply *from, unsigned char **ret, size_t *ret_n)
{
	*ret = own(from->bytes.p);
	*ret_n = from->bytes.n;
	from->bytes = (struct bytes){ 0 };
}

static char *take_text(struct key_reply *from)
{
	char *s = own(from->text);

	from->text = NULL;
	return s;
}

static struct secret take_secret(struct key_reply *from)
{
	struct secret s = { own(from->secret.p), from->secret.n };

	from->secret = (struct bytes){ 0 };
	return s;
}

static int call_bytes(struct keys *k, const struct key_request *q, unsigned char **ret, size_t *ret_n, struct err *err)
{
	_cleanup_reply_ struct key_reply reply = { 0 };

	if (call(k, q, &reply, err) < 0)
		return -(int)err->code;
	take_bytes(&reply, ret, ret_n);
	return 0;
}

static int call_text(struct keys *k, const struct key_request *q, char **ret, struct err *err)
{
	_cleanup_reply_ struct key_reply reply = { 0 };

	if (call(k, q, &reply, err) < 0)
		return -(int)err->code;
	*ret = take_text(&reply);
	return 0;
}

static int call_secret(struct keys *k, const struct key_request *q, struct secret *ret, struct err *err)
{
	_cleanup_reply_ struct key_reply reply = { 0 };

	if (call(k, q, &reply, err) < 0)
		return -(int)err->code;
	*ret = take_secret(&reply);
	return 0;
}

static int call_made(struct keys *k, const struct key_request *q, struct key_made *ret, struct err *err)
{
	_cleanup_reply_ struct key_reply reply = { 0 };
	struct key_made m = { 0 };

	if (call(k, q, &reply, err) < 0)
		return -(int)err->code;
	take_bytes(&reply, &m.sealed, &m.sealed_n);
	snprintf(m.type.s, sizeof m.type.s, "%s", reply.type);
	snprintf(m.public_hash, sizeof m.public_hash, "%s", reply.public_hash);
	snprintf(m.thumbprint, sizeof m.thumbprint, "%s", reply.thumbprint);
	m.jwk = own(reply.jwk);
	reply.jwk = NULL;
	*ret = m;
	return 0;
}

int keys_generate(struct keys *k, enum key_purpose purpose, enum key_type type, const struct key_place *to,
		  const char *directory_url, struct key_made *ret, struct err *err)
{
	struct key_request q = { .op = OP_GENERATE,
				 .other = from_place(to),
				 .purpose = purpose,
				 .type = type,
				 .directory_url = directory_url };

	if (call_made(k, &q, ret, err) < 0)
		return err_wrap(err, "could not make a key for %s '%s'", to->table, to->id);
	return 0;
}

int keys_import(struct keys *k, enum key_purpose purpose, const struct secret *pem, const struct key_place *to,
		const char *directory_url, struct key_made *ret, struct err *err)
{
	struct key_request q = { .op = OP_IMPORT,
				 .other = from_place(to),
				 .purpose = purpose,
				 .directory_url = directory_url,
				 .data = { pem->p, pem->n } };

	if (call_made(k, &q, ret, err) < 0)
		return err_wrap(err, "could not import the key");
	return 0;
}

int keys_public(struct keys *k, const struct key_handle *key, struct key_made *ret, struct err *err)
{
	struct key_request q = { .op = OP_PUBLIC, .key = from_handle(key) };

	return call_made(k, &q, ret, err);
}

int keys_reseal(struct keys *k, const struct key_handle *key, unsigned char **ret, size_t *ret_n, struct err *err)
{
	struct key_request q = { .op = OP_RESEAL, .key = from_handle(key) };

	return call_bytes(k, &q, ret, ret_n, err);
}

int keys_sign_jws(struct keys *k, const struct jws_request *r, char **ret, struct err *err)
{
	struct key_request q = { .op = OP_SIGN_JWS,
				 .key = from_handle(&r->key),
				 .url = r->url,
				 .nonce = r->nonce,
				 .kid = r->kid,
				 .payload = r->payload };

	return call_text(k, &q, ret, err);
}

int keys_eab(struct keys *k, const struct eab_request *r, char **ret, struct err *err)
{
	struct key_request q = {
		.op = OP_EAB, .key = from_handle(&r->key), .other = from_handle(&r->hmac), .kid = r->kid, .url = r->url
	};

	return call_text(k, &q, ret, err);
}

int keys_rollover(struct keys *k, const struct rollover_request *r, char **ret, struct err *err)
{
	struct key_request q = { .op = OP_ROLLOVER,
				 .key = from_handle(&r->old_key),
				 .other = from_handle(&r->new_key),
				 .kid = r->account_url,
				 .url = r->key_change_url,
				 .nonce = r->nonce };

	return call_text(k, &q, ret, err);
}

int keys_sign_csr(struct keys *k, const struct csr_request *r, unsigned char **ret, size_t *ret_n, struct err *err)
{
	const struct csr_subject none = { 0 }, *s = r->subject ? r->subject : &none;
	struct key_request q = { .op = OP_SIGN_CSR,
				 .key = from_handle(&r->key),
				 .names = *r->names,
				 .must_staple = r->must_staple,
				 .has_subject = !!r->subject,
				 .cn = s->cn,
				 .o = s->o,
				 .ou = s->ou,
				 .c = s->c,
				 .l = s->l,
				 .st = s->st };

	return call_bytes(k, &q, ret, ret_n, err);
}

int keys_self_signed(struct keys *k, const struct self_signed_request *r, char **ret, struct err *err)
{
	struct key_request q = { .op = OP_SELF_SIGNED,
				 .key = from_handle(&r->key),
				 .names = *r->names,
				 .now_ms = r->now_ms,
				 .days = r->days };

	return call_text(k, &q, ret, err);
}

int keys_tls_sign(struct keys *k, const struct tls_sign_request *r, unsigned char **ret, size_t *ret_n, struct err *err)
{
	struct key_request q = { .op = OP_TLS_SIGN,
				 .key = from_handle(&r->key),
				 .scheme = r->scheme,
				 .digest = r->digest,
				 .is_digest = r->is_digest,
				 .data = { r->p, r->n } };

	return call_bytes(k, &q, ret, ret_n, err);
}

int keys_seal(struct keys *k, const struct secret *s, const struct key_place *to, unsigned char **ret, size_t *ret_n,
	      struct err *err)
{
	struct key_request q = { .op = OP_SEAL, .other = from_place(to), .data = { s->p, s->n } };

	return call_bytes(k, &q, ret, ret_n, err);
}

int keys_open_credential(struct keys *k, const struct key_handle *h, struct secret *ret, struct err *err)
{
	struct key_request q = { .op = OP_OPEN_CREDENTIAL, .key = from_handle(h) };

	return call_secret(k, &q, ret, err);
}

int keys_export(struct keys *k, const struct key_handle *key, const char *audit_id, struct secret *ret, struct err *err)
{
	struct key_request q = { .op = OP_EXPORT, .key = from_handle(key), .audit_id = audit_id };

	return call_secret(k, &q, ret, err);
}
