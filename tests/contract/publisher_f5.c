/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher_f5.c - the contract against a model of a BIG-IP: login tokens that are given back, an internal data group whose records are
 * changed one at a time, saving, and copying to a device group in which somebody else's changes may be pending. The HTTPS fake that F5's
 * own modules accept is tests/fake/bigip.py.
 */
#include "tests/contract/publisher_rig.h"

#define BASE "https://bigip1.example.com"
#define TM BASE "/mgmt/tm"
#define GROUP TM "/ltm/data-group/internal/~Common~certwright_acme"
#define TOKENS BASE "/mgmt/shared/authz/tokens/"
#define LOGIN BASE "/mgmt/shared/authn/login"
#define PASSWORD "f5-Secret_Passw0rd"
#define TOKEN "RBWWDQ5KPV4DBGPPGBVA2YRR6M"

/* How this run is configured. */
static bool saves, copies, others_pending;

struct state {
	bool group;            /* the data group exists */
	bool login;            /* a token is out */
	bool login_was_whole;  /* of a visit that meets no fault */
	bool unsaved, uncopied;
};

/* Of this stand, made at its first request. */
static struct state *state_of(struct side *s)
{
	static struct state state;

	if (!s->state) {
		state = (struct state){ .group = s->rdata.n > 0 };
		s->state = &state;
	}
	return s->state;
}

static void message(struct http_response *res, int status, const char *text)
{
	side_json(res, status, json_pack("{s:i,s:s+,s:[],s:i}", "code", status, "message", text, "", "errorStack", "apiError", 3));
}

static void login(struct side *s, const struct http_request *q, struct http_response *res)
{
	static const char wanted[] = "{\"username\":\"certwright\",\"password\":\"" PASSWORD "\",\"loginProviderName\":\"tmos\"}";
	struct state *st = state_of(s);
	struct err err = { 0 };
	_cleanup_json_ json_t *doc = NULL, *right = json_loads(wanted, 0, NULL);

	ASSERT_OK(json_parse(q->body.p, q->body.n, &doc, &err), &err);
	if (q->method != HTTP_POST || !json_equal(doc, right))
		return message(res, 401, "Authentication failed.");
	if (st->login && st->login_was_whole)
		side_wrong(s, "the token of the visit before was not given back");
	st->login = true;
	st->login_was_whole = !s->fail_at && !s->slow_ms;
	side_json(res, 200, json_pack("{s:s,s:{s:s,s:i}}", "username", "certwright", "token", "token", TOKEN, "timeout", 1200));
}

static void device(struct http_response *res)
{
	side_json(res, 200, json_pack("{s:[{s:s,s:s,s:s},{s:s,s:s,s:s,s:s}]}", "items", "selfDevice", "false", "hostname", "bigip2.example.com",
				      "failoverState", "standby", "selfDevice", "true", "hostname", "bigip1.example.com", "failoverState", "active",
				      "version", "17.1.2.1"));
}

static void show(struct side *s, struct http_response *res)
{
	json_t *records = json_array();

	for (size_t i = 0; i < s->rdata.n; i++)
		json_array_append_new(records, json_pack("{s:s,s:s}", "name", s->ids.v[i], "data", s->rdata.v[i]));
	side_json(res, 200, json_pack("{s:s,s:s,s:s,s:o}", "name", "certwright_acme", "partition", "Common", "type", "string", "records", records));
}

#define WORDS 9

/* A word of tmsh's, without its quotes. */
static char *bare(char *word)
{
	size_t n = strlen(word);

	if (n < 2 || word[0] != '"' || word[n - 1] != '"')
		return word;
	word[n - 1] = 0;
	return word + 1;
}

/* The words of text, which is cut up; those that are not there are "". */
static size_t cut(char *text, char *ret[WORDS])
{
	static char none[] = "";
	size_t n = 0;

	for (char *word; (word = strsep(&text, " "));) {
		if (n < WORDS)
			ret[n] = bare(word);
		n++;
	}
	for (size_t i = n; i < WORDS; i++)
		ret[i] = none;
	return n;
}

static void drop(struct side *s, size_t i)
{
	free(s->rdata.v[i]);
	free(s->ids.v[i]);
	s->rdata.v[i] = s->rdata.v[--s->rdata.n];
	s->ids.v[i] = s->ids.v[--s->ids.n];
}

/* "records add { KEY { data VALUE } }": one record. A write of the whole list would lose what others add meanwhile. */
static void touch(struct side *s, const struct http_request *q, struct http_response *res)
{
	_cleanup_free_ char *options = side_query(q, "options");
	struct state *st = state_of(s);
	struct err err = { 0 };
	_cleanup_json_ json_t *doc = NULL, *right = json_pack("{s:s}", "name", "certwright_acme");
	char *word[WORDS];
	size_t at = 0, n = cut(options, word);
	const char *act = word[1], *key = word[3], *data = word[6];

	ASSERT_OK(json_parse(q->body.p, q->body.n, &doc, &err), &err);
	if (!json_equal(doc, right) || !streq(word[0], "records") || n != (streq(act, "delete") ? 5 : 9))
		return side_wrong(s, "something else than one record was sent: %s %s", q->url, q->body.p);
	side_write(s);
	while (at < s->ids.n && !streq(s->ids.v[at], key))
		at++;
	if (streq(act, "add") && at < s->ids.n)
		return message(res, 409, "01020066:3: The requested record already exists in the data group");
	if (!streq(act, "add") && at == s->ids.n)
		return message(res, 404, "01020036:3: The requested record was not found.");
	if (!streq(act, "add"))
		drop(s, at);
	if (!streq(act, "delete")) {
		strlist_add(&s->ids, key);
		strlist_add(&s->rdata, data);
	}
	st->unsaved = st->uncopied = true;
	show(s, res);
}

