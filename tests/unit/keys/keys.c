/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - tests of keys/keys.h: what each call does, what a key refuses, and that swapped values are named. */
#include "keys/keys.h"

#include "base/clock.h"
#include "crypto/x509.h"
#include "rig.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

bool rig_separate;

/* The exit status of a program, with its output thrown away. */
static int run(const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	ASSERT_INT(posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	ASSERT_INT(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void keys_of_every_type_are_made(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_RSA2048, KEY_RSA3072 }; /* 4096 takes seconds */
	_cleanup_rig_ struct rig r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_key_made_ struct key_made m = make(&r, KEY_CERTIFICATE, types[i], ID), again = { 0 };
		struct key_handle h = handle(&m, ID);

		ASSERT_STR(m.type.s, key_type_text(types[i]));
		ASSERT_INT(strlen(m.public_hash), 64);
		ASSERT_INT(strlen(m.thumbprint), 43);
		ASSERT_OK(keys_public(r.keys, &h, &again, &r.err), &r.err);
		ASSERT_STR(again.public_hash, m.public_hash);
		ASSERT_STR(again.jwk, m.jwk);
		ASSERT_TRUE(!again.sealed);
	}
}

static void swapped_ciphertexts_are_refused_and_named(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made a = make(&r, KEY_ACCOUNT, KEY_P256, ID), b = make(&r, KEY_ACCOUNT, KEY_P256, OTHER), out = { 0 };
	struct key_handle right = handle(&a, ID), wrong = handle(&a, OTHER);

	ASSERT_OK(keys_public(r.keys, &right, &out, &r.err), &r.err); /* open, and cached, at its own place */
	for (int i = 0; i < 3; i++) {
		struct key_handle h = i == 0 ? wrong : handle(&b, i == 1 ? ID : OTHER);

		if (i == 2)
			h.column = "eab_sealed";
		ASSERT_INT(keys_public(r.keys, &h, &out, &r.err), -ERR_NEEDS_PERSON);
		ASSERT_HAS(r.err.detail, i == 0 ? "key/" OTHER "/sealed" : i == 1 ? "key/" ID "/sealed" : "key/" OTHER "/eab_sealed");
		ASSERT_HAS(r.err.detail, "belongs to another row or column");
		err_clear(&r.err);
	}
}

static void every_changed_byte_of_a_sealed_value_is_noticed(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_secret_ struct secret s = secret_from("hunter2"), back = { 0 };
	const struct key_place to = { "provider", ID, "credential" };
	_cleanup_free_ unsigned char *sealed = NULL;
	struct key_handle h = { "provider", ID, "credential", NULL, 0 };
	size_t n;

	ASSERT_OK(keys_seal(r.keys, &s, &to, &sealed, &n, &r.err), &r.err);
	ASSERT_TRUE(!memmem(sealed, n, "hunter2", 7));
	h.sealed = sealed;
	for (h.n = 0; h.n < n; h.n++)
		ASSERT_FAILS(keys_open_credential(r.keys, &h, &back, &r.err), &r.err, ERR_NEEDS_PERSON);
	for (size_t i = 0; i < n; i++) {
		sealed[i] ^= 1;
		ASSERT_FAILS(keys_open_credential(r.keys, &h, &back, &r.err), &r.err, ERR_NEEDS_PERSON);
		sealed[i] ^= 1;
	}
	ASSERT_OK(keys_open_credential(r.keys, &h, &back, &r.err), &r.err);
	ASSERT_TRUE(secret_eq(&back, &s));
}

static void places_have_plain_names(void **state)
{
	static const struct key_place bad[] = {
		{ "", ID, "x" }, { "key", "a/b", "x" }, { "key", ID, "x y" }, { NULL, ID, "x" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ID, "x" },
	};
	_cleanup_secret_ struct secret s = secret_from("x"), empty = { 0 };
	_cleanup_rig_ struct rig r = rig_new();
	unsigned char *sealed = NULL;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(keys_seal(r.keys, &s, &bad[i], &sealed, &n, &r.err), &r.err, ERR_INVALID);
	ASSERT_FAILS(keys_seal(r.keys, &empty, &(struct key_place){ "key", ID, "x" }, &sealed, &n, &r.err), &r.err, ERR_INVALID);
}

static void an_account_key_signs_for_its_own_host_only(void **state)
{
	static const struct {
		const char *url;
		enum err_code code;
	} cases[] = {
		{ "https://ca.example/new-order", ERR_NONE },
		{ "https://CA.example:443/x?y", ERR_NONE },
		{ "https://ca.example", ERR_NONE },
		{ "https://ca.example:8443/x", ERR_DENIED },
		{ "http://ca.example/x", ERR_DENIED },
		{ "https://evil.example/ca.example", ERR_DENIED },
		{ "https://ca.example.evil.example/", ERR_DENIED },
		{ "https://ca.example@evil.example/", ERR_INVALID },
		{ "https://evil.example\\@ca.example/", ERR_INVALID },
		{ "https://ca.example /", ERR_INVALID },
		{ "https://ca.example:/x", ERR_INVALID },
		{ "https://ca.example:x/x", ERR_INVALID },
		{ "https:///x", ERR_INVALID },
		{ "ftp://ca.example/x", ERR_INVALID },
		{ "", ERR_INVALID },
		{ NULL, ERR_INVALID },
	};
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_ACCOUNT, KEY_P256, ID);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jws_request q = { handle(&m, ID), cases[i].url, "bm9uY2U", NULL, "{}" };
		_cleanup_free_ char *out = NULL;
		int code = keys_sign_jws(r.keys, &q, &out, &r.err);

		if (code != -(int)cases[i].code)
			print_error("%s\n", cases[i].url ? cases[i].url : "(null)");
		ASSERT_INT(code, -(int)cases[i].code);
		ASSERT_INT(!out, code < 0);
		err_clear(&r.err);
	}
}

