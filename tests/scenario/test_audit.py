# SPDX-License-Identifier: Apache-2.0
"""The audit: a walk through all routes that change something demands a row for each; what is refused; what the server does by
itself; filters; the table for spreadsheets; the log line; a flood of bad sign-ins; a disk that is full is another test's."""
import csv
import io
import json
import re
import time

import bed as beds
import pytest
from api_client import Client, operations
from helpers import wait_order

PASSWORD = "correct horse battery staple"
MUTATING = {op["operationId"]: (m, p) for m, p, op in operations() if m != "GET"}


class Walk:
    """Each step does one thing that succeeds (or is refused by the authority, as said) and gives back the answer; its request id must
    have a row."""

    def __init__(self, bed):
        self.bed = bed
        self.me = Client(bed.server.url, token=bed.server.token_file.read_text().strip())
        self.seen = {}

    def do(self, operation, path=None, body=None, client=None, also=None, **more):
        method, template = MUTATING[operation]
        r = (client or self.me).raw(method, "/api/v1" + (path or template), json=body, headers={"If-Match": "*", **more}, timeout=120)
        assert 200 <= r.status_code < 300 or r.status_code == also, f"{operation}: {r.status_code} {r.text}"
        self.seen[operation] = r.headers["X-Request-Id"]
        r = (client or self.me).settled(r, {"createCsr": "/csrs", "registerAccount": "/accounts"}.get(operation))
        return r.json() if r.content and "json" in r.headers["Content-Type"] else r

    def people(self):
        user = self.do("createUser", body={"name": "walker", "role": "operator", "rights": ["audit"], "password": PASSWORD})
        session = Client(self.me.url)
        r = session.raw("POST", "/api/v1/session", json={"name": "walker", "password": PASSWORD})
        self.seen["createSession"] = r.headers["X-Request-Id"]
        session = Client(self.me.url, cookie=re.match("__Host-certwright=([^;]+)", r.headers["Set-Cookie"]).group(1), csrf=r.json()["csrf_token"])
        self.do("putPassword", body={"old_password": PASSWORD, "new_password": PASSWORD + "2"}, client=session)
        other = self.me.sign_in("walker", PASSWORD + "2")
        ended = next(s for s in other.get("/sessions").json()["items"] if s["current"])
        self.do("endSession", f"/sessions/{ended['id']}")
        self.do("deleteSession", client=session)
        token = self.do("createToken", body={"name": "walk", "rights": ["audit"]})
        self.do("deleteToken", f"/tokens/{token['info']['id']}")
        self.do("updateUser", f"/users/{user['id']}", {"role": "viewer", "rights": ["audit", "revoke"], "disabled": False})
        self.do("endUserSessions", f"/users/{user['id']}/sessions")
        self.do("deleteUser", f"/users/{user['id']}")

    def csrs(self):
        made = self.do("createCsr", body={"names": ["csr.example.test"], "key_type": "p256"})
        self.do("deleteCsr", f"/csrs/{made['id']}")
        beds.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(self.bed.folder / "k.pem"), "-out", str(self.bed.folder / "r.pem"),
                     "-subj", "/CN=up.example.test", "-addext", "subjectAltName=DNS:up.example.test")
        self.do("uploadCsr", body={"pem": (self.bed.folder / "r.pem").read_text()})
        beds.openssl("x509", "-req", "-in", str(self.bed.folder / "r.pem"), "-signkey", str(self.bed.folder / "k.pem"), "-out", str(self.bed.folder / "c.pem"))
        self.do("importCertificates", body={"content": (self.bed.folder / "c.pem").read_text()})
        made = self.do("createDelegation", body={"name": "walk.example.test"})
        self.do("deleteDelegation", f"/delegations/{made['id']}")
        self.do("pasteDelegations", body={"text": "pasted.example.test"})

    def settings(self):
        vendor = self.me.get("/vendors").json()["items"][0]["key"]
        self.do("updateVendor", f"/vendors/{vendor}", {"directory_url": self.bed.ca.directory})
        self.me.ask("PATCH", f"/vendors/{vendor}", json={"directory_url": ""}, headers={"If-Match": "*"})
        view = self.do("createView", body={"name": "walk", "kind": "system"})
        self.do("updateView", f"/views/{view['id']}", {"name": "walked"})
        rule = self.do("createViewRule", body={"suffix": "walk.example.test", "view_id": view["id"]})
        self.do("updateViewRule", f"/view-rules/{rule['id']}", {"wait_s": 5})
        self.do("deleteViewRule", f"/view-rules/{rule['id']}")
        self.do("deleteView", f"/views/{view['id']}")
        rule = self.do("createRule", body={"suffix": "rule.example.test", "validation": "dns-01", "method": "manual"})
        self.do("updateRule", f"/rules/{rule['id']}", {"method": "delegation"})
        self.do("deleteRule", f"/rules/{rule['id']}")
        window = self.do("createRenewalWindow", body={"name": "walk", "cron": "0 2 * * *", "minutes": 60})
        self.do("deleteRenewalWindow", f"/renewal-windows/{window['id']}")

    def providers(self, account):
        """Its vendor does not answer: what is to be withdrawn there is owed, and somebody has it tried again."""
        fields = {"url": f"http://127.0.0.1:{beds.free_port()}", "api_key": "walked-walked"}
        made = self.do("createProvider", body={"kind": "powerdns", "name": "walk", "fields": fields})
        self.do("updateProvider", f"/providers/{made['id']}", {"name": "walked"})
        self.do("testProvider", f"/providers/{made['id']}/test", {})
        body = {"account_id": account, "names": ["owed.example.test"], "validation": "dns-01", "dns": made["id"]}
        order = self.me.post("/orders", body).json()
        beds.wait_for(lambda: self.me.get("/debts").json()["items"], 240, "something is owed")
        assert self.me.ask("DELETE", f"/orders/{order['id']}", headers={"If-Match": "*"}).status_code == 204
        owed = beds.wait_for(lambda: [d for d in self.me.get("/debts").json()["items"] if d["kind"] == "withdraw-dns" and not d["held"]], 240,
                             "the order needs it no more")
        self.do("retryDebt", f"/debts/{owed[0]['id']}/retry")
        unused = self.me.post("/providers", {"kind": "powerdns", "name": "unused", "fields": fields}).json()
        self.do("deleteProvider", f"/providers/{unused['id']}")

    def channels(self):
        made = self.do("createChannel", body={"kind": "webhook", "name": "walk", "settings": {"url": "https://hook.example.test/"}})
        self.do("updateChannel", f"/channels/{made['id']}", {"name": "walked"})
        self.do("rotateChannelSecret", f"/channels/{made['id']}/secret")
        self.do("testChannel", f"/channels/{made['id']}/test")
        self.do("deleteChannel", f"/channels/{made['id']}")

    def orders(self):
        account = self.do("registerAccount", body={"directory_url": self.bed.ca.directory, "email": "walk@example.test", "agree_tos": True})
        self.do("refreshAccount", f"/accounts/{account['id']}/refresh")
        self.do("updateAccount", f"/accounts/{account['id']}", {"name": "renamed"})
        self.do("changeAccountContact", f"/accounts/{account['id']}/contact", {"email": "other@example.test"})
        self.do("agreeToTerms", f"/accounts/{account['id']}/agree", {}, also=422)  # this authority refuses it; that it was asked is told
        self.do("changeAccountKey", f"/accounts/{account['id']}/rollover")
        self.providers(account["id"])
        self.by_hand(account["id"])
        order = self.do("createOrder", body={"account_id": account["id"], "names": ["walk.example.test"], "validation": "http-01", "mode": "step-by-step"})
        until = time.monotonic() + 240
        while self.me.get(f"/orders/{order['id']}").json()["status"] != "ready" and time.monotonic() < until:
            time.sleep(0.1)
        self.do("refreshOrder", f"/orders/{order['id']}/refresh")
        self.do("finalizeOrder", f"/orders/{order['id']}/finalize")
        assert wait_order(self.bed, order["id"])["status"] == "valid"
        certificate = self.me.get(f"/orders/{order['id']}").json()["certificate_id"]
        self.do("updateCertificate", f"/certificates/{certificate}", {"owner": "walk", "notes": "", "tags": ["walk"]})
        self.do("exportCertificate", f"/certificates/{certificate}/export", {"format": "pem", "with_key": True, "reason": "walk"})
        self.renewals(certificate, account["id"])
        self.do("deleteOrder", f"/orders/{order['id']}")
        self.do("deleteCertificate", f"/certificates/{certificate}")
        self.do("deleteAccount", f"/accounts/{account['id']}")
        self.do("makeSupportBundle")

    def by_hand(self, account):
        """An order that waits for a record goes on at a person's word."""
        order = self.me.post("/orders", {"account_id": account, "names": ["hand.example.test"], "validation": "dns-01", "dns": "manual"}).json()
        at = f"/orders/{order['id']}"
        beds.wait_for(lambda: self.me.get(at).json()["stage"] == "waiting for you", 240, "it waits")
        self.do("goOnOrder", f"{at}/go-on")
        assert self.me.ask("DELETE", at, headers={"If-Match": "*"}).status_code == 204

    def renewals(self, certificate, account):
        self.do("putRenewalPause", body={"stopped": True, "reason": "walk"})
        self.do("putRenewalPause", body={"stopped": False})
        self.do("updateRenewal", f"/certificates/{certificate}/renewal", {"key_max_days": 365})
        made = self.do("createRenewals", body={"certificate_ids": [certificate]})
        assert wait_order(self.bed, made["items"][0]["order_id"])["status"] == "valid"
        self.do("manageCertificate", f"/certificates/{certificate}/manage", {"account_id": account, "validation": "http-01", "key": "new"})
        self.do("actOnCertificates", body={"action": "add-tags", "tags": ["bulk"], "q": "tag:walk"})
        self.do("createRevocations", body={"certificate_ids": [certificate]})
        until = time.monotonic() + 240
        while not self.rows("&action=certificate.revoke&actor=system") and time.monotonic() < until:
            time.sleep(0.2)

    def rows(self, query=""):
        rows, cursor = [], ""
        while cursor is not None:
            page = self.me.get(f"/audit?limit=200{query}" + (f"&cursor={cursor}" if cursor else "")).json()
            rows += page["items"]
            cursor = page["cursor"]
        return rows


