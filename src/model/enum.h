/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enum.h - enums with one table to text and back. The text is what is stored and shown; numbers never leave the process.
 *
 *	#define ORDER_STATUSES(X) X(ORDER_PENDING, "pending") X(ORDER_READY, "ready")
 *	DECLARE_ENUM(order_status, ORDER_STATUSES);     in the header: enum, order_status_count, _text, _parse
 *	DEFINE_ENUM(order_status, ORDER_STATUSES)       in one .c file
 *
 * x_parse is a full, exact match: a text that is not in the table is refused, never read as some other state.
 */
#ifndef MODEL_ENUM_H
#define MODEL_ENUM_H

#include "base/str.h"

#define ENUM_ITEM_(sym, text) sym,
#define ENUM_TEXT_(sym, text) [sym] = text,
#define ENUM_COUNT_(sym, text) +1

#define DECLARE_ENUM(name, LIST)                                                                                       \
	enum name { LIST(ENUM_ITEM_) };                                                                                \
	enum { name##_count = 0 LIST(ENUM_COUNT_) };                                                                   \
	const char *name##_text(enum name v);                                                                          \
	bool name##_parse(const char *s, enum name *ret) MUST_CHECK

#define DEFINE_ENUM(name, LIST)                                                                                        \
	static const char *const name##_texts[] = { LIST(ENUM_TEXT_) };                                                \
	_Static_assert(ARRAY_SIZE(name##_texts) == name##_count, "every value has a text");                            \
	const char *name##_text(enum name v)                                                                           \
	{                                                                                                              \
		assert((unsigned)v < name##_count);                                                                    \
		return name##_texts[v];                                                                                \
	}                                                                                                              \
	bool name##_parse(const char *s, enum name *ret)                                                               \
	{                                                                                                              \
		for (unsigned i = 0; i < name##_count; i++)                                                            \
			if (s && streq(name##_texts[i], s)) {                                                          \
				*ret = (enum name)i;                                                                   \
				return true;                                                                           \
			}                                                                                              \
		return false;                                                                                          \
	}

#endif
