/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - what the aggregates' list functions give back: an owned array and whether there is more behind it.
 *
 *	_cleanup_order_list_ struct order_list l = { 0 };
 *	store_order_list(q, &filter, &page, &l, err)
 *
 * A list function appends nothing to what was there: it clears the list first, so a write function may run twice.
 */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "base/util.h"

#define STORE_LIST(T)                                                                                                  \
	struct T##_list {                                                                                              \
		struct T *v;                                                                                           \
		size_t n, cap;                                                                                         \
		bool more; /* there is another page */                                                                 \
	};                                                                                                             \
	static inline void T##_list_done(struct T##_list *l)                                                           \
	{                                                                                                              \
		for (size_t i = 0; i < l->n; i++)                                                                      \
			T##_done(&l->v[i]);                                                                            \
		free(l->v);                                                                                            \
		memset(l, 0, sizeof *l);                                                                               \
	}                                                                                                              \
	static inline struct T *T##_list_add(struct T##_list *l) /* an empty item at the end */                        \
	{                                                                                                              \
		if (l->n == l->cap) {                                                                                  \
			l->cap = l->cap ? 2 * l->cap : 8;                                                              \
			l->v = xrealloc(l->v, l->cap * sizeof *l->v);                                                  \
		}                                                                                                      \
		memset(&l->v[l->n], 0, sizeof *l->v);                                                                  \
		return &l->v[l->n++];                                                                                  \
	}                                                                                                              \
	static inline void T##_list_cut(struct T##_list *l) /* drops the last item */                                  \
	{                                                                                                              \
		T##_done(&l->v[--l->n]);                                                                               \
	}                                                                                                              \
	struct T##_list

#endif
