# SPDX-License-Identifier: Apache-2.0
"""Renewals with the real programs: by a person, by the authority's window, of certificates that live for hours; revocation; stopping all."""
import datetime
import json
import time

import bed as beds
import pytest
from helpers import chain, nothing_left


def issued(bed, name, *extra):
    account = bed.account()
    made = bed.server.call("order", "create", "--account", account["id"], "--name", name, "--validation", "http-01", "--wait", *extra)
    assert made["status"] == "valid"
    return made["certificate_id"], made


def renewal(bed, certificate):
    return bed.server.call("certificate", "renewal", certificate)


def versions(bed, certificate):
    return bed.server.call("certificate", "show", certificate)["versions"]


def test_a_person_renews_many_and_each_row_says_what_came_of_it(bed):
    one, order = issued(bed, "one.example.test")
    done = bed.server.cli("certificate", "renew", one, "999", "--json")
    assert done.status == 3, done
    rows = json.loads(done.out)["items"]
    assert rows[0]["order_id"] and rows[0]["reason"] is None and rows[1]["reason"]["code"] == "not-found"
    assert bed.server.cli("order", "watch", rows[0]["order_id"]).status == 0
    states = [v["state"] for v in versions(bed, one)]
    assert states == ["current", "replaced"]
    assert bed.ca.issued() == 2
    assert chain(bed, rows[0]["order_id"])[0].public_key() != chain(bed, order["id"])[0].public_key()
    nothing_left(bed, ["one.example.test"])
    plan = bed.server.call("certificate", "schedule")["items"]
    assert [p["certificate_id"] for p in plan] == [one] and plan[0]["waits"] == "nothing"


def test_all_renewals_stop_with_a_reason_and_resume(bed):
    assert bed.server.cli("renewal", "pause").status == 2
    assert bed.server.cli("renewal", "pause", "--reason", "network change").status == 0
    state = bed.server.request("GET", "/renewal-pause")[1]
    assert state["stopped"] and state["reason"] == "network change" and state["by"]
    kinds = [n["kind"] for n in bed.server.call("notice", "list")["items"]]
    assert kinds == ["renewals-stopped"]
    assert "network change" in bed.server.cli("certificate", "schedule").out
    assert bed.server.cli("renewal", "resume").status == 0
    assert not bed.server.call("notice", "list")["items"]


def test_a_window_is_made_and_refused_with_the_field(bed):
    made = bed.server.call("window", "create", "--name", "night", "--cron", "0 2 * * *", "--minutes", "120", "--zone", "UTC", "--default")
    assert made["is_default"] and (made["next_at"] or made["open"])  # it may be just that time
    for bad in (["--cron", "0 25 * * *"], ["--zone", "Europe/Atlantis"]):
        args = {"--name": "x", "--cron": "0 2 * * *", "--minutes": "60", "--zone": "UTC"}
        args[bad[0]] = bad[1]
        refused = bed.server.cli("window", "create", *[p for kv in args.items() for p in kv])
        assert refused.status == 2 and ("/cron" in refused.err or "/zone" in refused.err), refused
    assert bed.server.cli("window", "delete", str(made["num"])).status == 0


def test_a_certificate_is_revoked_by_account_and_by_its_key(bed):
    first, _ = issued(bed, "gone.example.test")
    for extra in ([], ["--by-key", "--reason", "superseded"]):  # the second time it is revoked already: success
        rows = bed.server.call("certificate", "revoke", first, *extra)["items"]
        job = beds.wait_for(lambda: next((j for j in bed.server.request("GET", "/jobs")[1]["items"]
                                          if j["id"] == rows[0]["job_id"] and j["ended_at"]), None), 30, "the job ends")
        assert job["state"] == "done", job
    shown = bed.server.call("certificate", "show", first)
    assert shown["status"] == "revoked"


@pytest.fixture
def newest(make_bed):
    program = beds.newest_pebble()
    if not program:
        pytest.skip("the newest Pebble is not installed (go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest)")
    return lambda **options: make_bed(pebble=program, **options)


def test_the_newest_pebble_says_when_and_takes_the_replacement(newest):
    bed = newest()
    certificate, _ = issued(bed, "ari.example.test")
    told = beds.wait_for(lambda: (r := renewal(bed, certificate))["why"] == "ari" and r, 120, "renewal information is asked for at once")
    assert told["window_start"] <= told["renew_at"] < told["window_end"]
    rows = bed.server.call("certificate", "renew", certificate)["items"]
    assert bed.server.cli("order", "watch", rows[0]["order_id"]).status == 0
    story = bed.server.call("order", "show", rows[0]["order_id"])["events"]
    assert not any("as the replacement" in e["text"] for e in story), "Pebble took it as the replacement"
    assert [v["state"] for v in versions(bed, certificate)] == ["current", "replaced"]
    assert bed.ca.issued() == 2


def test_debians_pebble_offers_nothing_and_the_fraction_stands(bed):
    certificate, _ = issued(bed, "plain.example.test")
    time.sleep(1)
    r = renewal(bed, certificate)
    assert r["why"] == "fraction" and r["window_start"] is None
    start, end = (datetime.datetime.fromisoformat(bed.server.call("certificate", "show", certificate)[m].replace("Z", "+00:00")) for m in ("not_before", "not_after"))
    at = datetime.datetime.fromisoformat(r["renew_at"].replace("Z", "+00:00"))
    assert 0.29 < (end - at) / (end - start) < 0.38


def test_the_scripted_authority_recalls_and_its_refusal_of_replaces_costs_nothing(make_bed):
    bed = make_bed(ca="fake")
    certificate, _ = issued(bed, "recall.example.test")
    beds.wait_for(lambda: renewal(bed, certificate)["why"] == "ari", 120, "renewal information is asked for at once")
    bed.ca.rule("new-order", status=409, problem="alreadyReplaced")
    rows = bed.server.call("certificate", "renew", certificate)["items"]
    assert bed.server.cli("order", "watch", rows[0]["order_id"]).status == 0
    story = [e["text"] for e in bed.server.call("order", "show", rows[0]["order_id"])["events"]]
    assert any("did not take it as the replacement" in e for e in story), story
    assert len(versions(bed, certificate)) == 2 and not bed.ca.twice()
