/* SPDX-License-Identifier: Apache-2.0 */
/* signer.c - see signer.h. */
#include "acme/signer.h"

static struct acme_keys_signer *self(struct acme_signer *s)
{
	return (struct acme_keys_signer *)(void *)((char *)s - offsetof(struct acme_keys_signer, acme));
}

static int give(struct buf *ret, char *text)
{
	buf_add_str(ret, text);
	free(text);
	return 0;
}

static int sign(struct acme_signer *s, const char *url, const char *nonce, const char *kid, const char *payload, struct buf *ret,
		struct err *err)
{
	struct jws_request r = { .key = self(s)->account, .url = url, .nonce = nonce, .kid = kid, .payload = payload ? payload : "" };
	char *text;

	if (keys_sign_jws(self(s)->keys, &r, &text, err) < 0)
		return -(int)err->code;
	return give(ret, text);
}

static int sign_eab(struct acme_signer *s, const char *url, struct buf *ret, struct err *err)
{
	struct eab_request r = { .hmac = self(s)->eab_hmac, .key = self(s)->account, .kid = self(s)->eab_kid, .url = url };
	char *text;

	if (!r.kid)
		return err_set(err, ERR_INVALID, "there are no external account binding credentials");
	if (keys_eab(self(s)->keys, &r, &text, err) < 0)
		return -(int)err->code;
	return give(ret, text);
}

static int sign_rollover(struct acme_signer *s, const char *url, const char *nonce, const char *account_url, struct buf *ret,
			 struct err *err)
{
	struct rollover_request r = { .old_key = self(s)->account, .account_url = account_url, .key_change_url = url, .nonce = nonce };
	char *text;

	if (!self(s)->new_account)
		return err_set(err, ERR_INVALID, "there is no new account key");
	r.new_key = *self(s)->new_account;
	if (keys_rollover(self(s)->keys, &r, &text, err) < 0)
		return -(int)err->code;
	return give(ret, text);
}

void acme_keys_signer_init(struct acme_keys_signer *s, struct keys *k, const struct key_handle *account)
{
	*s = (struct acme_keys_signer){ .acme = { sign, sign_eab, sign_rollover }, .keys = k, .account = *account };
}
