# SPDX-License-Identifier: Apache-2.0
"""Backup beside a running server, what a backup says of itself, restore elsewhere; damage, wrong passphrases and missing keys."""
import os
import shutil
import sqlite3
import stat
import subprocess

import pytest

import bed as beds

PASSPHRASE = "nine lives of a tabby cat\n"


class Host:
    """The local verbs on a server's host."""

    def __init__(self, scratch, bed_or_server):
        self.server, self.scratch = bed_or_server, scratch
        self.passphrase = scratch / "passphrase"
        self.passphrase.write_text(PASSPHRASE)
        self.passphrase.chmod(0o600)

    def run(self, *args, settings=None, state=None, typed=None):
        more = ["--state", str(state or self.server.state)]
        for key, value in {**self.server.settings, **(settings or {})}.items():
            more += ["--set", f"{key}={value}"]
        return subprocess.run([beds.PROGRAM, *map(str, args), *more], capture_output=True, text=True, check=False, env={**os.environ, **self.server.env}, input=typed)

    def backup(self, to, **more):
        return self.run("backup", "--to", to, "--passphrase-file", self.passphrase, **more)

    def verify(self, file, **more):
        return self.run("backup", "verify", file, "--passphrase-file", more.get("passphrase", self.passphrase), "--json")

    def restore(self, file, state, **more):
        return self.run("restore", file, "--passphrase-file", self.passphrase, state=state, **more)


@pytest.fixture
def host(scratch):
    folder = scratch / "server"
    folder.mkdir()
    server = beds.Server(folder, user=beds.user_of_parts()).start()
    yield Host(scratch, server)
    server.stop()


def test_a_backup_beside_a_running_server_is_restored_elsewhere(host, scratch):
    file = scratch / "one.backup"
    done = host.backup(file)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    raw, key = file.read_bytes(), (host.server.state / "master.key").read_bytes().strip()
    assert b"SQLite" not in raw and key not in raw, "sealed, and never the master key"
    verified = host.verify(file)
    assert verified.returncode == 0 and '"users":1' in verified.stdout.replace(" ", ""), verified
    assert not [p for p in host.server.state.iterdir() if "snapshot" in p.name], "nothing is left in the state folder"
    assert host.server.call("whoami"), "the server went on"

    new = scratch / "new"
    new.mkdir(mode=0o700)
    shutil.copy(host.server.state / "master.key", new / "master.key")
    user = beds.user_of_parts()
    if user:
        os.chown(new, user.pw_uid, user.pw_gid), os.chown(new / "master.key", user.pw_uid, user.pw_gid)
    done = host.restore(file, new)
    assert done.returncode == 0 and "sessions and API tokens have ended" in done.stdout, done.stderr
    host.server.stop()
    host.server.state = new
    host.server.start()
    assert host.server.request("GET", "/orders")[0] == 401, "the API token has died"
    login = host.server.cli("login", "--user", "admin", "--password-file", str(host.server.password_file), "--fingerprint", host.server.fingerprint)
    assert login.status == 0, f"the password is as it was: {login}"


def test_the_master_key_is_asked_for_before_anything_is_written(host, scratch):
    file, new = scratch / "one.backup", scratch / "new"
    assert host.backup(file).returncode == 0
    ids = host.verify(file).stdout.split('"master_keys":')[1].split('"')[1].split(":")[0]
    missing = host.restore(file, new)
    assert missing.returncode and f"needs the master key {ids}" in missing.stderr and not new.exists(), missing.stderr
    other = scratch / "other.key"
    subprocess.run([beds.PROGRAM, "key", "create", other], check=True, capture_output=True)
    wrong = host.restore(file, new, settings={"keys.master": other})
    assert wrong.returncode and f"needs the master key {ids}" in wrong.stderr and not new.exists(), wrong.stderr


