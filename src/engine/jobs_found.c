/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs_found.c - after a restore: what the authority knows and the backup does not. Where it offers the list of the account's orders
 * (RFC 8555 7.1.2.1), each one that we do not know is read:
 *
 *	its key is of a live order of ours that has no URL yet   that order goes on with it; nothing is ordered twice
 *	its key is ours, or elsewhere with a CSR of ours         the certificate is added, and renewed as others are
 *	its key went with the host                               marked (NOTICE_KEY_LOST), and replaced, spread over an hour
 *
 * Of certificates whose names are managed here already only the lineage is renewed: the found one is kept as evidence. Invalid and
 * unfinished orders are left to the authority. What is to be read stands in the job's arguments, so a crash repeats at most one.
 */
#include "engine/notice.h"
#include "engine/private.h"
#include "engine/provider.h"
#include "store/audit.h"
#include "store/found.h"
#include "store/renewal.h"

#include "base/log.h"
#include "base/ulid.h"

#define PAGES_MAX 2000
#define ORDERS_MAX 5000
#define SPREAD_MS HOUR_MS
#define LEFT_MS (25 * SECOND_MS) /* so much of a step is left for one more order */

/* ---- one certificate that is not known -------------------------------------------------------------------------------- */

struct found {
	struct job_run *r;
	const char *url;
	const struct chain *chain;
	const char *pem;
	struct ulid certificate_id, version_id;
	int64_t spread_ms;
	struct found_csr csr;
	char *adopted;
	bool known, lost;
};

static void found_done(struct found *f)
{
	found_csr_done(&f->csr);
	free(f->adopted);
}

