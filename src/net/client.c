/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - see client.h. A client keeps a few easy handles ("slots"), one per way of connecting (policy, route, trust,
 * allowed networks), because a kept connection was judged under one rule and must not serve another.
 */
#include "net/client.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/limits.h"
#include "net/guard.h"

#include <curl/curl.h>

#define MAX_SLOTS 4
#define STALL_MS (20 * SECOND_MS) /* nothing more for so long in the middle of an answer */

struct slot {
	CURL *easy;
	char *key;
	uint64_t used;
};

struct net_client {
	struct http http;
	struct net_policy *policy;
	const struct stop *stop;
	struct slot slots[MAX_SLOTS];
	uint64_t tick;
};

/* One request under way. */
struct transfer {
	struct net_client *client;
	const struct http_request *q;
	struct http_response *r;
	const struct url *url;
	const struct url *proxy; /* or NULL */
	struct trust_check check;
	size_t header_bytes;
	curl_off_t last_now;
	int64_t last_ms;
	struct net_guard guard;
	bool proxy_denied, too_large, headers_too_large, stopping, stalled, bad_ca, quiet, bad_length, tls_started, headers_over;
	char status_class;
	char message[CURL_ERROR_SIZE];
};

void net_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

/* ---- callbacks ---- */

static curl_socket_t on_socket(void *data, curlsocktype purpose UNUSED, struct curl_sockaddr *ca)
{
	return net_guard_socket(data, ca);
}

static void drop_headers(struct http_response *r)
{
	for (size_t i = 0; i < r->headers.n; i++) {
		free(r->headers.name[i]);
		free(r->headers.value[i]);
	}
	r->headers.n = 0;
}

/* An answer that announces too much is not begun; a length that is no number is no length. */
static bool length_ok(struct transfer *t, const char *p, const char *end)
{
	size_t digits = 0, value = 0;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (; p < end && *p >= '0' && *p <= '9' && digits < 16; p++, digits++)
		value = value * 10 + (size_t)(*p - '0');
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	t->bad_length = p != end || !digits;
	t->too_large = !t->bad_length && value > t->r->body.max && t->q->method != HTTP_HEAD && !t->q->on_body;
	return !t->bad_length && !t->too_large;
}

static size_t on_header(char *p, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t n = size * count, all = n;
	const char *colon;

	t->header_bytes += n;
	if (t->header_bytes > LIMIT_CA_HEADERS) {
		t->headers_too_large = true;
		return 0;
	}
	while (n && (p[n - 1] == '\r' || p[n - 1] == '\n'))
		n--;
	if (n >= 5 && !memcmp(p, "HTTP/", 5) && !memchr(p, ':', MIN(n, 12))) { /* a new answer: what stood before was 1xx */
		const char *blank = memchr(p, ' ', n);

		t->status_class = blank && blank + 1 < p + n ? blank[1] : '?';
		t->headers_over = false;
		drop_headers(t->r);
		return all;
	}
	t->headers_over |= !n;
	colon = n ? memchr(p, ':', n) : NULL;
	if (colon && str_case_is((struct str){ p, (size_t)(colon - p) }, "content-length") && !length_ok(t, colon + 1, p + n))
		return 0;
	if (colon && colon > p && *p != ' ' && *p != '\t')
		http_header_add(t->r, p, (size_t)(colon - p), colon + 1, (size_t)(p + n - colon - 1));
	return all;
}

static size_t on_body(char *p, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t n = size * count;

	if (t->q->on_body && t->status_class == '2') {
		if (t->q->on_body(t->q->data, p, n)) {
			t->quiet = true;
			return 0;
		}
		return n;
	}
	buf_add(&t->r->body, p, n);
	if (t->r->body.failed) {
		t->too_large = true;
		return 0;
	}
	return n;
}

static int on_progress(void *data, curl_off_t dl_total UNUSED, curl_off_t dl_now, curl_off_t ul_total UNUSED, curl_off_t ul_now UNUSED)
{
	struct transfer *t = data;
	curl_off_t now = dl_now + (curl_off_t)t->header_bytes;
	int64_t ms = clock_boot(&clock_system);

	if (t->client->stop && stop_raised(t->client->stop)) {
		t->stopping = true;
		return 1;
	}
	if (now != t->last_now) {
		t->last_now = now;
		t->last_ms = ms;
	} else if (now && !t->q->on_body && ms - t->last_ms > STALL_MS) {
		t->stalled = true;
		return 1;
	}
	return 0;
}