static void data_group(struct side *s, const struct http_request *q, struct http_response *res)
{
	if (!state_of(s)->group)
		return message(res, 404, "01020036:3: The requested value list (/Common/certwright_acme) was not found.");
	if (q->method == HTTP_GET)
		return show(s, res);
	if (q->method == HTTP_PATCH)
		return touch(s, q, res);
	side_wrong(s, "the whole data group was written");
}

static void make(struct side *s, const struct http_request *q, struct http_response *res)
{
	struct state *st = state_of(s);

	if (q->method != HTTP_POST || !q->body.p || !strstr(q->body.p, "\"string\""))
		return side_wrong(s, "a data group of another form was made");
	if (st->group)
		return message(res, 409, "01020066:3: The requested value list (/Common/certwright_acme) already exists in partition Common.");
	st->group = st->unsaved = st->uncopied = true;
	show(s, res);
}

static void status(struct side *s, struct http_response *res)
{
	const char *word = others_pending || state_of(s)->uncopied ? "Changes Pending" : "In Sync";

	side_json(res, 200, json_pack("{s:{s:{s:{s:{s:{s:s}}}}}}", "entries", "https://localhost/mgmt/tm/cm/sync-status/0", "nestedStats", "entries",
				      "status", "description", word));
}

static void whole_device(struct side *s, const struct http_request *q, struct http_response *res)
{
	struct state *st = state_of(s);

	if (streq(q->url, TM "/cm/device"))
		return device(res);
	if (streq(q->url, TM "/cm/sync-status"))
		return status(s, res);
	if (q->method == HTTP_POST && streq(q->url, TM "/sys/config") && streq(q->body.p, "{\"command\":\"save\"}"))
		st->unsaved = false;
	else if (q->method == HTTP_POST && streq(q->url, TM "/cm") && strstr(q->body.p, "\"config-sync to-group failover\""))
		st->uncopied = false;
	else
		return side_wrong(s, "%s is not of this API", q->url);
	if (others_pending && streq(q->url, TM "/cm"))
		side_wrong(s, "somebody else's changes were copied to the device group");
	side_json(res, 200, json_pack("{s:s}", "kind", "tm:state"));
}

static void answer(struct side *s, const struct http_request *q, struct http_response *res)
{
	const char *token = side_path(q, TOKENS);

	if (streq(q->url, LOGIN))
		return login(s, q, res);
	if (!streq(side_header(q, "X-F5-Auth-Token"), TOKEN) || !state_of(s)->login)
		return message(res, 401, "X-F5-Auth-Token does not exist.");
	if (token && q->method == HTTP_DELETE) {
		state_of(s)->login = false;
		return side_json(res, 200, json_pack("{s:s}", "token", token));
	}
	if (streq(q->url, TM "/ltm/data-group/internal"))
		return make(s, q, res);
	if (side_path(q, GROUP))
		return data_group(s, q, res);
	whole_device(s, q, res);
}

static void refuse(struct side *s, enum side_fault f, struct http_response *res)
{
	(void)s;
	if (f == FAULT_CREDENTIAL)
		return message(res, 401, "Authentication failed.");
	if (f == FAULT_DENIED)
		return message(res, 403, "01070822:3: Access Denied: User (certwright) may not modify partition (Common)");
	message(res, 400, "maximum active login tokens: user certwright has reached maximum active login tokens");
}

static void echo(struct http_response *res, const char *words)
{
	message(res, 400, words);
}

/*
 * A token that cannot be given back ends by itself; a user with the least rights may not see which unit is active; and a token that was
 * good a moment ago was taken by a restart, which says nothing about the credential.
 */
static enum err_code means(const struct http_request *q, enum side_fault f, enum err_code usual)
{
	if (side_path(q, TOKENS) || (streq(q->url, TM "/cm/device") && f == FAULT_DENIED))
		return ERR_NONE;
	return f == FAULT_CREDENTIAL && !streq(q->url, LOGIN) ? ERR_REMOTE_BUSY : usual;
}

static const char *unsettled(const struct side *s)
{
	const struct state *st = s->state;

	if (st && saves && st->unsaved)
		return "the configuration was not saved";
	return st && copies && st->uncopied ? "the device group was not told" : NULL;
}

static int run(const char *save, const char *sync)
{
	struct secret password = { (unsigned char[]){ PASSWORD }, sizeof PASSWORD - 1 };
	struct side_vendor f5 = {
		.publisher = "f5",
		.values = { { .name = "url", .text = BASE "/" }, { .name = "peers" }, { .name = "username", .text = "certwright" },
			    { .name = "password", .secret = &password }, { .name = "partition", .text = "Common" },
			    { .name = "data_group", .text = "certwright_acme" }, { .name = "save", .text = save }, { .name = "sync", .text = sync },
			    { .name = "device_group", .text = "failover" } },
		.n = 9,
		.secrets = { PASSWORD, TOKEN },
		.http01 = true,
		.swaps = true,
		.others = { "an entry of somebody's own", "" },
		.answer = answer,
		.refuse = refuse,
		.means = means,
		.unsettled = unsettled,
		.echo = echo,
	};

	saves = streq(save, "true");
	copies = streq(sync, "always");
	return side_run(&f5);
}

int main(void)
{
	int bad = run("false", "no") + run("true", "no") + run("true", "always") + run("false", "clean");

	others_pending = true;
	return bad + run("true", "clean");
}
