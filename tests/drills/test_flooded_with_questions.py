# SPDX-License-Identifier: Apache-2.0
"""200 orders are validated by our DNS while dnsperf asks it as fast as it can."""
import re
import shutil
import subprocess
import threading

import helpers
import pytest

DNSPERF = shutil.which("dnsperf")
ORDERS = 200


class Flood:
    """dnsperf in rounds of two seconds until it is told to end; what each round said is added up."""

    def __init__(self, port, questions):
        self.args = [DNSPERF, "-s", "127.0.0.1", "-p", str(port), "-d", str(questions), "-l", "2", "-c", "8", "-q", "200", "-t", "2"]
        self.over, self.said = threading.Event(), []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            self.said.append(subprocess.run(self.args, capture_output=True, text=True, check=True).stdout)

    def stop(self):
        self.over.set()
        self.thread.join()
        return {what: sum(int(n) for said in self.said for n in re.findall(rf"Queries {what}:\s+(\d+)", said)) for what in ("sent", "completed", "lost")}


@pytest.mark.slow
@pytest.mark.skipif(not DNSPERF, reason="dnsperf is not installed (tools/setup --test)")
def test_two_hundred_orders_are_valid_while_dns_is_asked_at_full_speed(make_bed, scratch):
    bed = make_bed(settings={"dns.rate_limit": "0"}, pebble_env={"PEBBLE_AUTHZREUSE": "0"})  # who floods comes from where the CA asks, too
    account = bed.account()
    names = [f"q{i}.example.test" for i in range(ORDERS)]
    questions = scratch / "questions"
    questions.write_text("".join(f"_acme-challenge.{name} TXT\n{name} A\nnothere{i}.test TXT\n" for i, name in enumerate(names)))
    flood = Flood(bed.server.dns_port, questions)
    try:
        ids = []
        for name in names:
            status, made, _ = bed.server.request("POST", "/orders", {"account_id": account["id"], "names": [name, f"*.{name}"], "validation": "dns-01",
                                                                     "dns": "delegation", "mode": "automatic"})
            assert status in (200, 201), made
            ids.append(made["id"])
        over = helpers.wait_all(bed, ids, 400)
    finally:
        totals = flood.stop()
    print(f"{ORDERS} orders beside {totals}, {len(flood.said)} rounds")
    assert len(over) == ORDERS and {o["status"] for o in over.values()} == {"valid"}, [o for o in over.values() if o["status"] != "valid"][:3]
    assert bed.ca.issued() == ORDERS
    assert totals["completed"] > 100_000, f"that was no flood: {totals}"
    helpers.nothing_left(bed, names[:5])
