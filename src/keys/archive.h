/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.h - a stream of bytes sealed with a passphrase, or for the owners of key pairs: what a backup is written in.
 *
 *	"CWBK" 0x01 | Argon2id: salt 16, operations u64 LE, memory u64 LE | secretstream header 24 | blocks
 *	"CWBK" 0x02 | number of recipients u8 | each: public key 32, the stream's key in a sealed box 80 (libsodium's crypto_box_seal:
 *	              X25519, XSalsa20-Poly1305) | secretstream header 24 | blocks
 *	block: 64 KiB of plaintext (the last one: what is left) and 17 bytes of tag, XChaCha20-Poly1305 (libsodium's secretstream);
 *	the head is authenticated with the first block; the last block says that it is the last
 *
 * So a changed, reordered, lengthened or cut file is refused, and a reader that reached archive_end() without an error has seen
 * all of it. Not thread-safe. Passphrase and keys are borrowed and not kept.
 */
#ifndef KEYS_ARCHIVE_H
#define KEYS_ARCHIVE_H

#include "base/secret.h"
#include "base/util.h"
#include "keys/recipient.h"

#include <stddef.h>

#define ARCHIVE_BLOCK (64 * 1024)
#define ARCHIVE_PASSPHRASE_MIN 12 /* bytes */
#define ARCHIVE_RECIPIENTS_MAX 8
#define ARCHIVE_MEMORY_MAX (INT64_C(1) << 30)

struct archive;
struct err;

/* fd is borrowed and at the place where the archive begins. INVALID: the passphrase is too short. */
int archive_create(int fd, const struct secret *passphrase, struct archive **ret, struct err *err);
/* Any one of the n (1 to ARCHIVE_RECIPIENTS_MAX) secret halves opens it, and nothing on the host that wrote it does. */
int archive_create_for(int fd, const struct recipient *to, size_t n, struct archive **ret, struct err *err);
int archive_write(struct archive *a, const void *p, size_t n, struct err *err);
int archive_finish(struct archive *a, struct err *err);

struct archive_opener { /* what there is to open one with; borrowed, either may be NULL */
	const struct secret *passphrase;
	const struct identity *identity;
};
/*
 * INVALID: not an archive, or of a later version; DENIED: it needs the other way to open it, or another identity (it is named);
 * that the passphrase is wrong shows at the first read (DENIED).
 */
int archive_open(int fd, const struct archive_opener *with, struct archive **ret, struct err *err);
/* Exactly n bytes. INVALID when the archive is damaged or ends before. */
int archive_read(struct archive *a, void *p, size_t n, struct err *err);
/* INVALID when anything follows, or the end is missing. */
int archive_end(struct archive *a, struct err *err);
void archive_free(struct archive *a); /* NULL is fine; wipes */
static inline void archive_free_p(struct archive **a)
{
	archive_free(*a);
}
#define _cleanup_archive_ __attribute__((cleanup(archive_free_p)))

#endif
