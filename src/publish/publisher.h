/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.h - where a challenge is published: one file and one struct each, one contract for dns-01 and http-01.
 *
 * A struct challenge_set is what one order adds at one place: for dns-01 all TXT values of one owner name in one zone, for
 * http-01 one token of one host. Publishing works on sets since wildcard and apex need two values at one name.
 *
 * There are three ways to publish, told by .way:
 *
 *	PUBLISH_REMOTE  publish and withdraw talk to somebody (an API, a device). The engine writes the debt first, then calls.
 *	PUBLISH_ROWS    the deed is rows of our own store that edge is fed with: items says which. The engine writes them in the
 *	                transaction of the record, and publish then waits until edge answers them. withdraw is never called: the
 *	                rows go away in the transaction that pays the debt.
 *	PUBLISH_PERSON  a person does it: the record is shown, nothing is called.
 *
 * Contract of the members: publish twice is fine and leaves others' values alone; withdraw removes only our own values and
 * succeeds when they are not there; each call blocks at most timeout_s in all; no logging above debug, no secret in err; an
 * instance belongs to one worker and open is cheap (no I/O). Two calls for one (credential, zone) never run at the same time: the
 * engine keeps a lane of cap 1, so read, merge, write needs no lock of its own. publish returns when the remote side has accepted
 * the write; whether it is seen at the servers is looked at afterwards by the engine.
 *
 * What an error means to the engine:
 *
 *	UNAUTHENTICATED  the credential as a whole is refused (401, unknown key, expired): the provider is parked, said once, and
 *	                 everything that uses it waits for Test and save
 *	DENIED           the credential is good but may not write this zone: this zone of the provider waits for a person
 *	NOT_FOUND        no zone of this credential holds the name (find_zone, publish); never returned by withdraw
 *	REMOTE_LIMIT     with retry_at_ms: the zone of the provider is parked until then
 *	REMOTE_REFUSED   the remote side says no to this request; asking again is no use. err_remote has its words
 *	NETWORK, TIMEOUT, REMOTE_BUSY, REMOTE_BAD   tried again by the ladder
 *	INVALID          the configuration cannot be used (open); field is the pointer "/fields/NAME"
 *
 * Adding one: that file, and its name in src/publish/meson.build (docs/adding-a-publisher.md).
 */
#ifndef PUBLISH_PUBLISHER_H
#define PUBLISH_PUBLISHER_H

#include "base/clock.h"
#include "base/json.h"
#include "base/program.h"
#include "feed/feed.h"
#include "model/field.h"
#include "model/order.h"
#include "net/http.h"

struct challenge_set {
	enum validation kind;
	const char *zone;      /* dns-01: the zone it is written into, "" when the publisher finds it itself */
	const char *name;      /* dns-01: owner name, _acme-challenge.example.com; http-01: the host */
	const char *alias;     /* dns-01 by PUBLISH_ROWS: a name in our own zone that is answered with the same values, or NULL */
	const char *token;     /* http-01 */
	struct strlist values; /* dns-01: TXT values; http-01: the one key authorization */
	struct strlist auths;  /* dns-01: the key authorizations whose digests the values are, in their order; empty = not known */
	int64_t ttl_s;
	uint64_t seq;          /* PUBLISH_ROWS: number of the last row, to be acknowledged by edge */
};

/* What an instance may use; all borrowed, outlives the instance. */
struct publish_env {
	struct http *http; /* the one door */
	const struct clock *clock;
	/* Waits until edge answers everything up to seq; NEEDS_PERSON when no edge is configured, TIMEOUT with the reason. */
	int (*edge_wait)(void *arg, uint64_t seq, int64_t timeout_ms, struct err *err);
	void *edge_arg;
	/* Runs a configured foreign program in the runner; NULL where there is none (base/program.h). */
	program_run_fn *run_program;
	void *program_arg;
	char **receipt; /* publish may leave here what settled() asks by (owned by the caller); NULL = nobody will ask */
	const struct strlist *webroots; /* "NAME=/path" of the configuration file; NULL = none */
};

/* Our answer to challenges goes before the other rules of one virtual server, or away from them. */
struct publish_attach {
	const char *server;            /* "/Common/vs_http" */
	bool attach;                   /* false: take it away */
	const struct strlist *expect;  /* the rules as the operator saw them: others are a CONFLICT; NULL = whatever there is */
};

#define PUBLISH_ZONES_MAX 1000 /* what zones() returns at most; more are left out */

enum publish_way { PUBLISH_REMOTE, PUBLISH_ROWS, PUBLISH_PERSON };

