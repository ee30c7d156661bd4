/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c - the route table: what there is, who may, what it takes and what it answers. openapi.yaml says the same. */
#include "api/call.h"
#include "api/guard.h"
#include "base/limits.h"
#include "service/account.h"
#include "service/certificate.h"
#include "service/csr.h"
#include "service/bulk.h"
#include "service/import.h"
#include "service/order.h"
#include "service/channel.h"
#include "service/provider.h"
#include "service/manage.h"
#include "service/renewal.h"
#include "service/report.h"
#include "service/token.h"
#include "service/user.h"
#include "service/view.h"
#include "service/window.h"

const char *const list_sorts[] = { "newest", "oldest", NULL };
const char *const named_sorts[] = { "newest", "oldest", "name", NULL };
const struct json_field only_page_fields[] = { PAGE_FIELDS(struct only_page), { 0 } };

#define BODY(fields, type) .body = fields, .body_size = sizeof(struct type)
#define QUERY(fields, type) .query = fields, .query_size = sizeof(struct type)
#define PAGE QUERY(only_page_fields, only_page)

const struct route routes[] = {
	{ "GET", "/setup", "getSetup", PERM_NONE, setup_get, .answers = { 200 } },
	{ "POST", "/setup", "postSetup", PERM_NONE, setup_post, ROUTE_SLOW | ROUTE_LOGIN, BODY(setup_fields, setup_body),
	  .answers = { 201, 401, 409, 429 } },
	{ "POST", "/session", "createSession", PERM_NONE, session_post, ROUTE_SLOW | ROUTE_LOGIN, BODY(sign_in_fields, sign_in_body),
	  .answers = { 201, 401, 429 } },
	{ "GET", "/session", "getSession", PERM_SELF, session_get, .answers = { 200 } },
	{ "DELETE", "/session", "deleteSession", PERM_SELF, session_delete, .answers = { 204 } },
	{ "PUT", "/password", "putPassword", PERM_SELF, password_put, ROUTE_SLOW, BODY(password_fields, password_body),
	  .answers = { 204, 429 } },

	{ "GET", "/tokens", "listTokens", PERM_SELF, token_list, QUERY(token_list_fields, named_query), .answers = { 200 } },
	{ "POST", "/tokens", "createToken", PERM_SELF, token_create, BODY(token_create_fields, token_create), .answers = { 201 } },
	{ "GET", "/tokens/{id}", "getToken", PERM_SELF, token_get, .answers = { 200 } },
	{ "DELETE", "/tokens/{id}", "deleteToken", PERM_SELF, token_delete, .answers = { 204 } },

	{ "GET", "/users", "listUsers", PERM_ADMIN, user_list, QUERY(user_list_fields, named_query), .answers = { 200 } },
	{ "POST", "/users", "createUser", PERM_ADMIN, user_create, ROUTE_SLOW | ROUTE_ONCE, BODY(user_create_fields, user_create),
	  .answers = { 201, 409 } },
	{ "GET", "/users/{id}", "getUser", PERM_ADMIN, user_get, .answers = { 200 } },
	{ "PATCH", "/users/{id}", "updateUser", PERM_ADMIN, user_patch, ROUTE_SLOW | ROUTE_MATCH,
	  BODY(user_update_fields, user_update_body), .answers = { 200, 409 } },
	{ "DELETE", "/users/{id}", "deleteUser", PERM_ADMIN, user_delete, ROUTE_MATCH, .answers = { 204, 409 } },
	{ "GET", "/users/{id}/sessions", "listUserSessions", PERM_ADMIN, user_sessions, .answers = { 200 } },
	{ "DELETE", "/users/{id}/sessions", "endUserSessions", PERM_ADMIN, user_sessions_end, .answers = { 204 } },
	{ "GET", "/sessions", "listSessions", PERM_SELF, session_list, .answers = { 200 } },
	{ "DELETE", "/sessions/{id}", "endSession", PERM_SELF, session_end, .answers = { 204 } },

	{ "GET", "/vendors", "listVendors", PERM_VIEW, vendor_list, .answers = { 200 } },
	{ "POST", "/vendors/check", "checkVendors", PERM_ACCOUNT, vendor_check_all, BODY(vendor_check_fields, vendor_check_body),
	  .answers = { 200 } },
	{ "POST", "/vendors/read", "readDirectory", PERM_ACCOUNT, directory_read, ROUTE_JOB, BODY(directory_read_fields, directory_read_body),
	  .answers = { 200 } },
	{ "GET", "/vendors/{id}", "getVendor", PERM_VIEW, vendor_get, .answers = { 200 } },
	{ "PATCH", "/vendors/{id}", "updateVendor", PERM_ACCOUNT, vendor_patch, ROUTE_MATCH, BODY(vendor_update_fields, vendor_update_body),
	  .answers = { 200 } },
	{ "POST", "/network/look", "lookAtCertificate", PERM_ACCOUNT, network_look, ROUTE_JOB, BODY(network_look_fields, network_look_body),
	  .answers = { 200 } },
	{ "GET", "/accounts", "listAccounts", PERM_VIEW, account_list, QUERY(account_list_fields, account_list_query), .answers = { 200 } },
	{ "POST", "/accounts", "registerAccount", PERM_ACCOUNT, account_register, ROUTE_ONCE | ROUTE_JOB,
	  BODY(account_register_fields, account_register), .answers = { 201 } },
	{ "GET", "/accounts/{id}", "getAccount", PERM_VIEW, account_get, .answers = { 200 } },
	{ "PATCH", "/accounts/{id}", "updateAccount", PERM_ACCOUNT, account_patch, ROUTE_MATCH,
	  BODY(account_update_fields, account_update_body),
	  .answers = { 200 } },
	{ "DELETE", "/accounts/{id}", "deleteAccount", PERM_ACCOUNT, account_delete, ROUTE_MATCH,
	  QUERY(account_delete_fields, account_delete_query), .answers = { 204, 409 } },
	{ "GET", "/accounts/{id}/deletion", "previewAccountDeletion", PERM_VIEW, account_deletion, .answers = { 200 } },
	{ "POST", "/accounts/{id}/contact", "changeAccountContact", PERM_ACCOUNT, account_contact, ROUTE_JOB,
	  BODY(account_contact_fields, account_contact_body), .answers = { 200 } },
	{ "POST", "/accounts/{id}/agree", "agreeToTerms", PERM_ACCOUNT, account_agree, ROUTE_JOB,
	  BODY(account_agree_fields, account_agree_body), .answers = { 200 } },
	{ "POST", "/accounts/{id}/rollover", "changeAccountKey", PERM_ACCOUNT, account_rollover, ROUTE_JOB, .answers = { 200 } },
	{ "POST", "/accounts/{id}/refresh", "refreshAccount", PERM_ACCOUNT, account_refresh, ROUTE_JOB, .answers = { 200 } },

	{ "GET", "/csrs", "listCsrs", PERM_VIEW, csr_list, QUERY(csr_list_fields, csr_list_query), .answers = { 200 } },
	{ "POST", "/csrs", "createCsr", PERM_ORDER, csr_create, ROUTE_ONCE | ROUTE_JOB, BODY(csr_create_fields, csr_create),
	  .answers = { 201 } },
	{ "POST", "/csrs/upload", "uploadCsr", PERM_ORDER, csr_upload, ROUTE_ONCE, BODY(csr_upload_fields, pem_body),
	  .answers = { 201, 409 } },
	{ "POST", "/csrs/lint", "lintCsr", PERM_VIEW, csr_lint_text, BODY(csr_lint_fields, csr_lint_body), .answers = { 200 } },
	{ "GET", "/csrs/{id}/check", "checkCsr", PERM_VIEW, csr_check, QUERY(csr_check_fields, csr_check_query), .answers = { 200 } },
	{ "GET", "/csrs/{id}", "getCsr", PERM_VIEW, csr_get, .answers = { 200 } },
	{ "DELETE", "/csrs/{id}", "deleteCsr", PERM_ORDER, csr_delete, ROUTE_MATCH, .answers = { 204, 409 } },

	{ "GET", "/orders", "listOrders", PERM_VIEW, order_list, QUERY(order_query_fields, order_query), .answers = { 200 } },
	{ "POST", "/orders", "createOrder", PERM_ORDER, order_create, ROUTE_ONCE, BODY(order_create_fields, order_create),
	  .answers = { 200, 201, 409 } },
	{ "POST", "/orders/preview", "previewOrder", PERM_ORDER, order_preview, BODY(order_preview_fields, order_create), .answers = { 200 } },
	{ "GET", "/orders/{id}", "getOrder", PERM_VIEW, order_get, .answers = { 200 } },
	{ "GET", "/orders/{id}/events", "listOrderEvents", PERM_VIEW, order_events, PAGE, .answers = { 200 } },
	{ "POST", "/orders/{id}/refresh", "refreshOrder", PERM_ORDER, order_refresh, .answers = { 200, 409, 429 } },
	{ "POST", "/orders/{id}/go-on", "goOnOrder", PERM_ORDER, order_go_on, .answers = { 200, 409 } },
	{ "POST", "/orders/{id}/finalize", "finalizeOrder", PERM_ORDER, order_finalize, .answers = { 200, 409 } },
	{ "GET", "/orders/{id}/certificate", "downloadOrderCertificate", PERM_VIEW, order_certificate, .answers = { 200, 409 } },
	{ "DELETE", "/orders/{id}", "deleteOrder", PERM_ORDER, order_remove, ROUTE_MATCH, .answers = { 204 } },

	{ "GET", "/records", "listRecords", PERM_VIEW, record_list, QUERY(record_query_fields, record_query), .answers = { 200 } },
	{ "GET", "/records/{id}", "getRecord", PERM_VIEW, record_get, .answers = { 200 } },
	{ "GET", "/delegations", "listDelegations", PERM_VIEW, delegation_list, QUERY(delegation_list_fields, delegation_list_query), .answers = { 200 } },
	{ "POST", "/delegations", "createDelegation", PERM_ORDER, delegation_create, ROUTE_ONCE,
	  BODY(delegation_create_fields, delegation_body), .answers = { 201, 409 } },
	{ "GET", "/delegations/{id}", "getDelegation", PERM_VIEW, delegation_get, .answers = { 200 } },
	{ "POST", "/delegations/{id}/check", "checkDelegation", PERM_ORDER, delegation_check, ROUTE_JOB, .answers = { 200 } },
	{ "GET", "/delegations/{id}/asked", "listDelegationAsked", PERM_VIEW, delegation_asked, .answers = { 200 } },
	{ "POST", "/delegation-list", "pasteDelegations", PERM_ORDER, delegation_paste, BODY(delegation_paste_fields, delegation_paste_body),
	  .answers = { 200 } },
	{ "GET", "/delegations.zone", "getDelegationLines", PERM_VIEW, delegation_lines,
	  QUERY(delegation_lines_fields, delegation_lines_query), .answers = { 200, 409 } },
	{ "POST", "/preflight", "preflight", PERM_ORDER, preflight, ROUTE_JOB, BODY(preflight_fields, preflight_request), .answers = { 200 } },

	{ "GET", "/views", "listViews", PERM_VIEW, view_list, QUERY(view_list_fields, named_query), .answers = { 200 } },
	{ "POST", "/views", "createView", PERM_ADMIN, view_create, ROUTE_ONCE, BODY(view_create_fields, view_save), .answers = { 201, 409 } },
	{ "GET", "/views/{id}", "getView", PERM_VIEW, view_get, .answers = { 200 } },
	{ "PATCH", "/views/{id}", "updateView", PERM_ADMIN, view_patch, ROUTE_MATCH, BODY(view_update_fields, view_save),
	  .answers = { 200, 409 } },
	{ "DELETE", "/views/{id}", "deleteView", PERM_ADMIN, view_delete, ROUTE_MATCH, .answers = { 204, 409 } },
	{ "GET", "/view-rules", "listViewRules", PERM_VIEW, view_rule_list, QUERY(view_rule_list_fields, named_query), .answers = { 200 } },
	{ "POST", "/view-rules", "createViewRule", PERM_ADMIN, view_rule_create, ROUTE_ONCE, BODY(view_rule_create_fields, view_rule_save),
	  .answers = { 201, 409 } },
	{ "GET", "/view-rules/{id}", "getViewRule", PERM_VIEW, view_rule_get, .answers = { 200 } },
	{ "PATCH", "/view-rules/{id}", "updateViewRule", PERM_ADMIN, view_rule_patch, ROUTE_MATCH,
	  BODY(view_rule_update_fields, view_rule_save), .answers = { 200, 409 } },
	{ "DELETE", "/view-rules/{id}", "deleteViewRule", PERM_ADMIN, view_rule_delete, ROUTE_MATCH, .answers = { 204 } },

	{ "DELETE", "/delegations/{id}", "deleteDelegation", PERM_ORDER, delegation_delete, ROUTE_MATCH, .answers = { 204, 409 } },

	{ "GET", "/provider-kinds", "listProviderKinds", PERM_VIEW, provider_kind_list, .answers = { 200 } },
	{ "POST", "/provider-options", "askProviderOptions", PERM_ADMIN, provider_options, ROUTE_JOB,
	  BODY(provider_options_fields, provider_options_body), .answers = { 200 } },
	{ "GET", "/providers", "listProviders", PERM_VIEW, provider_list, QUERY(provider_list_fields, named_query), .answers = { 200 } },
	{ "POST", "/providers", "createProvider", PERM_ADMIN, provider_create, ROUTE_ONCE, BODY(provider_create_fields, provider_save),
	  .answers = { 201, 409 } },
	{ "GET", "/providers/{id}", "getProvider", PERM_VIEW, provider_get, .answers = { 200 } },
	{ "PATCH", "/providers/{id}", "updateProvider", PERM_ADMIN, provider_patch, ROUTE_MATCH,
	  BODY(provider_update_fields, provider_save), .answers = { 200, 409 } },
	{ "DELETE", "/providers/{id}", "deleteProvider", PERM_ADMIN, provider_delete, ROUTE_MATCH, .answers = { 204, 409 } },
	{ "POST", "/providers/{id}/test", "testProvider", PERM_ORDER, provider_test, ROUTE_JOB,
	  BODY(provider_test_fields, provider_test_body), .answers = { 200 } },
	{ "POST", "/providers/{id}/attach", "attachProvider", PERM_ADMIN, provider_attach, ROUTE_JOB,
	  BODY(provider_attach_fields, provider_attach_body), .answers = { 200 } },
	{ "GET", "/challenge-texts", "listChallengeTexts", PERM_VIEW, challenge_texts, QUERY(challenge_text_fields, challenge_text_query),
	  .answers = { 200 } },
	{ "GET", "/rules", "listRules", PERM_VIEW, rule_list, QUERY(rule_list_fields, named_query), .answers = { 200 } },
	{ "POST", "/rules", "createRule", PERM_ADMIN, rule_create, ROUTE_ONCE, BODY(rule_create_fields, rule_save), .answers = { 201, 409 } },
	{ "GET", "/rules/{id}", "getRule", PERM_VIEW, rule_get, .answers = { 200 } },
	{ "PATCH", "/rules/{id}", "updateRule", PERM_ADMIN, rule_patch, ROUTE_MATCH, BODY(rule_update_fields, rule_save),
	  .answers = { 200, 409 } },
	{ "DELETE", "/rules/{id}", "deleteRule", PERM_ADMIN, rule_delete, ROUTE_MATCH, .answers = { 204 } },
	{ "GET", "/debts", "listDebts", PERM_VIEW, debt_list, PAGE, .answers = { 200 } },
	{ "POST", "/debts/{id}/retry", "retryDebt", PERM_ORDER, debt_retry, .answers = { 204, 409 } },

	{ "GET", "/certificates", "listCertificates", PERM_VIEW, certificate_list, QUERY(certificate_query_fields, certificate_query),
	  .answers = { 200 } },
	{ "GET", "/certificates/{id}", "getCertificate", PERM_VIEW, certificate_get, .answers = { 200 } },
	{ "PATCH", "/certificates/{id}", "updateCertificate", PERM_ORDER, certificate_patch, ROUTE_MATCH, BODY(notes_fields, notes_update),
	  .answers = { 200 } },
	{ "POST", "/imports", "importCertificates", PERM_ORDER, import_create, ROUTE_SLOW, BODY(import_fields, import_create), .answers = { 200, 504 } },
	{ "POST", "/certificates/{id}/export", "exportCertificate", PERM_VIEW, certificate_export,
	  BODY(certificate_export_fields, certificate_export), .answers = { 200, 409 } },
	{ "GET", "/download/{id}/{format}", "downloadCertificate", PERM_PULL, certificate_download, .answers = { 200, 304, 409 } },
	{ "DELETE", "/certificates/{id}", "deleteCertificate", PERM_ORDER, certificate_delete, ROUTE_MATCH, .answers = { 204 } },

	{ "POST", "/certificates/{id}/manage", "manageCertificate", PERM_ORDER, certificate_manage, BODY(manage_fields, manage_create),
	  .answers = { 200, 409 } },
	{ "GET", "/certificates/{id}/renewal", "getRenewal", PERM_VIEW, renewal_get, .answers = { 200 } },
	{ "POST", "/certificates/{id}/renewal", "updateRenewal", PERM_ORDER, renewal_patch,
	  BODY(renewal_update_fields, renewal_update), .answers = { 200, 409 } },

	{ "GET", "/expiry", "getExpiry", PERM_VIEW, expiry_get, QUERY(expiry_query_fields, expiry_query), .answers = { 200 } },
	{ "GET", "/renewals", "listRenewals", PERM_VIEW, renewal_list, PAGE, .answers = { 200 } },
	{ "POST", "/renewals", "createRenewals", PERM_ORDER, renewal_create, BODY(renewal_create_fields, renewal_create),
	  .answers = { 200 } },
	{ "POST", "/revocations", "createRevocations", PERM_REVOKE, revocation_create,
	  BODY(revocation_create_fields, revocation_create), .answers = { 200 } },
	{ "POST", "/certificate-actions", "actOnCertificates", PERM_VIEW, bulk_create, BODY(bulk_create_fields, bulk_create), .answers = { 200, 202 } },
	{ "GET", "/renewal-pause", "getRenewalPause", PERM_VIEW, pause_get, .answers = { 200 } },
	{ "PUT", "/renewal-pause", "putRenewalPause", PERM_ORDER, pause_put, BODY(renewal_pause_fields, pause_put), .answers = { 200 } },
	{ "GET", "/renewal-windows", "listRenewalWindows", PERM_VIEW, window_list, .answers = { 200 } },
	{ "POST", "/renewal-windows", "createRenewalWindow", PERM_ORDER, window_create, BODY(window_create_fields, window_create),
	  .answers = { 201, 409 } },
	{ "GET", "/renewal-windows/{id}", "getRenewalWindow", PERM_VIEW, window_get, .answers = { 200 } },
	{ "DELETE", "/renewal-windows/{id}", "deleteRenewalWindow", PERM_ORDER, window_delete, ROUTE_MATCH, .answers = { 204 } },
	{ "GET", "/notices", "listNotices", PERM_VIEW, notice_list, .answers = { 200 } },
	{ "GET", "/channels", "listChannels", PERM_VIEW, channel_list, QUERY(channel_list_fields, named_query), .answers = { 200 } },
	{ "POST", "/channels", "createChannel", PERM_ADMIN, channel_create, ROUTE_ONCE, BODY(channel_create_fields, channel_save),
	  .answers = { 201, 409 } },
	{ "GET", "/channels/{id}", "getChannel", PERM_VIEW, channel_get, .answers = { 200 } },
	{ "PATCH", "/channels/{id}", "updateChannel", PERM_ADMIN, channel_patch, ROUTE_MATCH, BODY(channel_update_fields, channel_save),
	  .answers = { 200, 409 } },
	{ "DELETE", "/channels/{id}", "deleteChannel", PERM_ADMIN, channel_delete, ROUTE_MATCH, .answers = { 204 } },
	{ "POST", "/channels/{id}/secret", "rotateChannelSecret", PERM_ADMIN, channel_rotate, .answers = { 200, 409 } },
	{ "POST", "/channels/{id}/test", "testChannel", PERM_ORDER, channel_test, ROUTE_JOB, .answers = { 200 } },
	{ "GET", "/channels/{id}/messages", "listMessages", PERM_VIEW, channel_messages, PAGE, .answers = { 200 } },

	{ "GET", "/jobs", "listJobs", PERM_VIEW, job_list, QUERY(job_list_fields, job_list_query), .answers = { 200 } },
	{ "GET", "/jobs/{id}", "getJob", PERM_VIEW, job_get, .answers = { 200 } },
	{ "GET", "/jobs/{id}/rows", "listJobRows", PERM_VIEW, job_row_list, PAGE, .answers = { 200 } },
	{ "GET", "/checks", "getChecks", PERM_ADMIN, checks_get, .answers = { 200 } },
	{ "POST", "/checks", "runChecks", PERM_ADMIN, checks_run_now, ROUTE_JOB, .answers = { 200 } },
	{ "GET", "/audit", "listAudit", PERM_AUDIT, audit_list, QUERY(audit_query_fields, audit_query_call), .answers = { 200 } },
	{ "GET", "/audit.csv", "exportAudit", PERM_AUDIT, audit_csv, QUERY(audit_csv_fields, audit_query_call), .answers = { 200 } },
	{ "GET", "/reports/auditor/{format}", "getAuditorReport", PERM_AUDIT, report_auditor, QUERY(report_query_fields, report_query),
	  .answers = { 200, 404 } },
	{ "POST", "/support-bundle", "makeSupportBundle", PERM_ADMIN, support_bundle, .answers = { 200 } },
	{ "GET", "/status", "getStatus", PERM_VIEW, status_get, .answers = { 200 } },
	{ "GET", "/events", "streamEvents", PERM_VIEW, events_get, .answers = { 200, 429 } },
	{ "GET", "/openapi.yaml", "getOpenapi", PERM_NONE, openapi_get, .answers = { 200 } },
};
const size_t routes_count = ARRAY_SIZE(routes);

