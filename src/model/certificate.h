/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - CSRs, certificates (the wish that lasts) and their versions (what was issued). */
#ifndef MODEL_CERTIFICATE_H
#define MODEL_CERTIFICATE_H

#include "model/enum.h"

#define CSR_SOURCES(X) X(CSR_CREATED, "created") X(CSR_UPLOADED, "uploaded") X(CSR_FOR_ORDER, "order") /* made for an order */
DECLARE_ENUM(csr_source, CSR_SOURCES);

struct csr {
	char *id;
	int64_t num;
	enum csr_source source;
	struct strlist names; /* sorted, lower-case A-labels */
	char *names_hash;
	char *subject; /* "O=..., C=..." as shown, "" when empty */
	char *key_type;
	char *public_hash;
	char *key_id; /* NULL: the key is elsewhere */
	void *der;
	size_t der_n;
	char *made_for_order;
	char *created_by;
	int64_t rev, created_ms, deleted_ms;
};
void csr_done(struct csr *c);
#define _cleanup_csr_ __attribute__((cleanup(csr_done)))

#define CERTIFICATE_STATUSES(X)                                                                                        \
	X(CERTIFICATE_ACTIVE, "active")                                                                                \
	X(CERTIFICATE_SET_ASIDE, "set-aside") /* what the CA issued was refused; a person must look */                 \
	X(CERTIFICATE_REVOKED, "revoked")
DECLARE_ENUM(certificate_status, CERTIFICATE_STATUSES);

struct certificate {
	char *id;
	int64_t num;
	char *source; /* "issued" or "imported" */
	struct strlist names;
	char *names_hash;
	char *account_id, *csr_id;
	char *validation, *dns_method, *http_method, *profile;
	char *methods; /* as orders.methods */
	char *key_policy; /* "new" or "reuse" */
	char *key_type;
	bool managed;
	enum certificate_status status;
	char *version_id; /* the current one */
	int64_t not_before_ms, not_after_ms, renew_at_ms, attempt, next_attempt_ms;
	char *pause_reason;
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void certificate_done(struct certificate *c);
#define _cleanup_certificate_ __attribute__((cleanup(certificate_done)))

#define VERSION_STATES(X) X(VERSION_CURRENT, "current") X(VERSION_REPLACED, "replaced") X(VERSION_EVIDENCE, "evidence")
DECLARE_ENUM(version_state, VERSION_STATES);

struct version {
	char *id, *certificate_id, *order_id, *key_id;
	enum version_state state;
	char *serial, *subject, *issuer;
	struct strlist names;
	char *fingerprint, *public_hash, *key_type;
	int64_t not_before_ms, not_after_ms;
	char *chain; /* PEM, leaf first */
	char *reason;
	int64_t created_ms;
	int64_t revoked_ms; /* 0 = not from here */
};
void version_done(struct version *v);
#define _cleanup_version_ __attribute__((cleanup(version_done)))

/* Names as stored: joined by newline. names_parse canonicalises nothing; names_check does the rules of an order. */
char *names_text(const struct strlist *names);
void names_from_text(struct strlist *ret, const char *text);
/*
 * Canonicalises (base/idn.h), removes duplicates, sorts, and refuses: no name, more than LIMIT_NAMES, a name covered by a
 * wildcard of the same list. field is the JSON pointer's front ("/names"); the error names the member.
 */
int names_canonical(const struct strlist *in, const char *field, struct strlist *ret, struct err *err);

#endif
