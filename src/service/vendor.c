/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.c - see vendor.h. */
#include "service/vendor.h"

#include "engine/intake.h"
#include "service/internal.h"
#include "store/account.h"

struct vendor_job {
	const struct service *s;
	const struct actor *actor;
	const char *key, *url;
	const char *const *urls;
	size_t n_urls;
	int64_t rev, now_ms;
	struct vendor_view *view;
	struct vendor_view_list *list;
	struct vendor_check *check;
	struct strlist *jobs;
	struct audit *audit;
};

void vendor_view_done(struct vendor_view *v)
{
	free(v->directory_url);
	vendor_check_done(&v->check);
	*v = (struct vendor_view){ 0 };
}

/* ---- reading ---- */

static int reading(struct sql *q, const char *url, struct vendor_check *ret, struct err *err)
{
	if (store_vendor_check_get(q, url, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

static int view_fill(struct sql *q, const struct vendor *v, struct vendor_view *ret, struct err *err)
{
	_cleanup_vendor_setting_ struct vendor_setting set = { 0 };

	if (store_vendor_setting_get(q, v->key, &set, err) < 0)
		return -(int)err->code;
	ret->vendor = v;
	ret->overridden = set.directory_url != NULL;
	ret->directory_url = xstrdup(set.directory_url ? set.directory_url : v->directory_url);
	ret->rev = MAX(set.rev, 1);
	if (store_account_count_vendor(q, v->key, &ret->accounts, err) < 0)
		return -(int)err->code;
	return reading(q, ret->directory_url, &ret->check, err);
}

static bool listed(const struct vendor_view_list *l, const char *url)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].directory_url, url))
			return true;
	return false;
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct vendor_job *j = arg;
	_cleanup_vendor_check_list_ struct vendor_check_list checks = { 0 };

	vendor_view_list_done(j->list);
	for (size_t i = 0; i < vendors_count; i++)
		if (view_fill(q, &vendors[i], vendor_view_list_add(j->list), err) < 0)
			return -(int)err->code;
	if (store_vendor_check_list(q, &checks, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < checks.n; i++) {
		struct vendor_view *v;
		int64_t n = 0;

		if (listed(j->list, checks.v[i].directory_url))
			continue;
		if (store_account_count_directory(q, checks.v[i].directory_url, &n, err) < 0)
			return -(int)err->code;
		if (!n)
			continue; /* somebody only looked at it */
		v = vendor_view_list_add(j->list);
		v->vendor = &vendor_custom;
		for (size_t k = 0; k < vendors_count; k++)
			if (vendor_owns_url(&vendors[k], checks.v[i].directory_url))
				v->vendor = &vendors[k];
		v->directory_url = xstrdup(checks.v[i].directory_url);
		v->accounts = n;
		v->check = TAKE(checks.v[i]);
	}
	return 0;
}

int service_vendor_list(struct service *s, struct vendor_view_list *ret, struct err *err)
{
	struct vendor_job j = { .list = ret };

	return store_read(s->store, list_tx, &j, err);
}

static const struct vendor *known(const char *key, const char *field, struct err *err)
{
	const struct vendor *v = vendor_find(key);

	if (!v && field)
		err_set_field(err, ERR_INVALID, field, "there is no vendor '%s'", key);
	else if (!v)
		err_set(err, ERR_NOT_FOUND, "no such vendor '%s'", key);
	return v;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct vendor_job *j = arg;
	const struct vendor *v = known(j->key, NULL, err);

	vendor_view_done(j->view);
	return v ? view_fill(q, v, j->view, err) : -(int)err->code;
}

int service_vendor_get(struct service *s, const char *key, struct vendor_view *ret, struct err *err)
{
	struct vendor_job j = { .key = key, .view = ret };

	return store_read(s->store, get_tx, &j, err);
}

static int reading_tx(struct sql *q, void *arg, struct err *err)
{
	struct vendor_job *j = arg;

	vendor_check_done(j->check);
	return store_vendor_check_get(q, j->url, j->check, err);
}

int service_vendor_reading(struct service *s, const char *directory_url, struct vendor_check *ret, struct err *err)
{
	struct vendor_job j = { .url = directory_url, .check = ret };

	return store_read(s->store, reading_tx, &j, err);
}

/* ---- overriding ---- */

static json_t *terms(const char *directory_url)
{
	return json_pack("{s:o}", "directory_url", json_str_or_null(directory_url));
}