static CURLcode on_ssl_ctx(CURL *easy UNUSED, void *ssl_ctx, void *data)
{
	struct transfer *t = data;

	t->tls_started = true;
	if (trust_install(&t->check, ssl_ctx))
		return CURLE_OK;
	t->bad_ca = true;
	return CURLE_SSL_CACERT_BADFILE;
}

/* ---- slots ---- */

static char *slot_key(const struct http_request *q, const struct url *proxy)
{
	const struct net_rule *r = q->rule;

	return xasprintf("%d|%d|%s|%s|%s", q->look_only, proxy != NULL, r && r->fingerprint ? r->fingerprint : "",
			 r && r->allow ? r->allow : "", r && r->ca_pem ? r->ca_pem : "");
}

static void slot_clear(struct slot *s)
{
	curl_easy_cleanup(s->easy);
	free(s->key);
	*s = (struct slot){ 0 };
}

static CURL *slot_get(struct net_client *c, const struct http_request *q, const struct url *proxy)
{
	_cleanup_free_ char *key = slot_key(q, proxy);
	struct slot *oldest = &c->slots[0];

	c->tick++;
	for (size_t i = 0; i < MAX_SLOTS; i++) {
		struct slot *s = &c->slots[i];

		if (s->key && streq(s->key, key)) {
			s->used = c->tick;
			curl_easy_reset(s->easy); /* keeps connections, sessions and the DNS cache */
			return s->easy;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	slot_clear(oldest);
	*oldest = (struct slot){ curl_easy_init(), TAKE(key), c->tick };
	if (!oldest->easy)
		abort();
	return oldest->easy;
}

/* ---- setting up ---- */

static bool value_ok(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' && *s != '\t')
			return false;
	return true;
}

struct header_lines { /* our own list, so that it can be wiped */
	struct buf text;
	struct curl_slist nodes[40];
	size_t n;
};

static int add_line(struct header_lines *l, size_t *offsets, const char *name, const char *value, struct err *err)
{
	if (!value_ok(value) || !value_ok(name) || strpbrk(name, ": \t"))
		return err_set(err, ERR_INVALID, "a request header has a character that headers cannot have");
	if (l->n == ARRAY_SIZE(l->nodes))
		return err_set(err, ERR_INVALID, "more than %zu request headers", ARRAY_SIZE(l->nodes));
	offsets[l->n++] = l->text.n;
	buf_addf(&l->text, *value ? "%s: %s" : "%s:", name, value);
	buf_add_char(&l->text, '\0');
	return 0;
}

/* "Name:" without value makes curl leave its own header out. */
static int build_headers(struct header_lines *l, const struct http_request *q, struct err *err)
{
	size_t offsets[ARRAY_SIZE(l->nodes)];
	bool accept = false;

	for (const struct http_header *h = q->headers; h && h->name; h++) {
		accept |= str_case_eq(h->name, "accept");
		if (add_line(l, offsets, h->name, h->value, err) < 0)
			return -(int)err->code;
	}
	if (add_line(l, offsets, "Expect", "", err) < 0 ||
	    add_line(l, offsets, "Content-Type", q->content_type ? q->content_type : "", err) < 0 ||
	    (!accept && add_line(l, offsets, "Accept", "*/*", err) < 0) || buf_check(&l->text, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l->n; i++)
		l->nodes[i] = (struct curl_slist){ l->text.p + offsets[i], i + 1 < l->n ? &l->nodes[i + 1] : NULL };
	return 0;
}

#define SET(option, value) curl_easy_setopt(easy, CURLOPT_##option, value)

static void set_method(CURL *easy, const struct http_request *q)
{
	if (q->method == HTTP_HEAD) {
		SET(NOBODY, 1L);
	} else if (q->method == HTTP_GET && !q->body.p) {
		SET(HTTPGET, 1L);
	} else if (q->method == HTTP_DELETE && !q->body.p) {
		SET(CUSTOMREQUEST, "DELETE");
	} else {
		SET(POST, 1L);
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		SET(POSTFIELDS, q->body.p ? q->body.p : "");
		if (q->method != HTTP_POST)
			SET(CUSTOMREQUEST, http_method_text(q->method));
	}
}

static void set_tls(CURL *easy, struct transfer *t)
{
	bool by_certificate = t->q->look_only || *t->check.fingerprint;

	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CAINFO, (char *)NULL);
	SET(CAPATH, (char *)NULL);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, by_certificate ? 0L : 2L);
	SET(SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(SSL_CTX_DATA, t);
	if (by_certificate) /* the callback has to see the certificate each time */
		SET(SSL_SESSIONID_CACHE, 0L);
	if (t->q->look_only) {
		SET(FRESH_CONNECT, 1L);
		SET(FORBID_REUSE, 1L);
	}
}

static void set_all(CURL *easy, struct transfer *t, struct curl_slist *headers)
{
	const struct http_request *q = t->q;
	int64_t timeout = q->timeout_ms ? q->timeout_ms : q->on_body ? 0 : LIMIT_CA_REQUEST_S * SECOND_MS;

	SET(URL, t->url->text);
	SET(PROTOCOLS_STR, t->url->https ? "https" : "http");
	SET(PATH_AS_IS, 1L);
	SET(DISALLOW_USERNAME_IN_URL, 1L);
	SET(FOLLOWLOCATION, 0L);
	SET(HTTP_VERSION, q->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	SET(HTTP_CONTENT_DECODING, 0L);
	SET(NOSIGNAL, 1L);
	SET(TCP_KEEPALIVE, 1L);
	SET(MAXAGE_CONN, 30L); /* shorter than servers keep an idle one: a request that meets a dead one is sent twice */
	SET(USERAGENT, "certwright/" CERTWRIGHT_VERSION);
	SET(HTTPHEADER, headers);
	SET(TIMEOUT_MS, (long)timeout);
	SET(CONNECTTIMEOUT_MS, (long)(q->connect_ms ? q->connect_ms : LIMIT_CONNECT_S * SECOND_MS));
	SET(OPENSOCKETFUNCTION, on_socket);
	SET(OPENSOCKETDATA, &t->guard);
	SET(HEADERFUNCTION, on_header);
	SET(HEADERDATA, t);
	SET(WRITEFUNCTION, on_body);
	SET(WRITEDATA, t);
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, on_progress);
	SET(XFERINFODATA, t);
	SET(ERRORBUFFER, t->message);
	SET(SUPPRESS_CONNECT_HEADERS, 1L);
	SET(PROXY, t->proxy ? t->proxy->text : "");
	SET(NOPROXY, "");
	if (t->proxy) {
		SET(HTTPPROXYTUNNEL, 1L);
		SET(PROXYTYPE, (long)CURLPROXY_HTTP);
		if (net_policy_proxy_user(t->client->policy)) { /* only ever sent to the proxy */
			SET(PROXYAUTH, CURLAUTH_BASIC);
			SET(PROXYUSERNAME, net_policy_proxy_user(t->client->policy));
			SET(PROXYPASSWORD, net_policy_proxy_password(t->client->policy));
		}
	}
	set_method(easy, q);
	set_tls(easy, t);
}

/* ---- judging how it ended ---- */

static int64_t info_time(CURL *easy, CURLINFO what)
{
	curl_off_t us = 0;

	curl_easy_getinfo(easy, what, &us);
	return us;
}

static enum net_leg reached(CURL *easy, const struct transfer *t)
{
	long connections = 0;

	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
	if (t->header_bytes)
		return NET_LEG_HTTP;
	if (!info_time(easy, CURLINFO_NAMELOOKUP_TIME_T) && !connections)
		return NET_LEG_NAME;
	if (t->url->https && connections && !info_time(easy, CURLINFO_APPCONNECT_TIME_T) && t->tls_started)
		return NET_LEG_TLS; /* its set-up begins when the connection stands */
	if (connections && !info_time(easy, CURLINFO_CONNECT_TIME_T))
		return t->proxy ? NET_LEG_PROXY : NET_LEG_TCP;
	return NET_LEG_HTTP;
}

static enum net_leg leg_of(CURL *easy, CURLcode code, const struct transfer *t)
{
	long connect_code = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	if (t->proxy && connect_code && connect_code != 200)
		return NET_LEG_PROXY;
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return NET_LEG_NAME;
	if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY)
		return NET_LEG_PROXY;
	if (code == CURLE_COULDNT_CONNECT)
		return t->proxy ? NET_LEG_PROXY : NET_LEG_TCP;
	if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CIPHER ||
	    code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_ENGINE_INITFAILED)
		return NET_LEG_TLS;
	return reached(easy, t);
}

