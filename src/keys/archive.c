/* SPDX-License-Identifier: Apache-2.0 */
/* archive.c - see archive.h. */
#include "keys/archive.h"

#include "base/err.h"
#include "base/file.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define SEALED_BLOCK (ARCHIVE_BLOCK + crypto_secretstream_xchacha20poly1305_ABYTES)
#define OPERATIONS_MAX 16

static const unsigned char magic[5] = { 'C', 'W', 'B', 'K', 1 };

struct head {
	unsigned char magic[5], salt[crypto_pwhash_SALTBYTES], operations[8], memory[8];
	unsigned char stream[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
};
_Static_assert(sizeof(struct head) == 5 + 16 + 8 + 8 + 24, "the head has no gaps");

struct archive {
	int fd;
	crypto_secretstream_xchacha20poly1305_state state;
	struct head head;
	bool first, last; /* the next block is the first; the last one was read */
	size_t n, at;     /* bytes in block; of these taken */
	unsigned char block[ARCHIVE_BLOCK], sealed[SEALED_BLOCK];
};

static void put_u64(unsigned char *to, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get_u64(const unsigned char *from)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v |= (uint64_t)from[i] << (8 * i);
	return v;
}

static int derive(const struct head *h, const struct secret *passphrase, unsigned char *key, struct err *err)
{
	uint64_t operations = get_u64(h->operations), memory = get_u64(h->memory);

	/* of a stranger's file: neither hours nor all the memory */
	if (operations < crypto_pwhash_OPSLIMIT_MIN || operations > OPERATIONS_MAX || memory < crypto_pwhash_MEMLIMIT_MIN || memory > ARCHIVE_MEMORY_MAX)
		return err_set(err, ERR_INVALID, "the head of the backup cannot be right");
	if (crypto_pwhash(key, crypto_secretstream_xchacha20poly1305_KEYBYTES, (const char *)passphrase->p, passphrase->n, h->salt, operations,
			  (size_t)memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(err, ERR_INTERNAL, "there is not enough memory (%" PRIu64 " MiB) to make a key from the passphrase", memory >> 20);
	return 0;
}

static struct archive *archive_new(int fd)
{
	struct archive *a = xcalloc(1, sizeof *a);

	a->fd = fd;
	a->first = true;
	return a;
}

int archive_create(int fd, const struct secret *passphrase, struct archive **ret, struct err *err)
{
	unsigned char key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
	_cleanup_archive_ struct archive *a = archive_new(fd);

	if (passphrase->n < ARCHIVE_PASSPHRASE_MIN)
		return err_set(err, ERR_INVALID, "the passphrase is shorter than %d bytes", ARCHIVE_PASSPHRASE_MIN);
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start libsodium");
	memcpy(a->head.magic, magic, sizeof magic);
	randombytes_buf(a->head.salt, sizeof a->head.salt);
	put_u64(a->head.operations, crypto_pwhash_OPSLIMIT_MODERATE);
	put_u64(a->head.memory, crypto_pwhash_MEMLIMIT_MODERATE);
	if (derive(&a->head, passphrase, key, err) < 0)
		return -(int)err->code;
	(void)crypto_secretstream_xchacha20poly1305_init_push(&a->state, a->head.stream, key);
	sodium_memzero(key, sizeof key);
	if (fd_write_all(fd, &a->head, sizeof a->head) < 0)
		return err_set_errno(err, ERR_NO_SPACE, "could not write the backup");
	*ret = TAKE(a);
	return 0;
}

static int block_out(struct archive *a, bool last, struct err *err)
{
	unsigned long long n = 0;

	(void)crypto_secretstream_xchacha20poly1305_push(&a->state, a->sealed, &n, a->block, a->n, a->first ? (unsigned char *)&a->head : NULL,
							 a->first ? sizeof a->head : 0,
							 last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
	a->first = false;
	a->n = 0;
	if (fd_write_all(a->fd, a->sealed, (size_t)n) < 0)
		return err_set_errno(err, ERR_NO_SPACE, "could not write the backup");
	return 0;
}

int archive_write(struct archive *a, const void *p, size_t n, struct err *err)
{
	const unsigned char *from = p;

	while (n) {
		size_t take = MIN(n, sizeof a->block - a->n);

		memcpy(a->block + a->n, from, take);
		a->n += take;
		from += take;
		n -= take;
		if (a->n == sizeof a->block && n && block_out(a, false, err) < 0) /* a full last block waits for archive_finish */
			return -(int)err->code;
	}
	return 0;
}

int archive_finish(struct archive *a, struct err *err)
{
	return block_out(a, true, err);
}

/* Up to n bytes; fewer only at the end of the file. */
static ssize_t read_all(int fd, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int archive_open(int fd, const struct secret *passphrase, struct archive **ret, struct err *err)
{
	unsigned char key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
	_cleanup_archive_ struct archive *a = archive_new(fd);
	int rc;

	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start libsodium");
	if (read_all(fd, &a->head, sizeof a->head) != (ssize_t)sizeof a->head || memcmp(a->head.magic, magic, 4) != 0)
		return err_set(err, ERR_INVALID, "the file is not a backup of Certwright");
	if (a->head.magic[4] != magic[4])
		return err_set(err, ERR_INVALID, "the backup was written by a later version of Certwright (format %u)", a->head.magic[4]);
	if (derive(&a->head, passphrase, key, err) < 0)
		return -(int)err->code;
	rc = crypto_secretstream_xchacha20poly1305_init_pull(&a->state, a->head.stream, key);
	sodium_memzero(key, sizeof key);
	if (rc != 0)
		return err_set(err, ERR_INVALID, "the head of the backup cannot be right");
	*ret = TAKE(a);
	return 0;
}

static int block_in(struct archive *a, struct err *err)
{
	unsigned long long n = 0;
	unsigned char tag = 0;
	ssize_t got;

	if (a->last)
		return err_set(err, ERR_INVALID, "the backup ends too early");
	got = read_all(a->fd, a->sealed, sizeof a->sealed);
	if (got < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not read the backup");
	if (got < (ssize_t)crypto_secretstream_xchacha20poly1305_ABYTES)
		return err_set(err, ERR_INVALID, "the backup is cut off");
	if (crypto_secretstream_xchacha20poly1305_pull(&a->state, a->block, &n, &tag, a->sealed, (unsigned long long)got,
						       a->first ? (unsigned char *)&a->head : NULL, a->first ? sizeof a->head : 0) != 0) {
		if (a->first)
			return err_set(err, ERR_DENIED, "the backup does not open: the passphrase is another one, or the file is damaged");
		return err_set(err, ERR_INVALID, "the backup is damaged or cut off");
	}
	a->first = false;
	a->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	a->n = (size_t)n;
	a->at = 0;
	return 0;
}

int archive_read(struct archive *a, void *p, size_t n, struct err *err)
{
	unsigned char *to = p;

	while (n) {
		size_t take = MIN(n, a->n - a->at);

		memcpy(to, a->block + a->at, take);
		a->at += take;
		to += take;
		n -= take;
		if (n && block_in(a, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int archive_end(struct archive *a, struct err *err)
{
	char more;

	if (a->at == a->n && !a->last && block_in(a, err) < 0)
		return -(int)err->code;
	if (!a->last || a->at != a->n || read_all(a->fd, &more, 1) != 0)
		return err_set(err, ERR_INVALID, "the backup holds more than it says");
	return 0;
}

void archive_free(struct archive *a)
{
	if (!a)
		return;
	sodium_memzero(a, sizeof *a);
	free(a);
}
