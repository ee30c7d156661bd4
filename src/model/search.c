/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - see search.h. */
#include "model/search.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/idn.h"

const char *const search_keys = "status, expires, vendor, tag, owner, key, name, managed, source";

void search_done(struct search *s)
{
	strlist_clear(&s->words);
	free(s->name);
	free(s->vendor);
	free(s->tag);
	free(s->owner);
	free(s->key);
	free(s->source);
	*s = (struct search){ 0 };
}

static const struct {
	enum search_status value;
	const char *text;
} statuses[] = {
#define X(value, text) { value, text },
	SEARCH_STATUSES(X)
#undef X
};

static int bad(struct err *err, const char *why, const char *term)
{
	_cleanup_free_ char *clean = str_clean(term, strlen(term), 80);

	return err_set_field(err, ERR_INVALID, "/q", "%s: '%s'", why, clean);
}

static char *lower(const char *s)
{
	char *r = xstrdup(s);

	for (char *p = r; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	return r;
}

/* --- values ------------------------------------------------------------------------------------------------------------- */

static int set_text(char **to, const char *value, const char *term, struct err *err)
{
	if (!*value)
		return bad(err, "there is nothing behind the colon", term);
	if (*to)
		return bad(err, "the same key stands there twice", term);
	*to = lower(value);
	return 0;
}

static int set_owner(struct search *s, const char *value, const char *term, struct err *err)
{
	if (!*value || s->owner)
		return set_text(&s->owner, value, term, err);
	s->owner = xstrdup(value);
	return 0;
}

/* A name, or '*' and the end of one. */
static int set_name(struct search *s, const char *value, const char *term, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *rest = NULL;

	s->suffix = *value == '*';
	if (s->suffix && strlen(value) < 4)
		return bad(err, "at least three characters have to follow the asterisk", term);
	if (strchr(value + s->suffix, '*'))
		return bad(err, "an asterisk may only stand in front of the name", term);
	if (!s->suffix && name_canonical(value, &rest, &why) == 0)
		return set_text(&s->name, rest, term, err);
	if (s->suffix && value[1] == '.' && name_canonical(value + 2, &rest, &why) == 0) {
		_cleanup_free_ char *dotted = xasprintf(".%s", rest);

		return set_text(&s->name, dotted, term, err);
	}
	return set_text(&s->name, value + s->suffix, term, err);
}

static int set_managed(struct search *s, const char *value, const char *term, struct err *err)
{
	if (s->managed >= 0)
		return bad(err, "the same key stands there twice", term);
	if (!streq(value, "yes") && !streq(value, "no"))
		return bad(err, "managed is yes or no", term);
	s->managed = streq(value, "yes");
	return 0;
}

static int set_status(struct search *s, const char *value, const char *term, struct err *err)
{
	if (s->status)
		return bad(err, "the same key stands there twice", term);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (streq(value, statuses[i].text))
			s->status = statuses[i].value;
	return s->status ? 0 : bad(err, "status is active, expiring, expired, revoked, set-aside or waiting", term);
}

static int when_of(const char *value, int64_t now_ms, int64_t *ret, const char *term, struct err *err)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 'h', HOUR_MS }, { 'd', DAY_MS }, { 'w', 7 * DAY_MS } };
	_cleanup_free_ char *full = xasprintf("%sT00:00:00Z", value);
	_cleanup_err_ struct err why = ERR_INIT;
	size_t digits = strspn(value, "0123456789");
	int64_t n = 0;

	for (size_t i = 0; i < digits && n < 100000; i++)
		n = 10 * n + (value[i] - '0');
	for (size_t i = 0; digits && i < ARRAY_SIZE(units); i++)
		if (value[digits] == units[i].unit && !value[digits + 1] && n < 100000) {
			*ret = clock_add(now_ms, n * units[i].ms);
			return 0;
		}
	if (strlen(value) == 10 && clock_parse(full, ret, &why) == 0)
		return 0;
	return bad(err, "a time is a number with h, d or w (14d: within 14 days), or a day such as 2027-01-31", term);
}

static int set_expires(struct search *s, const char *rest, int64_t now_ms, const char *term, struct err *err)
{
	int64_t *to = *rest == '<' ? &s->before_ms : &s->after_ms;

	if (*rest != '<' && *rest != '>')
		return bad(err, "expires is followed by < or >", term);
	if (*to)
		return bad(err, "the same bound stands there twice", term);
	return when_of(rest + 1, now_ms, to, term, err);
}

static int add_word(struct search *s, const char *word, const char *term, struct err *err)
{
	_cleanup_free_ char *text = lower(word);

	if (strlen(text) < 3 || strchr(text, '\n'))
		return bad(err, "a word that is looked for in names has at least three characters", term);
	if (s->words.n == SEARCH_WORDS)
		return err_set_field(err, ERR_INVALID, "/q", "at most %d words are looked for at once", SEARCH_WORDS);
	strlist_add(&s->words, text);
	return 0;
}

/* --- terms -------------------------------------------------------------------------------------------------------------- */

