# SPDX-License-Identifier: Apache-2.0
"""After a restore the engine looks before it acts: accounts by their URL and never newAccount, orders in flight go on, what was issued
after the backup is recognised, and replaced where its key went with the host."""
import datetime
import shutil
import sqlite3
import time

import pytest

import bed as beds
import helpers
from test_backup import Host


@pytest.fixture
def host(scratch, make_bed):
    bed = make_bed(pebble_env={"PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"})
    bed.account()
    made = Host(scratch, bed.server)
    made.bed = bed
    return made


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def account(server):
    return server.call("account", "list")["items"][0]["id"]


def order(server, name, *extra):
    return server.call("order", "create", "--account", account(server), "--validation", "dns-01", "--name", name, *extra)["id"]


def valid(host, id_):
    got = helpers.wait_order(host.bed, id_)
    assert got["status"] == "valid", got
    return got


def rows(server, *statements):
    """On the database of a server that is stopped."""
    with sqlite3.connect(server.state / "certwright.db") as db:
        for text in statements:
            db.execute(text)
    db.close()
    if user := beds.user_of_parts():
        beds.chown_tree(server.state, user)


def reconciled(server):
    jobs = beds.wait_for(lambda: [j for j in server.call("job", "list")["items"] if j["kind"] == "account-reconcile" and j["state"] == "done"], 60,
                         "the account was compared")
    return jobs[0]["result"]


def sign_in_again(server):
    """After a restore, which ends the token there was."""
    server.token_file.unlink()
    signed_in = {"CERTWRIGHT_TOKEN_FILE": ""}
    for args in (("login", "--user", "admin", "--password-file", server.password_file, "--fingerprint", server.fingerprint),
                 ("token", "create", "--name", f"after {time.time()}", "--out", server.token_file)):
        done = server.cli(*args, env=signed_in)
        assert done.status == 0, done


def lose_and_restore(host, scratch, file, *statements):
    """The state folder is destroyed, and another one made from the backup and the master key of the safe."""
    server = host.server
    server.stop()
    new = scratch / "new"
    new.mkdir(mode=0o700)
    shutil.copy(server.state / "master.key", new / "master.key")
    shutil.rmtree(server.state)
    if user := beds.user_of_parts():
        beds.chown_tree(new, user)
    done = host.restore(file, new)
    assert done.returncode == 0, done.stderr
    server.state = new
    if statements:
        rows(server, *statements)
    server.start()
    sign_in_again(server)


def issued_by(host):
    """How many certificates the CA has issued."""
    return host.bed.ca.process.text().count("Issued certificate serial")


def test_what_was_issued_after_the_backup_is_recognised_and_replaced_and_nothing_is_registered_again(host, scratch):
    server, ca = host.server, host.bed.ca
    for i in range(3):
        valid(host, order(server, f"before{i}.example.test"))
    uploaded = server.call("csr", "create", "--name", "kept.example.test")["id"]
    waiting = order(server, "flight.example.test", "--step-by-step")
    beds.wait_for(lambda: server.call("order", "show", waiting)["status"] == "ready", 120, "an order in flight")
    file = scratch / "one.backup"
    assert host.backup(file).returncode == 0
    late = [f"after{i}.example.test" for i in range(2)]
    for name in late:
        valid(host, order(server, name))
    kept = server.call("order", "create", "--account", account(server), "--validation", "dns-01", "--csr", uploaded)["id"]
    valid(host, kept)
    registrations, issued = ca.process.text().count("POST /sign-me-up"), issued_by(host)
    lose_and_restore(host, scratch, file)
    result = reconciled(server)
    assert (result["lost"], result["added"]) == (2, 1), result
    assert ca.process.text().count("POST /sign-me-up") == registrations, "newAccount was never sent"
    certificates = {c["names"][0]: c for c in server.call("certificate", "list")["items"]}
    assert set(certificates) == {*[f"before{i}.example.test" for i in range(3)], *late, "kept.example.test"}
    notice = next(n for n in server.request("GET", "/notices")[1]["items"] if n["kind"] == "key-lost")
    assert notice["certificates"] == 2 or len(notice["certificates"]) == 2, notice
    assert issued_by(host) == issued, "nothing is ordered at once: it is spread over an hour"
    server.call("renewal", "pause", "--reason", "the test holds what comes within the hour, which may be the next minute")
    server.call("order", "finalize", waiting)
    valid(host, waiting)
    assert issued_by(host) == issued + 1

    in_an_hour = time.time() + 3700
    assert all(0 < instant(certificates[n]["renew_at"]) < in_an_hour for n in late), certificates
    server.stop()
    rows(server, "UPDATE certificate SET next_attempt_ms = 1 WHERE id IN "
                 "(SELECT certificate_id FROM version WHERE key_id IS NULL)", "UPDATE job SET due_ms = 1 WHERE kind = 'renewal'")
    server.start()
    server.call("renewal", "resume")
    beds.wait_for(lambda: issued_by(host) == issued + 3, 120, "the two are replaced")
    beds.wait_for(lambda: not [n for n in server.request("GET", "/notices")[1]["items"] if n["kind"] == "key-lost"], 120, "and it is over")


def test_an_order_that_the_backup_knows_as_not_yet_sent_goes_on_with_the_one_at_the_authority(host, scratch):
    server = host.server
    csr = server.call("csr", "create", "--name", "flight.example.test")["id"]
    flight = server.call("order", "create", "--account", account(server), "--validation", "dns-01", "--csr", csr, "--step-by-step")["id"]
    beds.wait_for(lambda: server.call("order", "show", flight)["status"] == "ready", 120, "an order in flight")
    file = scratch / "one.backup"
    assert host.backup(file).returncode == 0
    server.call("order", "finalize", flight)
    valid(host, flight)
    issued = issued_by(host)
    lose_and_restore(host, scratch, file, f"DELETE FROM authz WHERE order_id = '{flight}'",
                     f"UPDATE orders SET url = NULL, finalize_url = NULL, step = 'create', status = 'pending' WHERE id = '{flight}'")
    assert reconciled(server).get("adopted") == 1
    valid(host, flight)
    assert issued_by(host) == issued, "nothing is issued twice"
    assert [c["names"] for c in server.call("certificate", "list")["items"]] == [["flight.example.test"]]
