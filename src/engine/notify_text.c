/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_text.c - the words of a message. The subject says what and how urgent; the body what happened, since when, which
 * certificates, what expires first, what to do, where to look. Times are in the server's zone and in UTC.
 */
#include "engine/notify_private.h"
#include "engine/renewal_when.h"
#include "store/channel.h"
#include "store/inventory.h"
#include "store/notice.h"

#include <time.h>

#define LIST_MOST 50      /* certificates named in one mail */
#define DATA_MOST 200     /* and in one POST */
#define URGENT_MS (7 * DAY_MS)

void told_done(struct told *t)
{
	free(t->subject);
	free(t->body);
	free(t->type);
	json_decref(t->data);
	*t = (struct told){ 0 };
}

static const char *const titles[notice_kind_count] = {
	[NOTICE_RENEWAL_FAILED] = "Renewal failed",
	[NOTICE_RENEWAL_PAUSED] = "Renewal given up",
	[NOTICE_RENEWAL_DELAYED] = "Renewal takes long",
	[NOTICE_NOT_TRIED] = "Renewal due and not tried",
	[NOTICE_WAITING_FOR_YOU] = "Waiting for you",
	[NOTICE_CSR_NEEDED] = "A new CSR is needed",
	[NOTICE_INSTALL] = "Issued, waiting to be installed",
	[NOTICE_ACCOUNT] = "Account needs attention",
	[NOTICE_PAYMENT] = "Payment not allowed",
	[NOTICE_RECALL] = "Recall: replace now",
	[NOTICE_EXPIRING] = "Expiring",
	[NOTICE_STOPPED] = "Renewals are stopped",
	[NOTICE_WINDOW] = "Renewed outside its window",
	[NOTICE_CREDENTIAL] = "Credential refused",
	[NOTICE_DELEGATION] = "Delegation lost",
	[NOTICE_VENDOR] = "Authority refuses requests",
	[NOTICE_DEBT] = "Records could not be withdrawn",
	[NOTICE_BACKUP] = "Last backup is too old",
	[NOTICE_KEY_LOST] = "Keys were lost",
};

/* ---- pieces ---- */

static void add_time(struct buf *b, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm here, utc;
	char text[64];

	localtime_r(&s, &here);
	gmtime_r(&s, &utc);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &here);
	buf_add_str(b, text);
	if (here.tm_gmtoff == 0)
		return;
	strftime(text, sizeof text, here.tm_mday == utc.tm_mday ? " (%H:%M UTC)" : " (%Y-%m-%d %H:%M UTC)", &utc);
	buf_add_str(b, text);
}

/* "in 5 days", "in 7 hours", "3 days ago". */
static void add_span(struct buf *b, int64_t ms)
{
	int64_t n = ms < 0 ? -ms : ms;
	int64_t days = n / DAY_MS, hours = n / HOUR_MS, shown = days ? days : hours;
	const char *unit = days ? "day" : "hour";

	if (shown)
		buf_addf(b, ms < 0 ? "%lld %s%s ago" : "in %lld %s%s", (long long)shown, unit, shown == 1 ? "" : "s");
	else
		buf_add_str(b, ms < 0 ? "less than an hour ago" : "within the hour");
}

static const char *first_name(const struct certificate *c)
{
	return c->names.n ? c->names.v[0] : "(no name)";
}

static char *link_to(const struct engine *e, const char *path, const char *id)
{
	return e->o.public_url ? xasprintf("%s/%s%s%s", e->o.public_url, path, id ? "/" : "", id ? id : "") : NULL;
}

/* object: the one it is about, or NULL. */
static void add_foot(const struct engine *e, const char *id, const struct channel *ch, const char *path, const char *object, struct buf *b)
{
	_cleanup_free_ char *url = link_to(e, path, object);

	if (url)
		buf_addf(b, "\nSee %s\n", url);
	buf_addf(b, "\n-- \nCertwright on %s, channel \"%s\", message %s\n", e->node, ch->name, id);
}

