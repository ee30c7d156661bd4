# SPDX-License-Identifier: Apache-2.0
"""The disk is lost: sixty certificates of all kinds, ten orders in flight, a backup, five certificates more; everything in the state folder is
destroyed and restored in another one with the master key of the safe. docs/admin/backup.md is what an administrator reads that day."""
import collections
import sqlite3

import bed as beds
import helpers
import pytest
from test_backup import Host
from test_restored_engine import account, issued_by, lose_and_restore, reconciled, rows


@pytest.fixture
def host(scratch, make_bed):
    bed = make_bed(pebble_env={"PEBBLE_WFE_NONCEREJECT": "5", "PEBBLE_AUTHZREUSE": "0"})
    bed.account()
    made = Host(scratch, bed.server)
    made.bed = bed
    return made


def order(host, *args):
    return host.server.call("order", "create", "--account", account(host.server), *args)["id"]


def sixty(host):
    """Every kind of key, of names and of proof; some with a CSR whose key is kept here."""
    ids = []
    for i in range(12):
        ids += [order(host, "--validation", "dns-01", "--name", f"plain{i}.example.test"),
                order(host, "--validation", "dns-01", "--name", f"wild{i}.example.test", "--name", f"*.wild{i}.example.test"),
                order(host, "--validation", "dns-01", "--name", f"rsa{i}.example.test", "--key", "rsa2048"),
                order(host, "--validation", "http-01", "--name", f"http{i}.example.test"),
                order(host, "--validation", "dns-01", "--csr", host.server.call("csr", "create", "--name", f"csr{i}.example.test")["id"])]
    over = helpers.wait_all(host.bed, ids)
    assert [o["status"] for o in over.values()] == ["valid"] * 60, over
    return ids


def in_flight(host):
    """Ten that are ready and wait for Finalize Order."""
    ids = [order(host, "--validation", "dns-01", "--name", f"flight{i}.example.test", "--step-by-step") for i in range(10)]
    beds.wait_for(lambda: all(host.server.call("order", "show", i)["status"] == "ready" for i in ids), 120, "ten orders in flight")
    return ids


def keys_of(server):
    """{certificate's name: key ids of its current version}, from the database of a running server."""
    with sqlite3.connect(f"file:{server.state / 'certwright.db'}?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT c.names, v.key_id FROM certificate c JOIN version v ON v.id = c.version_id WHERE c.deleted_ms = 0"))


def test_the_disk_is_lost_and_everything_goes_on(host, scratch):
    server, ca = host.server, host.bed.ca
    sixty(host)
    flight = in_flight(host)
    file = scratch / "one.backup"
    assert host.backup(file).returncode == 0
    late = [f"late{i}.example.test" for i in range(5)]
    over = helpers.wait_all(host.bed, [order(host, "--validation", "dns-01", "--name", n) for n in late])
    assert all(o["status"] == "valid" for o in over.values()), over
    registrations, issued = ca.process.text().count("POST /sign-me-up"), issued_by(host)

    lose_and_restore(host, scratch, file)
    result = reconciled(server)
    assert result["lost"] == 5 and "added" not in result, result
    assert ca.process.text().count("POST /sign-me-up") == registrations, "newAccount was never sent"
    assert issued_by(host) == issued, "nothing was ordered by the restart"
    for one in flight:
        server.call("order", "finalize", one)
    over = helpers.wait_all(host.bed, flight)
    assert [o["status"] for o in over.values()] == ["valid"] * 10, over
    assert issued_by(host) == issued + 10

    known = keys_of(server)
    assert len(known) == 75 and sorted(n for n, key in known.items() if key is None) == late, "the five are named"
    server.stop()
    rows(server, "UPDATE certificate SET next_attempt_ms = 1 WHERE version_id IN (SELECT id FROM version WHERE key_id IS NULL)",
         "UPDATE job SET due_ms = 1 WHERE kind = 'renewal'")
    server.start()
    beds.wait_for(lambda: all(keys_of(server).values()), 120, "the five are replaced")
    assert issued_by(host) == issued + 15 and len(keys_of(server)) == 75, "nothing twice"
    serials = [c["serial"] for c in pages(server, "/certificates")]
    assert max(collections.Counter(serials).values()) == 1


def pages(server, path):
    items, cursor = [], ""
    while True:
        got = server.request("GET", f"{path}?limit=50{cursor}")[1]
        items += got["items"]
        if not got["has_more"]:
            return items
        cursor = f"&cursor={got['cursor']}"