def test_a_wrong_passphrase_and_any_damage_are_told_in_one_sentence(host, scratch):
    file = scratch / "one.backup"
    assert host.backup(file).returncode == 0
    whole, other, bad = file.read_bytes(), scratch / "other", scratch / "bad.backup"
    other.write_text("nine lives of a tabby dog\n")
    other.chmod(0o600)
    wrong = host.verify(file, passphrase=other)
    assert wrong.returncode == 8 and "the passphrase is another one, or the file is damaged" in wrong.stderr
    for name, damaged in {"cut in a block": whole[:-1], "cut at a block": whole[:61 + 65553], "one bit": whole[:90000] + bytes([whole[90000] ^ 1]) + whole[90001:],
                          "longer": whole + b"x", "head alone": whole[:61], "half a head": whole[:20], "nothing": b"", "a text": b"hello\n" * 100}.items():
        bad.write_bytes(damaged)
        done = host.verify(bad)
        assert done.returncode == 2 or done.returncode == 8, f"{name}: {done}"
        assert done.stderr.count("\n") <= 2 and done.stderr.startswith("certwright: "), name
    swapped = whole[:61] + whole[61 + 65553:61 + 2 * 65553] + whole[61:61 + 65553] + whole[61 + 2 * 65553:]
    bad.write_bytes(swapped)
    assert host.verify(bad).returncode, "blocks in another order"


def test_a_folder_keeps_the_newest_and_nothing_else_is_touched(host, scratch):
    folder = scratch / "backups"
    folder.mkdir()
    for name in ("certwright-20200101T000000Z.backup", "certwright-20210101T000000Z.backup", "certwright-20220101T000000Z.backup", "letter.backup"):
        (folder / name).write_text("x")
    assert host.backup(folder, settings={"backup.keep": "2"}).returncode == 0
    names = sorted(p.name for p in folder.iterdir())
    assert len(names) == 3 and names[0] == "certwright-20220101T000000Z.backup" and names[2] == "letter.backup", names
    again = host.backup(folder / names[1])
    assert again.returncode == 4 and "exists already" in again.stderr


def test_a_state_folder_that_is_not_empty_is_left_alone(host, scratch):
    file = scratch / "one.backup"
    assert host.backup(file).returncode == 0
    before = sqlite3.connect(host.server.state / "certwright.db").execute("SELECT count(*) FROM token WHERE revoked_ms = 0").fetchone()
    done = host.restore(file, host.server.state)
    assert done.returncode == 4 and "is not empty" in done.stderr
    assert sqlite3.connect(host.server.state / "certwright.db").execute("SELECT count(*) FROM token WHERE revoked_ms = 0").fetchone() == before


def test_a_backup_needs_a_passphrase_of_some_length(host, scratch):
    host.passphrase.write_text("short\n")
    assert "shorter than 12" in host.backup(scratch / "x").stderr
    assert "none was named" in host.run("backup", "--to", scratch / "x").stderr
    assert not (scratch / "x").exists()


def warnings(server):
    """What every page says."""
    return {w["code"] for w in server.call("status")["warnings"]}


@pytest.fixture
def used(scratch, bed):
    """A host whose server has an account: there is something to lose."""
    bed.account()
    return Host(scratch, bed.server)


def test_the_master_key_goes_to_paper_and_back_and_every_page_says_when_it_never_did(used, scratch):
    host = used
    assert warnings(host.server) >= {"key-not-in-escrow", "backup-never"}
    shown = host.run("key", "show-escrow")
    assert shown.returncode == 0, shown.stderr
    groups = [line for line in shown.stdout.splitlines() if line[:1].isdigit()]
    assert len(groups) == 9 and all(len(g) == 12 for g in groups), shown.stdout
    assert "key-not-in-escrow" not in warnings(host.server) and host.server.call("status")["key_escrow_at"]
    right = host.run("key", "check-escrow", typed="\n".join(groups).lower())
    assert right.returncode == 0 and right.stdout.startswith("right: "), right
    wrong = host.run("key", "check-escrow", typed="\n".join([groups[1], groups[0], *groups[2:]]))
    assert wrong.returncode == 2 and "group 1 is not what was printed" in wrong.stderr, wrong
    back = scratch / "back.key"
    done = host.run("key", "restore-escrow", back, typed="\n".join(groups))
    assert done.returncode == 0 and back.read_text().strip() == (host.server.state / "master.key").read_text().strip(), done
    assert stat.S_IMODE(back.stat().st_mode) == 0o400
    rows = [a for a in host.server.request("GET", "/audit?action=key.escrow")[1]["items"]]
    assert len(rows) == 1 and rows[0]["actor_kind"] == "host", "one row, and it holds no group"
    assert groups[0][3:] not in str(rows) and groups[0][3:] not in host.server.process.text()


