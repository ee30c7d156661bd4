# SPDX-License-Identifier: Apache-2.0
"""Requests as an authority with limits sees them: many orders due at once, one name over its limit beside others, an authority that
accepts connections and never answers, terms that change, a name that is paused. The scripted CA counts and judges."""
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import order, wait_all, wait_order

import bed as beds
import ca as fakes
from ca.validate import Real

PER_SECOND = {k: v for k, v in fakes.LETS_ENCRYPT.items() if v[1] == 1.0}


def taken_for_lets_encrypt(bed):
    """The accounts are what accounts at Let's Encrypt are to the engine; their directory is the scripted CA's."""
    bed.server.stop()
    with sqlite3.connect(bed.server.state / "certwright.db") as db:
        db.execute("UPDATE account SET vendor = 'letsencrypt'")
    bed.server.start()


def show(bed, one):
    return bed.server.request("GET", f"/orders/{one['id']}")[1]


def limited(table, **options):
    clock = fakes.Clock()
    return {"ca": "fake", "ca_options": {"clock": clock, "limits": fakes.Limits(clock, table), **options}}


def issue_many(bed, count, accounts):
    """Orders for names of their own registered domains, made as fast as the API takes them."""
    made = [bed.account(f"a{i}@example.test") for i in range(accounts)]
    taken_for_lets_encrypt(bed)

    def one(i):
        status, doc, _ = bed.server.request("POST", "/orders", {"account_id": made[i % accounts]["id"], "validation": "http-01", "names": [f"www.due{i}.test"]})
        assert status == 201, doc
        return doc["id"]

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(count)))


def all_valid_without_a_limit_error(bed, ids, timeout):
    over = wait_all(bed, ids, timeout)
    assert len(over) == len(ids) and {o["status"] for o in over.values()} == {"valid"}, f"{len(over)} of {len(ids)}"
    ca = bed.ca
    refused = [r for r in ca.log.rows if r["status"] in (429, 503) or r.get("problem") == "rateLimited"]
    assert not refused, f"{len(refused)} limit errors, the first: {refused[0]}"
    assert ca.issued() == len(ids) and not ca.twice() and not ca.orphans()
    print(f"{len(ids)} orders, {len(ca.log.rows)} requests, at most {ca.log.busiest()} in a second, {ca.log.busiest(kind='new-order')} new orders")


def test_two_hundred_orders_due_at_once_meet_no_limit(make_bed):
    bed = make_bed(**limited(PER_SECOND, validate=None))
    all_valid_without_a_limit_error(bed, issue_many(bed, 200, 1), 600)


@pytest.mark.slow
def test_two_thousand_orders_due_at_once_meet_no_limit(make_bed):
    bed = make_bed(**limited(PER_SECOND, validate=None))
    all_valid_without_a_limit_error(bed, issue_many(bed, 2000, 10), 3600)


def test_one_name_over_its_limit_waits_and_fifty_others_of_the_account_are_issued(make_bed):
    bed = make_bed(**limited({"certificates-per-set": fakes.LETS_ENCRYPT["certificates-per-set"]}))
    account = bed.account()
    for i in range(5):  # an authority nobody has described: its limit is met, and obeyed
        csr = bed.server.call("csr", "create", "--name", "often.example.test", "--key", "p256")
        made = bed.server.call("order", "create", "--account", account["id"], "--csr", csr["id"], "--validation", "dns-01", "--dns", "delegation")
        assert wait_order(bed, made["id"])["status"] == "valid"
    csr = bed.server.call("csr", "create", "--name", "often.example.test", "--key", "p256")
    sixth = bed.server.call("order", "create", "--account", account["id"], "--csr", csr["id"], "--validation", "dns-01", "--dns", "delegation")
    others = [order(bed, account, [f"other{i}.example.test"]) for i in range(50)]
    over = wait_all(bed, [o["id"] for o in others], 600)
    assert len(over) == 50 and {o["status"] for o in over.values()} == {"valid"}
    doc = beds.wait_for(lambda: show(bed, sixth)["reason"] and show(bed, sixth), 240, "it says why it waits")
    assert doc["status"] == "pending" and "often.example.test" in str(doc["reason"]), doc
    before = doc["next_at"]
    bed.server.stop()
    bed.server.start()
    time.sleep(2)
    assert show(bed, sixth)["next_at"] == before and bed.ca.log.count("new-order", "often.example.test", problem="rateLimited") == 1


