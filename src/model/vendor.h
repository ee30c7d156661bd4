/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendor.h - the vendor registry as data: ACME authorities with their directory URLs and quirks.
 * A directory URL is an opaque string: never append to it, never strip a query or a slash.
 */
#ifndef MODEL_VENDOR_H
#define MODEL_VENDOR_H

#include "base/util.h"

struct vendor {
	const char *key;   /* "letsencrypt", stored in account.vendor */
	const char *title; /* "Let's Encrypt" */
	const char *directory_url;
	bool staging;           /* its certificates are not trusted */
	bool eab_required;      /* whatever the directory says (SSL.com's says false) */
	bool contact_required;
	bool wildcards;
	bool costs_money;
	const char *discontinued; /* NULL, or a sentence: listed, not selectable for new accounts */
	const char *eab_help;     /* where a user finds the EAB values, NULL when not needed */
};

extern const struct vendor vendors[];
extern const size_t vendors_count;
const struct vendor *vendor_find(const char *key); /* NULL when unknown; "custom" is not in the table */
const char *vendor_title(const char *key);         /* the title, or the key itself */

#define VENDOR_CUSTOM "custom"

#endif
