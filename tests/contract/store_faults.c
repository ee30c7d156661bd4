/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_faults.c - what goes wrong below the store: no space, disk errors, damaged and replaced files (SQLite); a server
 * that dies, commits whose answer is lost, deadlocks, races (PostgreSQL, the lost answers through a proxy that cuts there).
 */
#include "tests/contract/store_rig.h"

#include "store/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int add_name(struct sql *tx, void *arg, struct err *err)
{
	if (sql_exec(tx, "INSERT INTO meta (name, value) VALUES ($1, 'x')", SQL_VALUES(SQL_TEXT(arg)), NULL, err) < 0)
		return -(int)err->code;
	store_count(tx, "added", 0, "", 1);
	return 0;
}

#define BIG (20 * 1024 * 1024) /* more than is written before a checkpoint */

static int add_big(struct sql *tx, void *arg, struct err *err)
{
	_cleanup_free_ char *big = xmalloc(BIG);

	memset(big, 'x', BIG);
	big[BIG - 1] = 0;
	return store_meta_set(tx, arg, big, err);
}

static int run(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, arg, SQL_NONE, NULL, err);
}

static enum store_state state_of(struct rig *rig, char reason[256])
{
	struct store_health h;

	store_health(rig->store, &h);
	ASSERT_INT(h.writable, h.state == STORE_OK);
	if (reason)
		snprintf(reason, 256, "%s", h.reason);
	return h.state;
}

/* SQLite */

static void a_full_disk_refuses_and_heals_without_a_restart(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	char limit[] = "PRAGMA max_page_count = 200", more[] = "PRAGMA max_page_count = 1000000", big[] = "big", a[] = "a";

	WRITE(rig, run, limit);
	ASSERT_FAILS(store_write(rig->store, add_big, big, &rig->err), &rig->err, ERR_NO_SPACE);
	ASSERT_INT(state_of(rig, NULL), STORE_FULL);
	WRITE(rig, run, more);
	WRITE(rig, add_big, big);
	WRITE(rig, add_name, a);
	ASSERT_INT(state_of(rig, NULL), STORE_OK);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), 2);
}

static void a_full_disk_heals_without_anybody_writing(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	char limit[] = "PRAGMA max_page_count = 200", big[] = "big", reason[256];
	const struct timespec nap = { .tv_nsec = 100 * 1000000 };

	WRITE(rig, run, limit);
	ASSERT_FAILS(store_write(rig->store, add_big, big, &rig->err), &rig->err, ERR_NO_SPACE);
	ASSERT_INT(state_of(rig, NULL), STORE_FULL);
	for (int i = 0; i < 100 && state_of(rig, reason) != STORE_OK; i++)
		nanosleep(&nap, NULL);
	ASSERT_INT(state_of(rig, NULL), STORE_OK); /* the small write of the look has room */
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta WHERE name = 'space.probe'"), 0);
}

static void a_disk_error_ends_writing_until_a_restart(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct rlimit before, small;
	char a[] = "a", big[] = "big", b[] = "b", reason[256];

	WRITE(rig, add_name, a);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 1024 * 1024;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	ASSERT_FAILS(store_write(rig->store, add_big, big, &rig->err), &rig->err, ERR_STORE);
	setrlimit(RLIMIT_FSIZE, &before);
	ASSERT_INT(state_of(rig, reason), STORE_READ_ONLY);
	ASSERT_HAS(reason, "disk error");
	ASSERT_FAILS(store_write(rig->store, add_name, b, &rig->err), &rig->err, ERR_STORE);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), 1); /* what is there can be read */
	rig_close(rig);
	rig_open(rig);
	WRITE(rig, add_name, b);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), 2);
	ASSERT_OK(store_check(rig->store, &rig->err), &rig->err);
}

static void a_replaced_file_is_noticed(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_free_ char *aside = xasprintf("%s-aside", rig->file);
	char big[] = "big", reason[256] = "";

	ASSERT_INT(rename(rig->file, aside), 0);
	close(open(rig->file, O_CREAT | O_WRONLY, 0600));
	WRITE(rig, add_big, big); /* enough pages that the checkpoint thread comes by */
	for (int i = 0; i < 100 && state_of(rig, reason) == STORE_OK; i++)
		usleep(50 * 1000);
	ASSERT_INT(state_of(rig, reason), STORE_READ_ONLY);
	ASSERT_HAS(reason, "replaced");
}