enum publish_kind { KIND_DNS01 = 1, KIND_HTTP01 = 2 };

/* Takes the rows one by one (the texts are borrowed for the call). */
typedef void publish_item_fn(void *arg, enum feed_kind kind, const char *name, const char *value, int64_t ttl_s);

struct publisher {
	const char *name;  /* "delegation": what orders.dns_method or http_method holds, or the kind of a configured provider */
	const char *title; /* as the Type column shows it */
	const char *help;  /* one sentence: what the user has to set up */
	unsigned kinds;    /* KIND_... */
	enum publish_way way;
	int64_t ttl_s;         /* of TXT records */
	int64_t propagation_s; /* usual time until all servers have it; 0 = at once */
	int64_t timeout_s;     /* of publish and withdraw; 0 = 30 */
	const struct field *fields; /* NULL: nothing to configure; else it is a provider: configured objects of this kind exist */
	const char *rights;    /* the least right the credential needs, in the vendor's own terms; shown beside the form */
	const struct grant *grants; /* how to give that right, to copy, which rights does not repeat; NULL: nothing to copy */
	const char *site;      /* URL of the vendor's documentation, or NULL */

	/*
	 * Optional; without it self is NULL. values are in the order of fields and have passed them: n is their number, a value that
	 * was not given has its default or is NULL. They are borrowed for the call only: copy what is kept, wipe secrets in close.
	 */
	int (*open)(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err);
	void (*close)(void *self);
	/* PUBLISH_ROWS only. */
	void (*items)(const struct challenge_set *set, publish_item_fn *put, void *arg);
	/* Required but for PUBLISH_PERSON. */
	int (*publish)(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err);
	int (*withdraw)(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err);
	/*
	 * Optional, for a vendor whose own servers learn a change one after the other, so that a look at one of them from here says little:
	 * has the change reached all of them? receipt is what publish left. 1 yes, 0 not yet; an error is "cannot say" and holds nothing up.
	 */
	int (*settled)(void *self, const struct publish_env *env, const char *receipt, struct err *err);
	/* Optional: the zones this credential can see (no final dot), at most PUBLISH_ZONES_MAX; reading only. */
	int (*zones)(void *self, const struct publish_env *env, struct strlist *ret, struct err *err);
	/*
	 * Optional: the zone of this credential that holds the owner name, by walking its labels upward, the longest match; no final
	 * dot, owned by the caller. The engine then hands it in as set->zone and keeps the lane (credential, zone); without it
	 * set->zone is "" and one lane serves the whole credential.
	 */
	int (*find_zone)(void *self, const struct publish_env *env, const char *name, char **ret_zone, struct err *err);
	/*
	 * Optional: what these fields need beside them, where only the other side knows (a hook of acme.sh): opened perhaps without its
	 * secrets, reading only. An object, owned by the caller: {"title", "site", "options": [{"name", "help", "default", "required",
	 * "given"}]}, whose options are lines NAME=value of the secret field that options_field names.
	 */
	int (*options)(void *self, const struct publish_env *env, json_t **ret, struct err *err);
	const char *options_field;
	/*
	 * Optional: what the other side is and what stands there, as the page shows it (docs/admin/http-01.md); reading only, and so that a
	 * credential which is not accepted is found out. An object, owned by the caller; "servers" lists what attach can be used on.
	 */
	int (*look)(void *self, const struct publish_env *env, json_t **ret, struct err *err);
	/*
	 * Optional, for a device in front of web servers: an act of its own that an operator asks for; publish never does it. Doing it
	 * twice is fine. *ret: {"server", "before", "after"}, owned. INVALID or REMOTE_REFUSED says why that server cannot be used.
	 */
	int (*attach)(void *self, const struct publish_env *env, const struct publish_attach *q, json_t **ret, struct err *err);
};

/* The registry, generated from src/publish/meson.build; ends with NULL. */
extern const struct publisher *const publishers[];
/* One of those that need no configuration, by the kind of challenge and the method's text; NULL when there is none. */
const struct publisher *publisher_find(enum validation kind, const char *method);

/* A kind of provider: its publisher has a configuration. NULL when there is none. */
const struct publisher *publisher_kind(const char *name);

/* A value with what it is the digest of (NULL = not known: then none of the set is). */
void challenge_set_add(struct challenge_set *s, const char *value, const char *key_auth);
void challenge_set_done(struct challenge_set *s); /* frees values and auths only */
#define _cleanup_challenge_set_ __attribute__((cleanup(challenge_set_done)))

#endif
