/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - the only place that includes jansson. Build with json_pack, decode with a table.
 *
 * Parsing refuses duplicate members, NUL in strings, and more than LIMIT_JSON_DEPTH levels. Strict decoding (our own API and
 * configuration) refuses unknown members; lenient decoding (a CA's documents) skips them; in both, a value outside the
 * row's limits or of another type is an error that names the member by JSON pointer: it is never a default state.
 *
 * Strings decoded with JF_STR point into the document, which must outlive the struct. JF_LIST and JF_SECRET copy: free
 * them with json_decode_free(fields, &struct), which is safe on half-decoded structs.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/secret.h"

#include <jansson.h>

enum json_kind { JSON_KIND_STR, JSON_KIND_INT, JSON_KIND_BOOL, JSON_KIND_LIST, JSON_KIND_SECRET, JSON_KIND_JSON };

struct json_field {
	const char *name; /* NULL ends the table */
	enum json_kind kind;
	size_t offset;
	bool required;
	bool nullable;             /* null counts as absent */
	int64_t min, max;          /* number, length of text in bytes, or number of list members; max 0 = the default */
	int64_t item_max;          /* length of one list member; 0 = LIMIT_TEXT */
	const char *const *one_of; /* NULL-terminated list of the allowed texts */
};

#define JF_STR(type, member, ...) { .name = #member, .kind = JSON_KIND_STR, .offset = offsetof(type, member), ##__VA_ARGS__ }
#define JF_INT(type, member, ...) { .name = #member, .kind = JSON_KIND_INT, .offset = offsetof(type, member), ##__VA_ARGS__ }
#define JF_BOOL(type, member, ...) { .name = #member, .kind = JSON_KIND_BOOL, .offset = offsetof(type, member), ##__VA_ARGS__ }
#define JF_LIST(type, member, ...) { .name = #member, .kind = JSON_KIND_LIST, .offset = offsetof(type, member), ##__VA_ARGS__ }
#define JF_SECRET(type, member, ...)                                                                                   \
	{ .name = #member, .kind = JSON_KIND_SECRET, .offset = offsetof(type, member), ##__VA_ARGS__ }
#define JF_JSON(type, member, ...) { .name = #member, .kind = JSON_KIND_JSON, .offset = offsetof(type, member), ##__VA_ARGS__ }
/* As the above with a JSON name that differs from the C member. */
#define JF_AS(json_name, kind_, type, member, ...)                                                                     \
	{ .name = (json_name), .kind = JSON_KIND_##kind_, .offset = offsetof(type, member), ##__VA_ARGS__ }
/* Member types: STR const char *, INT int64_t, BOOL bool, LIST struct strlist, SECRET struct secret, JSON json_t * (borrowed). */

enum decode_mode { DECODE_STRICT, DECODE_LENIENT };

/* Once, before the first thread: wiping allocator, hash seed. */
void json_init(void);
/* INVALID with line and column; TOO_DEEP is INVALID too. *ret is owned by the caller (json_decref). */
int json_parse(const char *text, size_t n, json_t **ret, struct err *err);
int json_decode(json_t *doc, const struct json_field *fields, enum decode_mode mode, void *ret, struct err *err);
void json_decode_free(const struct json_field *fields, void *s);

/* Compact text of a document. */
char *json_text(const json_t *doc);
void json_decref_p(json_t **j);
#define _cleanup_json_ __attribute__((cleanup(json_decref_p)))

/* struct err as stored in "reason" columns and shown by the API, and back: INTERNAL for what is none; ret must be empty. */
void err_from_json(const json_t *reason, struct err *ret);
json_t *err_to_json(const struct err *e); /* {code, title, detail, chain[], field?, hint?, remote?, remote_type?, retry_at?} */
char *err_to_json_text(const struct err *e);
/* A string, or null for NULL; and a time as RFC 3339 or null for 0. */
json_t *json_str_or_null(const char *s);
json_t *json_time_or_null(int64_t ms);
json_t *json_strlist(const struct strlist *l);
json_t *json_text_or_null(const char *json_text_s); /* parses stored JSON; null when NULL or broken */

#endif
