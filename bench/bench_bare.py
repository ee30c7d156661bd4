#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a bare client reaches against one local Pebble: http-01 and dns-01, with 0, 5 and 50 % of nonces refused.

The measure for issuance: Pebble alone on one core, the client on the other. BENCH_CERTIFICATES (2000) after a tenth of that
unmeasured. Without a bar of its own."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from common import LOAD_CORE, ROUNDS, SERVER_CORE, TOP, Peer, free_port

BARE = pathlib.Path(os.environ.get("BARE", TOP / "build" / "bench" / "bare"))
COUNT = int(os.environ.get("BENCH_CERTIFICATES", "2000"))
sys.path.insert(0, str(TOP / "tests" / "tool"))
from pebble_probe import make_tls  # noqa: E402


def once(validation, reject):
    port, management, http_port, dns_port = free_port(), free_port(), free_port(), free_port()
    config = {"pebble": {"listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{management}",
                         "certificate": "srv.pem", "privateKey": "srv.key", "httpPort": http_port, "tlsPort": 5001,
                         "ocspResponderURL": "", "externalAccountBindingRequired": False}}
    os.environ.update(PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT=str(reject), PEBBLE_AUTHZREUSE="0", GOMAXPROCS="1")
    tls = {}
    with tempfile.TemporaryDirectory() as d:
        make_tls(d)
        for name in ("ca.pem", "srv.pem", "srv.key"):
            tls[name] = pathlib.Path(d, name).read_text(encoding="ascii")
    peer = Peer("pebble", ["taskset", "-c", SERVER_CORE, "pebble", "-config", "pebble.json", "-dnsserver", f"127.0.0.1:{dns_port}"],
                {"pebble.json": json.dumps(config), **tls}, port)
    try:
        out = subprocess.run(["taskset", "-c", LOAD_CORE, str(BARE), f"https://127.0.0.1:{port}/dir", os.path.join(peer.dir, "ca.pem"),
                              validation, str(COUNT), str(COUNT // 10), "16", str(http_port), str(dns_port)],
                             check=True, capture_output=True, text=True, timeout=600).stdout
        return json.loads(out)
    finally:
        peer.stop()


def main():
    if not shutil.which("pebble") or not BARE.exists():
        print("skipped: needs pebble and build/bench/bare (ninja -C build bench/bare)")
        return 0
    for reject in (0, 5, 50):
        rows = {v: [] for v in ("http-01", "dns-01")}
        for _ in range(ROUNDS):
            for validation, got in rows.items():
                got.append(once(validation, reject))
        for validation, got in rows.items():
            def median(key):
                return statistics.median(r[key] for r in got)
            print(f"{validation}, {reject:2} % nonces refused: {median('per_second'):7.1f} certificates/s, "
                  f"{median('cpu_ms'):.2f} ms CPU and {median('requests'):.1f} requests each", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
