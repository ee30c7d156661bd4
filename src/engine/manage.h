/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manage.h - taking a certificate over: from now on it is renewed from here, from this account, its names proved this way. For one that
 * was made elsewhere and only watched, and for one that moves to another account or another way of validation.
 *
 * Whether that can work is not guessed: the order that would renew it is made in a savepoint, with all that refuses an order, and
 * undone; what it decided about the names is what the certificate keeps.
 */
#ifndef ENGINE_MANAGE_H
#define ENGINE_MANAGE_H

#include "engine/intake.h"
#include "model/certificate.h"

struct manage_request { /* all borrowed */
	const char *certificate_id;
	const char *account_id;
	enum validation validation;
	const char *method;                /* for all names; NULL = rules and delegations decide */
	const struct name_methods *chosen; /* for single names; may be empty */
	const char *profile;               /* or NULL */
	const char *csr_id;                /* used again at each renewal; NULL: a new key each time */
	const char *key_type;              /* of the new keys; NULL: as it is, else what the vendor takes */
	const char *trial_id;              /* ULID made by the caller before the transaction */
	int64_t now_ms;
};
/*
 * Inside the caller's transaction. CONFLICT: a renewal is under way; INVALID as order_intake, with its fields ("/account_id",
 * "/validation", "/dns", "/methods", "/csr_id", "/key_type", "/profile", "/names").
 */
int manage_intake(struct sql *tx, const struct manage_request *r, struct err *err) MUST_CHECK;

#endif