/* What to try, for the legs where people can do something. */
static void add_hint(struct err *err, const struct transfer *t, enum net_leg leg)
{
	if (leg == NET_LEG_TLS && *t->check.why && !*t->check.fingerprint && !t->check.ca_pem)
		err_hint(err, "If this issuer is meant to be trusted, add its certificate through net.trust or to the integration.");
	else if (leg == NET_LEG_PROXY && t->proxy_denied)
		err_hint(err, net_policy_proxy_user(t->client->policy)
				      ? "Look at net.proxy_user and the file of net.proxy_password_file."
				      : "The proxy %s:%u wants a user: set net.proxy_user and net.proxy_password_file.",
			 t->proxy->host, t->proxy->port);
	else if (leg == NET_LEG_PROXY)
		err_hint(err, "The proxy %s:%u is set by net.proxy.", t->proxy->host, t->proxy->port);
}

static int fail(CURL *easy, CURLcode code, struct transfer *t, struct err *err)
{
	_cleanup_free_ char *words = str_clean(*t->message ? t->message : curl_easy_strerror(code),
					       strlen(*t->message ? t->message : curl_easy_strerror(code)), 200);
	const char *host = t->url->host;
	long connect_code = 0;
	enum net_leg leg;

	if (t->stopping)
		return err_set(err, ERR_BUSY, "the request to '%s' was ended because the server is stopping", host);
	if (t->bad_ca) {
		t->r->leg = NET_LEG_URL;
		return err_set(err, ERR_INVALID, "the trusted certificates given for '%s' cannot be read", host);
	}
	if (t->guard.range && code == CURLE_COULDNT_CONNECT) {
		t->r->leg = NET_LEG_URL;
		return net_guard_refusal(&t->guard, host, err);
	}
	t->r->leg = NET_LEG_HTTP;
	if (t->headers_too_large)
		return err_set(err, ERR_REMOTE_BAD, "HTTP: the headers of '%s' are larger than %d bytes", host, LIMIT_CA_HEADERS);
	if (t->bad_length)
		return err_set(err, ERR_REMOTE_BAD, "HTTP: the answer of '%s' has no usable Content-Length", host);
	if (t->too_large)
		return err_set(err, ERR_REMOTE_BAD, "HTTP: the answer of '%s' is larger than %zu bytes", host, t->r->body.max);
	if (t->stalled)
		return err_set(err, ERR_TIMEOUT, "HTTP: the answer of '%s' stopped in the middle", host);
	leg = leg_of(easy, code, t);
	t->r->leg = leg;
	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	/* tinyproxy says 401 to a wrong password and 407 to none */
	t->proxy_denied = connect_code == 407 || (connect_code == 401 && net_policy_proxy_user(t->client->policy));
	if (code == CURLE_OPERATION_TIMEDOUT)
		err_set(err, ERR_TIMEOUT, "%s: '%s' did not answer in time", net_leg_text(leg), host);
	else if (leg == NET_LEG_TLS && *t->check.why)
		err_set(err, ERR_UNTRUSTED, "TLS: the certificate of '%s' is not accepted: %s", host, t->check.why);
	else if (leg == NET_LEG_TLS && t->check.peer->issuer)
		err_set(err, code == CURLE_PEER_FAILED_VERIFICATION ? ERR_UNTRUSTED : ERR_NETWORK, "TLS: '%s': %s (issuer met: %.80s)", host, words, t->check.peer->issuer);
	else if (leg == NET_LEG_PROXY && t->proxy_denied)
		err_set(err, ERR_NETWORK, net_policy_proxy_user(t->client->policy) ? "proxy: %s:%u did not accept the user and password"
										  : "proxy: %s:%u wants a user and password",
			t->proxy->host, t->proxy->port);
	else if (leg == NET_LEG_PROXY && connect_code)
		err_set(err, ERR_NETWORK, "proxy: %s:%u refused the way to '%s' with status %ld", t->proxy->host, t->proxy->port,
			host, connect_code);
	else
		err_set(err, ERR_NETWORK, "%s: '%s': %s", net_leg_text(leg), host, words);
	add_hint(err, t, leg);
	return -(int)err->code;
}

