/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acme_probe.c - walks through every call of acme/ against a real server (Pebble), with real keys and the real HTTP client.
 * Challenges are only answered, not provisioned: the server is told to find everything valid.
 *
 *	acme_probe DIRECTORY-URL CA-PEM-FILE SCRATCH-DIR [EAB-KID EAB-HMAC-FILE]
 */
#include "acme/signer.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "net/client.h"

#include <stdio.h>
#include <time.h>

static unsigned retries;

static void check(int r, struct err *err, const char *what)
{
	if (r >= 0) {
		printf("ok: %s\n", what);
		fflush(stdout);
		return;
	}
	char *text = err_text(err);

	fprintf(stderr, "not ok: %s: %s (%s)\n", what, text, err_slug(err->code));
	exit(1);
}

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "not ok: %s\n", what);
		exit(1);
	}
}

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static struct key_handle handle(const char *id, const struct key_made *m)
{
	return (struct key_handle){ "probe", id, "sealed", m->sealed, m->sealed_n };
}

static struct keys *open_keys(const char *dir)
{
	struct err err = ERR_INIT;
	struct keys_options o = { 0 };
	char *path = path_join(dir, "master.key");
	struct keys *k;

	unlink(path);
	check(keys_master_create(path, &err), &err, "make a master key");
	strlist_add(&o.files, path);
	check(keys_open(&o, &k, &err), &err, "open the keys");
	strlist_clear(&o.files);
	free(path);
	return k;
}

static struct acme_order wait_order(struct acme_session *s, const char *url, const struct strlist *names, enum acme_order_status not_this)
{
	struct err err = ERR_INIT;

	for (int i = 0; i < 200; i++) {
		struct acme_order o = { 0 };

		check(acme_order_get(s, url, names, &o, &err), &err, "read the order");
		retries += s->nonce_tries;
		if (o.status != not_this && o.status != ACME_ORDER_PROCESSING)
			return o;
		acme_order_clear(&o);
		pause_ms(100);
	}
	must(false, "the order moves on");
	abort();
}

static void answer_challenges(struct acme_session *s, const struct acme_order *o)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < o->authz_urls.n; i++) {
		struct acme_authz a = { 0 };
		struct acme_challenge accepted = { 0 };
		const struct acme_challenge *c;

		check(acme_authz_get(s, o->authz_urls.v[i], &a, &err), &err, "read an authorization");
		retries += s->nonce_tries;
		if (a.status == ACME_AUTHZ_PENDING) {
			c = acme_authz_challenge(&a, ACME_CHALLENGE_DNS01);
			must(c != NULL, "there is a dns-01 challenge");
			check(acme_challenge_accept(s, c->url, &accepted, &err), &err, "accept a challenge");
			retries += s->nonce_tries;
		}
		acme_challenge_clear(&accepted);
		acme_authz_clear(&a);
	}
}

