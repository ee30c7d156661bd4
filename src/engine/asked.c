/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked.c - what the Internet asked about delegated zones, folded by network, transport, type and outcome before it is written:
 * however much is asked, a write every few seconds with a bounded number of rows.
 */
#include "engine/private.h"

#include "base/addr.h"
#include "base/log.h"

#define ASKED_MAX 256 /* between two writes; more are left out */

struct asked_fold {
	char zone[FEED_NAME_MAX + 1];
	uint8_t network[16], family;
	enum feed_transport transport;
	uint16_t qtype, rcode;
	bool answered;
	int64_t times, first_ms, last_ms;
	struct asked_fold *next;
};

static bool same(const struct asked_fold *f, const struct feed_report *r)
{
	return f->transport == r->transport && f->qtype == r->qtype && f->rcode == r->status && f->answered == (r->answers > 0) &&
	       f->family == r->family && !memcmp(f->network, r->source, 16) && str_is(r->name, f->zone);
}

bool asked_note(struct engine *e, const struct feed_report *r)
{
	struct asked_fold *f;
	size_t n = 0;

	if (r->transport == FEED_HTTP01 || r->name.n > FEED_NAME_MAX || !r->name.n)
		return false;
	for (f = e->asked; f && !same(f, r); f = f->next)
		n++;
	if (!f && n >= ASKED_MAX)
		return false;
	if (!f) {
		f = xcalloc(1, sizeof *f);
		memcpy(f->zone, r->name.p, r->name.n);
		memcpy(f->network, r->source, 16);
		f->family = r->family;
		f->transport = r->transport;
		f->qtype = r->qtype;
		f->rcode = r->status;
		f->answered = r->answers > 0;
		f->first_ms = r->first_ms;
		f->next = e->asked;
		e->asked = f;
	}
	f->times += r->count;
	f->last_ms = MAX(f->last_ms, r->last_ms);
	return true;
}

static void asked_of(const struct asked_fold *f, struct asked *ret)
{
	char address[ADDR_TEXT], type[DNS_TYPE_TEXT], rcode[DNS_TYPE_TEXT];
	union addr a = { 0 };

	a.sa.sa_family = f->family == 4 ? AF_INET : AF_INET6;
	if (f->family == 4)
		memcpy(&a.in.sin_addr, f->network, 4);
	else
		memcpy(&a.in6.sin6_addr, f->network, 16);
	*ret = (struct asked){
		.network = xasprintf("%s/%d", addr_format_ip(&a, address), f->family == 4 ? 24 : 56),
		.transport = xstrdup(f->transport == FEED_TCP ? "tcp" : "udp"), .qtype = xstrdup(dns_type_text(f->qtype, type)),
		.outcome = xstrdup(f->rcode ? dns_rcode_text(f->rcode, rcode) : f->answered ? "answered" : "empty"),
		.times = f->times, .first_ms = f->first_ms, .last_ms = f->last_ms,
	};
}

struct asked_write {
	struct asked_fold *folds;
};

static int write_all(struct sql *tx, void *arg, struct err *err)
{
	struct asked_write *w = arg;

	for (const struct asked_fold *f = w->folds; f; f = f->next) {
		_cleanup_(delegation_done) struct delegation d = { 0 };
		_cleanup_asked_ struct asked a = { 0 };
		const char *name = strstr(f->zone, "_acme-challenge.");

		if (!name)
			continue;
		if (store_delegation_find(tx, name + strlen("_acme-challenge."), &d, err) < 0) {
			if (err->code != ERR_NOT_FOUND)
				return -(int)err->code;
			err_clear(err);
			continue;
		}
		asked_of(f, &a);
		if (store_asked_add(tx, d.id, &a, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

void asked_free(struct asked_fold *f)
{
	while (f) {
		struct asked_fold *next = f->next;

		free(f);
		f = next;
	}
}

void asked_tell(struct engine *e)
{
	_cleanup_err_ struct err err = { 0 };
	struct asked_write w = { 0 };

	pthread_mutex_lock(&e->lock);
	w.folds = e->asked;
	e->asked = NULL;
	pthread_mutex_unlock(&e->lock);
	if (w.folds && engine_write(e, write_all, &w, &err) < 0)
		log_err(LOG_DEBUG, "could not note what was asked about delegated zones", &err);
	asked_free(w.folds);
}
