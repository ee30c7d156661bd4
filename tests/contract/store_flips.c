/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_flips.c - 1,000 files with flipped bits: in the database and in its log, in headers, pages, free pages and indexes. The store
 * refuses the file with advice or goes on; nothing crashes, no file is made anew in its place, and a sealed key is read as it was or
 * not at all, never as another.
 */
#include "tests/contract/store_rig.h"

#include "base/file.h"
#include "keys/keys.h"
#include "store/key.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FLIPS 1000
#define KEYS 40

struct bed {
	struct rig *rig;
	struct keys *keys;
	char *master;
	char ids[KEYS][ULID_LEN + 1];
	char hashes[KEYS][SHA256_HEX];
	unsigned char *db, *wal; /* as they are while the server runs */
	size_t n_db, n_wal;
};

static unsigned seed = 7;

static size_t any(size_t n)
{
	return ((size_t)rand_r(&seed) << 15 ^ (size_t)rand_r(&seed)) % n;
}

static int add_key(struct sql *tx, void *arg, struct err *err)
{
	return store_key_add(tx, arg, err);
}

static void make_key(struct bed *b, int i)
{
	struct ulid id = ulid_new(1000 + i);
	const struct key_place to = { "key", id.s, "sealed" };
	_cleanup_key_made_ struct key_made m = { 0 };
	struct key_row row;

	ASSERT_OK(keys_generate(b->keys, KEY_CERTIFICATE, KEY_P256, &to, NULL, &m, &b->rig->err), &b->rig->err);
	snprintf(b->ids[i], sizeof b->ids[i], "%s", id.s);
	snprintf(b->hashes[i], sizeof b->hashes[i], "%s", m.public_hash);
	row = (struct key_row){ .id = id.s, .purpose = KEY_CERTIFICATE, .type = m.type.s, .public_hash = m.public_hash, .sealed = m.sealed,
				.sealed_n = m.sealed_n, .created_ms = 1 };
	WRITE(b->rig, add_key, &row);
}

static unsigned char *whole(const char *path, size_t *ret_n)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	unsigned char *p;

	assert(fd >= 0 && fstat(fd, &st) == 0);
	p = xmalloc((size_t)st.st_size + 1);
	assert(read(fd, p, (size_t)st.st_size) == st.st_size);
	close(fd);
	*ret_n = (size_t)st.st_size;
	return p;
}

static struct bed bed_new(void)
{
	struct bed b = { .rig = rig_new() };
	struct keys_options o = { 0 };
	_cleanup_free_ char *wal = xasprintf("%s-wal", b.rig->file);

	b.master = xasprintf("%s/master.key", b.rig->dir);
	ASSERT_OK(keys_master_create(b.master, &b.rig->err), &b.rig->err);
	strlist_add(&o.files, b.master);
	ASSERT_OK(keys_open(&o, &b.keys, &b.rig->err), &b.rig->err);
	strlist_clear(&o.files);
	for (int i = 0; i < KEYS / 2; i++)
		make_key(&b, i);
	rig_close(b.rig); /* half is in the file, */
	rig_open(b.rig);
	for (int i = KEYS / 2; i < KEYS; i++)
		make_key(&b, i);
	b.db = whole(b.rig->file, &b.n_db); /* half in its log */
	b.wal = whole(wal, &b.n_wal);
	rig_close(b.rig);
	return b;
}

static void bed_done(struct bed *b)
{
	keys_close(b->keys);
	free(b->master);
	free(b->db);
	free(b->wal);
	rig_free(&b->rig);
}

static void put_file(const char *path, const unsigned char *p, size_t n)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	assert(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

/* One to eight bits of one file; every fourth time in its head, where it hurts most. */
static void flip(unsigned char *p, size_t n)
{
	size_t head = any(4) == 0 ? MIN(n, (size_t)256) : n;

	for (size_t i = 0, bits = 1 + any(8); i < bits; i++)
		p[any(head)] ^= (unsigned char)(1u << any(8));
}

struct seen {
	struct bed *b;
	unsigned right, gone, refused, wrong;
};

static int read_keys(struct sql *q, void *arg, struct err *err)
{
	struct seen *s = arg;

	for (int i = 0; i < KEYS; i++) {
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_key_row_ struct key_row row = { 0 };
		_cleanup_key_made_ struct key_made m = { 0 };
		struct key_handle h;

		if (store_key_get(q, s->b->ids[i], &row, &why) < 0 || !row.sealed) {
			s->gone++;
			continue;
		}
		h = (struct key_handle){ "key", s->b->ids[i], "sealed", row.sealed, row.sealed_n };
		if (keys_public(s->b->keys, &h, &m, &why) < 0)
			s->refused++;
		else if (streq(m.public_hash, s->b->hashes[i]))
			s->right++;
		else
			s->wrong++;
	}
	(void)err;
	return 0;
}

/* Whether it could be opened. */
static bool look(struct bed *b, struct seen *seen, int n)
{
	struct rig *rig = b->rig;
	struct stat before, after;

	assert(stat(rig->file, &before) == 0);
	if (store_open(&(struct store_options){ .url = rig->url }, &rig->store, &rig->err) < 0) {
		_cleanup_free_ char *text = err_text(&rig->err);

		if (rig->err.code != ERR_STORE && rig->err.code != ERR_CONFLICT && rig->err.code != ERR_NEEDS_PERSON)
			fail_msg("flip %d: %s", n, text);
		err_clear(&rig->err);
		rig->store = NULL;
	} else {
		READ(rig, read_keys, seen);
		rig_close(rig);
	}
	assert(stat(rig->file, &after) == 0);
	ASSERT_INT(after.st_ino, before.st_ino); /* never made anew */
	return seen->right + seen->gone + seen->refused + seen->wrong > 0;
}

static void no_flipped_bit_gives_another_key(void **state)
{
	struct bed b = bed_new();
	_cleanup_free_ char *wal = xasprintf("%s-wal", b.rig->file), *shm = xasprintf("%s-shm", b.rig->file);
	_cleanup_free_ unsigned char *db = xmalloc(b.n_db), *log = xmalloc(b.n_wal);
	unsigned opened = 0, refused = 0, right = 0, less = 0;

	for (int i = 0; i < FLIPS; i++) {
		struct seen seen = { .b = &b };

		memcpy(db, b.db, b.n_db);
		memcpy(log, b.wal, b.n_wal);
		if (i % 3)
			flip(db, b.n_db);
		else
			flip(log, b.n_wal);
		unlink(shm);
		put_file(b.rig->file, db, b.n_db);
		put_file(wal, log, b.n_wal);
		if (look(&b, &seen, i))
			opened++;
		else
			refused++;
		right += seen.right;
		less += seen.gone + seen.refused;
		if (seen.wrong)
			fail_msg("flip %d: %u keys were read as others", i, seen.wrong);
	}
	print_message("%u files were opened, %u refused; keys read as they were %u, not at all %u\n", opened, refused, right, less);
	ASSERT_TRUE(opened > FLIPS / 10 && refused > FLIPS / 20 && right > 0 && less > 0);
	bed_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(no_flipped_bit_gives_another_key) };

	return cmocka_run_group_tests_name("flipped bits below SQLite", tests, NULL, NULL);
}
