/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.c - the event stream: hints of what a commit touched ("order X changed, rev n"), without replay, to whom may see it.
 * The store's commit only notes the touches and wakes one thread, which filters and writes; after a gap a client fetches again.
 */
#include "api/internal.h"

#include "base/limits.h"
#include "base/log.h"
#include "service/session.h"

#define RING 1024
#define COMMENT_MS (25 * SECOND_MS)
#define PER_SESSION 2

struct client {
	struct client *next;
	struct http_stream *stream;
	struct actor actor;
	char *who; /* session hash or token id */
	int64_t comment_ms;
	uint64_t born; /* counts up */
	bool ended;    /* another stream of its session took its place */
};

struct hub {
	struct api *api;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct touch ring[RING];
	size_t n;
	bool overrun; /* more happened than the ring holds: say "look at all" */
	bool stop, started;
	uint64_t born;
	struct client *clients;
	unsigned clients_n;
	uint64_t thread;
};

/* Kinds that are told, and what one needs to hear of them. */
static const struct {
	const char *kind;
	enum permission permission;
} kinds[] = {
	{ "order", PERM_VIEW },	      { "record", PERM_VIEW }, { "certificate", PERM_VIEW }, { "csr", PERM_VIEW }, { "account", PERM_VIEW },
	{ "delegation", PERM_VIEW }, { "job", PERM_VIEW },	 { "lane", PERM_VIEW },	 { "notice", PERM_VIEW },	 { "user", PERM_ADMIN }, { "token", PERM_ADMIN },
};

static bool kind_permission(const char *kind, enum permission *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i].kind, kind)) {
			*ret = kinds[i].permission;
			return true;
		}
	return false;
}

void hub_touch(struct hub *h, const struct touch *t, size_t n)
{
	enum permission p;
	bool any = false;

	pthread_mutex_lock(&h->lock);
	if (h->clients_n)
		for (size_t i = 0; i < n; i++) {
			/* sessions are noted for the thread's own use: theirs may be over */
			if (!kind_permission(t[i].kind, &p) && !streq(t[i].kind, "session"))
				continue;
			any = true;
			if (h->n < RING)
				h->ring[h->n++] = t[i];
			else
				h->overrun = true;
		}
	if (any)
		pthread_cond_signal(&h->cond);
	pthread_mutex_unlock(&h->lock);
}

static void client_free(struct client *c)
{
	http_stream_end(c->stream);
	http_stream_unref(c->stream);
	actor_clear(&c->actor);
	free(c->who);
	free(c);
}

static bool tell(struct client *c, const char *kind, const char *id, int64_t rev)
{
	_cleanup_json_ json_t *doc = json_pack("{s:s, s:o, s:o}", "kind", kind, "id", json_str_or_null(*id ? id : NULL), "rev",
					       rev ? json_integer(rev) : json_null());
	_cleanup_free_ char *text = json_text(doc);
	_cleanup_free_ char *message = xasprintf("event: change\ndata: %s\n\n", text);

	return http_stream_write(c->stream, message, strlen(message));
}

static bool tell_all(struct client *c, const struct touch *t, size_t n, bool overrun)
{
	enum permission p;

	if (overrun) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (may(c->actor.role, c->actor.rights, kinds[i].permission) && !tell(c, kinds[i].kind, "", 0))
				return false;
		return true;
	}
	for (size_t i = 0; i < n; i++)
		if (kind_permission(t[i].kind, &p) && may(c->actor.role, c->actor.rights, p) && !tell(c, t[i].kind, t[i].id, t[i].rev))
			return false;
	return true;
}

/* Something was touched that may have ended this one's session, token or role. */
static bool touches_actor(const struct actor *a, const struct touch *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *who = streq(t[i].kind, "user") ? a->user_id : streq(t[i].kind, "token") ? a->token_id : NULL;

		if (streq(t[i].kind, "session") ? a->kind == ACTOR_SESSION : who && (!*t[i].id || streq(t[i].id, who)))
			return true;
	}
	return false;
}

/* Everything for one client in one go; false when its stream is over. */
static bool serve(struct hub *h, struct client *c, const struct touch *t, size_t n, bool overrun, int64_t now)
{
	bool comment = now >= c->comment_ms;

	if (c->ended || http_stream_gone(c->stream))
		return false;
	if ((comment || overrun || touches_actor(&c->actor, t, n)) && !service_actor_alive(h->api->service, &c->actor))
		return false;
	if (!tell_all(c, t, n, overrun))
		return false;
	if (comment) {
		c->comment_ms = now + COMMENT_MS;
		return http_stream_write(c->stream, ": still here\n\n", 14);
	}
	return true;
}

