#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Issuance against one local Pebble: Certwright beside bench_bare (libcurl, no store), http-01 and dns-01, and lego, uacme and mod_md, in turn.

Pebble has a core of its own, everything else the other one. Judged: certificates a second, CPU for a certificate (supervisor, edge
and core; bare's own process), transactions and fsyncs for a certificate. Orders are submitted over one kept connection, keys and
CSRs are made by both.

    bench/run issue            300 certificates after 50;  --full: 2,000 after 200;  --reject PERCENT: nonces refused
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

from common import LOAD_CORE, ROUNDS, SERVER_CORE, TOP, cpu_s, family, others_run, pin, table

sys.path.insert(0, str(TOP / "tests" / "fake"))
import bed as beds  # noqa: E402
import issue_peers  # noqa: E402

METHOD = {"dns-01": '"dns":"delegation"', "http-01": '"http":"builtin"'}

BARE = beds.BUILD / "bench" / "bench_bare"


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--full", action="store_true")
    p.add_argument("--reject", type=int, default=0)
    p.add_argument("--only", choices=["http-01", "dns-01"])
    p.add_argument("--ours", action="store_true", help="without the peer")
    p.add_argument("-n", type=int)
    p.add_argument("--perf", metavar="FILE", help="record where core's time goes, for `perf report -i FILE`")
    o = p.parse_args(os.environ.get("BENCH_ISSUE", "").split() + sys.argv[1:])
    o.n = o.n or (2000 if o.full else 300)
    o.warm = 200 if o.full else 50
    return o


def threads(pid):
    """CPU milliseconds of each kind of thread ("worker-3" is "worker")."""
    used = collections.Counter()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = re.sub(r"-\d+$", "", (task / "comm").read_text().strip())
        used[name] += int((task / "schedstat").read_text().split()[0]) / 1e6
    return used


class Authority(beds.Pebble):
    """Pebble alone on its core; counts the requests it answered."""

    def __init__(self, folder, dns_port, http_port, reject):
        folder.mkdir()
        super().__init__(folder, dns_port, http_port, None, True, {
            "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(reject), "PEBBLE_AUTHZREUSE": "0", "GOMAXPROCS": "1"})
        pin(self.process.pid, SERVER_CORE)

    def requests(self):
        return self.process.text().count(" -> calling handler()") or len(re.findall(r"(POST|GET|HEAD) /", self.process.text()))


class Bare:
    name = "bare (libcurl, no store)"

    def __init__(self, folder, kind, o):
        self.kind, self.o = kind, o
        self.dns, self.http = beds.free_port(), beds.free_port()
        self.ca = Authority(folder / "bare", self.dns, self.http, o.reject)

    def run(self):
        before = self.ca.requests()
        out = subprocess.run(["taskset", "-c", LOAD_CORE, BARE, "--dir", self.ca.directory, "--ca", self.ca.ca, "--type", self.kind, "--dns",
                              str(self.dns), "--http", str(self.http), "-n", str(self.o.n), "-w", str(self.o.warm)], capture_output=True,
                             text=True, check=False, timeout=600)
        if out.returncode:
            raise beds.BedError(out.stderr)
        r = json.loads(out.stdout)
        seen = self.ca.requests() - before
        n = r["certificates"]
        return {"rate": n / r["wall_s"], "cpu": 1000 * r["cpu_s"] / n, "requests": seen / (n + self.o.warm)}

    def stop(self):
        self.ca.stop()


class Ours:
    name = "Certwright"

    def __init__(self, folder, kind, o):
        self.kind, self.o, self.made = kind, o, 0
        home = folder / "ours"
        home.mkdir()
        dns, port = beds.free_port(), beds.free_port()
        self.names = beds.free_port()
        self.answers = subprocess.Popen(["taskset", "-c", LOAD_CORE, BARE, "--dns", str(self.names)], stdout=subprocess.DEVNULL)
        self.ca = Authority(home / "ca", dns if kind == "dns-01" else self.names, port, o.reject)
        trust = home / "trust.pem"
        shutil.copy(self.ca.ca, trust)
        trust.chmod(0o644)
        user = beds.user_of_parts()
        self.server = beds.Server(home, {"net.trust": str(trust), "log.level": "warning", **json.loads(os.environ.get("BENCH_SET", "{}"))}, user, ports={"dns": dns, "http": port})
        self.server.start()
        for pid in family(self.server.process.pid):
            pin(pid, LOAD_CORE)
        self.account = self.server.call("account", "register", "--directory", self.ca.directory, "--email", "b@bench.test", "--agree-tos")["id"]
        self.token = self.server.token_file.read_text().strip()
        self.trace = None

    def connect(self):
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.server.api_port, context=trust, timeout=60)

    def call(self, c, method, path, body=None):
        c.request(method, path, json.dumps(body) if body else None,
                  {"Authorization": "Bearer " + self.token, **({"Content-Type": "application/json"} if body else {})})
        r = c.getresponse()
        data = r.read()
        if r.status >= 300:
            raise beds.BedError(f"{path}: {r.status} {data[:400]}")
        return data

    def metrics(self, c):
        text = self.call(c, "GET", "/metrics").decode()
        return {m.group(1): float(m.group(2)) for m in re.finditer(r"^(\w+)(?:\{[^}]*\})? ([\d.e+-]+)$", text, re.M)}

    def order(self, c, n):
        """n orders, one after the other over the connection; written by hand, so that the one who asks costs little."""
        c.connect() if c.sock is None else None
        head = f"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
        for _ in range(n):
            self.made += 1
            body = f'{{"account_id":"{self.account}","validation":"{self.kind}",{METHOD[self.kind]},"key_type":"p256","names":["n{self.made}.bench.test"]}}'
            c.sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            got = c.sock.recv(65536)
            while b"\r\n\r\n" not in got:
                got += c.sock.recv(65536)
            top, _, rest = got.partition(b"\r\n\r\n")
            if b" 201 " not in top.split(b"\r\n", 1)[0]:
                raise beds.BedError(got.decode(errors="replace"))
            want = int(re.search(rb"(?i)content-length: *(\d+)", top).group(1))
            while len(rest) < want:
                rest += c.sock.recv(65536)

    def wait(self, c, before, n):
        done, since = 0, time.monotonic()
        while done < n:
            now = self.ca.issued() - before
            if now > done:
                done, since = now, time.monotonic()
            if time.monotonic() - since > 45:
                stuck = [o for status in ("pending", "ready", "processing", "invalid")
                         for o in json.loads(self.call(c, "GET", f"/api/v1/orders?status={status}&limit=5"))["items"]]
                raise beds.BedError(f"only {done} of {n} were issued: {json.dumps(stuck, indent=1)[:4000]}\n{self.server.process.text()[-1500:]}")
            time.sleep(0.05)

    def orders_over(self, c, status):
        return json.loads(self.call(c, "GET", f"/api/v1/orders?status={status}&limit=1"))["items"]

    def drain(self, c, before, n):
        """All n issued, and stored."""
        self.wait(c, before, n)
        while self.orders_over(c, "processing") or self.orders_over(c, "ready") or self.orders_over(c, "pending"):
            time.sleep(0.05)

    def run(self):
        c = self.connect()
        issued = self.ca.issued()
        self.order(c, self.o.warm)
        self.drain(c, issued, self.o.warm)
        issued += self.o.warm
        before, req, cpu, start = self.metrics(c), self.ca.requests(), cpu_s(self.server.process.pid), time.monotonic()
        parts = {name: threads(pid) for name, pid in self.server.parts().items()}
        perf = subprocess.Popen(["taskset", "-c", SERVER_CORE, "perf", "record", "-q", "-F", "499", "--call-graph", "dwarf,16384", "-o", self.o.perf, "-p",
                                 str(self.server.parts()["core"])]) if self.o.perf else None
        self.order(c, self.o.n)
        submitted = time.monotonic() - start
        self.drain(c, issued, self.o.n)
        wall, n = time.monotonic() - start, self.o.n
        used = cpu_s(self.server.process.pid) - cpu
        self.parts = {f"{part} {name}": (used - parts[part][name]) / n for part, pid in self.server.parts().items()
                      for name, used in threads(pid).items()}
        if perf:
            perf.send_signal(2)
            perf.wait(30)
        after = self.metrics(c)
        delta = {k: (after[k] - before.get(k, 0)) / n for k in after}
        return {"rate": n / wall, "cpu": 1000 * used / n, "requests": (self.ca.requests() - req) / n, "submitted": n / submitted,
                "writes": delta.get("certwright_store_writes_total", 0), "commits": delta.get("certwright_store_commits_total", 0)}

    def stop(self):
        self.server.stop()
        self.ca.stop()
        self.answers.terminate()
        self.answers.wait(10)


def fsyncs(ours):
    """fsync and fdatasync calls for a certificate, counted by strace in a round of its own."""
    if not shutil.which("strace"):
        return None
    core = ours.server.parts()["core"]
    out = tempfile.NamedTemporaryFile(prefix="cw-strace-")
    t = subprocess.Popen(["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", out.name, "-p", str(core)], stderr=subprocess.DEVNULL)
    time.sleep(1)
    c = ours.connect()
    issued = ours.ca.issued()
    ours.order(c, ours.o.n)
    ours.drain(c, issued, ours.o.n)
    t.send_signal(2)
    t.wait(30)
    return sum(int(line.split()[3]) for line in open(out.name, encoding="ascii") if re.search(r"\bf(data)?sync$", line)) / ours.o.n


def measure(kind, o):
    print(f"-- {kind}, {o.n} certificates after {o.warm}, {ROUNDS} rounds, {o.reject} % of nonces refused", flush=True)
    folder = beds.scratch("cw-bench-issue-")
    peers, ok = [], True
    try:
        peers.append(Ours(folder, kind, o))
        if not o.ours:
            peers.append(Bare(folder, kind, o))
            if kind == "http-01":
                peers += issue_peers.peers(folder, Authority, BARE, o.reject)
        busy = others_run()
        results = {p.name: [] for p in peers}
        for _ in range(ROUNDS):
            for p in peers:
                results[p.name].append(p.run())

        def col(what):
            return {name: [r[what] for r in rows] for name, rows in results.items() if what in rows[0]}
        rate = table("certificates", col("rate"), "1/s")
        cpu = table("CPU for a certificate", col("cpu"), "ms", "lower")
        print("  of it, in the last round: " + ", ".join(f"{k} {v:.2f}" for k, v in sorted(peers[0].parts.items(), key=lambda i: -i[1]) if v > 0.02))
        table("requests for a certificate", col("requests"), "", "lower")
        writes = table("transactions for a certificate", col("writes"), "", "lower")[Ours.name]
        table("commits for a certificate (grouped)", col("commits"), "", "lower")
        table("orders taken over one connection", col("submitted"), "1/s")
        syncs = fsyncs(peers[0])
        if syncs is not None:
            print(f"  fsyncs for a certificate: {syncs:.2f}")
        print("ratios")

        for name in rate:
            if name not in (Ours.name, Bare.name):
                print(f"  beside {name}: {rate[Ours.name] / rate[name]:.1f} times the rate, {cpu[name] / cpu[Ours.name]:.1f} times less CPU")

        def judge(what, value, bar, better):
            good = value >= bar * 0.95 if better == "higher" else value <= bar * 1.05
            print(f"  {'met' if good else 'MISSED'}: {what}: {value:.2f} ({'at least' if better == 'higher' else 'at most'} {bar:g})")
            return good
        if not o.ours:
            fast = judge("rate against bare", rate[Ours.name] / rate[Bare.name], 0.9, "higher")
            ok &= fast or busy
            ok &= judge("CPU against bare", cpu[Ours.name] / cpu[Bare.name], 2.5, "lower")
        ok &= judge("transactions for a certificate", writes, 12, "lower")
        if syncs is not None:
            ok &= judge("fsyncs for a certificate", syncs, 3, "lower")
        return ok
    finally:
        for p in peers:
            p.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if not beds.PEBBLE:
        print("  skipped: pebble is not installed")
        return 0
    subprocess.run(["ninja", "-C", str(beds.BUILD), "bench/bench_bare"], check=True, stdout=subprocess.DEVNULL)
    o = options()
    results = [measure(kind, o) for kind in (["http-01", "dns-01"] if not o.only else [o.only])]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
