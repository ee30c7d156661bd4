/* SPDX-License-Identifier: Apache-2.0 */
/* archive.c - see archive.h. */
#include "keys/archive.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define SEALED_BLOCK (ARCHIVE_BLOCK + crypto_secretstream_xchacha20poly1305_ABYTES)
#define OPERATIONS_MAX 16

#define STREAM_KEY crypto_secretstream_xchacha20poly1305_KEYBYTES
#define BOX_BYTES (STREAM_KEY + crypto_box_SEALBYTES)
#define ENTRY_BYTES (RECIPIENT_BYTES + BOX_BYTES)
#define HEAD_MAX (6 + ARCHIVE_RECIPIENTS_MAX * ENTRY_BYTES + crypto_secretstream_xchacha20poly1305_HEADERBYTES)

enum { BY_PASSPHRASE = 1, BY_RECIPIENTS = 2 };
static const unsigned char magic[4] = { 'C', 'W', 'B', 'K' };

struct words { /* the head of the first kind, up to the stream's header */
	unsigned char magic[4], kind, salt[crypto_pwhash_SALTBYTES], operations[8], memory[8];
};
_Static_assert(sizeof(struct words) == 5 + 16 + 8 + 8, "the head has no gaps");
_Static_assert(ENTRY_BYTES == 112, "as archive.h says");