static void issue(struct acme_session *s, struct keys *k, const struct strlist *names, struct acme_chain *ret)
{
	struct err err = ERR_INIT;
	struct acme_order_request q = { .names = names };
	struct acme_order o = { 0 }, o2;
	struct key_made cert_key = { 0 };
	struct key_place place = { "probe", "cert", "sealed" };
	struct csr_request cq = { .names = names };
	unsigned char *csr;
	size_t csr_n;

	check(acme_order_new(s, &q, &o, &err), &err, "make an order");
	retries += s->nonce_tries;
	must(o.url && o.authz_urls.n == names->n && o.expires_ms > 0, "the order is complete");
	answer_challenges(s, &o);
	o2 = wait_order(s, o.url, names, ACME_ORDER_PENDING);
	must(o2.status == ACME_ORDER_READY, "the order becomes ready");
	check(keys_generate(k, KEY_CERTIFICATE, KEY_P256, &place, NULL, &cert_key, &err), &err, "make a key");
	cq.key = handle("cert", &cert_key);
	check(keys_sign_csr(k, &cq, &csr, &csr_n, &err), &err, "sign a CSR");
	acme_order_clear(&o2);
	check(acme_order_finalize(s, o.url, o.finalize_url, csr, csr_n, names, &o2, &err), &err, "finalize");
	retries += s->nonce_tries;
	acme_order_clear(&o2);
	o2 = wait_order(s, o.url, names, ACME_ORDER_READY);
	must(o2.status == ACME_ORDER_VALID && o2.certificate_url, "the order becomes valid");
	check(acme_certificate_get(s, o2.certificate_url, ret, &err), &err, "download the certificate");
	retries += s->nonce_tries;
	must(ret->n_certificates >= 2 && ret->alternates.n == 2, "the chain has its intermediate and two alternates are offered");
	for (size_t i = 0; i < ret->alternates.n; i++) {
		struct acme_chain other = { 0 };

		check(acme_certificate_get(s, ret->alternates.v[i], &other, &err), &err, "download an alternate chain");
		must(!streq(other.pem, ret->pem), "the alternate differs");
		acme_chain_clear(&other);
	}
	free(csr);
	key_made_clear(&cert_key);
	acme_order_clear(&o);
	acme_order_clear(&o2);
}

static void revoke_twice(struct acme_session *s, const struct acme_chain *chain)
{
	struct err err = ERR_INIT;
	struct buf b64 = BUF_MAX(64 * 1024), der = BUF_MAX(64 * 1024);
	const char *p = strchr(chain->pem, '\n') + 1, *end = strstr(p, "-----END");

	for (; p < end; p++)
		if (*p != '\n')
			buf_add_char(&b64, *p);
	check(base64_decode(&der, b64.p, b64.n, &err), &err, "read the leaf");
	check(acme_revoke(s, der.p, der.n, 1, false, &err), &err, "revoke");
	check(acme_revoke(s, der.p, der.n, ACME_REASON_NONE, false, &err), &err, "revoke what is revoked");
	buf_done(&b64);
	buf_done(&der);
}

static void expect_fail(int r, struct err *err, enum err_code code, const char *what)
{
	if (r >= 0 || err->code != code) {
		fprintf(stderr, "not ok: %s: %s instead of %s\n", what, err_slug(err->code), err_slug(code));
		exit(1);
	}
	char *text = err_text(err);

	printf("ok: %s: %s\n", what, text);
	free(text);
	err_clear(err);
}

