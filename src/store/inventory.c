/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.c - see inventory.h. */
#include "store/inventory.h"

#include "store/lib.h"

void certificate_notes_done(struct certificate_notes *n)
{
	free(n->owner);
	free(n->notes);
	free(n->fetched_by);
	strlist_clear(&n->tags);
	memset(n, 0, sizeof *n);
}

static const char NOTES_GET[] = "SELECT owner, notes, fetched_by, fetched_ms FROM certificate WHERE id = $1";
static const char NOTES_PUT[] =
	"UPDATE certificate SET owner = $3, notes = $4, updated_ms = $5, rev = rev + 1"
	" WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char THERE[] = "SELECT 1 FROM certificate WHERE id = $1 AND deleted_ms = 0";
static const char TAGS_GET[] = "SELECT tag FROM certificate_tag WHERE certificate_id = $1 ORDER BY tag";
static const char TAGS_CLEAR[] = "DELETE FROM certificate_tag WHERE certificate_id = $1";
static const char TAG_ADD[] = "INSERT INTO certificate_tag (certificate_id, tag, num) VALUES ($1, $2, $3)";
static const char FETCHED[] = "UPDATE certificate SET fetched_by = $2, fetched_ms = $3 WHERE id = $1";
static const char FINGERPRINT_FIND[] =
	"SELECT v.certificate_id FROM version v JOIN certificate c ON c.id = v.certificate_id"
	" WHERE v.fingerprint = $1 AND v.state <> 'evidence' AND c.deleted_ms = 0 LIMIT 1";
static const char VERSION_SET_KEY[] = "UPDATE version SET key_id = $2 WHERE fingerprint = $1 AND key_id IS NULL";
static const char KEY_REVIVE[] = "UPDATE key SET sealed = $2, destroyed_ms = 0 WHERE id = $1 AND sealed IS NULL";

static int notes_row(const struct row *r, void *arg, struct err *err)
{
	struct certificate_notes *n = arg;

	(void)err;
	n->owner = row_text_dup(r, 0);
	n->notes = row_text_dup(r, 1);
	n->fetched_by = row_text_dup(r, 2);
	n->fetched_ms = row_int(r, 3);
	return 0;
}

static int tag_row(const struct row *r, void *arg, struct err *err)
{
	(void)err;
	strlist_add(arg, row_text(r, 0));
	return 0;
}

int store_notes_get(struct sql *q, const char *id, struct certificate_notes *ret, struct err *err)
{
	certificate_notes_done(ret);
	if (one_named(q, NOTES_GET, SQL_VALUES(SQL_TEXT(id)), notes_row, ret, "certificate", id, err) < 0)
		return -(int)err->code;
	if (sql_each(q, TAGS_GET, SQL_VALUES(SQL_TEXT(id)), tag_row, &ret->tags, err) < 0)
		return err_wrap(err, "could not read the tags of certificate '%s'", id);
	return 0;
}

int store_notes_put(struct sql *tx, const struct certificate *c, const struct certificate_notes *n, int64_t expect_rev, int64_t now_ms,
		    struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, NOTES_PUT, SQL_VALUES(SQL_TEXT(c->id), SQL_INT(expect_rev), SQL_TEXT(n->owner), SQL_TEXT(n->notes), SQL_INT(now_ms)),
		    THERE, "certificate", c->id, &rev, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, TAGS_CLEAR, SQL_VALUES(SQL_TEXT(c->id)), NULL, err) < 0)
		return err_wrap(err, "could not write the tags of certificate '%s'", c->id);
	for (size_t i = 0; i < n->tags.n; i++)
		if (sql_exec(tx, TAG_ADD, SQL_VALUES(SQL_TEXT(c->id), SQL_TEXT(n->tags.v[i]), SQL_INT(c->num)), NULL, err) < 0)
			return err_wrap(err, "could not write the tags of certificate '%s'", c->id);
	store_touch(tx, "certificate", c->id, rev);
	return 0;
}

int store_fetched(struct sql *tx, const char *id, const char *by, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, FETCHED, SQL_VALUES(SQL_TEXT(id), SQL_TEXT(by), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not note who was handed certificate '%s'", id);
	return 0;
}

static int text_row(const struct row *r, void *arg, struct err *err)
{
	char **ret = arg;

	(void)err;
	if (!*ret)
		*ret = row_text_dup(r, 0);
	return 0;
}

int store_fingerprint_find(struct sql *q, const char *fingerprint, char **ret, struct err *err)
{
	*ret = NULL;
	if (sql_each(q, FINGERPRINT_FIND, SQL_VALUES(SQL_TEXT(fingerprint)), text_row, ret, err) < 0)
		return err_wrap(err, "could not look for the certificate with fingerprint '%s'", fingerprint);
	return 0;
}

int store_version_set_key(struct sql *tx, const char *fingerprint, const char *key_id, bool *ret, struct err *err)
{
	int64_t n = 0;

	if (sql_exec(tx, VERSION_SET_KEY, SQL_VALUES(SQL_TEXT(fingerprint), SQL_TEXT(key_id)), &n, err) < 0)
		return err_wrap(err, "could not add a key to the certificate with fingerprint '%s'", fingerprint);
	*ret = n > 0;
	return 0;
}

int store_key_revive(struct sql *tx, const char *id, const void *sealed, size_t n, struct err *err)
{
	if (exec_named(tx, KEY_REVIVE, SQL_VALUES(SQL_TEXT(id), SQL_BLOB(sealed, n)), ERR_NOT_FOUND, "destroyed key", id, err) < 0)
		return -(int)err->code;
	store_touch(tx, "key", id, 0);
	return 0;
}
