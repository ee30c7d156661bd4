/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - see renewal.h. */
#include "model/renewal.h"

DEFINE_ENUM(renewal_why, RENEWAL_WHYS)
DEFINE_ENUM(renewal_waits, RENEWAL_WAITS)
DEFINE_ENUM(notice_kind, NOTICE_KINDS)

void renewal_done(struct renewal *r)
{
	free(r->certificate_id);
	free(r->version_id);
	free(r->account_id);
	free(r->directory_url);
	free(r->ari_id);
	free(r->ari_reason);
	free(r->explanation_url);
	free(r->reason);
	free(r->window_id);
	*r = (struct renewal){ 0 };
}

void renewal_window_done(struct renewal_window *w)
{
	free(w->id);
	free(w->name);
	free(w->cron);
	free(w->zone);
	free(w->tag);
	*w = (struct renewal_window){ 0 };
}

void notice_done(struct notice *n)
{
	free(n->id);
	free(n->subject_kind);
	free(n->subject_id);
	free(n->cause);
	free(n->next_step);
	*n = (struct notice){ 0 };
}
