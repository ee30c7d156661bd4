/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_power.c - the power fails (SQLite). A layer under SQLite keeps, for each file of the database, what has reached the disk (was
 * written before the last sync) and what was only written since. At a random call of it the lights go out: of what was only written,
 * any part has reached the disk, in any order, the pieces torn at 512 bytes. From such a disk: everything whose write was
 * acknowledged is there, everything else is there whole or not at all, and the file is sound.
 */
#include "tests/contract/store_rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

#define SECTOR 512
#define ROUNDS 40
#define OUTCOMES 4 /* disks that one failure may leave */
#define WRITES 40

struct piece { /* written and not synced; p NULL: the file was cut to n bytes */
	sqlite3_int64 at;
	unsigned char *p;
	size_t n;
};

struct image {
	char *path;
	unsigned char *disk;
	size_t n;
	struct piece *pieces;
	size_t n_pieces;
	bool on_disk; /* its name is: it was synced once, or was there before */
};

struct copy {
	struct image v[4];
	size_t n;
	int acknowledged;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct image files[4];
static size_t n_files;
static const char *watched; /* only files below it are looked at */
static int calls, dark_at;  /* the lights go out at that call */
static int acknowledged;
static struct copy failed; /* the disk, and what was only written, at that instant */
static unsigned seed;

static unsigned any(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

/* ---- a file as the disk has it ---- */

static void put(struct image *f, size_t at, const unsigned char *p, size_t n)
{
	if (at + n > f->n) {
		f->disk = xrealloc(f->disk, at + n);
		memset(f->disk + f->n, 0, at + n - f->n);
		f->n = at + n;
	}
	memcpy(f->disk + at, p, n);
}

static void cut(struct image *f, size_t n)
{
	if (n < f->n)
		f->n = n;
}

static void settle(struct image *f)
{
	for (size_t i = 0; i < f->n_pieces; i++) {
		if (f->pieces[i].p)
			put(f, (size_t)f->pieces[i].at, f->pieces[i].p, f->pieces[i].n);
		else
			cut(f, f->pieces[i].n);
		free(f->pieces[i].p);
	}
	free(f->pieces);
	f->pieces = NULL;
	f->n_pieces = 0;
	f->on_disk = true;
}

static void image_done(struct image *f)
{
	for (size_t i = 0; i < f->n_pieces; i++)
		free(f->pieces[i].p);
	free(f->pieces);
	free(f->disk);
	free(f->path);
	*f = (struct image){ 0 };
}

static struct image image_copy(const struct image *f)
{
	struct image c = { .path = xstrdup(f->path), .n = f->n, .n_pieces = f->n_pieces, .on_disk = f->on_disk };

	c.disk = xmalloc(f->n + 1);
	if (f->n)
		memcpy(c.disk, f->disk, f->n);
	c.pieces = xcalloc(f->n_pieces + 1, sizeof *c.pieces);
	for (size_t i = 0; i < f->n_pieces; i++) {
		c.pieces[i] = f->pieces[i];
		if (f->pieces[i].p) {
			c.pieces[i].p = xmalloc(f->pieces[i].n);
			memcpy(c.pieces[i].p, f->pieces[i].p, f->pieces[i].n);
		}
	}
	return c;
}

static void copy_done(struct copy *c)
{
	for (size_t i = 0; i < c->n; i++)
		image_done(&c->v[i]);
	*c = (struct copy){ 0 };
}

/* Under the lock, before each call does anything. */
static void tick(void)
{
	if (++calls != dark_at)
		return;
	for (size_t i = 0; i < n_files; i++)
		failed.v[failed.n++] = image_copy(&files[i]);
	failed.acknowledged = acknowledged;
}

/* One disk that may be left: each piece is there, is not, or is there in part. */
static void darken(struct image *f)
{
	for (size_t i = 0; i < f->n_pieces; i++) {
		struct piece *p = &f->pieces[i];
		unsigned how = any(3);

		if (how == 0)
			continue;
		if (!p->p) {
			cut(f, p->n);
			continue;
		}
		for (size_t at = 0; at < p->n; at += SECTOR)
			if (how == 1 || any(2))
				put(f, (size_t)p->at + at, p->p + at, MIN(p->n - at, (size_t)SECTOR));
	}
}

/* ---- the layer ---- */

struct shim {
	sqlite3_file base;
	struct image *image; /* NULL: of no interest */
	sqlite3_file *real;  /* behind this struct */
};

static struct shim *of(sqlite3_file *f)
{
	return (struct shim *)f;
}

static sqlite3_vfs *below(sqlite3_vfs *v)
{
	return v->pAppData;
}

static int shim_close(sqlite3_file *f)
{
	return of(f)->real->pMethods->xClose(of(f)->real);
}

static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return of(f)->real->pMethods->xRead(of(f)->real, p, n, at);
}

static void note(struct image *image, sqlite3_int64 at, const void *p, size_t n)
{
	struct piece *piece;

	if (!image)
		return;
	pthread_mutex_lock(&lock);
	tick();
	image->pieces = xrealloc(image->pieces, (image->n_pieces + 1) * sizeof *image->pieces);
	piece = &image->pieces[image->n_pieces++];
	*piece = (struct piece){ .at = at, .n = n };
	if (p) {
		piece->p = xmalloc(n);
		memcpy(piece->p, p, n);
	}
	pthread_mutex_unlock(&lock);
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	note(of(f)->image, at, p, (size_t)n);
	return of(f)->real->pMethods->xWrite(of(f)->real, p, n, at);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	note(of(f)->image, 0, NULL, (size_t)n);
	return of(f)->real->pMethods->xTruncate(of(f)->real, n);
}

static int shim_sync(sqlite3_file *f, int flags)
{
	int rc = of(f)->real->pMethods->xSync(of(f)->real, flags);

	if (of(f)->image && rc == SQLITE_OK) {
		pthread_mutex_lock(&lock);
		tick();
		settle(of(f)->image);
		pthread_mutex_unlock(&lock);
	}
	return rc;
}

static int shim_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return of(f)->real->pMethods->xFileSize(of(f)->real, ret);
}

