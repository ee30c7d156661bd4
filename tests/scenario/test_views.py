# SPDX-License-Identifier: Apache-2.0
"""Waiting until records are seen: every authoritative server through a view, never a cache, split DNS, DNS over HTTPS, and a person's word."""
import json
import subprocess
import time

import dnsviews
import pytest
import unbound
from helpers import order, wait_order

pytestmark = pytest.mark.skipif(dnsviews.missing() is not None, reason=str(dnsviews.missing()))
ZONE = "views.test"
NAME = f"_acme-challenge.{ZONE}"


class World:
    def __init__(self, make_bed, folder, resolver=None):
        self.addresses = dnsviews.addresses(3)
        self.binds = [dnsviews.Bind(folder / f"bind{i}", a, ZONE, self.addresses) for i, a in enumerate(self.addresses)]
        self.liar = dnsviews.Liar(self.addresses[0])
        # the authority asks the first server
        self.bed = make_bed(forward=[self.binds[0].port], settings={"resolve.servers": resolver or f"127.0.0.1:{self.liar.port}"})
        self.account = self.bed.account()

    def by_hand(self, name=ZONE):
        made = order(self.bed, self.account, [name], "dns-01", "--dns", "manual")
        return self.when(made["id"], lambda o: o["stage"] == "waiting for you" and o["records"] and o["records"][0]["detail"])

    def read(self, ref):
        status, got, _ = self.bed.server.request("GET", f"/orders/{ref}")
        assert status == 200, got
        return got

    def when(self, ref, condition, timeout=240):
        until = time.monotonic() + timeout
        while not condition(got := self.read(ref)):
            assert time.monotonic() < until, json.dumps(got, indent=1)[-3000:]
            time.sleep(0.2)
        return got

    def states(self, o):
        """What each server was seen to have at the last look; one that was slow to answer may have been silent then, and is looked at again."""
        assert "servers" in o["records"][0]["detail"], o["records"][0]["detail"]
        return [s["state"] for s in sorted(o["records"][0]["detail"]["servers"], key=lambda s: s["name"])]

    def stop(self):
        self.liar.stop()
        for b in self.binds:
            b.stop()


@pytest.fixture
def world(make_bed, scratch):
    w = World(make_bed, scratch)
    yield w
    w.stop()


def test_it_is_seen_only_when_all_three_servers_have_it_and_the_lying_cache_is_never_asked(world):
    o = world.by_hand()
    value = o["records"][0]["value"]
    world.liar.says = value  # whoever believed the cache would go on at once
    o = world.when(o["id"], lambda got: world.states(got) == ["empty", "empty", "empty"])
    for i, want in enumerate((["has", "empty", "empty"], ["has", "has", "empty"])):
        world.binds[i].add(NAME, value)
        o = world.when(o["id"], lambda got, want=want: world.states(got) == want)
        assert o["stage"] == "waiting for you" and o["status"] == "pending"
    assert o["records"][0]["detail"]["zone"] == ZONE
    world.binds[2].add(NAME, value)
    done = wait_order(world.bed, o["id"])
    assert done["status"] == "valid", done
    assert world.states(done) == ["has", "has", "has"]
    assert world.liar.txt == 0
    assert all(b.asked(NAME) for b in world.binds)


def test_it_goes_on_at_a_persons_word_when_one_server_never_has_it(world):
    o = world.by_hand()
    early = world.bed.server.cli("order", "refresh", str(o["num"]))
    assert early.status in (0, 6), early
    world.binds[0].add(NAME, o["records"][0]["value"])
    world.when(o["id"], lambda got: world.states(got) == ["has", "empty", "empty"])
    gone = world.bed.server.cli("order", "go-on", str(o["num"]))
    assert gone.status == 0, gone
    done = wait_order(world.bed, o["id"])
    assert done["status"] == "valid", done
    assert any("at a person's word" in e["text"] for e in done["events"])
    again = world.bed.server.cli("order", "go-on", str(o["num"]))
    assert again.status == 4, again


