# SPDX-License-Identifier: Apache-2.0
"""Apex and wildcard in one order through every provider, end to end: the CA asks the name server that answers from the provider's zone, so a
publish that lies cannot issue; afterwards the zone is as it was."""
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
    order = helpers.wait_order(site, site.order(provider), 120)
    assert order["status"] == "valid", order
    leaf = helpers.chain(site, order["id"])[0]
    assert helpers.names_of(leaf) == ["*.example.test", "example.test"]
    beds.wait_for(lambda: values(NAME) == before, 60, f"the zone is as it was: {values(NAME)}")
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


@pytest.mark.parametrize("which", ["BIND", "Knot DNS", "PowerDNS"])
def test_through_dynamic_updates(site, scratch, which):
    kind = {"BIND": dnspeers.Named, "Knot DNS": dnspeers.Knot, "PowerDNS": dnspeers.PowerDns}[which]
    if not kind.here():
        pytest.skip(f"{which} is not installed")
    peer = kind(scratch / "peer")
    try:
        s = site(peer.port)
        p = s.provider("rfc2136", server=f"127.0.0.1:{peer.port}", tsig_key=dnspeers.KEY, tsig_secret=dnspeers.SECRET)
        issue(s, p, peer.values)
    finally:
        peer.stop()


@pytest.fixture
def hooks():
    folder = beds.scratch("certwright-hooks-")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("kind", ["exec", "acmesh"])
def test_through_programs_that_the_configuration_names(site, scratch, hooks, kind):
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    script = programs.program(hooks, "dns-hook", programs.SCRIPT)
    acme = programs.program(hooks, "acme.sh", programs.ACME_SH)
    (hooks / "dnsapi").mkdir(mode=0o755)
    programs.program(hooks / "dnsapi", "dns_test.sh", programs.HOOK)
    peer = dnspeers.Named(scratch / "peer")
    try:
        s = site(peer.port, {"programs.dns-hook": str(script), "programs.acme-sh": str(acme)})
        if kind == "exec":
            lines = "".join(f"{k}={v}\n" for k, v in programs.environment(peer).items())
            p = s.provider("exec", program="dns-hook", environment=lines)
        else:
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
        issue(s, s.provider("httpreq", url=f"http://127.0.0.1:{service.server_address[1]}", username="user", password="password"), peer.values)
    finally:
        service.shutdown()
        service.server_close()
        peer.stop()


def test_a_core_that_dies_between_publish_and_withdraw_leaves_nothing_at_the_provider(world, site):  # noqa: F811
    w = world(Cloudflare)
    s = site(w.names.port)
    p = s.provider("cloudflare", url=f"{w.api.url}/client/v4", token=Cloudflare.TOKEN)
    ids = []
    for _ in range(3):
        seen = len(w.api.requests)
        ids.append(s.order(p))
        until = time.monotonic() + 30
        while time.monotonic() < until and not any(q.method == "POST" for q in w.api.requests[seen:]):
            time.sleep(0.005)
        s.server.kill("core", signal.SIGKILL)
        beds.wait_for(s.server.ready, 60, "core is back")
        assert helpers.wait_order(s, ids[-1], 180)["status"] == "valid"
    beds.wait_for(lambda: w.zones.values(NAME) == [], 60, f"nothing is left: {w.zones.values(NAME)}")


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
        done = helpers.wait_order(s, order["id"], 120)
        assert done["status"] == "valid", done
        assert helpers.names_of(helpers.chain(s, order["id"])[0]) == ["*.example.test", "example.test", "other.test"]
        assert any(q.method == "POST" for q in w.api.requests) and any(q.method == "POST" for q in akamai.requests)
        assert not any(b"_acme-challenge.other.test" in q.body for q in w.api.requests)
        beds.wait_for(lambda: not any(z for z in w.zones.zones.values()), 60, f"both zones are as they were: {w.zones.zones}")
    finally:
        akamai.stop()


def test_a_refused_credential_is_said_once_and_the_order_waits(world, site):  # noqa: F811
    w = world(Cloudflare)
    s = site(w.names.port)
    p = s.provider("cloudflare", url=f"{w.api.url}/client/v4", token="wrong-token-0123456789abcdefghijklmnopq")
    order = s.order(p)
    beds.wait_for(lambda: s.server.request("GET", f"/orders/{order}")[1]["reason"], 60, "the order says why it waits")
    body = s.server.request("GET", f"/orders/{order}")[1]
    assert body["status"] not in ("valid", "invalid") and "wrong-token" not in json.dumps(body), body
    asked = len(w.api.requests)
    time.sleep(3)
    assert len(w.api.requests) - asked <= 1  # parked: nobody hammers on a door that is shut
    assert w.zones.values(NAME) == []
