/* SPDX-License-Identifier: Apache-2.0 */
/* work.c - see work.h. */
#include "model/work.h"

DEFINE_ENUM(job_state, JOB_STATES)
DEFINE_ENUM(job_kind, JOB_KINDS)
DEFINE_ENUM(debt_kind, DEBT_KINDS)
DEFINE_ENUM(event_level, EVENT_LEVELS)
DEFINE_ENUM(edge_kind, EDGE_KINDS)

void job_done(struct job *j)
{
	free(j->id);
	free(j->subject_kind);
	free(j->subject_id);
	free(j->args);
	free(j->result);
	free(j->reason);
	free(j->lane);
	free(j->lease_owner);
	free(j->created_by);
	*j = (struct job){ 0 };
}

void debt_done(struct debt *d)
{
	free(d->id);
	free(d->order_id);
	free(d->record_id);
	free(d->method);
	free(d->what);
	free(d->lane);
	free(d->lease_owner);
	free(d->reason);
	*d = (struct debt){ 0 };
}

void lane_done(struct lane *l)
{
	free(l->name);
	free(l->reason);
	*l = (struct lane){ 0 };
}

void event_done(struct event *e)
{
	free(e->id);
	free(e->subject_kind);
	free(e->subject_id);
	free(e->text);
	free(e->detail);
	*e = (struct event){ 0 };
}

void edge_item_done(struct edge_item *f)
{
	free(f->name);
	free(f->value);
	*f = (struct edge_item){ 0 };
}
