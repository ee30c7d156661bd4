# SPDX-License-Identifier: Apache-2.0
"""A row that ends the process each time it is walked ends it three times; then it is set aside with an alarm, and the rest goes on."""
import http.client
import sqlite3
import time
import uuid

import pytest
from helpers import nothing_left, order, wait_all

import bed as beds

STARTS = 3


def settings_of(request, database):
    if database == "sqlite":
        return {}
    postgres = request.getfixturevalue("postgres")
    password = postgres.folder.parent / "pg-password"
    password.write_text("correct horse\n")
    password.chmod(0o644)
    return {"store.url": postgres.url, "store.password_file": str(password)}


def rows(bed, text):
    url = bed.server.settings.get("store.url")
    if url:
        port = url.rsplit(":", 1)[1].split("/")[0]
        import os
        import subprocess
        out = subprocess.run(["psql", "-h", "127.0.0.1", "-p", port, "-U", "certwright", "-d", "certwright", "-AtqF", "|", "-c", text],
                             env={**os.environ, "PGPASSWORD": "correct horse"}, capture_output=True, text=True, check=True).stdout
        return [tuple(line.split("|")) for line in out.splitlines()]
    with sqlite3.connect(f"file:{bed.server.state / 'certwright.db'}?mode=ro", uri=True) as db:
        return [tuple(str(v) for v in row) for row in db.execute(text)]


def ask_api(bed, method, path, body=None):
    """An answer of a server that dies again and again. What is asked again after a cut answer is the same request, done once."""
    until = time.monotonic() + 240
    once = {"Idempotency-Key": uuid.uuid4().hex}
    while True:
        try:
            status, doc, _ = bed.server.request(method, path, body, headers=once)
            if status < 500:
                return status, doc
        except (OSError, http.client.HTTPException):
            pass
        assert time.monotonic() < until, f"{method} {path} is not answered any more"
        time.sleep(0.1)


def ended(bed):
    """How often core was killed, from the supervisor's own log."""
    return bed.server.process.text().count("a part of the server ended")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_order_whose_finalize_ends_the_process_is_set_aside_and_20_others_end_valid(request, make_bed, rules, database):
    bed = make_bed(settings=settings_of(request, database), env={"CERTWRIGHT_CRASH_FILE": str(rules.path)})
    account = bed.account()
    rules.set("kill step-finalize@bad.example.test 1+")
    names = [f"good{i}.example.test" for i in range(20)]
    ids = []
    for i, name in enumerate([*names[:10], "bad.example.test", *names[10:]]):
        body = {"account_id": account["id"], "names": [name], "validation": ("dns-01", "http-01")[i % 2], "mode": "automatic"}
        status, doc = ask_api(bed, "POST", "/orders", body)
        assert status in (200, 201), doc
        ids.append(doc["id"])
    bad = ids.pop(10)

    def aside():
        status, doc = ask_api(bed, "GET", f"/orders/{bad}")
        return status == 200 and doc["set_aside"] and doc

    shown = beds.wait_for(aside, 240, "the order is set aside", 0.2)
    assert shown["stage"] == "set aside" and "set aside" in shown["reason"]["detail"], shown
    assert ended(bed) == STARTS, "it was started three times, and not once more"
    # now nothing ends the process any more
    over = until_over(bed, ids)
    assert len(over) == 20 and {o["status"] for o in over.values()} == {"valid"}, [o for o in over.values() if o["status"] != "valid"]
    assert bed.ca.issued() == 20
    events = bed.server.call("order", "show", bad)
    alarm = rows(bed, f"SELECT level, text FROM event WHERE subject_id = '{bad}' AND level = 'error'")
    assert alarm and "set aside" in alarm[0][1], (alarm, events)
    assert '"set aside, a person has to look"' in bed.server.process.text()
    nothing_left_of(bed, names)
    # and a person who says Refresh, with the reason gone, gets the certificate
    rules.set()
    assert ask_api(bed, "POST", f"/orders/{bad}/refresh")[0] in (200, 202)
    assert until_over(bed, [bad])[bad]["status"] == "valid"
    assert bed.ca.issued() == 21
    nothing_left(bed, [*names[:2], "bad.example.test"])


def until_over(bed, ids, timeout=300):
    """Those that waited out an error while the process died are asked to go on, as a person would."""
    until = time.monotonic() + timeout
    while True:
        over = wait_all(bed, ids, 6)
        if len(over) == len(ids) or time.monotonic() > until:
            return over
        for one in set(ids) - set(over):
            ask_api(bed, "POST", f"/orders/{one}/refresh")


def nothing_left_of(bed, names):
    names = "', '".join(f"_acme-challenge.{n}" for n in names)

    def none():
        return not int(rows(bed, f"SELECT count(*) FROM feed_item WHERE live = 1 AND kind = 'txt' AND name IN ('{names}')")[0][0])

    beds.wait_for(none, 120, "no challenge of the good orders is answered")


def test_a_registration_that_ends_the_process_fails_after_three_starts_and_its_account_says_so(make_bed, rules):
    bed = make_bed(env={"CERTWRIGHT_CRASH_FILE": str(rules.path)})
    good = bed.account("good@certwright.test")
    rules.set("kill job-account-register@bad@certwright.test 1+")
    bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", "bad@certwright.test", "--agree-tos", timeout=300)

    def bad():
        _, page = ask_api(bed, "GET", "/accounts")
        return next((a for a in page["items"] if a["email"] == "bad@certwright.test" and a["status"] == "invalid"), None)

    account = beds.wait_for(bad, 240, "the account is invalid", 0.2)
    assert "set aside" in account["reason"]["detail"], account
    assert ended(bed) == STARTS
    alarm = rows(bed, f"SELECT level, text FROM event WHERE subject_kind = 'account' AND subject_id = '{account['id']}' AND level = 'error'")
    assert alarm and "set aside" in alarm[0][1]
    assert rows(bed, "SELECT state FROM job WHERE set_aside = 1") == [("failed",)]
    # the server works, for others at once
    made = order(bed, good, ["after.example.test"])
    assert until_over(bed, [made["id"]])[made["id"]]["status"] == "valid"


def test_a_debt_that_ends_the_process_is_set_aside_and_its_order_tells(make_bed, rules):
    bed = make_bed(env={"CERTWRIGHT_CRASH_FILE": str(rules.path)})
    account = bed.account()
    made = order(bed, account, ["debt.example.test"], "dns-01", "--step-by-step")
    beds.wait_for(lambda: ask_api(bed, "GET", f"/orders/{made['id']}")[1]["status"] == "ready", 240, "the order is ready")
    rules.set("kill debt-withdraw-dns@debt.example.test 1+")
    # its order lets go of the record: the janitor's turn
    bed.server.stop()
    with sqlite3.connect(bed.server.state / "certwright.db") as db:
        assert db.execute("UPDATE debt SET held = 0, due_ms = 0").rowcount == 1
    bed.server.start(wait=False)
    aside = beds.wait_for(lambda: rows(bed, "SELECT order_id, reason FROM debt WHERE set_aside = 1"), 240, "the debt is set aside", 0.2)
    assert aside[0][0] == made["id"] and "set aside" in aside[0][1]
    assert ended(bed) == STARTS
    alarm = rows(bed, f"SELECT text FROM event WHERE subject_kind = 'order' AND subject_id = '{made['id']}' AND level = 'error'")
    assert any("set aside" in text for text, in alarm), alarm
    rules.set()
    beds.wait_for(bed.server.ready, 240, "Certwright is ready again")
    good = order(bed, account, ["beside.example.test"])
    assert until_over(bed, [good["id"]])[good["id"]]["status"] == "valid"
