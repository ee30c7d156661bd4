/* SPDX-License-Identifier: Apache-2.0 */
/* import.c - see import.h. What has a password is opened in the runner (crypto/bundle.h). */
#include "service/import.h"

#include "base/base64.h"
#include "base/idn.h"
#include "crypto/bundle.h"
#include "service/internal.h"
#include "store/key.h"

#define OPEN_MS (10 * SECOND_MS)

void import_row_done(struct import_row *r)
{
	free(r->certificate_id);
	strlist_clear(&r->names);
	free(r->subject);
	free(r->fingerprint);
	err_clear(&r->err);
	memset(r, 0, sizeof *r);
}

/* --- the file ----------------------------------------------------------------------------------------------------------- */

static int decode(const char *content, struct buf *out, struct err *err)
{
	if (strstr(content, "-----BEGIN ")) {
		buf_add_str(out, content);
		return buf_check(out, err);
	}
	if (base64_decode_any(out, content, strlen(content), err) == 0 && out->n)
		return 0;
	err_clear(err);
	return err_set(err, ERR_INVALID, "it is neither PEM text nor base64 of a DER or PKCS#12 file");
}

static int open_sealed(struct service *s, const struct secret *password, struct str content, struct buf *out, struct err *err)
{
	_cleanup_buf_wipe_ struct buf request = BUF_MAX(2 * LIMIT_API_BODY);
	struct program_result r = { .out = BUF_MAX(4 * LIMIT_API_BODY) };
	struct program_request q = { .name = "@bundle", .timeout_ms = OPEN_MS, .max_output = 4 * LIMIT_API_BODY };
	int rc;

	if (bundle_scan(content, err) < 0)
		return err_wrap(err, "the file is not opened");
	if (!s->run_program) {
		err_set(err, ERR_BUSY, "files with a password are opened in a process of its own, which does not run here");
		return err_hint(err, "Open it yourself: openssl pkcs12 -in file.p12 -nodes -out all.pem, and import that.");
	}
	bundle_open_request(password, content, &request);
	if (buf_check(&request, err) < 0)
		return -(int)err->code;
	q.input = (struct str){ buf_text(&request), request.n };
	rc = s->run_program(s->program_arg, &q, &r, err);
	if (rc == 0)
		buf_add(out, buf_text(&r.out), r.out.n);
	buf_done_wipe(&r.out);
	return rc < 0 ? err_wrap(err, "could not open the file") : buf_check(out, err);
}

static int read_file(struct service *s, const struct import_create *r, struct bundle *ret, struct err *err)
{
	_cleanup_buf_wipe_ struct buf raw = BUF_MAX(LIMIT_API_BODY), open = BUF_MAX(4 * LIMIT_API_BODY);
	struct str content;

	if (decode(r->content, &raw, err) < 0)
		return err_is(err) && !err->field ? (replace_str(&err->field, "/content"), -(int)err->code) : -(int)err->code;
	content = (struct str){ buf_text(&raw), raw.n };
	if (bundle_sealed(content)) {
		if (open_sealed(s, &r->password, content, &open, err) < 0)
			goto failed;
		content = (struct str){ buf_text(&open), open.n };
	}
	if (bundle_read(content, ret, err) == 0)
		return 0;
failed:
	if (!err->field)
		replace_str(&err->field, "/content");
	return -(int)err->code;
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */

enum key_plan { KEY_NEW, KEY_THERE, KEY_AGAIN /* its row is there, its bytes were destroyed */ };

struct import_key {
	struct key_made made;
	char *id;
	enum key_plan plan;
	bool used;
	struct err err; /* why it cannot be kept */
};

struct find_key {
	const char *hash;
	struct key_row *ret;
	bool found;
};

static int find_key_tx(struct sql *q, void *arg, struct err *err)
{
	struct find_key *f = arg;
	_cleanup_err_ struct err why = ERR_INIT;

	key_row_done(f->ret);
	f->found = store_key_find_public(q, f->hash, f->ret, &why) == 0;
	return f->found || why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
}

static int seal_key(struct service *s, const struct secret *pem, struct import_key *k, struct err *err)
{
	_cleanup_key_row_ struct key_row row = { 0 };
	struct find_key f = { .hash = k->made.public_hash, .ret = &row };
	struct ulid id = ulid_new(service_now(s));

	if (keys_import(s->keys, KEY_CERTIFICATE, pem, &(struct key_place){ "key", id.s, "sealed" }, NULL, &k->made, err) < 0)
		return err_wrap(err, "a private key in the file is not kept");
	replace_str(&k->id, id.s);
	if (store_read(s->store, find_key_tx, &f, err) < 0)
		return -(int)err->code;
	if (!f.found)
		return 0;
	if (row.purpose != KEY_CERTIFICATE)
		return err_set(err, ERR_CONFLICT, "a private key in the file is the one of %s; a certificate needs a key of its own",
			       row.purpose == KEY_ACCOUNT ? "an ACME account" : "this server's own API");
	k->plan = row.sealed ? KEY_THERE : KEY_AGAIN;
	replace_str(&k->id, row.id);
	if (k->plan == KEY_THERE)
		return 0;
	key_made_clear(&k->made); /* sealed once more, for the row that it goes into */
	return keys_import(s->keys, KEY_CERTIFICATE, pem, &(struct key_place){ "key", row.id, "sealed" }, NULL, &k->made, err);
}

static struct import_key *seal_keys(struct service *s, const struct bundle *b)
{
	struct import_key *v = xcalloc(b->keys_n + 1, sizeof *v);

	for (size_t i = 0; i < b->keys_n; i++)
		(void)seal_key(s, &b->keys[i], &v[i], &v[i].err);
	return v;
}

static void free_keys(struct import_key *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		key_made_clear(&v[i].made);
		free(v[i].id);
		err_clear(&v[i].err);
	}
	free(v);
}