static void overwrite(const char *path, off_t at, size_t n)
{
	_cleanup_free_ unsigned char *p = xmalloc(n);
	int fd = open(path, O_WRONLY);

	memset(p, 0xa5, n);
	ASSERT_INT(pwrite(fd, p, n, at), n);
	close(fd);
}

static void a_damaged_file_is_refused_with_advice(void **state)
{
	static const struct {
		off_t at;
		size_t n;
	} damages[] = { { 0, 64 }, { 4096, 64 }, { 8192, 4096 }, { 20, 40 } };

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		_cleanup_rig_ struct rig *rig = rig_new();
		_cleanup_free_ char *text = NULL;

		rig_close(rig);
		overwrite(rig->file, damages[i].at, damages[i].n);
		ASSERT_TRUE(store_open(&(struct store_options){ .url = rig->url }, &rig->store, &rig->err) == -ERR_STORE);
		text = err_text(&rig->err);
		ASSERT_TRUE(strstr(text, "damaged") || strstr(text, "not a database"));
		err_clear(&rig->err);
	}
}

static void files_are_private_and_a_copy_is_whole(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_free_ char *wal = xasprintf("%s-wal", rig->file), *copy = xasprintf("%s-copy", rig->file),
			    *copy_url = xasprintf("sqlite:%s", copy);
	struct rig other = { 0 };
	struct stat st;
	char a[] = "a";

	WRITE(rig, add_name, a);
	ASSERT_INT(stat(rig->file, &st), 0);
	ASSERT_INT(st.st_mode & 0777, 0600);
	ASSERT_INT(stat(wal, &st), 0);
	ASSERT_INT(st.st_mode & 0777, 0600);
	ASSERT_OK(store_backup(rig->store, copy, &rig->err), &rig->err);
	ASSERT_INT(stat(copy, &st), 0);
	ASSERT_INT(st.st_mode & 0777, 0600);
	ASSERT_FAILS(store_backup(rig->store, copy, &rig->err), &rig->err, ERR_CONFLICT);
	other.url = copy_url;
	rig_open(&other);
	ASSERT_INT(rig_int(&other, "SELECT COUNT(*) FROM meta"), 1);
	rig_close(&other);
}

static void *release_later(void *arg)
{
	struct sql *q = arg;
	struct err err = ERR_INIT;

	usleep(300 * 1000);
	ASSERT_OK(sql_exec(q, "COMMIT", SQL_NONE, NULL, &err), &err);
	return NULL;
}

static void a_lock_of_another_process_is_waited_for(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct sql *q = NULL;
	pthread_t thread;
	char a[] = "a";

	ASSERT_OK(sqlite_connect(rig->file, SQLITE_ROLE_WRITER, &q, &rig->err), &rig->err);
	ASSERT_OK(sql_exec(q, "BEGIN IMMEDIATE", SQL_NONE, NULL, &rig->err), &rig->err);
	pthread_create(&thread, NULL, release_later, q);
	WRITE(rig, add_name, a);
	pthread_join(thread, NULL);
	sql_close(q);
}