static void use_eab(struct acme_keys_signer *signer, struct keys *k, const char *kid, const char *hmac)
{
	struct err err = ERR_INIT;
	struct key_place place = { "probe", "eab", "sealed" };
	struct secret text = { 0 };
	static unsigned char *sealed;
	static size_t n;

	check(file_read_secret(hmac, 1024, &text, &err), &err, "read the EAB key");
	check(keys_seal(k, &text, &place, &sealed, &n, &err), &err, "seal the EAB key");
	signer->eab_kid = kid;
	signer->eab_hmac = (struct key_handle){ "probe", "eab", "sealed", sealed, n };
	secret_clear(&text);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct net_config config = { .trust = argc > 2 ? argv[2] : NULL, .allow = "127.0.0.0/8" };
	struct net_policy *policy;
	struct net_client *client;
	struct acme_cas *cas = acme_cas_new();
	struct acme_ca *ca;
	struct acme_directory d = { 0 };
	struct key_made account = { 0 }, second = { 0 };
	struct key_place place = { "probe", "account", "sealed" }, place2 = { "probe", "second", "sealed" };
	struct acme_keys_signer signer;
	struct strlist mails = { 0 }, names = { 0 };
	struct acme_registration reg = { .contacts = &mails };
	struct acme_account a = { 0 }, found = { 0 };
	struct acme_chain chain = { 0 };
	struct keys *k;

	if (argc != 4 && argc != 6)
		return 2;
	json_init();
	net_init();
	check(net_policy_new(&config, &policy, &err), &err, "read the network policy");
	client = net_client_new(policy, NULL);
	k = open_keys(argv[3]);
	check(acme_ca_get(cas, argv[1], &ca, &err), &err, "know the CA");
	check(keys_generate(k, KEY_ACCOUNT, KEY_P256, &place, argv[1], &account, &err), &err, "make an account key");
	check(keys_generate(k, KEY_ACCOUNT, KEY_RSA2048, &place2, argv[1], &second, &err), &err, "make another account key");

	struct key_handle handle1 = handle("account", &account), handle2 = handle("second", &second);

	acme_keys_signer_init(&signer, k, &handle1);
	struct acme_session s = { .ca = ca, .http = net_client_http(client), .signer = &signer.acme, .clock = &clock_system };

	check(acme_directory_get(&s, &d, &err), &err, "read the directory");
	strlist_add(&mails, "probe@example.test");
	expect_fail(acme_account_find(&s, &found, &err), &err, ERR_NOT_FOUND, "no account of this key");
	expect_fail(acme_account_register(&s, &reg, &a, &err), &err, ERR_NEEDS_PERSON, "no account without terms agreed");
	reg.tos_agreed = true;
	if (argc == 6) {
		must(d.eab_required, "the directory says that EAB is required");
		expect_fail(acme_account_register(&s, &reg, &a, &err), &err, ERR_NEEDS_PERSON, "no account without EAB");
		use_eab(&signer, k, argv[4], argv[5]);
		reg.eab = true;
	}
	check(acme_account_register(&s, &reg, &a, &err), &err, "register");
	must(a.created && a.status == ACME_ACCOUNT_VALID && a.contacts.n == 1, "the account is new and valid");
	check(acme_account_find(&s, &found, &err), &err, "find the account");
	must(streq(found.url, a.url) && !found.created, "it is the same account");
	s.account_url = a.url;
	acme_account_clear(&found);
	check(acme_account_get(&s, &found, &err), &err, "read the account");
	acme_account_clear(&found);
	strlist_clear(&mails);
	strlist_add(&mails, "other@example.test");
	check(acme_account_update(&s, &mails, false, &found, &err), &err, "update the contact");
	must(found.contacts.n == 1 && streq(found.contacts.v[0], "other@example.test"), "the contact has changed");

	strlist_add(&names, "*.example.test");
	strlist_add(&names, "example.test");
	strlist_add(&names, "www.other.test");
	issue(&s, k, &names, &chain);
	revoke_twice(&s, &chain);

	signer.new_account = &handle2;
	check(acme_key_change(&s, &err), &err, "change the key");
	signer.account = handle2;
	acme_account_clear(&found);
	check(acme_account_get(&s, &found, &err), &err, "read the account with the new key");
	signer.account = handle1;
	expect_fail(acme_account_find(&s, &found, &err), &err, ERR_NOT_FOUND, "the old key has no account any more");
	signer.account = handle2;
	expect_fail(acme_order_get(&s, d.new_order, &names, &(struct acme_order){ 0 }, &err), &err, ERR_REMOTE_REFUSED, "an address that is no order");
	check(acme_account_deactivate(&s, &err), &err, "deactivate the account");
	acme_account_clear(&found);
	if (acme_account_get(&s, &found, &err) >= 0)
		must(found.status == ACME_ACCOUNT_DEACTIVATED, "the account is deactivated");
	err_clear(&err);

	printf("done: %u requests, %u nonces refused on the way, %zu in the pool, clock differs by %d s\n", s.requests, retries,
	       acme_ca_nonces(ca), (int)(acme_ca_skew_ms(ca) / 1000));
	acme_session_done(&s);
	acme_account_clear(&a);
	acme_account_clear(&found);
	acme_chain_clear(&chain);
	acme_directory_clear(&d);
	key_made_clear(&account);
	key_made_clear(&second);
	strlist_clear(&mails);
	strlist_clear(&names);
	keys_close(k);
	net_client_free(client);
	net_policy_unref(policy);
	acme_cas_free(cas);
	return 0;
}
