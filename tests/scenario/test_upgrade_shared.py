# SPDX-License-Identifier: Apache-2.0
"""A store of a former version in PostgreSQL is upgraded when somebody has said that there is a backup of it, and when no server of that version uses it; with
everything in it, all or nothing however it is killed."""
import contextlib
import os
import signal
import subprocess
import time

import pytest

import bed as beds
from former_store import MOVED, STORES, kill_everything, load_postgres, ours, own, server_of, sign_in


@pytest.fixture(params=STORES, ids=[s.stem for s in STORES])
def host(request, postgres, scratch):
    """A server of today whose database is what that version left."""
    server = server_of(request.param, scratch, postgres.settings())
    load_postgres(server.store, postgres, scratch)
    server.postgres = postgres
    own(server)
    yield server
    if server.process and server.process.running():
        server.process.stop()


def schemas(host):
    return [int(v) for v in host.postgres.sql("SELECT version FROM schema_migration ORDER BY version").splitlines()]


def rows(host):
    """{table: keys} of what people would miss."""
    names = host.postgres.sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").split()
    key = "SELECT attname FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum = 1"
    return {n: set(host.postgres.sql(f"SELECT {host.postgres.sql(key.format(n))} FROM {n}").splitlines()) for n in names if n not in MOVED}


def command(host, *args):
    return beds.Answer(subprocess.run([beds.PROGRAM, *map(str, args), *host.arguments()], capture_output=True, text=True, check=False,
                                      env={**os.environ, **host.env}, timeout=60))


def confirm(host):
    done = command(host, "upgrade", "--backup-made")
    assert done.status == 0 and "a backup of it is confirmed" in done.out, done


def refuses(host, words, status=7):
    """A start that ends with this sentence and has changed nothing."""
    had = schemas(host)
    host.start(wait=False)
    assert host.process.proc.wait(90) == status, host.process.text()[-3000:]
    assert words in host.process.text(), host.process.text()[-3000:]
    assert schemas(host) == had


def test_nothing_is_upgraded_until_a_backup_is_confirmed_and_then_everything_is_there(host, scratch):
    before, had = rows(host), schemas(host)
    refuses(host, f"it has schema {had[-1]}, this program needs {ours()[-1]}, and nobody has said that there is a backup of it")
    assert "certwright upgrade --backup-made" in host.process.text(), "what to do"
    asked = command(host, "upgrade")
    assert asked.status == 7 and f"has schema {had[-1]}" in asked.out and "certwright upgrade --backup-made" in asked.err, asked
    host.postgres.tool("pg_dump", "-Fc", "-f", scratch / "before.dump")
    confirm(host)
    host.start()
    assert "upgraded the database; the way back is the backup that was confirmed" in host.process.text()
    assert schemas(host) == ours()
    now = rows(host)
    for table, ids in before.items():
        assert ids <= now[table], f"{table}: rows are gone: {ids - now[table]}"
    sign_in(host)
    assert {o["id"] for o in host.call("order", "list", "--limit", 200)["items"]} == before["orders"]
    said = host.postgres.sql("SELECT reason FROM audit WHERE action = 'server.upgrade'")
    assert f"from schema {had[-1]} to {ours()[-1]}; a backup from before was confirmed on" in said
    assert host.stop() == 0
    host.start()
    assert host.process.text().count("upgraded the database") == 1, "the second start finds it up to date"
    assert host.stop() == 0
    host.postgres.sql("DROP DATABASE certwright", "postgres")
    host.postgres.sql("CREATE DATABASE certwright", "postgres")
    host.postgres.tool("pg_restore", "--exit-on-error", scratch / "before.dump")
    assert (rows(host), schemas(host)) == (before, had), "the way back"
    assert command(host, "upgrade").status == 7, "and it is asked for again"


@pytest.mark.parametrize("what", ["of another schema", "of yesterday", "that cannot be read"])
def test_a_confirmation_is_worth_nothing(host, what):
    confirm(host)
    value = {"of another schema": "regexp_replace(value, ' [0-9]+ ', ' 9998 ')", "that cannot be read": "'yes'",
             "of yesterday": "(regexp_replace(value, ' .*', '')::bigint - 86400001)::text || regexp_replace(value, '^[0-9]+', '')"}[what]
    host.postgres.sql(f"UPDATE meta SET value = {value} WHERE name = 'upgrade.backup'")
    refuses(host, "nobody has said that there is a backup of it")
    assert command(host, "upgrade").status == 7


def connections(host, name):
    return int(host.postgres.sql(f"SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '{name}'", "postgres"))


