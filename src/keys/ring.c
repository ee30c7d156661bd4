/* SPDX-License-Identifier: Apache-2.0 */
/* ring.c - see ring.h. XChaCha20-Poly1305 and the key derivation are libsodium's. */
#include "keys/ring.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/random.h"

#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#define RING_MAX 16
#define ID_BYTES MASTER_ID_BYTES
#define CHECK_BYTES 16
#define VERSION 1
#define HEAD_BYTES (1 + ID_BYTES)
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define FILE_MAX 4096
#define PART_MAX 64

_Static_assert(crypto_kdf_KEYBYTES == MASTER_BYTES, "a master key is what the derivation takes");

struct master {
	char *file;
	unsigned char id[ID_BYTES];
	unsigned char check[CHECK_BYTES];
	unsigned char *key; /* of sodium_malloc, read-only */
};

struct ring {
	struct master v[RING_MAX]; /* newest first */
	size_t n;
};

/* --- files --- */

static int locate(const char *name, char **ret, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (strchr(name, '/')) {
		*ret = xstrdup(name);
		return 0;
	}
	if (!*name || name[0] == '.')
		return err_set(err, ERR_NEEDS_PERSON, "'%s' cannot be the name of a master key", name);
	if (str_empty(dir))
		return err_set(err, ERR_NEEDS_PERSON, "there is no credentials directory to find master key '%s' in",
			       name);
	*ret = path_join(dir, name);
	return 0;
}

static int check_mode(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_set_errno(err, ERR_NEEDS_PERSON, "could not look at master key file '%s'", path);
		err_set(err, ERR_NEEDS_PERSON, "master key file '%s' is missing", path);
		return err_hint(err, "Put it back: what was sealed with it opens with no other key.");
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_NEEDS_PERSON, "master key '%s' is not a file", path);
	/* a group may read it when root gave it to that group (0640 root:certwright), and nobody else may */
	if (st.st_mode & 0007 || st.st_mode & 0020 || (st.st_mode & 0040 && st.st_uid != 0)) {
		err_set(err, ERR_NEEDS_PERSON, "master key file '%s' is open to others (mode %04o)", path,
			(unsigned)st.st_mode & 07777);
		return err_hint(err, "Run: chmod 600 '%s'", path);
	}
	return 0;
}

static bool from_hex(const struct secret *text, unsigned char out[MASTER_BYTES])
{
	size_t n = 0;

	return text->n == 2 * MASTER_BYTES &&
	       sodium_hex2bin(out, MASTER_BYTES, (char *)text->p, text->n, NULL, &n, NULL) == 0 && n == MASTER_BYTES;
}

static int read_file(const char *path, unsigned char out[MASTER_BYTES], struct err *err)
{
	_cleanup_secret_ struct secret text = { 0 };
	_cleanup_buf_wipe_ struct buf raw = BUF_MAX(MASTER_BYTES);
	_cleanup_err_ struct err why = ERR_INIT;

	if (check_mode(path, err) < 0)
		return -(int)err->code;
	if (file_read_secret(path, FILE_MAX, &text, &why) < 0)
		return err_set(err, ERR_NEEDS_PERSON, "%s", why.detail);
	if (from_hex(&text, out))
		return 0;
	if (base64_decode_any(&raw, (char *)text.p, text.n, &why) < 0 || raw.n != MASTER_BYTES)
		return err_set(err, ERR_NEEDS_PERSON,
			       "master key file '%s' does not hold %d bytes as hex or base64 text", path, MASTER_BYTES);
	memcpy(out, raw.p, MASTER_BYTES);
	return 0;
}

int master_read(const char *name, unsigned char out[MASTER_BYTES], struct err *err)
{
	_cleanup_free_ char *path = NULL;

	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start the crypto library");
	return locate(name, &path, err) < 0 ? -(int)err->code : read_file(path, out, err);
}

void master_id(const unsigned char master[MASTER_BYTES], unsigned char ret[MASTER_ID_BYTES])
{
	unsigned char id[crypto_kdf_BYTES_MIN];
	int r = crypto_kdf_derive_from_key(id, sizeof id, 1, "cw_id___", master);

	assert(r == 0);
	memcpy(ret, id, MASTER_ID_BYTES);
}

