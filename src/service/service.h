/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h - the use cases: what the API, the command line's local verbs and jobs may do, with the audit row and the change
 * in one transaction. One file per resource (session.h, user.h, order.h, ...); this header holds what they share.
 *
 * Who may: the router asks service_authorize() once per request with the permission its route names; there is no second
 * place. Functions that show only a part (tokens: one's own) say so and take the actor.
 *
 * Everything people sent has been decoded and bounded by the caller; everything it means is judged here, and refused with
 * the JSON pointer of the field before anything is stored. All functions are thread-safe, block on the store, and must not
 * be called from a server's event thread; those that hash a password say "slow".
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "base/clock.h"
#include "base/program.h"
#include "base/secret.h"
#include "base/str.h"
#include "model/touch.h"
#include "model/user.h"
#include "store/store.h"

struct store;
struct keys;
struct engine;
struct service;

struct service_edge { /* what core knows of edge */
	bool configured;  /* DNS or HTTP-01 is offered at all */
	bool connected;
	bool loaded;      /* it answers with the full table */
};

struct service_config {          /* an immutable snapshot; copied by service_new */
	const char *version;
	const char *dns_hostname;    /* the name of our name server, NULL when not set */
	const char *trial_directory; /* of a test CA, offered first; NULL when not set */
	const char *dns_zone;        /* our own zone for the targets of CNAME records, NULL when there is none */
	const struct strlist *dns_listen, *http01_listen, *api_listen; /* as configured; NULL = none */
	const char *tls_cert, *tls_key; /* PEM files of the API's own certificate; NULL = self-signed */
	const char *tls_certificate; /* number or id of a certificate of ours that the API is served with; NULL = none */
	const struct strlist *tls_names; /* names and addresses of the self-signed certificate besides localhost; may be NULL */
	const struct strlist *api_allow, *trusted_proxies; /* CIDRs that may reach the API; those whose X-Forwarded-For counts; may be NULL */
	int64_t backup_warn_ms;      /* a last backup that is older is a warning; 0: this database is not backed up by us */
	const struct strlist *settings; /* the configuration in force as lines, without what is secret; may be NULL */
	const struct strlist *weak;  /* settings that weaken something (app/weak.h); may be NULL */
	const char *api_exposed;     /* the address on which the API stands beside the public ports, NULL = on none */
	const struct strlist *metrics_allow; /* CIDRs that may read /metrics without a token; NULL = loopback only */
};

struct service_options {
	struct store *store;
	struct keys *keys;
	struct engine *engine; /* NULL in tests: orders and jobs are stored, nobody walks them */
	const struct clock *clock; /* NULL = the system's */
	struct service_config config;
	void (*edge_state)(void *arg, struct service_edge *ret); /* NULL = no edge */
	void *edge_arg;
	program_run_fn *run_program; /* jobs of the runner; NULL: there is none, and what needs it is refused */
	void *program_arg;
};

/* Makes the MAC key (cursors, idempotency) at the first start. The members of o are borrowed until service_free. */
int service_new(const struct service_options *o, struct service **ret, struct err *err) MUST_CHECK;
void service_free(struct service *s);

/*
 * fn hears of every commit that changed something, before those who asked for it go on; it must only note and wake. Ask before
 * the store is busy, and take it back before arg goes: after service_off_change no call of fn runs.
 */
void service_on_change(struct service *s, touch_fn *fn, void *arg);
void service_off_change(struct service *s, touch_fn *fn, void *arg);

/* Who asks. Filled by the authentication functions of session.h and token.h; wiped by actor_clear. */
enum actor_kind { ACTOR_NOBODY, ACTOR_SESSION, ACTOR_TOKEN, ACTOR_HOST /* a local verb on the host */ };
struct actor {
	enum actor_kind kind;
	enum role role;
	unsigned rights;    /* BIT(PERM_...) of those that are granted one by one */
	char *user_id, *user_name;
	char *token_id, *token_name; /* of a token */
	char *certificate_id, *reason; /* of a token of the role pull: what it fetches, and why with the key */
	char *session_hash; /* of a session */
	char *csrf;         /* of a session: what X-CSRF-Token must be */
	int64_t expires_ms; /* when session or token end at the latest */
	char *address;      /* where from */
	char *request_id;
};
void actor_clear(struct actor *a);
#define _cleanup_actor_ __attribute__((cleanup(actor_clear)))

/* The one authorization: UNAUTHENTICATED without sign-in, DENIED when neither role nor rights allow it. */
int service_authorize(const struct actor *a, enum permission needed, struct err *err) MUST_CHECK;

/*
 * An Idempotency-Key of a creating request: the same user, route, key and body within 24 hours get what was made then,
 * another body is REUSED_KEY. key NULL = none was sent.
 */
struct request_key {
	const char *key;
	const char *route; /* operation id */
	const void *body;
	size_t body_n;
};

/* A page of a list: in, then out. cursor is what the page before said, NULL = the first. */
struct list_query {
	int limit;          /* 0 = the default */
	const char *cursor;
	const char *sort; /* newest or oldest, and what else the list has; NULL = newest */
	struct narrow by; /* of lists of what has a name; the list says what "only" is */
};
struct list_end { /* what the page after needs */
	bool has_more;
	char *cursor; /* owned; NULL at the end */
};
void list_end_clear(struct list_end *e);
#define _cleanup_list_end_ __attribute__((cleanup(list_end_clear)))

/* rev that If-Match names: the object must still have it (CHANGED). 0 = any ("*"). */

/* Offline, on the host, with nothing but an open store (certwright setup). */
/* A one-time token for POST /setup, good for 30 minutes: it makes the first administrator, or a further one when nobody can sign in any more. */
int service_setup_make_token(struct store *store, const struct clock *clock, struct secret *ret, struct err *err) MUST_CHECK;
/*
 * Slow. The first administrator, with these rights and no others; ret_token (may be NULL) gets an API token of the role admin that
 * expires after 90 days and has whatever rights he is ever granted.
 */
int service_setup_make_admin(struct store *store, const struct clock *clock, const char *name, unsigned rights,
			     const struct secret *password, struct secret *ret_token, struct err *err) MUST_CHECK;
/* Slow. A new password for a user (by name) who is enabled again; the sessions end. NOT_FOUND. */
int service_local_password(struct store *store, const struct clock *clock, const char *name, const struct secret *password,
			   struct err *err) MUST_CHECK;

#endif
