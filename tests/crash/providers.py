# SPDX-License-Identifier: Apache-2.0
"""Crash scenarios with a real provider, whose server the test CA asks: PowerDNS by its API, BIND and Knot by RFC 2136, and BIND behind a program
and behind a service of lego's form. loop.place_of(scenario) is the server, loop.row_of(scenario) the provider with us; what must not be
left is asked of the zone itself, in which somebody else's value stands at every name from the start.

A place has a port of its name server, put(name, values) and texts() of its zone; a scenario says which one (place), as what kind of
provider we know it, and by which fields()."""
import http.server
import shutil
import threading

import bed
import dnshooks
import dnspeers
import pdns
from scenarios import POINTS, SCENARIOS, Order, Scheduled

THEIRS = "somebody else's value"


class Pdns:
    """PowerDNS with its API."""
    zone, missing = "provider.test", staticmethod(pdns.missing)

    def __init__(self, folder):
        self.server = pdns.PowerDns(folder, [self.zone])
        self.port = self.server.port

    def put(self, name, values):
        self.server.put(self.zone, name, values)

    def texts(self):
        return self.server.texts(self.zone)

    def stop(self):
        self.server.stop()


class Bind(dnspeers.Named):
    zone = "example.test"

    def __init__(self, folder):
        super().__init__(folder / "bind")

    @staticmethod
    def missing():
        return None if dnspeers.Named.here() else "BIND is not installed (tools/setup --test)"


class Knot(dnspeers.Knot):
    zone = "example.test"

    def __init__(self, folder):
        super().__init__(folder / "knot")

    @staticmethod
    def missing():
        return None if dnspeers.Knot.here() else "Knot DNS is not installed (tools/setup --test)"


class AtProvider:
    """What all of them share: names in the provider's zone, and the zone as it was."""
    shapes, place, kind = ("{n}", "*.{n}"), Pdns, "powerdns"

    def needs(self):
        return self.place.missing()

    def settings(self):
        """What the configuration file has to name for it."""
        return {}

    def fields(self, place):
        return {"url": place.server.url, "api_key": pdns.KEY}

    def stop(self):
        """What fields() or settings() began."""

    def names(self, n):
        return [shape.format(n=f"c{n}") + f".{self.place.zone}" for shape in self.shapes]

    def method(self, loop):
        return loop.row_of(self)["id"]

    def challenge_name(self, names):
        return "_acme-challenge." + names[0].removeprefix("*.")

    def before(self, loop, names):
        loop.place_of(self).put(self.challenge_name(names), [THEIRS])
        return super().before(loop, names)

    def left(self, loop, names):
        super().left(loop, names)
        place = loop.place_of(self)
        texts = place.texts()
        theirs = texts.pop(self.challenge_name(names), None)
        assert theirs == [THEIRS], f"somebody else's value became {theirs}"
        assert not texts, f"left in the zone: {texts}"
        place.put(self.challenge_name(names), [])


WRITTEN = {"CP-P published at the provider": "published-dns-01", "CP-W withdrawn": "withdrawn-dns-01", "CP-W the debt": "debt-withdraw-dns"}


class PowerDns(AtProvider, Order):
    """Apex and wildcard in one order: two values of one name, beside somebody else's."""
    groups = {**WRITTEN, "CP-P publishing": "step-publish", "CP-P looked for": "step-propagate", "CP-C challenge": "step-accept"}


class Probe(AtProvider, Order):
    """Test and save with its probe record, then an order by the same provider."""
    groups = {"CP-P the probe": "probed-dns"}

    def start(self, loop, names, before):
        provider = loop.row_of(self)["id"]
        status, doc, _ = loop.request("POST", f"/providers/{provider}/test", {"zone": self.place.zone})
        loop.need(status in (200, 202), f"the test was not taken: {doc}")
        loop.until(lambda: self.over(loop, provider), "the test of the provider is over")
        return super().start(loop, names, before)

    def over(self, loop, provider):
        _, provider, _ = loop.request("GET", f"/providers/{provider}")
        _, jobs, _ = loop.request("GET", "/jobs?limit=50")
        return provider["status"] == "ok" and all(job["ended_at"] for job in jobs["items"] if job["kind"] == "provider-test")


class ScheduledPowerDns(AtProvider, Scheduled):
    """A valid certificate is renewed by the scheduler, through the provider."""
    groups = {"CP-R scheduler": "job-renewal", "CP-P published at the provider": "published-dns-01", "CP-W withdrawn": "withdrawn-dns-01"}


class Updates(AtProvider, Order):
    """Dynamic updates with TSIG."""
    place, kind, groups = Bind, "rfc2136", WRITTEN
    fails = ("update-send", "update-answered")
    points = (*POINTS, *fails)

    def fields(self, place):
        return {"server": f"127.0.0.1:{place.port}", "tsig_key": dnspeers.KEY, "tsig_algorithm": dnspeers.ALGORITHM, "tsig_secret": dnspeers.SECRET}


class UpdatesAtKnot(Updates):
    place = Knot


class Program(AtProvider, Order):
    """A program in the runner, which goes on for a moment when core dies."""
    place, kind, groups = Bind, "exec", WRITTEN
    points = (*POINTS, "program-run", "program-asked", "program-ended")
    fails = ("program-run", "program-ended")
    folder = None

    def settings(self):
        """A folder of its own: the runner runs nothing that others may change."""
        self.folder = bed.scratch("certwright-hooks-")
        self.folder.chmod(0o755)
        return {"programs.dns-hook": str(dnshooks.program(self.folder, "dns-hook", dnshooks.SCRIPT))}

    def fields(self, place):
        return {"program": "dns-hook", "environment": "".join(f"{k}={v}\n" for k, v in dnshooks.environment(place).items())}

    def stop(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Service(AtProvider, Order):
    """A service of one's own, which goes on with what it was asked when core dies."""
    place, kind, groups = Bind, "httpreq", WRITTEN
    service = None

    def fields(self, place):
        self.service = http.server.ThreadingHTTPServer(("127.0.0.1", bed.free_port()), dnshooks.Hooks)
        self.service.peer = place
        threading.Thread(target=self.service.serve_forever, daemon=True).start()
        return {"url": f"http://127.0.0.1:{self.service.server_address[1]}", "username": "user", "password": "password"}

    def stop(self):
        if self.service:
            self.service.shutdown()
            self.service.server_close()


SCENARIOS.update({"powerdns": PowerDns(), "probe": Probe(), "powerdns-renewal": ScheduledPowerDns(), "rfc2136": Updates(), "rfc2136-knot": UpdatesAtKnot(),
                  "exec": Program(), "httpreq": Service()})