/* ---- what a notice touches ---- */

struct touched {
	struct certificate_list l;
	bool mine; /* one of them is what the channel is told of */
};

static int vendor_of_account(struct sql *q, const char *account_id, char **ret, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };

	if (!account_id)
		return 0;
	if (store_account_get_any(q, account_id, &a, err) < 0)
		return -(int)err->code;
	*ret = TAKE(a.vendor);
	return 0;
}

static int is_mine(struct sql *q, const struct channel *ch, const struct certificate *c, int64_t now_ms, bool *ret, struct err *err)
{
	_cleanup_free_ char *vendor = NULL;

	if (vendor_of_account(q, c->account_id, &vendor, err) < 0)
		return -(int)err->code;
	return notify_about(q, ch, vendor, c->id, now_ms, ret, err);
}

/* A channel of some vendors is told about their accounts even before a certificate is touched. */
static int account_is_mine(struct sql *q, const struct channel *ch, const struct notice *n, bool *ret, struct err *err)
{
	const struct strlist none = { 0 };
	_cleanup_free_ char *vendor = NULL;

	if (!streq(n->subject_kind, "account"))
		return 0;
	if (vendor_of_account(q, n->subject_id, &vendor, err) < 0)
		return -(int)err->code;
	*ret = !ch->search && channel_about(ch, vendor, &none, NULL);
	return 0;
}

static int load_touched(struct sql *q, const struct channel *ch, const struct notice *n, int64_t now_ms, struct touched *ret, struct err *err)
{
	_cleanup_strlist_ struct strlist ids = { 0 };

	ret->mine = !channel_narrow(ch);
	if (store_notice_certificates(q, n->id, DATA_MOST, &ids, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ids.n; i++) {
		struct certificate c = { 0 };

		if (store_certificate_get(q, ids.v[i], &c, err) < 0) {
			if (err->code != ERR_NOT_FOUND)
				return -(int)err->code;
			err_clear(err);
			continue;
		}
		*certificate_list_add(&ret->l) = c;
		if (!ret->mine && is_mine(q, ch, &c, now_ms, &ret->mine, err) < 0)
			return -(int)err->code;
	}
	return ret->mine ? 0 : account_is_mine(q, ch, n, &ret->mine, err);
}

static void list_certificates(const struct touched *t, int64_t all, struct buf *b)
{
	size_t shown = MIN(t->l.n, (size_t)LIST_MOST);

	if (!shown)
		return;
	buf_addf(b, "\nCertificates (%lld)\n", (long long)MAX(all, (int64_t)t->l.n));
	for (size_t i = 0; i < shown; i++) {
		const struct certificate *c = &t->l.v[i];

		buf_addf(b, "  #%-6lld %s", (long long)c->num, first_name(c));
		if (c->names.n > 1)
			buf_addf(b, " (and %zu more)", c->names.n - 1);
		buf_add_str(b, ", expires ");
		add_time(b, c->not_after_ms);
		buf_add_char(b, '\n');
	}
	if (all > (int64_t)shown)
		buf_addf(b, "  and %lld more\n", (long long)all - (long long)shown);
}

static json_t *certificates_json(const struct engine *e, const struct touched *t)
{
	json_t *items = json_array();

	for (size_t i = 0; i < t->l.n; i++) {
		const struct certificate *c = &t->l.v[i];
		_cleanup_free_ char *url = link_to(e, "certificates", c->id);

		json_array_append_new(items, json_pack("{s:s, s:I, s:o, s:o, s:o}", "id", c->id, "num", (json_int_t)c->num, "names",
						       json_strlist(&c->names), "not_after", json_time_or_null(c->not_after_ms), "url",
						       json_str_or_null(url)));
	}
	return items;
}

/* ---- a notice ---- */

static bool is_urgent(const struct notice *n, int64_t now)
{
	return n->kind == NOTICE_RECALL || n->kind == NOTICE_NOT_TRIED || (n->first_expiry_ms && n->first_expiry_ms - now < URGENT_MS);
}

static void add_open(struct buf *b, const struct notice *n, int64_t now)
{
	buf_addf(b, "\n%s%s: %lld certificate%s\n  %s\n  since ", is_urgent(n, now) ? "[urgent] " : "", titles[n->kind], (long long)n->touched,
		 n->touched == 1 ? "" : "s", n->cause);
	add_time(b, n->raised_ms);
	if (n->first_expiry_ms) {
		buf_add_str(b, n->first_expiry_ms < now ? n->touched > 1 ? ", the first expired " : ", expired " : n->touched > 1 ? ", the first expires " : ", expires ");
		add_span(b, n->first_expiry_ms - now);
	}
	if (n->next_step)
		buf_addf(b, "\n  To do: %s", n->next_step);
	buf_add_char(b, '\n');
}

static json_t *open_json(const struct notice *n)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:o}", "notice_id", n->id, "kind", notice_kind_text(n->kind), "cause", n->cause, "touched",
			 (json_int_t)n->touched, "first_expiry", json_time_or_null(n->first_expiry_ms));
}

