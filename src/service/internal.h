/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of this folder share. */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "base/addr.h"
#include "base/json.h"
#include "base/limits.h"
#include "keys/keys.h"
#include "model/user.h"
#include "service/refusals.h"
#include "service/service.h"
#include "service/throttle.h"
#include "store/audit.h"
#include "store/store.h"

struct account_view;
struct certificate_view;

#define SESSION_IDLE_MS (30 * MINUTE_MS)
#define SESSION_ABSOLUTE_MS (12 * HOUR_MS)
#define SESSION_SEEN_EVERY_MS MINUTE_MS /* the row is written at most so often */
#define KNOWN_SOURCE_MS (90 * DAY_MS) /* of silence, then a source is a stranger again */
#define SETUP_TOKEN_MS (30 * MINUTE_MS)
#define TOKEN_DAYS_DEFAULT 90
#define IDEMPOTENCY_MS DAY_MS

struct service {
	struct store *store;
	struct keys *keys;
	struct engine *engine;
	const struct clock *clock;
	struct service_config config;
	void (*edge_state)(void *arg, struct service_edge *ret);
	void *edge_arg;
	program_run_fn *run_program;
	void *program_arg;
	int64_t started_ms;
	struct secret mac_key; /* cursors and bodies of idempotent requests */
	struct throttle *accounts, *sources;
	struct refusals *refusals;
};

/* Who is counted: an address; of IPv6 its /64, since one line has all of them. "" when it is not known. */
const char *service_source(const struct actor *from, char buf[ADDR_TEXT]);
/* The row as one log line. */
void audit_log(const struct audit *a);
/* Text of a document that is taken. */
static inline char *json_text_take(json_t *doc)
{
	char *text = doc ? json_text(doc) : NULL;

	json_decref(doc);
	return text;
}

static inline int64_t service_now(const struct service *s)
{
	return clock_now(s->clock);
}

/* A new audit row of now with its id; the caller sets object_* and detail and adds it in its transaction. */
void audit_begin(const struct service *s, const struct actor *a, const char *action, const char *object_kind, struct audit *ret);

/* What it was and what it is; both are taken and may be NULL. Secrets never: {"password": "changed"}. */
void audit_change(struct audit *a, json_t *before, json_t *after);
/* The same with the object it is about; before: NULL for one that is new, after: NULL for one that is gone. Both are taken. */
void audit_object(struct audit *a, const char *id, const char *name, json_t *take_before, json_t *take_after);

/* "/id" is neither an id nor a number: INVALID. *ret_num is 0 for an id. */
int ref_parse(const char *ref, const char *field, int64_t *ret_num, struct err *err) MUST_CHECK;

/* CHANGED unless expect is 0 or rev. */
int rev_check(int64_t expect, int64_t rev, const char *kind, struct err *err) MUST_CHECK;

/* --- idempotency: inside a creating write function ---------------------------------------------------------------------- */
struct once { /* prepared before the transaction */
	bool wanted;
	struct idempotency row; /* store's */
	char body_hash[65];
};
void once_begin(const struct service *s, const struct actor *a, const struct request_key *key, struct once *ret);
/* *ret_id: what was made by that key, owned; NULL when nothing was. REUSED_KEY. */
int once_find(struct sql *tx, const struct service *s, const struct once *o, char **ret_id, struct err *err) MUST_CHECK;
int once_add(struct sql *tx, const struct service *s, struct once *o, const char *kind, const char *id, struct err *err) MUST_CHECK;
void once_done(struct once *o);
#define _cleanup_once_ __attribute__((cleanup(once_done)))

/* --- cursors ------------------------------------------------------------------------------------------------------------ */
struct cursor { /* what page points into */
	struct page page;
	char *text, *id;
};
void cursor_done(struct cursor *c);
#define _cleanup_cursor_ __attribute__((cleanup(cursor_done)))
/*
 * list names the list and its order, filter what it was narrowed to ("" = nothing): a cursor is good for the same only.
 * INVALID with the field "/cursor".
 */
int cursor_open(const struct service *s, const char *list, const char *filter, const struct list_query *q, struct cursor *ret,
		struct err *err) MUST_CHECK;
/* After the page: key, text (or NULL) and id of its last item. */
void cursor_close(const struct service *s, const char *list, const char *filter, bool more, int64_t key, const char *text,
		  const char *id, struct list_end *ret);

/* --- lists: one way for all that go both ways (listing.c) ---------------------------------------------------------------- */
struct listing { /* the caller sets the first three, the rest is zero */
	const struct service *s;
	const char *name;
	unsigned also; /* BIT(PAGE_NAME) and the like: what it can be ordered by besides its time */
	char *filter;
	struct cursor cursor;
};
void listing_done(struct listing *l);
#define _cleanup_listing_ __attribute__((cleanup(listing_done)))
/* values: what it is narrowed to besides q->by, NULL = any; a cursor is good for the same only. INVALID with the field. */
int listing_open(struct listing *l, const struct list_query *q, const char *const *values, size_t n, struct err *err) MUST_CHECK;
/* After the page: key and id of its last item. */
void listing_close(const struct listing *l, bool more, int64_t key, const char *id, struct list_end *ret);
/* The same of a list that goes by name too. */
void listing_close_named(const struct listing *l, bool more, int64_t key, const char *name, const char *id, struct list_end *ret);

/* The same where the list itself says how the page ended. */
void listing_close_at(const struct listing *l, bool more, const struct page_mark *at, const char *id, struct list_end *ret);

/* account.c: the account with its label, inside a transaction. */
int account_view_read(struct sql *q, const char *ref, struct account_view *ret, struct err *err) MUST_CHECK;

/* export.c */
struct certificate_export;
struct chain;
int export_check(const struct certificate_export *r, struct err *err) MUST_CHECK;
/* What export_check took; name may be NULL. */
int export_build(const struct certificate_export *r, const struct chain *chain, const struct secret *key, const char *name, int64_t now_ms,
		 struct buf *out, const char **ret_extension, struct err *err) MUST_CHECK;
/* certificate.c: what export_check and the actor's rights allowed goes out; the audit row is durable before. */
struct certificate_detail;
struct exported;
int certificate_hand_out(struct service *s, const struct actor *a, const struct certificate_detail *d, const struct certificate_export *r,
			 struct exported *ret, struct err *err) MUST_CHECK;
/* import.c: owner, notes and tags, for the audit. */
struct certificate_notes;
json_t *notes_json(const struct certificate_notes *n);
/* certificate.c: all but the certificate, which is there already. */
int certificate_view_fill(struct sql *q, struct certificate_view *v, struct err *err) MUST_CHECK;

/* audit.c: an instant of a query, 0 when there is none. */
int service_time_of(const char *text, const char *field, int64_t *ret, struct err *err) MUST_CHECK;

/* Reads one object by id or number. by_id and by_num take the same struct. */
#define SERVICE_GET(q, ref, by_id, by_num, ret, err)                                                                   \
	({                                                                                                             \
		int64_t get_num_ = 0;                                                                                  \
		int get_r_ = ref_parse((ref), "/id", &get_num_, (err));                                                \
		if (!get_r_)                                                                                           \
			get_r_ = get_num_ ? by_num((q), get_num_, (ret), (err)) : by_id((q), (ref), (ret), (err));     \
		get_r_;                                                                                                \
	})

/* record.c: the id of the provider that writes where a name leads, owned (NULL without ref); INVALID "/provider_id" when it is none for DNS. */
int delegation_writer(struct sql *q, const char *ref, char **ret, struct err *err) MUST_CHECK;

#endif
