/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.h - when and why a certificate is renewed, when that may happen, and what people are told about it. */
#ifndef MODEL_RENEWAL_H
#define MODEL_RENEWAL_H

#include "model/enum.h"

/* What chose the instant. */
#define RENEWAL_WHYS(X)                                                                                                \
	X(RENEWAL_BY_FRACTION, "fraction") /* a third of the lifetime left, half under ten days */                     \
	X(RENEWAL_BY_ARI, "ari")           /* the authority's suggested window (RFC 9773) */                           \
	X(RENEWAL_BY_RECALL, "recall")     /* that window is over: it wants the certificate replaced now */            \
	X(RENEWAL_BY_REVOCATION, "revocation") /* it was revoked */
DECLARE_ENUM(renewal_why, RENEWAL_WHYS);

/* What has to happen first, and not by itself. */
#define RENEWAL_WAITS(X)                                                                                               \
	X(WAITS_NOTHING, "nothing")                                                                                    \
	X(WAITS_PERSON, "person")         /* validation by hand: somebody makes the order */                           \
	X(WAITS_CSR, "csr")               /* the key is elsewhere and too old, or its CSR is gone */                   \
	X(WAITS_ACCOUNT, "account")       /* the account is gone or refused */                                         \
	X(WAITS_PERMISSION, "permission") /* the vendor takes money, and nobody allowed it to be spent */              \
	X(WAITS_WINDOW, "window")         /* the maintenance window begins at the next attempt */
DECLARE_ENUM(renewal_waits, RENEWAL_WAITS);

struct renewal {
	char *certificate_id;
	char *version_id; /* what all of this is about */
	char *account_id, *directory_url; /* who issued it */
	char *ari_id;     /* certID, NULL: none */
	int64_t ari_next_ms, ari_failures;
	char *ari_reason; /* why the last question brought no window, JSON */
	int64_t window_start_ms, window_end_ms; /* 0: none known */
	char *explanation_url;
	enum renewal_why why;
	enum renewal_waits waits;
	int64_t tried_ms;         /* when the last order was made */
	int64_t failing_since_ms; /* the first failure since the last success */
	char *reason;             /* of the last failure, or why it waits; JSON */
	int64_t install_since_ms; /* issued, waiting to be installed */
	int64_t key_max_days;     /* a CSR made elsewhere is used again so long; 0 = for ever */
	char *window_id;          /* its own maintenance window, or NULL */
};
void renewal_done(struct renewal *r);
#define _cleanup_renewal_ __attribute__((cleanup(renewal_done)))

struct renewal_window {
	char *id;
	int64_t num;
	char *name;
	char *cron; /* five fields: minute hour day month weekday */
	int64_t minutes;
	char *zone; /* "Europe/Berlin", "UTC" */
	char *tag;
	bool is_default;
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void renewal_window_done(struct renewal_window *w);
#define _cleanup_renewal_window_ __attribute__((cleanup(renewal_window_done)))

/* One cause is one notice; docs/admin/renewal.md has a row for each. */
#define NOTICE_KINDS(X)                                                                                                \
	X(NOTICE_RENEWAL_FAILED, "renewal-failed")                                                                     \
	X(NOTICE_RENEWAL_PAUSED, "renewal-paused")       /* it failed for 30 days, or a person has to look */          \
	X(NOTICE_RENEWAL_DELAYED, "renewal-delayed")     /* under way for long; the authority or a provider hangs */   \
	X(NOTICE_NOT_TRIED, "renewal-not-tried")         /* due, and nothing was tried: something is wrong here */     \
	X(NOTICE_WAITING_FOR_YOU, "waiting-for-you")     /* validation by hand */                                      \
	X(NOTICE_CSR_NEEDED, "csr-needed")                                                                             \
	X(NOTICE_INSTALL, "waiting-to-be-installed")                                                                   \
	X(NOTICE_ACCOUNT, "account-needs-attention")                                                                   \
	X(NOTICE_PAYMENT, "payment-not-allowed")                                                                       \
	X(NOTICE_RECALL, "recall")                       /* an authority wants certificates replaced now */            \
	X(NOTICE_EXPIRING, "expiring")                   /* of what is only watched */                                 \
	X(NOTICE_STOPPED, "renewals-stopped")            /* a person stopped all automatic renewals */                 \
	X(NOTICE_WINDOW, "window-overruled")             /* renewed outside its maintenance window */                  \
	X(NOTICE_CREDENTIAL, "credential-refused")       /* a provider does not take it any more */                    \
	X(NOTICE_DELEGATION, "delegation-lost")          /* a name that was delegated to us is not any more */         \
	X(NOTICE_VENDOR, "vendor-parked")                /* an authority refuses whatever we ask */                    \
	X(NOTICE_DEBT, "debt-unpaid")                    /* what was published could not be withdrawn */               \
	X(NOTICE_BACKUP, "backup-old")                   /* the last backup is too old */                              \
	X(NOTICE_KEY_LOST, "key-lost")                   /* issued after the backup that was restored */
DECLARE_ENUM(notice_kind, NOTICE_KINDS);

struct notice {
	char *id;
	int64_t num;
	enum notice_kind kind;
	char *subject_kind, *subject_id; /* what the cause is about: certificate, account, directory, method, server */
	char *cause;     /* a sentence */
	char *next_step; /* a sentence, or NULL */
	int64_t touched; /* certificates */
	int64_t first_expiry_ms;
	int64_t raised_ms, changed_ms, told_ms, remind_ms, ended_ms;
};
void notice_done(struct notice *n);
#define _cleanup_notice_ __attribute__((cleanup(notice_done)))

#endif
