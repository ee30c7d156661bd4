/* SPDX-License-Identifier: Apache-2.0 */
/* report_settings.c - which settings weaken something: of the configuration as app judges it, of people, tokens and integrations as the store has them. */
#include "service/report_private.h"
#include "store/channel.h"
#include "store/provider.h"
#include "store/safekeeping.h"
#include "store/user.h"

#define TOKEN_LONG_MS (366 * DAY_MS)

/* "setting\nvalue\nwhy\nwhat to do", made by app/weak.c. */
static void of_configuration(struct report *r, const struct strlist *weak)
{
	for (size_t i = 0; weak && i < weak->n; i++) {
		_cleanup_strlist_ struct strlist parts = { 0 };

		strlist_split(&parts, weak->v[i], '\n');
		if (parts.n == 4)
			REPORT_ROW(r, parts.v[0], parts.v[1], parts.v[2], parts.v[3]);
	}
}

static void of_user(struct report *r, const struct user *u)
{
	_cleanup_free_ char *who = xasprintf("user %s", u->name), *rights = rights_text(u->rights);

	if (!u->disabled && u->role == ROLE_ADMIN && (u->rights & RIGHTS_ALL) == RIGHTS_ALL)
		REPORT_ROW(r, who, rights, "administers, takes keys away, revokes, and reads the audit of it: nobody stands beside it", "Give the rights to different people.");
}

static int of_token(struct report *r, UNUSED struct sql *q, const struct token *t, UNUSED struct err *err)
{
	_cleanup_free_ char *which = xasprintf("token %s", t->name), *rights = rights_text(t->rights);
	char ends[CLOCK_TEXT];

	if (t->revoked_ms || t->expires_ms <= r->now_ms)
		return 0;
	if (t->expires_ms - t->created_ms > TOKEN_LONG_MS)
		REPORT_ROW(r, which, report_time(t->expires_ms, ends), "is good for more than a year", "Make a new one that ends earlier, and revoke this one.");
	if (!t->sources.n && (t->role == ROLE_ADMIN || t->rights & (BIT(PERM_KEY_EXPORT) | BIT(PERM_REVOKE))))
		REPORT_ROW(r, which, t->rights ? rights : role_text(t->role), "may do much, and from anywhere", "Make one that says from which networks it may be used.");
	return 0;
}

static int of_integrations(struct report *r, struct sql *q, struct err *err)
{
	_cleanup_provider_list_ struct provider_list providers = { 0 };
	_cleanup_channel_list_ struct channel_list channels = { 0 };

	if (store_provider_all(q, &providers, err) < 0 || store_channel_all(q, &channels, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < providers.n; i++) {
		_cleanup_json_ json_t *fields = json_text_or_null(providers.v[i].fields);
		const char *url = json_string_value(json_object_get(fields, "url"));
		_cleanup_free_ char *which = xasprintf("provider %s", providers.v[i].name);

		if (url && str_starts(url, "http://"))
			REPORT_ROW(r, which, url, "its credential crosses the network in clear", "Use https:// there.");
	}
	for (size_t i = 0; i < channels.n; i++) {
		_cleanup_json_ json_t *s = json_text_or_null(channels.v[i].settings);
		const char *security = json_string_value(json_object_get(s, "security"));
		_cleanup_free_ char *which = xasprintf("channel %s", channels.v[i].name);

		if (security && streq(security, "none"))
			REPORT_ROW(r, which, "security none", "mail crosses the network in clear", "Use starttls or tls.");
	}
	return 0;
}

static int of_safekeeping(struct report *r, struct sql *q, struct err *err)
{
	int64_t after = r->s->config.backup_warn_ms;
	struct safekeeping k;
	char at[CLOCK_TEXT];

	if (store_safekeeping(q, &k, err) < 0)
		return -(int)err->code;
	if (!k.escrow_ms)
		REPORT_ROW(r, "master key", "no copy", "if the host is lost, no backup can be opened", "certwright key show-escrow, into a safe.");
	if (after && (!k.backup_ms || r->now_ms > k.backup_ms + after))
		REPORT_ROW(r, "backup", k.backup_ms ? report_time(k.backup_ms, at) : "never", "what was made since would be lost with the disk", "certwright backup, and its daily timer.");
	return 0;
}

int report_settings(struct report *r, struct sql *q, struct err *err)
{
	of_configuration(r, r->s->config.weak);
	if (report_each_user(r, q, of_user, err) < 0 || report_each_token(r, q, of_token, err) < 0 || of_integrations(r, q, err) < 0)
		return -(int)err->code;
	return of_safekeeping(r, q, err);
}