@pytest.fixture(scope="module")
def walk(tls):
    folder = beds.scratch("certwright-audit-")
    bed = beds.Bed(folder, tls=tls).start()
    one = Walk(bed)
    one.people()
    one.csrs()
    one.settings()
    one.channels()
    one.orders()
    yield one
    bed.stop()


# walked by the test that is named
NOT_HERE = {"postSetup": "test_the_first_administrator_comes_in_by_a_setup_token_once",
            "attachProvider": "test_a_big_ip_answers_for_an_order_after_an_operator_attached_the_rule"}
# these look and change nothing: what they ask of others is a job, with who asked
LOOKS = {"previewOrder", "lintCsr", "preflight", "checkDelegation", "checkVendors", "readDirectory", "lookAtCertificate", "runChecks", "askProviderOptions"}


def test_every_route_that_changes_something_leaves_a_row(walk):
    by_request = {}
    for row in walk.rows():
        by_request.setdefault(row["request_id"], []).append(row)
    missing = set(MUTATING) - set(walk.seen) - set(NOT_HERE) - LOOKS
    assert not missing, f"walk these routes too (Walk in this file): {missing}"
    silent = {op for op, request in walk.seen.items() if request not in by_request}
    assert not silent, f"no audit row in the transaction of: {silent}"
    for op, request in walk.seen.items():
        row = by_request[request][-1]
        assert row["actor_name"] and row["address"] == "127.0.0.1" and (row["object_id"] and row["object_name"] or row["object_kind"] == "server"), (op, row)
        assert row["actor_kind"] in ("user", "token") and (row["actor_kind"] == "token") == bool(row["token_name"]), (op, row)


