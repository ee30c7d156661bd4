# SPDX-License-Identifier: Apache-2.0
"""Who may what: every route of the program by every role and every set of rights, by nobody, by tokens that are over, demoted, made
for less or used from elsewhere, by sessions that ended, on what is another's and on what is deleted. The routes come from the program
itself; what is expected is said here once more, so a new route without an expectation fails."""
import itertools
import json
import shutil
import sqlite3
import subprocess

import bed as beds
import pytest
from api_client import Client
from api_fixtures import PASSWORD, ROLES, Api

UNKNOWN = "01JZZZZZZZZZZZZZZZZZZZZZZZ"
RIGHTS = ("audit", "revoke", "key-export")
ROLE_MAY = {"viewer": {"self", "pull", "view"}, "operator": {"self", "pull", "view", "order"},
            "admin": {"self", "pull", "view", "order", "account", "admin"}}
# operation -> what it needs
EXPECT = {
    "none": "getSetup postSetup createSession getOpenapi",
    "self": "getSession deleteSession putPassword listTokens createToken getToken deleteToken listSessions endSession",
    "pull": "downloadCertificate",
    "view": "listVendors listAccounts getAccount listCsrs getCsr listOrders getOrder listOrderEvents downloadOrderCertificate listRecords getRecord"
            " listDelegations getDelegation listCertificates getCertificate exportCertificate listJobs getJob listJobRows getStatus streamEvents"
            " getRenewal listRenewals getRenewalPause listNotices"
            " listViews getView listViewRules getViewRule listDelegationAsked getDelegationLines"
            " getVendor previewAccountDeletion checkCsr lintCsr listProviderKinds listProviders getProvider listRules getRule listDebts"
            " listChannels getChannel listMessages listChallengeTexts getExpiry listRenewalWindows getRenewalWindow"
            " actOnCertificates",
    "order": "createCsr uploadCsr deleteCsr createOrder refreshOrder finalizeOrder deleteOrder createDelegation deleteDelegation deleteCertificate"
             " updateCertificate importCertificates updateRenewal createRenewals putRenewalPause manageCertificate"
             " goOnOrder checkDelegation pasteDelegations preflight"
             " previewOrder testChannel testProvider retryDebt createRenewalWindow deleteRenewalWindow",
    "account": "registerAccount updateAccount deleteAccount refreshAccount changeAccountContact agreeToTerms changeAccountKey"
               " checkVendors readDirectory updateVendor lookAtCertificate",
    "admin": "createChannel updateChannel deleteChannel rotateChannelSecret createProvider updateProvider deleteProvider attachProvider askProviderOptions createRule updateRule deleteRule"
             " createView updateView deleteView createViewRule updateViewRule deleteViewRule"
             " getChecks runChecks makeSupportBundle listUsers createUser getUser updateUser deleteUser listUserSessions endUserSessions",
    "audit": "listAudit exportAudit getAuditorReport",
    "revoke": "createRevocations",
}
NEEDS = {op: need for need, ops in EXPECT.items() for op in ops.split()}
QUERY = {"checkCsr": "?vendor=custom"}  # what an operation cannot do without
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SETS = [set(c) for n in range(len(RIGHTS) + 1) for c in itertools.combinations(RIGHTS, n)]
CELLS = {"n": 0}


