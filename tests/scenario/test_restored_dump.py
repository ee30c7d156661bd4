# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL is restored by its own administrator's tools: a dump that was loaded is noticed at the next start, what leaves no trace is told by
`certwright restored`, and the engine looks before it acts, as after `certwright restore`."""
import pytest

import bed as beds
from test_backup import Host
from test_restored_engine import issued_by, order, reconciled, sign_in_again, valid

LOOKED = "SELECT reason FROM audit WHERE action = 'server.restore' ORDER BY id"
LOADED = "a dump was loaded into the database; sessions and tokens have ended"


@pytest.fixture
def host(scratch, make_bed, postgres):
    bed = make_bed(settings=postgres.settings(), pebble_env={"PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"})
    bed.account()
    made = Host(scratch, bed.server)
    made.bed, made.postgres = bed, postgres
    return made


def another_database(host, dump):
    host.postgres.sql("DROP DATABASE certwright", "postgres")
    host.postgres.sql("CREATE DATABASE certwright", "postgres")
    host.postgres.tool("pg_restore", "--exit-on-error", dump)


def over_the_tables(host, dump):
    host.postgres.tool("pg_restore", "--exit-on-error", "--clean", dump)


@pytest.mark.parametrize("load", [another_database, over_the_tables], ids=lambda f: f.__name__)
def test_a_dump_that_was_loaded_is_noticed_and_nothing_is_registered_or_issued_twice(host, scratch, load):
    server, ca = host.server, host.bed.ca
    valid(host, order(server, "before.example.test"))
    waiting = order(server, "flight.example.test", "--step-by-step")
    beds.wait_for(lambda: server.call("order", "show", waiting)["status"] == "ready", 60, "an order in flight")
    host.postgres.tool("pg_dump", "-Fc", "-f", scratch / "one.dump")
    valid(host, order(server, "after.example.test"))
    server.call("order", "finalize", waiting)
    valid(host, waiting)
    registrations, issued, token = ca.process.text().count("POST /sign-me-up"), issued_by(host), server.token_file.read_text()
    server.stop()
    load(host, scratch / "one.dump")
    server.start()
    assert server.cli("whoami").status == 8, "tokens of that time are not valid again"
    assert "the database was restored from a dump" in server.process.text()
    sign_in_again(server)
    assert server.token_file.read_text() != token
    assert reconciled(server)["lost"] == 1
    server.call("order", "finalize", waiting)  # what was said after the dump is not known: it waits for the word again, and finds that it is over
    valid(host, waiting)
    assert (ca.process.text().count("POST /sign-me-up"), issued_by(host)) == (registrations, issued), "no newAccount, nothing twice"
    names = {c["names"][0] for c in server.call("certificate", "list")["items"]}
    assert names == {"before.example.test", "flight.example.test", "after.example.test"}
    server.stop()
    server.start()
    assert host.postgres.sql(LOOKED) == LOADED, "it is told once"
    assert server.call("whoami"), "and signs nobody out twice"


def test_what_leaves_no_trace_is_told_while_the_server_is_stopped(host):
    server = host.server
    done = host.run("restored")
    assert done.returncode == 4 and "the server runs and may have acted already" in done.stderr and "Stop it first" in done.stderr, done
    assert server.call("whoami"), "nothing was done"
    server.stop()
    done = host.run("restored")
    assert done.returncode == 0 and "sessions and API tokens have ended" in done.stdout, done
    server.start()
    assert server.cli("whoami").status == 8
    sign_in_again(server)
    assert reconciled(server)["offered"], "the orders were compared"
    assert host.postgres.sql(LOOKED) == "the database was restored, as was said on the host; sessions and tokens have ended"


def test_a_standby_that_took_over_is_looked_after_and_signs_nobody_out(host):
    server = host.server
    server.stop()
    host.postgres.sql("UPDATE meta SET value = regexp_replace(value, ' [0-9]+$', ' 99') WHERE name = 'store.place'")
    server.start()
    assert server.call("whoami")
    assert "another PostgreSQL took over the database" in server.process.text()
    assert "lost" not in reconciled(server), "they were compared, and none is"
    assert host.postgres.sql(LOOKED) == "a standby of the database took over; orders are compared with the authorities'"
