/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare.c - the least that can issue certificates: libcurl, keys and CSRs, threads, no store, nothing checked beyond what the
 * protocol needs. What an engine costs is measured against it. The account is registered before the clock runs; each
 * certificate gets a key of its own.
 *
 *	bench_bare --dir URL --ca FILE --type dns-01|http-01 --dns PORT --http PORT [-n N] [-w WARM] [-c AT-ONCE]
 *	bench_bare --dns PORT		only answers names (A 127.0.0.1), for a CA that checks somebody else
 *
 * Polls as told by Retry-After, without it after 10 ms, doubled up to a second. One JSON line on stdout.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "crypto/csr.h"
#include "crypto/private.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define AT_ONCE_MAX 64
#define MAX_CERTS 20000

static struct {
	const char *dir, *ca, *type;
	int64_t dns_port, http_port, n, warm, at_once;
	char *new_nonce, *new_account, *new_order, *account_url;
	EVP_PKEY *key;
	char *jwk, thumbprint[SHA256_B64];
} opt = { .type = "dns-01", .n = 300, .warm = 50, .at_once = 16 };

static _Atomic int64_t next_cert, requests, polls;
static int64_t last_cert;
static pthread_mutex_t txt_lock = PTHREAD_MUTEX_INITIALIZER;
static char txt[MAX_CERTS][SHA256_B64];

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "bare: %s: %s\n", what, detail ? detail : "");
	_exit(1);
}

/* ---- one client ---- */

struct client {
	CURL *curl;
	struct curl_slist *headers;
	struct buf body;
	char nonce[256], location[1024];
	long retry_after_s;
	json_t *doc;
};

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	buf_add(&((struct client *)arg)->body, p, size * n);
	return size * n;
}

static void header(const char *p, size_t n, const char *name, char *to, size_t to_n)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(p, name, k))
		return;
	for (p += k, n -= k; n && (*p == ' ' || p[n - 1] == '\r' || p[n - 1] == '\n');)
		*p == ' ' ? (p++, n--) : n--;
	snprintf(to, to_n, "%.*s", (int)n, p);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct client *c = arg;
	char retry[32] = "";

	header(p, size * n, "Replay-Nonce:", c->nonce, sizeof c->nonce);
	header(p, size * n, "Location:", c->location, sizeof c->location);
	header(p, size * n, "Retry-After:", retry, sizeof retry);
	if (*retry)
		c->retry_after_s = strtol(retry, NULL, 10);
	return size * n;
}