static struct import_key *key_of(struct import_key *v, size_t n, const char *public_hash)
{
	for (size_t i = 0; i < n; i++)
		if (!err_is(&v[i].err) && streq(v[i].made.public_hash, public_hash))
			return &v[i];
	return NULL;
}

/* --- one certificate ---------------------------------------------------------------------------------------------------- */

struct one {
	const struct chain *chain;
	struct import_key *key; /* or NULL */
	const struct certificate_notes *notes;
	struct audit *audit;
	struct ulid certificate_id, version_id;
	int64_t now_ms;
	struct import_row *row;
};

static int store_key(struct sql *tx, const struct one *o, char **ret_id, struct err *err)
{
	struct import_key *k = o->key;
	_cleanup_key_row_ struct key_row known = { 0 };
	struct find_key f = { .hash = o->chain->v[0].info.public_hash, .ret = &known };

	if (find_key_tx(tx, &f, err) < 0)
		return -(int)err->code;
	if (f.found && known.sealed) { /* kept already: for its CSR, or by an import a moment ago */
		*ret_id = known.purpose == KEY_CERTIFICATE ? xstrdup(known.id) : NULL;
		return 0;
	}
	if (!k)
		return 0;
	*ret_id = xstrdup(k->id);
	if (k->plan == KEY_AGAIN)
		return store_key_revive(tx, k->id, k->made.sealed, k->made.sealed_n, err);
	return store_key_add(tx,
			     &(struct key_row){ .id = k->id, .purpose = KEY_CERTIFICATE, .type = k->made.type.s,
						.public_hash = k->made.public_hash, .sealed = k->made.sealed,
						.sealed_n = k->made.sealed_n, .created_ms = o->now_ms },
			     err);
}

/* The names as the search and the lists show them: of the alternative names, else the common name when it is a name. */
static void names_of(const struct cert_info *i, struct strlist *ret)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *cn = NULL;

	strlist_copy(ret, &i->names);
	if (!ret->n && i->subject_cn && name_canonical(i->subject_cn, &cn, &why) == 0)
		strlist_add(ret, cn);
}

