/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - see order.h. */
#include "service/order.h"

#include "engine/intake.h"
#include "model/vendor.h"
#include "service/certificate.h"
#include "service/methods.h"
#include "service/internal.h"
#include "store/csr.h"
#include "store/order_option.h"

#define EVENTS_SHOWN 200

void order_view_done(struct order_view *v)
{
	order_done(&v->order);
	free(v->account_name);
	free(v->account_email);
	free(v->vendor);
	free(v->directory_url);
	free(v->record);
	name_preview_list_done(&v->methods);
	free(v->external_dns);
	memset(v, 0, sizeof *v);
}

void order_detail_done(struct order_detail *d)
{
	order_view_done(&d->view);
	authz_list_done(&d->authzs);
	record_list_done(&d->records);
	event_list_done(&d->events);
}

struct order_job {
	const struct service *s;
	const struct actor *actor;
	const char *ref;
	int64_t rev;
	struct order_filter filter;
	struct page_mark end;
	struct page page;
	struct order_view_list *list;
	struct order_view *view;
	struct order_detail *detail;
	struct event_list *events;
	struct order_request *request;
	const struct order_create *create;
	struct once *once;
	struct audit *audit;
	bool existing;
	char **pem, **name;
	int64_t now_ms;
	char account_id[ULID_LEN + 1], csr_id[ULID_LEN + 1];
};

static void copy_id(char to[ULID_LEN + 1], const char *from)
{
	size_t n = MIN(strlen(from), (size_t)ULID_LEN);

	memcpy(to, from, n);
	to[n] = '\0';
}

/* What stands beside the order in a list: who the account is and what is published for it. */
static char *external_dns(const struct order_view *v)
{
	_cleanup_strlist_ struct strlist l = { 0 };

	if (v->order.validation != VALIDATION_DNS01)
		return xstrdup("");
	for (size_t i = 0; i < v->methods.n; i++)
		if (!strlist_has(&l, v->methods.v[i].provider))
			strlist_add(&l, v->methods.v[i].provider);
	return l.n ? strlist_join(&l, ", ") : xstrdup("");
}

static int view_fill(struct sql *q, struct order_view *v, bool with_record, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	_cleanup_record_list_ struct record_list records = { 0 };

	if (store_account_get_any(q, v->order.account_id, &a, err) < 0 || store_order_options_get(q, v->order.id, &v->order.options, err) < 0)
		return -(int)err->code;
	v->account_name = TAKE(a.name);
	v->account_email = TAKE(a.email);
	v->vendor = TAKE(a.vendor);
	v->directory_url = TAKE(a.directory_url);
	if (methods_view(q, &v->order, &v->methods, err) < 0)
		return -(int)err->code;
	v->external_dns = external_dns(v);
	if (!with_record)
		return 0;
	if (store_record_list_order(q, v->order.id, &records, err) < 0)
		return -(int)err->code;
	if (records.n) {
		const struct record *r = &records.v[0];

		v->record = r->kind == VALIDATION_DNS01 ? xasprintf("%s TXT %s", r->domain, r->value) :
							  xasprintf("http://%s/.well-known/acme-challenge/%s", r->domain,
								    r->token ? r->token : "");
	}
	return 0;
}