/* --- statuses ----------------------------------------------------------------------------------------------------------- */

static bool has_id(const struct route *r)
{
	return strstr(r->path, "{id}") != NULL;
}

static size_t add_status(unsigned short *v, size_t n, unsigned short status)
{
	size_t at = 0;

	while (at < n && v[at] < status)
		at++;
	if (at < n && v[at] == status)
		return n;
	memmove(v + at + 1, v + at, (n - at) * sizeof *v);
	v[at] = status;
	return n + 1;
}

size_t route_statuses(const struct route *r, unsigned short ret[ROUTE_STATUSES_MAX])
{
	bool safe = streq(r->method, "GET");
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(r->answers) && r->answers[i]; i++)
		n = add_status(ret, n, r->answers[i]);
	n = add_status(ret, n, 400);
	if (r->permission != PERM_NONE)
		n = add_status(ret, n, 401);
	if (r->permission != PERM_NONE || !safe) /* not allowed; or a request from another site */
		n = add_status(ret, n, 403);
	if (has_id(r))
		n = add_status(ret, n, 404);
	if (!safe)
		n = add_status(ret, n, 413);
	if (r->flags & ROUTE_MATCH) {
		n = add_status(ret, n, 412);
		n = add_status(ret, n, 428);
	}
	if (r->flags & ROUTE_ONCE)
		n = add_status(ret, n, 422);
	if (r->flags & ROUTE_JOB) { /* the job's own reasons */
		static const unsigned short job[] = { 202, 404, 409, 422, 429, 502, 504 };

		for (size_t i = 0; i < ARRAY_SIZE(job); i++)
			n = add_status(ret, n, job[i]);
	}
	n = add_status(ret, n, 500);
	n = add_status(ret, n, 503);
	if (!safe)
		n = add_status(ret, n, 507);
	return n;
}