static void serve_all(struct hub *h, const struct touch *t, size_t n, bool overrun)
{
	int64_t now = clock_boot(&clock_system);
	struct client *list, *keep = NULL;
	unsigned gone = 0;

	pthread_mutex_lock(&h->lock);
	list = h->clients;
	h->clients = NULL;
	pthread_mutex_unlock(&h->lock);
	while (list) {
		struct client *c = list;

		list = c->next;
		if (serve(h, c, t, n, overrun, now)) {
			c->next = keep;
			keep = c;
		} else {
			client_free(c);
			gone++;
		}
	}
	pthread_mutex_lock(&h->lock);
	h->clients_n -= gone;
	while (keep) {
		struct client *c = keep;

		keep = c->next;
		c->next = h->clients;
		h->clients = c;
	}
	pthread_mutex_unlock(&h->lock);
}

static void loop(void *arg)
{
	struct hub *h = arg;
	struct touch *t = xcalloc(RING, sizeof *t);

	pthread_mutex_lock(&h->lock);
	while (!h->stop) {
		size_t n;
		bool overrun;

		if (!h->n && !h->overrun) {
			struct timespec at;

			clock_gettime(CLOCK_MONOTONIC, &at);
			at.tv_sec += 1;
			if (h->clients)
				pthread_cond_timedwait(&h->cond, &h->lock, &at);
			else
				pthread_cond_wait(&h->cond, &h->lock);
		}
		n = h->n;
		overrun = h->overrun;
		memcpy(t, h->ring, n * sizeof *t);
		h->n = 0;
		h->overrun = false;
		pthread_mutex_unlock(&h->lock);
		serve_all(h, t, n, overrun);
		pthread_mutex_lock(&h->lock);
	}
	pthread_mutex_unlock(&h->lock);
	free(t);
}

/* A page that was loaded anew left a stream behind that nobody has noticed yet: of a session the newest ones count. */
static unsigned make_room(struct hub *h, const char *who, bool replace)
{
	struct client *oldest = NULL;
	unsigned same = 0;

	for (struct client *o = h->clients; o; o = o->next) {
		if (!streq(o->who, who) || o->ended || http_stream_gone(o->stream))
			continue;
		same++;
		if (!oldest || o->born < oldest->born)
			oldest = o;
	}
	if (replace && same >= PER_SESSION) {
		oldest->ended = true;
		same--;
	}
	return same;
}

int hub_open(struct hub *h, struct call *c, struct err *err)
{
	const char *who = c->actor.kind == ACTOR_SESSION ? c->actor.session_hash : c->actor.token_id;
	struct client *new;
	unsigned same;
	bool refuse, stopping;

	new = xcalloc(1, sizeof *new);
	new->stream = http_stream_new();
	new->who = xstrdup(who);
	new->comment_ms = clock_boot(&clock_system) + COMMENT_MS;
	pthread_mutex_lock(&h->lock);
	same = make_room(h, who, c->actor.kind == ACTOR_SESSION);
	new->born = ++h->born;
	stopping = h->stop;
	refuse = stopping || same >= PER_SESSION || h->clients_n >= LIMIT_EVENT_STREAMS;
	if (!refuse) {
		new->actor = TAKE(c->actor);
		http_stream_write(new->stream, "retry: 2000\n\n: hello\n\n", 22);
		c->answer.stream = http_stream_ref(new->stream);
		new->next = h->clients;
		h->clients = new;
		h->clients_n++;
		pthread_cond_signal(&h->cond);
	}
	pthread_mutex_unlock(&h->lock);
	if (refuse) {
		client_free(new);
		if (stopping)
			return err_set(err, ERR_BUSY, "the server is stopping");
		return err_set(err, ERR_TOO_MANY, same >= PER_SESSION ? "this token has two event streams already" :
									 "too many event streams are open");
	}
	c->answer.status = 200;
	http_answer_header(&c->answer, "Content-Type", "text/event-stream");
	http_answer_header(&c->answer, "Cache-Control", "no-store");
	http_answer_header(&c->answer, "X-Accel-Buffering", "no");
	return 0;
}

unsigned hub_clients(struct hub *h)
{
	unsigned n;

	pthread_mutex_lock(&h->lock);
	n = h->clients_n;
	pthread_mutex_unlock(&h->lock);
	return n;
}

struct hub *hub_new(struct api *a, struct err *err)
{
	struct hub *h = xcalloc(1, sizeof *h);
	pthread_condattr_t attr;

	h->api = a;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (thread_start(&h->thread, "api-events", loop, h, err) < 0) {
		hub_free(h);
		return NULL;
	}
	h->started = true;
	return h;
}

void hub_stop(struct hub *h)
{
	if (!h->started)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->cond);
	pthread_mutex_unlock(&h->lock);
	thread_join(h->thread);
	h->started = false;
	while (h->clients) {
		struct client *c = h->clients;

		h->clients = c->next;
		client_free(c);
	}
	h->clients_n = 0;
}

void hub_free(struct hub *h)
{
	hub_stop(h);
	pthread_cond_destroy(&h->cond);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
