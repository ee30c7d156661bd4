/* SPDX-License-Identifier: Apache-2.0 */
/* verb.c - see verb.h. */
#include "app/verb.h"

#include "app/host.h"

#include <stdio.h>

int verb_failed(const struct err *err)
{
	_cleanup_free_ char *text = err_text(err);

	fprintf(stderr, "certwright: %s\n", text);
	if (err->hint)
		fprintf(stderr, "%s\n", err->hint);
	return err_exit_status(err->code);
}

int verb_become(const struct config *c, struct err *err)
{
	struct host_user user = { 0 };
	int rc = host_user_find(c->run_user, &user, err);

	if (rc == 0)
		rc = host_state_make(c->state, &user, err);
	if (rc == 0)
		rc = host_user_become(&user, err);
	host_user_done(&user);
	return rc;
}

int verb_store(const struct config *c, struct store **ret, struct err *err)
{
	const struct store_options o = { .url = c->store_url, .password_file = c->store_password_file };

	if (verb_become(c, err) < 0)
		return -(int)err->code;
	return store_open(&o, ret, err) < 0 ? err_wrap(err, "could not open the store") : 0;
}
