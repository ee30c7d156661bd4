/* SPDX-License-Identifier: Apache-2.0 */
/* checks_out.c - the looks outward: authorities and their clock, views, providers, mail. See checks.h. */
#include "engine/checks.h"

#include "engine/notify_private.h"
#include "engine/outlook.h"
#include "resolve/ask.h"

#define CLOCK_WARN_MS (30 * SECOND_MS)
#define CLOCK_BAD_MS (5 * MINUTE_MS) /* signatures and nonces begin to be refused, and renewal instants are wrong */

/* ---- authorities ---- */

static int directories(struct sql *q, void *arg, struct err *err)
{
	return store_account_directories(q, arg, err);
}

int check_directory_items(struct engine *e, struct strlist *ret, struct err *err)
{
	return engine_read(e, directories, ret, err);
}

char *check_any_directory(struct engine *e)
{
	_cleanup_strlist_ struct strlist l = { 0 };
	_cleanup_err_ struct err no = ERR_INIT;

	return engine_read(e, directories, &l, &no) == 0 && l.n ? xstrdup(l.v[0]) : NULL;
}

struct reach {
	const char *url;
	char *connection;
};

static int connection_of(struct sql *q, void *arg, struct err *err)
{
	struct reach *r = arg;

	replace_str(&r->connection, NULL);
	return store_account_connection(q, r->url, &r->connection, err);
}

/* One GET of the directory, the way its accounts go. */
static int directory_get(struct check *c, const char *url, struct http_response *ret, struct err *err)
{
	struct http_request q = { .method = HTTP_GET, .url = url };
	struct reach r = { .url = url };
	struct way way = { 0 };
	struct http *http;
	int rc = engine_read(c->e, connection_of, &r, err);

	if (rc == 0) {
		http = way_open(&way, c->http, r.connection, url, err);
		rc = http ? http_do(http, &q, ret, err) : -(int)err->code;
	}
	way_done(&way);
	free(r.connection);
	return rc;
}

static bool is_directory(const struct http_response *rsp)
{
	_cleanup_err_ struct err no = ERR_INIT;
	json_t *doc = NULL;
	bool is = json_parse(buf_text(&rsp->body), rsp->body.n, &doc, &no) == 0 && json_is_string(json_object_get(doc, "newOrder"));

	json_decref(doc);
	return is;
}

void check_directory(struct check *c)
{
	_cleanup_free_ char *lane = lane_vendor(c->item);
	_cleanup_http_ struct http_response rsp = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	int64_t parked = parked_until(c->e, lane), begun = clock_boot(&clock_system);
	char until[CLOCK_TEXT];

	if (directory_get(c, c->item, &rsp, &why) < 0) {
		check_err(c, CHECK_ERROR, c->item, "Orders and renewals there wait until it is reached: look at the leg that is named, and at net.proxy.", &why);
		return;
	}
	if (rsp.status != 200 || !is_directory(&rsp)) {
		check_say(c, CHECK_ERROR, c->item, "Is this still its address? See Vendors, and the authority's own status page.",
			  "answers %d, and not with an ACME directory", rsp.status);
		return;
	}
	if (parked > engine_now(c->e)) {
		check_say(c, CHECK_WARNING, c->item, "It is asked again then; Jobs and the order's story say why it refused.",
			  "answers, but has refused: nothing is asked of it before %s", clock_format(parked, until));
		return;
	}
	check_say(c, CHECK_OK, c->item, NULL, "answers after %" PRId64 " ms", clock_boot(&clock_system) - begun);
}

void check_clock(struct check *c)
{
	_cleanup_free_ char *url = check_any_directory(c->e);
	_cleanup_http_ struct http_response rsp = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	int64_t before, after, there, off;
	const char *date;

	if (!url) {
		check_say(c, CHECK_UNKNOWN, "", "Register an account: its authority's clock is what we compare with.", "there is no authority to compare the clock with");
		return;
	}
	before = engine_now(c->e);
	if (directory_get(c, url, &rsp, &why) < 0) {
		check_err(c, CHECK_UNKNOWN, "", NULL, &why);
		return;
	}
	after = engine_now(c->e);
	date = http_header_get(&rsp, "date");
	if (!date || clock_parse_http(date, after, &there, &why) < 0) {
		check_say(c, CHECK_UNKNOWN, "", NULL, "%s does not say what time it is", url);
		return;
	}
	/* a Date has whole seconds: it stands for the one that begins there */
	off = before > there + SECOND_MS ? before - (there + SECOND_MS) : after < there ? after - there : 0;
	if (off > -CLOCK_WARN_MS && off < CLOCK_WARN_MS) {
		check_say(c, CHECK_OK, "", NULL, "the clock agrees with that of %s", url);
		return;
	}
	check_say(c, off < -CLOCK_BAD_MS || off > CLOCK_BAD_MS ? CHECK_ERROR : CHECK_WARNING, "",
		  "Let this host keep its time by NTP (systemd-timesyncd, chrony): validity, renewal and signatures go by it.",
		  "the clock is %" PRId64 " seconds %s that of %s", (off < 0 ? -off : off) / SECOND_MS, off < 0 ? "behind" : "ahead of", url);
}