def test_a_view_by_https_sees_what_is_asked_through_it(world, scratch):
    doh = dnsviews.Doh(scratch, world.addresses[0], 53)
    try:
        # somebody else's client first: is it such a server at all?
        judged = subprocess.run(["curl", "-sv", "--max-time", "5", "--doh-url", doh.url, "--doh-insecure", f"http://ns1.{ZONE}:1/"],
                                capture_output=True, text=True, check=False)
        assert world.addresses[0] in judged.stderr, judged
        before = len(doh.asked)
        connection = scratch / "connection.json"
        connection.write_text(json.dumps({"route": "direct", "ca_pem": doh.ca, "allow": ["127.0.0.0/8"]}))
        refused = world.bed.server.cli("view", "create", "--name", "no way", "--kind", "doh", "--url", "ftp://localhost/")
        assert refused.status == 2, refused
        view = world.bed.server.call("view", "create", "--name", "https", "--kind", "doh", "--url", doh.url, "--connection", str(connection))
        assert view["direct"] is False
        world.bed.server.call("view-rule", "create", "--suffix", ZONE, "--view", view["id"])
        in_use = world.bed.server.cli("view", "delete", str(view["num"]))
        assert in_use.status == 4 and "rule" in in_use.err, in_use
        o = world.by_hand()
        assert o["records"][0]["detail"]["view"] == "https"
        world.binds[0].add(NAME, o["records"][0]["value"])  # the others never get it: nobody asks them
        done = wait_order(world.bed, o["id"])
        assert done["status"] == "valid", done
        assert world.liar.txt == 0
        mine = doh.asked[before:]
        assert mine and all(q[1] == "TXT" and q[2] == 0 for q in mine), mine
        assert not any(b.asked(NAME) for b in world.binds[1:])
    finally:
        doh.stop()


@pytest.mark.skipif(not unbound.PROGRAM, reason="unbound is not installed")
def test_a_view_by_https_goes_over_http2_where_the_server_speaks_nothing_else(world, scratch):
    """unbound's own DNS over HTTPS knows HTTP/2 alone."""
    certificate, key = dnsviews.doh_certificate(scratch)
    server = unbound.Unbound(scratch, {ZONE: (world.addresses[0], 53)}, https=(certificate, key))
    url = f"https://localhost:{server.https_port}/dns-query"
    try:
        old = subprocess.run(["curl", "-sv", "--http1.1", "--cacert", certificate, "--max-time", "5", url], capture_output=True, text=True, check=False)
        assert old.returncode != 0 and "HTTP/1.1 200" not in old.stderr, old
        connection = scratch / "connection.json"
        connection.write_text(json.dumps({"route": "direct", "ca_pem": certificate.read_text(), "allow": ["127.0.0.0/8"]}))
        view = world.bed.server.call("view", "create", "--name", "https", "--kind", "doh", "--url", url, "--connection", str(connection))
        world.bed.server.call("view-rule", "create", "--suffix", ZONE, "--view", view["id"])
        o = world.by_hand()
        o = world.when(o["id"], lambda got: world.states(got) == ["empty"])
        assert o["records"][0]["detail"]["view"] == "https", o["records"]
        world.binds[0].add(NAME, o["records"][0]["value"])
        done = wait_order(world.bed, o["id"])
        assert done["status"] == "valid" and world.states(done) == ["has"], done
        assert world.liar.txt == 0
    finally:
        server.stop()


def test_a_rule_that_says_do_not_look_asks_nobody(world):
    world.bed.server.call("view-rule", "create", "--suffix", "*", "--wait", "5")
    made = order(world.bed, world.account, [ZONE], "dns-01", "--dns", "manual")
    o = world.when(made["id"], lambda got: got["records"] and got["records"][0]["detail"])
    assert "nobody is asked" in o["records"][0]["detail"]["text"]
    world.binds[0].add(NAME, o["records"][0]["value"])
    before = world.binds[0].asked(NAME)
    assert before == 0
    world.bed.server.call("order", "go-on", str(o["num"]))
    done = wait_order(world.bed, o["id"])
    assert done["status"] == "valid", done
    assert not any(b.asked(NAME) for b in world.binds[1:]) and world.liar.txt == 0


def test_two_worlds_are_recognised_and_the_rule_chooses_which_counts(make_bed, scratch):
    inside, outside = dnsviews.addresses(2)
    bind = dnsviews.TwoViews(scratch / "split", inside, outside, ZONE)
    try:
        bed = make_bed(forward=[bind.port], settings={"resolve.servers": f"{inside}:53"})
        account = bed.account()
        view = bed.server.call("view", "create", "--name", "outside", "--kind", "servers", "--address", outside)
        facts = bed.server.cli("doctor", ZONE, "--validation", "dns-01", "--json").json["facts"]
        split = [f["text"] for f in facts if f["check"] == "split-dns"]
        assert any(inside in t and outside in t and "'outside'" in t for t in split), facts
        assert any("private addresses" in t for t in split), facts
        bed.server.call("view-rule", "create", "--suffix", ZONE, "--view", str(view["num"]))
        made = order(bed, account, [ZONE], "dns-01", "--dns", "manual")
        until = time.monotonic() + 240
        while not (o := bed.server.call("order", "show", made["id"]))["records"] or not o["records"][0]["detail"]:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert o["records"][0]["detail"]["view"] == "outside"
        bind.add(outside, NAME, o["records"][0]["value"])  # inside it is never seen
        done = wait_order(bed, made["id"])
        assert done["status"] == "valid", done
        assert any("split DNS" in e["text"] for e in done["events"]), done["events"]
    finally:
        bind.stop()
