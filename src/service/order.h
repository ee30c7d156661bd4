/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - orders as people make and drive them; the engine walks them. */
#ifndef SERVICE_ORDER_H
#define SERVICE_ORDER_H

#include "base/json.h"
#include "model/provider.h"
#include "service/service.h"
#include "store/account.h"
#include "store/authz.h"
#include "store/event.h"
#include "store/order.h"
#include "store/record.h"

struct order_create {
	const char *account_id, *csr_id; /* ids or numbers */
	struct strlist names;            /* as typed */
	const char *key_type, *validation, *dns, *http, *profile, *mode;
	json_t *methods;                 /* object: name to method; or NULL */
	bool profile_fallback;
	const char *preferred_chain, *not_after; /* not_after: RFC 3339 */
};

struct name_preview { /* how one name is proved, with words; service/methods.h */
	struct name_method m;
	char *title, *provider; /* "PowerDNS", and what the provider is called; of a built-in method twice its title */
	json_t *offers;         /* [{id, name, title, zone}]: providers that saw a zone of the name; NULL in stored orders */
	bool ask;               /* nobody decided, and there are offers */
};
void name_preview_done(struct name_preview *p);
STORE_LIST(name_preview);
#define _cleanup_name_preview_list_ __attribute__((cleanup(name_preview_list_done)))

struct order_view {
	struct order order;
	char *account_name, *account_email, *vendor, *directory_url;
	struct name_preview_list methods; /* how each name is proved */
	char *external_dns;               /* of dns-01: the provider's name, "Delegation", "Manual", or several of them; "" for http-01 */
	char *record; /* first validation record, "_acme-challenge.example.com TXT ...", or NULL */
};
void order_view_done(struct order_view *v);
#define _cleanup_order_view_ __attribute__((cleanup(order_view_done)))
STORE_LIST(order_view);
#define _cleanup_order_view_list_ __attribute__((cleanup(order_view_list_done)))

struct order_detail {
	struct order_view view;
	struct authz_list authzs;
	struct record_list records;
	struct event_list events; /* the newest 200, oldest first */
};
void order_detail_done(struct order_detail *d);
#define _cleanup_order_detail_ __attribute__((cleanup(order_detail_done)))

int service_order_list(struct service *s, const struct order_filter *f, const struct list_query *q, struct order_view_list *ret,
		       struct list_end *end, struct err *err) MUST_CHECK;
int service_order_get(struct service *s, const char *ref, struct order_detail *ret, struct err *err) MUST_CHECK;
int service_order_events(struct service *s, const char *ref, const struct list_query *q, struct event_list *ret,
			 struct list_end *end, struct err *err) MUST_CHECK;
/* *ret_existing: the live order of the same request. */
int service_order_create(struct service *s, const struct actor *a, const struct order_create *r, const struct request_key *key,
			 struct order_view *ret, bool *ret_existing, struct err *err) MUST_CHECK;
int service_order_refresh(struct service *s, const struct actor *a, const char *ref, struct order_view *ret, struct err *err) MUST_CHECK;
/* Goes on although its records are not seen. CONFLICT unless it waits for them. */
int service_order_go_on(struct service *s, const struct actor *a, const char *ref, struct order_view *ret, struct err *err) MUST_CHECK;
int service_order_finalize(struct service *s, const struct actor *a, const char *ref, struct order_view *ret, struct err *err) MUST_CHECK;
int service_order_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;
/* The issued chain as PEM and a file name for it, both owned. CONFLICT until the order is valid. */
int service_order_certificate(struct service *s, const char *ref, char **ret_pem, char **ret_name, struct err *err) MUST_CHECK;

#endif