/* ---- views ---- */

static int all_views(struct sql *q, void *arg, struct err *err)
{
	struct page page = { .limit = LIMIT_API_PAGE };
	struct dns_view_list *l = arg;

	return store_view_list(q, NULL, &page, l, err);
}

int check_view_items(struct engine *e, struct strlist *ret, struct err *err)
{
	_cleanup_dns_view_list_ struct dns_view_list l = { 0 };

	if (engine_read(e, all_views, &l, err) < 0)
		return -(int)err->code;
	strlist_add(ret, "");
	for (size_t i = 0; i < l.n; i++)
		strlist_add(ret, l.v[i].id);
	return 0;
}

/* What is asked: a name that is there, if we know one. Any answer will do. */
static char *asked_name(struct engine *e)
{
	_cleanup_free_ char *url = check_any_directory(e);
	_cleanup_err_ struct err no = ERR_INIT;
	_cleanup_url_ struct url u = { 0 };

	if (!str_empty(e->o.dns_hostname))
		return xstrdup(e->o.dns_hostname);
	if (url && url_parse(url, true, &u, &no) == 0 && !strchr(u.host, ':') && strspn(u.host, "0123456789.") < strlen(u.host))
		return xstrdup(u.host);
	return xstrdup(".");
}

static void ask_view(struct check *c, const struct resolve_view *at, const char *about, const char *name)
{
	_cleanup_resolve_answer_ struct resolve_answer a = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (resolve_ask(at, name, DNS_SOA, &a, &why) < 0)
		check_err(c, CHECK_ERROR, about, "Look at that resolver, or name another: challenges are looked at through it before an authority is told.", &why);
	else
		check_say(c, CHECK_OK, about, NULL, "answers for '%s'", name);
}

static void ask_resolvers(struct check *c, const struct resolve_view *at, const char *view)
{
	_cleanup_free_ char *name = asked_name(c->e);

	if (!resolve_view_usable(at)) {
		check_say(c, CHECK_ERROR, view, "Name resolvers in resolve.servers, or in /etc/resolv.conf.", "there is no resolver to ask");
		return;
	}
	if (at->doh) {
		ask_view(c, at, view, name);
		return;
	}
	for (size_t i = 0; i < at->n; i++) {
		struct resolve_view one = *at;
		char text[ADDR_TEXT];
		_cleanup_free_ char *about = xasprintf("%s, resolver %s", view, addr_format(&at->resolvers[i], text));

		one.resolvers[0] = at->resolvers[i];
		one.n = 1;
		ask_view(c, &one, about, name);
	}
}

struct one_row {
	const char *id;
	void *row;
};

static int read_view(struct sql *q, void *arg, struct err *err)
{
	struct one_row *o = arg;

	dns_view_done(o->row);
	return store_view_get(q, o->id, o->row, err);
}

void check_view(struct check *c)
{
	_cleanup_dns_view_ struct dns_view row = { 0 };
	_cleanup_outlook_ struct outlook o = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *about = NULL;

	if (!*c->item) {
		ask_resolvers(c, &c->e->o.view, "this server's own view");
		return;
	}
	if (engine_read(c->e, read_view, &(struct one_row){ c->item, &row }, &why) < 0) {
		check_err(c, CHECK_UNKNOWN, c->item, NULL, &why);
		return;
	}
	about = xasprintf("view '%s'", row.name);
	if (outlook_open(c->e, c->http, &row, &o, &why) < 0)
		check_err(c, CHECK_ERROR, about, NULL, &why);
	else
		ask_resolvers(c, &o.at, about);
}

/* ---- providers ---- */

static int all_providers(struct sql *q, void *arg, struct err *err)
{
	return store_provider_all(q, arg, err);
}