def connected(host, name, text, database="postgres"):
    """A psql of this name that has begun with the statement."""
    process = subprocess.Popen(["psql", "-h", "127.0.0.1", "-p", str(host.postgres.port), "-U", "certwright", "-d", database, "-Atqc", text], text=True,
                               env={**os.environ, "PGPASSWORD": "correct horse", "PGAPPNAME": name}, stdout=subprocess.PIPE)
    beds.wait_for(lambda: connections(host, name) == 1, 120, f"{name} is connected")
    return process


def test_while_a_server_of_the_former_version_is_connected_the_schema_stays(host):
    confirm(host)
    other = connected(host, "certwright schema 0", "SELECT pg_sleep(600)", "certwright")
    try:
        refuses(host, "a server of another version still uses it: 'certwright schema 0' from 127.0.0.1", 4)
        assert "End the servers of the former version on every host" in host.process.text()
    finally:
        other.kill()
        other.wait(10)
        host.postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'certwright schema 0'")
        beds.wait_for(lambda: connections(host, "certwright schema 0") == 0, 120, "it has gone")  # it was only told to
    host.start()
    assert schemas(host) == ours()


def test_a_later_version_may_be_confirmed_before_it_is_installed(host):
    confirm(host)
    host.start()
    assert host.stop() == 0
    done = command(host, "upgrade")
    assert done.status == 0 and "which is what this program needs" in done.out and "confirmed" not in done.out, f"what was said was for the former schema: {done}"
    confirm(host)
    host.postgres.sql("INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES (9999, 'later', 'x', 1)")
    refuses(host, "database is newer than this program", 1)
    assert "Install the program that wrote it" in host.process.text()


# Waits within PostgreSQL, so that no upgrade is missed however long a psql takes: the connection of a program that upgrades, which holds tables for itself.
MIGRATING = """DO $$ DECLARE found int; BEGIN
LOOP
  PERFORM pg_stat_clear_snapshot();
  SELECT l.pid INTO found FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.mode = 'AccessExclusiveLock' AND l.granted
    AND a.application_name LIKE 'certwright schema %' AND a.datname = 'certwright' LIMIT 1;
  EXIT WHEN found IS NOT NULL;
  PERFORM pg_sleep(0.005);
END LOOP;
PERFORM set_config('test.pid', found::text, false);
END $$; SELECT current_setting('test.pid')"""


def anew(host):
    """The upgrade has begun: the process of PostgreSQL that works for it, and when that was."""
    host.postgres.sql("DROP DATABASE IF EXISTS certwright WITH (FORCE)", "postgres")
    host.postgres.sql("CREATE DATABASE certwright TEMPLATE kept", "postgres")
    with connected(host, "the test", MIGRATING) as watch:
        try:
            host.start(wait=False)
            return int(watch.communicate(timeout=120)[0]), time.monotonic()
        finally:
            watch.kill()


def settled(host):
    """What is committed, when no connection of the program is left and PostgreSQL has recovered."""
    def over():
        with contextlib.suppress(beds.BedError):
            return connections(host, "certwright schema %") == 0
    beds.wait_for(over, 120, "every connection has ended")
    return schemas(host)


def test_killed_ten_times_within_the_upgrade_it_is_old_or_new_and_never_between(host):
    """The program, and in turn the server process of PostgreSQL that works for it."""
    had = schemas(host)
    host.postgres.sql("INSERT INTO audit (id, at_ms, actor_kind, actor_name, action, object_kind, object_id, object_name) SELECT "
                      "'01J0000000' || lpad(i::text, 16, '0'), i, 'user', 'ada', 'order.create', 'order', i, 'n.example.test' FROM generate_series(1, 120000) i")
    confirm(host)
    host.postgres.sql("CREATE DATABASE kept TEMPLATE certwright", "postgres")
    _, began = anew(host)
    beds.wait_for(host.ready, 120, "upgraded", interval=0.005)
    took, old, new = time.monotonic() - began, 0, 0
    host.process.stop()
    for i in range(10):
        backend, began = anew(host)
        time.sleep(max(0.0, took * (i + 0.5) / 8 - (time.monotonic() - began)))
        if i % 2:
            with contextlib.suppress(ProcessLookupError):  # it was over
                os.kill(backend, signal.SIGKILL)
        kill_everything(host)
        killed = time.monotonic() - began
        found = settled(host)
        assert found in (had, ours()), found
        old, new = old + (found == had), new + (found == ours())
        if found == ours():  # not longer than that: the first one may have had less of the machine
            took = min(took, killed)
    print(f"{took:.2f} s; killed while old {old} times, when new {new} times")
    assert old >= 3
    host.start()
    assert schemas(host) == ours()
