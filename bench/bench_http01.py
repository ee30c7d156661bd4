# SPDX-License-Identifier: Apache-2.0
"""HTTP-01 answers a second with one thread, beside nginx 'return' with one worker: connections kept, and a new one each time."""
import os
import re
import shutil
import subprocess
import sys

from common import LOAD_CORE, SECONDS, Peer, cpu_s, others_run, pin, rounds, rss_mib, table, verdict, verdict_cpu
from ports import free_port

import edge_driver as ed

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
KEYAUTH = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
PATH = "/.well-known/acme-challenge/" + TOKEN


class OurEdge:
    name = "certwright-edge"

    def __init__(self):
        self.e = ed.Edge(dns=False).start()
        self.core = self.e.core().load([ed.http(TOKEN, KEYAUTH, 1)])
        self.reports = self.e.reports()
        self.port, self.pid = self.e.http_port, self.e.proc.pid
        pin(self.pid)

    def stop(self):
        self.e.stop()


def nginx():
    port = free_port()
    conf = f"""daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 1000;
  server {{ listen 127.0.0.1:{port} backlog=512; location = {PATH} {{ default_type application/octet-stream; return 200 "{KEYAUTH}"; }} }} }}
"""
    return Peer("nginx return", ["/usr/sbin/nginx", "-p", "@DIR@", "-c", "nginx.conf"], {"nginx.conf": conf}, port)


def wrk(s, *more):
    out = subprocess.run(["taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", "64", "-d", f"{SECONDS}s", *more,
                          f"http://127.0.0.1:{s.port}{PATH}"], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in out and not re.search(r"connect [1-9]|timeout [1-9]", out), out
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def main():
    if not shutil.which("wrk"):
        print("  skipped: wrk is not installed")
        return 0
    servers = [OurEdge()]
    if os.path.exists("/usr/sbin/nginx"):
        servers.append(nginx())
    else:
        print("  nginx is not installed, left out")
    ok, busy = True, others_run()
    try:
        for what, more, factor in (("connections kept", [], 1), ("a new connection each", ["-H", "Connection: close"], 0.95)):
            cpu = {s.name: [] for s in servers}

            def measure(s):
                before = cpu_s(s.pid)
                rate = wrk(s, *more)
                cpu[s.name].append((cpu_s(s.pid) - before) * 1e6 / (rate * SECONDS))
                return rate

            medians = table(what, rounds(servers, measure), "1/s")
            costs = table("CPU for a request", cpu, "us", "lower")
            if len(medians) == 2:
                judge, by = (verdict_cpu, costs) if busy else (verdict, medians)
                ok &= judge(by[OurEdge.name], by["nginx return"], factor, what)
        for s in servers:
            print(f"  {s.name:<24} {rss_mib(s.pid):8.1f} MiB resident")
        return 0 if ok else 1
    finally:
        for s in servers:
            s.stop()


if __name__ == "__main__":
    sys.exit(main())