static void a_key_does_only_what_it_is_for(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made account = make(&r, KEY_ACCOUNT, KEY_P256, ID), cert = make(&r, KEY_CERTIFICATE, KEY_P256, ID),
					   tls = make(&r, KEY_TLS, KEY_P256, ID), bad = { 0 };
	_cleanup_strlist_ struct strlist names = { 0 };
	struct key_handle account_h = handle(&account, ID), cert_h = handle(&cert, ID), tls_h = handle(&tls, ID);
	struct key_place to = { "key", ID, "sealed" };
	_cleanup_secret_ struct secret out = { 0 };
	unsigned char *bytes = NULL;
	char *text = NULL;
	size_t n;

	strlist_add(&names, "a.example.com");
	ASSERT_FAILS(keys_sign_csr(r.keys, &(struct csr_request){ account_h, &names, NULL, false }, &bytes, &n, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_sign_csr(r.keys, &(struct csr_request){ tls_h, &names, NULL, false }, &bytes, &n, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_sign_jws(r.keys, &(struct jws_request){ cert_h, DIRECTORY, "bm9uY2U", NULL, "" }, &text, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_self_signed(r.keys, &(struct self_signed_request){ cert_h, &names, 0, 1 }, &text, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_tls_sign(r.keys, &(struct tls_sign_request){ account_h, TLS_ECDSA, DIGEST_SHA256, "x", 1, false }, &bytes, &n, &r.err),
		     &r.err, ERR_DENIED);
	ASSERT_OK(keys_tls_sign(r.keys, &(struct tls_sign_request){ cert_h, TLS_ECDSA, DIGEST_SHA256, "x", 1, false }, &bytes, &n, &r.err), &r.err);
	free(bytes);
	ASSERT_FAILS(keys_export(r.keys, &account_h, ID, &out, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_export(r.keys, &tls_h, ID, &out, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_open_credential(r.keys, &cert_h, &out, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_generate(r.keys, KEY_ACCOUNT, KEY_P256, &to, NULL, &bad, &r.err), &r.err, ERR_INVALID);
	ASSERT_FAILS(keys_generate(r.keys, KEY_CERTIFICATE, KEY_P256, &to, DIRECTORY, &bad, &r.err), &r.err, ERR_INVALID);
	ASSERT_FAILS(keys_generate(r.keys, KEY_ACCOUNT, KEY_P256, &to, "mailto:x", &bad, &r.err), &r.err, ERR_INVALID);
}

static void a_secret_is_no_key(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_secret_ struct secret s = secret_from("K"), out = { 0 };
	const struct key_place to = { "key", ID, "sealed" };
	struct key_handle h = { "key", ID, "sealed", NULL, 0 };
	_cleanup_free_ unsigned char *sealed = NULL;
	struct key_made m = { 0 };

	ASSERT_OK(keys_seal(r.keys, &s, &to, &sealed, &h.n, &r.err), &r.err);
	h.sealed = sealed;
	ASSERT_FAILS(keys_public(r.keys, &h, &m, &r.err), &r.err, ERR_DENIED);
	ASSERT_FAILS(keys_export(r.keys, &h, ID, &out, &r.err), &r.err, ERR_DENIED);
	h.sealed = NULL;
	ASSERT_FAILS(keys_public(r.keys, &h, &m, &r.err), &r.err, ERR_NEEDS_PERSON);
}

static void a_made_request_is_what_was_asked_for(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_RSA2048 };
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_strlist_ struct strlist names = { 0 };
	struct csr_subject subject = {
		.o = (char[]){ "Bäckerei Grün" }, .ou = (char[]){ "Ofen" }, .c = (char[]){ "DE" }, .l = (char[]){ "München" },
		.st = (char[]){ "Bayern" }, .cn = (char[]){ "b.example.com" }
	};

	strlist_add(&names, "B.example.com.");
	strlist_add(&names, "*.example.com");
	strlist_add(&names, "bücher.example");
	strlist_add(&names, "b.example.com");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_key_made_ struct key_made m = make(&r, KEY_CERTIFICATE, types[i], ID);
		_cleanup_csr_info_ struct csr_info info = { 0 };
		_cleanup_free_ unsigned char *der = NULL;
		_cleanup_free_ char *joined = NULL, *pem = NULL, *path = path_join(r.dir, "csr.pem");
		size_t n;

		ASSERT_OK(keys_sign_csr(r.keys, &(struct csr_request){ handle(&m, ID), &names, i ? &subject : NULL, false }, &der, &n, &r.err), &r.err);
		ASSERT_OK(csr_parse(der, n, &info, &r.err), &r.err);
		joined = strlist_join(&info.names, " ");
		ASSERT_STR(joined, "*.example.com b.example.com xn--bcher-kva.example");
		ASSERT_STR(info.public_hash, m.public_hash);
		ASSERT_STR(info.key_type.s, key_type_text(types[i]));
		ASSERT_STR(info.subject.o, i ? subject.o : NULL);
		ASSERT_STR(info.subject.c, i ? "DE" : NULL);
		ASSERT_STR(info.subject.cn, i ? "b.example.com" : NULL);
		pem = csr_pem(der, n);
		ASSERT_OK(file_write_atomic(path, pem, strlen(pem), 0600, &r.err), &r.err);
		ASSERT_INT(run((const char *[]){ "openssl", "req", "-verify", "-noout", "-in", path, NULL }), 0);
		unlink(path);
	}
}

static void a_request_with_bad_names_or_fields_is_refused_with_the_field(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_CERTIFICATE, KEY_P256, ID);
	static const struct {
		const char *name;
		struct csr_subject subject;
		const char *field;
	} cases[] = {
		{ "a_b.example.com", { 0 }, "/names/1" },
		{ "192.0.2.1", { 0 }, "/names/1" },
		{ "", { 0 }, "/names/1" },
		{ "b.example.com", { .c = (char *)(uintptr_t)"de" }, "/subject/c" },
		{ "b.example.com", { .cn = (char *)(uintptr_t)"c.example.com" }, "/subject/cn" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strlist_ struct strlist names = { 0 };
		unsigned char *der = NULL;
		size_t n;

		strlist_add(&names, "a.example.com");
		strlist_add(&names, cases[i].name);
		ASSERT_INT(keys_sign_csr(r.keys, &(struct csr_request){ handle(&m, ID), &names, &cases[i].subject, false }, &der, &n, &r.err), -ERR_INVALID);
		ASSERT_STR(r.err.field, cases[i].field);
		err_clear(&r.err);
	}
}

static void an_exported_key_is_the_same_key_again(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_RSA2048 };
	const struct key_place to = { "key", OTHER, "sealed" };
	_cleanup_rig_ struct rig r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_key_made_ struct key_made m = make(&r, KEY_CERTIFICATE, types[i], ID), again = { 0 };
		_cleanup_secret_ struct secret pem = { 0 };
		struct key_handle h = handle(&m, ID);

		ASSERT_FAILS(keys_export(r.keys, &h, NULL, &pem, &r.err), &r.err, ERR_DENIED);
		ASSERT_FAILS(keys_export(r.keys, &h, "", &pem, &r.err), &r.err, ERR_DENIED);
		ASSERT_FAILS(keys_export(r.keys, &h, "yes", &pem, &r.err), &r.err, ERR_DENIED);
		ASSERT_OK(keys_export(r.keys, &h, OTHER, &pem, &r.err), &r.err);
		ASSERT_TRUE(str_starts((char *)pem.p, "-----BEGIN PRIVATE KEY-----\n"));
		ASSERT_OK(keys_import(r.keys, KEY_CERTIFICATE, &pem, &to, NULL, &again, &r.err), &r.err);
		ASSERT_STR(again.public_hash, m.public_hash);
		ASSERT_STR(again.type.s, m.type.s);
	}
}

static void keys_of_others_are_imported_or_refused_with_the_reason(void **state)
{
	static const struct {
		const char *file;
		enum key_purpose purpose;
		const char *says; /* NULL: accepted */
	} cases[] = {
		{ "p256-pkcs8.pem", KEY_CERTIFICATE, NULL },
		{ "p256-sec1.pem", KEY_CERTIFICATE, NULL },
		{ "p256-params.pem", KEY_ACCOUNT, NULL },
		{ "p521.pem", KEY_CERTIFICATE, NULL },
		{ "rsa-pkcs1.pem", KEY_ACCOUNT, NULL },
		{ "p521.pem", KEY_ACCOUNT, "cannot be an account key" },
		{ "rsa1024.pem", KEY_CERTIFICATE, "1024 bits" },
		{ "ed25519.pem", KEY_CERTIFICATE, "ED25519" },
		{ "encrypted.pem", KEY_CERTIFICATE, "encrypted" },
		{ "encrypted-old.pem", KEY_CERTIFICATE, "encrypted" },
		{ "explicit.pem", KEY_CERTIFICATE, "explicit" },
		{ "two.pem", KEY_CERTIFICATE, "more than one" },
		{ "public.pem", KEY_CERTIFICATE, "another kind" },
		{ "mismatch.pem", KEY_CERTIFICATE, "does not fit" },
	};
	const struct key_place to = { "key", ID, "sealed" };
	_cleanup_rig_ struct rig r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = path_join(DATA, cases[i].file), *text = NULL;
		_cleanup_key_made_ struct key_made m = { 0 };
		_cleanup_secret_ struct secret pem = { 0 };
		const char *directory = cases[i].purpose == KEY_ACCOUNT ? DIRECTORY : NULL;
		int code;

		ASSERT_OK(file_read_secret(path, 65536, &pem, &r.err), &r.err);
		code = keys_import(r.keys, cases[i].purpose, &pem, &to, directory, &m, &r.err);
		text = err_text(&r.err);
		if ((code == 0) != !cases[i].says || (cases[i].says && !strstr(text, cases[i].says)))
			print_error("%s: %d %s\n", cases[i].file, code, text);
		ASSERT_INT(code, cases[i].says ? -ERR_INVALID : 0);
		if (cases[i].says)
			ASSERT_HAS(text, cases[i].says);
		err_clear(&r.err);
	}
}

static void the_servers_own_certificate_is_accepted_by_openssl(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_RSA2048 };
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_strlist_ struct strlist names = { 0 };
	int64_t now_ms = clock_now(&clock_system);

	strlist_add(&names, "localhost");
	strlist_add(&names, "Certs.example.com");
	strlist_add(&names, "127.0.0.1");
	strlist_add(&names, "::1");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_key_made_ struct key_made m = make(&r, KEY_TLS, types[i], ID);
		struct self_signed_request q = { handle(&m, ID), &names, now_ms, 90 };
		_cleanup_free_ char *pem = NULL, *path = path_join(r.dir, "cert.pem"), *joined = NULL;
		_cleanup_chain_ struct chain c = { 0 };

		ASSERT_OK(keys_self_signed(r.keys, &q, &pem, &r.err), &r.err);
		ASSERT_OK(chain_parse(pem, strlen(pem), &c, &r.err), &r.err);
		joined = strlist_join(&c.v[0].info.names, " ");
		ASSERT_STR(joined, "certs.example.com localhost");
		ASSERT_TRUE(c.v[0].info.san_other);
		ASSERT_STR(c.v[0].info.public_hash, m.public_hash);
		ASSERT_OK(file_write_atomic(path, pem, strlen(pem), 0600, &r.err), &r.err);
		ASSERT_INT(run((const char *[]){ "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "::1", "-CAfile", path, path, NULL }), 0);
		ASSERT_INT(run((const char *[]){ "openssl", "verify", "-verify_hostname", "certs.example.com", "-CAfile", path, path, NULL }), 0);
		ASSERT_INT(run((const char *[]){ "openssl", "verify", "-verify_hostname", "other.example.com", "-CAfile", path, path, NULL }), 2);
		unlink(path);
		q.days = 0;
		ASSERT_FAILS(keys_self_signed(r.keys, &q, &pem, &r.err), &r.err, ERR_INVALID);
	}
}

static void tls_signatures_verify_with_openssl(void **state)
{
	static const struct {
		enum key_type type;
		enum tls_scheme scheme;
		enum digest digest;
		const char *name;
		const char *padding;
	} cases[] = {
		{ KEY_P256, TLS_ECDSA, DIGEST_SHA256, "-sha256", NULL },
		{ KEY_P384, TLS_ECDSA, DIGEST_SHA384, "-sha384", NULL },
		{ KEY_RSA2048, TLS_RSA_PKCS1, DIGEST_SHA256, "-sha256", "rsa_padding_mode:pkcs1" },
		{ KEY_RSA2048, TLS_RSA_PSS, DIGEST_SHA512, "-sha512", "rsa_padding_mode:pss" },
	};
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_free_ char *cert = path_join(r.dir, "c"), *data = path_join(r.dir, "d"), *sig = path_join(r.dir, "s"), *pub = path_join(r.dir, "p");
	_cleanup_strlist_ struct strlist names = { 0 };

	strlist_add(&names, "localhost");
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		size_t k = i / 2;
		_cleanup_key_made_ struct key_made m = make(&r, KEY_TLS, cases[k].type, ID);
		_cleanup_free_ unsigned char *bytes = NULL;
		_cleanup_free_ char *pem = NULL;
		unsigned char d[DIGEST_MAX];
		size_t d_n = digest(cases[k].digest, "to be signed", 12, d), n;
		struct tls_sign_request q = { handle(&m, ID), cases[k].scheme, cases[k].digest, "to be signed", 12, false };

		if (i % 2) {
			q.p = d;
			q.n = d_n;
			q.is_digest = true;
		}
		ASSERT_OK(keys_tls_sign(r.keys, &q, &bytes, &n, &r.err), &r.err);
		ASSERT_OK(keys_self_signed(r.keys, &(struct self_signed_request){ handle(&m, ID), &names, clock_now(&clock_system), 1 }, &pem, &r.err), &r.err);
		ASSERT_OK(file_write_atomic(cert, pem, strlen(pem), 0600, &r.err), &r.err);
		ASSERT_OK(file_write_atomic(data, "to be signed", 12, 0600, &r.err), &r.err);
		ASSERT_OK(file_write_atomic(sig, bytes, n, 0600, &r.err), &r.err);
		ASSERT_INT(run((const char *[]){ "openssl", "x509", "-in", cert, "-pubkey", "-noout", "-out", pub, NULL }), 0);
		ASSERT_INT(run((const char *[]){ "openssl", "dgst", cases[k].name, "-verify", pub, "-signature", sig,
						 cases[k].padding ? "-sigopt" : data, cases[k].padding ? cases[k].padding : NULL, data, NULL }), 0);
		q.scheme = cases[k].scheme == TLS_ECDSA ? TLS_RSA_PSS : TLS_ECDSA;
		free(TAKE(bytes));
		ASSERT_FAILS(keys_tls_sign(r.keys, &q, &bytes, &n, &r.err), &r.err, ERR_INVALID);
	}
	unlink(cert);
	unlink(data);
	unlink(sig);
	unlink(pub);
}

struct worker {
	struct rig *rig;
	struct key_made *keys;
	unsigned n, failed;
};

static void *sign_many(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < 60; i++) {
		struct err err = ERR_INIT;
		struct jws_request q = { handle(&w->keys[i % w->n], ID), DIRECTORY, "bm9uY2U", NULL, "{}" };
		char *text = NULL;

		w->failed += keys_sign_jws(w->rig->keys, &q, &text, &err) < 0;
		free(text);
		err_clear(&err);
	}
	return NULL;
}

static void many_threads_sign_with_more_keys_than_are_kept_open(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	struct key_made keys[80];
	struct worker w[6];
	pthread_t t[6];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		keys[i] = make(&r, KEY_ACCOUNT, KEY_P256, ID);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		w[i] = (struct worker){ &r, keys, i % 2 ? ARRAY_SIZE(keys) : 3, 0 };
		ASSERT_INT(pthread_create(&t[i], NULL, sign_many, &w[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		pthread_join(t[i], NULL);
		ASSERT_INT(w[i].failed, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		key_made_clear(&keys[i]);
}

/* --- the ring --- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	struct err err = ERR_INIT;

	ASSERT_OK(file_write_atomic(path, text, strlen(text), mode, &err), &err);
	ASSERT_INT(chmod(path, mode), 0);
}

static int open_files(const char *a, const char *b, const char *check, struct keys **ret, struct err *err)
{
	struct keys_options o = { .check_text = check, .separate = rig_separate };
	int r;

	strlist_add(&o.files, a);
	if (b)
		strlist_add(&o.files, b);
	r = keys_open(&o, ret, err);
	strlist_clear(&o.files);
	return r;
}

static void a_wrong_master_key_is_refused_and_the_file_named(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_free_ char *check = keys_check_text(r.keys), *other = path_join(r.dir, "other.key"), *text = NULL, *forged = NULL;
	struct keys *k = NULL;

	ASSERT_OK(open_files(r.master, NULL, check, &k, &r.err), &r.err);
	keys_close(k);
	ASSERT_OK(keys_master_create(other, &r.err), &r.err);
	ASSERT_INT(open_files(other, NULL, check, &k, &r.err), -ERR_NEEDS_PERSON);
	text = err_text(&r.err);
	ASSERT_HAS(text, other);
	ASSERT_HAS(text, "not the one this database was sealed with");
	ASSERT_TRUE(r.err.hint || r.err.cause->hint);
	err_clear(&r.err);
	forged = xstrdup(check);
	forged[strlen(forged) - 1] ^= 1;
	ASSERT_FAILS(open_files(r.master, NULL, forged, &k, &r.err), &r.err, ERR_NEEDS_PERSON);
	ASSERT_FAILS(open_files(r.master, NULL, "nonsense", &k, &r.err), &r.err, ERR_NEEDS_PERSON);
	ASSERT_FAILS(open_files(r.master, r.master, NULL, &k, &r.err), &r.err, ERR_NEEDS_PERSON);
	ASSERT_FAILS(keys_master_create(other, &r.err), &r.err, ERR_CONFLICT);
	unlink(other);
}

static void master_key_files_are_judged(void **state)
{
	static const char hex64[] = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
	static const struct {
		const char *text;
		mode_t mode;
		const char *says; /* NULL: fine */
	} cases[] = {
		{ hex64, 0600, NULL },
		{ "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=\n", 0400, NULL },
		{ "ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8\n", 0600, NULL },
		{ hex64, 0604, "open to others" },
		{ hex64, 0620, "open to others" },
		{ hex64, 0666, "open to others" },
		{ "", 0600, "does not hold 32 bytes" },
		{ "0011", 0600, "does not hold 32 bytes" },
		{ "not a key at all, nor anything like it", 0600, "does not hold 32 bytes" },
	};
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_free_ char *path = path_join(r.dir, "k"), *same = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;
		struct keys *k = NULL;

		write_file(path, cases[i].text, cases[i].mode);
		if (!cases[i].says) {
			_cleanup_free_ char *check = NULL;

			ASSERT_OK(open_files(path, NULL, same, &k, &r.err), &r.err); /* three spellings of one key */
			check = keys_check_text(k);
			replace_str(&same, check);
			keys_close(k);
			continue;
		}
		ASSERT_INT(open_files(path, NULL, NULL, &k, &r.err), -ERR_NEEDS_PERSON);
		text = err_text(&r.err);
		ASSERT_HAS(text, cases[i].says);
		ASSERT_HAS(text, path);
		err_clear(&r.err);
	}
	unlink(path);
	ASSERT_FAILS(open_files(path, NULL, NULL, &(struct keys *){ NULL }, &r.err), &r.err, ERR_NEEDS_PERSON);
}

static void a_credential_is_found_by_its_name(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	struct keys *k = NULL;

	unsetenv("CREDENTIALS_DIRECTORY");
	ASSERT_FAILS(open_files("master.key", NULL, NULL, &k, &r.err), &r.err, ERR_NEEDS_PERSON);
	setenv("CREDENTIALS_DIRECTORY", r.dir, 1);
	ASSERT_OK(open_files("master.key", NULL, NULL, &k, &r.err), &r.err);
	keys_close(k);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void the_newest_key_seals_and_every_key_opens(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_CERTIFICATE, KEY_P256, ID), out = { 0 }, again = { 0 };
	_cleanup_free_ char *newer = path_join(r.dir, "new.key"), *check = keys_check_text(r.keys), *both = NULL;
	_cleanup_free_ unsigned char *resealed = NULL;
	struct key_handle h = handle(&m, ID);
	struct keys *k = NULL;
	size_t n;

	ASSERT_OK(keys_master_create(newer, &r.err), &r.err);
	ASSERT_OK(open_files(newer, r.master, check, &k, &r.err), &r.err);
	both = keys_check_text(k);
	ASSERT_TRUE(str_ends(both, check));
	ASSERT_OK(keys_public(k, &h, &out, &r.err), &r.err);
	ASSERT_STR(out.public_hash, m.public_hash);
	ASSERT_OK(keys_reseal(k, &h, &resealed, &n, &r.err), &r.err);
	keys_close(k);
	h.sealed = resealed;
	h.n = n;
	ASSERT_FAILS(keys_public(r.keys, &h, &again, &r.err), &r.err, ERR_NEEDS_PERSON); /* the old ring lacks the new key */
	ASSERT_OK(open_files(newer, NULL, NULL, &k, &r.err), &r.err);
	ASSERT_OK(keys_public(k, &h, &again, &r.err), &r.err);
	ASSERT_STR(again.public_hash, m.public_hash);
	h = handle(&m, ID);
	key_made_clear(&again);
	ASSERT_FAILS(keys_public(k, &h, &again, &r.err), &r.err, ERR_NEEDS_PERSON);
	ASSERT_FAILS(open_files(newer, NULL, both, &(struct keys *){ NULL }, &r.err), &r.err, ERR_NEEDS_PERSON);
	keys_close(k);
	unlink(newer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_of_every_type_are_made),
		TEST(swapped_ciphertexts_are_refused_and_named),
		TEST(every_changed_byte_of_a_sealed_value_is_noticed),
		TEST(places_have_plain_names),
		TEST(an_account_key_signs_for_its_own_host_only),
		TEST(a_key_does_only_what_it_is_for),
		TEST(a_secret_is_no_key),
		TEST(a_made_request_is_what_was_asked_for),
		TEST(a_request_with_bad_names_or_fields_is_refused_with_the_field),
		TEST(an_exported_key_is_the_same_key_again),
		TEST(keys_of_others_are_imported_or_refused_with_the_reason),
		TEST(the_servers_own_certificate_is_accepted_by_openssl),
		TEST(tls_signatures_verify_with_openssl),
		TEST(many_threads_sign_with_more_keys_than_are_kept_open),
		TEST(a_wrong_master_key_is_refused_and_the_file_named),
		TEST(master_key_files_are_judged),
		TEST(a_credential_is_found_by_its_name),
		TEST(the_newest_key_seals_and_every_key_opens),
	};

	return RUN_BOTH(tests);
}
