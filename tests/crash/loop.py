#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""loop - runs one order to its end over and over, killing or failing core at one more point each time, until none is left.

	tests/crash/loop.py [--database sqlite|postgresql] [--kinds dns,http,life-*,...] [--every K] [--points NAME,...]
	                    [--pairs N] [--edge N] [--fail] [--groups] [--part I/N]

What is run is in scenarios.py, which says how to add one, in providers.py and in renewals.py.

A point is a place in the code of a test build (base/crash.h): before and after each commit, each request, each packet to
edge. Run N of a point kills core when the order's life passes it the Nth time; a point is done when the order ends without having
reached N. After each run, decided from the CA's own log, the served records and the stored rows:

	the order is valid, and it is the only one                           (nothing lost)
	the CA issued just one certificate for it, and we hold it with its key (nothing doubled, no orphan)
	the audit says it once
	no challenge is answered any more, no record or debt is left          (nothing left behind)

--pairs adds N runs with a second crash during recovery, --edge N runs in which edge is killed at growing instants, --fail runs in
which the point fails instead, once and then for some seconds every time (a scenario's fails beside those that all have; with
--points those alone). --groups kills once at each named point of the scenario's groups
(CP-A ...) and fails when one is not reached. --part I/N makes every Nth of these runs, from the Ith on: the N parts together are the whole,
each is a sample of all of it, and they may run on different days or machines. Needs a build made with -Dcrash_hooks=true, named by CERTWRIGHT_BUILD (make crash).
Last line: runs, lost, doubled, left behind.
"""
import argparse
import contextlib
import fnmatch
import http.client
import os
import pathlib
import random
import shutil
import sqlite3
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ["CERTWRIGHT_BUILD"] = str(pathlib.Path(os.environ.get("CERTWRIGHT_BUILD", TOP / "build-crash")).resolve())
sys.path[:0] = [str(TOP / "tests" / "fake"), str(TOP / "tests" / "scenario")]
import bed as beds  # noqa: E402
import helpers  # noqa: E402
import providers  # noqa: E402
import renewals  # noqa: E402,F401
from scenarios import SCENARIOS  # noqa: E402
from cryptography import x509  # noqa: E402

FAIL_POINTS = ("store-commit", "http-send", "http-answered", "sql", "crypto")
FAILS_FOR_S = 3  # how long a point that fails "for ever" does, before the fault is mended


class Wrong(Exception):
    def __init__(self, what, text):
        super().__init__(text)
        self.what = what


class Part:
    """Which of the runs are made: every Kth (--every), of these every Nth from the Ith on (--part I/N)."""

    def __init__(self, text="1/1", every=1):
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise argparse.ArgumentTypeError(f"a part is written I/N, the first of four 1/4: {text}")
        self.number, self.of, self.every = int(number), int(of), every

    def passes(self, seed, most):
        """The numbers of the passes of a point: with --every from a random one on, which is the same for all parts."""
        first = 1 if self.every == 1 else seed.randint(1, self.every)
        return range(first + (self.number - 1) * self.every, most, self.every * self.of)

    def among(self, runs):
        return list(runs)[self.number - 1::self.of]


class Loop:
    def __init__(self, folder, database, kinds, part):
        self.rules = folder / "crash"
        self.rules.write_text("")
        self.postgres = beds.Postgres(folder) if database == "postgresql" else None
        settings = {}
        if self.postgres:
            password = folder / "db-password"
            password.write_text("correct horse\n")
            settings = {"store.url": self.postgres.url, "store.password_file": str(password)}
        at = [SCENARIOS[kind] for kind in kinds if isinstance(SCENARIOS[kind], providers.AtProvider) and not SCENARIOS[kind].needs()]
        self.places, self.rows, self.with_provider = {}, {}, at
        for scenario in self.with_provider:
            if scenario.place not in self.places:
                self.places[scenario.place] = scenario.place(folder)
            settings.update(scenario.settings())
        (folder / "bed").mkdir()
        folder.chmod(0o777)  # core rewrites the rules file there, under its own user
        dns = beds.free_port()
        self.bed = beds.Bed(folder / "bed", settings=settings, env={"CERTWRIGHT_CRASH_FILE": str(self.rules)}, ports={"dns": dns},
                            forward=[dns, *(place.port for place in self.places.values())],
                            pebble_env={"PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "0"}, never=["never.test"])
        if self.postgres and self.bed.user:
            os.chown(folder / "db-password", self.bed.user.pw_uid, self.bed.user.pw_gid)
            (folder / "db-password").chmod(0o600)
        if self.places:  # looks where the CA looks
            self.bed.server.settings.update({"resolve.servers": f"127.0.0.1:{self.bed.resolver.port}", "resolve.ask_view": "yes"})
        self.bed.start()
        self.account = self.bed.account()
        for scenario in self.with_provider:
            if (scenario.place, scenario.kind) not in self.rows:
                self.rows[scenario.place, scenario.kind] = self.provider_for(scenario)
        self.bed.server.stop()
        self.parts = []  # what a scenario brought along and is to be stopped
        self.part = part
        self.number = 0
        self.runs = self.reached = 0
        self.bad = {"lost": 0, "doubled": 0, "left behind": 0}
        self.seed = random.Random(20261123)

    def place_of(self, scenario):
        return self.places[scenario.place]

    def row_of(self, scenario):
        return self.rows[scenario.place, scenario.kind]

    def provider_for(self, scenario, name="crash"):
        body = {"kind": scenario.kind, "name": f"{name}, {scenario.kind}, {scenario.place.__name__}", "fields": scenario.fields(self.place_of(scenario))}
        status, made, _ = self.bed.server.request("POST", "/providers", body)
        if status != 201:
            raise beds.BedError(f"the provider is not taken: {made}")
        return made

    def stop(self):
        self.bed.stop()
        for part in (*self.parts, *self.with_provider, *self.places.values(), self.postgres):
            if part:
                part.stop()

    def write_rules(self, *lines):
        new = self.rules.with_suffix(".new")
        new.write_text("".join(line + "\n" for line in lines))
        new.chmod(0o666)
        new.rename(self.rules)

    def request(self, method, path, body=None, headers=None, until=None):
        """The server may be away for a moment: that is the point."""
        until = until or time.monotonic() + 240
        while True:
            try:
                status, doc, head = self.bed.server.request(method, path, body, headers)
                if status not in (502, 503, 500):
                    return status, doc, head
            except (OSError, http.client.HTTPException, ValueError):
                pass
            if time.monotonic() > until:
                raise Wrong("lost", f"{method} {path} is not answered any more")
            time.sleep(0.05)

    def offline(self, *statements):
        """Stops the server, changes rows, and starts it again: what time would have brought."""
        server = self.bed.server
        server.process.stop(240)
        if self.postgres:
            for text in statements:
                self.postgres.sql(text)
        else:
            with contextlib.closing(sqlite3.connect(server.state / "certwright.db")) as db, db:
                for text in statements:
                    db.execute(text)
        server.start(wait=False)

    def need(self, fact, text, what="lost"):
        if not fact:
            raise Wrong(what, text)

    def until(self, fn, text, seconds=240):
        until = time.monotonic() + seconds
        while not (got := fn()):
            self.need(time.monotonic() < until, f"not in {seconds} s: {text}")
            time.sleep(0.1)
        return got

    def drive(self, scenario, order_id, names):
        """Waits until the order is over; does what a person would, and asks again where an error waits its turn."""
        until, asked = time.monotonic() + 300, 0
        while True:
            scenario.look(self, order_id)
            _, order, _ = self.request("GET", f"/orders/{order_id}")
            if order["status"] in helpers.ENDED:
                return order
            scenario.act(self, order)
            if order["attempts"] and time.monotonic() > asked + 5.2:
                self.request("POST", f"/orders/{order_id}/refresh")
                asked = time.monotonic()
            if time.monotonic() > until:
                raise Wrong("lost", f"order for {names} is not over: {order}")
            time.sleep(0.05)

    def check(self, scenario, order, names, issued_before, may_fail):
        issued = self.bed.ca.issued() - issued_before
        if scenario.certificates and order["status"] != "valid" and not (may_fail and not issued and order["reason"]):
            raise Wrong("lost", f"order ended {order['status']} with {issued} certificates: {order['reason']}")
        if not scenario.certificates and order["status"] != "invalid":
            raise Wrong("lost", f"order ended {order['status']}")
        _, page, _ = self.request("GET", "/orders?limit=5")
        same = [o for o in page["items"] if o["names"] == order["names"] and o["certificate_id"] == order["certificate_id"]]
        if issued > scenario.certificates or (len(same) != 1 and scenario.certificates and not isinstance(scenario, type(SCENARIOS["renewal"]))):
            raise Wrong("doubled", f"{issued} certificates issued, {len(same)} orders for {names}")
        if order["status"] == "valid":
            scenario.certificate(self, order, names)
            self.audited(order["certificate_id"])
        try:
            helpers.nothing_left(self.bed, names, timeout=240)
            self.no_debts()
            scenario.left(self, names)
        except (AssertionError, beds.BedError) as e:
            raise Wrong("left behind", str(e)) from e

    def audited(self, certificate):
        """Each order that became valid has one row that says so: none was lost with a process, none was written again after it."""
        rows = self.count(f"SELECT count(*) FROM audit WHERE action IN ('certificate.issue', 'certificate.replace') AND object_id = '{certificate}'")
        orders = self.count(f"SELECT count(*) FROM orders WHERE certificate_id = '{certificate}' AND status = 'valid'")
        self.need(rows == orders, f"{orders} valid orders have {rows} rows in the audit", "lost" if rows < orders else "doubled")

    def exported(self, order, *more):
        """What is handed out, as text, and the certificate in it."""
        done = self.bed.server.cli("certificate", "export", order["certificate_id"], "--format", "fullchain", *more)
        self.need(not done.status, f"the certificate is not handed out: {done}")
        return done.out, x509.load_pem_x509_certificate(done.out[done.out.index("-----BEGIN CERT"):].encode())

    def count(self, text):
        """What a SELECT of one number says now."""
        if self.postgres:
            return int(self.postgres.sql(text))
        with contextlib.closing(sqlite3.connect(f"file:{self.bed.server.state / 'certwright.db'}?mode=ro", uri=True)) as db:
            return db.execute(text).fetchone()[0]

    def owed(self):
        """Debts, but for the giving back of an authorization that the CA may still be looking at: its time comes after minutes."""
        later = f"kind = 'deactivate-authz' AND attempts = 0 AND due_ms > {int(time.time() * 1000)}"
        return self.count(f"SELECT count(*) FROM debt WHERE state = 'owed' AND NOT ({later})")

    def no_debts(self):
        until = time.monotonic() + 120
        while owed := self.owed():
            if time.monotonic() > until:
                raise AssertionError(f"{owed} debts are not paid")
            time.sleep(0.2)

    def until_reached(self):
        """What is withdrawn after the order's end belongs to its life: the rules stay until it is, or until they have come true."""
        until = time.monotonic() + 20
        while self.rules.read_text().split() and self.owed() and time.monotonic() < until:
            time.sleep(0.05)

    def run(self, kind, label, rules=(), edge_after=None):
        """One order under these rules; True when all of them were reached."""
        scenario = SCENARIOS[kind]
        self.number += 1
        names = scenario.names(self.number)
        server = self.bed.server
        self.write_rules()
        server.start()
        reached = False
        try:
            before = scenario.before(self, names)
            issued = self.bed.ca.issued()
            self.write_rules(*rules)
            mend = None
            if any(rule.startswith("fail") and rule.endswith("+") for rule in rules):
                mend = threading.Timer(FAILS_FOR_S, self.write_rules)
                mend.start()
            made = scenario.start(self, names, before)
            if mend:
                mend.join()
            if edge_after is not None:
                time.sleep(edge_after)
                server.kill("edge")
            order = self.drive(scenario, made["id"], names)
            self.until_reached()
            left = self.rules.read_text().split()
            reached = not left or rules and rules[0].startswith("fail")
            self.write_rules()
            self.check(scenario, order, names, issued, any("crypto" in rule for rule in rules))
        except Wrong as e:
            self.bad[e.what] += 1
            print(f"WRONG {kind} {label}: {e.what}: {e}", flush=True)
            log = server.process.text()
            (self.bed.folder / f"wrong-{self.number}.log").write_text(log)
            print("\n".join(log.splitlines()[-25:]), flush=True)
        finally:
            server.process.stop(240)
            server.process.log.unlink(missing_ok=True)
        self.runs += 1
        return reached

    def walk(self, kind, action, point, most=120):
        done = 0
        for n in self.part.passes(self.seed, most):
            if not self.run(kind, f"{action} {point} {n}", [f"{action} {point} {n}"]) and action == "kill":
                break
            done = n
            if action == "fail" and n >= self.limit.get((kind, point), most):
                break
        if action == "kill":
            self.limit[(kind, point)] = done
        print(f"{kind} {action} {point}: up to {done}, {self.runs} runs so far, {self.bad}", flush=True)

    def walk_groups(self, kind):
        for group, point in self.part.among(SCENARIOS[kind].groups.items()):
            for rule in (f"kill {point} 1", f"kill {point} 2"):
                reached = self.run(kind, f"{group}: {rule}", [rule])
                if not reached and rule.endswith(" 1"):
                    self.bad["lost"] += 1
                    print(f"WRONG {kind} {group}: {point} was not reached", flush=True)
        print(f"{kind}: groups {', '.join(self.part.among(SCENARIOS[kind].groups))}, {self.runs} runs so far, {self.bad}", flush=True)

    def walk_pairs(self, kind, points, number):
        """Two crashes, the second mostly in the recovery from the first; which, is the same in each run of the program, whatever its part."""
        rules = []
        for i in range(number):
            chosen = random.Random(f"{kind} {i}")
            rules.append([f"kill {chosen.choice(points)} {chosen.randint(1, 8)}" for _ in range(2)])
        for two in self.part.among(rules):
            self.run(kind, " then ".join(two), two)

    limit = {}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    arguments.add_argument("--kinds", default="*", help="names of scenarios, or patterns of them")
    arguments.add_argument("--points", help="instead of those that each scenario passes")
    arguments.add_argument("--every", type=int, default=1)
    arguments.add_argument("--pairs", type=int, default=0)
    arguments.add_argument("--edge", type=int, default=0)
    arguments.add_argument("--fail", action="store_true")
    arguments.add_argument("--groups", action="store_true")
    arguments.add_argument("--part", type=Part, default=Part(), metavar="I/N")
    args = arguments.parse_args()
    args.part.every = args.every
    folder = beds.scratch("certwright-crash-")
    kinds = [k for k in SCENARIOS if any(fnmatch.fnmatch(k, asked) for asked in args.kinds.split(","))]
    loop = Loop(folder, args.database, kinds, args.part)
    try:
        for kind in kinds:
            points = SCENARIOS[kind].points if args.points is None else [p for p in args.points.split(",") if p]
            if SCENARIOS[kind].needs():
                print(f"{kind}: skipped: {SCENARIOS[kind].needs()}", flush=True)
                continue
            if args.groups:
                loop.walk_groups(kind)
            for point in points:
                loop.walk(kind, "kill", point)
            for point in (points if args.points else (*FAIL_POINTS, *SCENARIOS[kind].fails)) if args.fail else ():
                loop.walk(kind, "fail", point)
                for n in args.part.among(range(1, 40, 4 * args.every)):
                    loop.run(kind, f"fail {point} {n}+", [f"fail {point} {n}+"])
            loop.walk_pairs(kind, points, args.pairs)
            for i in args.part.among(range(args.edge)):
                loop.run(kind, f"edge killed after {i * 40} ms", edge_after=i * 0.04)
    finally:
        loop.stop()
        wrong = sum(loop.bad.values())
        print(f"{loop.runs} runs, {loop.bad['lost']} lost, {loop.bad['doubled']} doubled, {loop.bad['left behind']} left behind")
        if not wrong:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong or not (loop.runs or args.part.of > 1) else 0


if __name__ == "__main__":
    sys.exit(main())