static void derive(struct master *m, const unsigned char master[MASTER_BYTES])
{
	int r = 0;

	master_id(master, m->id);
	r |= crypto_kdf_derive_from_key(m->check, sizeof m->check, 2, "cw_check", master);
	m->key = sodium_malloc(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
	assert(m->key && r == 0);
	r = crypto_kdf_derive_from_key(m->key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES, 3, "cw_seal_", master);
	assert(r == 0);
	sodium_mprotect_readonly(m->key);
}

/* --- the ring --- */

static const struct master *ring_find(const struct ring *r, const unsigned char id[ID_BYTES])
{
	for (size_t i = 0; i < r->n; i++)
		if (!memcmp(r->v[i].id, id, ID_BYTES))
			return &r->v[i];
	return NULL;
}

static int ring_add(struct ring *r, const char *name, struct err *err)
{
	unsigned char master[MASTER_BYTES];
	_cleanup_free_ char *path = NULL;
	struct master *m = &r->v[r->n];

	if (r->n == RING_MAX)
		return err_set(err, ERR_NEEDS_PERSON, "there are more than %d master keys", RING_MAX);
	if (locate(name, &path, err) < 0 || read_file(path, master, err) < 0)
		return -(int)err->code;
	m->file = TAKE(path);
	derive(m, master);
	r->n++;
	explicit_bzero(master, sizeof master);
	for (size_t i = 0; i + 1 < r->n; i++)
		if (!memcmp(r->v[i].id, m->id, ID_BYTES))
			return err_set(err, ERR_NEEDS_PERSON, "master key files '%s' and '%s' hold the same key",
				       r->v[i].file, m->file);
	return 0;
}

static char *files_text(const struct ring *r)
{
	_cleanup_strlist_ struct strlist l = { 0 };

	for (size_t i = 0; i < r->n; i++)
		strlist_add(&l, r->v[i].file);
	return strlist_join(&l, "', '");
}

static int check_known(const struct ring *r, const char *pair, struct err *err)
{
	unsigned char id[ID_BYTES], check[CHECK_BYTES];
	const char *colon = strchr(pair, ':');
	const struct master *m;
	size_t n = 0;

	if (!colon || sodium_hex2bin(id, sizeof id, pair, (size_t)(colon - pair), NULL, &n, NULL) || n != sizeof id ||
	    sodium_hex2bin(check, sizeof check, colon + 1, strlen(colon + 1), NULL, &n, NULL) || n != sizeof check)
		return err_set(err, ERR_NEEDS_PERSON, "the record of master keys in the database is broken");
	m = ring_find(r, id);
	if (!m) {
		_cleanup_free_ char *files = files_text(r);

		err_set(err, ERR_NEEDS_PERSON,
			"master key file '%s' is not the one this database was sealed with (key %.*s is wanted)", files,
			(int)(colon - pair), pair);
		return err_hint(err, "Put the right file back; without it no stored key or credential can be opened.");
	}
	if (sodium_memcmp(m->check, check, sizeof check))
		return err_set(err, ERR_NEEDS_PERSON,
			       "master key file '%s' does not fit the check value in the database", m->file);
	return 0;
}

int ring_open(const struct strlist *files, const char *check_text, struct ring **ret, struct err *err)
{
	struct ring *r;
	_cleanup_strlist_ struct strlist pairs = { 0 };

	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start the crypto library");
	if (!files->n)
		return err_set(err, ERR_NEEDS_PERSON, "no master key file is configured");
	r = xcalloc(1, sizeof *r);
	for (size_t i = 0; i < files->n; i++)
		if (ring_add(r, files->v[i], err) < 0)
			goto out;
	strlist_split(&pairs, check_text ? check_text : "", ' ');
	for (size_t i = 0; i < pairs.n; i++)
		if (check_known(r, pairs.v[i], err) < 0)
			goto out;
	*ret = r;
	return 0;
out:
	ring_free(r);
	return err_wrap(err, "could not open the master keys");
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < RING_MAX; i++) {
		free(r->v[i].file);
		sodium_free(r->v[i].key);
	}
	free(r);
}

char *ring_check_text(const struct ring *r)
{
	struct buf b = BUF_MAX(RING_MAX * 64);

	for (size_t i = 0; i < r->n; i++) {
		if (i)
			buf_add_char(&b, ' ');
		buf_add_hex(&b, r->v[i].id, ID_BYTES);
		buf_add_char(&b, ':');
		buf_add_hex(&b, r->v[i].check, CHECK_BYTES);
	}
	return buf_take(&b);
}