static int view_read(struct sql *q, const char *id, struct order_view *v, struct err *err)
{
	order_view_done(v);
	if (store_order_get(q, id, &v->order, err) < 0)
		return -(int)err->code;
	return view_fill(q, v, true, err);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static int account_ref(struct sql *q, const char *ref, char ret[ULID_LEN + 1], struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	int64_t num;

	if (ref_parse(ref, "/account_id", &num, err) < 0)
		return -(int)err->code;
	if (!num) {
		copy_id(ret, ref);
		return 0;
	}
	if (store_account_get_num(q, num, &a, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/account_id", "there is no account %s", ref);
	}
	copy_id(ret, a.id);
	return 0;
}

static int certificate_ref(struct sql *q, const char *ref, char ret[ULID_LEN + 1], struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	int64_t num;

	if (ref_parse(ref, "/certificate_id", &num, err) < 0)
		return -(int)err->code;
	if (!num) {
		copy_id(ret, ref);
		return 0;
	}
	if (store_certificate_get_num(q, num, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/certificate_id", "there is no certificate %s", ref);
	}
	copy_id(ret, c.id);
	return 0;
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_order_list_ struct order_list l = { 0 };
	char account[ULID_LEN + 1], certificate[ULID_LEN + 1];
	struct order_filter f = j->filter;

	order_view_list_done(j->list);
	if ((f.account_id && account_ref(q, f.account_id, account, err) < 0) ||
	    (f.certificate_id && certificate_ref(q, f.certificate_id, certificate, err) < 0))
		return -(int)err->code;
	f.account_id = f.account_id ? account : NULL;
	f.certificate_id = f.certificate_id ? certificate : NULL;
	if (store_order_list(q, &f, &j->page, &l, &j->end, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct order_view *v = order_view_list_add(j->list);

		v->order = TAKE(l.v[i]);
		if (view_fill(q, v, true, err) < 0)
			return -(int)err->code;
	}
	j->list->more = l.more;
	return 0;
}

int service_order_list(struct service *s, const struct order_filter *f, const struct list_query *q, struct order_view_list *ret,
		       struct list_end *end, struct err *err)
{
	_cleanup_free_ char *name = f->name ? xstrdup(f->name) : NULL;
	_cleanup_listing_ struct listing l = { .s = s, .name = "orders", .also = BIT(PAGE_NAME) | BIT(PAGE_STATUS) };
	struct order_job j = { .list = ret, .filter = *f };

	if (name)
		str_lower(name);
	j.filter.name = name;
	if (listing_open(&l, q, (const char *const[]){ f->status, f->account_id, f->certificate_id, name }, 4, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (j.page.order > PAGE_OLDEST && (name || f->certificate_id))
		return err_set_field(err, ERR_INVALID, "/sort", "is 'newest' or 'oldest' for the orders of one certificate and for those with a part of a name");
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	listing_close_at(&l, ret->more, &j.end, ret->n ? ret->v[ret->n - 1].order.id : NULL, end);
	return 0;
}

/* Events come oldest first: walks to the last page of them. */
static int newest_events(struct sql *q, const char *id, struct event_list *ret, struct err *err)
{
	struct page page = { .limit = EVENTS_SHOWN };
	_cleanup_free_ char *after = NULL;

	for (int turn = 0; turn < 50; turn++) {
		_cleanup_(event_list_done) struct event_list next = { 0 };

		if (store_event_list(q, id, &page, &next, err) < 0)
			return -(int)err->code;
		if (!next.n)
			break;
		if (ret->n + next.n > EVENTS_SHOWN) { /* drop the oldest */
			size_t drop = ret->n + next.n - EVENTS_SHOWN;

			for (size_t i = 0; i < drop && i < ret->n; i++)
				event_done(&ret->v[i]);
			drop = MIN(drop, ret->n);
			memmove(ret->v, ret->v + drop, (ret->n - drop) * sizeof *ret->v);
			ret->n -= drop;
		}
		for (size_t i = 0; i < next.n; i++)
			*event_list_add(ret) = TAKE(next.v[i]);
		if (!next.more)
			break;
		replace_str(&after, ret->v[ret->n - 1].id);
		page = (struct page){ .limit = EVENTS_SHOWN, .started = true, .after_id = after };
	}
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct order_job *j = arg;
	struct order_detail *d = j->detail;

	order_detail_done(d);
	if (SERVICE_GET(q, j->ref, store_order_get, store_order_get_num, &d->view.order, err) < 0 ||
	    view_fill(q, &d->view, true, err) < 0 || store_authz_list(q, d->view.order.id, &d->authzs, err) < 0 ||
	    store_record_list_order(q, d->view.order.id, &d->records, err) < 0)
		return -(int)err->code;
	return newest_events(q, d->view.order.id, &d->events, err);
}

int service_order_get(struct service *s, const char *ref, struct order_detail *ret, struct err *err)
{
	struct order_job j = { .ref = ref, .detail = ret };

	return store_read(s->store, get_tx, &j, err);
}

static int events_tx(struct sql *q, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_order_ struct order o = { 0 };

	if (SERVICE_GET(q, j->ref, store_order_get, store_order_get_num, &o, err) < 0)
		return -(int)err->code;
	return store_event_list(q, o.id, &j->page, j->events, err);
}

int service_order_events(struct service *s, const char *ref, const struct list_query *q, struct event_list *ret,
			 struct list_end *end, struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct order_job j = { .ref = ref, .events = ret };

	if (cursor_open(s, "order-events", ref, q, &c, err) < 0)
		return -(int)err->code;
	j.page = c.page;
	if (store_read(s->store, events_tx, &j, err) < 0)
		return -(int)err->code;
	cursor_close(s, "order-events", ref, ret->more, 0, NULL, ret->n ? ret->v[ret->n - 1].id : "", end);
	return 0;
}

/* --- making ------------------------------------------------------------------------------------------------------------- */

static int csr_ref(struct sql *q, const char *ref, char ret[ULID_LEN + 1], struct err *err)
{
	_cleanup_csr_ struct csr c = { 0 };
	int64_t num;

	if (ref_parse(ref, "/csr_id", &num, err) < 0)
		return -(int)err->code;
	if (!num) {
		copy_id(ret, ref);
		return 0;
	}
	if (store_csr_get_num(q, num, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR %s", ref);
	}
	copy_id(ret, c.id);
	return 0;
}

/* What would be published by Certwright itself needs a listener that answers it. */
static int offered(const struct service *s, const struct name_preview_list *l, struct err *err)
{
	const struct service_config *c = &s->config;

	for (size_t i = 0; i < l->n; i++) {
		const char *method = l->v[i].m.method;

		if (streq(method, METHOD_DELEGATION) && c->dns_listen && !c->dns_listen->n) {
			err_set_field(err, ERR_INVALID, "/dns", "this server does not answer DNS: dns.listen is empty");
			return err_hint(err, "Set dns.listen and restart, or choose another way to publish (manual, or a provider).");
		}
		if (streq(method, METHOD_BUILTIN) && c->http01_listen && !c->http01_listen->n) {
			err_set_field(err, ERR_INVALID, "/http", "this server does not answer HTTP-01: http01.listen is empty");
			return err_hint(err, "Set http01.listen and restart, or choose another way to publish (manual).");
		}
	}
	return 0;
}

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_free_ char *before = NULL, *name = NULL;
	struct order_taken taken = { 0 };

	j->existing = false;
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before)
		return view_read(tx, before, j->view, err);
	if (account_ref(tx, j->create->account_id, j->account_id, err) < 0 ||
	    (j->create->csr_id && csr_ref(tx, j->create->csr_id, j->csr_id, err) < 0))
		return -(int)err->code;
	j->request->account_id = j->account_id;
	j->request->csr_id = j->create->csr_id ? j->csr_id : NULL;
	if (order_intake(tx, j->request, &taken, err) < 0 || view_read(tx, taken.id, j->view, err) < 0)
		return -(int)err->code;
	if (offered(j->s, &j->view->methods, err) < 0)
		return -(int)err->code;
	j->existing = taken.existing;
	if (!taken.existing) {
		replace_str(&j->audit->object_id, taken.id);
		name = xasprintf("%s", j->view->order.names.n ? j->view->order.names.v[0] : "");
		replace_str(&j->audit->object_name, name);
		if (store_audit_add(tx, j->audit, err) < 0)
			return -(int)err->code;
	}
	return once_add(tx, j->s, j->once, "order", taken.id, err);
}

/* What is asked for by name is refused before anything is asked of the database. */
static int offered_early(const struct service *s, const struct order_request *q, struct err *err)
{
	struct name_preview one = { .m = { .method = (char *)(uintptr_t)(q->dns_method ? q->dns_method : q->http_method ? q->http_method : "") } };
	struct name_preview_list l = { .v = &one, .n = 1 };

	return offered(s, &l, err);
}

/* What is asked for beyond names and profile; strings are borrowed. */
static int options_of(const struct order_create *r, int64_t now_ms, struct order_options *ret, struct err *err)
{
	*ret = (struct order_options){ .profile_fallback = r->profile_fallback };
	if (r->profile_fallback && str_empty(r->profile))
		return err_set_field(err, ERR_INVALID, "/profile_fallback", "there is no profile to do without");
	if (r->preferred_chain)
		ret->preferred_chain = (char *)(uintptr_t)r->preferred_chain;
	if (!r->not_after)
		return 0;
	if (clock_parse(r->not_after, &ret->not_after_ms, err) < 0) {
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/not_after", "'%s' is not a time like 2027-01-31T00:00:00Z", r->not_after);
	}
	if (ret->not_after_ms < now_ms + HOUR_MS || ret->not_after_ms > now_ms + 3660 * DAY_MS)
		return err_set_field(err, ERR_INVALID, "/not_after", "a certificate ends between an hour and ten years from now");
	return 0;
}

int service_order_create(struct service *s, const struct actor *a, const struct order_create *r, const struct request_key *key,
			 struct order_view *ret, bool *ret_existing, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	int64_t now = service_now(s);
	struct ulid id = ulid_new(now);
	struct order_request q = { .id = id.s, .names = &names, .dns_method = r->dns, .http_method = r->http, .profile = r->profile,
				   .key_type = r->key_type, .requester = a->user_id, .now_ms = now };
	struct order_job j = { .s = s, .actor = a, .request = &q, .create = r, .view = ret, .once = &once, .audit = &audit };
	_cleanup_name_methods_ struct name_methods chosen = { 0 };

	if (!validation_parse(r->validation, &q.validation))
		return err_set_field(err, ERR_INVALID, "/validation", "there is no validation '%s'", r->validation);
	if (r->mode && !order_mode_parse(r->mode, &q.mode))
		return err_set_field(err, ERR_INVALID, "/mode", "there is no mode '%s'", r->mode);
	if (!r->csr_id && !r->names.n)
		return err_set_field(err, ERR_INVALID, "/names", "names or a CSR are needed");
	if (r->csr_id && r->key_type)
		return err_set_field(err, ERR_INVALID, "/key_type", "the key is the CSR's; leave this out");
	if (r->names.n && names_canonical(&r->names, "/names", &names, err) < 0)
		return -(int)err->code;
	if (options_of(r, now, &q.options, err) < 0)
		return -(int)err->code;
	/* before anything is asked of the database or of anybody else */
	if (order_request_check(&q, err) < 0 || offered_early(s, &q, err) < 0 || methods_from_json(r->methods, &chosen, err) < 0)
		return -(int)err->code;
	q.chosen = &chosen;
	once_begin(s, a, key, &once);
	audit_begin(s, a, "order.create", "order", &audit);
	if (store_write(s->store, create_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_existing = j.existing;
	return 0;
}

/* --- driving ------------------------------------------------------------------------------------------------------------ */

static int find(struct sql *tx, const struct order_job *j, struct order *ret, struct err *err)
{
	if (SERVICE_GET(tx, j->ref, store_order_get, store_order_get_num, ret, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, ret->id);
	replace_str(&j->audit->object_name, ret->names.n ? ret->names.v[0] : NULL);
	return 0;
}

static int refresh_tx(struct sql *tx, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_order_ struct order o = { 0 };

	if (find(tx, j, &o, err) < 0 || order_want_refresh(tx, o.id, j->now_ms, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return view_read(tx, o.id, j->view, err);
}

int service_order_refresh(struct service *s, const struct actor *a, const char *ref, struct order_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct order_job j = { .ref = ref, .view = ret, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "order.refresh", "order", &audit);
	return store_write(s->store, refresh_tx, &j, err);
}

static int go_on_tx(struct sql *tx, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_order_ struct order o = { 0 };

	if (find(tx, j, &o, err) < 0 || order_want_go_on(tx, o.id, j->now_ms, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return view_read(tx, o.id, j->view, err);
}

int service_order_go_on(struct service *s, const struct actor *a, const char *ref, struct order_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct order_job j = { .ref = ref, .view = ret, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "order.go-on", "order", &audit);
	return store_write(s->store, go_on_tx, &j, err);
}

static int finalize_tx(struct sql *tx, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_order_ struct order o = { 0 };

	if (find(tx, j, &o, err) < 0 || order_want_finalize(tx, o.id, j->now_ms, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return view_read(tx, o.id, j->view, err);
}

int service_order_finalize(struct service *s, const struct actor *a, const char *ref, struct order_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct order_job j = { .ref = ref, .view = ret, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "order.finalize", "order", &audit);
	return store_write(s->store, finalize_tx, &j, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_order_ struct order o = { 0 };

	if (find(tx, j, &o, err) < 0 || rev_check(j->rev, o.rev, "order", err) < 0 || order_delete(tx, o.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_order_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct order_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "order.delete", "order", &audit);
	return store_write(s->store, delete_tx, &j, err);
}

static int certificate_tx(struct sql *q, void *arg, struct err *err)
{
	struct order_job *j = arg;
	_cleanup_order_ struct order o = { 0 };
	_cleanup_account_ struct account a = { 0 };
	_cleanup_version_ struct version v = { 0 };
	const struct vendor *vendor;

	replace_str(j->pem, NULL);
	replace_str(j->name, NULL);
	if (SERVICE_GET(q, j->ref, store_order_get, store_order_get_num, &o, err) < 0)
		return -(int)err->code;
	if (o.status != ORDER_VALID)
		return err_set(err, ERR_CONFLICT, "order %" PRId64 " is %s, it has no certificate yet", o.num, order_status_text(o.status));
	if (store_version_find_order(q, o.id, &v, err) < 0 || store_account_get_any(q, o.account_id, &a, err) < 0)
		return err_wrap(err, "could not read the certificate of order %" PRId64, o.num);
	vendor = vendor_find(a.vendor);
	*j->pem = TAKE(v.chain);
	*j->name = service_file_name(&v.names, vendor && vendor->staging, "fullchain.pem");
	return 0;
}

int service_order_certificate(struct service *s, const char *ref, char **ret_pem, char **ret_name, struct err *err)
{
	char *pem = NULL, *name = NULL;
	struct order_job j = { .ref = ref, .pem = &pem, .name = &name };

	if (store_read(s->store, certificate_tx, &j, err) < 0) {
		free(pem);
		free(name);
		return -(int)err->code;
	}
	*ret_pem = pem;
	*ret_name = name;
	return 0;
}
