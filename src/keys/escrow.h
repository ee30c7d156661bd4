/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escrow.h - the master key on paper: nine groups of eight letters and digits, each with its own check, and the key's id as the
 * last one. Typed back, a group with a wrong sign is named, and so are two groups in each other's place.
 *
 *	group 1-8   four bytes of the key and CRC-8 (polynomial 0x07) over the group's number and these bytes: 40 bits, in base 32
 *	group 9     the first four bytes of the key's id, and the same
 *
 * The alphabet is Crockford's: no I, L, O or U; what looks alike is taken for the same, small letters too.
 */
#ifndef KEYS_ESCROW_H
#define KEYS_ESCROW_H

#include "base/secret.h"

struct err;

#define ESCROW_GROUPS 9
#define ESCROW_GROUP 8

/* The key of a master key file as text, one group a line: "1  ABCD-EFGH". *ret_id: the key's id in hex. */
int escrow_text(const char *file, struct secret *ret, char **ret_id, struct err *err) MUST_CHECK;
/*
 * What somebody typed: groups in any layout, with or without their numbers. *ret: the key as a master key file holds it.
 * INVALID with the number of the group that is wrong.
 */
int escrow_read(const struct secret *typed, struct secret *ret, char **ret_id, struct err *err) MUST_CHECK;

#endif