static void client_init(struct client *c)
{
	*c = (struct client){ .curl = curl_easy_init(), .body = BUF_MAX(1 << 20) };
	c->headers = curl_slist_append(NULL, "Content-Type: application/jose+json");
	curl_easy_setopt(c->curl, CURLOPT_CAINFO, opt.ca);
	curl_easy_setopt(c->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
}

static void client_done(struct client *c)
{
	json_decref(c->doc);
	buf_done(&c->body);
	curl_slist_free_all(c->headers);
	curl_easy_cleanup(c->curl);
}

static long perform(struct client *c, const char *url, const char *body)
{
	long status = 0;
	CURLcode rc;

	buf_reset(&c->body);
	c->retry_after_s = 0;
	json_decref(c->doc);
	c->doc = NULL;
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, body ? c->headers : NULL);
	if (body) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	} else {
		curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	}
	requests++;
	rc = curl_easy_perform(c->curl);
	if (rc != CURLE_OK)
		die(url, curl_easy_strerror(rc));
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* Signs and sends; the answer's document is c->doc, when it is one. payload "" = POST-as-GET. */
static void post(struct client *c, const char *url, const char *payload)
{
	_cleanup_err_ struct err err = ERR_INIT;

	for (int tries = 0; tries < LIMIT_NONCE_TRIES; tries++) {
		_cleanup_buf_ struct buf protected = BUF_MAX(1 << 16), jws = BUF_MAX(1 << 20), sig = BUF_MAX(1 << 10);
		_cleanup_buf_ struct buf input = BUF_MAX(1 << 20);
		long status;

		if (!*c->nonce)
			perform(c, opt.new_nonce, NULL);
		buf_addf(&protected, "{\"alg\":\"ES256\",%s%s%s,\"nonce\":\"%s\",\"url\":\"%s\"}", opt.account_url ? "\"kid\":\"" : "\"jwk\":",
			 opt.account_url ? opt.account_url : opt.jwk, opt.account_url ? "\"" : "", c->nonce, url);
		base64url_encode(&input, protected.p, protected.n);
		buf_addf(&jws, "{\"protected\":\"%s\",\"payload\":\"", input.p);
		buf_add_char(&input, '.');
		base64url_encode(&input, payload, strlen(payload));
		base64url_encode(&jws, payload, strlen(payload));
		if (pkey_jws_sign(opt.key, input.p, input.n, &sig, &err) < 0)
			die("sign", err_text(&err));
		buf_add_str(&jws, "\",\"signature\":\"");
		base64url_encode(&jws, sig.p, sig.n);
		buf_add_str(&jws, "\"}");
		*c->nonce = *c->location = '\0';
		status = perform(c, url, jws.p);
		if (c->body.n && *c->body.p == '{' && json_parse(c->body.p, c->body.n, &c->doc, &err) < 0)
			die(url, c->body.p);
		if (status < 300)
			return;
		if (!strstr(buf_text(&c->body), "badNonce"))
			die(url, buf_text(&c->body));
	}
	die(url, "badNonce again and again");
}

static char *member(struct client *c, const char *name)
{
	const char *s = json_string_value(json_object_get(c->doc, name));

	if (!s)
		die(name, buf_text(&c->body));
	return xstrdup(s);
}

/* Until the status is not one of the two; the answer of the first look may be there already. */
static void watch(struct client *c, const char *url, bool look_first)
{
	int64_t pause_ms = 10;

	for (;;) {
		const char *s;

		if (look_first)
			post(c, url, "");
		look_first = true;
		s = json_string_value(json_object_get(c->doc, "status"));
		if (!s || streq(s, "invalid"))
			die(url, buf_text(&c->body));
		if (!streq(s, "pending") && !streq(s, "processing"))
			return;
		polls++;
		usleep((useconds_t)(c->retry_after_s ? c->retry_after_s * 1000 : pause_ms) * 1000);
		pause_ms = MIN(2 * pause_ms, 1000);
	}
}

static void prove(struct client *c, int64_t i, const char *authz)
{
	_cleanup_free_ char *url = NULL, *token = NULL, *auth = NULL;
	char value[SHA256_B64];
	json_t *v;
	size_t k;

	post(c, authz, "");
	json_array_foreach(json_object_get(c->doc, "challenges"), k, v)
		if (streq(json_string_value(json_object_get(v, "type")), opt.type)) {
			url = xstrdup(json_string_value(json_object_get(v, "url")));
			token = xstrdup(json_string_value(json_object_get(v, "token")));
		}
	if (!url || !token)
		die("no such challenge", opt.type);
	auth = xasprintf("%s.%s", token, opt.thumbprint);
	sha256_base64url(auth, strlen(auth), value);
	pthread_mutex_lock(&txt_lock);
	memcpy(txt[i], value, sizeof value);
	pthread_mutex_unlock(&txt_lock);
	post(c, url, "{}");
	watch(c, authz, true);
}

static char *finalize_body(const char *name)
{
	_cleanup_pkey_ EVP_PKEY *key = NULL;
	_cleanup_buf_ struct buf der = BUF_MAX(1 << 16), b64 = BUF_MAX(1 << 17);
	_cleanup_(strlist_clear) struct strlist names = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	strlist_add(&names, name);
	if (pkey_generate(KEY_P256, &key, &err) < 0 || csr_build(key, &names, NULL, false, &der, &err) < 0)
		die("CSR", err_text(&err));
	base64url_encode(&b64, der.p, der.n);
	return xasprintf("{\"csr\":\"%s\"}", b64.p);
}

