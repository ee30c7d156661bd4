# SPDX-License-Identifier: Apache-2.0
"""One action on many certificates: by a search and by ids, each row with its own verdict; a preview that does nothing; what costs money is
asked for; who may do what; renewal switched off and on again."""
import json
import os
import signal
import sqlite3

import bed as beds
import pytest
from api_client import Client
from api_fixtures import PASSWORD, api  # noqa: F401 (fixture)
from helpers import wait_order


def issued(bed, name, *extra):
    made = bed.server.call("order", "create", "--account", bed.account()["id"], "--name", name, "--validation", "http-01", "--wait", *extra)
    assert made["status"] == "valid"
    return made["certificate_id"]


def foreign(bed, scratch, name):
    beds.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "f.key", "-out", "f.pem", "-days", "20",
                 "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", cwd=scratch)
    assert bed.server.cli("import", scratch / "f.pem").status == 0
    return bed.server.call("certificate", "list", "--q", f"name:{name}")["items"][0]["id"]


def bulk(bed, *args):
    done = bed.server.cli("certificate", "bulk", *args, "--json")
    return done, json.loads(done.out)["items"] if done.out else []


def shown(bed, certificate):
    return bed.server.call("certificate", "show", certificate)


def audits(bed, action):
    return [r for r in bed.server.request("GET", f"/audit?action={action}&limit=200")[1]["items"] if r["actor_kind"] != "system"]


def test_everything_that_a_search_finds_is_renewed_and_what_is_only_watched_says_why(bed, scratch):
    ours = [issued(bed, f"{n}.fleet.example.test") for n in ("a", "b")]
    issued(bed, "other.example.test")
    watched = foreign(bed, scratch, "c.fleet.example.test")
    done, rows = bulk(bed, "renew", "--search", "name:*.fleet.example.test", "--preview")
    assert done.status == 4 and len(rows) == 3, done
    assert all(r["order_id"] is None and r["order_num"] is None for r in rows) and bed.ca.issued() == 3
    assert not [o for o in bed.server.call("order", "list")["items"] if o["status"] != "valid"], "a preview makes nothing"
    done, rows = bulk(bed, "renew", "--search", "name:*.fleet.example.test")
    by_id = {r["certificate_id"]: r for r in rows}
    assert set(by_id) == {*ours, watched} and done.status == 4
    assert "only watched" in by_id[watched]["reason"]["detail"] and by_id[watched]["display_names"] == ["c.fleet.example.test"]
    for c in ours:
        assert by_id[c]["reason"] is None and wait_order(bed, by_id[c]["order_id"])["status"] == "valid"
        assert [v["state"] for v in shown(bed, c)["versions"]] == ["current", "replaced"]
    assert bed.ca.issued() == 5
    assert {r["object_id"] for r in audits(bed, "certificate.renew")} == set(ours), "one audit row for each that was done, none for a preview"


def test_tags_and_owners_of_many_are_set_row_by_row(bed, scratch):
    one, two = issued(bed, "one.example.test"), foreign(bed, scratch, "two.example.test")
    assert bulk(bed, "add-tags", one, two, "--tag", "Prod", "--tag", "edge")[0].status == 0
    assert shown(bed, one)["tags"] == shown(bed, two)["tags"] == ["edge", "prod"]
    done, rows = bulk(bed, "remove-tags", "--search", "tag:prod", "--tag", "edge")
    assert done.status == 0 and len(rows) == 2 and not any(r["existing"] for r in rows)
    done, rows = bulk(bed, "remove-tags", one, "999", "--tag", "edge")
    assert rows[0]["existing"] and rows[1]["reason"]["code"] == "not-found" and done.status == 3
    assert bulk(bed, "set-owner", one, "--owner", "web team")[0].status == 0 and shown(bed, one)["owner"] == "web team"
    assert shown(bed, one)["tags"] == ["prod"], "the owner alone was changed"
    assert bulk(bed, "set-owner", one, "--owner", "")[0].status == 0 and shown(bed, one)["owner"] is None
    assert len(audits(bed, "certificate.note")) == 6, "what changed nothing leaves no row"
    many = [a for i in range(32) for a in ("--tag", f"t{i}")]
    done, rows = bulk(bed, "add-tags", one, *many)
    assert done.status == 2 and "33 tags" in rows[0]["reason"]["detail"] and shown(bed, one)["tags"] == ["prod"]
    assert bulk(bed, "delete", two)[0].status == 0 and bed.server.cli("certificate", "show", two).status == 3


def test_renewal_is_switched_off_and_on_and_a_person_may_still_renew(bed, scratch):
    one, watched = issued(bed, "off.example.test"), foreign(bed, scratch, "never.example.test")
    assert bulk(bed, "only-watch", one)[0].status == 0
    off = shown(bed, one)
    assert off["managed"] is False and off["renew_at"] is None and not bed.server.call("certificate", "schedule")["items"]
    order = bed.server.call("certificate", "renew", one)["items"][0]["order_id"]
    assert wait_order(bed, order)["status"] == "valid"
    assert shown(bed, one)["managed"] is False, "what a person renews by hand stays switched off"
    done, rows = bulk(bed, "renew-automatically", one, watched)
    assert done.status == 4 and rows[0]["reason"] is None and "only watched" in rows[1]["reason"]["detail"]
    on = bed.server.call("certificate", "renewal", one)
    assert on["managed"] is True and on["renew_at"] < on["not_after"] and [p["certificate_id"] for p in bed.server.call("certificate", "schedule")["items"]] == [one]
    assert bulk(bed, "renew-automatically", one)[1][0]["existing"] is True