def routes():
    done = subprocess.run([str(beds.BUILD / "tests" / "tool" / "api-server"), "tables"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


ROUTES = routes()
GUARDED = [r for r in ROUTES if r["permission"] != "none"]
IDS = [r["operation"] for r in GUARDED]


def may(need, role, rights):
    return need in rights if need in RIGHTS else need in ROLE_MAY[role]


class World:
    """A server with a user for each role and set of rights, and every kind of credential that must not work."""

    def __init__(self, folder):
        self.api = Api(folder)
        admin = self.api.admin
        self.tokens = {}
        self.users = {}
        for role in ROLES:
            for i, rights in enumerate(SETS):
                name = f"m-{role}-{i}"
                made = admin.post("/users", {"name": name, "role": role, "rights": sorted(rights), "password": PASSWORD + name})
                assert made.status_code == 201, made.text
                self.users[name] = made.json()
                self.tokens[role, i] = self.token(name, rights=sorted(rights))
        every = sorted(RIGHTS)
        boss = self.new("boss", "admin", every)
        self.never = {
            "nobody": Client(self.api.url),
            "a made-up token": Client(self.api.url, token="cw_" + "A" * 49),
            "a made-up session": Client(self.api.url, cookie="cwses_" + "A" * 49),
            "from elsewhere": self.token("boss", rights=every, sources=["192.0.2.0/24", "2001:db8::/32"]),
        }
        revoked = self.token("boss", rights=every)
        mine = revoked.get("/tokens").json()["items"]
        assert revoked.ask("DELETE", f"/tokens/{mine[0]['id']}").status_code == 204
        self.never["a revoked token"] = revoked
        expired = self.token("boss", rights=every, name="to expire")
        ended = admin.sign_in("boss", PASSWORD + "boss")
        assert ended.ask("DELETE", "/session").status_code == 204
        old = admin.sign_in("boss", PASSWORD + "boss")
        for name, change in (("disabled", {"disabled": True}), ("deleted", None)):
            user = self.new(name, "admin", every)
            self.never[f"the token of a {name} user"] = self.token(name, rights=every)
            self.never[f"the session of a {name} user"] = admin.sign_in(name, PASSWORD + name)
            done = admin.ask("PATCH" if change else "DELETE", f"/users/{user['id']}", json=change, headers={"If-Match": "*"})
            assert done.status_code in (200, 204), done.text
        ended_by_admin = admin.sign_in("boss", PASSWORD + "boss")
        sessions = ended_by_admin.get("/sessions").json()["items"]
        current = next(s for s in sessions if s["current"])
        assert admin.ask("DELETE", f"/sessions/{current['id']}").status_code == 204
        with sqlite3.connect(self.api.server.state / "certwright.db", timeout=20) as db:
            assert db.execute("UPDATE token SET expires_ms = 1 WHERE name = 'to expire'").rowcount == 1
            assert db.execute("UPDATE session SET expires_ms = 1 WHERE id = ?", (old.get("/sessions").json()["items"][0]["id"],)).rowcount == 1
        self.never |= {"an expired token": expired, "a session that was signed out": ended, "a session that is too old": old,
                       "a session an administrator ended": ended_by_admin}
        self.boss = boss
        # demoted afterwards: the tokens keep what they were made with, and that is not enough
        self.new("demoted", "admin", every)
        self.demoted = self.token("demoted", rights=every)
        assert self.change("demoted", {"role": "viewer", "rights": []})
        self.small = self.token("boss", role="viewer")  # made for less than its owner has

    def new(self, name, role, rights):
        made = self.api.admin.post("/users", {"name": name, "role": role, "rights": rights, "password": PASSWORD + name})
        assert made.status_code == 201, made.text
        return made.json()

    def change(self, name, body):
        return self.api.admin.ask("PATCH", f"/users/{name}", json=body, headers={"If-Match": "*"}).status_code == 200

    def token(self, user, **body):
        session = self.api.admin.sign_in(user, PASSWORD + user)
        made = session.post("/tokens", {"name": "matrix", **body})
        assert made.status_code == 201, made.text
        assert session.ask("DELETE", "/session").status_code == 204
        return Client(self.api.url, token=made.json()["token"])


@pytest.fixture(scope="module")
def world():
    folder = beds.scratch("certwright-matrix-")
    one = World(folder)
    yield one
    one.api.stop()
    shutil.rmtree(folder, ignore_errors=True)


def ask(client, route, identifier=UNKNOWN):
    """The status. Bodies are empty: whoever may is told what is missing, not that he may not."""
    CELLS["n"] += 1
    path = "/api/v1" + route["path"].replace("{id}", identifier).replace("{format}", "pem") + QUERY.get(route["operation"], "")
    headers = {"If-Match": '"1"'}
    if client.token:
        headers["Authorization"] = f"Bearer {client.token}"
    if client.cookie:
        headers |= {"Cookie": f"__Host-certwright={client.cookie}", "X-CSRF-Token": client.csrf or ""}
    r = client.http.request(route["method"], client.url + path, json={} if route["has_body"] else None, headers=headers, timeout=120, stream=True)
    if r.status_code != 200 or route["operation"] != "streamEvents":
        r.content  # noqa: B018 so that the connection is used again
    r.close()
    client.http.cookies.clear()
    return r


def test_every_route_has_an_expectation_and_the_program_says_the_same():
    assert {r["operation"]: r["permission"] for r in ROUTES} == NEEDS


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_roles_and_rights_may_just_what_they_should(world, route):
    need = NEEDS[route["operation"]]
    for (role, i), client in world.tokens.items():
        r = ask(client, route)
        if may(need, role, SETS[i]):
            assert r.status_code not in (401, 403) or route["operation"] == "putPassword", (role, SETS[i], r.status_code, r.text)
            if "{id}" in route["path"] and not route["has_body"]:
                assert r.status_code == 404, (role, SETS[i], r.status_code, r.text)
        else:
            assert r.status_code == 403, (role, SETS[i], r.status_code, r.text)
            if need in RIGHTS:
                assert f"'{need}'" in r.json()["detail"] and "user right" in r.json()["hint"]


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_what_is_over_or_elsewhere_may_nothing(world, route):
    for what, client in world.never.items():
        assert ask(client, route).status_code == 401, what


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_a_token_has_what_both_it_and_its_owner_have_now(world, route):
    need = NEEDS[route["operation"]]
    for client in (world.demoted, world.small):
        status = ask(client, route).status_code
        assert (status == 403) == (not may(need, "viewer", ())) or route["operation"] == "putPassword", status


@pytest.mark.parametrize("path", sorted({r["path"] for r in ROUTES}))
def test_a_method_the_path_does_not_take_is_405_for_everybody(world, path):
    there = {r["method"] for r in ROUTES if r["path"] == path}
    for method in METHODS:
        if method not in there:
            for client in (world.never["nobody"], world.api.admin):
                r = ask(client, {"method": method, "path": path, "operation": "", "has_body": False})
                assert r.status_code == 405 and set(r.headers["Allow"].split(", ")) == there, (method, r.status_code)


def test_what_is_anothers_is_not_there(world):
    admin, viewer = world.api.admin, world.tokens["viewer", 0]
    others = [t for t in admin.get("/tokens?limit=200").json()["items"] if t["user_name"] == "boss"]
    here = world.api.admin.sign_in("boss", PASSWORD + "boss")
    session = next(s for s in here.get("/sessions").json()["items"] if s["current"])
    for client in [c for (role, _), c in world.tokens.items() if role != "admin"]:
        for route in (r for r in ROUTES if r["path"] == "/tokens/{id}"):
            assert ask(client, route, others[0]["id"]).status_code == 404
        for route in (r for r in ROUTES if r["path"] == "/sessions/{id}"):
            assert ask(client, route, session["id"]).status_code == 404
    assert here.get("/session").status_code == 200
    assert {t["user_id"] for t in viewer.get("/tokens?limit=200").json()["items"]} == {viewer.get("/session").json()["user"]["id"]}


def test_what_is_deleted_is_not_there_for_anybody(world):
    admin = world.api.admin
    gone = {}
    made = admin.post("/delegations", {"name": "matrix.example.com"})
    gone["/delegations/{id}"] = made.json()["id"]
    assert admin.ask("DELETE", f"/delegations/{gone['/delegations/{id}']}", headers={"If-Match": "*"}).status_code == 204
    user = world.new("to-be-gone", "viewer", [])
    gone["/users/{id}"] = gone["/users/{id}/sessions"] = user["id"]
    assert admin.ask("DELETE", f"/users/{user['id']}", headers={"If-Match": "*"}).status_code == 204
    for route in (r for r in ROUTES if r["path"] in gone):
        for (role, i), client in world.tokens.items():
            status = ask(client, route, gone[route["path"]]).status_code
            want = 403 if not may(NEEDS[route["operation"]], role, SETS[i]) else (400, 404) if route["has_body"] else (404,)
            assert status == want or status in (want if isinstance(want, tuple) else ()), (route["operation"], role, status)


def test_nobody_gives_a_token_what_he_has_not(world):
    for role, rank in zip(ROLES, range(3)):
        for i, rights in enumerate(SETS):
            client = world.tokens[role, i]
            for want_role, want_rank in zip(ROLES, range(3)):
                for right in RIGHTS:
                    r = client.post("/tokens", {"name": "more", "role": want_role, "rights": [right]})
                    CELLS["n"] += 1
                    assert (r.status_code == 201) == (want_rank <= rank and right in rights), (role, rights, want_role, right, r.text)


def test_an_event_stream_ends_when_its_right_to_be_there_does(world):
    world.new("listener", "operator", ["audit"])
    client = world.token("listener", rights=["audit"])
    r = client.http.get(f"{client.url}/api/v1/events", headers={"Authorization": f"Bearer {client.token}"}, stream=True, timeout=20)
    assert r.status_code == 200
    assert world.change("listener", {"rights": []})
    for _ in r.iter_content(64):
        pass  # it ends; a stream that stays runs into the time-out


def test_the_matrix_has_more_than_a_thousand_cells():
    assert CELLS["n"] >= 1000, CELLS