TOLD = ("account.update", "channel", "provider", "rule", "user", "vendor", "view", "view-rule", "window")


def test_a_change_says_what_it_was_and_what_it_is(walk):
    rows = [r for r in walk.rows("") if r["action"].startswith(TOLD) and r["action"].rsplit(".", 1)[1] in ("create", "update", "delete")]
    assert {r["action"].rsplit(".", 1)[0] for r in rows} >= {"account", "channel", "provider", "rule", "user", "vendor", "view", "view-rule", "window"}
    for row in rows:
        verb = row["action"].rsplit(".", 1)[1]
        assert (row["before"] is not None, row["after"] is not None) == (verb != "create", verb != "delete"), row
        assert verb != "update" or set(row["before"]) <= set(row["after"]), row


def test_rows_of_what_was_deleted_stay_readable(walk):
    rows = walk.rows("&object=walker")
    actions = [r["action"] for r in rows]
    assert actions[0] == "user.delete" and actions[-1] == "user.create"
    update = next(r for r in rows if r["action"] == "user.update")
    assert update["before"] == {"role": "operator", "rights": "audit", "disabled": False}
    assert update["after"] == {"role": "viewer", "rights": "audit revoke", "disabled": False}
    assert {r["actor_name"] for r in walk.rows("&actor=walker")} == {"walker"}


def test_what_the_server_does_by_itself_is_there_with_its_reason(walk):
    issued = walk.rows("&actor=system&action=certificate.issue")
    assert len(issued) == 1 and issued[0]["object_name"] == "walk.example.test" and issued[0]["reason"].startswith("order ")
    assert issued[0]["after"]["serial"] and issued[0]["actor_kind"] == "system"
    replaced, revoked = walk.rows("&actor=system&action=certificate.replace"), walk.rows("&actor=system&action=certificate.revoke")
    assert len(replaced) == len(revoked) == 1 and replaced[0]["object_id"] == revoked[0]["object_id"] == issued[0]["object_id"]


