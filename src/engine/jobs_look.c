/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs_look.c - whose certificate a host shows now: looked at when an integration is set up, shown to a person, and pinned only when the
 * person says so. Nothing is stored but the answer.
 */
#include "engine/private.h"

#include "engine/door.h"
#include "net/ruled.h"

static json_t *peer_json(const char *url, const struct http_peer *p)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "url", url, "fingerprint", p->fingerprint, "subject",
			 json_str_or_null(p->subject), "issuer", json_str_or_null(p->issuer), "names", json_str_or_null(p->names), "not_before",
			 json_time_or_null(p->not_before_ms), "not_after", json_time_or_null(p->not_after_ms));
}

int job_network_look(struct job_run *r, struct err *err)
{
	const char *url = json_string_value(json_object_get(r->args, "url"));
	const char *text = json_string_value(json_object_get(r->args, "connection"));
	_cleanup_connection_ struct connection c = { 0 };
	_cleanup_peer_ struct http_peer peer = { 0 };
	struct net_rule rule;

	if (!url)
		return err_set(err, ERR_INTERNAL, "the job names no host");
	if (connection_parse(text, &c, err) < 0 || door_open(&c, url, &rule, err) < 0)
		return -(int)err->code;
	if (net_look(r->w->http, &rule, url, &peer, err) < 0)
		return err_wrap(err, "could not look at the certificate of %.200s", url);
	r->result = peer_json(url, &peer);
	return 0;
}