static void what_cannot_be_opened_says_why(void **state)
{
	static const struct {
		const char *url;
		enum err_code code;
		const char *part;
	} table[] = {
		{ "mysql://x", ERR_INVALID, "neither" },
		{ "", ERR_INVALID, "neither" },
		{ "sqlite:", ERR_INVALID, "names no file" },
		{ "sqlite:/no/such/directory/x.db", ERR_STORE, "/no/such/directory" },
		{ "sqlite:/tmp", ERR_STORE, "/tmp" },
		{ "postgresql://u:hunter2@localhost/x", ERR_INVALID, "contains a password" },
		{ "postgresql://u@/x?password=hunter2", ERR_INVALID, "contains a password" },
		{ "postgresql://u@/x?nonsense=1", ERR_INVALID, "cannot be read" },
		{ "postgresql://u@/x?host=%2Fno%2Fsuch", ERR_STORE, "could not reach PostgreSQL" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_err_ struct err err = ERR_INIT;
		_cleanup_free_ char *text = NULL;
		struct store *s = NULL;

		ASSERT_INT(store_open(&(struct store_options){ .url = table[i].url }, &s, &err), -(int)table[i].code);
		text = err_text(&err);
		ASSERT_HAS(text, table[i].part);
		ASSERT_TRUE(!strstr(text, "hunter2"));
	}
}

static void network_file_systems_are_known(void **state)
{
	static const struct {
		uint64_t magic;
		const char *name;
	} table[] = {
		{ 0x6969, "NFS" }, { 0xff534d42, "CIFS" }, { 0xffffffffff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
		{ 0xef53, NULL } /* ext4 */, { 0x58465342, NULL } /* XFS */, { 0x9123683e, NULL } /* btrfs */,
		{ 0x01021994, NULL } /* tmpfs */, { 0x794c7630, NULL } /* overlay */,
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ASSERT_STR(sqlite_network_name(table[i].magic), table[i].name);
}

static void a_password_file_must_be_there(void **state)
{
	_cleanup_err_ struct err err = ERR_INIT;
	struct store *s = NULL;
	struct store_options o = { .url = "postgresql://u@/x", .password_file = "/no/such/file" };

	ASSERT_TRUE(store_open(&o, &s, &err) < 0);
	ASSERT_HAS(err.detail, "store.password_file");
}

/* PostgreSQL */

struct worker {
	struct rig *rig;
	int who;
	_Atomic int *acknowledged;
	_Atomic bool *stop;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; !atomic_load(w->stop); i++) {
		_cleanup_err_ struct err err = ERR_INIT;
		char name[32];

		snprintf(name, sizeof name, "%d-%d", w->who, i);
		if (store_write(w->rig->store, add_name, name, &err) >= 0)
			atomic_fetch_add(w->acknowledged, 1);
		usleep(1000);
	}
	return NULL;
}

static int count_added(struct sql *q, void *arg, struct err *err)
{
	return store_count_get(q, "added", 0, "", arg, err);
}

/* So many at least, however long they take here. */
static void wait_for(_Atomic int *done, int n)
{
	for (int i = 0; atomic_load(done) < n; i++) {
		ASSERT_TRUE(i < 12000);
		usleep(10 * 1000);
	}
}

static void a_server_that_dies_loses_nothing_and_doubles_nothing(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_Atomic int acknowledged = 0;
	_Atomic bool stop = false;
	struct worker workers[6];
	pthread_t threads[6];
	int64_t rows, counted = 0;

	for (int i = 0; i < 6; i++) {
		workers[i] = (struct worker){ rig, i, &acknowledged, &stop };
		pthread_create(&threads[i], NULL, worker_main, &workers[i]);
	}
	for (int i = 1; i <= 3; i++) {
		wait_for(&acknowledged, 40 * i);
		pg_kill(&rig_pg, SIGQUIT); /* at once, without a farewell */
		ASSERT_TRUE(pg_run(&rig_pg));
	}
	wait_for(&acknowledged, 160);
	atomic_store(&stop, true);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	rows = rig_int(rig, "SELECT COUNT(*) FROM meta");
	READ(rig, count_added, &counted);
	ASSERT_INT(counted, rows);           /* a row and its count are one */
	ASSERT_INT(rows, acknowledged);      /* nobody was told anything that is not so */
	ASSERT_TRUE(rows > 100);
	ASSERT_INT(state_of(rig, NULL), STORE_OK);
}

/* A proxy on a socket of its own that cuts the connection around a COMMIT. */
enum cut { CUT_NEVER, CUT_BEFORE_COMMIT, CUT_AFTER_COMMIT };

struct proxy {
	char *dir, *server;
	int listen_fd;
	_Atomic int cut; /* once, then NEVER */
	_Atomic int cuts;
	_Atomic int links; /* threads */
	_Atomic bool stop;
	pthread_t thread;
};

static int unix_socket(const char *dir, struct sockaddr_un *addr)
{
	memset(addr, 0, sizeof *addr);
	addr->sun_family = AF_UNIX;
	snprintf(addr->sun_path, sizeof addr->sun_path, "%s/.s.PGSQL.5432", dir);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

struct link {
	struct proxy *proxy;
	int client, server;
};

static void *link_main(void *arg)
{
	struct link *l = arg;
	char buf[16384];
	bool waiting = false; /* for the answer to the COMMIT, which we keep */

	for (;;) {
		struct pollfd fds[] = { { .fd = l->client, .events = POLLIN }, { .fd = l->server, .events = POLLIN } };
		ssize_t n;

		if (poll(fds, 2, 200) < 0 || atomic_load(&l->proxy->stop))
			break;
		if (fds[0].revents) {
			int cut = CUT_NEVER;

			n = read(l->client, buf, sizeof buf);
			if (n <= 0)
				break;
			if (n >= 12 && buf[0] == 'Q' && !memcmp(buf + 5, "COMMIT", 7))
				cut = atomic_exchange(&l->proxy->cut, CUT_NEVER);
			if (cut != CUT_NEVER)
				atomic_fetch_add(&l->proxy->cuts, 1);
			if (cut == CUT_BEFORE_COMMIT)
				break;
			waiting = cut == CUT_AFTER_COMMIT;
			if (write(l->server, buf, (size_t)n) != n)
				break;
		}
		if (fds[1].revents) {
			n = read(l->server, buf, sizeof buf);
			if (n <= 0 || waiting || write(l->client, buf, (size_t)n) != n)
				break;
		}
	}
	close(l->client);
	close(l->server);
	atomic_fetch_sub(&l->proxy->links, 1);
	free(l);
	return NULL;
}

static void *proxy_main(void *arg)
{
	struct proxy *p = arg;

	while (!atomic_load(&p->stop)) {
		struct pollfd fd = { .fd = p->listen_fd, .events = POLLIN };
		struct sockaddr_un addr;
		struct link *l;
		pthread_t thread;

		if (poll(&fd, 1, 100) <= 0)
			continue;
		l = xcalloc(1, sizeof *l);
		l->proxy = p;
		l->client = accept(p->listen_fd, NULL, NULL);
		l->server = unix_socket(p->server, &addr);
		if (connect(l->server, (struct sockaddr *)&addr, sizeof addr) < 0) {
			close(l->client);
			close(l->server);
			free(l);
			continue;
		}
		atomic_fetch_add(&p->links, 1);
		pthread_create(&thread, NULL, link_main, l);
		pthread_detach(thread);
	}
	return NULL;
}

static void proxy_start(struct proxy *p)
{
	char template[] = "/tmp/cw-cut-XXXXXX";
	struct sockaddr_un addr;

	assert(mkdtemp(template));
	p->dir = xstrdup(template);
	p->server = rig_pg.dir;
	p->listen_fd = unix_socket(p->dir, &addr);
	assert(bind(p->listen_fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(p->listen_fd, 64) == 0);
	pthread_create(&p->thread, NULL, proxy_main, p);
}

static void proxy_stop(struct proxy *p)
{
	struct sockaddr_un addr;

	atomic_store(&p->stop, true);
	pthread_join(p->thread, NULL);
	while (atomic_load(&p->links))
		usleep(10 * 1000);
	close(p->listen_fd);
	close(unix_socket(p->dir, &addr));
	unlink(addr.sun_path);
	rmdir(p->dir);
	free(p->dir);
}

static void a_commit_whose_answer_is_lost_happens_exactly_once(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct proxy proxy = { 0 };
	struct pg through = { 0 };

	rig_close(rig);
	proxy_start(&proxy);
	through.dir = proxy.dir;
	free(rig->url);
	rig->url = pg_url(&through, rig->database);
	rig_open(rig);
	for (int i = 0; i < 20; i++) {
		char name[32];
		int64_t counted = 0;

		snprintf(name, sizeof name, "%d", i);
		atomic_store(&proxy.cut, i % 2 ? CUT_AFTER_COMMIT : CUT_BEFORE_COMMIT);
		WRITE(rig, add_name, name);
		ASSERT_INT(proxy.cuts, i + 1);
		ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), i + 1);
		READ(rig, count_added, &counted);
		ASSERT_INT(counted, i + 1);
	}
	rig_close(rig);
	proxy_stop(&proxy);
}

struct crossing {
	struct rig *rig;
	const char *first, *second;
	int result;
};

static int cross_fn(struct sql *tx, void *arg, struct err *err)
{
	struct crossing *c = arg;
	int64_t num = 0;

	if (store_next_num(tx, c->first, &num, err) < 0)
		return -(int)err->code;
	usleep(200 * 1000);
	return store_next_num(tx, c->second, &num, err);
}

static void *cross_main(void *arg)
{
	struct crossing *c = arg;
	_cleanup_err_ struct err err = ERR_INIT;

	c->result = store_write(c->rig->store, cross_fn, c, &err);
	return NULL;
}

static void a_deadlock_is_run_again(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct crossing a = { rig, "x", "y", -1 }, b = { rig, "y", "x", -1 };
	pthread_t threads[2];

	pthread_create(&threads[0], NULL, cross_main, &a);
	pthread_create(&threads[1], NULL, cross_main, &b);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	ASSERT_INT(a.result, 0);
	ASSERT_INT(b.result, 0);
	ASSERT_INT(rig_int(rig, "SELECT SUM(n)::bigint FROM counter WHERE name IN ('x', 'y')"), 4);
}

static int ignore_fn(struct sql *tx, void *arg, struct err *err)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	char a[] = "a";

	if (add_name(tx, a, err) < 0)
		return -(int)err->code;
	return add_name(tx, a, &ignored) < 0 ? 0 : 0;
}

static void an_ignored_failure_is_not_called_a_success(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	ASSERT_TRUE(store_write(rig->store, ignore_fn, NULL, &rig->err) < 0);
	err_clear(&rig->err);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), 0);
}

