/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - slices for parsing, comparison, numbers, escaping of remote text.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/err.h"

struct str { /* a borrowed slice; not NUL-terminated */
	const char *p;
	size_t n;
};

#define STR(s) ((struct str){ (s), strlen(s) })

static inline bool streq(const char *a, const char *b)
{
	return !strcmp(a, b);
}

bool str_case_eq(const char *a, const char *b); /* ASCII only, never the locale's */
bool str_is(struct str a, const char *b);
bool str_case_is(struct str a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
static inline bool str_empty(const char *s)
{
	return !s || !*s;
}

/* Whole text must be a decimal number within [min, max]; no blanks, no plus. INVALID otherwise. */
int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret, struct err *err);

/* Every byte is in A-Z a-z 0-9 - _ (base64url alphabet). */
bool str_is_base64url(const char *s, size_t n);

/* ASCII lower case in place. */
void str_lower(char *s);

/*
 * Remote text made safe to show: at most max bytes, control characters, DEL, U+2028/2029, bidi controls and invalid UTF-8
 * become '?' or '\xNN'; newlines become blanks. Result owned by the caller.
 */
char *str_clean(const char *s, size_t n, size_t max);

/* Constant-time comparison of equal-length bytes. */
bool mem_eq_secret(const void *a, const void *b, size_t n);

bool utf8_valid(const char *s, size_t n);

/* A list of owned strings. Zero is empty. */
struct strlist {
	char **v;
	size_t n, cap;
};

void strlist_add(struct strlist *l, const char *s); /* copies */
void strlist_addn(struct strlist *l, const char *s, size_t n);
bool strlist_has(const struct strlist *l, const char *s);
void strlist_sort_unique(struct strlist *l);
void strlist_copy(struct strlist *to, const struct strlist *from); /* to must be empty */
void strlist_split(struct strlist *l, const char *s, char sep);     /* empty parts are skipped */
char *strlist_join(const struct strlist *l, const char *sep);       /* owned by the caller */
bool strlist_equal(const struct strlist *a, const struct strlist *b);
void strlist_clear(struct strlist *l);
#define _cleanup_strlist_ __attribute__((cleanup(strlist_clear)))

#endif
