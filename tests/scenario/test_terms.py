# SPDX-License-Identifier: Apache-2.0
"""An authority changes its terms: its orders wait with the link, the terms are read and agreed to by an explicit act, and the orders go on."""
import bed as beds
from helpers import order, wait_order


def show(bed, one):
    return bed.server.request("GET", f"/orders/{one['id']}")[1]


def test_agreeing_to_the_new_terms_lets_all_orders_of_the_account_go_on(make_bed):
    bed = make_bed(ca="fake")
    account = bed.account()
    bed.ca.change_terms()
    link = f"{bed.ca.url}/terms/v2"
    made = [order(bed, account, [f"terms{i}.example.test"]) for i in range(3)]
    doc = beds.wait_for(lambda: next((d for d in map(lambda m: show(bed, m), made) if d["reason"]), None), 120, "it says why it waits")
    assert doc["reason"]["code"] == "needs-person" and link in doc["reason"]["hint"], doc["reason"]
    # what was not read is not agreed to
    wrong = bed.server.cli("account", "agree", account["id"], "--terms", f"{bed.ca.url}/terms/v1")
    assert wrong.status != 0 and link in wrong.err, wrong
    assert all(a.terms == "/terms/v1" for a in bed.ca.accounts.values())
    agreed = bed.server.cli("account", "agree", account["id"], "--terms", link, "--json")
    assert agreed.status == 0, agreed
    assert agreed.json["tos_url"] == link and agreed.json["tos_agreed_at"]
    for one in made:  # nobody says anything to the orders
        assert wait_order(bed, one["id"])["status"] == "valid"
    assert "Paused" not in bed.server.cli("status").out
    rows = [r for r in bed.server.call("audit", "list")["items"] if "agree" in r["action"]]
    assert rows and link in str(rows[0]), "who agreed to what is in the audit log"
