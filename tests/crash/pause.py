#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pause - two cores on one PostgreSQL; one is stopped (SIGSTOP) for two leases at a random instant, over and over.

	tests/crash/pause.py [--times N] [--orders K] [--seed S]

The build shortens a lease to three seconds and a step to one, in which a busy machine still gets its answers (CERTWRIGHT_LEASE_MS, CERTWRIGHT_STEP_MS of a -Dcrash_hooks=true
build). Each time, K orders are made at one node, its core is stopped somewhere in their lives, the other node takes over, and the first
goes on with what it thinks it still holds. Afterwards, decided from the CA's log, both name servers and the stored rows:

	every order is valid, exists once, has one certificate               (nothing lost, nothing doubled)
	the CA was asked to finalize each order at most once                 (the fence holds towards the outside)
	no debt is owed, no record live, neither name server answers         (no residue)

A validator may ask either name server. That a challenge is answered by the servers of ALL nodes before the CA is told is not built
(it needs a row of what each node's edge has acknowledged), so the resolver in between asks both and takes what one has.
Last line: pauses, orders, taken over, lost, doubled, finalized twice, left behind.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import signal
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ["CERTWRIGHT_BUILD"] = str(pathlib.Path(os.environ.get("CERTWRIGHT_BUILD", TOP / "build-crash")).resolve())
sys.path[:0] = [str(TOP / "tests" / "fake"), str(TOP / "tests" / "scenario")]
import bed as beds  # noqa: E402
import dns.message  # noqa: E402
import dns.query  # noqa: E402
import dns.rdatatype  # noqa: E402

LEASE_MS, STEP_MS = 3000, 1000


class Two:
    """The bed: CA, resolver that asks both name servers, PostgreSQL, two servers with one master key."""

    def __init__(self, folder):
        self.folder, self.parts = folder, []
        self.user = beds.user_of_parts()
        self.postgres = self.add(beds.Postgres(folder))
        password = folder / "db-password"
        password.write_text("correct horse\n")
        ports = [beds.free_port(), beds.free_port()]
        self.resolver = self.add(beds.Resolver(folder, ports))
        self.ca = self.add(beds.Pebble(folder, self.resolver.port, beds.free_port(), self.user,
                                       env={"PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "0"}))
        trust, key = folder / "trust.pem", folder / "master.key"
        trust.write_bytes(self.ca.ca.read_bytes())
        settings = {"store.url": self.postgres.url, "store.password_file": str(password), "net.trust": str(trust), "keys.master": str(key)}
        env = {"CERTWRIGHT_LEASE_MS": str(LEASE_MS), "CERTWRIGHT_STEP_MS": str(STEP_MS)}
        self.nodes = []
        for i, port in enumerate(ports):
            (folder / f"node{i}").mkdir()
            (folder / f"node{i}").chmod(0o711)
            self.nodes.append(beds.Server(folder / f"node{i}", settings, self.user, env=env, ports={"dns": port}))
        for path in (password, trust):
            if self.user:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
            path.chmod(0o600)
        if self.user:  # the first start makes the master key
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        first, second = self.nodes
        first.start()
        second.prepared, second.token_file = True, first.token_file
        second.start()
        self.parts += self.nodes

    def add(self, part):
        self.parts.append(part)
        return part

    def stop(self):
        for part in reversed(self.parts):
            part.stop()

    def node_of(self, owner):
        return next((i for i, n in enumerate(self.nodes) if owner.split("/")[0].endswith((n.state / "node").read_text().strip())), None)


def submit(server, account, names):
    status, doc, _ = server.request("POST", "/orders", {"account_id": account["id"], "names": names, "validation": "dns-01", "dns": "delegation",
                                                         "mode": "automatic"})
    if status not in (200, 201):
        raise beds.BedError(f"the order was not taken: {doc}")
    return doc["id"]


class Loop:
    def __init__(self, two, seed):
        self.two, self.random = two, random.Random(seed)
        self.account = two.nodes[0].call("account", "register", "--directory", two.ca.directory, "--email", "admin@certwright.test", "--agree-tos")
        self.bad = collections.Counter()
        self.pauses = self.orders = self.taken = 0

    def wrong(self, what, text):
        self.bad[what] += 1
        print(f"WRONG pause {self.pauses}: {what}: {text}", flush=True)

    def pause(self, k):
        two, at = self.two, self.random.randrange(2)
        stopped, other = two.nodes[at], two.nodes[1 - at]
        self.pauses += 1
        before = two.ca.process.text()
        names = {}
        core = stopped.parts()["core"]
        for i in range(k):
            name = f"p{self.pauses}n{i}.example.test"
            names[submit(stopped, self.account, [name, f"*.{name}"])] = name
            time.sleep(self.random.uniform(0, 0.06))
        time.sleep(self.random.uniform(0, 0.15))  # an order lives for about a third of a second
        os.kill(core, signal.SIGSTOP)
        try:
            live = self.claims(names)
            time.sleep(2 * LEASE_MS / 1000 + self.random.uniform(0, 0.3))
            after = self.claims(names)
            self.taken += sum(1 for one, gen in live.items() if after.get(one) != gen)
        finally:
            os.kill(core, signal.SIGCONT)
        self.orders += k
        over = self.drive(other, names)
        self.check(names, over, two.ca.process.text()[len(before):])

    def claims(self, names):
        """{live order: its fencing number}: what changes while one core is stopped, the other one claimed."""
        text = self.two.postgres.sql(f"SELECT id || ' ' || gen FROM orders WHERE ended_ms = 0 AND id IN ({quoted(names)})")
        return dict(line.split() for line in text.splitlines() if " " in line)

    def drive(self, server, names):
        """Those that ran into the short step limit are asked to go on, as a person would: at most once in five seconds."""
        over, asked, until = {}, {}, time.monotonic() + 300
        while len(over) < len(names) and time.monotonic() < until:
            for one in set(names) - set(over):
                _, order, _ = server.request("GET", f"/orders/{one}")
                if order.get("status") in ("valid", "invalid"):
                    over[one] = order
                elif order.get("attempts") and time.monotonic() > asked.get(one, 0) + 5.2:
                    server.request("POST", f"/orders/{one}/refresh")
                    asked[one] = time.monotonic()
            time.sleep(0.1)
        for one in set(names) - set(over):
            self.wrong("lost", f"{server.request('GET', f'/orders/{one}')[1]}")
        return over

    def check(self, names, over, log):
        for one, order in over.items():
            if order["status"] != "valid":
                self.wrong("lost", f"{names[one]}: {order['reason']}")
        issued = collections.Counter(re.findall(r"Issued certificate serial \w+ for order (\S+)", log))
        begun = collections.Counter(re.findall(r"Order (\S+) is fully authorized\. Processing finalization", log))
        if len(issued) > len(names) or any(n > 1 for n in issued.values()):
            self.wrong("doubled", f"{len(names)} orders, certificates per order {issued}")
        sent = log.count("POST /finalize-order/")
        if any(n > 1 for n in begun.values()) or sent > len(names):
            self.wrong("finalized twice", f"{len(names)} orders, {sent} finalize requests")
        rows = int(self.two.postgres.sql(f"SELECT count(*) FROM orders WHERE names_hash IN (SELECT names_hash FROM orders WHERE id IN ({quoted(names)}))"))
        if rows != len(names):
            self.wrong("doubled", f"{rows} order rows for {len(names)} requests")
        left = self.left(names)
        if left:
            self.wrong("left behind", left)

    def left(self, names):
        until = time.monotonic() + 120
        while True:
            text = []
            owed = int(self.two.postgres.sql(f"SELECT count(*) FROM debt WHERE state = 'owed' AND order_id IN ({quoted(names)})"))
            live = int(self.two.postgres.sql(f"SELECT count(*) FROM record WHERE withdrawn_ms = 0 AND order_id IN ({quoted(names)})"))
            if owed or live:
                text.append(f"{owed} debts, {live} live records")
            for i, node in enumerate(self.two.nodes):
                text += [f"name server {i} answers for {name}" for name in names.values() if answers(node, name)]
            if not text or time.monotonic() > until:
                return ", ".join(text)
            time.sleep(0.5)


def answers(node, name):
    q = dns.message.make_query(f"_acme-challenge.{name}", "TXT")
    answer = dns.query.udp(q, "127.0.0.1", port=node.dns_port, timeout=30)
    return any(r.rdtype == dns.rdatatype.TXT for r in answer.answer)


def quoted(ids):
    return ", ".join(f"'{i}'" for i in ids)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--times", type=int, default=20)
    arguments.add_argument("--orders", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=20261123)
    args = arguments.parse_args()
    folder = beds.scratch("certwright-pause-")
    two, loop = None, None
    try:
        two = Two(folder)
        loop = Loop(two, args.seed)
        for _ in range(args.times):
            loop.pause(args.orders)
    finally:
        if two:
            two.stop()
        if loop:
            b = loop.bad
            print(f"{loop.pauses} pauses, {loop.orders} orders, {loop.taken} taken over, {b['lost']} lost, {b['doubled']} doubled, "
                  f"{b['finalized twice']} finalized twice, {b['left behind']} left behind")
            if not sum(b.values()):
                shutil.rmtree(folder, ignore_errors=True)
    return 1 if not loop or sum(loop.bad.values()) or not loop.pauses else 0


if __name__ == "__main__":
    sys.exit(main())
