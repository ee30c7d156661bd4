/* SPDX-License-Identifier: Apache-2.0 */
/* signer.c - acme's signer over keys/: the private key never comes here, only its sealed bytes pass through. */
#include "engine/private.h"

static struct key_handle handle(const struct key_row *k)
{
	return (struct key_handle){ .table = "key", .id = k->id, .column = "sealed", .sealed = k->sealed, .n = k->sealed_n };
}

static int add(struct buf *ret, char *take_text)
{
	buf_add_str(ret, take_text);
	free(take_text);
	return 0;
}

static int sign(struct acme_signer *as, const char *url, const char *nonce, const char *kid, const char *payload,
		struct buf *ret, struct err *err)
{
	struct engine_signer *s = (struct engine_signer *)as;
	struct jws_request q = {
		.key = handle(s->key), .url = url, .nonce = nonce, .kid = kid, .payload = payload ? payload : "",
	};
	char *text;

	if (keys_sign_jws(s->keys, &q, &text, err) < 0)
		return err_wrap(err, "could not sign the request to '%s'", url);
	return add(ret, text);
}

static int sign_eab(struct acme_signer *as, const char *url, struct buf *ret, struct err *err)
{
	struct engine_signer *s = (struct engine_signer *)as;
	struct eab_request q = {
		.hmac = { .table = "account", .id = s->account->id, .column = "eab_sealed",
			  .sealed = s->account->eab_sealed, .n = s->account->eab_sealed_n },
		.key = handle(s->key), .kid = s->account->eab_kid, .url = url,
	};
	char *text;

	if (!s->account->eab_kid || !s->account->eab_sealed)
		return err_set(err, ERR_NEEDS_PERSON, "the authority wants an external account binding, and account '%s' has none",
			       s->account->name);
	if (keys_eab(s->keys, &q, &text, err) < 0)
		return err_wrap(err, "could not sign the external account binding");
	return add(ret, text);
}

void signer_init(struct engine_signer *s, struct keys *k, const struct key_row *key, const struct account *a)
{
	*s = (struct engine_signer){
		.acme = { .sign = sign, .sign_eab = sign_eab }, .keys = k, .key = key, .account = a,
	};
}