static void issue(struct client *c, int64_t i)
{
	_cleanup_free_ char *name = xasprintf("n%" PRId64 ".bench.test", i);
	_cleanup_free_ char *body = xasprintf("{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", name);
	_cleanup_free_ char *order = NULL, *finalize = NULL, *authz = NULL, *cert = NULL, *csr = NULL;

	post(c, opt.new_order, body);
	order = xstrdup(c->location);
	finalize = member(c, "finalize");
	authz = xstrdup(json_string_value(json_array_get(json_object_get(c->doc, "authorizations"), 0)));
	prove(c, i, authz);
	csr = finalize_body(name);
	post(c, finalize, csr);
	watch(c, order, false);
	cert = member(c, "certificate");
	post(c, cert, "");
	if (!strstr(buf_text(&c->body), "BEGIN CERTIFICATE"))
		die("no certificate", buf_text(&c->body));
}

static void *work(void *arg)
{
	struct client *c = arg;
	int64_t i;

	while ((i = next_cert++) < last_cert)
		issue(c, i);
	return NULL;
}

static void run(struct client *clients, int64_t n)
{
	pthread_t t[AT_ONCE_MAX];

	last_cert = next_cert + n;
	for (int64_t i = 0; i < opt.at_once; i++)
		if (pthread_create(&t[i], NULL, work, &clients[i]))
			die("thread", NULL);
	for (int64_t i = 0; i < opt.at_once; i++)
		pthread_join(t[i], NULL);
	next_cert = last_cert;
}

/* ---- what the CA looks at ---- */

static int listener(int type, int64_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || (type == SOCK_STREAM && listen(fd, 256) < 0))
		die("port", "in use");
	return fd;
}

/* "_acme-challenge.n17.bench.test" gets n17's value, any other name 127.0.0.1. */
static size_t dns_answer(unsigned char *m, size_t n)
{
	static const unsigned char head[] = { 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 1, 0, 44, 43 }, a[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1 };
	size_t at = 12, end;
	unsigned type;

	while (at < n && m[at])
		at += m[at] + 1u;
	end = at + 5;
	if (n < 12 || end > n)
		return 0;
	type = m[at + 1] * 256u + m[at + 2];
	m[2] = 0x84 | (m[2] & 1);
	m[3] = 0;
	memset(m + 6, 0, 6); /* no answer, no EDNS */
	if (type == 1) {
		memcpy(m + end, a, sizeof a);
		m[7] = 1;
		return end + sizeof a;
	}
	if (type == 16 && m[12] == 15 && (m[28] < 8)) {
		char digits[8] = "";
		long i;

		memcpy(digits, m + 30, m[28] - 1u);
		i = strtol(digits, NULL, 10);
		memcpy(m + end, head, sizeof head);
		pthread_mutex_lock(&txt_lock);
		memcpy(m + end + sizeof head, txt[i >= 0 && i < MAX_CERTS ? i : 0], 43);
		pthread_mutex_unlock(&txt_lock);
		m[7] = 1;
		return end + sizeof head + 43;
	}
	return end;
}

static void *serve_dns(void *arg)
{
	int fd = *(int *)arg;
	unsigned char m[2048];

	for (;;) {
		struct sockaddr_in from;
		socklen_t from_n = sizeof from;
		ssize_t n = recvfrom(fd, m, 1024, 0, (struct sockaddr *)&from, &from_n);
		size_t k = n > 0 ? dns_answer(m, (size_t)n) : 0;

		if (k && sendto(fd, m, k, 0, (struct sockaddr *)&from, from_n) < 0)
			continue;
	}
	return NULL;
}

