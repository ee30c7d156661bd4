/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - see view.h. */
#include "model/view.h"

DEFINE_ENUM(view_kind, VIEW_KINDS)

void dns_view_done(struct dns_view *v)
{
	free(v->id);
	free(v->name);
	free(v->servers);
	free(v->url);
	free(v->connection);
	*v = (struct dns_view){ 0 };
}

void view_rule_done(struct view_rule *r)
{
	free(r->id);
	free(r->suffix);
	free(r->vendor);
	free(r->view_id);
	*r = (struct view_rule){ 0 };
}

void asked_done(struct asked *a)
{
	free(a->network);
	free(a->transport);
	free(a->qtype);
	free(a->outcome);
	*a = (struct asked){ 0 };
}
