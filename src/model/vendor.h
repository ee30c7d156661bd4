/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendor.h - the vendor registry as data: ACME authorities, what a user has to know of each and what the engine does otherwise there.
 *
 * A directory URL is an opaque string: never append to it, never strip a query or a slash. Rows are immutable by code; an
 * administrator's other URL for a row is an override in a table (store/vendor.h). An authority that is in no row is "custom".
 * What only people need to know is a text of the row; what a program does differently is a member or a quirk, and each quirk has
 * a test that shows what it does.
 */
#ifndef MODEL_VENDOR_H
#define MODEL_VENDOR_H

#include "model/enum.h"

#define VENDOR_CUSTOM "custom"

/* Where an authority departs from RFC 8555 or from its own directory. The text is what the page says. */
#define VENDOR_QUIRKS(X)                                                                                                  \
	X(QUIRK_EAB_UNSAID, "eab-unsaid")             /* its directory says that no external account is needed; it is */  \
	X(QUIRK_EAB_ONCE, "eab-once")                 /* a key already bound is refused instead of found: look first */   \
	X(QUIRK_NO_ACCOUNT_READ, "no-account-read")   /* the account URL cannot be read or changed */                     \
	X(QUIRK_NO_KEY_CHANGE, "no-key-change")       /* keyChange is absent, or offered and does not work */             \
	X(QUIRK_CONTACT_DROPPED, "contact-dropped")   /* contacts are accepted and thrown away */                         \
	X(QUIRK_NO_CLIENT_AUTH, "no-client-auth")     /* refuses CSRs that ask for client authentication */               \
	X(QUIRK_CONTACT_LATE, "contact-late")         /* a missing e-mail is told only when the CSR is sent */            \
	X(QUIRK_MANY_ACCOUNTS, "many-accounts")       /* one URL, an account per external key: named by it */             \
	X(QUIRK_SLOW_ISSUE, "slow-issue")             /* an order may be processing for days */
DECLARE_ENUM(vendor_quirk, VENDOR_QUIRKS);
const char *vendor_quirk_help(enum vendor_quirk q); /* one sentence for people */

/* Does it? For some nobody outside knows. */
#define VENDOR_ANSWERS(X) X(VENDOR_UNKNOWN, "unknown") X(VENDOR_NO, "no") X(VENDOR_YES, "yes")
DECLARE_ENUM(vendor_answer, VENDOR_ANSWERS);

struct vendor_region { /* further directory URLs of a vendor; the first is the usual one */
	const char *key, *title, *directory_url;
	const char *note; /* or NULL */
};

struct vendor_profile { /* as known when this was built; what the directory says today is shown beside it */
	const char *name;
	int names_max;    /* 0 = the vendor's own limit */
	bool addresses;   /* IP addresses are issued */
	const char *note;
};

struct vendor {
	const char *key;   /* "letsencrypt", stored in account.vendor */
	const char *title; /* "Let's Encrypt" */
	const char *directory_url;
	const struct vendor_region *regions;   /* ended by a NULL key; or NULL */
	const struct vendor_profile *profiles; /* ended by a NULL name; or NULL */
	bool staging;           /* its certificates are not trusted */
	bool eab_required;      /* whatever the directory says */
	const char *eab_url;    /* where it hands the two values out, so that we can get them for the user (ZeroSSL); NULL = nowhere */
	bool contact_required;
	bool wildcards;
	bool addresses;         /* IP addresses without a profile */
	bool short_names;       /* names without a dot: authorities inside a company */
	bool common_name_only;  /* takes a CSR whose only name is the common name */
	bool costs_money;
	bool not_after;         /* honours notAfter of newOrder */
	enum vendor_answer ari;
	int names_max;          /* of one order; 0 = LIMIT_NAMES */
	const char *const *key_types; /* of certificates, as crypto/ calls them, ended by NULL; NULL = not known, nothing is refused */
	unsigned quirks;              /* BIT(enum vendor_quirk) */
	const char *discontinued;       /* NULL, or a sentence: listed, not selectable for new accounts */
	const char *discontinued_since; /* "2025-10-31", NULL while active */
	const char *const *eab_steps;   /* where a user finds the values, step by step; NULL when not needed */
	const char *eab_life;           /* how long they live and how often they can be used */
	const char *eab_help;           /* the same in one line, for errors */
	const char *price;              /* what costs money, NULL when nothing does */
	const char *lifetime;           /* of certificates */
	const char *limits;             /* rate limits as published */
	const char *terms_url;          /* where the agreement is kept; the directory's own is shown when it was read */
	const char *docs_url;
	const char *const *notes;       /* further things worth knowing, ended by NULL; or NULL */
};

extern const struct vendor vendors[];
extern const size_t vendors_count;
/* What is known of an authority that nobody has described: nothing is refused in advance. */
extern const struct vendor vendor_custom;

const struct vendor *vendor_find(const char *key); /* NULL when unknown; "custom" is not in the table */
const struct vendor *vendor_of(const char *key);   /* never NULL: vendor_custom for "custom" and keys of other programs */
const char *vendor_title(const char *key);         /* the title, or the key itself */
bool vendor_has(const struct vendor *v, enum vendor_quirk q);
/* Of the vendor: its URL, one of its regions, or one on the same host (a product, a query, a customer's own path). */
bool vendor_owns_url(const struct vendor *v, const char *directory_url);
const struct vendor_region *vendor_region_find(const struct vendor *v, const char *key); /* NULL when there is none */
const struct vendor_profile *vendor_profile_find(const struct vendor *v, const char *name);

#endif
