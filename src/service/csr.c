/* SPDX-License-Identifier: Apache-2.0 */
/* csr.c - see csr.h. */
#include "service/csr.h"

#include "crypto/csr.h"
#include "crypto/digest.h"
#include "engine/intake.h"
#include "service/csr_lint.h"
#include "service/internal.h"
#include "store/key.h"

struct csr_job {
	const struct service *s;
	const char *ref;
	int64_t rev;
	struct page page;
	struct csr_filter filter;
	int64_t key;
	struct csr_list *list;
	struct csr *ret;
	const struct csr *fresh;
	const struct csr_intake_request *intake;
	struct once *once;
	struct audit *audit;
	char *id;
	int64_t now_ms;
};

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct csr_job *j = arg;

	return store_csr_list(q, &j->filter, &j->page, j->list, &j->key, err);
}

int service_csr_list(struct service *s, const struct csr_filter *f, const struct list_query *q, struct csr_list *ret, struct list_end *end,
		     struct err *err)
{
	_cleanup_free_ char *name = f->name ? xstrdup(f->name) : NULL;
	_cleanup_listing_ struct listing l = { .s = s, .name = "csrs" };
	struct csr_job j = { .list = ret, .filter = { .key_type = f->key_type, .name = name } };

	if (name)
		str_lower(name);
	if (listing_open(&l, q, (const char *const[]){ f->key_type, name }, 2, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	listing_close(&l, ret->more, j.key, ret->n ? ret->v[ret->n - 1].id : NULL, end);
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct csr_job *j = arg;

	csr_done(j->ret);
	return SERVICE_GET(q, j->ref, store_csr_get, store_csr_get_num, j->ret, err);
}

int service_csr_get(struct service *s, const char *ref, struct csr *ret, struct err *err)
{
	struct csr_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

char *service_csr_pem(const struct csr *c)
{
	return csr_pem(c->der, c->der_n);
}

/* --- made here ---------------------------------------------------------------------------------------------------------- */

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct csr_job *j = arg;
	_cleanup_free_ char *before = NULL;
	char job[ULID_LEN + 1];

	replace_str(&j->id, NULL);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before) {
		j->id = TAKE(before);
		return 0;
	}
	if (csr_intake(tx, j->intake, job, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, job);
	return once_add(tx, j->s, j->once, "job", job, err);
}

/* csr_subject_check speaks of /subject/o: the API's members have other names. */
static int check_subject(const struct csr_subject *subject, struct err *err)
{
	static const char *const fields[][2] = {
		{ "/subject/o", "/organization" },   { "/subject/ou", "/organizational_unit" }, { "/subject/c", "/country" },
		{ "/subject/st", "/state" },         { "/subject/l", "/locality" },
	};

	if (csr_subject_check(subject, err) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (err->field && streq(err->field, fields[i][0]))
			replace_str(&err->field, fields[i][1]);
	return -(int)err->code;
}

int service_csr_create(struct service *s, const struct actor *a, const struct csr_create *r, const struct request_key *key,
		       char **ret_job, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	_cleanup_(csr_subject_clear) struct csr_subject subject = {
		.o = xstrdup_null(r->organization), .ou = xstrdup_null(r->organizational_unit), .c = xstrdup_null(r->country),
		.st = xstrdup_null(r->state), .l = xstrdup_null(r->locality),
	};
	int64_t now = service_now(s);
	struct ulid job_id = ulid_new(now), csr_id = ulid_new(now);
	struct csr_intake_request q = { .job_id = job_id.s, .csr_id = csr_id.s, .names = &names, .subject = &subject,
					.created_by = a->user_id, .now_ms = now };
	struct csr_job j = { .s = s, .intake = &q, .once = &once, .audit = &audit };

	if (r->key_type && !key_type_parse(r->key_type, &q.key_type))
		return err_set_field(err, ERR_INVALID, "/key_type", "there is no key type '%s'", r->key_type);
	if (names_canonical(&r->names, "/names", &names, err) < 0 || check_subject(&subject, err) < 0)
		return -(int)err->code;
	once_begin(s, a, key, &once);
	audit_begin(s, a, "csr.create", "csr", &audit);
	replace_str(&audit.object_id, csr_id.s);
	replace_str(&audit.object_name, names.v[0]);
	if (store_write(s->store, create_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

/* --- taken from elsewhere ------------------------------------------------------------------------------------------------ */

static void csr_copy(struct csr *to, const struct csr *from)
{
	csr_done(to);
	*to = *from;
	to->id = xstrdup(from->id);
	memset(&to->names, 0, sizeof to->names);
	strlist_copy(&to->names, &from->names);
	to->names_hash = xstrdup(from->names_hash);
	to->subject = xstrdup(from->subject);
	to->key_type = xstrdup(from->key_type);
	to->public_hash = xstrdup(from->public_hash);
	to->key_id = NULL;
	to->der = xmemdup(from->der, from->der_n);
	to->made_for_order = NULL;
	to->created_by = xstrdup_null(from->created_by);
}

/* A key we hold already: a certificate key is linked, an account key must never be in a certificate (RFC 8555 11.1). */
static int link_key(struct sql *tx, struct csr *c, struct err *err)
{
	_cleanup_key_row_ struct key_row k = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (store_key_find_public(tx, c->public_hash, &k, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	if (k.purpose != KEY_CERTIFICATE)
		return err_set_field(err, ERR_CONFLICT, "/pem", "this is the key of %s; a certificate needs a key of its own",
				     k.purpose == KEY_ACCOUNT ? "an ACME account" : "this server's own API");
	if (k.sealed)
		replace_str(&c->key_id, k.id);
	return 0;
}

static int upload_tx(struct sql *tx, void *arg, struct err *err)
{
	struct csr_job *j = arg;
	_cleanup_free_ char *before = NULL;

	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before) {
		csr_done(j->ret);
		return store_csr_get(tx, before, j->ret, err);
	}
	csr_copy(j->ret, j->fresh);
	if (link_key(tx, j->ret, err) < 0 || store_csr_add(tx, j->ret, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return once_add(tx, j->s, j->once, "csr", j->ret->id, err);
}

int service_csr_upload(struct service *s, const struct actor *a, const char *pem, const struct request_key *key, struct csr *ret,
		       struct err *err)
{
	_cleanup_csr_info_ struct csr_info info = { 0 };
	_cleanup_csr_ struct csr c = { .source = CSR_UPLOADED, .rev = 1 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	_cleanup_free_ char *joined = NULL;
	struct csr_job j = { .s = s, .ret = ret, .fresh = &c, .once = &once, .audit = &audit };
	char hash[SHA256_HEX];

	if (csr_parse(pem, strlen(pem), &info, err) < 0) {
		replace_str(&err->field, "/pem");
		return err_wrap(err, "could not take the CSR");
	}
	if (names_canonical(&info.names, "/pem", &c.names, err) < 0) {
		replace_str(&err->field, "/pem");
		return err_wrap(err, "could not take the CSR");
	}
	joined = names_text(&c.names);
	c.names_hash = xstrdup(sha256_hex(joined, strlen(joined), hash));
	c.subject = csr_subject_line(&info.subject);
	c.key_type = xstrdup(info.key_type.s);
	c.public_hash = xstrdup(info.public_hash);
	c.der = xmemdup(info.der, info.der_n);
	c.der_n = info.der_n;
	c.created_ms = service_now(s);
	c.id = xstrdup(ulid_new(c.created_ms).s);
	c.created_by = xstrdup_null(a->user_id);
	once_begin(s, a, key, &once);
	audit_begin(s, a, "csr.upload", "csr", &audit);
	replace_str(&audit.object_id, c.id);
	replace_str(&audit.object_name, c.names.v[0]);
	return store_write(s->store, upload_tx, &j, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct csr_job *j = arg;
	_cleanup_csr_ struct csr c = { 0 };

	if (SERVICE_GET(tx, j->ref, store_csr_get, store_csr_get_num, &c, err) < 0 || rev_check(j->rev, c.rev, "CSR", err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, c.id);
	replace_str(&j->audit->object_name, c.names.n ? c.names.v[0] : NULL);
	if (store_csr_delete(tx, c.id, j->now_ms, err) < 0)
		return -(int)err->code;
	if (c.key_id) {
		bool destroyed;

		if (store_key_destroy_unused(tx, c.key_id, j->now_ms, &destroyed, err) < 0)
			return -(int)err->code;
		if (destroyed)
			replace_str(&j->audit->detail, "{\"key\":\"destroyed\"}");
	}
	return store_audit_add(tx, j->audit, err);
}

int service_csr_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct csr_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "csr.delete", "csr", &audit);
	return store_write(s->store, delete_tx, &j, err);
}