def test_a_selection_is_replaced_and_then_revoked(bed):
    two = [issued(bed, f"{n}.leak.example.test") for n in ("x", "y")]
    done, rows = bulk(bed, "revoke-and-replace", "--search", "name:*.leak.example.test", "--reason", "key-compromise")
    assert done.status == 0 and {r["certificate_id"] for r in rows} == set(two)
    for r in rows:
        assert wait_order(bed, r["order_id"])["status"] == "valid"
        beds.wait_for(lambda r=r: bed.server.call("job", "show", r["job_id"])["state"] == "done", 240, "the old one is revoked")
        assert shown(bed, r["certificate_id"])["status"] == "active", "the new one is in use"
    assert bed.ca.issued() == 4


def test_what_costs_money_is_meant_or_refused(bed):
    one = issued(bed, "paid.example.test")
    bed.server.stop()
    with sqlite3.connect(bed.server.state / "certwright.db", timeout=120) as db:
        assert db.execute("UPDATE account SET vendor = 'digicert', automatic = 0").rowcount == 1
    bed.server.start()
    done, rows = bulk(bed, "renew", one)
    assert "costs money at DigiCert" in rows[0]["reason"]["detail"] and rows[0]["order_id"] is None and done.status == 7
    done, rows = bulk(bed, "renew", one, "--accept-cost", "--preview")
    assert done.status == 0 and rows[0]["reason"] is None
    # the same question for a single one, by either verb, and only where something new would be ordered
    asked = bed.server.cli("certificate", "renew", one)
    assert asked.status == 7 and "costs money at DigiCert" in asked.err and "--accept-cost" in asked.err, asked
    asked = bed.server.cli("certificate", "revoke", one, "--replace")
    assert asked.status == 7 and "costs money at DigiCert" in asked.err, asked
    assert bed.server.call("order", "list", "--certificate", one)["items"][0]["status"] == "valid", "nothing was ordered"
    os.kill(bed.ca.process.pid, signal.SIGSTOP)  # the order stays under way
    try:
        assert bed.server.call("certificate", "renew", one, "--accept-cost")["items"][0]["order_id"]
        again = bed.server.call("certificate", "renew", one)["items"][0]
    finally:
        os.kill(bed.ca.process.pid, signal.SIGCONT)
    assert again["existing"] is True and again["reason"] is None, "what is under way costs nothing more"


def test_each_action_asks_for_its_own_right(bed):
    one = issued(bed, "rights.example.test")
    admin = Client(bed.server.url, token=bed.server.token_file.read_text().strip())
    bodies = {
        "renew": {}, "revoke": {}, "revoke-and-replace": {}, "add-tags": {"tags": ["x"]}, "remove-tags": {"tags": ["x"]}, "set-owner": {"owner": "x"},
        "renew-automatically": {}, "only-watch": {}, "delete": {},
    }
    may = {("viewer", ()): set(), ("viewer", ("revoke",)): {"revoke"}, ("operator", ()): set(bodies) - {"revoke", "revoke-and-replace"},
           ("operator", ("revoke",)): set(bodies)}
    for n, ((role, rights), allowed) in enumerate(may.items()):
        made = admin.post("/users", {"name": f"u{n}", "role": role, "rights": list(rights), "password": PASSWORD})
        assert made.status_code == 201, made.text
        user = admin.sign_in(f"u{n}", PASSWORD)
        for action, more in bodies.items():
            got = user.post("/certificate-actions", {"action": action, "certificate_ids": [one], "preview": True, **more})
            assert got.status_code == (200 if action in allowed else 403), (role, rights, action, got.text)


@pytest.mark.parametrize("body, pointer", [
    ({"action": "renew"}, "/certificate_ids"), ({"action": "renew", "certificate_ids": ["1"], "q": "tag:x"}, "/certificate_ids"),
    ({"action": "add-tags", "certificate_ids": ["1"]}, "/tags"), ({"action": "renew", "certificate_ids": ["1"], "tags": ["x"]}, "/tags"),
    ({"action": "add-tags", "certificate_ids": ["1"], "tags": ["a b"]}, "/tags/0"), ({"action": "set-owner", "certificate_ids": ["1"]}, "/owner"),
    ({"action": "renew", "certificate_ids": ["1"], "reason": "superseded"}, "/reason"), ({"action": "renew", "q": "expires<"}, "/q"),
    ({"action": "renew", "q": "tag:x", "cursor": "AAAA"}, "/cursor"), ({"action": "renew", "certificate_ids": ["1"] * 201}, "/certificate_ids"),
    ({"action": "renew", "certificate_ids": ["1"] * 5001, "stored": True}, "/certificate_ids"), ({"action": "renew", "q": "expires<", "stored": True}, "/q"),
    ({"action": "renew", "q": "tag:x", "stored": True, "preview": True}, "/preview"),
    ({"action": "shred", "certificate_ids": ["1"]}, "/action"),
])
def test_a_request_that_means_nothing_is_refused_with_its_field(api, body, pointer):
    got = api.admin.post("/certificate-actions", body)
    assert got.status_code == 400 and [e["pointer"] for e in got.json()["errors"]] == [pointer], got.text
