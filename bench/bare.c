/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare.c - the fastest honest ACME client to compare with: libcurl over HTTP/1.1, one connection per thread, no store, no
 * policy, keys and CSRs made on the fly. Obeys Retry-After, otherwise polls after 10 ms, doubling. It answers the challenges itself:
 * HTTP-01 on a port of its own, DNS-01 by a small UDP server.
 *
 *	bare DIRECTORY CA-PEM (http-01|dns-01) CERTIFICATES UNMEASURED AT-ONCE HTTP-PORT DNS-PORT
 *
 * One line of JSON: certificates per second, CPU and requests per certificate.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "net/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static struct {
	char *directory, *ca, *new_nonce, *new_account, *new_order, *kid;
	bool dns;
	long total, unmeasured, at_once;
	int http_port, dns_port;
	EVP_PKEY *key;
	char jwk[256], thumbprint[64];
	atomic_long next, done, requests, bad_nonces;
} g;

static void die(const char *what, const char *more)
{
	fprintf(stderr, "bare: %s: %s\n", what, more ? more : "");
	_exit(1);
}

static void b64(char *out, size_t out_n, const void *p, size_t n)
{
	struct buf b = BUF_MAX(64 * 1024);

	base64url_encode(&b, p, n);
	if (b.n + 1 > out_n)
		die("base64", "too long");
	memcpy(out, buf_text(&b), b.n + 1);
	buf_done(&b);
}