int keys_master_create(const char *path, struct err *err)
{
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(128);
	unsigned char master[MASTER_BYTES];

	random_bytes(master, sizeof master);
	base64_encode(&text, master, sizeof master);
	buf_add_char(&text, '\n');
	explicit_bzero(master, sizeof master);
	if (file_create(path, text.p, text.n, 0600, err) < 0)
		return err_wrap(err, "could not make master key file '%s'", path);
	return 0;
}

/* --- sealing --- */

static bool part_ok(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n && n <= PART_MAX && str_is_base64url(s, n);
}

int place_check(const struct key_place *p, struct err *err)
{
	if (!part_ok(p->table) || !part_ok(p->id) || !part_ok(p->column))
		return err_set(err, ERR_INVALID,
			       "a sealed value needs a table, an id and a column of letters, digits, '_' and '-'");
	return 0;
}

static size_t associated(const struct key_place *p, const unsigned char head[HEAD_BYTES],
			 char out[HEAD_BYTES + 3 * PART_MAX + 3])
{
	memcpy(out, head, HEAD_BYTES);
	return HEAD_BYTES +
	       (size_t)snprintf(out + HEAD_BYTES, 3 * PART_MAX + 3, "%s/%s/%s", p->table, p->id, p->column);
}

int ring_seal(const struct ring *r, const struct key_place *to, const struct secret *plain, struct buf *out,
	      struct err *err)
{
	unsigned char head[HEAD_BYTES] = { VERSION }, nonce[NONCE_BYTES], *cipher;
	char ad[HEAD_BYTES + 3 * PART_MAX + 3];
	size_t ad_n;

	if (place_check(to, err) < 0)
		return -(int)err->code;
	memcpy(head + 1, r->v[0].id, ID_BYTES);
	random_bytes(nonce, sizeof nonce);
	ad_n = associated(to, head, ad);
	cipher = xmalloc(plain->n + TAG_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(cipher, NULL, plain->p, plain->n, (unsigned char *)ad, ad_n, NULL,
						   nonce, r->v[0].key);
	buf_add(out, head, sizeof head);
	buf_add(out, nonce, sizeof nonce);
	buf_add(out, cipher, plain->n + TAG_BYTES);
	free(cipher);
	return buf_check(out, err);
}

int ring_unseal(const struct ring *r, const struct key_place *at, const void *sealed, size_t n, struct secret *ret,
		struct err *err)
{
	const unsigned char *p = sealed, *nonce, *cipher;
	char ad[HEAD_BYTES + 3 * PART_MAX + 3];
	struct secret plain = { 0 };
	const struct master *m;
	size_t ad_n;

	if (place_check(at, err) < 0)
		return -(int)err->code;
	if (!p || n < HEAD_BYTES + NONCE_BYTES + TAG_BYTES || p[0] != VERSION)
		return err_set(err, ERR_NEEDS_PERSON,
			       "the sealed value at %s/%s/%s is empty, cut off or of an unknown version", at->table,
			       at->id, at->column);
	m = ring_find(r, p + 1);
	if (!m) {
		char id[2 * ID_BYTES + 1];

		return err_set(err, ERR_NEEDS_PERSON,
			       "the sealed value at %s/%s/%s needs master key %s, which is not in the ring", at->table,
			       at->id, at->column, sodium_bin2hex(id, sizeof id, p + 1, ID_BYTES));
	}
	nonce = p + HEAD_BYTES;
	cipher = nonce + NONCE_BYTES;
	n -= HEAD_BYTES + NONCE_BYTES + TAG_BYTES;
	ad_n = associated(at, p, ad);
	plain = (struct secret){ .p = xcalloc(1, n + 1), .n = n };
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.p, NULL, NULL, cipher, n + TAG_BYTES, (unsigned char *)ad,
						       ad_n, nonce, m->key)) {
		secret_clear(&plain);
		return err_set(err, ERR_NEEDS_PERSON,
			       "the sealed value at %s/%s/%s was changed, or belongs to another row or column",
			       at->table, at->id, at->column);
	}
	*ret = plain;
	return 0;
}
