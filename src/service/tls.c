/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - see tls.h. */
#include "service/tls.h"

#include "base/file.h"
#include "base/log.h"
#include "crypto/x509.h"
#include "service/internal.h"
#include "store/certificate.h"
#include "store/key.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define META_CERTIFICATE "tls_certificate" /* PEM of the self-signed one */
#define META_KEY "tls_key"                 /* id of its key row */
#define SELF_SIGNED_DAYS 3650
#define SELF_SIGNED_RENEW_MS (30 * DAY_MS)

struct stamp { /* what a file was when it was read */
	uint64_t dev, ino, size;
	int64_t mtime_ns;
};

struct service_identity {
	_Atomic unsigned refs;
	struct keys *keys;
	char *chain;
	char *key_id;
	struct key_made key;
	char fingerprint[SHA256_HEX];
	struct stamp cert, file_key;
	bool files;
	char *version_id; /* of the managed certificate: the one it has, or that could not be served */
};

static struct stamp stamp_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct stamp){ 0 };
	return (struct stamp){ st.st_dev, st.st_ino, (uint64_t)st.st_size,
			       (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec };
}

struct service_identity *service_identity_ref(struct service_identity *i)
{
	i->refs++;
	return i;
}

void service_identity_unref(struct service_identity *i)
{
	if (!i || --i->refs)
		return;
	key_made_clear(&i->key);
	free(i->chain);
	free(i->key_id);
	free(i->version_id);
	free(i);
}

/* Takes chain and key together only when they belong together. */
static int finish(struct service_identity *i, struct err *err)
{
	_cleanup_chain_ struct chain chain = { 0 };

	if (chain_parse(i->chain, strlen(i->chain), &chain, err) < 0)
		return -(int)err->code;
	if (!streq(chain.v[0].info.public_hash, i->key.public_hash))
		return err_set(err, ERR_INVALID, "the key is not that of the certificate");
	memcpy(i->fingerprint, chain.v[0].info.fingerprint, sizeof i->fingerprint);
	return 0;
}

static int from_files(struct service *s, struct service_identity *i, struct err *err)
{
	const char *cert = s->config.tls_cert, *key = s->config.tls_key;
	_cleanup_buf_ struct buf pem = BUF_MAX(LIMIT_CA_CHAIN);
	_cleanup_secret_ struct secret key_pem = { 0 };

	i->files = true;
	i->cert = stamp_of(cert);
	i->file_key = stamp_of(key);
	i->key_id = xstrdup(ulid_new(service_now(s)).s);
	if (file_read(cert, &pem, err) < 0 || file_read_secret(key, 64 * 1024, &key_pem, err) < 0)
		return -(int)err->code;
	i->chain = buf_take(&pem);
	if (keys_import(s->keys, KEY_TLS, &key_pem, &(struct key_place){ "key", i->key_id, "sealed" }, NULL, &i->key, err) < 0)
		return err_wrap(err, "could not use the key in '%s'", key);
	if (finish(i, err) < 0)
		return err_wrap(err, "could not use the certificate in '%s'", cert);
	return 0;
}

struct stored_job {
	char *chain, *key_id;
	struct key_row row;
	bool found;
	const struct key_row *fresh;
	const char *fresh_chain;
};

