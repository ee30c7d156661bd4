/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bigip.h - a visit to an F5 BIG-IP by iControl REST (clouddocs.f5.com/api/icontrol-rest): which unit of the device group is the
 * active one, a login token that is given back at the end, and what an answer means. No state is kept between visits: a device
 * has room for 100 tokens of a user, and a visit that was killed leaves one for 20 minutes at most.
 *
 * Nothing here is ever in an error but the device's own words, without password and token.
 */
#ifndef REMOTE_BIGIP_H
#define REMOTE_BIGIP_H

#include "base/clock.h"
#include "base/json.h"
#include "net/http.h"

#define BIGIP_CLOSE_MS (4 * SECOND_MS) /* giving the token back, beyond until_ms */

struct bigip_target { /* borrowed */
	struct http *http;
	const struct clock *clock;
	const struct strlist *urls; /* https://host of each unit, without final slash */
	const char *user;
	const struct secret *password;
	int64_t until_ms; /* boot clock: the budget of the visit */
};

struct bigip { /* zero is closed */
	const struct bigip_target *t;
	const char *url; /* the unit we talk to */
	struct secret token;
	char *host, *version, *state; /* what it says of itself; NULL when this user may not see it */
};

/*
 * Logs in at the unit that is active now; the others are asked in their order. UNAUTHENTICATED: it does not accept the credential
 * (no other unit is tried: that would lock the user out twice as fast). REMOTE_BUSY: none of those that answer is active.
 */
int bigip_open(struct bigip *b, const struct bigip_target *t, struct err *err) MUST_CHECK;
/* Gives the token back; never fails. */
void bigip_close(struct bigip *b);
#define _cleanup_bigip_ __attribute__((cleanup(bigip_close)))

struct bigip_reply {
	int status;
	json_t *doc; /* owned; NULL when there was none */
};
void bigip_reply_done(struct bigip_reply *r);
#define _cleanup_bigip_reply_ __attribute__((cleanup(bigip_reply_done)))

/*
 * One request, path from /mgmt on, body taken (may be NULL). 0 for 2xx with a document. Else the error of its meaning: NOT_FOUND
 * (404), CONFLICT (409), DENIED, REMOTE_BUSY (also: the configuration utility restarts), REMOTE_LIMIT, REMOTE_REFUSED, REMOTE_BAD
 * (not JSON), and those of net/http.h. r is empty before; r->status is 0 when there was no answer.
 */
int bigip_call(const struct bigip *b, enum http_method method, const char *path, json_t *take_body, struct bigip_reply *r, struct err *err)
	MUST_CHECK;

/* Names of partitions and objects as we take them: A-Z a-z 0-9 . _ -, not empty, at most 64. */
bool bigip_name_ok(const char *name);
/* "/Common/x" as it stands in a path: "~Common~x", escaped. Owned. */
char *bigip_path(const char *full_path);

/* What the whole device group is in: "In Sync", "Changes Pending", … Owned. */
int bigip_sync_status(const struct bigip *b, char **ret, struct err *err) MUST_CHECK;
int bigip_save(const struct bigip *b, struct err *err) MUST_CHECK;
int bigip_sync(const struct bigip *b, const char *group, struct err *err) MUST_CHECK;

#endif
