/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - see stream.h. libcurl connects and speaks TLS (CURLOPT_CONNECT_ONLY), and we send. */
#include "net/stream.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/guard.h"

#include <curl/curl.h>
#include <poll.h>

struct net_stream {
	CURL *easy;
	struct net_guard guard;
	struct trust_check check;
	struct http_peer peer;
	const struct stop *stop;
	char *host, fingerprint[65], message[CURL_ERROR_SIZE];
	curl_socket_t fd;
	bool tls_started, bad_ca;
};

static curl_socket_t on_socket(void *data, curlsocktype purpose UNUSED, struct curl_sockaddr *ca)
{
	return net_guard_socket(data, ca);
}

static int on_progress(void *data, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED, curl_off_t d UNUSED)
{
	const struct net_stream *s = data;

	return s->stop && stop_raised(s->stop);
}

static CURLcode on_ssl_ctx(CURL *easy UNUSED, void *ssl_ctx, void *data)
{
	struct net_stream *s = data;

	s->tls_started = true;
	s->bad_ca = !trust_install(&s->check, ssl_ctx);
	return s->bad_ca ? CURLE_SSL_CACERT_BADFILE : CURLE_OK;
}

#define SET(option, value) curl_easy_setopt(s->easy, CURLOPT_##option, value)

static void set_all(struct net_stream *s, const char *url)
{
	SET(URL, url);
	SET(PROTOCOLS_STR, "https");
	SET(CONNECT_ONLY, 1L);
	SET(NOSIGNAL, 1L);
	SET(PROXY, "");
	SET(CONNECTTIMEOUT_MS, (long)(LIMIT_CONNECT_S * SECOND_MS));
	SET(TIMEOUT_MS, (long)(2 * LIMIT_CONNECT_S * SECOND_MS));
	SET(OPENSOCKETFUNCTION, on_socket);
	SET(OPENSOCKETDATA, &s->guard);
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, on_progress);
	SET(XFERINFODATA, s);
	SET(ERRORBUFFER, s->message);
	SET(SSL_ENABLE_ALPN, 0L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CAINFO, (char *)NULL);
	SET(CAPATH, (char *)NULL);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, *s->check.fingerprint ? 0L : 2L);
	SET(SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(SSL_CTX_DATA, s);
}

static int fail(const struct net_stream *s, CURLcode code, enum net_leg *leg, struct err *err)
{
	const char *words = *s->message ? s->message : curl_easy_strerror(code);
	_cleanup_free_ char *clean = str_clean(words, strlen(words), 200);

	*leg = NET_LEG_TCP;
	if (s->stop && stop_raised(s->stop))
		return err_set(err, ERR_BUSY, "the connection to '%s' was ended because the server is stopping", s->host);
	if (s->bad_ca)
		return err_set(err, ERR_INVALID, "the trusted certificates given for '%s' cannot be read", s->host);
	if (*s->guard.refused)
		return net_guard_refusal(&s->guard, s->host, err);
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		*leg = NET_LEG_NAME;
	else if (s->tls_started)
		*leg = NET_LEG_TLS;
	if (*leg == NET_LEG_TLS && *s->check.why)
		return err_set(err, ERR_UNTRUSTED, "TLS: the certificate of '%s' is not accepted: %s", s->host, s->check.why);
	return err_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_NETWORK, "%s: could not connect to '%s': %s", net_leg_text(*leg), s->host, clean);
}

int net_stream_open(struct net_policy *p, const struct stop *stop, const char *host, uint16_t port, const struct net_rule *r, struct net_stream **ret,
		    enum net_leg *ret_leg, struct err *err)
{
	struct net_stream *s = xcalloc(1, sizeof *s);
	bool v6 = strchr(host, ':') != NULL;
	_cleanup_free_ char *url = xasprintf("https://%s%s%s:%u/", v6 ? "[" : "", host, v6 ? "]" : "", port);
	CURLcode code;
	int rc = 0;

	*ret_leg = NET_LEG_NONE;
	s->easy = curl_easy_init();
	if (!s->easy)
		abort();
	s->host = xstrdup(host);
	s->stop = stop;
	s->guard = (struct net_guard){ .policy = p, .rule = r };
	s->check = (struct trust_check){ .trust = net_policy_trust(p), .ca_pem = r ? r->ca_pem : NULL, .fingerprint = s->fingerprint, .peer = &s->peer };
	if (r && r->fingerprint && !net_fingerprint_read(r->fingerprint, s->fingerprint)) {
		rc = err_set(err, ERR_INVALID, "the fingerprint is not a SHA-256 in 64 hexadecimal digits");
	} else {
		set_all(s, url);
		code = curl_easy_perform(s->easy);
		if (code == CURLE_OK)
			code = curl_easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &s->fd);
		if (code != CURLE_OK)
			rc = fail(s, code, ret_leg, err);
	}
	if (rc < 0) {
		net_stream_close(s);
		return rc;
	}
	*ret = s;
	return 0;
}

/* The other side says nothing; if it does close, that is seen here and not at the second line after it. */
static bool closed(struct net_stream *s)
{
	char byte[64];
	size_t n = 0;
	CURLcode code = curl_easy_recv(s->easy, byte, sizeof byte, &n);

	return code != CURLE_AGAIN && (code != CURLE_OK || n == 0);
}

int net_stream_write(struct net_stream *s, const void *p, size_t n, int64_t timeout_ms, struct err *err)
{
	int64_t end = clock_boot(&clock_system) + timeout_ms;
	const char *at = p;

	if (closed(s))
		return err_set(err, ERR_NETWORK, "TCP: '%s' closed the connection", s->host);
	while (n) {
		struct pollfd fd = { .fd = s->fd, .events = POLLOUT };
		int64_t left = end - clock_boot(&clock_system);
		size_t sent = 0;
		CURLcode code = curl_easy_send(s->easy, at, n, &sent);

		if (code != CURLE_OK && code != CURLE_AGAIN)
			return err_set(err, ERR_NETWORK, "TCP: could not send to '%s': %s", s->host, curl_easy_strerror(code));
		at += sent;
		n -= sent;
		if (n && left <= 0)
			return err_set(err, ERR_TIMEOUT, "TCP: '%s' takes nothing", s->host);
		if (n && code == CURLE_AGAIN)
			(void)poll(&fd, 1, (int)MIN(left, INT64_C(1000)));
	}
	return 0;
}

void net_stream_close(struct net_stream *s)
{
	if (!s)
		return;
	curl_easy_cleanup(s->easy);
	http_peer_clear(&s->peer);
	free(s->host);
	free(s);
}
