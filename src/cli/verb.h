/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb.h - what every verb of the command line shares: its row, its arguments, the connection to the server, and how
 * things are shown. A verb prints the API's body with --json and text otherwise; it returns 0 or -code and never prints an error.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include "base/json.h"
#include "base/str.h"
#include "net/http.h"

/* ---- arguments --------------------------------------------------------------------------------------------------- */

struct cli_option {
	const char *name;  /* without the dashes; NULL ends the table */
	const char *value; /* what it takes ("FILE"), NULL = it is a switch */
	const char *help;
	bool repeat;
};

/* Options that many lists have; rows of their tables. */
#define CLI_SORT { "sort", "WHAT", "what stands first: newest (the default) or oldest", false }
#define CLI_SORT_NAMED { "sort", "WHAT", "what stands first: newest (the default), oldest or name", false }
#define CLI_PAGING { "limit", "N", "rows of a page, up to 200", false }, { "cursor", "C", "the next page", false }

struct cli_args {
	const struct cli_option *options;
	struct strlist names, values; /* side by side, as given */
	struct strlist words;         /* what is no option */
};

const char *arg(const struct cli_args *a, const char *name); /* NULL when not given; "" for a switch that is */
bool arg_has(const struct cli_args *a, const char *name);
void arg_list(const struct cli_args *a, const char *name, struct strlist *ret);
/* The one positional argument (what = "an order id"), INVALID without it. */
int arg_word(const struct cli_args *a, const char *what, const char **ret, struct err *err);
int arg_no_words(const struct cli_args *a, struct err *err);

/* ---- the connection ---------------------------------------------------------------------------------------------- */

struct cli {
	const struct cli_args *args;
	bool json;
	bool quiet;              /* no progress */
	char *server;            /* https://host:port */
	struct secret token;
	char *ca_pem, *fingerprint;
	struct http *http;
	struct net_client *client;
	struct net_policy *policy;
};

/* What is remembered of a server, in $XDG_CONFIG_HOME/certwright/servers.json (0600). */
int cli_remember(const char *server, const struct secret *token, const char *fingerprint, const char *ca_pem, struct err *err);
int cli_forget(const char *server, struct err *err);

/* "host", "host:8443", "https://host:8443/": owned by the caller. INVALID. */
int cli_server_url(const char *text, char **ret, struct err *err);
/* Opens the HTTP client for c->server; the certificate is judged by fingerprint, ca_pem or the system, in this order. */
int cli_connect(struct cli *c, struct err *err);
void cli_done(struct cli *c);

struct cli_call {               /* all borrowed */
	enum http_method method;
	const char *path;       /* behind /api/v1, escaped */
	json_t *body;           /* or NULL */
	const char *if_match, *cookie, *csrf;
	const char *if_none_match;   /* then 304 is no error */
	const char *pkcs12_password;
	bool create;            /* sends an Idempotency-Key, so that a lost answer can be asked for again */
	size_t max_body;
};
struct cli_answer {
	struct http_response http;
	json_t *doc;            /* NULL when the body is no JSON */
};
void cli_answer_done(struct cli_answer *a);
#define _cleanup_answer_ __attribute__((cleanup(cli_answer_done)))

/* A problem document becomes err with the server's own code, so that the exit status is the same as for a local error. */
int cli_request(struct cli *c, const struct cli_call *q, struct cli_answer *ret, struct err *err);
int cli_get(struct cli *c, const char *path, struct cli_answer *ret, struct err *err);
/* "/orders/ID/tail" with the id escaped; owned by the caller. */
char *cli_path(const char *collection, const char *id, const char *tail);
/* Reads the object, then deletes what was read (If-Match). */
int cli_delete(struct cli *c, const char *collection, const char *id, struct err *err);
/* Reads the object, then changes what was read (If-Match); body is borrowed. */
int cli_patch(struct cli *c, const char *collection, const char *id, json_t *body, struct cli_answer *ret, struct err *err);
/* The same with a query behind the path ("?takeover=none"), NULL = none. */
int cli_delete_with(struct cli *c, const char *collection, const char *id, const char *query, struct err *err);
/* Asks for one object: what is the id called when it is missing ("the account's id"). */
int cli_read(struct cli *c, const struct cli_args *a, const char *what, const char *collection, struct cli_answer *ret, struct err *err);
/* a is a job, as 202 or GET gave it: waits until it is done; its reason as error when it failed. */
int cli_job_wait(struct cli *c, struct cli_answer *a, struct err *err);
/* A 202 answer: waits for the job and replaces the answer by the object it was about. */
int cli_settle(struct cli *c, const char *collection, struct cli_answer *a, struct err *err);
/* limit and cursor of a list, and the given filters (option name = query name), as a query text; owned by the caller. */
char *cli_list_path(struct cli *c, const char *path, const char *const *filters);

