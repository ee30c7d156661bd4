/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txt.h - TXT values among those of others, as provider APIs write them: the master-file form of RFC 1035 5.1, "a" "b", with or
 * without quotes. What is not ours is kept byte for byte.
 */
#ifndef PUBLISH_TXT_H
#define PUBLISH_TXT_H

#include "publish/publisher.h"

/* The value as one quoted character string; owned by the caller. */
char *txt_quote(const char *value);
/* The bytes of the master-file text are the value. */
bool txt_same(const char *rdata, const char *value);
/* One of the set's values. */
bool txt_ours(const struct challenge_set *set, const char *rdata);
bool txt_there(const struct strlist *rdata, const char *value);
/* Adds (quoted) what is missing, or takes away what is ours; true when anything was changed. */
bool txt_merge(struct strlist *rdata, const struct challenge_set *set);
bool txt_remove(struct strlist *rdata, const struct challenge_set *set);

/* The name one label further up, or NULL above the last label. */
const char *name_up(const char *name);
/* Same names, without case, without a final dot, U-labels as A-labels. */
bool name_same(const char *a, const char *b);
/* Owned copy: lower case, A-labels, without final dot. */
char *name_plain(const char *name);
void zone_add(struct strlist *zones, const char *name); /* the plain form */

/*
 * lego's RAW mode, of exec and httpreq: the other side is given the name, the token and the key authorization instead of record and
 * value (RFC 8555 8.1, 8.4). The name is the one that is written, so the target where a CNAME is followed.
 */
extern const char *const txt_modes[];
bool txt_raw_mode(const struct field_value *values, size_t n);
struct txt_raw {
	char *domain, *token; /* owned */
	const char *key_auth; /* borrowed */
};
/* Of the i-th value; NEEDS_PERSON when it is not known, as for what was published by an earlier release. */
int txt_raw_of(const struct challenge_set *set, size_t i, struct txt_raw *ret, struct err *err);
void txt_raw_done(struct txt_raw *r);
#define _cleanup_txt_raw_ __attribute__((cleanup(txt_raw_done)))

#endif
