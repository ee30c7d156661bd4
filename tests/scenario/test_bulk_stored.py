# SPDX-License-Identifier: Apache-2.0
"""One action on many certificates as a job: it goes on without whoever asked for it and over the sudden end of the server, nothing is done
twice or left out, each row's result can be read, and who may not do it any more is refused."""
import json

import bed as beds
import pytest
from api_client import Client
from api_fixtures import PASSWORD
from test_import import Maker
from test_search import fill, inventory

MANY = 4000


@pytest.fixture(params=["sqlite"])
def server(request):
    with inventory(request.param) as one:
        Maker(one.folder).leaf("first.example.com")
        assert one.cli("import", one.folder / "first.pem").status == 0
        one.stop()
        fill(one, MANY)
        one.start()
        yield one


def store(server, body):
    status, job, head = server.request("POST", "/certificate-actions", {**body, "stored": True})
    assert status == 202 and job["kind"] == "bulk", job
    assert head["Location"].endswith(job["id"])
    return job["id"]


def job_of(server, job):
    return server.request("GET", f"/jobs/{job}")[1]


def done_of(server, job):
    """How many are done and whether it is over; -1 while the server is not there."""
    try:
        doc = job_of(server, job)
    except OSError:
        return -1, False
    return (doc.get("result") or {}).get("done", 0), doc["ended_at"] is not None


def rows_of(server, job):
    rows, cursor = [], None
    while True:
        status, page, _ = server.request("GET", f"/jobs/{job}/rows?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        assert status == 200, page
        rows += page["items"]
        if not page["has_more"]:
            return rows
        cursor = page["cursor"]


def tagged(server):
    found, cursor = 0, None
    while True:
        page = server.request("GET", "/certificates?limit=200&q=tag:later" + (f"&cursor={cursor}" if cursor else ""))[1]
        found += len(page["items"])
        if not page["has_more"]:
            return found
        cursor = page["cursor"]


@pytest.mark.parametrize("server", ["sqlite", "postgresql"], indirect=True)
def test_all_that_a_search_finds_is_done_once_though_the_server_is_killed_in_between(server):
    job = store(server, {"action": "add-tags", "q": "pool.example.net", "tags": ["later"]})
    for least in (50, 800, 1600):
        beds.wait_for(lambda n=least: done_of(server, job)[0] >= n, 120, "some are done")
        assert not done_of(server, job)[1]
        server.kill("core")
        beds.wait_for(lambda: done_of(server, job)[0] >= 0, 60, "the server is back")
    beds.wait_for(lambda: done_of(server, job)[1], 300, "the job ends")
    ended = job_of(server, job)
    assert ended["state"] == "done" and ended["result"]["done"] == MANY and ended["result"]["refused"] == 0, ended
    rows = rows_of(server, job)
    assert len(rows) == MANY == len({r["certificate_id"] for r in rows}), "each once"
    assert not any(r["existing"] or r["reason"] for r in rows), "no row was done before"
    assert tagged(server) == MANY


def test_the_command_line_waits_and_shows_every_row(server):
    done = server.cli("certificate", "bulk", "set-owner", "1", "999999", "--owner", "web team", "--stored", "--wait", "--json")
    rows = json.loads(done.out)["items"]
    assert done.status == 3 and [r["ref"] for r in rows] == ["1", "999999"] and rows[0]["reason"] is None and rows[1]["reason"]["code"] == "not-found"
    told = server.cli("certificate", "bulk", "set-owner", "1", "--owner", "web team", "--stored")
    number = told.out.split()[1]
    beds.wait_for(lambda: job_of(server, number)["ended_at"], 60, "the job ends")
    shown = server.cli("job", "rows", number)
    assert shown.status == 0 and "1 done, 0 refused" in shown.out, shown


def test_who_may_not_do_it_any_more_is_refused_for_the_rest(server):
    admin = Client(server.url, token=server.token_file.read_text().strip())
    made = admin.post("/users", {"name": "op", "role": "operator", "password": PASSWORD})
    assert made.status_code == 201, made.text
    user = admin.sign_in("op", PASSWORD)
    got = user.post("/certificate-actions", {"action": "add-tags", "q": "pool.example.net", "tags": ["later"], "stored": True})
    assert got.status_code == 202, got.text
    head = admin.get(f"/users/{made.json()['id']}")
    changed = admin.ask("PATCH", f"/users/{made.json()['id']}", json={"role": "viewer"}, headers={"If-Match": head.headers["ETag"]})
    assert changed.status_code == 200, changed.text
    beds.wait_for(lambda: job_of(server, got.json()["id"])["ended_at"], 120, "the job ends")
    ended = job_of(server, got.json()["id"])
    assert ended["state"] == "failed" and ended["reason"]["code"] == "denied", ended
    assert len(rows_of(server, got.json()["id"])) < MANY