static int add_new(struct sql *tx, const struct one *o, const char *key_id, struct err *err)
{
	const struct cert_info *i = &o->chain->v[0].info;
	_cleanup_certificate_ struct certificate c = {
		.id = xstrdup(o->certificate_id.s), .source = xstrdup("imported"), .validation = xstrdup(""), .key_policy = xstrdup("new"),
		.key_type = xstrdup(i->key_type.s), .status = CERTIFICATE_ACTIVE, .not_before_ms = i->not_before_ms,
		.not_after_ms = i->not_after_ms, .created_ms = o->now_ms,
	};
	_cleanup_(version_done) struct version v = {
		.id = xstrdup(o->version_id.s), .certificate_id = xstrdup(c.id), .key_id = xstrdup_null(key_id), .state = VERSION_CURRENT,
		.serial = xstrdup(i->serial), .subject = xstrdup(i->subject), .issuer = xstrdup(i->issuer), .fingerprint = xstrdup(i->fingerprint),
		.public_hash = xstrdup(i->public_hash), .key_type = xstrdup(i->key_type.s), .not_before_ms = i->not_before_ms,
		.not_after_ms = i->not_after_ms, .created_ms = o->now_ms,
	};
	_cleanup_free_ char *joined = NULL;
	struct buf pem = BUF_MAX(LIMIT_CA_CHAIN);
	char hash[SHA256_HEX];

	names_of(i, &c.names);
	strlist_copy(&v.names, &c.names);
	joined = names_text(&c.names);
	c.names_hash = xstrdup(sha256_hex(joined, strlen(joined), hash));
	chain_pem(o->chain, 0, &pem);
	if (buf_check(&pem, err) < 0) {
		buf_done(&pem);
		return -(int)err->code;
	}
	v.chain = buf_take(&pem);
	if (store_certificate_add(tx, &c, err) < 0 || store_version_add(tx, &v, err) < 0 || store_notes_put(tx, &c, o->notes, 0, o->now_ms, err) < 0)
		return -(int)err->code;
	o->row->result = "imported";
	o->row->has_key = key_id;
	o->row->certificate_num = c.num;
	replace_str(&o->row->certificate_id, c.id);
	return 0;
}

static int know_again(struct sql *tx, const struct one *o, const char *id, const char *key_id, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	bool added = false;

	if (store_certificate_get(tx, id, &c, err) < 0 ||
	    (key_id && store_version_set_key(tx, o->chain->v[0].info.fingerprint, key_id, &added, err) < 0))
		return -(int)err->code;
	o->row->result = added ? "key-added" : "known";
	o->row->has_key = key_id;
	o->row->certificate_num = c.num;
	replace_str(&o->row->certificate_id, c.id);
	return 0;
}

static int one_tx(struct sql *tx, void *arg, struct err *err)
{
	struct one *o = arg;
	_cleanup_free_ char *known = NULL, *key_id = NULL;
	int r;

	if (store_fingerprint_find(tx, o->chain->v[0].info.fingerprint, &known, err) < 0 || store_key(tx, o, &key_id, err) < 0)
		return -(int)err->code;
	r = known ? know_again(tx, o, known, key_id, err) : add_new(tx, o, key_id, err);
	if (r < 0)
		return r;
	if (streq(o->row->result, "known"))
		return 0; /* nothing was changed */
	replace_str(&o->audit->object_id, o->row->certificate_id);
	return store_audit_add(tx, o->audit, err);
}

static void import_one(struct service *s, const struct actor *a, struct one *o)
{
	const struct cert_info *i = &o->chain->v[0].info;
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_json_ json_t *detail = NULL;

	names_of(i, &o->row->names);
	o->row->subject = xstrdup(i->subject);
	o->row->fingerprint = xstrdup(i->fingerprint);
	o->row->not_after_ms = i->not_after_ms;
	o->now_ms = service_now(s);
	o->certificate_id = ulid_new(o->now_ms);
	o->version_id = ulid_new(o->now_ms);
	audit_begin(s, a, "certificate.import", "certificate", &audit);
	replace_str(&audit.object_name, o->row->names.n ? o->row->names.v[0] : i->subject);
	detail = json_pack("{s:s, s:b}", "fingerprint", i->fingerprint, "key", o->key != NULL);
	audit.detail = json_text(detail);
	o->audit = &audit;
	if (store_write(s->store, one_tx, o, &o->row->err) < 0)
		o->row->result = "failed";
	o->audit = NULL;
}

/* --- all of them -------------------------------------------------------------------------------------------------------- */

