/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal.h - renewals: an order like any other that points to its certificate. What was issued before stays current until the
 * new one is verified and stored; there is one live renewal per certificate; the ladder between attempts is on the
 * certificate's row. docs/admin/renewal.md says how the instant is chosen.
 *
 * The scheduler is a standing job that asks an index what is due (certificate_renewal); nothing about renewals is kept in memory.
 * Another standing job per directory asks for renewal information, and one looks daily at what is due within 30 days.
 * Beside them the dispatcher watches that what is due was tried (renewal_watch.c): it needs no job to say so.
 */
#ifndef ENGINE_RENEWAL_H
#define ENGINE_RENEWAL_H

#include "engine/intake.h"
#include "model/renewal.h"

struct renewal_request { /* all borrowed */
	const char *order_id;       /* ULID made by the caller before the transaction */
	const char *certificate_id;
	const char *csr_id;         /* another CSR with the same names, from now on this one; NULL: as the certificate's key policy says */
	const char *requester;      /* user id; NULL: the engine */
	bool urgent;                /* goes before what waits at the authority */
	int64_t now_ms;
};
/*
 * Inside the caller's transaction: the order that renews the certificate, or the live one. CONFLICT: only watched, without an
 * account, its CSR is gone; INVALID as order_intake, and for a CSR with other names ("/csr_id").
 */
int renewal_intake(struct sql *tx, const struct renewal_request *r, struct order_taken *ret, struct err *err) MUST_CHECK;

/* The certificate leaves the inventory: a renewal under way ends, nobody is told about it any more. */
int renewal_forget(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err) MUST_CHECK;

/*
 * Whether it is renewed by itself. Off: it is only watched, an order under way goes on, and a person may still renew it. *ret_changed:
 * it was not so already. CONFLICT: nothing here can order it (it has no account: somebody has to take it over first).
 */
int renewal_automatic(struct sql *tx, const char *certificate_id, bool on, int64_t now_ms, bool *ret_changed, struct err *err) MUST_CHECK;

/* Stopping all automatic orders; those that people make go on. */
struct renewal_pause {
	char *reason, *by; /* by: name of the user */
	int64_t since_ms, until_ms; /* 0 = until somebody resumes */
};
void renewal_pause_done(struct renewal_pause *p);
#define _cleanup_renewal_pause_ __attribute__((cleanup(renewal_pause_done)))
/* *ret_on false: not stopped (also when until_ms is over). */
int renewal_pause_get(struct sql *q, int64_t now_ms, struct renewal_pause *ret, bool *ret_on, struct err *err) MUST_CHECK;
int renewal_pause_set(struct sql *tx, const struct renewal_pause *p, int64_t now_ms, struct err *err) MUST_CHECK;
int renewal_resume(struct sql *tx, int64_t now_ms, struct err *err) MUST_CHECK;

/* A certificate that was paused or waits is looked at again now (somebody mended what was wrong). */
int renewal_retry(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err) MUST_CHECK;
/* What was issued is in use where the key is. */
int renewal_installed(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
