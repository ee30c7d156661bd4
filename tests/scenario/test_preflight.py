# SPDX-License-Identifier: Apache-2.0
"""Preflight over real servers: what BIND's zone says of CAA, DS and addresses, and what stands on port 80 of each address."""
import http.server
import socket
import threading

import bed as beds
import dnsviews
import pytest

pytestmark = pytest.mark.skipif(dnsviews.missing() is not None, reason=str(dnsviews.missing()))
ZONE = "views.test"


class World:
    """The scripted CA, which calls itself ca.test in CAA records, and BIND with the zone of the names."""

    def __init__(self, make_bed, folder):
        address = dnsviews.addresses(1)[0]
        self.zone = dnsviews.Bind(folder / "zone", address, ZONE, [address])
        self.finder = dnsviews.Liar(address)
        self.bed = make_bed(ca="fake", settings={"resolve.servers": f"127.0.0.1:{self.finder.port}", "net.allow": "127.0.0.0/8, ::1/128"})
        self.account = self.bed.account()
        self.url = self.bed.server.call("account", "show", self.account["id"])["url"]

    def caa(self, *records, name=ZONE):
        lines = [f"update delete {name} CAA", *(f"update add {name} 60 CAA {r}" for r in records)]
        self.zone.update("\n".join(lines))

    def look(self, name=ZONE, validation="dns-01", *more):
        """(exit status, {check: [facts]})"""
        done = self.bed.server.cli("doctor", name, "--account", self.account["id"], "--validation", validation, *more, "--json")
        assert done.status in (0, 7), done
        facts = {}
        for f in done.json["facts"]:
            facts.setdefault(f["check"], []).append(f)
        return done.status, facts

    def look_until_seen(self, check, *what):
        """The same, once more while a name server was too slow for a look that has three seconds."""
        return beds.wait_for(lambda: next((seen for seen in [self.look(*what)] if all(f["state"] != "unknown" for f in seen[1][check])), None), 240, f"{check} is seen")

    def stop(self):
        self.finder.stop()
        self.zone.stop()


@pytest.fixture
def world(make_bed, scratch):
    w = World(make_bed, scratch)
    yield w
    w.stop()


def test_caa_records_are_compared_with_the_authority_the_account_and_the_validation(world):
    rows = [
        (['0 issue "ca.test"'], "dns-01", "good", "allow ca.test"),
        (['0 issue "other.test"'], "dns-01", "bad", "do not allow ca.test"),
        (['0 issue ";"'], "dns-01", "bad", "do not allow ca.test"),
        (['0 issue "other.test"', '0 issue "ca.test"'], "dns-01", "good", "allow ca.test"),
        ([f'0 issue "ca.test; accounturi={world.url}"'], "dns-01", "good", "allow ca.test"),
        ([f'0 issue "ca.test; accounturi={world.url}9"'], "dns-01", "bad", "another account"),
        (['0 issue "ca.test; validationmethods=http-01"'], "dns-01", "bad", "does not allow dns-01"),
        (['0 issue "ca.test; validationmethods=http-01"'], "http-01", "good", "allow ca.test"),
        (['0 issue "ca.test; validationmethods=http-01,dns-01"'], "dns-01", "good", "allow ca.test"),
        ([f'0 issue "ca.test; validationmethods=dns-01; accounturi={world.url}"'], "dns-01", "good", "allow ca.test"),
        (['0 iodef "mailto:security@views.test"'], "dns-01", "good", "restrict no authority"),
        (['128 tbs "unknown"'], "dns-01", "bad", "critical"),
    ]
    for records, validation, state, words in rows:
        world.caa(*records)
        status, facts = world.look_until_seen("caa", ZONE, validation)
        assert [f["state"] for f in facts["caa"]] == [state] and words in facts["caa"][0]["text"], (records, facts["caa"])
        assert (status == 7) == any(f["state"] == "bad" for l in facts.values() for f in l)
        assert state != "bad" or facts["caa"][0]["todo"]


def test_the_nearest_parent_with_records_decides_and_a_wildcard_has_its_own(world):
    world.caa('0 issue "other.test"', '0 issuewild "ca.test"')
    assert world.look_until_seen("caa", f"a.deep.{ZONE}")[1]["caa"][0]["state"] == "bad"
    assert world.look_until_seen("caa", f"*.{ZONE}")[1]["caa"][0]["state"] == "good"
    world.caa('0 issue "ca.test"', name=f"deep.{ZONE}")
    facts = world.look_until_seen("caa", f"a.deep.{ZONE}")[1]["caa"]
    assert facts[0]["state"] == "good" and f"'deep.{ZONE}'" in facts[0]["text"], facts


def test_a_stray_ds_record_is_told_before_every_authority_fails_on_it(world):
    name = f"_acme-challenge.{ZONE}"
    world.zone.update(f"update add {name} 60 NS ns.certwright.test.")
    _, facts = world.look_until_seen("ds", ZONE, "dns-01", "--dns", "delegation")
    assert [f["state"] for f in facts["ds"]] == ["good"]
    world.zone.update(f"update add {name} 60 DS 12345 13 2 {'ab' * 32}")
    status, facts = world.look_until_seen("ds", ZONE, "dns-01", "--dns", "delegation")
    assert status == 7 and [f["state"] for f in facts["ds"]] == ["bad"] and "Remove the DS record" in facts["ds"][0]["todo"]


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        self.send_error(404)

    def log_message(self, *args):
        pass


@pytest.mark.alone
def test_port_80_is_looked_at_over_each_address(world):
    world.zone.update(f"update add web.{ZONE} 60 A {world.zone.address}\nupdate add web.{ZONE} 60 AAAA ::1")
    try:
        server = http.server.ThreadingHTTPServer((world.zone.address, 80), Quiet)
    except OSError as e:
        pytest.skip(f"port 80 cannot be had: {e}")
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
        if s.connect_ex(("::1", 80)) == 0:
            server.server_close()
            pytest.skip("somebody answers on port 80 of ::1")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        _, facts = world.look(f"web.{ZONE}", "http-01")
        seen = {("::1" in f["text"]): f for f in facts["port-80"]}
        assert seen[False]["state"] == "good" and "404" in seen[False]["text"], facts["port-80"]
        assert seen[True]["state"] == "unknown" and "IPv6 first" in seen[True]["todo"], facts["port-80"]
    finally:
        server.shutdown()
        server.server_close()
