# SPDX-License-Identifier: Apache-2.0
"""The engine with its threads, libcurl and a live edge against a live Pebble, without API and supervisor."""
import signal
import subprocess
import time

import bed as beds
import pytest
from edge_driver import Edge

LIVE = beds.BUILD / "tests" / "live" / "engine_live"


@pytest.fixture
def place(scratch, tls):
    """place(**pebble_env): (run, pebble, edge), run(kind, count, ...) -> dict of what engine_live printed."""
    if not LIVE.exists() or not beds.PEBBLE:
        pytest.skip("engine_live is not built, or pebble is not installed")
    made = []

    def make(**env):
        edge = Edge(args=["--hostname", "ns.test.example"])
        edge.start()
        resolver = beds.Resolver(scratch, edge.dns_port, never=("never.example",))
        pebble = beds.Pebble(scratch, resolver.port, edge.http_port, env=env, tls=tls)
        made.extend([pebble, resolver, edge])

        def args(kind, count, per_order=1, told=0):
            return [str(LIVE), str(scratch / "state"), pebble.directory, str(pebble.ca), edge.path("feed"), edge.path("report"), kind,
                    str(count), str(per_order), str(told)]

        def run(kind, count, per_order=1, told=0, timeout=300):
            done = subprocess.run(args(kind, count, per_order, told), capture_output=True, text=True, timeout=timeout, check=False)
            assert done.returncode == 0, done.stderr
            words = done.stdout.split()
            return {k: int(v) for k, v in zip(words[::2], words[1::2])} | {"stderr": done.stderr}

        run.args = args
        return run, pebble, edge

    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("kind", ["dns-01", "http-01"])
def test_orders_end_valid_and_leave_nothing(place, kind):
    run, pebble, _ = place(PEBBLE_WFE_NONCEREJECT="5", PEBBLE_AUTHZREUSE="0")
    got = run(kind, 20, told=19)
    assert (got["valid"], got["failed"], got["owed"], got["live"]) == (20, 0, 0, 0), got
    assert pebble.issued() == 20
    assert got["told"] >= 19, "what edge was asked stands beside the orders"


@pytest.mark.parametrize("reject,reuse", [("50", "0"), ("5", "100")])
def test_bad_nonces_and_reused_authorizations(place, reject, reuse):
    run, _, _ = place(PEBBLE_WFE_NONCEREJECT=reject, PEBBLE_AUTHZREUSE=reuse)
    got = run("dns-01", 10, 3)
    assert (got["valid"], got["failed"], got["owed"]) == (10, 0, 0), got


def test_killed_again_and_again_every_order_ends_valid_with_one_certificate(place, scratch):
    run, pebble, _ = place(PEBBLE_WFE_NONCEREJECT="0", PEBBLE_AUTHZREUSE="0")
    run("dns-01", 1)  # the account is there
    for k in range(6):
        p = subprocess.Popen(run.args("dns-01", 40), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        beds.wait_for(lambda: not beds.near_set_aside(scratch / "state" / "db"), 120, "nobody is killed for the third time")
        time.sleep(0.3 + 0.2 * k)
        p.send_signal(signal.SIGKILL)
        p.wait()
    got = run("dns-01", 40)
    assert (got["valid"], got["failed"], got["owed"], got["live"]) == (40, 0, 0, 0), got
    assert pebble.issued() == 40