/* What else is open: who is told of one thing is told of all, and needs no reminder of the rest for a while. */
static int also_open(struct sql *q, const struct engine *e, const struct channel *ch, const struct notice *n, struct buf *b, json_t *items, struct err *err)
{
	_cleanup_strlist_ struct strlist ids = { 0 };

	if (store_outbox_open_notices(q, ch->id, engine_now(e), LIST_MOST, &ids, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ids.n; i++) {
		_cleanup_notice_ struct notice other = { 0 };

		if (streq(ids.v[i], n->id))
			continue;
		if (store_notice_get(q, ids.v[i], &other, err) < 0)
			return -(int)err->code;
		if (!json_array_size(items))
			buf_add_str(b, "\nStill open besides\n");
		add_open(b, &other, engine_now(e));
		json_array_append_new(items, open_json(&other));
	}
	return 0;
}

static char *notice_subject(const struct notice *n, const struct touched *t, bool over, bool urgent, int64_t now)
{
	_cleanup_buf_ struct buf b = BUF_MAX(1024);

	buf_addf(&b, "%s%s", over ? "Over: " : urgent ? "[urgent] " : "", titles[n->kind]);
	if (t->l.n)
		buf_addf(&b, ": %s", first_name(&t->l.v[0]));
	if (n->touched > 1)
		buf_addf(&b, " and %lld more", (long long)n->touched - 1);
	if (!over && n->first_expiry_ms) {
		buf_add_str(&b, n->touched > 1 ? ", the first expires " : n->first_expiry_ms < now ? ", expired " : ", expires ");
		add_span(&b, n->first_expiry_ms - now);
	}
	return buf_take(&b);
}

static void notice_body(const struct engine *e, const struct notice *n, const struct touched *t, bool over, struct buf *b)
{
	int64_t now = engine_now(e);

	buf_addf(b, "%s\n  %s\n\nSince\n  ", over ? "What is over" : "What happened", n->cause);
	add_time(b, n->raised_ms);
	if (over) {
		buf_add_str(b, "\n\nUntil\n  ");
		add_time(b, n->ended_ms);
	} else if (n->first_expiry_ms) {
		buf_add_str(b, "\n\nFirst expiry\n  ");
		add_time(b, n->first_expiry_ms);
		buf_add_str(b, ", ");
		add_span(b, n->first_expiry_ms - now);
	}
	if (!over && n->next_step)
		buf_addf(b, "\n\nWhat to do\n  %s", n->next_step);
	buf_add_char(b, '\n');
	list_certificates(t, n->touched, b);
}

static json_t *notice_data(const struct engine *e, const struct notice *n, const struct touched *t, bool urgent, json_t *also)
{
	_cleanup_free_ char *url = link_to(e, "notifications", NULL);

	return json_pack("{s:s, s:I, s:s, s:{s:s, s:s}, s:s, s:o, s:b, s:I, s:o, s:o, s:o, s:o, s:o, s:O}", "notice_id", n->id, "num",
			 (json_int_t)n->num, "kind", notice_kind_text(n->kind), "about", "kind", n->subject_kind, "id", n->subject_id, "cause",
			 n->cause, "next_step", json_str_or_null(n->next_step), "urgent", urgent, "touched", (json_int_t)n->touched,
			 "first_expiry", json_time_or_null(n->first_expiry_ms), "raised_at", json_time_or_null(n->raised_ms), "ended_at",
			 json_time_or_null(n->ended_ms), "certificates", certificates_json(e, t), "url", json_str_or_null(url), "also_open", also);
}

static int tell_notice(struct sql *q, const struct engine *e, const struct channel *ch, const struct outbox *o, struct told *ret,
		       struct err *err)
{
	_cleanup_notice_ struct notice n = { 0 };
	_cleanup_json_ json_t *also = json_array();
	struct touched t = { 0 };
	bool over = o->phase == PHASE_ENDED;
	_cleanup_buf_ struct buf body = BUF_MAX(256 * 1024);
	int rc = store_notice_get(q, o->notice_id, &n, err);

	if (rc < 0 && err->code == ERR_NOT_FOUND) {
		err_clear(err);
		ret->skip = true;
		return 0;
	}
	if (rc == 0)
		rc = load_touched(q, ch, &n, engine_now(e), &t, err);
	if (rc == 0) {
		ret->skip = (!over && n.ended_ms) || (!over && !t.mine);
		ret->urgent = !over && is_urgent(&n, engine_now(e));
		ret->subject = notice_subject(&n, &t, over, ret->urgent, engine_now(e));
		notice_body(e, &n, &t, over, &body);
		rc = over ? 0 : also_open(q, e, ch, &n, &body, also, err);
		if (t.l.n == 1)
			add_foot(e, o->id, ch, "certificates", t.l.v[0].id, &body);
		else
			add_foot(e, o->id, ch, "notifications", NULL, &body);
		ret->body = buf_take(&body);
		ret->data = notice_data(e, &n, &t, ret->urgent, also);
		ret->type = xasprintf("notice.%s", over ? "ended" : "raised");
	}
	certificate_list_done(&t.l);
	return rc;
}

/* ---- an event, the digest, a test ---- */

static int tell_event(const struct engine *e, const struct channel *ch, const struct outbox *o, struct told *ret)
{
	_cleanup_json_ json_t *d = json_text_or_null(o->detail);
	_cleanup_buf_ struct buf body = BUF_MAX(64 * 1024);
	json_t *names = json_object_get(d, "names"), *name;
	const char *first = json_string_value(json_array_get(names, 0)), *until = json_string_value(json_object_get(d, "not_after"));
	const char *title = streq(o->event, EVENT_RENEWED) ? "Renewed" : "Issued";
	int64_t not_after = 0;
	struct err no = ERR_INIT;
	size_t i;

	if (until && clock_parse(until, &not_after, &no) < 0)
		err_clear(&no);
	ret->subject = xasprintf("%s: %s%s", title, first ? first : "certificate", json_array_size(names) > 1 ? " and more names" : "");
	buf_addf(&body, "%s\n  certificate #%lld\n\nExpires\n  ", title, (long long)json_integer_value(json_object_get(d, "certificate_num")));
	add_time(&body, not_after);
	buf_addf(&body, "\n\nFingerprint (SHA-256)\n  %s\n", json_string_value(json_object_get(d, "fingerprint")));
	if (json_is_string(json_object_get(d, "old_fingerprint")))
		buf_addf(&body, "\nReplaces\n  %s\n", json_string_value(json_object_get(d, "old_fingerprint")));
	buf_addf(&body, "\nNames (%zu)\n", json_array_size(names));
	json_array_foreach(names, i, name)
		buf_addf(&body, "  %s\n", json_string_value(name));
	add_foot(e, o->id, ch, "certificates", json_string_value(json_object_get(d, "certificate_id")), &body);
	ret->body = buf_take(&body);
	ret->type = xasprintf("certificate.%s", o->event);
	ret->data = json_is_object(d) ? json_incref(d) : json_object();
	return 0;
}

/*
 * What waits for somebody to do something with one certificate, and what is only watched, is said again weekly and daily near its end; all
 * else daily. told_ms: when the last message was that named all that was open.
 */
static bool again(const struct notice *n, int64_t told_ms, int64_t now_ms)
{
	bool weekly = n->kind == NOTICE_EXPIRING || (n->remind_ms && streq(n->subject_kind, "certificate"));

	told_ms = MAX(told_ms, n->raised_ms);
	if (weekly && n->first_expiry_ms)
		return renewal_again(n->raised_ms, n->first_expiry_ms, told_ms, now_ms);
	return now_ms - told_ms > DAY_MS - HOUR_MS / 2;
}

/* All that is open, when one of it is to be said again. */
static int tell_digest(struct sql *q, const struct engine *e, const struct channel *ch, const struct outbox *o, struct told *ret,
		       struct err *err)
{
	_cleanup_strlist_ struct strlist ids = { 0 };
	_cleanup_buf_ struct buf body = BUF_MAX(256 * 1024), subject = BUF_MAX(256);
	_cleanup_json_ json_t *items = json_array();
	int64_t now = engine_now(e), told = 0, first = 0;

	if (store_outbox_open_notices(q, ch->id, now, LIST_MOST, &ids, err) < 0 || store_outbox_last_told(q, ch->id, o->created_ms, &told, err) < 0)
		return -(int)err->code;
	ret->skip = true;
	buf_add_str(&body, "Still open\n");
	for (size_t i = 0; i < ids.n; i++) {
		_cleanup_notice_ struct notice n = { 0 };

		if (store_notice_get(q, ids.v[i], &n, err) < 0)
			return -(int)err->code;
		ret->skip &= !again(&n, told, o->created_ms);
		ret->urgent |= is_urgent(&n, now);
		first = n.first_expiry_ms > now && (!first || n.first_expiry_ms < first) ? n.first_expiry_ms : first;
		add_open(&body, &n, now);
		json_array_append_new(items, open_json(&n));
	}
	add_foot(e, o->id, ch, "notifications", NULL, &body);
	buf_addf(&subject, "%sStill open: %zu notice%s", ret->urgent ? "[urgent] " : "", ids.n, ids.n == 1 ? "" : "s");
	if (first) {
		buf_add_str(&subject, ids.n == 1 ? ", expires " : ", the next expires ");
		add_span(&subject, first - now);
	}
	ret->subject = buf_take(&subject);
	ret->body = buf_take(&body);
	ret->type = xstrdup("notice.digest");
	ret->data = json_pack("{s:O}", "notices", items);
	return 0;
}

int told_make(struct sql *q, const struct engine *e, const struct channel *ch, const struct outbox *o, struct told *ret, struct err *err)
{
	switch (o->phase) {
	case PHASE_RAISED:
	case PHASE_ENDED:
		return tell_notice(q, e, ch, o, ret, err);
	case PHASE_DIGEST:
		return tell_digest(q, e, ch, o, ret, err);
	case PHASE_HAPPENED:
		break;
	}
	return tell_event(e, ch, o, ret);
}

void told_test(const struct engine *e, const struct channel *ch, struct told *ret)
{
	_cleanup_buf_ struct buf body = BUF_MAX(4096);

	buf_addf(&body, "This is a test of the channel \"%s\". Nothing is wrong, and nothing is to be done.\n\nSent\n  ", ch->name);
	add_time(&body, engine_now(e));
	buf_add_char(&body, '\n');
	add_foot(e, "test", ch, "notifications", NULL, &body);
	ret->subject = xasprintf("Test of the channel %s", ch->name);
	ret->body = buf_take(&body);
	ret->type = xstrdup("test");
	ret->data = json_pack("{s:s}", "channel", ch->name);
}