static void make_account_key(void)
{
	unsigned char point[65], md[32];
	char x[48], y[48];
	size_t n;

	g.key = EVP_EC_gen("P-256");
	EVP_PKEY_get_octet_string_param(g.key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n);
	b64(x, sizeof x, point + 1, 32);
	b64(y, sizeof y, point + 33, 32);
	snprintf(g.jwk, sizeof g.jwk, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
	EVP_Digest(g.jwk, strlen(g.jwk), md, NULL, EVP_sha256(), NULL);
	b64(g.thumbprint, sizeof g.thumbprint, md, 32);
}

static void sign_jws(struct buf *out, const char *url, const char *nonce, const char *payload)
{
	char head[1024], head64[1400], sig64[100];
	struct buf body64 = BUF_MAX(64 * 1024), input = BUF_MAX(64 * 1024);
	unsigned char der[80], raw[64];
	const unsigned char *p = der;
	size_t n = sizeof der;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig;

	snprintf(head, sizeof head, g.kid ? "{\"alg\":\"ES256\",\"kid\":\"%s\",\"nonce\":\"%s\",\"url\":\"%s\"}"
					  : "{\"alg\":\"ES256\",\"jwk\":%s,\"nonce\":\"%s\",\"url\":\"%s\"}",
		 g.kid ? g.kid : g.jwk, nonce, url);
	b64(head64, sizeof head64, head, strlen(head));
	base64url_encode(&body64, payload, strlen(payload));
	buf_addf(&input, "%s.%s", head64, buf_text(&body64));
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, g.key);
	if (EVP_DigestSign(ctx, der, &n, (const unsigned char *)input.p, input.n) != 1)
		die("sign", NULL);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
	b64(sig64, sizeof sig64, raw, 64);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	buf_reset(out);
	buf_addf(out, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", head64, buf_text(&body64), sig64);
	buf_done(&body64);
	buf_done(&input);
}

/* ---- one thread's connection ---- */

struct worker {
	CURL *easy;
	struct buf jws, body;
	char nonce[512], location[512];
	int64_t retry_ms;
	long status;
};

static size_t on_body(char *p, size_t size, size_t n, void *data)
{
	buf_add(data, p, size * n);
	return size * n;
}

static bool take(const char *p, size_t n, const char *name, char *out, size_t out_n)
{
	size_t k = strlen(name);

	if (n < k || strncasecmp(p, name, k))
		return false;
	for (p += k, n -= k; n && (*p == ' ' || *p == ':'); p++)
		n--;
	while (n && (p[n - 1] == '\r' || p[n - 1] == '\n'))
		n--;
	if (n < out_n) {
		memcpy(out, p, n);
		out[n] = '\0';
	}
	return true;
}

static size_t on_header(char *p, size_t size, size_t count, void *data)
{
	struct worker *w = data;
	size_t n = size * count;
	char text[128];

	if (!take(p, n, "replay-nonce:", w->nonce, sizeof w->nonce) && !take(p, n, "location:", w->location, sizeof w->location) &&
	    take(p, n, "retry-after:", text, sizeof text))
		w->retry_ms = http_retry_after_text(text, clock_now(&clock_system), 1, 60000);
	return n;
}

static void send_request(struct worker *w, const char *url, const char *body)
{
	static char jose[] = "Content-Type: application/jose+json";
	static struct curl_slist type = { jose, NULL };
	CURLcode code;

	buf_reset(&w->body);
	w->retry_ms = 0;
	*w->nonce = *w->location = '\0';
	curl_easy_setopt(w->easy, CURLOPT_URL, url);
	if (body) {
		curl_easy_setopt(w->easy, CURLOPT_NOBODY, 0L);
		curl_easy_setopt(w->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(w->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
		curl_easy_setopt(w->easy, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(w->easy, CURLOPT_HTTPHEADER, &type);
	} else {
		curl_easy_setopt(w->easy, CURLOPT_HTTPGET, 1L);
		curl_easy_setopt(w->easy, CURLOPT_HTTPHEADER, NULL);
		curl_easy_setopt(w->easy, CURLOPT_NOBODY, g.new_nonce && streq(url, g.new_nonce) ? 1L : 0L);
	}
	g.requests++;
	code = curl_easy_perform(w->easy);
	if (code != CURLE_OK)
		die(url, curl_easy_strerror(code));
	curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &w->status);
}

static void worker_init(struct worker *w)
{
	*w = (struct worker){ .easy = curl_easy_init(), .jws = BUF_MAX(256 * 1024), .body = BUF_MAX(256 * 1024) };
	curl_easy_setopt(w->easy, CURLOPT_CAINFO, g.ca);
	curl_easy_setopt(w->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(w->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(w->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(w->easy, CURLOPT_USERAGENT, "bare/1");
	curl_easy_setopt(w->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(w->easy, CURLOPT_WRITEDATA, &w->body);
	curl_easy_setopt(w->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(w->easy, CURLOPT_HEADERDATA, w);
}

static void worker_done(struct worker *w)
{
	curl_easy_cleanup(w->easy);
	buf_done(&w->jws);
	buf_done(&w->body);
}

/* A signed POST; repeated after badNonce. */
static void post(struct worker *w, const char *url, const char *payload)
{
	char nonce[512];

	for (int tries = 0; tries < 200; tries++) {
		if (!*w->nonce)
			send_request(w, g.new_nonce, NULL);
		memcpy(nonce, w->nonce, sizeof nonce);
		sign_jws(&w->jws, url, nonce, payload);
		send_request(w, url, buf_text(&w->jws));
		if (w->status < 300)
			return;
		if (!strstr(buf_text(&w->body), ":badNonce"))
			break;
		g.bad_nonces++;
	}
	die(url, buf_text(&w->body));
}

static json_t *answer(struct worker *w)
{
	json_t *j = json_loadb(buf_text(&w->body), w->body.n, 0, NULL);

	if (!j)
		die("JSON", buf_text(&w->body));
	return j;
}

static char *member(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return xstrdup(s ? s : "");
}

static void wait_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Reads url until its status is no longer one of a, b. */
static json_t *poll_until(struct worker *w, const char *url, const char *a, const char *b)
{
	int64_t ms = 10;

	for (;;) {
		json_t *j;
		const char *status;

		post(w, url, "");
		j = answer(w);
		status = json_string_value(json_object_get(j, "status"));
		if (!streq(status, a) && !streq(status, b)) {
			if (streq(status, "invalid"))
				die("invalid", buf_text(&w->body));
			return j;
		}
		json_decref(j);
		wait_ms(w->retry_ms ? w->retry_ms : ms);
		ms = MIN(ms * 2, INT64_C(1000));
	}
}

/* ---- what proves control ---- */

#define SLOTS 4096
static struct {
	pthread_mutex_t lock;
	char name[SLOTS][64], value[SLOTS][48];
} txt = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void publish(long i, const char *name, const char *token)
{
	char all[256], value[48];
	unsigned char md[32];

	snprintf(all, sizeof all, "%s.%s", token, g.thumbprint);
	EVP_Digest(all, strlen(all), md, NULL, EVP_sha256(), NULL);
	b64(value, sizeof value, md, 32);
	pthread_mutex_lock(&txt.lock);
	snprintf(txt.name[i % SLOTS], sizeof txt.name[0], "_acme-challenge.%.40s", name);
	memcpy(txt.value[i % SLOTS], value, sizeof value);
	pthread_mutex_unlock(&txt.lock);
}

static int bound(int type, int port)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = { htonl(INADDR_LOOPBACK) } };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || (type == SOCK_STREAM && listen(fd, 512) < 0))
		die("bind", strerror(errno));
	return fd;
}

static size_t dns_answer(unsigned char *p, size_t n)
{
	char name[128];
	size_t at = 12, k = 0;
	unsigned type;

	if (n < 17)
		return 0;
	while (at < n && p[at]) {
		if (p[at] > 63 || at + p[at] + 1 >= n || k + p[at] + 2 > sizeof name)
			return 0;
		memcpy(name + k, p + at + 1, p[at]);
		k += p[at];
		name[k++] = '.';
		at += p[at] + 1u;
	}
	if (at + 5 > n)
		return 0;
	name[k ? k - 1 : 0] = '\0';
	str_lower(name);
	type = (unsigned)(p[at + 1] << 8 | p[at + 2]);
	n = at + 5;
	p[2] = 0x84 | (p[2] & 1);
	p[3] = 0;
	memset(p + 4, 0, 8);
	p[5] = 1;
	if (type == 1) {
		static const unsigned char a[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1 };

		p[7] = 1;
		memcpy(p + n, a, sizeof a);
		return n + sizeof a;
	}
	pthread_mutex_lock(&txt.lock);
	for (size_t i = 0; type == 16 && i < SLOTS; i++)
		if (streq(txt.name[i], name)) {
			static const unsigned char head[] = { 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 1, 0, 44, 43 };

			p[7] = 1;
			memcpy(p + n, head, sizeof head);
			memcpy(p + n + sizeof head, txt.value[i], 43);
			n += sizeof head + 43;
			break;
		}
	pthread_mutex_unlock(&txt.lock);
	return n;
}

static void *serve_dns(void *arg UNUSED)
{
	int fd = bound(SOCK_DGRAM, g.dns_port);
	unsigned char p[2048];

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(fd, p, 512, 0, (struct sockaddr *)&from, &len);
		size_t out = n > 0 ? dns_answer(p, (size_t)n) : 0;

		if (out && sendto(fd, p, out, 0, (struct sockaddr *)&from, len) < 0)
			continue;
	}
	return NULL;
}

/* Any token is ours: the key authorization needs only the thumbprint. */
static void *serve_http(void *arg UNUSED)
{
	int fd = bound(SOCK_STREAM, g.http_port);

	for (;;) {
		int c = accept(fd, NULL, NULL);
		char in[4096], out[512];
		size_t n = 0;
		ssize_t got;

		while (c >= 0 && n < sizeof in - 1 && (got = read(c, in + n, sizeof in - 1 - n)) > 0) {
			char *token, *end;

			n += (size_t)got;
			in[n] = '\0';
			if (!strstr(in, "\r\n\r\n"))
				continue;
			token = strstr(in, "/.well-known/acme-challenge/");
			end = token ? strchr(token, ' ') : NULL;
			if (end && end - token < 300) {
				token += strlen("/.well-known/acme-challenge/");
				*end = '\0';
				snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%.200s.%s",
					 strlen(token) + 1 + strlen(g.thumbprint), token, g.thumbprint);
				if (write(c, out, strlen(out)) < 0)
					break;
			}
			break;
		}
		close(c);
	}
	return NULL;
}

/* ---- one certificate ---- */

static void make_csr(const char *name, struct buf *ret)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	char san[128];
	unsigned char *der = NULL;
	int n;

	snprintf(san, sizeof san, "DNS:%s", name);
	sk_X509_EXTENSION_push(exts, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
	X509_REQ_add_extensions(req, exts);
	X509_REQ_set_pubkey(req, key);
	X509_REQ_sign(req, key, EVP_sha256());
	n = i2d_X509_REQ(req, &der);
	buf_add_str(ret, "{\"csr\":\"");
	base64url_encode(ret, der, (size_t)n);
	buf_add_str(ret, "\"}");
	OPENSSL_free(der);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static void validate(struct worker *w, long i, const char *name, const char *authz_url)
{
	json_t *authz, *list;

	post(w, authz_url, "");
	authz = answer(w);
	list = json_object_get(authz, "challenges");
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *c = json_array_get(list, k);
		_cleanup_free_ char *type = member(c, "type"), *url = member(c, "url"), *token = member(c, "token");

		if (!streq(type, g.dns ? "dns-01" : "http-01"))
			continue;
		if (g.dns)
			publish(i, name, token);
		post(w, url, "{}");
	}
	json_decref(authz);
	json_decref(poll_until(w, authz_url, "pending", "processing"));
}

static void issue(struct worker *w, long i)
{
	_cleanup_buf_ struct buf csr = BUF_MAX(16 * 1024);
	_cleanup_free_ char *url = NULL, *finalize = NULL, *certificate = NULL;
	char name[64], payload[256];
	json_t *order;

	snprintf(name, sizeof name, "n%ld-%d.bare.test", i, (int)getpid());
	snprintf(payload, sizeof payload, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", name);
	make_csr(name, &csr);
	post(w, g.new_order, payload);
	url = xstrdup(w->location);
	order = answer(w);
	finalize = member(order, "finalize");
	for (size_t k = 0; k < json_array_size(json_object_get(order, "authorizations")); k++)
		validate(w, i, name, json_string_value(json_array_get(json_object_get(order, "authorizations"), k)));
	json_decref(order);
	json_decref(poll_until(w, url, "pending", "pending"));
	post(w, finalize, buf_text(&csr));
	order = poll_until(w, url, "ready", "processing");
	certificate = member(order, "certificate");
	json_decref(order);
	post(w, certificate, "");
	if (!strstr(buf_text(&w->body), "-----BEGIN CERTIFICATE-----"))
		die("no certificate", buf_text(&w->body));
}

static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static struct {
	int64_t ms;
	double cpu;
	long requests;
} from;

static void *work(void *arg UNUSED)
{
	struct worker w;

	worker_init(&w);
	for (;;) {
		long i = g.next++;

		if (i >= g.total + g.unmeasured)
			break;
		if (i == g.unmeasured) {
			from.ms = clock_boot(&clock_system);
			from.cpu = cpu_s();
			from.requests = g.requests;
		}
		issue(&w, i);
		g.done++;
	}
	worker_done(&w);
	return NULL;
}

static void prepare(void)
{
	struct worker w;
	json_t *d;

	worker_init(&w);
	send_request(&w, g.directory, NULL);
	d = answer(&w);
	g.new_nonce = member(d, "newNonce");
	g.new_account = member(d, "newAccount");
	g.new_order = member(d, "newOrder");
	json_decref(d);
	make_account_key();
	*w.nonce = '\0';
	post(&w, g.new_account, "{\"termsOfServiceAgreed\":true}");
	g.kid = xstrdup(w.location);
	worker_done(&w);
}

static long number(const char *s)
{
	struct err err = ERR_INIT;
	int64_t n = 0;

	if (str_to_i64(s, 0, 10000000, &n, &err) < 0)
		die(s, err.detail);
	return (long)n;
}

int main(int argc, char **argv)
{
	pthread_t threads[256], server;
	double seconds;

	if (argc != 9)
		die("usage", "DIRECTORY CA-PEM (http-01|dns-01) CERTIFICATES UNMEASURED AT-ONCE HTTP-PORT DNS-PORT");
	g.directory = argv[1];
	g.ca = argv[2];
	g.dns = streq(argv[3], "dns-01");
	g.total = number(argv[4]);
	g.unmeasured = number(argv[5]);
	g.at_once = MAX(1L, MIN(number(argv[6]), (long)ARRAY_SIZE(threads)));
	g.http_port = (int)number(argv[7]);
	g.dns_port = (int)number(argv[8]);
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	pthread_create(&server, NULL, serve_http, NULL);
	pthread_create(&server, NULL, serve_dns, NULL);
	prepare();
	for (long i = 0; i < g.at_once; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (long i = 0; i < g.at_once; i++)
		pthread_join(threads[i], NULL);
	seconds = (double)(clock_boot(&clock_system) - from.ms) / 1000;
	printf("{\"validation\": \"%s\", \"certificates\": %ld, \"seconds\": %.3f, \"per_second\": %.1f, \"cpu_ms\": %.3f, "
	       "\"requests\": %.2f, \"bad_nonces\": %ld}\n",
	       argv[3], g.total, seconds, (double)g.total / seconds, (cpu_s() - from.cpu) * 1000 / (double)g.total,
	       (double)(g.requests - from.requests) / (double)g.total, (long)g.bad_nonces);
	return 0;
}