bool route_answers(const struct route *r, unsigned status)
{
	unsigned short v[ROUTE_STATUSES_MAX];
	size_t n = route_statuses(r, v);

	for (size_t i = 0; i < n; i++)
		if (v[i] == status)
			return true;
	return false;
}

/* --- finding ------------------------------------------------------------------------------------------------------------ */

void route_parts_clear(struct route_parts *p)
{
	free(p->id);
	free(p->format);
	*p = (struct route_parts){ 0 };
}

/* Where the decoded segment goes; NULL: the template has a word of its own here. */
static char **part_for(const char *template, size_t n, struct route_parts *parts)
{
	if (n == 4 && !strncmp(template, "{id}", 4))
		return &parts->id;
	return n == 8 && !strncmp(template, "{format}", 8) ? &parts->format : NULL;
}

/* Walks template and path together, one segment at a time. */
static bool fits(const char *template, const char *path, struct route_parts *ret)
{
	while (*template == '/' && *path == '/') {
		size_t tn = strcspn(++template, "/"), pn = strcspn(++path, "/");
		char **part = part_for(template, tn, ret);

		if (part) {
			_cleanup_free_ char *text = NULL;

			if (!pn || pn > 128 || !guard_unescape(path, pn, false, &text) || strchr(text, '/'))
				return false;
			free(*part);
			*part = TAKE(text);
		} else if (tn != pn || strncmp(template, path, tn) != 0) {
			return false;
		}
		template += tn;
		path += pn;
	}
	return !*template && !*path;
}

