/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h - the configuration of a publisher or target as a table: from it come validation, the page's form, the API's schema,
 * the documentation and redaction. Nobody parses a configuration of his own.
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/secret.h"
#include "base/str.h"

enum field_flag {
	FIELD_REQUIRED = 1,
	FIELD_SECRET = 2,    /* sealed, never shown, never logged */
	FIELD_URL = 4,       /* http:// or https:// with a host, no user name in it */
	FIELD_NUMBER = 8,
	FIELD_ENDPOINT = 16, /* where secrets are sent: when it changes, the stored secrets are erased and must be given again */
	FIELD_LINES = 32,    /* several lines of text (a pasted file); LF kept, CR dropped */
	FIELD_BOOL = 64,     /* "true" or "false" */
	FIELD_PROGRAM = 128, /* the name of a program of the configuration file (publish_env.run_program) */
	FIELD_HOST = 256,    /* a host name or address, perhaps with :port */
	FIELD_WEBROOT = 512, /* the name of a directory of the configuration file (publish_env.webroots) */
	FIELD_HTTPS = 1024,  /* with FIELD_URL: https:// only, whose host is always verified */
};

struct field {
	const char *name; /* [a-z0-9_]; NULL ends the table */
	unsigned flags;
	const char *help;        /* one line: what it is and where a user finds it */
	const char *standard;    /* default as text, or NULL */
	int64_t min, max;        /* number, or length of a text; max 0 = LIMIT_TEXT, of lines 16 KiB */
	const char *const *choices; /* NULL, or a NULL-ended list: only these */
	const char *title;       /* label of the form; NULL = made from the name: "api_key" is "Api key" */
};

/* How a credential is given no more than it needs, as text to copy: a policy, a command, lines of a configuration. */
struct grant {
	const char *where; /* the console, program or file it is for; NULL ends the table */
	const char *language; /* of the text, for the guide: "json", "text" */
	const char *text;  /* lines with their LF */
};

/* A configured value; borrowed. secret is used for FIELD_SECRET, text for all else; both NULL when not given. */
struct field_value {
	const char *name;
	const char *text;
	const struct secret *secret;
};

/* By name from what open() is given; NULL (0, false) when it was not given. */
const char *field_text(const struct field_value *v, size_t n, const char *name);
const struct secret *field_secret(const struct field_value *v, size_t n, const char *name);
int64_t field_number(const struct field_value *v, size_t n, const char *name);
bool field_bool(const struct field_value *v, size_t n, const char *name);

const struct field *field_find(const struct field *table, const char *name);
size_t field_count(const struct field *table);
/* "Api key"; owned. */
char *field_label(const struct field *f);
/* The text is allowed by its row; err has the pointer "/fields/NAME". Secrets pass too; their text is not in err. */
int field_check(const struct field *f, const char *text, size_t n, struct err *err) MUST_CHECK;

#endif