static int shim_lock(sqlite3_file *f, int how)
{
	return of(f)->real->pMethods->xLock(of(f)->real, how);
}

static int shim_unlock(sqlite3_file *f, int how)
{
	return of(f)->real->pMethods->xUnlock(of(f)->real, how);
}

static int shim_reserved(sqlite3_file *f, int *ret)
{
	return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, ret);
}

static int shim_control(sqlite3_file *f, int op, void *arg)
{
	return of(f)->real->pMethods->xFileControl(of(f)->real, op, arg);
}

static int shim_sector(sqlite3_file *f)
{
	return of(f)->real->pMethods->xSectorSize(of(f)->real);
}

/* The disk promises nothing: neither whole sectors nor that an append is one. */
static int shim_promises(sqlite3_file *f UNUSED)
{
	return 0;
}

static int shim_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return of(f)->real->pMethods->xShmMap(of(f)->real, page, size, extend, ret);
}

static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return of(f)->real->pMethods->xShmLock(of(f)->real, at, n, flags);
}

static void shim_barrier(sqlite3_file *f)
{
	of(f)->real->pMethods->xShmBarrier(of(f)->real);
}

static int shim_unmap(sqlite3_file *f, int gone)
{
	return of(f)->real->pMethods->xShmUnmap(of(f)->real, gone);
}

static const sqlite3_io_methods methods = {
	2, shim_close, shim_read, shim_write, shim_truncate, shim_sync, shim_size, shim_lock, shim_unlock, shim_reserved, shim_control,
	shim_sector, shim_promises, shim_map, shim_shm_lock, shim_barrier, shim_unmap, NULL, NULL,
};

static struct image *image_of(const char *path)
{
	struct image *f = NULL;

	if (!path || !watched || !str_starts(path, watched))
		return NULL;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n_files && !f; i++)
		if (streq(files[i].path, path))
			f = &files[i];
	if (!f) {
		assert(n_files < ARRAY_SIZE(files));
		f = &files[n_files++];
		*f = (struct image){ .path = xstrdup(path) };
	}
	pthread_mutex_unlock(&lock);
	return f;
}

static int shim_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
	struct shim *s = of(f);
	int rc;

	memset(s, 0, sizeof *s);
	s->real = (sqlite3_file *)(s + 1);
	rc = below(v)->xOpen(below(v), path, s->real, flags, ret_flags);
	if (s->real->pMethods)
		s->base.pMethods = &methods;
	if (rc == SQLITE_OK && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL))
		s->image = image_of(path);
	return rc;
}

static int shim_delete(sqlite3_vfs *v, const char *path, int durably)
{
	struct image *f = image_of(path);

	if (f) {
		pthread_mutex_lock(&lock);
		tick();
		settle(f);
		cut(f, 0);
		f->on_disk = false;
		pthread_mutex_unlock(&lock);
	}
	return below(v)->xDelete(below(v), path, durably);
}

static sqlite3_vfs layer;

static void layer_on(void)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	if (layer.pAppData)
		return;
	layer = *real;
	layer.pNext = NULL;
	layer.zName = "power";
	layer.szOsFile = real->szOsFile + (int)sizeof(struct shim);
	layer.pAppData = real;
	layer.xOpen = shim_open;
	layer.xDelete = shim_delete;
	assert(sqlite3_vfs_register(&layer, 1) == SQLITE_OK);
}

/* ---- what is written ---- */

static int add_pair(struct sql *tx, void *arg, struct err *err)
{
	int i = *(int *)arg;
	_cleanup_free_ char *a = xasprintf("a%d", i), *b = xasprintf("b%d", i), *value = NULL;
	size_t n = (size_t)(100 + 700 * (i % 13));

	value = xmalloc(n + 1);
	memset(value, 'a' + i % 26, n);
	value[n] = 0;
	return store_meta_set(tx, a, value, err) < 0 || store_meta_set(tx, b, value, err) < 0 ? -(int)err->code : 0;
}

