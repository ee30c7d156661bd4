/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - notification channels as people configure and test them, and what each was told. */
#ifndef SERVICE_CHANNEL_H
#define SERVICE_CHANNEL_H

#include "base/json.h"
#include "service/service.h"
#include "store/channel.h"

struct channel_save { /* create: kind, name and settings are required; update: what is NULL stays */
	const char *kind, *name;
	bool enabled, has_enabled; /* not given: enabled when made */
	json_t *settings;   /* email: host, port, security, user, password, from, to; webhook: url. null takes a value away */
	json_t *rules;      /* {"events": [], "vendors": []} */
	json_t *connection; /* object, or JSON null for none */
};

struct channel_view {
	struct channel channel;
	int64_t waiting;
	bool has_password;
};
void channel_view_done(struct channel_view *v);
STORE_LIST(channel_view);
#define _cleanup_channel_view_ __attribute__((cleanup(channel_view_done)))
#define _cleanup_channel_view_list_ __attribute__((cleanup(channel_view_list_done)))

int service_channel_list(struct service *s, const struct list_query *q, struct channel_view_list *ret, struct list_end *end,
			 struct err *err) MUST_CHECK;
int service_channel_get(struct service *s, const char *ref, struct channel_view *ret, struct err *err) MUST_CHECK;
/* *ret_secret: a webhook's signing secret, this once. INVALID with "/kind", "/name", "/settings/...", "/rules/...", "/connection". */
int service_channel_create(struct service *s, const struct actor *a, const struct channel_save *r, const struct request_key *key,
			   struct channel_view *ret, struct secret *ret_secret, struct err *err) MUST_CHECK;
/* A change of where or as whom a mail password is used takes it away, unless it is given again. */
int service_channel_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct channel_save *r,
			   struct channel_view *ret, struct err *err) MUST_CHECK;
int service_channel_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;
/* A new signing secret; the one before signs too for a day. CONFLICT: not a webhook. */
int service_channel_rotate(struct service *s, const struct actor *a, const char *ref, struct channel_view *ret, struct secret *ret_secret,
			   struct err *err) MUST_CHECK;
int service_channel_test(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err) MUST_CHECK;
int service_channel_messages(struct service *s, const char *ref, const struct list_query *q, struct outbox_list *ret, struct list_end *end,
			     struct err *err) MUST_CHECK;

#endif
