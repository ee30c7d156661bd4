# SPDX-License-Identifier: Apache-2.0
"""The disk is lost: sixty certificates of all kinds, ten orders in flight, a backup, five certificates more; everything in the state folder is
destroyed and restored in another one with the master key of the safe. docs/admin/backup.md is what an administrator reads that day.

From the package in a machine of its own, restored on another one; where no machine can be booted, from the build tree. It says which."""
import collections
import shutil
import sqlite3

import bed as beds
import helpers
import installed
import machine
import pytest
from test_backup import PASSPHRASE, Host
from test_restored_engine import account, issued_by, lose_and_restore, reconciled, rows

CA_ENV = {"PEBBLE_WFE_NONCEREJECT": "5", "PEBBLE_AUTHZREUSE": "0"}


class BuildTree(Host):
    """The programs of the build tree."""

    def __init__(self, scratch, bed):
        super().__init__(scratch, bed.server)
        self.bed, self.way = bed, f"programs of the build tree ({machine.why_not()})"

    def lose(self, file):
        lose_and_restore(self, self.scratch, file)

    def rows(self, *statements):
        rows(self.server, *statements)


class Package:
    """The package on one machine, and then on another."""

    def __init__(self, site):
        self.bed, self.server, self.way = site, site.open(), site.server.way
        site.account()

    def backup(self, file):
        self.server.machine.put("/root/passphrase", PASSPHRASE, 0o600)
        done = self.server.machine.do("certwright", "backup", "--to", "/root/one.backup", "--passphrase-file", "/root/passphrase")
        shutil.copy(self.server.machine.path("/root/one.backup"), file)
        self.safe = self.server.machine.path("/etc/certwright/master.key").read_text()
        return done

    def lose(self, file):
        """The machine is gone; another gets the package, the key of the safe and the backup, as the guide says."""
        self.server.close()
        self.server = self.bed.server = self.bed.machine("elsewhere")
        host = self.server.machine
        host.run("systemctl", "stop", "certwright.target")
        host.run("rm", "-r", "/var/lib/certwright", "/etc/certwright/master.key")
        host.put("/etc/certwright/master.key", self.safe, 0o400)
        host.put("/root/passphrase", PASSPHRASE, 0o600)
        host.put("/root/password", "correct horse battery staple\n", 0o600)
        shutil.copy(file, host.path("/root/one.backup"))
        host.run("certwright", "restore", "/root/one.backup", "--passphrase-file", "/root/passphrase")
        self.bed.configure(self.server)
        self.server.apply()
        for args in (("login", "--user", "admin", "--password-file", "/root/password", "--fingerprint", self.server.fingerprint),
                     ("token", "create", "--name", "after", "--out", "/root/token")):
            done = self.server.cli(*args, env={"CERTWRIGHT_TOKEN_FILE": ""})
            assert done.status == 0, done

    def rows(self, *statements):
        with sqlite3.connect(self.server.state / "certwright.db") as db:
            for text in statements:
                db.execute(text)
        db.close()


@pytest.fixture
def host(request, scratch):
    if machine.why_not():
        bed = request.getfixturevalue("make_bed")(pebble_env=CA_ENV)
        bed.account()
        yield BuildTree(scratch, bed)
        return
    site = installed.Site(scratch, CA_ENV)
    with site:
        yield Package(site)
    site.stop()


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
    ca = host.bed.ca
    print(f"\n{host.way}")
    sixty(host)
    flight = in_flight(host)
    file = scratch / "one.backup"
    assert host.backup(file).returncode == 0
    late = [f"late{i}.example.test" for i in range(5)]
    over = helpers.wait_all(host.bed, [order(host, "--validation", "dns-01", "--name", n) for n in late])
    assert all(o["status"] == "valid" for o in over.values()), over
    registrations, issued = ca.process.text().count("POST /sign-me-up"), issued_by(host)

    host.lose(file)
    server = host.server
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
    host.rows("UPDATE certificate SET next_attempt_ms = 1 WHERE version_id IN (SELECT id FROM version WHERE key_id IS NULL)",
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