/* ---- showing ----------------------------------------------------------------------------------------------------- */

struct cli_column {
	const char *title; /* NULL ends the table */
	const char *member;
	size_t max;        /* cut after so many characters; 0 = not */
};
/* Prints {items, has_more, cursor}. */
void cli_print_list(const struct cli *c, const json_t *page, const struct cli_column *columns);
void cli_print_rows(const json_t *items, const struct cli_column *columns, const char *indent);
/* One "title: value" line each; members that are absent or null are left out. */
void cli_print_fields(const json_t *object, const struct cli_column *fields);
void cli_print_reason(const json_t *reason, const char *indent);
void cli_print_json(const struct cli_answer *a);
/* A member as text: lists joined, null as "", true as yes; control characters made harmless. Owned by the caller. */
char *cli_member(const json_t *object, const char *name);
/* Whole verbs: a page of a list; one object; one object deleted, as it was read. */
int cli_list(struct cli *c, const struct cli_args *a, const char *collection, const char *const *filters, const struct cli_column *columns,
	     struct err *err);
int cli_show(struct cli *c, const struct cli_args *a, const char *what, const char *collection, const struct cli_column *fields, struct err *err);
int cli_remove(struct cli *c, const struct cli_args *a, const char *what, const char *collection, struct err *err);
/* An object that was made or read: JSON, or the fields. */
void cli_print_object(const struct cli *c, const struct cli_answer *a, const struct cli_column *fields);
/* "done" for answers without a body. */
void cli_print_done(const struct cli *c, const char *text);
/*
 * What the server handed out: into a file (mode from the first byte, 0600 when secret; an existing one is replaced) and says so,
 * or to standard output when path is NULL or "-". With --json and no path: {member: text}; member NULL = never as JSON.
 */
int cli_hand_out(const struct cli *c, const char *path, const char *member, const struct buf *body, bool secret, struct err *err);
/* A reason as the API gives it, as an error. */
int cli_reason_error(const json_t *reason, struct err *err);

/*
 * Waits until the order is over, one progress line for each thing that happened on standard error; *a is the last OrderDetail.
 * told: finalize was just asked for, so an order that is still ready is no reason to stop.
 */
int cli_watch_order(struct cli *c, const char *id, bool told, struct cli_answer *a, struct err *err);

/* view.c: an option as a member of body, when it is given. */
int cli_take_text(const struct cli_args *a, json_t *body, const char *option, const char *member, struct err *err);
/* doctor.c: facts about names (JSON: r); an error when one of them is bad. */
int cli_print_facts(struct cli *c, const struct cli_answer *r, json_t *facts, struct err *err);

/* order.c: the options --method NAME=HOW as member methods of body. */
int cli_take_methods(const struct cli_args *a, json_t *body, struct err *err);
/* Shows how each name of an order like body would be proved. */
int cli_preview(struct cli *c, json_t *body, struct err *err);

/* ---- verbs ------------------------------------------------------------------------------------------------------- */

struct cli_verb {
	const char *noun, *action; /* action NULL: the noun is the verb */
	const char *arguments;     /* "ID", "" */
	int (*run)(struct cli *c, const struct cli_args *a, struct err *err);
	const struct cli_option *options;
	const char *help;
	bool offline;              /* the verb makes its connection itself */
};

extern const struct cli_verb login_verbs[], vendor_verbs[], account_verbs[], csr_verbs[], order_verbs[], record_verbs[], people_verbs[], audit_verbs[], provider_verbs[], channel_verbs[], rule_verbs[], challenge_verbs[], debt_verbs[], delegation_verbs[],
	certificate_verbs[], fetch_verbs[], sync_verbs[], import_verbs[], renewal_verbs[], bulk_verbs[], manage_verbs[], window_verbs[], status_verbs[]; /* each ends with a NULL noun */
extern const struct cli_verb network_verbs[], report_verbs[], bundle_verbs[], doctor_verbs[], view_verbs[], view_rule_verbs[];
/* view.c; rows of delegation_verbs */
int cli_delegation_check(struct cli *c, const struct cli_args *a, struct err *err);
int cli_delegation_asked(struct cli *c, const struct cli_args *a, struct err *err);
int cli_delegation_paste(struct cli *c, const struct cli_args *a, struct err *err);
int cli_delegation_lines(struct cli *c, const struct cli_args *a, struct err *err);

#endif
