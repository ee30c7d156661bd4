# SPDX-License-Identifier: Apache-2.0
"""The feed speaks its version and the one before: an edge of today under a former core (edge_driver.py says every byte of it), a former edge (the same program,
built with the former feed) under the core of today."""
import json

import pytest

import bed as beds
import edge_driver as ed
import helpers
from edge_driver import txt, zone

ZONE = "_acme-challenge.example.com"
FORMER = beds.EDGE.with_name("certwright-edge-former")
ARGS = ["--hostname", "ns.example.net"]


@pytest.fixture
def edge():
    one = ed.Edge(args=ARGS).start()
    yield one
    one.stop()


def answers(edge):
    import dns.message
    import dns.query
    got = dns.query.udp(dns.message.make_query(ZONE, "TXT"), "127.0.0.1", port=edge.dns_port, timeout=60)
    return {r.strings[0] for s in got.answer for r in s}


def test_an_edge_of_today_is_fed_by_a_former_core_and_then_by_one_of_today(edge):
    former = edge.core(version=1).load([zone(ZONE, 1), txt(ZONE, "first", 2)], 5)
    assert former.newest == ed.VERSION, "its greeting says what it speaks"
    former.change([txt(ZONE, "second", 3)], 6)
    former.send(ed.PING)
    assert former.recv() == (ed.PONG, 7, 6) and not former.lines, "and nothing that version 1 has not"
    assert answers(edge) == {b"first", b"second"}
    former.close()
    today = edge.core(start=8).load([zone(ZONE, 1), txt(ZONE, "third", 4)], 7)
    def told():
        today.send(ed.PING)
        assert today.recv()[0] == ed.PONG
        return len(today.lines) >= 2  # they come at the end of edge's turn, which an answer does not wait for

    beds.wait_for(told, 120, "what was logged comes along")
    assert answers(edge) == {b"third"}
    lines = [json.loads(line) for _, line in today.lines]
    assert [x["msg"] for x in lines][:2] == ["edge started", "core connected"] and {x["process"] for x in lines} == {"edge"}
    assert {pid for pid, _ in today.lines} == {edge.proc.pid}
    assert len(lines) == len({json.dumps(x) for x in lines}), "each once"


def test_a_core_without_a_version_in_common_changes_nothing(edge):
    edge.core().load([zone(ZONE, 1), txt(ZONE, "stays", 2)], 5)
    later = edge.core(start=9, version=ed.VERSION + 1)
    assert later.recv()[0] == ed.HELLO
    later.send(ed.BEGIN)
    with pytest.raises((EOFError, ConnectionResetError)):
        later.recv()
    assert f"feed version {ed.VERSION + 1} is not one of ours (1 to {ed.VERSION})" in edge.log_text()
    assert answers(edge) == {b"stays"}


def versions(server):
    lines = [json.loads(x) for x in server.process.text().splitlines() if x.startswith("{")]
    return [x["feed_version"] for x in lines if x["msg"] == "edge answers from the full set"]


def test_a_core_of_today_issues_through_a_former_edge_and_meets_the_new_one(make_bed):
    bed = make_bed(env={"CERTWRIGHT_EDGE": str(FORMER)})
    account = bed.account()
    ids = [helpers.order(bed, account, ["former.example.test", "*.former.example.test"])["id"],
           helpers.order(bed, account, ["former2.example.test"], "http-01")["id"]]
    assert {o["status"] for o in helpers.wait_all(bed, ids).values()} == {"valid"}
    assert set(versions(bed.server)) == {"1"}
    assert bed.server.stop() == 0
    bed.server.env["CERTWRIGHT_EDGE"] = str(beds.EDGE)
    bed.server.start()
    beds.wait_for(lambda: versions(bed.server)[-1] == str(ed.VERSION), 240, "the newest in common is agreed")
    again = helpers.order(bed, account, ["today.example.test"])["id"]
    assert {o["status"] for o in helpers.wait_all(bed, [again]).values()} == {"valid"}