static int stored_tx(struct sql *q, void *arg, struct err *err)
{
	struct stored_job *j = arg;
	_cleanup_err_ struct err why = ERR_INIT;

	replace_str(&j->chain, NULL);
	replace_str(&j->key_id, NULL);
	key_row_done(&j->row);
	j->found = false;
	if (store_meta_get(q, META_CERTIFICATE, &j->chain, &why) < 0 || store_meta_get(q, META_KEY, &j->key_id, &why) < 0 ||
	    store_key_get(q, j->key_id, &j->row, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	j->found = true;
	return 0;
}

static int keep_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct stored_job *j = arg;

	if (store_key_add(tx, j->fresh, err) < 0 || store_meta_set(tx, META_CERTIFICATE, j->fresh_chain, err) < 0)
		return -(int)err->code;
	return store_meta_set(tx, META_KEY, j->fresh->id, err);
}

static bool outlived(const char *pem, int64_t now)
{
	_cleanup_chain_ struct chain c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	return chain_parse(pem, strlen(pem), &c, &err) < 0 || c.v[0].info.not_after_ms < now + SELF_SIGNED_RENEW_MS;
}

static int make_self_signed(struct service *s, struct service_identity *i, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_key_row_ struct key_row row = { 0 };
	struct stored_job j = { .fresh = &row };
	int64_t now = service_now(s);

	i->key_id = xstrdup(ulid_new(now).s);
	strlist_add(&names, "localhost");
	strlist_add(&names, "127.0.0.1");
	strlist_add(&names, "::1");
	for (size_t k = 0; s->config.tls_names && k < s->config.tls_names->n; k++)
		if (!streq(s->config.tls_names->v[k], "0.0.0.0") && !streq(s->config.tls_names->v[k], "::"))
			strlist_add(&names, s->config.tls_names->v[k]);
	strlist_sort_unique(&names);
	if (keys_generate(s->keys, KEY_TLS, KEY_P256, &(struct key_place){ "key", i->key_id, "sealed" }, NULL, &i->key, err) < 0 ||
	    keys_self_signed(s->keys,
			     &(struct self_signed_request){ .key = { "key", i->key_id, "sealed", i->key.sealed, i->key.sealed_n },
							    .names = &names, .now_ms = now, .days = SELF_SIGNED_DAYS },
			     &i->chain, err) < 0)
		return -(int)err->code;
	row = (struct key_row){ .id = xstrdup(i->key_id), .purpose = KEY_TLS, .type = xstrdup(i->key.type.s),
				.public_hash = xstrdup(i->key.public_hash), .sealed = xmemdup(i->key.sealed, i->key.sealed_n),
				.sealed_n = i->key.sealed_n, .created_ms = now };
	j.fresh_chain = i->chain;
	if (store_write(s->store, keep_tx, &j, err) < 0)
		return -(int)err->code;
	return finish(i, err);
}

static int self_signed(struct service *s, struct service_identity *i, struct err *err)
{
	struct stored_job j = { 0 };
	int r = store_read(s->store, stored_tx, &j, err);

	if (r == 0 && j.found && j.row.sealed && !outlived(j.chain, service_now(s))) {
		i->chain = TAKE(j.chain);
		i->key_id = TAKE(j.key_id);
		r = keys_public(s->keys, &(struct key_handle){ "key", i->key_id, "sealed", j.row.sealed, j.row.sealed_n }, &i->key, err);
		if (r == 0) {
			free(i->key.sealed);
			i->key.sealed = xmemdup(j.row.sealed, j.row.sealed_n);
			i->key.sealed_n = j.row.sealed_n;
			r = finish(i, err);
		}
	} else if (r == 0) {
		r = make_self_signed(s, i, err);
	}
	free(j.chain);
	free(j.key_id);
	key_row_done(&j.row);
	return r < 0 ? -(int)err->code : 0;
}

/* --- a certificate managed here ------------------------------------------------------------------------------------------- */

struct managed_job {
	const char *ref;
	char *version_id; /* NULL: it is not there, or nothing is issued */
	struct version version;
	struct key_row key;
};

static void managed_job_done(struct managed_job *j)
{
	free(j->version_id);
	version_done(&j->version);
	key_row_done(&j->key);
	j->version_id = NULL;
}

static int current_tx(struct sql *q, void *arg, struct err *err)
{
	struct managed_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };

	replace_str(&j->version_id, NULL);
	if (SERVICE_GET(q, j->ref, store_certificate_get, store_certificate_get_num, &c, err) < 0)
		return -(int)err->code;
	j->version_id = TAKE(c.version_id);
	return 0;
}

static int managed_tx(struct sql *q, void *arg, struct err *err)
{
	struct managed_job *j = arg;

	version_done(&j->version);
	key_row_done(&j->key);
	if (current_tx(q, j, err) < 0)
		return -(int)err->code;
	if (!j->version_id)
		return err_set(err, ERR_CONFLICT, "nothing is issued yet");
	if (store_version_get(q, j->version_id, &j->version, err) < 0)
		return -(int)err->code;
	if (!j->version.key_id)
		return err_set(err, ERR_CONFLICT, "its key is not kept here");
	return store_key_get(q, j->version.key_id, &j->key, err);
}