static int add_term(struct search *s, const char *term, bool plain, int64_t now_ms, struct err *err)
{
	struct {
		const char *key;
		char **to;
	} texts[] = { { "vendor:", &s->vendor }, { "tag:", &s->tag }, { "key:", &s->key }, { "source:", &s->source } };
	const char *colon = strchr(term, ':');

	if (plain)
		return add_word(s, term, term, err);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (str_starts(term, texts[i].key))
			return set_text(texts[i].to, colon + 1, term, err);
	if (str_starts(term, "owner:"))
		return set_owner(s, colon + 1, term, err);
	if (str_starts(term, "name:"))
		return s->name ? bad(err, "the same key stands there twice", term) : set_name(s, colon + 1, term, err);
	if (str_starts(term, "managed:"))
		return set_managed(s, colon + 1, term, err);
	if (str_starts(term, "status:"))
		return set_status(s, colon + 1, term, err);
	if (str_starts(term, "expires") && term[7])
		return set_expires(s, term + 7, now_ms, term, err);
	if (colon) {
		bad(err, "there is no such key", term);
		return err_hint(err, "Keys are %s; put a text with a colon into quotes.", search_keys);
	}
	return add_word(s, term, term, err);
}

/* The next term without its quotes; *plain: it began with a quote, so it is no key. 0 at the end. */
static int next_term(const char **p, struct buf *term, bool *plain, struct err *err)
{
	bool quoted = false;

	buf_reset(term);
	*p += strspn(*p, " \t\r\n");
	*plain = **p == '"';
	if (!**p)
		return 0;
	for (; **p && (quoted || !strchr(" \t\r\n", **p)); (*p)++) {
		if (**p == '"')
			quoted = !quoted;
		else
			buf_add_char(term, **p);
	}
	if (quoted)
		return err_set_field(err, ERR_INVALID, "/q", "a quote has no end");
	return buf_check(term, err) < 0 ? -(int)err->code : 1;
}

int search_parse(const char *text, int64_t now_ms, struct search *ret, struct err *err)
{
	_cleanup_search_ struct search s = { .managed = -1 };
	_cleanup_buf_ struct buf term = BUF_MAX(1024);
	bool plain;
	int r;

	while ((r = next_term(&text, &term, &plain, err)) > 0)
		if (add_term(&s, buf_text(&term), plain, now_ms, err) < 0)
			return -(int)err->code;
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

bool search_empty(const struct search *s)
{
	return !s->words.n && !s->name && !s->vendor && !s->tag && !s->owner && !s->key && !s->source && s->managed < 0 && !s->status &&
	       !s->after_ms && !s->before_ms;
}

bool search_by_expiry(const struct search *s)
{
	return s->after_ms || s->before_ms || s->status == SEARCH_EXPIRED || s->status == SEARCH_EXPIRING;
}

/* --- judging one -------------------------------------------------------------------------------------------------------- */

static bool name_fits(const struct search *s, const char *names)
{
	size_t want = strlen(s->name);

	while (*names) {
		size_t n = strcspn(names, "\n");

		if (s->suffix ? n >= want && !memcmp(names + n - want, s->name, want) : n == want && !memcmp(names, s->name, n))
			return true;
		names += n + (names[n] == '\n');
	}
	return false;
}

/* As service_certificate_health says it. */
static bool status_fits(enum search_status want, const struct search_subject *c, int64_t now_ms)
{
	int64_t soon = MIN(30 * DAY_MS, (c->not_after_ms - c->not_before_ms) / 3);
	bool active = streq(c->status, "active"), expired = c->not_after_ms && now_ms >= c->not_after_ms;
	bool expiring = !expired && c->not_after_ms && now_ms >= c->not_after_ms - soon;

	switch (want) {
	case SEARCH_ANY:
		return true;
	case SEARCH_ACTIVE:
		return active && !expired && !expiring;
	case SEARCH_EXPIRING:
		return active && expiring;
	case SEARCH_EXPIRED:
		return active && expired;
	case SEARCH_REVOKED:
		return streq(c->status, "revoked");
	case SEARCH_SET_ASIDE:
		return streq(c->status, "set-aside");
	case SEARCH_WAITING:
		return c->waiting;
	}
	return false;
}

static bool same(const char *want, const char *is)
{
	return !want || (is && streq(want, is));
}

bool search_matches(const struct search *s, const struct search_subject *c, int64_t now_ms)
{
	for (size_t i = 0; i < s->words.n; i++)
		if (!strstr(c->names, s->words.v[i]))
			return false;
	return same(s->vendor, c->vendor) && same(s->owner, c->owner) && same(s->key, c->key_type) && same(s->source, c->source) &&
	       (!s->tag || c->tagged) && (s->managed < 0 || s->managed == c->managed) && (!s->name || name_fits(s, c->names)) &&
	       (!s->after_ms || c->not_after_ms > s->after_ms) && (!s->before_ms || (c->not_after_ms && c->not_after_ms < s->before_ms)) &&
	       status_fits(s->status, c, now_ms);
}