static void note_remote(CURL *easy, struct http_response *r)
{
	char *ip = NULL;
	long port = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip);
	curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
	if (ip && *ip)
		snprintf(r->remote, sizeof r->remote, strchr(ip, ':') ? "[%.45s]:%ld" : "%.45s:%ld", ip, port);
}

static int send_it(struct net_client *c, struct transfer *t, struct err *err)
{
	struct header_lines lines = { .text = BUF_MAX(64 * 1024) };
	CURL *easy;
	CURLcode code;
	long status = 0;
	int r = build_headers(&lines, t->q, err);

	if (r == 0) {
		easy = slot_get(c, t->q, t->proxy);
		set_all(easy, t, lines.nodes);
		t->last_ms = clock_boot(&clock_system);
		CRASH_POINT("http-send");
		code = FAIL_POINT("http-send") ? CURLE_COULDNT_CONNECT : curl_easy_perform(easy);
		CRASH_POINT("http-answered");
		if (FAIL_POINT("http-answered"))
			code = CURLE_RECV_ERROR;
		note_remote(easy, t->r);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		/* The library takes an answer that ends within its headers for one without a body. */
		if (code == CURLE_OK && (!t->headers_over || status < 200))
			code = CURLE_PARTIAL_FILE;
		if (code == CURLE_OK || (t->quiet && code == CURLE_WRITE_ERROR))
			t->r->status = (int)status;
		else
			r = fail(easy, code, t, err);
		/* Nothing of the caller's may stay behind. */
		curl_easy_reset(easy);
	}
	buf_done_wipe(&lines.text);
	return r;
}

