/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - every call of keys.h as one flat request and one flat reply, which can be written as bytes and read again:
 * that is what makes it possible to put the module into a process of its own. Inside keys/ only.
 *
 * Encoded: a field table in order; numbers as 8 bytes, texts and bytes with a 4-byte length (all ones = NULL), lists with a count.
 * Same machine on both ends, so the byte order is the machine's.
 */
#ifndef KEYS_MESSAGE_H
#define KEYS_MESSAGE_H

#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"

#define MESSAGE_MAX (1024 * 1024)

#define KEY_OPS(X)                                                                                                     \
	X(GENERATE) X(IMPORT) X(PUBLIC) X(RESEAL) X(SIGN_JWS) X(EAB) X(ROLLOVER) X(SIGN_CSR) X(SELF_SIGNED) X(TLS_SIGN)        \
	X(SEAL) X(OPEN_CREDENTIAL) X(EXPORT)

enum key_op {
#define X(op) OP_##op,
	KEY_OPS(X)
#undef X
	OP_COUNT
};

struct bytes { /* NULL and 0 when absent */
	const void *p;
	size_t n;
};

struct wire_handle {
	const char *table, *id, *column;
	struct bytes sealed;
};

/* Borrowed in a caller; owned after message_decode, freed (and wiped) by message_free. */
struct key_request {
	int64_t op;
	struct wire_handle key, other; /* other: new account key, EAB secret; or where a new value is going to be (sealed NULL) */
	int64_t purpose, type;
	const char *directory_url;
	const char *url, *nonce, *kid, *payload;
	struct bytes data; /* PEM, secret, what is to be signed */
	struct strlist names;
	const char *cn, *o, *ou, *c, *l, *st;
	int64_t has_subject, must_staple;
	int64_t now_ms, days;
	int64_t scheme, digest, is_digest;
	const char *audit_id;
};

/* Always owned. */
struct key_reply {
	struct bytes bytes;  /* sealed value, signature, DER */
	struct bytes secret; /* what leaves by a named door */
	const char *text;    /* JWS, PEM */
	const char *type, *public_hash, *thumbprint, *jwk;
};

enum wire_kind { WIRE_INT, WIRE_TEXT, WIRE_BYTES, WIRE_LIST };
struct wire_field {
	enum wire_kind kind;
	size_t offset;
	bool last;
};
extern const struct wire_field key_request_fields[], key_reply_fields[];

void message_encode(const struct wire_field *fields, const void *s, struct secret *ret);
/* INVALID when it is cut off, too long or has a broken field. */
int message_decode(const struct wire_field *fields, const void *p, size_t n, void *ret, struct err *err);
void message_free(const struct wire_field *fields, void *s);

void request_free(struct key_request *r);
void reply_free(struct key_reply *r);
#define _cleanup_reply_ __attribute__((cleanup(reply_free)))

/* An error and its causes as bytes; a message without one is empty. */
void error_encode(const struct err *e, struct secret *ret);
void error_decode(const void *p, size_t n, struct err *ret);

#endif