static void *serve_http(void *arg)
{
	static const char path[] = "/.well-known/acme-challenge/";
	int fd = *(int *)arg;

	for (;;) {
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		char in[4096], out[512];
		ssize_t n = c < 0 ? -1 : recv(c, in, sizeof in - 1, 0);
		char *p;
		int k;

		if (n > 0) {
			in[n] = '\0';
			p = strstr(in, path);
			p = p ? p + strlen(path) : in;
			k = (int)strcspn(p, " \r\n");
			k = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%.*s.%s", k + 44, k, p, opt.thumbprint);
			if (send(c, out, (size_t)k, MSG_NOSIGNAL) < 0)
				fprintf(stderr, "bare: a fetch was given up\n");
		}
		if (c >= 0)
			close(c);
	}
	return NULL;
}

/* ---- all together ---- */

static void begin(struct client *c)
{
	struct err err = ERR_INIT;

	if (perform(c, opt.dir, NULL) != 200 || json_parse(c->body.p, c->body.n, &c->doc, &err) < 0)
		die("directory", buf_text(&c->body));
	opt.new_nonce = member(c, "newNonce");
	opt.new_account = member(c, "newAccount");
	opt.new_order = member(c, "newOrder");
	if (pkey_generate(KEY_P256, &opt.key, &err) < 0)
		die("key", NULL);
	opt.jwk = pkey_jwk(opt.key);
	sha256_base64url(opt.jwk, strlen(opt.jwk), opt.thumbprint);
	post(c, opt.new_account, "{\"termsOfServiceAgreed\":true}");
	opt.account_url = xstrdup(c->location);
}

static double cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void read_options(int argc, char **argv)
{
	static const struct {
		const char *name;
		const char **text;
		int64_t *number, max;
	} known[] = {
		{ "--dir", &opt.dir, NULL, 0 }, { "--ca", &opt.ca, NULL, 0 }, { "--type", &opt.type, NULL, 0 },
		{ "--dns", NULL, &opt.dns_port, 65535 }, { "--http", NULL, &opt.http_port, 65535 }, { "-n", NULL, &opt.n, MAX_CERTS / 2 },
		{ "-w", NULL, &opt.warm, MAX_CERTS / 2 }, { "-c", NULL, &opt.at_once, AT_ONCE_MAX },
	};
	struct err err = ERR_INIT;

	for (int i = 1; i + 1 < argc; i += 2)
		for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
			if (!streq(argv[i], known[k].name))
				continue;
			if (known[k].text)
				*known[k].text = argv[i + 1];
			else if (str_to_i64(argv[i + 1], 0, known[k].max, known[k].number, &err) < 0)
				die(argv[i], "not such a number");
		}
}

int main(int argc, char **argv)
{
	static struct client clients[AT_ONCE_MAX];
	int dns, http;
	pthread_t t;
	int64_t start, req, pol;
	double cpu;

	read_options(argc, argv);
	json_init();
	if (!opt.dns_port)
		die("use", "--dns PORT and more, see bare.c");
	dns = listener(SOCK_DGRAM, opt.dns_port);
	if (!opt.dir) {
		puts("ready");
		fflush(stdout);
		serve_dns(&dns);
	}
	http = listener(SOCK_STREAM, opt.http_port);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	for (int64_t i = 0; i < opt.at_once; i++)
		client_init(&clients[i]);
	begin(&clients[0]);
	if (pthread_create(&t, NULL, serve_dns, &dns) || pthread_create(&t, NULL, serve_http, &http))
		die("thread", NULL);
	run(clients, opt.warm);
	start = clock_boot(&clock_system);
	cpu = cpu_s();
	req = requests;
	pol = polls;
	run(clients, opt.n);
	printf("{\"certificates\": %" PRId64 ", \"wall_s\": %.3f, \"cpu_s\": %.4f, \"requests\": %" PRId64 ", \"polls\": %" PRId64 "}\n", opt.n,
	       (double)(clock_boot(&clock_system) - start) / 1000, cpu_s() - cpu, requests - req, polls - pol);
	fflush(stdout);
	for (int64_t i = 0; i < opt.at_once; i++)
		client_done(&clients[i]);
	_exit(0);
}
