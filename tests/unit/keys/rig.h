/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h - a key module with a fresh master key in a scratch folder; each suite runs here and in a process of its own. */
#ifndef TESTS_UNIT_KEYS_RIG_H
#define TESTS_UNIT_KEYS_RIG_H

#include "base/file.h"
#include "keys/keys.h"
#include "tests/unit/assert.h"

#include <stdio.h>
#include <unistd.h>

#define DIRECTORY "https://ca.example/directory"
#define ID "01JD0000000000000000000000"
#define OTHER "01JD0000000000000000000001"

struct rig {
	char dir[64];
	char *master;
	struct keys *keys;
	struct err err;
};

extern bool rig_separate; /* set by main */

static inline struct rig rig_new(void)
{
	struct rig r = { .dir = "/tmp/cw-keys-XXXXXX" };
	struct keys_options o = { .separate = rig_separate };

	ASSERT_TRUE(mkdtemp(r.dir));
	r.master = path_join(r.dir, "master.key");
	ASSERT_OK(keys_master_create(r.master, &r.err), &r.err);
	strlist_add(&o.files, r.master);
	ASSERT_OK(keys_open(&o, &r.keys, &r.err), &r.err);
	strlist_clear(&o.files);
	return r;
}

static inline void rig_done(struct rig *r)
{
	keys_close(r->keys);
	unlink(r->master);
	rmdir(r->dir);
	free(r->master);
	err_clear(&r->err);
}
#define _cleanup_rig_ __attribute__((cleanup(rig_done)))

static inline struct key_handle handle(const struct key_made *m, const char *id)
{
	return (struct key_handle){ "key", id, "sealed", m->sealed, m->sealed_n };
}

static inline struct key_made make(struct rig *r, enum key_purpose purpose, enum key_type type, const char *id)
{
	const struct key_place to = { "key", id, "sealed" };
	struct key_made m = { 0 };

	ASSERT_OK(keys_generate(r->keys, purpose, type, &to, purpose == KEY_ACCOUNT ? DIRECTORY : NULL, &m, &r->err), &r->err);
	return m;
}

/* Runs the tests twice. */
#define RUN_BOTH(tests)                                                                                                \
	({                                                                                                             \
		rig_separate = false;                                                                                  \
		int here_ = RUN(tests);                                                                                \
		rig_separate = true;                                                                                   \
		here_ + RUN(tests);                                                                                    \
	})

#endif
