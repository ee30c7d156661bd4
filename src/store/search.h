/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search.h - walking the inventory along the best index for a search. Every statement is one of a closed table; what a search asks
 * beyond its index is judged row by row (model/search.h), over at most STORE_SEARCH_WALK rows a call, so that no search can hold up
 * others: a page may be short, or empty, and still have more behind it.
 */
#ifndef STORE_SEARCH_H
#define STORE_SEARCH_H

#include "model/search.h"
#include "store/list.h"
#include "store/store.h"

#define STORE_SEARCH_WALK 1000

struct search_page {
	struct strlist ids; /* of certificates, in order */
	bool more;
	int64_t key; /* where the next page begins */
	char *id;
};
void search_page_done(struct search_page *p);
#define _cleanup_search_page_ __attribute__((cleanup(search_page_done)))

/* by_expiry: first to expire first, otherwise newest first. */
int store_search(struct sql *q, const struct search *s, bool by_expiry, const struct page *p, int64_t now_ms, struct search_page *ret,
		 struct err *err) MUST_CHECK;

/* Whether this one certificate is what the search finds; false for one that is not there. */
int store_search_finds(struct sql *q, const struct search *s, const char *certificate_id, int64_t now_ms, bool *ret, struct err *err) MUST_CHECK;

/* A part of names for an index of substrings: a phrase of trigrams, or a LIKE pattern; a free text is quoted. The caller frees it. */
char *store_search_pattern(enum sql_dialect d, const char *text);
/* For LIKE ... ESCAPE '!', which means the same in both databases. */
char *store_text_pattern(const char *text);

#endif