static void key_rows(struct import_key *v, size_t n, struct import_row_list *ret)
{
	for (size_t i = 0; i < n; i++) {
		struct import_row *row;

		if (v[i].used)
			continue;
		row = import_row_list_add(ret);
		row->result = "failed";
		if (err_is(&v[i].err))
			err_move(&row->err, &v[i].err);
		else
			err_set(&row->err, ERR_INVALID, "a private key in the file belongs to none of its certificates and is not kept");
	}
}

int service_import(struct service *s, const struct actor *a, const struct import_create *r, struct import_row_list *ret, struct err *err)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	_cleanup_certificate_notes_ struct certificate_notes notes = { .owner = xstrdup_null(r->owner), .notes = xstrdup_null(r->notes) };
	struct import_key *keys;
	size_t keys_n;

	if (service_tags(&r->tags, &notes.tags, err) < 0 || read_file(s, r, &b, err) < 0)
		return -(int)err->code;
	keys_n = r->with_keys ? b.keys_n : 0;
	keys = keys_n ? seal_keys(s, &b) : NULL;
	for (size_t i = 0; i < b.certs_n; i++) {
		_cleanup_chain_ struct chain chain = { 0 };
		struct import_key *k = key_of(keys, keys_n, b.certs[i].v[0].info.public_hash);

		if (!k && !bundle_is_leaf(&b, i))
			continue;
		if (k)
			k->used = true;
		bundle_chain(&b, i, &chain);
		import_one(s, a, &(struct one){ .chain = &chain, .key = k, .notes = &notes, .row = import_row_list_add(ret) });
	}
	key_rows(keys, keys_n, ret);
	free_keys(keys, keys_n);
	return 0;
}

/* --- notes -------------------------------------------------------------------------------------------------------------- */

int service_tags(const struct strlist *in, struct strlist *ret, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_./=";

	for (size_t i = 0; i < in->n; i++) {
		_cleanup_free_ char *tag = xstrdup(in->v[i]);

		for (char *p = tag; *p; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		if (!*tag || strlen(tag) > 64 || tag[strspn(tag, allowed)]) {
			_cleanup_free_ char *field = xasprintf("/tags/%zu", i);

			strlist_clear(ret);
			return err_set_field(err, ERR_INVALID, field, "a tag has 1 to 64 letters, digits or - _ . / =, and no blanks");
		}
		strlist_add(ret, tag);
	}
	strlist_sort_unique(ret);
	return 0;
}

struct notes_job {
	const char *ref;
	const struct certificate_notes *fresh;
	int64_t rev, now_ms;
	struct audit *audit;
};

json_t *notes_json(const struct certificate_notes *n)
{
	return json_pack("{s:o, s:o, s:o}", "owner", json_str_or_null(n->owner), "notes", json_str_or_null(n->notes), "tags",
			 json_strlist(&n->tags));
}

static int notes_tx(struct sql *tx, void *arg, struct err *err)
{
	struct notes_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_certificate_notes_ struct certificate_notes before = { 0 };

	if (SERVICE_GET(tx, j->ref, store_certificate_get, store_certificate_get_num, &c, err) < 0 ||
	    store_notes_get(tx, c.id, &before, err) < 0 || store_notes_put(tx, &c, j->fresh, j->rev, j->now_ms, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, c.id);
	replace_str(&j->audit->object_name, c.names.n ? c.names.v[0] : NULL);
	audit_change(j->audit, notes_json(&before), notes_json(j->fresh));
	return store_audit_add(tx, j->audit, err);
}

int service_notes_update(struct service *s, const struct actor *a, const char *ref, const struct notes_update *u, int64_t rev, struct err *err)
{
	_cleanup_certificate_notes_ struct certificate_notes fresh = {
		.owner = str_empty(u->owner) ? NULL : xstrdup(u->owner), .notes = str_empty(u->notes) ? NULL : xstrdup(u->notes),
	};
	_cleanup_audit_ struct audit audit = { 0 };
	struct notes_job j = { .ref = ref, .fresh = &fresh, .rev = rev, .now_ms = service_now(s), .audit = &audit };

	if (service_tags(&u->tags, &fresh.tags, err) < 0)
		return -(int)err->code;
	audit_begin(s, a, "certificate.note", "certificate", &audit);
	return store_write(s->store, notes_tx, &j, err);
}