def test_an_order_that_fails_for_good_is_there_with_its_reason(make_bed):
    bed = make_bed(never=["nowhere.example.test"])
    account = bed.account()
    made = bed.server.call("order", "create", "--account", account["id"], "--name", "nowhere.example.test", "--validation", "http-01")
    assert wait_order(bed, made["id"])["status"] == "invalid"
    rows = bed.server.call("audit", "list", "--action", "order.fail")["items"]
    assert [r["object_id"] for r in rows] == [made["id"]] and rows[0]["reason"] and rows[0]["actor_name"] == "system"


def test_filters_take_a_span_and_pages_go_on(walk):
    rows = walk.rows()
    assert [r["at"] for r in rows] == sorted((r["at"] for r in rows), reverse=True)
    middle, known = rows[len(rows) // 2]["at"], {r["id"] for r in rows}
    since, until = ([r for r in walk.rows(f"&{bound}={middle}") if r["id"] in known] for bound in ("since", "until"))  # what the server does meanwhile does not count
    assert len(since) + len(until) == len(rows) and all(r["at"] >= middle for r in since) and all(r["at"] < middle for r in until)
    pages, cursor = [], ""
    while cursor is not None:
        page = walk.me.get(f"/audit?limit=3&actor=admin{cursor and '&cursor=' + cursor}").json()
        pages += page["items"]
        cursor = page["cursor"]
    assert [r["id"] for r in pages] == [r["id"] for r in rows if r["actor_name"] == "admin"]
    assert walk.me.get("/audit?since=yesterday").status_code == 400
    assert walk.me.get("/audit?actor=nobody-here").json()["items"] == []


def test_the_table_is_whole_and_no_cell_is_a_formula(walk):
    evil = "=HYPERLINK(\"http://evil.example\")"
    token = walk.me.post("/tokens", {"name": evil}).json()["info"]
    r = walk.me.get("/audit.csv?action=token.create")
    assert r.headers["Content-Type"].startswith("text/csv") and "attachment" in r.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(r.text)))
    assert rows[0]["object"] == "'" + evil and rows[0]["object_id"] == token["id"]
    for row in rows:
        assert all(not v or v[0] not in "=+-@\t\r\n" for v in row.values()), row
    done = walk.bed.server.cli("audit", "list", "--csv", "--action", "token.create")
    assert done.status == 0 and list(csv.DictReader(io.StringIO(done.out)))[-1]["action"] == "token.create"


def test_each_row_is_a_log_line_with_the_documented_members(walk):
    names = set(re.findall(r"^\| `([a-z_]+)` \|", (beds.TOP / "docs/admin/audit.md").read_text(), re.M))
    rows = {row["id"] for row in walk.rows() if row["actor_kind"] != "host"}

    def lines():
        text = "\n".join(log.read_text(errors="replace") for log in walk.bed.folder.rglob("*.log"))
        docs = [json.loads(line) for line in text.split("\n") if line.startswith("{") and line.endswith("}") and '"audit"' in line]
        return [doc for doc in docs if "audit_id" in doc]

    # a line is written after its row, and after the answer
    beds.wait_for(lambda: {doc["audit_id"] for doc in lines()} >= rows, 120, "each row is a line")
    used = {k for doc in lines() for k in doc}
    assert used - {"time", "level", "msg", "process", "request", "job", "order"} <= names, used - names


def test_refusals_are_there_and_a_flood_of_them_is_a_sum(scratch):
    server = beds.Server(scratch, settings={"dns.listen": "", "http01.listen": ""}, user=beds.user_of_parts()).start()
    try:
        me = Client(server.url, token=server.token_file.read_text().strip())
        me.post("/users", {"name": "small", "role": "viewer", "password": PASSWORD})
        small = me.sign_in("small", PASSWORD)
        assert small.get("/users").status_code == 403
        refused = me.get("/audit?action=request.refused").json()["items"]
        assert refused[0]["actor_name"] == "small" and refused[0]["detail"]["operation"] == "listUsers"
        before, begun = len(me.get("/audit?limit=200").json()["items"]), time.monotonic()
        codes = [Client(server.url).post("/session", {"name": f"guess{n % 30}", "password": "wrong wrong wrong"}).status_code for n in range(120)]
        assert set(codes) == {401, 429}
        after = len(me.get("/audit?limit=200").json()["items"])
        passed = int((time.monotonic() - begun) / 60)  # minutes: in each the first five one by one, and a sum of each kind
        assert after - before <= 6 + 7 * passed, "bad sign-ins fill the disk"
    finally:
        server.stop()
    server.start()
    try:
        rows = me.get("/audit?limit=200").json()["items"]
        sums = {a: sum(r["detail"]["count"] if r["detail"] else 1 for r in rows if r["action"] == a) for a in ("session.refused", "session.throttled")}
        assert sums["session.refused"] == codes.count(401) and sums["session.throttled"] == codes.count(429), sums
    finally:
        server.stop()
