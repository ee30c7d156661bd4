/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - maintenance windows of renewals. */
#ifndef SERVICE_WINDOW_H
#define SERVICE_WINDOW_H

#include "service/service.h"
#include "store/renewal.h"

struct window_create {
	const char *name, *cron, *zone; /* zone NULL = UTC */
	int64_t minutes;
	const char *tag; /* for the certificates with it; NULL = not by tag */
	bool is_default; /* for all certificates without one of their own */
};

struct window_view {
	struct renewal_window window;
	int64_t next_ms; /* when it opens next; 0 = open, or never */
	bool open;
};
static inline void window_view_done(struct window_view *v)
{
	renewal_window_done(&v->window);
}
#define _cleanup_window_view_ __attribute__((cleanup(window_view_done)))
STORE_LIST(window_view);
#define _cleanup_window_view_list_ __attribute__((cleanup(window_view_list_done)))

int service_window_list(struct service *s, struct window_view_list *ret, struct err *err) MUST_CHECK;
int service_window_get(struct service *s, const char *ref, struct window_view *ret, struct err *err) MUST_CHECK;
/* INVALID with the field; CONFLICT: the name is taken, or there is a default one. */
int service_window_create(struct service *s, const struct actor *a, const struct window_create *r, struct window_view *ret, struct err *err) MUST_CHECK;
int service_window_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;

#endif
