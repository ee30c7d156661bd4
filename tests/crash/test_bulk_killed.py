# SPDX-License-Identifier: Apache-2.0
"""A stored action on many certificates over three sudden ends of the server: nothing is done twice and nothing is left out."""
import http.client

import pytest
from test_bulk_stored import MANY, filled, rows_of, store

import bed as beds


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request, rules):
    with filled(request.param, {"CERTWRIGHT_CRASH_FILE": str(rules.path)}) as one:
        yield one


def ended(server, job):
    """The job when it is over; None before, also while the server is not there, begins, or was killed within its answer."""
    try:
        status, doc, _ = server.request("GET", f"/jobs/{job}")
    except (OSError, http.client.HTTPException):
        return None
    return doc if status == 200 and doc["ended_at"] else None


def tagged(server):
    found, cursor = 0, None
    while True:
        page = server.request("GET", "/certificates?limit=200&q=tag:later" + (f"&cursor={cursor}" if cursor else ""))[1]
        found += len(page["items"])
        if not page["has_more"]:
            return found
        cursor = page["cursor"]


def test_all_that_a_search_finds_is_done_once_though_the_server_is_killed_three_times(server, rules):
    rules.set("kill store-commit 20", "kill store-committed 60", "kill store-commit 100")
    job = store(server, {"action": "add-tags", "q": "pool.example.net", "tags": ["later"]})
    over = beds.wait_for(lambda: ended(server, job), 300, "the job ends")
    assert not rules.left(), "a rule whose point was not reached"
    assert server.process.text().count("a part of the server ended") == 3
    assert over["state"] == "done" and over["result"]["done"] == MANY and over["result"]["refused"] == 0, over
    rows = rows_of(server, job)
    assert len(rows) == MANY == len({r["certificate_id"] for r in rows}), "each once"
    assert not any(r["existing"] or r["reason"] for r in rows), "no row was done before"
    assert tagged(server) == MANY
