#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Starting and waiting: the first start, a second one with 1,000 certificates, memory (PSS of all processes) when idle with one
account and the page loaded, and with 1,000 orders whose challenges are published and never looked at.

    bench/run idle            BENCH_IDLE_S (60) seconds of rest before memory is read, BENCH_IDLE_N (1000) objects
"""
import datetime
import http.client
import json
import os
import pathlib
import re
import shutil
import ssl
import statistics
import sys
import time

from common import LOAD_CORE, TOP, cpu_s, family, pin

sys.path.insert(0, str(TOP / "tests" / "fake"))
import bed as beds  # noqa: E402

REST = int(os.environ.get("BENCH_IDLE_S", "60"))
N = int(os.environ.get("BENCH_IDLE_N", "1000"))
STARTS = 5


def pss_mb(pid):
    """{process: MB} of a process and all below it."""
    out = {}
    for p in family(pid):
        rollup = pathlib.Path(f"/proc/{p}/smaps_rollup").read_text()
        argv = pathlib.Path(f"/proc/{p}/cmdline").read_bytes().split(b"\0")
        name = "edge" if argv[0].endswith(b"certwright-edge") else "core" if b"core" in argv[:2] else "supervisor"
        kib = int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
        out[name] = out.get(name, 0) + kib * 1024 / 1e6
    return out


def told(memory):
    return f"{sum(memory.values()):.1f} MB (" + ", ".join(f"{k} {v:.1f}" for k, v in sorted(memory.items())) + ")"


class Api:
    """One kept connection."""

    def __init__(self, server):
        self.token = server.token_file.read_text().strip()
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        self.c = http.client.HTTPSConnection("127.0.0.1", server.api_port, context=trust, timeout=60)

    def __call__(self, method, path, body=None):
        self.c.request(method, path, json.dumps(body) if body else None,
                       {"Authorization": "Bearer " + self.token, **({"Content-Type": "application/json"} if body else {})})
        r = self.c.getresponse()
        data = r.read()
        if r.status >= 300:
            raise beds.BedError(f"{path}: {r.status} {data[:400]}")
        return data


def instant(line):
    """When a line of the log was written, in seconds."""
    return datetime.datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00")).timestamp()


def ready_ms(server):
    """From the start to the later of `ready` and `full set of challenges loaded` in the log, and the CPU it took. A look at /readyz
    would add the handshake of the one who looks."""
    seen = len(server.process.text().splitlines()) if server.process else 0
    begin = time.time()
    server.start(wait=False)
    both = ('"msg":"ready"', "full set of challenges loaded")
    beds.wait_for(lambda: all(any(text in line for line in server.process.text().splitlines()[seen:]) for text in both), 60, "the start", 0.02)
    used = cpu_s(server.process.pid) * 1000
    beds.wait_for(server.ready, 10, "/readyz says so too")
    lines = server.process.text().splitlines()[seen:]
    return (max(instant(line) for line in lines if any(text in line for text in both)) - begin) * 1000, used


def order(api, account, name, n):
    for i in range(n):
        api("POST", "/api/v1/orders", {"account_id": account, "validation": "dns-01", "dns": "delegation", "key_type": "p256", "names": [f"{name}{i}.bench.test"]})


def register(server, ca):
    return server.call("account", "register", "--directory", ca.directory, "--email", "b@bench.test", "--agree-tos")["id"]


def judge(what, value, bar, unit):
    ok = value < bar
    print(f"  {'met' if ok else 'MISSED'}: {what}: {value:,.1f} {unit} (below {bar:g})", flush=True)
    return ok


def peak(pid, seconds):
    most = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = pss_mb(pid)
        if sum(now.values()) > sum(most.values()):
            most = now
        time.sleep(0.5)
    return most


def main():
    if not beds.PEBBLE:
        print("  skipped: pebble is not installed")
        return 0
    folder = beds.scratch("cw-bench-idle-")
    dns, port = beds.free_port(), beds.free_port()
    cas = []
    try:
        beds.make_tls(folder / "tls")
        always = {"GOMAXPROCS": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "0"}
        for name, env in (("quick", {"PEBBLE_VA_ALWAYS_VALID": "1"}), ("slow", {"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "36000"})):
            (folder / name).mkdir()
            cas.append(beds.Pebble(folder / name, dns, port, None, True, {**always, **env}, tls=folder / "tls"))
            pin(cas[-1].process.pid, LOAD_CORE)
        home = folder / "ours"
        home.mkdir()
        trust = home / "trust.pem"
        shutil.copy(folder / "tls" / "ca.pem", trust)
        trust.chmod(0o644)
        server = beds.Server(home, {"net.trust": str(trust), "log.level": "info"}, beds.user_of_parts(), ports={"dns": dns, "http": port})
        server.prepare()
        first, first_cpu = ready_ms(server)
        server.learn_fingerprint()
        api = Api(server)
        account = register(server, cas[0])
        server.http("/")
        for name in re.findall(r'(?:src|href)="(/[^"]+)"', (server.http("/") or (0, b""))[1].decode(errors="replace")):
            server.http(name)
        time.sleep(REST)
        idle = pss_mb(server.process.pid)
        before = cpu_s(server.process.pid)
        time.sleep(5)
        idle_cpu = (cpu_s(server.process.pid) - before) / 5 * 100
        order(api, account, "n", N)
        beds.wait_for(lambda: cas[0].issued() >= N, 600, f"{N} certificates are issued")
        while json.loads(api("GET", "/api/v1/orders?status=processing&limit=1"))["items"]:
            time.sleep(0.1)
        server.stop()
        again = []
        for _ in range(STARTS):
            again.append(ready_ms(server))
            server.stop()
        server.start()
        server.learn_fingerprint()
        api = Api(server)
        order(api, register(server, cas[1]), "w", N)
        most = peak(server.process.pid, 20)
        live = cas[1].process.text().count("Pulled a task from the Tasks queue")
        print(f"  first start to ready: {first:.0f} ms, {first_cpu:.0f} ms CPU")
        print("  second start with %d certificates: min %.0f, median %.0f, max %.0f ms; CPU median %.0f ms" % (
            N, min(a[0] for a in again), statistics.median(a[0] for a in again), max(a[0] for a in again), statistics.median(a[1] for a in again)))
        print(f"  idle after {REST} s: {told(idle)}, {idle_cpu:.2f} % CPU")
        print(f"  {N} orders in flight ({live} challenges being looked at): peak {told(most)}")
        ok = judge("first start", first, 1000, "ms")
        ok &= judge(f"second start with {N} certificates", statistics.median(a[0] for a in again), 100, "ms")
        ok &= judge("idle", sum(idle.values()), 25, "MB")
        ok &= judge(f"{N} in flight", sum(most.values()), 40, "MB")
        server.stop()
        return 0 if ok else 1
    finally:
        for ca in cas:
            ca.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
