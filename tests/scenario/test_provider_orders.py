# SPDX-License-Identifier: Apache-2.0
"""Apex and wildcard in one order through every provider, end to end: the CA asks the name server that answers from the provider's zone, so a
publish that lies cannot issue; afterwards the zone is as it was."""
import base64
import hashlib
import http.server
import json
import shutil
import signal
import threading
import time

import dnspeers
import helpers
import pytest
import test_provider_programs as programs
from akamai_api import Akamai
from cloudflare_api import Cloudflare
from provider_fixtures import NAME, world  # noqa: F401

import bed as beds

THEIRS = "somebody else's value"


class Site:
    """A CA and Certwright around one name server: the provider's."""

    def __init__(self, folder, tls, dns_port, settings=None):
        self.folder, self.parts = folder, []
        self.user = beds.user_of_parts()
        http_port = beds.free_port()
        self.resolver = self.add(beds.Resolver(folder, dns_port))
        self.ca = self.add(beds.Pebble(folder, self.resolver.port, http_port, self.user, True, {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"}, False, tls))
        trust = folder / "trust.pem"
        trust.write_bytes(self.ca.ca.read_bytes())
        trust.chmod(0o644)
        self.server = beds.Server(folder, {"net.trust": str(trust), "resolve.servers": f"127.0.0.1:{dns_port}", "resolve.ask_view": "yes",
                                           **(settings or {})}, self.user)
        self.parts.append(self.server)
        self.server.start()
        self.account = self.server.call("account", "register", "--directory", self.ca.directory, "--email", "admin@certwright.test", "--agree-tos")

    def add(self, part):
        self.parts.append(part)
        return part

    def stop(self):
        for part in reversed(self.parts):
            part.stop()

    def provider(self, kind, **fields):
        status, body, _ = self.server.request("POST", "/providers", {"kind": kind, "name": f"my {kind}", "fields": fields})
        assert status in (200, 201), body
        assert not any(secret in json.dumps(body) for secret in (Cloudflare.TOKEN, Akamai.SECRET, dnspeers.SECRET)), body
        return body

    def order(self, provider):
        order = self.server.call("order", "create", "--account", self.account["id"], "--validation", "dns-01", "--dns", provider["id"],
                                 "--name", "example.test", "--name", "*.example.test")
        return order["id"]


@pytest.fixture
def site(scratch, tls):
    made = []

    def make(dns_port, settings=None):
        made.append(Site(scratch, tls, dns_port, settings))
        return made[-1]
    yield make
    for one in made:
        one.stop()


def issue(site, provider, values):
    """The order becomes valid, and what is left at the name is what was there before."""
    before = values(NAME)
    order = helpers.wait_order(site, site.order(provider))
    assert order["status"] == "valid", order
    leaf = helpers.chain(site, order["id"])[0]
    assert helpers.names_of(leaf) == ["*.example.test", "example.test"]
    beds.wait_for(lambda: values(NAME) == before, 120, f"the zone is as it was: {values(NAME)}")
    return order


def test_through_cloudflare(world, site):  # noqa: F811
    w = world(Cloudflare)
    w.api.create("example.test", {"type": "TXT", "name": NAME, "content": THEIRS, "ttl": 1})
    s = site(w.names.port)
    p = s.provider("cloudflare", url=f"{w.api.url}/client/v4", token=Cloudflare.TOKEN)
    issue(s, p, w.zones.values)
    assert w.zones.values(NAME) == [THEIRS]


def test_through_akamai_with_a_pasted_edgerc(world, site):  # noqa: F811
    w = world(Akamai)
    w.zones.put("example.test", NAME, 3600, [f'"{THEIRS}"'])
    s = site(w.names.port)
    issue(s, s.provider("akamai", url=w.api.url, edgerc=w.api.edgerc()), w.zones.values)
    assert w.zones.get("example.test", NAME) == (3600, [f'"{THEIRS}"'])


def test_through_route53_while_it_throttles(world, site):  # noqa: F811
    route53 = pytest.importorskip("route53_api", reason="botocore is not installed for this Python").Route53
    w = world(route53)
    w.zones.put("example.test", NAME, 3600, [f'"{THEIRS}"'])
    s = site(w.names.port)
    w.api.faults = [w.api.error(400, "Throttling", "Rate exceeded")]
    p = s.provider("route53", url=w.api.url, access_key_id=route53.KEY, secret_access_key=route53.SECRET)
    issue(s, p, w.zones.values)
    assert w.zones.get("example.test", NAME) == (3600, [f'"{THEIRS}"'])


def reads_its_key(site, provider, which):
    """A test that only reads asks a signed question: another secret is found out, and so is a zone that is not there. Knot DNS signs no answer
    about a zone it does not have, so without a zone nothing is known."""
    def after(**fields):
        status, body, _ = site.server.request("PATCH", f"/providers/{provider['id']}", {"fields": fields}, {"If-Match": "*"})
        assert status == 200, body
        return site.server.cli("provider", "test", provider["id"], "--json").json

    good = after(zone="example.test")
    assert (good["status"], good["reason"], good["test"]["remote"]["signed"]) == ("ok", None, True), good
    wrong = after(tsig_secret=base64.b64encode(b"another secret of 32 bytes here!").decode())
    assert wrong["status"] == ("failed" if which == "PowerDNS" else "refused") and "sign" in str(wrong["reason"]).lower(), wrong
    assert after(tsig_secret=dnspeers.SECRET, zone="elsewhere.test")["status"] == "failed"
    blind = after(zone=None)
    assert blind["status"] == ("failed" if which == "Knot DNS" else "ok"), blind
    assert which != "Knot DNS" or "does not say whether it takes the key" in str(blind["reason"]), blind


@pytest.mark.parametrize("which", ["BIND", "Knot DNS", "PowerDNS"])
def test_through_dynamic_updates(site, scratch, which):
    kind = {"BIND": dnspeers.Named, "Knot DNS": dnspeers.Knot, "PowerDNS": dnspeers.PowerDns}[which]
    if not kind.here():
        pytest.skip(f"{which} is not installed")
    peer = kind(scratch / "peer")
    try:
        s = site(peer.port)
        p = s.provider("rfc2136", server=f"127.0.0.1:{peer.port}", tsig_key=dnspeers.KEY, tsig_secret=dnspeers.SECRET)
        reads_its_key(s, p, which)
        issue(s, p, peer.values)
    finally:
        peer.stop()


@pytest.fixture
def hooks():
    folder = beds.scratch("certwright-hooks-")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def asked_what_it_needs(site, folder):
    """Program and hook are chosen; the hook's own words are the rest of the form. Nothing is saved, and no secret is part of the question."""
    fields = {f["name"]: f for k in site.server.call("provider", "kinds")["items"] if k["name"] == "acmesh" for f in k["fields"]}
    assert fields["program"]["choices"] == ["acme-sh", "dns-hook"] and fields["options"]["multiline"], fields
    assert str(folder) not in json.dumps(fields), "where a program lies is the host's business"
    found = site.server.call("provider", "options", "--kind", "acmesh", "--set", "program=acme-sh", "--set", "hook=dns_test")
    found = found.get("result", found)
    assert (found["title"], found["site"]) == ("A test hook", "example.test")
    assert [(o["name"], o["required"], o["default"]) for o in found["options"]] == [("TEST_Port", True, None), ("TEST_Key", True, None), ("TEST_Ttl", False, "60")]
    done = site.server.cli("provider", "options", "--kind", "acmesh", "--set", "program=acme-sh", "--set", "hook=dns_other")
    assert done.status and "no hook 'dns_other'" in done.err, done
    for kind, more in (("acmesh", {"options": "TEST_Key=x"}), ("acmesh", {"hook": "../x"}), ("powerdns", {}), ("acmesh", {"program": None})):
        body = {"kind": kind, "fields": {"program": "acme-sh", "hook": "dns_test", **more} if kind == "acmesh" else {}}
        status, doc = site.server.settled(*site.server.request("POST", "/provider-options", body)[:2], "/jobs")
        assert status == 400 and "TEST_Key=x" not in json.dumps(doc), doc
    assert site.server.call("provider", "list")["items"] == []


@pytest.mark.parametrize("kind", ["exec", "acmesh"])
def test_through_programs_that_the_configuration_names(site, scratch, hooks, kind):
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    script = programs.program(hooks, "dns-hook", programs.SCRIPT)
    acme = programs.acme_sh(hooks)
    peer = dnspeers.Named(scratch / "peer")
    try:
        s = site(peer.port, {"programs.dns-hook": str(script), "programs.acme-sh": str(acme)})
        if kind == "exec":
            lines = "".join(f"{k}={v}\n" for k, v in programs.environment(peer).items())
            p = s.provider("exec", program="dns-hook", environment=lines)
        else:
            asked_what_it_needs(s, hooks)
            p = s.provider("acmesh", program="acme-sh", hook="dns_test",
                           options=f"TEST_Port={peer.port}\nTEST_Key={dnspeers.KEY}:{dnspeers.SECRET}\n")
        issue(s, p, peer.values)
    finally:
        peer.stop()


def test_through_a_service_of_ones_own(site, scratch):
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    peer = dnspeers.Named(scratch / "peer")
    service = http.server.ThreadingHTTPServer(("127.0.0.1", beds.free_port()), programs.Hooks)
    service.peer = peer
    threading.Thread(target=service.serve_forever, daemon=True).start()
    try:
        s = site(peer.port)
        p = s.provider("httpreq", url=f"http://127.0.0.1:{service.server_address[1]}", username="user", password="password")
        status, said, _ = s.server.request("POST", f"/providers/{p['id']}/test", {})
        assert status == 400 and said["errors"][0]["pointer"] == "/zone", "nothing can be read there, so nothing is said about it"
        assert s.server.call("provider", "show", p["id"])["status"] == "new"
        tried = s.server.call("provider", "test", p["id"], "--zone", "example.test")
        assert (tried["status"], tried["test"]["seen"]) == ("ok", True), tried
        issue(s, p, peer.values)
    finally:
        service.shutdown()
        service.server_close()
        peer.stop()


RAW_SCRIPT = """#!/bin/sh
# The form of lego's RAW mode: present|cleanup -- DOMAIN TOKEN KEYAUTH. The value is made here.
printf '%s\\n' "$*" >>"$CALLS"
value=$(printf %s "$5" | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d =)
case $1 in present) act="add _acme-challenge.$3 60 TXT \\"$value\\"" ;; cleanup) act="delete _acme-challenge.$3 TXT \\"$value\\"" ;; *) exit 64 ;; esac
printf 'server 127.0.0.1 %s\\nzone example.test\\nupdate %s\\nsend\\n' "$DNS_PORT" "$act" | nsupdate -y "hmac-sha256:$DNS_KEY"
"""


def shape(calls):
    """What was called, without what differs from order to order: each key authorization is the token and one thumbprint."""
    made = []
    for act, *middle, token, auth in calls:
        assert auth.startswith(token + ".") and len(auth) == len(token) + 44, (token, auth)
        made.append((act, *middle))
    assert sorted((t, a) for x, *_, t, a in calls if x == "present") == sorted((t, a) for x, *_, t, a in calls if x == "cleanup"), calls
    return sorted(made)


def by_lego(site, names, peer, provider, env):
    if not shutil.which("lego"):
        pytest.skip("lego is not installed")
    programs.lego_run(site.folder, names, {"directory": site.ca.directory, "port": peer.port}, provider, env)


def test_lego_and_we_call_a_raw_script_alike(site, scratch, hooks, tls):
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    script = programs.program(hooks, "raw-hook", RAW_SCRIPT)
    peer = dnspeers.Named(scratch / "peer")
    try:
        s = site(peer.port, {"programs.raw-hook": str(script)})
        calls = beds.scratch("certwright-calls-") / "calls"
        calls.parent.chmod(0o777)
        seen = []
        for us in (False, True):
            env = {**programs.environment(peer), "CALLS": str(calls)}
            if us:
                issue(s, s.provider("exec", program="raw-hook", mode="RAW", environment="".join(f"{k}={v}\n" for k, v in env.items())), peer.values)
            else:
                by_lego(s, tls, peer, "exec", {**env, "EXEC_PATH": str(script), "EXEC_MODE": "RAW"})
            seen.append(shape([line.split(" ") for line in calls.read_text().splitlines()]))
            calls.unlink()
        assert seen[0] == seen[1] == [("cleanup", "--", "example.test")] * 2 + [("present", "--", "example.test")] * 2, seen
        assert peer.values(NAME) == []
        shutil.rmtree(calls.parent)
    finally:
        peer.stop()


def test_lego_and_we_send_a_raw_request_alike(site, scratch, tls):
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    peer = dnspeers.Named(scratch / "peer")
    service = http.server.ThreadingHTTPServer(("127.0.0.1", beds.free_port()), RawHooks)
    service.peer = peer
    threading.Thread(target=service.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{service.server_address[1]}"
    try:
        s = site(peer.port)
        seen = []
        for us in (False, True):
            service.calls = []
            if us:
                issue(s, s.provider("httpreq", url=url, mode="RAW"), peer.values)
            else:
                by_lego(s, tls, peer, "httpreq", {"HTTPREQ_ENDPOINT": url, "HTTPREQ_MODE": "RAW"})
            seen.append(shape(service.calls))
        assert seen[0] == seen[1] == [("cleanup", "example.test")] * 2 + [("present", "example.test")] * 2, seen
        assert peer.values(NAME) == []
    finally:
        service.shutdown()
        service.server_close()
        peer.stop()


class RawHooks(http.server.BaseHTTPRequestHandler):
    """A service in the form of lego's httpreq in RAW mode."""

    def do_POST(self):  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert set(body) == {"domain", "token", "keyAuth"} and self.headers["Content-Type"] == "application/json", (body, self.headers)
        act = self.path.lstrip("/")
        self.server.calls.append((act, body["domain"], body["token"], body["keyAuth"]))
        value = base64.urlsafe_b64encode(hashlib.sha256(body["keyAuth"].encode()).digest()).decode().rstrip("=")
        text = f"update {'add' if act == 'present' else 'delete'} _acme-challenge.{body['domain']} {'60 ' if act == 'present' else ''}TXT \"{value}\""
        self.server.peer.update(text)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def test_a_delegation_leads_by_cname_into_the_zone_of_a_provider(site, scratch):
    """led.example.test is proved at acme.example.test: the delegation says so, the CNAME stands, and nothing is written at the name itself."""
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    peer = dnspeers.Named(scratch / "peer")
    target, zone = "_acme-challenge.led.acme.example.test", "_acme-challenge.led.example.test"
    try:
        s = site(peer.port)
        p = s.provider("rfc2136", server=f"127.0.0.1:{peer.port}", tsig_key=dnspeers.KEY, tsig_secret=dnspeers.SECRET)
        for wrong in (["--provider", p["id"]], ["--target", target], ["--provider", "77", "--target", target], ["--provider", p["id"], "--target", zone]):
            assert s.server.cli("delegation", "create", "led.example.test", *wrong).status == 2, wrong
        made = s.server.call("delegation", "create", "led.example.test", "--provider", str(p["num"]), "--target", target.upper() + ".")
        line = f"{zone}. 3600 IN CNAME {target}."
        assert (made["ns_line"], made["cname_line"], made["target"], made["provider_id"]) == (None, line, target, p["id"])
        s.server.call("delegation", "create", "served.example.test")
        assert s.server.cli("delegation", "lines").out.splitlines()[-1] == line
        used = s.server.cli("provider", "delete", p["id"])
        assert used.status == 4 and "delegation" in used.err, used
        order = s.server.call("order", "create", "--account", s.account["id"], "--validation", "dns-01", "--name", "led.example.test",
                              "--name", "*.led.example.test")
        done = helpers.wait_order(s, order["id"])
        assert done["status"] == "valid", done
        assert {r["alias"] for r in done["records"]} == {target} and {r["domain"] for r in done["records"]} == {zone}, done["records"]
        assert any(f"published '{target}', to which '{zone}' leads" in e["text"] for e in done["events"]), done["events"]
        beds.wait_for(lambda: peer.values(target) == [], 120, "nothing is left where it leads")
    finally:
        peer.stop()


def test_a_core_that_dies_between_publish_and_withdraw_leaves_nothing_at_the_provider(world, site):  # noqa: F811
    w = world(Cloudflare)
    s = site(w.names.port)
    p = s.provider("cloudflare", url=f"{w.api.url}/client/v4", token=Cloudflare.TOKEN)
    ids = []
    for _ in range(3):
        seen = len(w.api.requests)
        ids.append(s.order(p))
        until = time.monotonic() + 120
        while time.monotonic() < until and not any(q.method == "POST" for q in w.api.requests[seen:]):
            time.sleep(0.005)
        s.server.kill("core", signal.SIGKILL)
        beds.wait_for(s.server.ready, 120, "core is back")
        assert helpers.wait_order(s, ids[-1])["status"] == "valid"
    beds.wait_for(lambda: w.zones.values(NAME) == [], 120, f"nothing is left: {w.zones.values(NAME)}")


def test_two_providers_prove_two_names_of_one_order(world, site):  # noqa: F811
    """One zone at Cloudflare, the other at Akamai, each by its own credential; the wildcard of one goes the way of its name."""
    w = world(Cloudflare, "example.test", "other.test")
    akamai = Akamai(w.zones, beds.free_port())
    try:
        s = site(w.names.port)
        one = s.provider("cloudflare", url=f"{w.api.url}/client/v4", token=Cloudflare.TOKEN)
        two = s.provider("akamai", url=akamai.url, edgerc=akamai.edgerc())
        status, order, _ = s.server.request("POST", "/orders", {
            "account_id": s.account["id"], "validation": "dns-01", "names": ["example.test", "*.example.test", "other.test"],
            "methods": {"example.test": one["id"], "*.example.test": one["id"], "other.test": two["id"]}})
        assert status in (200, 201, 202), order
        done = helpers.wait_order(s, order["id"])
        assert done["status"] == "valid", done
        assert helpers.names_of(helpers.chain(s, order["id"])[0]) == ["*.example.test", "example.test", "other.test"]
        assert any(q.method == "POST" for q in w.api.requests) and any(q.method == "POST" for q in akamai.requests)
        assert not any(b"_acme-challenge.other.test" in q.body for q in w.api.requests)
        beds.wait_for(lambda: not any(z for z in w.zones.zones.values()), 120, f"both zones are as they were: {w.zones.zones}")
    finally:
        akamai.stop()


def test_a_refused_credential_is_said_once_and_the_order_waits(world, site):  # noqa: F811
    w = world(Cloudflare)
    s = site(w.names.port)
    p = s.provider("cloudflare", url=f"{w.api.url}/client/v4", token="wrong-token-0123456789abcdefghijklmnopq")
    order = s.order(p)
    beds.wait_for(lambda: s.server.request("GET", f"/orders/{order}")[1]["reason"], 120, "the order says why it waits")
    body = s.server.request("GET", f"/orders/{order}")[1]
    assert body["status"] not in ("valid", "invalid") and "wrong-token" not in json.dumps(body), body
    asked = len(w.api.requests)
    time.sleep(3)
    assert len(w.api.requests) - asked <= 1  # parked: nobody hammers on a door that is shut
    assert w.zones.values(NAME) == []
