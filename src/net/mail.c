/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c - see mail.h. One connection per message: there are few, and none is kept that was judged under another rule. */
#include "net/mail.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/guard.h"

#include <curl/curl.h>

struct sending {
	struct net_policy *policy;
	const struct stop *stop;
	const struct mail_request *q;
	const struct url *proxy;
	struct trust_check check;
	struct http_peer peer;
	size_t sent;
	char said[256]; /* the server's last line */
	struct net_guard guard;
	bool stopping, bad_ca, tls_started;
	char message[CURL_ERROR_SIZE];
};

static bool host_ok(const char *host)
{
	size_t n = strlen(host);

	return n && n <= LIMIT_NAME && strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") == n && *host != '-' && *host != '.';
}

int mail_check_host(const struct net_policy *p, const struct net_rule *r, const char *host, uint16_t port, struct err *err)
{
	_cleanup_err_ struct err no = ERR_INIT;
	const char *range = NULL;
	union addr a;

	if (!host_ok(host))
		return err_set(err, ERR_INVALID, "'%.64s' is not a host name or address in lower case", host);
	if (port != 25 && port != 465 && port != 587 && port != 2525 && (!r || str_empty(r->allow))) {
		err_set(err, ERR_INVALID, "mail is sent to port 25, 465, 587 or 2525, not to %u", port);
		return err_hint(err, "Another port is taken when the connection names the private network of the host.");
	}
	if (!p || addr_parse_ip(host, &a, &no) < 0 || net_policy_allows(p, r, &a, &range))
		return 0;
	err_set(err, ERR_INVALID, "connections to '%s' are not allowed: it is a %s address", host, range);
	return err_hint(err, "If this host is meant, list its network in net.allow or in the integration itself.");
}

/* ---- callbacks ---- */

static curl_socket_t on_socket(void *data, curlsocktype purpose UNUSED, struct curl_sockaddr *ca)
{
	return net_guard_socket(data, ca);
}

static size_t on_line(char *p, size_t size, size_t count, void *data)
{
	struct sending *s = data;
	size_t n = size * count, all = n;
	_cleanup_free_ char *clean = NULL;

	while (n && (p[n - 1] == '\r' || p[n - 1] == '\n'))
		n--;
	clean = str_clean(p, n, sizeof s->said - 1);
	snprintf(s->said, sizeof s->said, "%s", clean);
	return all;
}

/* What is answered to a probe. */
static size_t on_answer(UNUSED char *p, size_t size, size_t count, UNUSED void *data)
{
	return size * count;
}

static size_t on_read(char *p, size_t size, size_t count, void *data)
{
	struct sending *s = data;
	size_t n = MIN(size * count, s->q->message.n - s->sent);

	memcpy(p, s->q->message.p + s->sent, n);
	s->sent += n;
	return n;
}

static int on_progress(void *data, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED, curl_off_t d UNUSED)
{
	struct sending *s = data;

	s->stopping = s->stop && stop_raised(s->stop);
	return s->stopping;
}

static CURLcode on_ssl_ctx(CURL *easy UNUSED, void *ssl_ctx, void *data)
{
	struct sending *s = data;

	s->tls_started = true;
	if (trust_install(&s->check, ssl_ctx))
		return CURLE_OK;
	s->bad_ca = true;
	return CURLE_SSL_CACERT_BADFILE;
}

/* ---- setting up ---- */

#define SET(option, value) curl_easy_setopt(easy, CURLOPT_##option, value)

static void set_proxy(CURL *easy, const struct sending *s)
{
	SET(PROXY, s->proxy ? s->proxy->text : "");
	SET(NOPROXY, "");
	if (!s->proxy)
		return;
	SET(HTTPPROXYTUNNEL, 1L);
	SET(PROXYTYPE, (long)CURLPROXY_HTTP);
	SET(SUPPRESS_CONNECT_HEADERS, 1L);
	if (net_policy_proxy_user(s->policy)) {
		SET(PROXYAUTH, CURLAUTH_BASIC);
		SET(PROXYUSERNAME, net_policy_proxy_user(s->policy));
		SET(PROXYPASSWORD, net_policy_proxy_password(s->policy));
	}
}

static void set_tls(CURL *easy, struct sending *s)
{
	SET(USE_SSL, (long)(s->q->security == MAIL_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CAINFO, (char *)NULL);
	SET(CAPATH, (char *)NULL);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, *s->check.fingerprint ? 0L : 2L);
	SET(SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(SSL_CTX_DATA, s);
}

static void set_message(CURL *easy, struct sending *s, struct curl_slist *to)
{
	SET(READFUNCTION, on_read);
	SET(READDATA, s);
	SET(INFILESIZE_LARGE, (curl_off_t)s->q->message.n);
	SET(UPLOAD, 1L);
	SET(MAIL_FROM, s->q->from);
	SET(MAIL_RCPT, to);
}

static void set_all(CURL *easy, struct sending *s, const char *url, struct curl_slist *to)
{
	const struct mail_request *q = s->q;

	SET(URL, url);
	SET(PROTOCOLS_STR, q->security == MAIL_TLS ? "smtps" : "smtp");
	SET(NOSIGNAL, 1L);
	SET(TIMEOUT_MS, (long)(q->timeout_ms ? q->timeout_ms : (int64_t)MINUTE_MS));
	SET(CONNECTTIMEOUT_MS, (long)(LIMIT_CONNECT_S * SECOND_MS));
	SET(OPENSOCKETFUNCTION, on_socket);
	SET(OPENSOCKETDATA, &s->guard);
	SET(HEADERFUNCTION, on_line);
	SET(HEADERDATA, s);
	if (q->message.p)
		set_message(easy, s, to);
	else
		SET(CUSTOMREQUEST, "NOOP");
	SET(WRITEFUNCTION, on_answer);
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, on_progress);
	SET(XFERINFODATA, s);
	SET(ERRORBUFFER, s->message);
	if (q->user) {
		SET(USERNAME, q->user);
		SET(PASSWORD, q->password ? (const char *)q->password->p : "");
	}
	set_proxy(easy, s);
	set_tls(easy, s);
}

