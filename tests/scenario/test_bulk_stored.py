# SPDX-License-Identifier: Apache-2.0
"""One action on many certificates as a job: it goes on without whoever asked for it, each row's result can be read, and who may not do it
any more is refused. That nothing is done twice or left out when the server ends in between: tests/crash/test_bulk_killed.py."""
import contextlib
import json
import sqlite3

import bed as beds
import pytest
from api_client import Client
from api_fixtures import PASSWORD
from test_import import Maker
from test_search import fill, inventory

MANY = 400


@contextlib.contextmanager
def filled(database, env=None):
    """A server with MANY certificates beside an imported one."""
    with inventory(database, env) as one:
        Maker(one.folder).leaf("first.example.com")
        assert one.cli("import", one.folder / "first.pem").status == 0
        one.stop()
        fill(one, MANY)
        one.start()
        yield one


@pytest.fixture
def server():
    with filled("sqlite") as one:
        yield one


def store(server, body):
    status, job, head = server.request("POST", "/certificate-actions", {**body, "stored": True})
    assert status == 202 and job["kind"] == "bulk", job
    assert head["Location"].endswith(job["id"])
    return job["id"]


def job_of(server, job):
    return server.request("GET", f"/jobs/{job}")[1]


def rows_of(server, job):
    rows, cursor = [], None
    while True:
        status, page, _ = server.request("GET", f"/jobs/{job}/rows?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        assert status == 200, page
        rows += page["items"]
        if not page["has_more"]:
            return rows
        cursor = page["cursor"]


def test_the_command_line_waits_and_shows_every_row(server):
    done = server.cli("certificate", "bulk", "set-owner", "1", "999999", "--owner", "web team", "--stored", "--wait", "--json")
    rows = json.loads(done.out)["items"]
    assert done.status == 3 and [r["ref"] for r in rows] == ["1", "999999"] and rows[0]["reason"] is None and rows[1]["reason"]["code"] == "not-found"
    told = server.cli("certificate", "bulk", "set-owner", "1", "--owner", "web team", "--stored")
    number = told.out.split()[1]
    beds.wait_for(lambda: job_of(server, number)["ended_at"], 60, "the job ends")
    shown = server.cli("job", "rows", number)
    assert shown.status == 0 and "1 done, 0 refused" in shown.out, shown


@pytest.fixture
def operator(server):
    """An operator's session."""
    admin = Client(server.url, token=server.token_file.read_text().strip())
    made = admin.post("/users", {"name": "op", "role": "operator", "password": PASSWORD})
    assert made.status_code == 201, made.text
    return admin.sign_in("op", PASSWORD)


@pytest.mark.parametrize("lost,says", [("role = 'viewer'", "viewer"), ("disabled = 1", "disabled")])
def test_who_may_not_do_it_any_more_is_refused_for_the_rest(server, operator, lost, says):
    with sqlite3.connect(server.state / "certwright.db") as db:  # exactly when half of the rows are done, however fast they are
        db.execute(f"CREATE TRIGGER halfway AFTER INSERT ON bulk_row WHEN NEW.position = {MANY // 2} BEGIN UPDATE users SET {lost} WHERE name = 'op'; END")
    db.close()
    got = operator.post("/certificate-actions", {"action": "add-tags", "q": "pool.example.net", "tags": ["later"], "stored": True})
    assert got.status_code == 202, got.text
    job = got.json()["id"]
    beds.wait_for(lambda: job_of(server, job)["ended_at"], 120, "the job ends")
    ended = job_of(server, job)
    assert ended["state"] == "failed" and ended["reason"]["code"] == "denied" and says in ended["reason"]["detail"], ended
    assert len(rows_of(server, job)) == MANY // 2 == ended["result"]["done"], "what was done stays readable, and not one more is done"