struct archive {
	int fd;
	crypto_secretstream_xchacha20poly1305_state state;
	unsigned char head[HEAD_MAX];
	size_t head_n;
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

static int derive(const struct words *h, const struct secret *passphrase, unsigned char *key, struct err *err)
{
	uint64_t operations = get_u64(h->operations), memory = get_u64(h->memory);

	/* of a stranger's file: neither hours nor all the memory */
	if (operations < crypto_pwhash_OPSLIMIT_MIN || operations > OPERATIONS_MAX || memory < crypto_pwhash_MEMLIMIT_MIN || memory > ARCHIVE_MEMORY_MAX)
		return err_set(err, ERR_INVALID, "the head of the backup cannot be right");
	if (crypto_pwhash(key, STREAM_KEY, (const char *)passphrase->p, passphrase->n, h->salt, operations,
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

static int begin(struct archive *a, unsigned char key[STREAM_KEY], struct err *err)
{
	(void)crypto_secretstream_xchacha20poly1305_init_push(&a->state, a->head + a->head_n, key);
	sodium_memzero(key, STREAM_KEY);
	a->head_n += crypto_secretstream_xchacha20poly1305_HEADERBYTES;
	if (fd_write_all(a->fd, a->head, a->head_n) < 0)
		return err_set_errno(err, ERR_NO_SPACE, "could not write the backup");
	return 0;
}

int archive_create(int fd, const struct secret *passphrase, struct archive **ret, struct err *err)
{
	_cleanup_archive_ struct archive *a = archive_new(fd);
	struct words head = { .magic = { magic[0], magic[1], magic[2], magic[3] }, .kind = BY_PASSPHRASE };
	unsigned char key[STREAM_KEY];

	if (passphrase->n < ARCHIVE_PASSPHRASE_MIN)
		return err_set(err, ERR_INVALID, "the passphrase is shorter than %d bytes", ARCHIVE_PASSPHRASE_MIN);
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start libsodium");
	randombytes_buf(head.salt, sizeof head.salt);
	put_u64(head.operations, crypto_pwhash_OPSLIMIT_MODERATE);
	put_u64(head.memory, crypto_pwhash_MEMLIMIT_MODERATE);
	if (derive(&head, passphrase, key, err) < 0)
		return -(int)err->code;
	memcpy(a->head, &head, sizeof head);
	a->head_n = sizeof head;
	if (begin(a, key, err) < 0)
		return -(int)err->code;
	*ret = TAKE(a);
	return 0;
}

int archive_create_for(int fd, const struct recipient *to, size_t n, struct archive **ret, struct err *err)
{
	_cleanup_archive_ struct archive *a = archive_new(fd);
	unsigned char key[STREAM_KEY], *at = a->head;

	if (!n || n > ARCHIVE_RECIPIENTS_MAX)
		return err_set(err, ERR_INVALID, "a backup is for one to %d recipients", ARCHIVE_RECIPIENTS_MAX);
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start libsodium");
	crypto_secretstream_xchacha20poly1305_keygen(key);
	memcpy(at, magic, sizeof magic);
	at += sizeof magic;
	*at++ = BY_RECIPIENTS;
	*at++ = (unsigned char)n;
	for (size_t i = 0; i < n; i++, at += ENTRY_BYTES) {
		memcpy(at, to[i].key, RECIPIENT_BYTES);
		if (crypto_box_seal(at + RECIPIENT_BYTES, key, sizeof key, to[i].key) != 0) {
			sodium_memzero(key, sizeof key);
			return err_set(err, ERR_INVALID, "a recipient's key is not one that anything can be sealed for");
		}
	}
	a->head_n = (size_t)(at - a->head);
	if (begin(a, key, err) < 0)
		return -(int)err->code;
	*ret = TAKE(a);
	return 0;
}

static int block_out(struct archive *a, bool last, struct err *err)
{
	unsigned long long n = 0;

	(void)crypto_secretstream_xchacha20poly1305_push(&a->state, a->sealed, &n, a->block, a->n, a->first ? a->head : NULL, a->first ? a->head_n : 0,
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

/* The next n bytes of the head. */
static int head_in(struct archive *a, size_t n, struct err *err)
{
	if (read_all(a->fd, a->head + a->head_n, n) != (ssize_t)n)
		return err_set(err, ERR_INVALID, "the file is not a backup of Certwright, or it is cut off");
	a->head_n += n;
	return 0;
}

static int words_in(struct archive *a, const struct secret *passphrase, unsigned char key[STREAM_KEY], struct err *err)
{
	struct words head;

	if (!passphrase || !passphrase->n) {
		err_set(err, ERR_DENIED, "the backup was sealed with a passphrase, and none was given");
		return err_hint(err, "Give --passphrase-file FILE.");
	}
	if (head_in(a, sizeof head - a->head_n, err) < 0)
		return -(int)err->code;
	memcpy(&head, a->head, sizeof head);
	return derive(&head, passphrase, key, err);
}

static int refuse_identity(const unsigned char *entries, size_t n, const struct identity *given, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_free_ char *all = NULL;

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *name = NULL;
		struct recipient to;

		memcpy(to.key, entries + i * ENTRY_BYTES, RECIPIENT_BYTES);
		name = recipient_text(&to);
		strlist_add(&names, name);
	}
	all = strlist_join(&names, ", ");
	err_set(err, ERR_DENIED, "the backup was sealed for %s, and %s", all, given ? "another secret half was given" : "no secret half was given");
	return err_hint(err, "Give --identity FILE with the secret half of that key pair.");
}

static int recipients_in(struct archive *a, const struct identity *identity, unsigned char key[STREAM_KEY], struct err *err)
{
	const unsigned char *entries;
	size_t n;

	if (head_in(a, 1, err) < 0)
		return -(int)err->code;
	n = a->head[a->head_n - 1];
	if (!n || n > ARCHIVE_RECIPIENTS_MAX)
		return err_set(err, ERR_INVALID, "the head of the backup cannot be right");
	entries = a->head + a->head_n;
	if (head_in(a, n * ENTRY_BYTES, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; identity && i < n; i++) {
		const unsigned char *e = entries + i * ENTRY_BYTES;

		if (memcmp(e, identity->public.key, RECIPIENT_BYTES) != 0)
			continue;
		if (crypto_box_seal_open(key, e + RECIPIENT_BYTES, BOX_BYTES, identity->public.key, identity->secret) != 0)
			return err_set(err, ERR_INVALID, "the head of the backup is damaged");
		return 0;
	}
	return refuse_identity(entries, n, identity, err);
}

int archive_open(int fd, const struct archive_opener *with, struct archive **ret, struct err *err)
{
	unsigned char key[STREAM_KEY];
	_cleanup_archive_ struct archive *a = archive_new(fd);
	int rc;

	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start libsodium");
	if (head_in(a, sizeof magic + 1, err) < 0)
		return -(int)err->code;
	if (memcmp(a->head, magic, sizeof magic) != 0)
		return err_set(err, ERR_INVALID, "the file is not a backup of Certwright");
	if (a->head[4] != BY_PASSPHRASE && a->head[4] != BY_RECIPIENTS)
		return err_set(err, ERR_INVALID, "the backup was written by a later version of Certwright (format %u)", a->head[4]);
	rc = a->head[4] == BY_PASSPHRASE ? words_in(a, with->passphrase, key, err) : recipients_in(a, with->identity, key, err);
	if (rc == 0)
		rc = head_in(a, crypto_secretstream_xchacha20poly1305_HEADERBYTES, err);
	if (rc == 0 && crypto_secretstream_xchacha20poly1305_init_pull(
			       &a->state, a->head + a->head_n - crypto_secretstream_xchacha20poly1305_HEADERBYTES, key) != 0)
		rc = err_set(err, ERR_INVALID, "the head of the backup cannot be right");
	sodium_memzero(key, sizeof key);
	if (rc < 0)
		return rc;
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
						       a->first ? a->head : NULL, a->first ? a->head_n : 0) != 0) {
		if (a->first)
			return err_set(err, ERR_DENIED, a->head[4] == BY_PASSPHRASE ? "the backup does not open: the passphrase is another one, or the file is damaged" :
										  "the backup does not open: the file is damaged");
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
