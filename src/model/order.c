/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - see order.h. */
#include "model/order.h"

DEFINE_ENUM(order_status, ORDER_STATUSES)
DEFINE_ENUM(order_step, ORDER_STEPS)
DEFINE_ENUM(order_stage, ORDER_STAGES)
DEFINE_ENUM(order_mode, ORDER_MODES)
DEFINE_ENUM(validation, VALIDATIONS)
DEFINE_ENUM(authz_status, AUTHZ_STATUSES)
DEFINE_ENUM(challenge_status, CHALLENGE_STATUSES)
DEFINE_ENUM(record_status, RECORD_STATUSES)

void order_options_done(struct order_options *o)
{
	free(o->preferred_chain);
	*o = (struct order_options){ 0 };
}

void order_done(struct order *o)
{
	order_options_done(&o->options);
	free(o->id);
	free(o->account_id);
	free(o->certificate_id);
	free(o->csr_id);
	strlist_clear(&o->names);
	free(o->names_hash);
	free(o->dns_method);
	free(o->http_method);
	free(o->methods);
	free(o->profile);
	free(o->key_type);
	free(o->requester);
	free(o->request_hash);
	free(o->turn_hash);
	free(o->url);
	free(o->finalize_url);
	free(o->certificate_url);
	free(o->lane);
	free(o->lease_owner);
	free(o->waiting_for);
	free(o->reason);
	*o = (struct order){ 0 };
}

static bool by_hand(const struct order *o)
{
	const char *method = o->validation == VALIDATION_DNS01 ? o->dns_method : o->http_method;

	return method && streq(method, METHOD_MANUAL);
}

enum order_stage order_stage(const struct order *o)
{
	if (o->set_aside)
		return STAGE_SET_ASIDE;
	switch (o->step) {
	case STEP_QUEUED:
		return o->waiting_for ? STAGE_WAITING_TURN : STAGE_CREATING;
	case STEP_CREATE:
		return STAGE_CREATING;
	case STEP_AUTHORIZE:
		return STAGE_AUTHORIZING;
	case STEP_PUBLISH:
		return STAGE_PUBLISHING;
	case STEP_PROPAGATE:
		return by_hand(o) ? STAGE_WAITING_PERSON : STAGE_PROPAGATING;
	case STEP_ACCEPT:
	case STEP_VALIDATE:
		return STAGE_VALIDATING;
	case STEP_CONFIRM:
		if (o->status != ORDER_READY)
			return STAGE_VALIDATING;
		return o->want_finalize ? STAGE_FINALIZING : STAGE_READY;
	case STEP_FINALIZE:
		return STAGE_FINALIZING;
	case STEP_COLLECT:
	case STEP_DOWNLOAD:
		return STAGE_COLLECTING;
	case STEP_ABANDON:
		return STAGE_ENDING;
	case STEP_DONE:
		return STAGE_VALID;
	case STEP_FAILED:
		return STAGE_INVALID;
	}
	abort();
}

void authz_done(struct authz *a)
{
	free(a->id);
	free(a->order_id);
	free(a->identifier);
	free(a->url);
	free(a->challenge_url);
	free(a->token);
	free(a->record_id);
	free(a->reason);
	*a = (struct authz){ 0 };
}

void record_done(struct record *r)
{
	free(r->id);
	free(r->order_id);
	free(r->zone);
	free(r->method);
	free(r->domain);
	free(r->alias);
	free(r->receipt);
	free(r->key_auth);
	free(r->token);
	free(r->value);
	free(r->detail);
	*r = (struct record){ 0 };
}

const char *method_title(const char *method)
{
	if (!method)
		return "";
	if (streq(method, METHOD_DELEGATION))
		return "Delegation";
	if (streq(method, METHOD_MANUAL))
		return "Manual";
	if (streq(method, METHOD_BUILTIN))
		return "Built-in";
	return method;
}

void delegation_done(struct delegation *d)
{
	free(d->id);
	free(d->name);
	free(d->made_for_order);
	free(d->provider_id);
	free(d->target);
	free(d->looked);
	free(d->away);
	*d = (struct delegation){ 0 };
}
