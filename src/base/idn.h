/* SPDX-License-Identifier: Apache-2.0 */
/* idn.h - host names: U-labels to lower-case A-labels and back for display (libidn2, UTS #46 non-transitional). */
#ifndef BASE_IDN_H
#define BASE_IDN_H

#include "base/err.h"

/*
 * Canonical form of a DNS name as a certificate names it: A-labels, lower case, no final dot, an optional leading "*." kept.
 * Refuses empty labels, labels over 63, names over 253, addresses, names of one label unless allowed by the caller,
 * and wildcards anywhere but in front. INVALID. *ret is owned by the caller.
 */
int name_canonical(const char *name, char **ret, struct err *err);
char *name_display(const char *a_label_name); /* U-labels where they round-trip, else the A-labels */
/* "*.example.com" -> "example.com"; others unchanged (borrowed pointer into name). */
const char *name_base(const char *name);
bool name_is_wildcard(const char *name);
/* The wildcard "*.example.com" covers "www.example.com" (one label more), not "example.com". */
bool name_covered_by(const char *name, const char *wildcard);

#endif
