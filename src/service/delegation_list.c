/* SPDX-License-Identifier: Apache-2.0 */
/* delegation_list.c - many delegations from a pasted list, and the lines of many for the parents' zone files; see view.h. */
#include "base/idn.h"
#include "service/internal.h"
#include "service/record.h"
#include "service/view.h"

void delegation_line_done(struct delegation_line *l)
{
	free(l->typed);
	free(l->id);
	free(l->name);
	free(l->target);
	free(l->detail);
	*l = (struct delegation_line){ 0 };
}

/* --- a pasted list ------------------------------------------------------------------------------------------------------- */

/* The next word of a line; a comma divides as a blank does, and what stands behind '#' or ';' is a comment. Owned, NULL at the end. */
static char *next_word(const char **at)
{
	const char *p = *at + strspn(*at, " \t\r\"',");
	size_t n = strcspn(p, " \t\r\"',;#");

	*at = p + n;
	if (n && p[n - 1] == '.')
		n--;
	return n ? xstrndup(p, n) : NULL;
}

static bool is_number(const char *word)
{
	return !word[strspn(word, "0123456789")];
}

/* "NAME", "NAME TARGET" or the line of a zone file, "NAME 3600 IN CNAME TARGET"; one of an NS record means the name alone. */
static bool read_line(const char *line, struct delegation_line *l, char **ret_target)
{
	_cleanup_free_ char *target = NULL;
	bool record = false;

	l->typed = next_word(&line);
	for (char *word; (word = next_word(&line));) {
		if (!target && (is_number(word) || !strcasecmp(word, "IN") || !strcasecmp(word, "CNAME"))) {
			free(word);
			record = true;
			continue;
		}
		if (!target && !strcasecmp(word, "NS")) {
			free(word);
			return true;
		}
		if (target) {
			free(word);
			return false;
		}
		target = word;
	}
	*ret_target = TAKE(target);
	return *ret_target || !record;
}

static int refuse(struct delegation_line *l, struct err *why)
{
	l->result = "refused";
	l->detail = err_text(why);
	return 0;
}

/* There is one for the name: the same, or one that leads elsewhere, which is not changed from here. */
static int was_there(const struct delegation_create *c, const struct delegation *d, struct delegation_line *l)
{
	_cleanup_err_ struct err why = ERR_INIT;

	l->result = "exists";
	if (!c->target == !d->target && (!c->target || !strcasecmp(c->target, d->target)))
		return 0;
	err_set(&why, ERR_CONFLICT, "'%s' is delegated already (number %" PRId64 ") and %s%s: delete that one first", d->name, d->num,
		d->target ? "leads to " : "answered by this server", d->target ? d->target : "");
	return refuse(l, &why);
}

/* Each line is a change of its own: what is wrong with one keeps no other back. Only what is wrong with all of them is an error. */
static int make(struct service *s, const struct actor *a, const struct delegation_create *c, struct delegation_line *l, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	int r = service_delegation_create(s, a, c, NULL, &d, &why);
	bool of_line = why.field && !streq(why.field, "/provider_id");

	if (r < 0 && !of_line) {
		*err = TAKE(why);
		return r;
	}
	if (r < 0 && why.code == ERR_INVALID)
		return refuse(l, &why);
	l->id = xstrdup(d.id);
	l->name = xstrdup(d.name);
	if (r < 0)
		return was_there(c, &d, l);
	replace_str(&l->target, d.target);
	l->result = "made";
	return 0;
}

/* Where the name leads: as the line says, else into the zone; NULL for a name that this server answers. */
static int target_of(const struct service *s, const struct delegation_paste *p, const char *name, char *typed, struct delegation_line *l, struct err *err)
{
	_cleanup_free_ char *ours = NULL, *said = NULL;

	if (p->provider) {
		l->target = typed ? xstrdup(typed) : p->zone ? xasprintf("_acme-challenge.%s.%s", name, p->zone) : NULL;
		return l->target ? 0 : err_set(err, ERR_INVALID, "it is not said where '%s' leads: NAME TARGET, or a zone for all of the list", name);
	}
	ours = service_delegation_alias(s, name);
	if (!typed || (name_canonical(typed, &said, err) == 0 && streq(said, ours)))
		return 0;
	err_clear(err);
	return err_set(err, ERR_INVALID, "'%s' leads to '%s', which is not of this server: choose the provider that writes there", name, typed);
}

static int paste_line(struct service *s, const struct actor *a, const struct delegation_paste *p, const char *line, struct delegation_line *l, struct err *err)
{
	_cleanup_free_ char *canonical = NULL, *typed = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	struct delegation_create c = { .provider = p->provider };
	bool read = read_line(line, l, &typed);
	const char *word = str_starts(l->typed, "_acme-challenge.") ? l->typed + strlen("_acme-challenge.") : l->typed;

	if (name_canonical(word, &canonical, &why) < 0)
		return refuse(l, &why);
	c.name = name_base(canonical);
	if (!read) {
		err_set(&why, ERR_INVALID, "the line cannot be read: one name, perhaps with where it leads, NAME TARGET or NAME IN CNAME TARGET");
		return refuse(l, &why);
	}
	if (target_of(s, p, c.name, typed, l, &why) < 0)
		return refuse(l, &why);
	c.target = l->target;
	return make(s, a, &c, l, err);
}

