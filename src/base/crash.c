/* SPDX-License-Identifier: Apache-2.0 */
/* crash.c - see crash.h. Part of test builds only. */
#include "base/crash.h"

#include "base/file.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#define RULES_MAX 8

struct rule {
	bool kill, on;
	char point[160];
	int64_t at, seen;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[RULES_MAX];
static size_t n_rules;
static const char *path;
static ino_t loaded;

/* Tests write these files: a bad line ends the process so that no test passes for the wrong reason. */
static void parse_line(const char *line)
{
	_cleanup_strlist_ struct strlist words = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	struct rule *r = &rules[n_rules];
	size_t n;

	strlist_split(&words, line, ' ');
	if (!words.n)
		return;
	if (words.n != 3 || n_rules == RULES_MAX)
		abort();
	n = strlen(words.v[2]);
	r->on = n && words.v[2][n - 1] == '+';
	if (r->on)
		words.v[2][n - 1] = '\0';
	r->kill = streq(words.v[0], "kill");
	if ((!r->kill && !streq(words.v[0], "fail")) || str_to_i64(words.v[2], 1, INT32_MAX, &r->at, &err) < 0)
		abort();
	snprintf(r->point, sizeof r->point, "%s", words.v[1]);
	n_rules++;
}

/* Reads the rules if the file is another one than last time. */
static void load(void)
{
	_cleanup_buf_ struct buf text = BUF_MAX(4096);
	_cleanup_strlist_ struct strlist lines = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	struct stat st;

	path = getenv("CERTWRIGHT_CRASH_FILE");
	if (!path || stat(path, &st) < 0 || st.st_ino == loaded)
		return;
	if (file_read(path, &text, &err) < 0)
		return;
	loaded = st.st_ino;
	n_rules = 0;
	memset(rules, 0, sizeof rules);
	strlist_split(&lines, buf_text(&text), '\n');
	for (size_t i = 0; i < lines.n; i++)
		parse_line(lines.v[i]);
}

static void forget(const struct rule *gone)
{
	_cleanup_buf_ struct buf text = BUF_MAX(4096);
	_cleanup_err_ struct err err = ERR_INIT;

	for (struct rule *r = rules; r < rules + n_rules; r++)
		if (r != gone)
			buf_addf(&text, "%s %s %" PRId64 "%s\n", r->kill ? "kill" : "fail", r->point, r->at, r->on ? "+" : "");
	if (file_write_atomic(path, buf_text(&text), text.n, 0600, &err) < 0)
		abort();
}

static bool passed(const char *name, bool want_kill)
{
	bool hit = false;

	pthread_mutex_lock(&lock);
	load();
	for (struct rule *r = rules; r < rules + n_rules; r++) {
		if (r->kill != want_kill || !streq(r->point, name))
			continue;
		r->seen++;
		if (r->seen == r->at || (r->on && r->seen > r->at)) {
			hit = true;
			if (want_kill && !r->on)
				forget(r);
		}
	}
	if (hit && want_kill)
		raise(SIGKILL);
	pthread_mutex_unlock(&lock);
	return hit;
}

void crash_point(const char *name)
{
	passed(name, true);
}

void crash_point_of(const char *kind, const char *what, const char *of)
{
	char name[160];

	snprintf(name, sizeof name, "%s-%s", kind, what);
	passed(name, true);
	snprintf(name, sizeof name, "%s-%s@%s", kind, what, of ? of : "");
	passed(name, true);
}

bool fail_point(const char *name)
{
	return passed(name, false);
}
