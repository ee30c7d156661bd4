# SPDX-License-Identifier: Apache-2.0
"""What the fault tests share: a bed whose account is at the CA behind a fault proxy, and waiting as a patient person would."""
import time

import pytest
from helpers import nothing_left, order, wait_all

import bed as beds
from faultproxy import FaultProxy

HOOKS = beds.PROGRAM.exists() and b"CERTWRIGHT_RETRY_MS" in beds.PROGRAM.read_bytes()
needs_hooks = pytest.mark.skipif(not HOOKS, reason="needs a build with -Dcrash_hooks=true")
QUICK = {"CERTWRIGHT_RETRY_MS": "300"}
KINDS = ("nonce", "new-order", "authz", "challenge", "finalize", "order", "certificate")


class Through:
    """A bed whose account is at the CA behind a fault proxy."""

    def __init__(self, bed):
        self.bed = bed
        self.proxy = FaultProxy(bed.ca)
        self.account = bed.server.call("account", "register", "--directory", self.proxy.directory, "--email", "p@certwright.test", "--agree-tos")
        assert self.account["status"] == "valid", self.account
        self.names, self.others = [], []

    def another(self):
        """Another proxy in front of the same CA, a vendor of its own to the server: faults side by side."""
        self.others.append(Through(self.bed))
        return self.others[-1]

    def stop(self):
        for one in (self, *self.others):
            one.proxy.stop()

    def order(self, name, *extra):
        self.names.append(name)
        return order(self.bed, self.account, [name], "dns-01", "--dns", "delegation", *extra)

    def show(self, one):
        status, doc, _ = self.bed.server.request("GET", f"/orders/{one['id']}")
        assert status == 200, doc
        return doc

    def events(self, one):
        """The sentences of its story."""
        return [e["text"] for e in self.show(one)["events"]]

    def all_end_valid_once(self, orders, timeout=300):
        over = until_over(self.bed, [o["id"] for o in orders], timeout)
        wrong = [o for o in orders if over.get(o["id"], {}).get("status") != "valid"]
        assert not wrong, [self.show(o) for o in wrong][:3]
        assert self.bed.ca.issued() == len(orders), "one certificate for each order"
        nothing_left(self.bed, self.names[-5:])


def until_over(bed, ids, timeout=300):
    """{id: order}; those that wait after an error are asked to go on, as a person would."""
    until = time.monotonic() + timeout
    while True:
        over = wait_all(bed, ids, 5.5)
        if len(over) == len(ids) or time.monotonic() > until:
            return over
        for one in set(ids) - set(over):
            bed.server.request("POST", f"/orders/{one}/refresh")