static void life(struct rig *rig)
{
	for (int i = 0; i < WRITES; i++) {
		WRITE(rig, add_pair, &i);
		pthread_mutex_lock(&lock);
		acknowledged = i + 1;
		pthread_mutex_unlock(&lock);
		if (i % 16 == 15) { /* the log goes into the file, as it does at the end and when it is long */
			rig_close(rig);
			rig_open(rig);
		}
	}
}

/* ---- what is left ---- */

static void lay_out(const struct copy *c, const char *dir, char **ret_file)
{
	for (size_t i = 0; i < c->n; i++) {
		struct image f = image_copy(&c->v[i]);
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, strrchr(f.path, '/') + 1);
		int fd;

		darken(&f);
		if (f.on_disk || any(2)) {
			fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
			assert(write(fd, f.disk, f.n) == (ssize_t)f.n); /* image_copy allocates even for none */
			close(fd);
		}
		if (!str_ends(path, "-wal") && !str_ends(path, "-journal")) {
			free(*ret_file);
			*ret_file = xstrdup(path);
		}
		image_done(&f);
	}
}

static int pair(struct rig *rig, char which, int i)
{
	_cleanup_free_ char *text = NULL;
	size_t n = (size_t)(100 + 700 * (i % 13));

	text = xasprintf("SELECT COUNT(*) FROM meta WHERE name = '%c%d' AND LENGTH(value) = %zu AND REPLACE(value, '%c', '') = ''", which, i, n,
			 'a' + i % 26);
	return (int)rig_int(rig, text);
}

static void judge(const struct copy *c, int round)
{
	_cleanup_rig_ struct rig *rig = xcalloc(1, sizeof *rig);
	char template[] = "/tmp/cw-power-XXXXXX";
	int last = -1;

	assert(mkdtemp(template));
	rig->dir = xstrdup(template);
	lay_out(c, rig->dir, &rig->file);
	assert(rig->file);
	rig->url = xasprintf("sqlite:%s", rig->file);
	if (store_open(&(struct store_options){ .url = rig->url }, &rig->store, &rig->err) < 0)
		fail_msg("round %d: %s", round, rig->err.detail);
	ASSERT_OK(store_check(rig->store, &rig->err), &rig->err);
	for (int i = 0; i < WRITES; i++) {
		int a = pair(rig, 'a', i), b = pair(rig, 'b', i);

		if (a != b || (i < c->acknowledged && !a))
			fail_msg("round %d: of write %d (%d were acknowledged) a %s, b %s", round, i, c->acknowledged, a ? "is there" : "is not",
				 b ? "is there" : "is not");
		if (a && i != last + 1)
			fail_msg("round %d: write %d is there, and %d is not", round, i, last + 1);
		last = a ? i : last;
	}
}

static void begin(void)
{
	for (size_t i = 0; i < n_files; i++)
		settle(&files[i]);
	calls = 0;
	acknowledged = 0;
}

static void forget(void)
{
	for (size_t i = 0; i < n_files; i++)
		image_done(&files[i]);
	n_files = 0;
	watched = NULL;
}

/* One life; the failure is at that call. Returns how many calls there were. */
static int live(int at)
{
	_cleanup_rig_ struct rig *rig = NULL;

	watched = "/tmp/cw-store-";
	dark_at = 0;
	rig = rig_new();
	rig_close(rig);
	begin();
	dark_at = at;
	rig_open(rig);
	life(rig);
	rig_close(rig);
	forget();
	return calls;
}

static void what_was_acknowledged_survives_a_power_failure_at_any_write(void **state)
{
	int n;

	layer_on();
	n = live(0);
	ASSERT_TRUE(n > 4 * WRITES);
	for (int round = 0; round < ROUNDS; round++) {
		seed = (unsigned)round + 1;
		live(1 + (int)any((unsigned)n));
		for (int i = 0; failed.n && i < OUTCOMES; i++)
			judge(&failed, round);
		copy_done(&failed);
	}
}

/* The test can fail: a layer that takes acknowledged writes for synced although they are not loses them. */
static void the_failure_takes_what_was_not_synced(void **state)
{
	struct image f = { .path = xstrdup("x"), .on_disk = true };
	unsigned char page[4096], before[4096] = { 0 };
	bool lost = false, torn = false, whole = false;

	memset(page, 'n', sizeof page);
	put(&f, 0, before, sizeof before);
	f.pieces = xcalloc(1, sizeof *f.pieces);
	f.pieces[0] = (struct piece){ 0, page, sizeof page };
	f.n_pieces = 1;
	for (int i = 0; i < 100; i++) {
		struct image one = image_copy(&f);
		size_t new = 0;

		darken(&one);
		for (size_t at = 0; at < sizeof page; at++)
			new += one.disk[at] == 'n';
		lost |= new == 0;
		whole |= new == sizeof page;
		torn |= new && new < sizeof page && new % SECTOR == 0;
		image_done(&one);
	}
	ASSERT_TRUE(lost && torn && whole);
	f.pieces[0].p = NULL;
	f.n_pieces = 0;
	image_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_failure_takes_what_was_not_synced),
		TEST(what_was_acknowledged_survives_a_power_failure_at_any_write),
	};

	return cmocka_run_group_tests_name("power failures below SQLite", tests, NULL, NULL);
}
