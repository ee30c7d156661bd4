/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h - the configuration of a publisher or target as a table: from it come validation, the page's form, the API's schema,
 * the documentation and redaction. Nobody parses a configuration of his own.
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/str.h"

enum field_flag {
	FIELD_REQUIRED = 1,
	FIELD_SECRET = 2, /* sealed, never shown, never logged */
	FIELD_URL = 4,
	FIELD_NUMBER = 8,
};

struct field {
	const char *name; /* NULL ends the table */
	unsigned flags;
	const char *help;        /* one line: what it is and where a user finds it */
	const char *standard;    /* default as text, or NULL */
	int64_t min, max;        /* number, or length of a text; max 0 = LIMIT_TEXT */
};

/* A configured value; borrowed. secret is used for FIELD_SECRET, text for all else. */
struct field_value {
	const char *name;
	const char *text;
	const struct secret *secret;
};

#endif