/* A fixed path wins over {id}, whatever the method: /csrs/upload is no CSR, so GET of it is 405, not 404. */
static bool is_fixed(const char *path)
{
	for (size_t i = 0; i < routes_count; i++)
		if (!has_id(&routes[i]) && streq(routes[i].path, path))
			return true;
	return false;
}

enum route_match route_find(const char *method, const char *path, const struct route **ret, struct route_parts *ret_parts, struct buf *ret_allow)
{
	bool there = false, fixed = is_fixed(path);

	for (size_t i = 0; i < routes_count; i++) {
		_cleanup_route_parts_ struct route_parts parts = { 0 };
		const struct route *r = &routes[i];

		if ((fixed && has_id(r)) || !fits(r->path, path, &parts))
			continue;
		if (streq(r->method, method)) {
			*ret = r;
			*ret_parts = TAKE(parts);
			buf_reset(ret_allow);
			return ROUTE_FOUND;
		}
		if (there)
			buf_add_str(ret_allow, ", ");
		buf_add_str(ret_allow, r->method);
		there = true;
	}
	return there ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}

/* --- as data ------------------------------------------------------------------------------------------------------------ */

static json_t *fields_json(const struct json_field *f)
{
	static const char *const kinds[] = {
		[JSON_KIND_STR] = "string", [JSON_KIND_INT] = "integer", [JSON_KIND_BOOL] = "boolean",
		[JSON_KIND_LIST] = "array", [JSON_KIND_SECRET] = "string", [JSON_KIND_JSON] = "object",
	};
	json_t *l = json_array();

	for (; f && f->name; f++) {
		json_t *one = json_pack("{s:s, s:s, s:b, s:b, s:I, s:I, s:I}", "name", f->name, "type", kinds[f->kind], "required",
					f->required, "secret", f->kind == JSON_KIND_SECRET, "min", (json_int_t)f->min, "max",
					(json_int_t)(f->max ? f->max : f->kind == JSON_KIND_STR ? LIMIT_TEXT : 0), "item_max",
					(json_int_t)(f->item_max ? f->item_max : LIMIT_TEXT));

		if (f->one_of) {
			json_t *e = json_array();

			for (size_t i = 0; f->one_of[i]; i++)
				json_array_append_new(e, json_string(f->one_of[i]));
			json_object_set_new(one, "enum", e);
		}
		json_array_append_new(l, one);
	}
	return l;
}

json_t *route_tables(void)
{
	json_t *l = json_array();

	for (size_t i = 0; i < routes_count; i++) {
		const struct route *r = &routes[i];
		unsigned short v[ROUTE_STATUSES_MAX];
		size_t n = route_statuses(r, v);
		json_t *statuses = json_array();

		for (size_t k = 0; k < n; k++)
			json_array_append_new(statuses, json_integer(v[k]));
		json_array_append_new(l, json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:o, s:o, s:b, s:o}", "method", r->method, "path",
						   r->path, "operation", r->operation, "permission", permission_text(r->permission),
						   "slow", (r->flags & ROUTE_SLOW) != 0, "idempotency_key", (r->flags & ROUTE_ONCE) != 0,
						   "if_match", (r->flags & ROUTE_MATCH) != 0, "job", (r->flags & ROUTE_JOB) != 0, "body",
						   fields_json(r->body), "query", fields_json(r->query), "has_body", r->body != NULL,
						   "statuses", statuses));
	}
	return l;
}