def test_an_authority_that_accepts_and_never_answers_slows_nobody_else(make_bed, scratch):
    bed = make_bed(ca="fake")
    account = bed.account()
    silent = fakes.CA(scratch / "silent", Real(bed.resolver.port, bed.http_port), identity=bed.ca)
    try:
        status, doc, _ = bed.server.request("POST", "/accounts", {"directory_url": silent.directory, "email": "s@example.test", "agree_tos": True})
        status, doc = bed.server.settled(status, doc, "/accounts")
        assert status == 201, doc
        alone = time.monotonic()
        ids = [order(bed, account, [f"alone{i}.example.test"])["id"] for i in range(20)]
        assert len(wait_all(bed, ids)) == 20
        alone = time.monotonic() - alone
        silent.rule("*", times=None, stall=600)
        for i in range(60):
            order(bed, doc, [f"silent{i}.example.test"])
        for turn in range(3):  # whoever stands in line behind hanging calls does so each time; what else runs on this machine does not
            beside = time.monotonic()
            ids = [order(bed, account, [f"beside{turn}x{i}.example.test"])["id"] for i in range(20)]
            over = wait_all(bed, ids)
            beside = time.monotonic() - beside
            assert len(over) == 20 and {o["status"] for o in over.values()} == {"valid"}
            if beside < 2 * alone + 5:
                break
        assert beside < 2 * alone + 5, f"{beside:.1f} s beside a silent authority, {alone:.1f} s without"
    finally:
        silent.stop()


def test_a_paused_name_shows_the_link_and_goes_on_when_it_is_unpaused(make_bed):
    bed = make_bed(ca="fake")
    account = bed.account()
    link = "https://portal.ca.test/sfe/v1/unpause?jwt=abc.def"
    bed.ca.paused["tired.example.test"] = link
    paused, other = (order(bed, account, [n]) for n in ("tired.example.test", "fresh.example.test"))
    assert wait_order(bed, other["id"])["status"] == "valid"
    doc = beds.wait_for(lambda: show(bed, paused)["reason"] and show(bed, paused), 240, "it says why it waits")
    assert doc["reason"]["code"] == "needs-person" and link in doc["reason"]["hint"], doc["reason"]
    status = bed.server.cli("status")
    assert "Paused: name:tired.example.test" in status.out and link in status.out, status.out
    bed.server.stop()
    bed.server.start()
    assert "Paused: name:tired.example.test" in bed.server.cli("status").out, "kept over a restart"
    bed.ca.paused.clear()
    assert bed.server.cli("order", "refresh", paused["id"]).status == 0
    assert wait_order(bed, paused["id"])["status"] == "valid"
    assert "Paused" not in bed.server.cli("status").out


def test_an_authority_that_asks_for_time_gets_it_also_from_a_person(make_bed):
    bed = make_bed(ca="fake")
    account = bed.account()
    bed.ca.retry_after["finalize"] = bed.ca.retry_after["order"] = 25  # so long that we are back before it is over
    bed.ca.order_delay = 3
    o = order(bed, account, ["slow.example.test"])
    beds.wait_for(lambda: bed.ca.log.count("finalize") and show(bed, o)["status"] == "processing", 240, "the authority asks for time")
    early = bed.server.cli("order", "refresh", o["id"])
    assert early.status == 6 and "cannot be looked at before" in early.err and "asked not to be asked" in early.err, early
    assert wait_order(bed, o["id"])["status"] == "valid"


def test_changed_terms_pause_the_account_with_the_link(make_bed):
    bed = make_bed(ca="fake")
    account = bed.account()
    bed.ca.change_terms()
    first, second = (order(bed, account, [f"terms{i}.example.test"]) for i in range(2))
    doc = beds.wait_for(lambda: next((d for d in (show(bed, first), show(bed, second)) if d["reason"]), None), 240, "it says why it waits")
    assert doc["reason"]["code"] == "needs-person" and f"{bed.ca.url}/terms/v2" in doc["reason"]["hint"], doc["reason"]
    time.sleep(2)
    assert bed.ca.log.count("new-order", problem="userActionRequired") <= 2, "nobody asks again and again"
    status = bed.server.cli("status").out
    assert "Paused: account:" in status and "/terms/v2" in status, status
    for a in bed.ca.accounts.values():  # what agreeing on the account does at the authority
        a.terms = bed.ca.terms
    assert bed.server.cli("order", "refresh", first["id"]).status == 0
    assert wait_order(bed, first["id"])["status"] == "valid"
    bed.server.cli("order", "refresh", second["id"])
    assert wait_order(bed, second["id"])["status"] == "valid"