static int update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct vendor_job *j = arg;
	struct vendor_setting set = { .key = (char *)(uintptr_t)j->key, .directory_url = (char *)(uintptr_t)j->url, .updated_ms = j->now_ms };

	if (get_tx(tx, j, err) < 0)
		return -(int)err->code;
	audit_object(j->audit, j->key, j->view->vendor->title, terms(j->view->directory_url), terms(j->url ? j->url : j->view->vendor->directory_url));
	if (store_vendor_setting_put(tx, &set, j->rev, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return get_tx(tx, j, err);
}

int service_vendor_update(struct service *s, const struct actor *a, const char *key, int64_t rev, const char *directory_url,
			  struct vendor_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	const struct vendor *v = known(key, NULL, err);
	struct vendor_job j = { .key = key, .rev = rev, .view = ret, .audit = &audit, .now_ms = service_now(s) };

	if (!v)
		return -(int)err->code;
	if (!str_empty(directory_url) && !streq(directory_url, v->directory_url)) {
		if (directory_url_check(directory_url, err) < 0)
			return -(int)err->code;
		j.url = directory_url;
	}
	audit_begin(s, a, "vendor.update", "vendor", &audit);
	return store_write(s->store, update_tx, &j, err);
}

/* ---- reading directories ---- */

static int check_tx(struct sql *tx, void *arg, struct err *err)
{
	struct vendor_job *j = arg;

	strlist_clear(j->jobs);
	for (size_t i = 0; i < j->n_urls; i++) {
		_cleanup_json_ json_t *a = json_pack("{s:s}", "directory_url", j->urls[i]);
		_cleanup_free_ char *args = json_text(a);
		struct ulid id = ulid_new(j->now_ms);
		char got[ULID_LEN + 1];

		if (job_intake(tx, &(struct job_request){ .id = id.s, .kind = JOB_VENDOR_CHECK, .subject_kind = "directory",
							  .subject_id = j->urls[i], .args = args, .lane_url = j->urls[i],
							  .created_by = j->actor->user_id, .now_ms = j->now_ms }, got, err) < 0)
			return -(int)err->code;
		strlist_add(j->jobs, got);
	}
	return 0;
}

int service_vendor_check(struct service *s, const struct actor *a, const char *key, const char *region, const char *directory_url,
			 char **ret_job, struct err *err)
{
	_cleanup_vendor_view_ struct vendor_view view = { 0 };
	_cleanup_strlist_ struct strlist jobs = { 0 };
	struct vendor_job j = { .actor = a, .jobs = &jobs, .n_urls = 1, .now_ms = service_now(s) };
	const struct vendor_region *r;
	const char *url = directory_url;

	if (!url && !key)
		return err_set_field(err, ERR_INVALID, "/vendor", "a vendor or a directory URL is needed");
	if (!url) {
		if (!known(key, "/vendor", err) || service_vendor_get(s, key, &view, err) < 0)
			return -(int)err->code;
		r = region ? vendor_region_find(view.vendor, region) : NULL;
		if (region && !r)
			return err_set_field(err, ERR_INVALID, "/region", "%s has no region '%s'", view.vendor->title, region);
		url = r ? r->directory_url : view.directory_url;
	} else if (directory_url_check(url, err) < 0) {
		return -(int)err->code;
	}
	j.urls = &url;
	if (store_write(s->store, check_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_job = xstrdup(jobs.v[0]);
	return 0;
}

static int due_tx(struct sql *q, void *arg, struct err *err)
{
	return store_vendor_check_due(q, INT64_MAX, arg, err);
}

int service_vendor_check_all(struct service *s, const struct actor *a, bool all, struct strlist *ret_jobs, struct err *err)
{
	_cleanup_strlist_ struct strlist urls = { 0 };
	_cleanup_vendor_view_list_ struct vendor_view_list l = { 0 };
	struct vendor_job j = { .actor = a, .jobs = ret_jobs, .now_ms = service_now(s) };

	if (store_read(s->store, due_tx, &urls, err) < 0 || (all && service_vendor_list(s, &l, err) < 0))
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (!l.v[i].vendor->discontinued)
			strlist_add(&urls, l.v[i].directory_url);
	strlist_sort_unique(&urls);
	j.urls = (const char *const *)urls.v;
	j.n_urls = urls.n;
	return store_write(s->store, check_tx, &j, err);
}

/* ---- the rules of a vendor for a CSR ---- */