int check_provider_items(struct engine *e, struct strlist *ret, struct err *err)
{
	_cleanup_provider_list_ struct provider_list l = { 0 };

	if (engine_read(e, all_providers, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		strlist_add(ret, l.v[i].id);
	return 0;
}

static int read_provider(struct sql *q, void *arg, struct err *err)
{
	struct one_row *o = arg;

	provider_done(o->row);
	return store_provider_get(q, o->id, o->row, err);
}

static void provider_read(struct check *c, const struct provider *row, struct provider_use *u)
{
	_cleanup_strlist_ struct strlist zones = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_json_ json_t *far = NULL;
	int rc = u->pub->zones ? u->pub->zones(u->self, &u->env, &zones, &why) : u->pub->look ? u->pub->look(u->self, &u->env, &far, &why) : 0;

	if (rc < 0 && why.code == ERR_NEEDS_PERSON)
		check_err(c, CHECK_UNKNOWN, row->name, "Test and save writes a probe and removes it.", &why);
	else if (rc < 0)
		check_err(c, CHECK_ERROR, row->name, "Give it a good credential, or look at the way to it: External DNS, Test and save.", &why);
	else if (u->pub->zones && !zones.n)
		check_say(c, CHECK_WARNING, row->name, "Does this credential stand for the right account, and may it read its zones?", "answers, and shows no zone");
	else if (u->pub->zones)
		check_say(c, CHECK_OK, row->name, NULL, "answers, and shows %zu zone%s", zones.n, zones.n == 1 ? "" : "s");
	else if (u->pub->look)
		check_say(c, CHECK_OK, row->name, NULL, "answers");
	else
		check_say(c, CHECK_UNKNOWN, row->name, "Test and save writes a probe and removes it.", "nothing can be read at this kind of provider (%s)", row->kind);
}

void check_provider(struct check *c)
{
	struct worker w = { .e = c->e, .http = c->http };
	_cleanup_provider_ struct provider row = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_provider_use_ struct provider_use use = { 0 };

	if (engine_read(c->e, read_provider, &(struct one_row){ c->item, &row }, &why) < 0)
		check_err(c, CHECK_UNKNOWN, c->item, NULL, &why);
	else if (provider_use_open(c->e, &w, &row, &use, &why) < 0)
		check_err(c, CHECK_ERROR, row.name, "See External DNS.", &why);
	else
		provider_read(c, &row, &use);
}

/* ---- mail, and other channels ---- */

static int all_channels(struct sql *q, void *arg, struct err *err)
{
	return store_channel_all(q, arg, err);
}

int check_mail_items(struct engine *e, struct strlist *ret, struct err *err)
{
	_cleanup_channel_list_ struct channel_list l = { 0 };

	if (engine_read(e, all_channels, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].kind == CHANNEL_EMAIL && l.v[i].enabled)
			strlist_add(ret, l.v[i].id);
	return 0;
}

static int read_channel(struct sql *q, void *arg, struct err *err)
{
	struct one_row *o = arg;

	channel_done(o->row);
	return store_channel_get(q, o->id, o->row, err);
}

void check_mail(struct check *c)
{
	_cleanup_channel_ struct channel row = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	enum net_leg leg;

	if (engine_read(c->e, read_channel, &(struct one_row){ c->item, &row }, &why) < 0)
		check_err(c, CHECK_UNKNOWN, c->item, NULL, &why);
	else if (channel_probe(c->e, &row, check_left_ms(c), &leg, &why) < 0)
		check_err(c, CHECK_ERROR, row.name, "Nobody is told anything by it until this is right: see Notifications, and send a test.", &why);
	else
		check_say(c, CHECK_OK, row.name, NULL, "the mail server answers, and takes the user and password if there are some");
}

void check_told(struct check *c)
{
	_cleanup_channel_list_ struct channel_list l = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	size_t enabled = 0;

	if (engine_read(c->e, all_channels, &l, &why) < 0) {
		check_err(c, CHECK_UNKNOWN, "", NULL, &why);
		return;
	}
	for (size_t i = 0; i < l.n; i++) {
		_cleanup_json_ json_t *reason = json_text_or_null(l.v[i].reason);
		const char *detail = json_string_value(json_object_get(reason, "detail"));

		enabled += l.v[i].enabled;
		if (l.v[i].enabled && l.v[i].status == CHANNEL_FAILING)
			check_say(c, CHECK_ERROR, l.v[i].name, "What is to be told waits there: see Notifications, and send a test.", "the last message was not taken: %s",
				  detail ? detail : "no reason is known");
		else if (l.v[i].enabled)
			check_say(c, CHECK_OK, l.v[i].name, NULL, l.v[i].status == CHANNEL_OK ? "the last message was taken" : "nothing was told by it yet");
	}
	if (!enabled)
		check_say(c, CHECK_WARNING, "", "Set up a channel under Notifications: authorities send no mail about expiry any more.", "nobody is told when something fails");
}