/* Looks, then creates: of eight at once one creates and seven find. */
struct finder {
	struct rig *rig;
	_Atomic int *made;
	int result;
	bool mine;
};

static int find_or_add(struct sql *tx, void *arg, struct err *err)
{
	struct finder *f = arg;
	bool there = false;
	char name[] = "the one";

	f->mine = false;
	if (sql_exists(tx, "SELECT 1 FROM meta WHERE name = $1", SQL_VALUES(SQL_TEXT(name)), &there, err) < 0)
		return -(int)err->code;
	if (there)
		return 0;
	usleep(50 * 1000);
	f->mine = true;
	return add_name(tx, name, err);
}

static void *finder_main(void *arg)
{
	struct finder *f = arg;
	_cleanup_err_ struct err err = ERR_INIT;

	f->result = store_write(f->rig->store, find_or_add, f, &err);
	if (f->mine)
		atomic_fetch_add(f->made, 1);
	return NULL;
}

static void a_race_to_create_has_one_winner_and_no_errors(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_Atomic int made = 0;
	struct finder finders[8];
	pthread_t threads[8];

	for (int i = 0; i < 8; i++) {
		finders[i] = (struct finder){ rig, &made, -1, false };
		pthread_create(&threads[i], NULL, finder_main, &finders[i]);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 8; i++)
		ASSERT_INT(finders[i].result, 0);
	ASSERT_INT(made, 1);
}

