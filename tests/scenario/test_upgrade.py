# SPDX-License-Identifier: Apache-2.0
"""A store that a former version left (former_store.py) is taken up by today's program: with everything in it, all
or nothing however it is killed, with a copy from before; and never by a command beside a server of that version. In PostgreSQL: test_upgrade_shared.py."""
import os
import pathlib
import shutil
import sqlite3
import stat
import subprocess
import time

import pytest

import bed as beds
from former_store import MOVED, STORES, kill_everything, load, many_rows, ours, own, schemas, server_of, sign_in


def primary_keys(path):
    """{table: ids} of what people would miss."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        names = [n for n, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        got = {n: {r[0] for r in db.execute(f"SELECT * FROM {n}")} for n in names if n not in MOVED and not n.startswith("sqlite_")}
    db.close()
    return got


@pytest.fixture(params=STORES, ids=[s.stem for s in STORES])
def host(request, scratch):
    """A server whose state folder is what that version left."""
    server = server_of(request.param, scratch)
    server.database = server.state / "certwright.db"
    load(server.store, server.database)
    own(server)
    yield server
    if server.process and server.process.running():
        server.process.stop()


def test_a_store_of_a_former_version_is_taken_up_with_everything_in_it(host, scratch):
    before, had = primary_keys(host.database), schemas(host.database)
    assert all(before.values()), {t: n for t, n in before.items() if not n}
    host.start()
    said = host.process.text()
    assert "upgraded the database" in said, said[-2000:]
    copy = pathlib.Path(f"{host.database}.schema-{had[-1]}")
    assert copy.exists() and stat.S_IMODE(copy.stat().st_mode) == 0o600 and str(copy) in said
    assert primary_keys(copy) == before and schemas(copy) == had, "the copy is what there was"
    sign_in(host)
    orders = host.call("order", "list", "--limit", 200)["items"]
    assert {o["id"] for o in orders} == before["orders"]
    ended = next(o for o in orders if o["status"] == "valid" and o["names"] == ["two.example.test"])
    key = scratch / "two.pem"
    got = host.cli("certificate", "export", ended["certificate_id"], "--with-key", "--reason", "a test", "--out", key)
    assert got.status == 0 and "PRIVATE KEY" in key.read_text(), f"what was sealed then is opened now: {got}"
    assert host.stop() == 0
    now = primary_keys(host.database)
    for table, ids in before.items():
        assert ids <= now[table], f"{table}: rows are gone: {ids - now[table]}"
    assert schemas(host.database) == ours()
    host.start()
    assert host.process.text().count("upgraded the database") == 1, "the second start finds it up to date"


def upgrade(host):
    """How long the upgrade took."""
    began = time.monotonic()
    host.start()
    took = time.monotonic() - began
    host.process.stop()
    return took


def test_killed_ten_times_within_the_upgrade_it_is_old_or_new_and_never_between(host, scratch):
    had = schemas(host.database)
    many_rows(host.database)
    kept = scratch / "kept"
    subprocess.run(["cp", "-a", host.state, kept], check=True)
    took, old, new = upgrade(host), 0, 0
    for i in range(10):
        shutil.rmtree(host.state)
        subprocess.run(["cp", "-a", kept, host.state], check=True)
        host.start(wait=False)
        began = time.monotonic()
        time.sleep(took * (i + 0.5) / 10)
        kill_everything(host)
        killed = time.monotonic() - began
        found = schemas(host.database)
        assert found in (had, ours()), found
        old, new = old + (found == had), new + (found == ours())
        if found == ours():  # not longer than that: the first one may have had less of the machine
            took = min(took, killed)
    print(f"{took:.2f} s; killed while old {old} times, when new {new} times")
    assert old >= 3
    upgrade(host)
    assert schemas(host.database) == ours() and not [p.name for p in host.state.iterdir() if p.name.endswith(".part")]


def test_a_command_beside_a_server_of_that_version_leaves_the_store_alone(host):
    had = schemas(host.database)
    done = subprocess.run([beds.PROGRAM, "user", "passwd", "admin", "--local", "--password-file", host.password_file, *host.arguments()], capture_output=True,
                          text=True, check=False, env={**os.environ, **host.env})
    assert done.returncode and f"it has schema {had[-1]}" in done.stderr and "upgrades it when it starts" in done.stderr, done
    assert schemas(host.database) == had


def test_who_goes_back_restores_the_copy_with_the_former_program(host, scratch):
    """Here today's program stands for the former one: what it needs of the copy is the same."""
    host.start()
    host.process.stop()
    copy = next(host.state.glob("certwright.db.schema-*"))
    back = scratch / "back"
    back.mkdir(mode=0o700)
    shutil.copy(host.state / "master.key", back / "master.key")
    if user := beds.user_of_parts():
        beds.chown_tree(back, user)
    wrong = scratch / "wrong"
    subprocess.run([beds.PROGRAM, "key", "create", wrong], check=True, capture_output=True)
    restore = [beds.PROGRAM, "restore", copy, "--state", back]
    done = subprocess.run([*restore, "--set", f"keys.master={wrong}", *host.arguments()[2:]], capture_output=True, text=True, check=False)
    assert done.returncode and "needs the master key" in done.stderr and [p.name for p in back.iterdir()] == ["master.key"], done
    done = subprocess.run([*restore, *host.arguments()[2:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "restored into" in done.stdout, done
    host.state = back
    host.start()
    sign_in(host)
    assert host.call("order", "list")["items"]


def test_an_older_program_refuses_a_newer_store_and_says_what_to_do(host):
    host.start()
    host.process.stop()
    with sqlite3.connect(host.database) as db:
        db.execute("INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES (9999, 'later', 'x', 1)")
    db.close()
    own(host)
    done = subprocess.run([beds.PROGRAM, "serve", *host.arguments()], capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **host.env})
    assert done.returncode and "database is newer than this program" in done.stderr and "Install the program that wrote it" in done.stderr, done
