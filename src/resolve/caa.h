/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caa.h - what CAA records say about an authority (RFC 8659, and RFC 8657 for accounturi and validationmethods). Judges texts;
 * asks nobody.
 */
#ifndef RESOLVE_CAA_H
#define RESOLVE_CAA_H

#include "base/str.h"

#define CAA_PARAMETERS 16

/* The value of issue and issuewild: "ca.example; accounturi=https://…; validationmethods=dns-01,http-01". Points into text. */
struct caa_issue {
	struct str issuer; /* empty: nobody */
	struct str account; /* accounturi; p NULL = none is named */
	struct str methods; /* validationmethods, comma list; p NULL = any */
	bool bad;           /* not of the form: authorities read it as "nobody" */
};
void caa_issue_parse(const char *text, struct caa_issue *ret);

struct caa_record { /* borrowed */
	uint8_t flags;
	const char *tag, *value; /* tag in lower case */
};

struct caa_question {
	bool wildcard;
	const struct strlist *identities; /* how the authority calls itself; n 0 = not known */
	const char *account_url;          /* NULL = not known */
	const char *method;               /* "dns-01", NULL = not known */
};

enum caa_verdict {
	CAA_ALLOWED,
	CAA_NOBODY,   /* no record says anything for this kind of name: everybody may */
	CAA_UNKNOWN,  /* who the authority is was not said */
	CAA_OTHERS,   /* only other authorities */
	CAA_ACCOUNT,  /* the authority, but another account */
	CAA_METHOD,   /* the authority, but another validation method */
	CAA_CRITICAL, /* a critical record that no authority may pass over */
};
/* Of the records of one name. *ret_named: the record that decided (value), or NULL; borrowed. */
enum caa_verdict caa_judge(const struct caa_record *v, size_t n, const struct caa_question *q, const char **ret_named);

#endif