int main(void)
{
	const struct CMUnitTest sqlite[] = {
		TEST(a_full_disk_refuses_and_heals_without_a_restart),
		TEST(a_full_disk_heals_without_anybody_writing),
		TEST(a_disk_error_ends_writing_until_a_restart),
		TEST(a_replaced_file_is_noticed),
		TEST(a_damaged_file_is_refused_with_advice),
		TEST(files_are_private_and_a_copy_is_whole),
		TEST(a_lock_of_another_process_is_waited_for),
		TEST(what_cannot_be_opened_says_why),
		TEST(network_file_systems_are_known),
		TEST(a_password_file_must_be_there),
		TEST(a_race_to_create_has_one_winner_and_no_errors),
	};
	const struct CMUnitTest pgsql[] = {
		TEST(a_server_that_dies_loses_nothing_and_doubles_nothing),
		TEST(a_commit_whose_answer_is_lost_happens_exactly_once),
		TEST(a_deadlock_is_run_again),
		TEST(an_ignored_failure_is_not_called_a_success),
		TEST(a_race_to_create_has_one_winner_and_no_errors),
	};
	int failed = cmocka_run_group_tests_name("faults below SQLite", sqlite, NULL, NULL);

	if (pg_start(&rig_pg, &rig_no_pg)) {
		rig_pgsql = true;
		failed += cmocka_run_group_tests_name("faults below PostgreSQL", pgsql, NULL, NULL);
	} else {
		print_message("SKIPPED: faults below PostgreSQL: %s\n", rig_no_pg);
	}
	pg_stop(&rig_pg);
	return failed;
}