def test_an_empty_server_has_nothing_to_lose(host):
    assert not warnings(host.server)


def test_a_master_key_that_is_not_the_databases_is_not_shown_for_a_safe(host, scratch):
    other = scratch / "other.key"
    subprocess.run([beds.PROGRAM, "key", "create", other], check=True, capture_output=True)
    done = host.run("key", "show-escrow", settings={"keys.master": other})
    assert done.returncode == 7 and "is in no file of keys.master" in done.stderr and not done.stdout, done


def test_the_server_knows_its_last_backup(used, scratch):
    host = used
    assert host.backup(scratch / "one.backup").returncode == 0
    status = host.server.call("status")
    assert status["backup"]["bytes"] == (scratch / "one.backup").stat().st_size and status["backup"]["made_at"]
    assert not {"backup-never", "backup-old"} & warnings(host.server)
    metrics = host.server.http("/metrics")[1].decode()
    assert f"certwright_backup_size_bytes {status['backup']['bytes']}" in metrics
    assert host.server.request("GET", "/audit?action=backup.create")[1]["items"][0]["actor_kind"] == "host"
    host.server.stop()
    with sqlite3.connect(host.server.state / "certwright.db") as db:
        made = int(db.execute("SELECT value FROM meta WHERE name = 'backup.made'").fetchone()[0].split()[0])
        db.execute("UPDATE meta SET value = ? WHERE name = 'backup.made'", [f"{made - 50 * 3600 * 1000} 1"])
        db.execute("UPDATE job SET due_ms = 1 WHERE kind = 'prune'")
    db.close()
    if user := beds.user_of_parts():
        beds.chown_tree(host.server.state, user)
    host.server.start()
    assert "backup-old" in warnings(host.server)
    told = "SELECT count(*) FROM notice WHERE kind = 'backup-old' AND ended_ms"
    database = f"file:{host.server.state / 'certwright.db'}?mode=ro"
    beds.wait_for(lambda: sqlite3.connect(database, uri=True).execute(f"{told} = 0").fetchone()[0] == 1, 120, "somebody is told")
    assert host.backup(scratch / "two.backup").returncode == 0
    assert sqlite3.connect(database, uri=True).execute(f"{told} > 0").fetchone()[0] == 1, "and that it is over"


def test_a_backup_for_recipients_opens_with_either_secret_half_and_not_on_the_host(host, scratch):
    halves = [scratch / "safe", scratch / "desk", scratch / "stranger"]
    public = [host.run("key", "create-recipient", h).stdout.strip() for h in halves]
    file, new = scratch / "one.backup", scratch / "new"
    done = host.run("backup", "--to", file, "--recipient", public[0], "--recipient", public[1])
    assert done.returncode == 0, done.stderr
    without = host.run("backup", "verify", file)
    assert without.returncode == 8 and public[0] in without.stderr and "--identity" in without.stderr, without
    assert host.run("backup", "verify", file, "--identity", halves[2]).returncode == 8
    assert all(host.run("backup", "verify", file, "--identity", h).returncode == 0 for h in halves[:2])
    new.mkdir(mode=0o700)
    shutil.copy(host.server.state / "master.key", new / "master.key")
    if user := beds.user_of_parts():
        beds.chown_tree(new, user)
    done = host.run("restore", file, "--identity", halves[1], state=new)
    assert done.returncode == 0 and "restored into" in done.stdout, done.stderr
    configured = host.run("backup", "--to", scratch / "two.backup", settings={"backup.recipients": public[0]})
    assert configured.returncode == 0, configured.stderr
    bad = host.run("backup", "--to", scratch / "x", "--recipient", public[0][:-1] + "x")
    assert bad.returncode == 2 and "a letter of it is wrong" in bad.stderr and not (scratch / "x").exists(), bad