static int known_already(struct sql *tx, struct found *f, struct err *err)
{
	struct version v = { 0 };
	int r = store_version_find_fingerprint(tx, f->chain->v[0].info.fingerprint, &v, err);

	f->known = r == 0;
	version_done(&v);
	if (r < 0 && err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

/* As the rules and delegations of today say; what they leave to a person is tried by our own responder, unless it is a wildcard. */
static int validation_for(struct sql *tx, const struct found *f, const struct strlist *names, char **ret, struct err *err)
{
	struct methods_request q = { .names = names, .validation = VALIDATION_DNS01, .vendor = f->r->account.vendor, .field_order = "/dns",
				     .field_names = "/methods" };
	_cleanup_name_methods_ struct name_methods m = { 0 };
	bool wildcard = false;

	for (size_t i = 0; i < names->n; i++)
		wildcard |= str_starts(names->v[i], "*.");
	if (methods_decide(tx, &q, &m, err) < 0)
		return -(int)err->code;
	*ret = xstrdup(validation_text(wildcard || !streq(methods_common(&m), METHOD_MANUAL) ? VALIDATION_DNS01 : VALIDATION_HTTP01));
	return 0;
}

static void version_of(const struct found *f, const char *certificate_id, enum version_state state, struct version *ret)
{
	const struct cert_info *i = &f->chain->v[0].info;

	*ret = (struct version){
		.id = xstrdup(f->version_id.s), .certificate_id = xstrdup(certificate_id), .key_id = xstrdup_null(f->csr.key_id), .state = state,
		.serial = xstrdup(i->serial), .subject = xstrdup(i->subject), .issuer = xstrdup(i->issuer), .fingerprint = xstrdup(i->fingerprint),
		.public_hash = xstrdup(i->public_hash), .key_type = xstrdup(i->key_type.s), .not_before_ms = i->not_before_ms,
		.not_after_ms = i->not_after_ms, .chain = xstrdup(f->pem), .created_ms = engine_now(f->r->e),
	};
	strlist_copy(&ret->names, &i->names);
}

static void lost_reason(char **ret)
{
	_cleanup_err_ struct err why = ERR_INIT;

	err_set(&why, ERR_NEEDS_PERSON, "issued after the backup that this server was restored from: its key was lost");
	*ret = err_to_json_text(&why);
}

static int tell_lost(struct sql *tx, const struct found *f, const struct certificate *c, struct err *err)
{
	_cleanup_free_ char *cause = xasprintf("certificates of account '%s' were issued after the backup that this server was restored from: their keys are "
					       "lost",
					       f->r->account.name);

	return notice_raise(tx,
			    &(struct notice_cause){ .kind = NOTICE_KEY_LOST, .subject_kind = "account", .subject_id = f->r->account.id, .cause = cause,
						    .next_step = "They are replaced within an hour: deploy the new ones. The old ones stay valid where they are in use.",
						    .certificate = c, .now_ms = engine_now(f->r->e) },
			    err);
}

/* Its names are managed here: what is current stays so (its key is here), and is renewed soon. */
static int into_lineage(struct sql *tx, struct found *f, const char *id, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_(version_done) struct version v = { 0 };
	int64_t due = engine_now(f->r->e) + f->spread_ms;

	version_of(f, id, f->lost ? VERSION_EVIDENCE : VERSION_CURRENT, &v);
	if (f->lost)
		lost_reason(&v.reason);
	if (store_version_add(tx, &v, err) < 0 || store_certificate_get(tx, id, &c, err) < 0)
		return -(int)err->code;
	if (!f->lost) {
		struct renewal_dice dice = engine_dice(f->r->e);

		c.not_before_ms = v.not_before_ms;
		c.not_after_ms = v.not_after_ms;
		c.renew_at_ms = c.next_attempt_ms = renewal_when_fraction(v.not_before_ms, v.not_after_ms, &dice);
		return store_certificate_put(tx, &c, 0, err);
	}
	if (!c.next_attempt_ms || c.next_attempt_ms > due) {
		c.renew_at_ms = MIN(c.renew_at_ms, due);
		c.next_attempt_ms = due;
	}
	return store_certificate_plan(tx, &c, err) < 0 ? -(int)err->code : tell_lost(tx, f, &c, err);
}

static int as_new(struct sql *tx, struct found *f, const char *names_hash, struct err *err)
{
	const struct cert_info *i = &f->chain->v[0].info;
	struct renewal_dice dice = engine_dice(f->r->e);
	int64_t now = engine_now(f->r->e);
	_cleanup_certificate_ struct certificate c = {
		.id = xstrdup(f->certificate_id.s), .source = xstrdup("issued"), .names_hash = xstrdup(names_hash),
		.account_id = xstrdup(f->r->account.id), .csr_id = xstrdup_null(f->csr.id), .key_policy = xstrdup(f->csr.id && !f->csr.key_id ? "reuse" : "new"),
		.key_type = xstrdup(i->key_type.s), .managed = true, .status = CERTIFICATE_ACTIVE, .not_before_ms = i->not_before_ms,
		.not_after_ms = i->not_after_ms, .created_ms = now, .updated_ms = now,
	};
	_cleanup_(version_done) struct version v = { 0 };

	strlist_copy(&c.names, &i->names);
	c.renew_at_ms = c.next_attempt_ms = f->lost ? now + f->spread_ms : renewal_when_fraction(i->not_before_ms, i->not_after_ms, &dice);
	version_of(f, c.id, VERSION_CURRENT, &v);
	if (validation_for(tx, f, &c.names, &c.validation, err) < 0 || store_certificate_add(tx, &c, err) < 0 || store_version_add(tx, &v, err) < 0)
		return -(int)err->code;
	return f->lost ? tell_lost(tx, f, &c, err) : 0;
}

static int found_tx(struct sql *tx, void *arg, struct err *err)
{
	struct found *f = arg;
	const struct cert_info *i = &f->chain->v[0].info;
	_cleanup_free_ char *joined = names_text(&i->names), *lineage = NULL;
	char hash[SHA256_HEX];
	int64_t now = engine_now(f->r->e);

	found_done(f);
	f->csr = (struct found_csr){ 0 };
	f->adopted = NULL;
	if (job_mine(tx, f->r, err) < 0 || known_already(tx, f, err) < 0)
		return -(int)err->code;
	if (f->known)
		return 0;
	if (store_order_adopt(tx, f->r->account.id, i->public_hash, f->url, now, &f->adopted, err) < 0)
		return -(int)err->code;
	if (f->adopted)
		return 0;
	sha256_hex(joined, strlen(joined), hash);
	if (store_csr_of_key(tx, i->public_hash, &f->csr, err) < 0 || store_certificate_of_names(tx, f->r->account.id, hash, &lineage, err) < 0)
		return -(int)err->code;
	f->lost = !f->csr.id;
	if ((lineage ? into_lineage(tx, f, lineage, err) : as_new(tx, f, hash, err)) < 0)
		return -(int)err->code;
	if (store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, now + f->spread_ms, err) < 0)
		return -(int)err->code;
	return store_audit_system(tx, now, "certificate.found", "certificate", lineage ? lineage : f->certificate_id.s, i->names.n ? i->names.v[0] : i->subject,
				  f->lost ? "issued after the backup; its key is lost" : "issued after the backup; its key is known", NULL, err);
}

/* ---- orders -------------------------------------------------------------------------------------------------------------- */

static void count(struct job_run *r, const char *what)
{
	json_object_set_new(r->result, what, json_integer(json_integer_value(json_object_get(r->result, what)) + 1));
}

static int one_certificate(struct job_run *r, const char *order_url, const char *url, struct err *err)
{
	_cleanup_acme_chain_ struct acme_chain pem = { 0 };
	_cleanup_chain_ struct chain chain = { 0 };
	_cleanup_(found_done) struct found f = { .r = r, .url = order_url, .chain = &chain };
	int64_t now = engine_now(r->e);

	if (acme_certificate_get(&r->session, url, &pem, err) < 0)
		return err_wrap(err, "could not fetch a certificate of the account");
	if (chain_parse(pem.pem, strlen(pem.pem), &chain, err) < 0) { /* one that nobody can read is no reason to stop */
		err_clear(err);
		count(r, "unreadable");
		return 0;
	}
	if (chain.v[0].info.not_after_ms <= now)
		return 0; /* over, whatever became of its key */
	f.pem = pem.pem;
	f.certificate_id = ulid_new(now);
	f.version_id = ulid_new(now);
	f.spread_ms = 30 * SECOND_MS + (int64_t)engine_below(r->e, SPREAD_MS);
	if (engine_write(r->e, found_tx, &f, err) < 0)
		return err_wrap(err, "could not store a certificate that was found");
	if (!f.known)
		count(r, f.adopted ? "adopted" : f.lost ? "lost" : "added");
	return 0;
}

/* An order that the authority does not show any more, or in a way we cannot read, is no reason to stop. */
static int one_order(struct job_run *r, const char *url, struct err *err)
{
	_cleanup_acme_order_ struct acme_order o = { 0 };

	if (acme_order_get(&r->session, url, NULL, &o, err) < 0) {
		if (err->code != ERR_REMOTE_BAD && err->code != ERR_REMOTE_GONE && err->code != ERR_REMOTE_REFUSED && err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not read an order of the account");
		count(r, "unreadable");
		err_clear(err);
		return 0;
	}
	return o.status == ACME_ORDER_VALID && o.certificate_url ? one_certificate(r, url, o.certificate_url, err) : 0;
}

struct filter {
	struct job_run *r;
	const struct strlist *all;
	struct strlist fresh;
};

static int filter_tx(struct sql *q, void *arg, struct err *err)
{
	struct filter *f = arg;

	strlist_clear(&f->fresh);
	for (size_t i = 0; i < f->all->n; i++) {
		bool known = false;

		if (store_order_knows_url(q, f->r->account.id, f->all->v[i], &known, err) < 0)
			return -(int)err->code;
		if (!known)
			strlist_add(&f->fresh, f->all->v[i]);
	}
	return 0;
}

/* *ret_offered false: this authority has no such list. */
static int list_orders(struct job_run *r, struct strlist *ret, bool *ret_offered, struct err *err)
{
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_strlist_ struct strlist all = { 0 };
	struct filter f = { .r = r, .all = &all };
	_cleanup_free_ char *url = NULL;

	if (acme_account_get(&r->session, &a, err) < 0) /* by its URL: never newAccount */
		return err_wrap(err, "could not read account '%s'", r->account.name);
	*ret_offered = a.orders_url != NULL;
	url = xstrdup_null(a.orders_url);
	for (int pages = 0; url && pages < PAGES_MAX && all.n < ORDERS_MAX; pages++) {
		_cleanup_free_ char *next = NULL;

		if (acme_order_list(&r->session, url, &all, &next, err) < 0)
			return err_wrap(err, "could not list the orders of account '%s'", r->account.name);
		if (next && streq(next, url))
			break;
		replace_str(&url, next);
	}
	if (engine_read(r->e, filter_tx, &f, err) < 0)
		return -(int)err->code;
	*ret = f.fresh;
	return 0;
}

/* What is left to read stands in the arguments, "todo". */
static void leave(struct job_run *r, const struct strlist *todo, size_t from)
{
	json_t *left = json_array();
	_cleanup_json_ json_t *args = NULL;

	for (size_t i = from; i < todo->n; i++)
		json_array_append_new(left, json_string(todo->v[i]));
	args = json_pack("{s:o, s:O}", "todo", left, "so_far", r->result);
	free(r->j.args);
	r->j.args = json_text(args);
	r->wait = true;
	r->j.due_ms = engine_now(r->e);
}

int job_account_reconcile(struct job_run *r, struct err *err)
{
	_cleanup_strlist_ struct strlist todo = { 0 };
	const json_t *left = json_object_get(r->args, "todo"), *url;
	bool offered = true;
	size_t i;

	if (job_account_subject(r, err) < 0)
		return -(int)err->code;
	if (!r->account.url)
		return 0;
	if (json_is_array(left)) {
		json_object_update(r->result, json_object_get(r->args, "so_far"));
		json_array_foreach(left, i, url)
			strlist_add(&todo, json_string_value(url));
	} else if (list_orders(r, &todo, &offered, err) < 0) {
		return -(int)err->code;
	}
	json_object_set_new(r->result, "offered", json_boolean(offered));
	for (i = 0; i < todo.n; i++) {
		if (i && r->session.deadline_boot_ms - clock_boot(r->e->clock) < LEFT_MS) {
			leave(r, &todo, i);
			return 0;
		}
		if (one_order(r, todo.v[i], err) < 0)
			return -(int)err->code;
	}
	job_tell(r, "account", r->account.id, EVENT_INFO, offered ? "orders at the authority were compared with the restored database" :
								   "the authority offers no list of orders to compare with the restored database");
	return 0;
}
