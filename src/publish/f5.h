/* SPDX-License-Identifier: Apache-2.0 */
/* f5.h - what f5.c (tokens) and f5_servers.c (iRule and virtual servers) share: the configuration and one visit to the device. */
#ifndef PUBLISH_F5_H
#define PUBLISH_F5_H

#include "publish/publisher.h"
#include "remote/bigip.h"

enum f5_sync { F5_SYNC_NO, F5_SYNC_CLEAN, F5_SYNC_ALWAYS };

struct f5 {
	struct strlist urls;
	char *user, *partition, *group, *device_group;
	struct secret password;
	bool save;
	enum f5_sync sync;
};

struct f5_visit {
	const struct f5 *f;
	struct bigip_target t;
	struct bigip b;
	char *sync_before; /* state of the device group before the first write */
};
/* Does not move while it is open. */
int f5_visit(const struct f5 *f, const struct publish_env *env, struct f5_visit *v, struct err *err) MUST_CHECK;
void f5_leave(struct f5_visit *v);
#define _cleanup_f5_visit_ __attribute__((cleanup(f5_leave)))

/*
 * Around all writes of a visit: saving, and copying to the device group, never with others' pending changes unless that is asked for.
 * After a visit that found all written f5_after_write alone does what a visit before may have left undone.
 */
int f5_before_write(struct f5_visit *v, struct err *err) MUST_CHECK;
int f5_after_write(struct f5_visit *v, struct err *err) MUST_CHECK;
int f5_make_group(struct f5_visit *v, struct err *err) MUST_CHECK;

/* Members of the publisher. */
int f5_look(void *self, const struct publish_env *env, json_t **ret, struct err *err);
int f5_attach(void *self, const struct publish_env *env, const struct publish_attach *q, json_t **ret, struct err *err);

/* Our iRule for that data group; owned. Plain Tcl, so that it can be run outside the device. */
char *f5_rule(const char *partition, const char *group);

#endif
