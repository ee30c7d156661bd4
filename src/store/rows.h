/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - column lists and row readers that the claim shares with the aggregates; for this folder only. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "model/order.h"
#include "model/work.h"
#include "store/sql.h"

#define ORDER_COLUMNS                                                                                                  \
	"id, gen, num, account_id, certificate_id, csr_id, names, names_hash, validation, dns_method, http_method, profile," \
	" key_type, mode, requester, request_hash, turn_hash, holds_turn, status, step, url, finalize_url, certificate_url," \
	" finalize_sent, ca_expires_ms, give_up_ms, step_since_ms, polls, attempts, starts, lane, due_ms, lease_owner,"    \
	" lease_until_ms, waiting_for, reason, want_finalize, want_refresh, want_cancel, set_aside, rev, created_ms,"      \
	" updated_ms, ended_ms, deleted_ms, methods, look_after_ms"
int order_from_row(const struct row *r, struct order *o, struct err *err);

#define JOB_COLUMNS                                                                                                    \
	"id, gen, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, lease_owner," \
	" lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms, ok_ms"
int job_from_row(const struct row *r, struct job *j, struct err *err);

#define DEBT_COLUMNS                                                                                                   \
	"id, gen, order_id, record_id, kind, method, what, state, held, lane, due_ms, lease_owner, lease_until_ms, starts," \
	" attempts, set_aside, reason, created_ms, paid_ms"
int debt_from_row(const struct row *r, struct debt *d, struct err *err);

#endif