static int take_managed(struct service *s, struct service_identity *i, struct managed_job *j, struct err *err)
{
	if (!j->key.sealed)
		return err_set(err, ERR_CONFLICT, "its key was destroyed");
	if (keys_public(s->keys, &(struct key_handle){ "key", j->key.id, "sealed", j->key.sealed, j->key.sealed_n }, &i->key, err) < 0)
		return -(int)err->code;
	free(i->key.sealed);
	i->key.sealed = xmemdup(j->key.sealed, j->key.sealed_n);
	i->key.sealed_n = j->key.sealed_n;
	i->key_id = xstrdup(j->key.id);
	i->chain = xstrdup(j->version.chain);
	return finish(i, err);
}

static int managed(struct service *s, struct service_identity *i, struct err *err)
{
	struct managed_job j = { .ref = s->config.tls_certificate };
	int r = store_read(s->store, managed_tx, &j, err);

	i->version_id = xstrdup_null(j.version_id);
	if (r == 0)
		r = take_managed(s, i, &j, err);
	managed_job_done(&j);
	return r < 0 ? -(int)err->code : 0;
}

/* Whatever is wrong with it, the page stays reachable, where it can be put right. */
static int managed_or_self_signed(struct service *s, struct service_identity *i, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (managed(s, i, &why) == 0)
		return 0;
	if (why.code != ERR_CONFLICT && why.code != ERR_NOT_FOUND && why.code != ERR_INVALID)
		return err_move(err, &why); /* the store is away for a moment: what is served stays */
	log_err(LOG_WARNING, "the certificate of api.certificate cannot be served; a self-signed one is until it can", &why);
	replace_str(&i->chain, NULL);
	replace_str(&i->key_id, NULL);
	key_made_clear(&i->key);
	return self_signed(s, i, err);
}

static bool managed_changed(struct service *s, const struct service_identity *i)
{
	struct managed_job j = { .ref = s->config.tls_certificate };
	_cleanup_err_ struct err why = ERR_INIT;
	bool changed = store_read(s->store, current_tx, &j, &why) == 0 ? !i->version_id != !j.version_id || (i->version_id && !streq(i->version_id, j.version_id)) :
									  why.code == ERR_NOT_FOUND && i->version_id;

	managed_job_done(&j);
	return changed;
}

int service_identity_open(struct service *s, struct service_identity **ret, struct err *err)
{
	struct service_identity *i = xcalloc(1, sizeof *i);

	i->refs = 1;
	i->keys = s->keys;
	if ((s->config.tls_cert ? from_files : s->config.tls_certificate ? managed_or_self_signed : self_signed)(s, i, err) < 0) {
		service_identity_unref(i);
		return -(int)err->code;
	}
	*ret = i;
	return 0;
}

bool service_identity_changed(struct service *s, const struct service_identity *i)
{
	struct stamp cert, key;

	if (!i->files)
		return s->config.tls_certificate && managed_changed(s, i);
	cert = stamp_of(s->config.tls_cert);
	key = stamp_of(s->config.tls_key);
	return memcmp(&cert, &i->cert, sizeof cert) || memcmp(&key, &i->file_key, sizeof key);
}

const char *service_identity_chain(const struct service_identity *i)
{
	return i->chain;
}

const char *service_identity_fingerprint(const struct service_identity *i)
{
	return i->fingerprint;
}

const char *service_identity_key_type(const struct service_identity *i)
{
	return i->key.type.s;
}

int service_identity_sign(const struct service_identity *i, enum tls_scheme scheme, enum digest digest, const void *hash, size_t n,
			  unsigned char **ret, size_t *ret_n, struct err *err)
{
	return keys_tls_sign(i->keys,
			     &(struct tls_sign_request){ .key = { "key", i->key_id, "sealed", i->key.sealed, i->key.sealed_n },
							 .scheme = scheme, .digest = digest, .p = hash, .n = n, .is_digest = true },
			     ret, ret_n, err);
}
