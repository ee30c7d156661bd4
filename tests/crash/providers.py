# SPDX-License-Identifier: Apache-2.0
"""Crash scenarios with a real provider: PowerDNS, which the test CA asks. loop.powerdns is the server, loop.provider its row with us;
what must not be left is asked of the zone itself, in which somebody else's value stands at every name from the start."""
import pdns
from scenarios import SCENARIOS, Order, Scheduled

ZONE = "provider.test"
THEIRS = "somebody else's value"


class AtProvider:
    """What all of them share: names in the provider's zone, and the zone as it was."""
    shapes = ("{n}", "*.{n}")
    needs = staticmethod(pdns.missing)

    def names(self, n):
        return [shape.format(n=f"c{n}") + f".{ZONE}" for shape in self.shapes]

    def method(self, loop):
        return loop.provider["id"]

    def challenge_name(self, names):
        return "_acme-challenge." + names[0].removeprefix("*.")

    def before(self, loop, names):
        loop.powerdns.put(ZONE, self.challenge_name(names), [THEIRS])
        return super().before(loop, names)

    def left(self, loop, names):
        super().left(loop, names)
        texts = loop.powerdns.texts(ZONE)
        theirs = texts.pop(self.challenge_name(names), None)
        assert theirs == [THEIRS], f"somebody else's value became {theirs}"
        assert not texts, f"left in the zone: {texts}"
        loop.powerdns.put(ZONE, self.challenge_name(names), [])


class PowerDns(AtProvider, Order):
    """Apex and wildcard in one order: two values of one name, beside somebody else's."""
    groups = {"CP-P published at the provider": "published-dns-01", "CP-P publishing": "step-publish", "CP-P looked for": "step-propagate",
              "CP-C challenge": "step-accept", "CP-W withdrawn": "withdrawn-dns-01", "CP-W the debt": "debt-withdraw-dns"}


class Probe(AtProvider, Order):
    """Test and save with its probe record, then an order by the same provider."""
    groups = {"CP-P the probe": "probed-dns"}

    def start(self, loop, names, before):
        status, doc, _ = loop.request("POST", f"/providers/{loop.provider['id']}/test", {"zone": ZONE})
        loop.need(status in (200, 202), f"the test was not taken: {doc}")
        loop.until(lambda: self.over(loop), "the test of the provider is over")
        return super().start(loop, names, before)

    def over(self, loop):
        _, provider, _ = loop.request("GET", f"/providers/{loop.provider['id']}")
        _, jobs, _ = loop.request("GET", "/jobs?limit=50")
        return provider["status"] == "ok" and all(job["ended_at"] for job in jobs["items"] if job["kind"] == "provider-test")


class ScheduledPowerDns(AtProvider, Scheduled):
    """A valid certificate is renewed by the scheduler, through the provider."""
    groups = {"CP-R scheduler": "job-renewal", "CP-P published at the provider": "published-dns-01", "CP-W withdrawn": "withdrawn-dns-01"}


SCENARIOS.update({"powerdns": PowerDns(), "probe": Probe(), "powerdns-renewal": ScheduledPowerDns()})