/* ---- how it ended ---- */

static int refused(const struct sending *s, long code, struct err *err)
{
	return err_set(err, code >= 500 ? ERR_REMOTE_REFUSED : ERR_REMOTE_BUSY, "SMTP: '%s' did not take the message: %s", s->q->host, s->said);
}

static int fail(CURL *easy, CURLcode code, struct sending *s, enum net_leg *leg, struct err *err)
{
	const char *host = s->q->host;
	_cleanup_free_ char *words = str_clean(*s->message ? s->message : curl_easy_strerror(code),
					       strlen(*s->message ? s->message : curl_easy_strerror(code)), 200);
	long answer = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
	*leg = NET_LEG_URL;
	if (s->stopping)
		return err_set(err, ERR_BUSY, "sending to '%s' was ended because the server is stopping", host);
	if (s->bad_ca)
		return err_set(err, ERR_INVALID, "the trusted certificates given for '%s' cannot be read", host);
	if (*s->guard.refused && code == CURLE_COULDNT_CONNECT)
		return net_guard_refusal(&s->guard, host, err);
	*leg = NET_LEG_HTTP;
	if (code == CURLE_LOGIN_DENIED)
		return err_set(err, ERR_UNAUTHENTICATED, "SMTP: '%s' does not accept the user and password: %s", host, s->said);
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		*leg = NET_LEG_NAME;
	else if (s->proxy && (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY || code == CURLE_COULDNT_CONNECT))
		*leg = NET_LEG_PROXY;
	else if (code == CURLE_COULDNT_CONNECT)
		*leg = NET_LEG_TCP;
	else if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_USE_SSL_FAILED)
		*leg = NET_LEG_TLS;
	if (code == CURLE_USE_SSL_FAILED)
		return err_set(err, ERR_NETWORK, "TLS: '%s' does not offer STARTTLS, and the message is not sent without it", host);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "SMTP: '%s' did not answer in time", host);
	if (*leg == NET_LEG_TLS && *s->check.why)
		return err_set(err, ERR_UNTRUSTED, "TLS: the certificate of '%s' is not accepted: %s", host, s->check.why);
	if (*leg == NET_LEG_HTTP && answer >= 400)
		return refused(s, answer, err);
	return err_set(err, ERR_NETWORK, "%s: could not send to '%s': %s", *leg == NET_LEG_HTTP ? "SMTP" : net_leg_text(*leg), host, words);
}

/* A list of our own: curl's would copy each. */
static struct curl_slist *recipients(const struct strlist *to)
{
	struct curl_slist *all = NULL;

	for (size_t i = 0; to && i < to->n; i++) {
		all = curl_slist_append(all, to->v[i]);
		if (!all)
			abort();
	}
	return all;
}

static int prepare(struct sending *s, char fingerprint[65], struct err *err)
{
	const struct net_rule *r = s->q->rule;
	struct url none = { .host = (char[]){ "" } };

	if (mail_check_host(s->policy, r, s->q->host, s->q->port, err) < 0)
		return -(int)err->code;
	if (r && r->route == NET_ROUTE_PROXY) {
		s->proxy = net_policy_proxy(s->policy, r, &none);
		if (!s->proxy)
			return err_set(err, ERR_INVALID, "'%s' shall be reached through the proxy, but net.proxy is not set", s->q->host);
	}
	s->guard = (struct net_guard){ .policy = s->policy, .rule = r, .by_proxy = s->proxy != NULL };
	s->check = (struct trust_check){ .trust = net_policy_trust(s->policy), .ca_pem = r ? r->ca_pem : NULL, .fingerprint = "",
					 .peer = &s->peer };
	if (r && r->fingerprint) {
		if (!net_fingerprint_read(r->fingerprint, fingerprint))
			return err_set(err, ERR_INVALID, "the fingerprint is not a SHA-256 in 64 hexadecimal digits");
		s->check.fingerprint = fingerprint;
	}
	return 0;
}

int mail_send(struct net_policy *p, const struct stop *stop, const struct mail_request *q, enum net_leg *ret_leg, struct err *err)
{
	struct sending s = { .policy = p, .stop = stop, .q = q };
	bool v6 = strchr(q->host, ':') != NULL;
	_cleanup_free_ char *url = NULL;
	struct curl_slist *to;
	char fingerprint[65];
	CURLcode code;
	CURL *easy;
	int rc = 0;

	*ret_leg = NET_LEG_URL;
	if (prepare(&s, fingerprint, err) < 0)
		return -(int)err->code;
	url = xasprintf("%s://%s%s%s:%u", q->security == MAIL_TLS ? "smtps" : "smtp", v6 ? "[" : "", q->host, v6 ? "]" : "", q->port);
	easy = curl_easy_init();
	if (!easy)
		abort();
	to = recipients(q->to);
	set_all(easy, &s, url, to);
	code = curl_easy_perform(easy);
	*ret_leg = NET_LEG_NONE;
	if (code != CURLE_OK)
		rc = fail(easy, code, &s, ret_leg, err);
	curl_slist_free_all(to);
	curl_easy_cleanup(easy);
	http_peer_clear(&s.peer);
	return rc;
}