static int client_perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	struct net_client *c = (struct net_client *)(void *)((char *)h - offsetof(struct net_client, http));
	_cleanup_url_ struct url u = { 0 };
	struct transfer t = { .client = c, .q = q, .r = ret, .url = &u };
	char fingerprint[65];

	ret->body.max = q->max_body ? q->max_body : LIMIT_CA_JSON;
	ret->leg = NET_LEG_URL;
	if (url_parse(q->url, q->rule && q->rule->plain_ok, &u, err) < 0)
		return -(int)err->code;
	t.proxy = net_policy_proxy(c->policy, q->rule, &u);
	if (!t.proxy && q->rule && q->rule->route == NET_ROUTE_PROXY)
		return err_set(err, ERR_INVALID, "'%s' shall be reached through the proxy, but net.proxy is not set", u.host);
	if (net_policy_check_url(c->policy, q->rule, &u, t.proxy != NULL, err) < 0)
		return -(int)err->code;
	t.guard = (struct net_guard){ .policy = c->policy, .rule = q->rule, .by_proxy = t.proxy != NULL };
	t.check = (struct trust_check){ .trust = net_policy_trust(c->policy), .ca_pem = q->rule ? q->rule->ca_pem : NULL,
					.fingerprint = "", .look_only = q->look_only, .peer = &ret->peer };
	if (q->rule && q->rule->fingerprint) {
		if (!net_fingerprint_read(q->rule->fingerprint, fingerprint))
			return err_set(err, ERR_INVALID, "the fingerprint is not a SHA-256 in 64 hexadecimal digits");
		t.check.fingerprint = fingerprint;
	}
	ret->leg = NET_LEG_NONE;
	return send_it(c, &t, err);
}

/* ---- life ---- */

struct net_client *net_client_new(struct net_policy *p, const struct stop *stop)
{
	struct net_client *c = xcalloc(1, sizeof *c);

	c->http.perform = client_perform;
	c->policy = net_policy_ref(p);
	c->stop = stop;
	return c;
}

void net_client_set_policy(struct net_client *c, struct net_policy *p)
{
	if (c->policy == p)
		return;
	for (size_t i = 0; i < MAX_SLOTS; i++)
		slot_clear(&c->slots[i]);
	net_policy_ref(p);
	net_policy_unref(c->policy);
	c->policy = p;
}

void net_client_free(struct net_client *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < MAX_SLOTS; i++)
		slot_clear(&c->slots[i]);
	net_policy_unref(c->policy);
	free(c);
}

void net_client_free_p(struct net_client **c)
{
	net_client_free(*c);
	*c = NULL;
}

struct http *net_client_http(struct net_client *c)
{
	return &c->http;
}