static bool is_empty(const char *line)
{
	_cleanup_free_ char *word = next_word(&line);

	return !word;
}

struct writer_job {
	const char *ref;
	char *id;
};

static int writer_tx(struct sql *q, void *arg, struct err *err)
{
	struct writer_job *j = arg;

	replace_str(&j->id, NULL);
	return delegation_writer(q, j->ref, &j->id, err);
}

/* What is wrong with every line. */
static int check_paste(struct service *s, const struct delegation_paste *p, char **ret_zone, struct err *err)
{
	struct writer_job j = { .ref = p->provider };
	int r = store_read(s->store, writer_tx, &j, err);

	free(j.id);
	if (r < 0 || !p->zone)
		return r;
	if (!p->provider)
		return err_set_field(err, ERR_INVALID, "/provider_id", "names that lead into a zone need the provider that writes it");
	if (name_canonical(p->zone, ret_zone, err) == 0 && str_starts(*ret_zone, "*."))
		err_set(err, ERR_INVALID, "a wildcard is no zone");
	if (err->code)
		replace_str(&err->field, "/zone");
	return -(int)err->code;
}

int service_delegation_paste(struct service *s, const struct actor *a, const struct delegation_paste *p, struct delegation_line_list *ret,
			     struct err *err)
{
	_cleanup_free_ char *zone = NULL;
	struct delegation_paste q = *p;
	int64_t number = 1;

	if (check_paste(s, p, &zone, err) < 0)
		return -(int)err->code;
	q.zone = zone;
	for (const char *at = p->text; *at; number++) {
		size_t n = strcspn(at, "\n");
		_cleanup_free_ char *line = xstrndup(at, n);
		struct delegation_line *l;

		at += n + (at[n] == '\n');
		if (is_empty(line))
			continue;
		if (ret->n == DELEGATION_LINES_MAX)
			return err_set_field(err, ERR_INVALID, "/text", "at most %d names at a time; those before line %" PRId64 " were taken",
					     DELEGATION_LINES_MAX, number);
		l = delegation_line_list_add(ret);
		*l = (struct delegation_line){ .line = number };
		if (paste_line(s, a, &q, line, l, err) < 0)
			return -(int)err->code;
	}
	if (!ret->n)
		return err_set_field(err, ERR_INVALID, "/text", "no name stands in the list");
	return 0;
}

/* --- lines for the parents' zone files ----------------------------------------------------------------------------------- */

struct lines_job {
	bool missing;
	struct buf *lines;
	const char *hostname;
	bool nameless; /* a line would need it */
};

/* The last look found it delegated to us. */
static bool found(const struct delegation *d)
{
	_cleanup_json_ json_t *looked = json_text_or_null(d->looked);
	json_t *facts = json_object_get(looked, "facts"), *f;
	size_t i;

	json_array_foreach(facts, i, f)
		if (streq(json_string_value(json_object_get(f, "check")), "delegation") &&
		    streq(json_string_value(json_object_get(f, "state")), "good"))
			return true;
	return false;
}

static void add_line(struct lines_job *j, const struct delegation *d)
{
	if (d->target)
		buf_addf(j->lines, "_acme-challenge.%s. 3600 IN CNAME %s.\n", d->name, d->target);
	else if (!str_empty(j->hostname))
		buf_addf(j->lines, "_acme-challenge.%s. 3600 IN NS %s.\n", d->name, j->hostname);
	else
		j->nameless = true;
}

static int lines_tx(struct sql *q, void *arg, struct err *err)
{
	struct lines_job *j = arg;
	struct page page = { .limit = LIMIT_API_PAGE };
	_cleanup_free_ char *last = NULL;

	for (bool more = true; more;) {
		_cleanup_delegation_list_ struct delegation_list l = { 0 };

		if (store_delegation_list(q, NULL, &page, &l, err) < 0)
			return -(int)err->code;
		for (size_t i = 0; i < l.n; i++)
			if (!j->missing || !found(&l.v[i]))
				add_line(j, &l.v[i]);
		more = l.more && l.n;
		if (!more)
			break;
		replace_str(&last, l.v[l.n - 1].id);
		page = (struct page){ .limit = LIMIT_API_PAGE, .started = true, .after_key = l.v[l.n - 1].created_ms, .after_id = last };
	}
	return 0;
}

int service_delegation_lines(struct service *s, bool missing, char **ret, struct err *err)
{
	_cleanup_buf_ struct buf lines = BUF_MAX(16 * 1024 * 1024);
	struct lines_job j = { .missing = missing, .lines = &lines, .hostname = s->config.dns_hostname };

	if (store_read(s->store, lines_tx, &j, err) < 0)
		return -(int)err->code;
	if (j.nameless) {
		err_set(err, ERR_CONFLICT, "this server has no name as a name server");
		return err_hint(err, "Set dns.hostname, and restart.");
	}
	if (buf_check(&lines, err) < 0)
		return err_wrap(err, "could not write the lines");
	*ret = buf_take(&lines);
	return 0;
}
