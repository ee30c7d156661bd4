# SPDX-License-Identifier: Apache-2.0
"""An upgrade by apt while 200 orders are in flight: 53 answers every 100 ms without a gap of a second, every order ends valid, once each. The newer package is
the same program under the next version: what an upgrade does to the database is tests/scenario/test_upgrade.py."""
import re
import threading
import time

import dns.exception
import dns.message
import dns.query
import pytest

import bed as beds
import helpers
import installed
import machine

pytestmark = pytest.mark.skipif(machine.why_not() is not None, reason=str(machine.why_not()))
ORDERS = 200


def next_version(deb, folder):
    """The package again, one version on."""
    tree = folder / "next"
    machine.run("dpkg-deb", "-R", deb, tree)
    control = tree / "DEBIAN/control"
    version = re.search(r"^Version: (.*)$", control.read_text(), re.M)[1]
    control.write_text(control.read_text().replace(f"Version: {version}", f"Version: {version}+next"))
    out = folder / f"certwright_{version}+next.deb"
    machine.run("dpkg-deb", "-b", tree, out)
    return out, f"{version}+next"


class Asking:
    """A question every 100 ms, in the network of whoever makes it; `gap` is the longest time without an answer."""

    def __init__(self, network):
        self.network, self.over, self.gap, self.answers, self.unanswered = network, threading.Event(), 0.0, 0, 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with Entered(self.network):
            last = time.monotonic()
            while not self.over.is_set():
                began = time.monotonic()
                try:
                    dns.query.udp(dns.message.make_query("_acme-challenge.nothing.test", "TXT"), "127.0.0.1", timeout=5)
                    self.gap, self.answers, last = max(self.gap, time.monotonic() - last), self.answers + 1, time.monotonic()
                except (OSError, dns.exception.DNSException):
                    self.unanswered += 1
                time.sleep(max(0, 0.1 - (time.monotonic() - began)))

    def stop(self):
        self.over.set()
        self.thread.join()


class Entered:
    """The network for another thread than the one that entered it."""

    def __init__(self, network):
        self.network = network

    def __enter__(self):
        self.network.enter(self.network.handle)

    def __exit__(self, *_):
        pass


@pytest.fixture
def site(scratch):
    one = installed.Site(scratch, {"PEBBLE_AUTHZREUSE": "0", "PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "30"})
    print(f"\n{one.server.way}")
    with one:
        one.open()
        yield one
    one.stop()


def test_two_hundred_orders_and_every_question_survive_an_upgrade(site, scratch):
    server, host = site.server, site.server.machine
    account = site.account()
    newer, version = next_version(machine.package(), scratch)
    ids = []
    for i in range(ORDERS):
        status, made, _ = server.request("POST", "/orders", {"account_id": account["id"], "names": [f"u{i}.example.test"], "validation": "dns-01",
                                                             "dns": "delegation", "mode": "automatic"})
        assert status in (200, 201), made
        ids.append(made["id"])
    was_over = {o["id"] for o in server.request("GET", "/orders?status=valid&limit=200")[1]["items"]}
    assert len(was_over) < ORDERS / 2, f"{len(was_over)} are over already: the upgrade would meet too few"
    before = {unit: host.main_pid(unit) for unit in ("certwright.service", "certwright-edge.service")}
    asking = Asking(site.network)
    try:
        host.install(newer)
        beds.wait_for(server.ready, 240, "core serves again")
        over = helpers.wait_all(site, ids, 300)
    finally:
        asking.stop()
    assert host.run("dpkg-query", "-W", "-f", "${Version}", "certwright") == version
    assert all(host.main_pid(unit) not in (0, pid) for unit, pid in before.items()), "both are of the new package"
    print(f"{asking.answers} answers, longest gap {asking.gap:.2f} s, {asking.unanswered} without one; {ORDERS - len(was_over)} orders were in flight")
    assert asking.unanswered == 0 and asking.gap < 1.1, "no gap over a second (and the tenth between two questions)"
    assert len(over) == ORDERS and {o["status"] for o in over.values()} == {"valid"}
    assert site.ca.issued() == ORDERS, "none twice"
    assert host.systemctl("--failed", "--no-legend").strip() == ""
