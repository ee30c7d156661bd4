# SPDX-License-Identifier: Apache-2.0
"""Lists: every filter with every other, the newest or the oldest first, page by page, in the API and on the command line."""
import itertools
from urllib.parse import urlencode

import bed as beds
from helpers import order, wait_all


def pages(bed, path, **query):
    """The numbers of all pages of two rows."""
    rows, cursor = [], None
    while True:
        status, doc, _ = bed.server.request("GET", f"{path}?{urlencode({**query, 'limit': 2, **({'cursor': cursor} if cursor else {})})}")
        assert status == 200, doc
        rows += doc["items"]
        if not doc["has_more"]:
            return rows
        cursor = doc["cursor"]


def test_every_list_is_narrowed_by_all_its_filters_and_goes_both_ways(make_bed):
    bed = make_bed(ca="fake")
    one, two = bed.account("one@example.test"), bed.account("two@example.test")
    made = [order(bed, a, [f"{n}.lists.example.test"]) for n, a in (("a", one), ("b", two), ("c", one))]
    made += [order(bed, two, ["waits.lists.example.test"], "dns-01", "--dns", "manual"), order(bed, one, ["other.example.test"])]
    wait_all(bed, [o["id"] for o in made if "waits" not in o["names"][0]])
    beds.wait_for(lambda: bed.server.call("order", "show", made[3]["id"])["stage"] == "waiting for you", 240, "it waits")
    everything = {o["num"]: o for o in pages(bed, "/orders")}
    assert len(everything) == 5
    certificate = everything[made[0]["num"]]["certificate_id"]
    fits = {"status": ("valid", lambda o: o["status"] == "valid"), "account_id": (str(one["num"]), lambda o: o["account_id"] == one["id"]),
            "certificate_id": (certificate, lambda o: o["certificate_id"] == certificate), "name": ("LISTS.exa", lambda o: "lists.exa" in o["names"][0])}
    for n in range(len(fits) + 1):
        for chosen in itertools.combinations(fits, n):
            wanted = [num for num, o in sorted(everything.items()) if all(fits[c][1](o) for c in chosen)]
            query = {c: fits[c][0] for c in chosen}
            assert [o["num"] for o in pages(bed, "/orders", **query)] == wanted[::-1], query
            assert [o["num"] for o in pages(bed, "/orders", **query, sort="oldest")] == wanted, query
    # a cursor is good for the list it is of, and for its direction
    _, doc, _ = bed.server.request("GET", "/orders?limit=2")
    assert bed.server.request("GET", f"/orders?limit=2&sort=oldest&cursor={doc['cursor']}")[0] == 400
    assert bed.server.request("GET", "/orders?sort=sideways")[0] == 400
    # the others, and the command line
    csrs = [bed.server.call("csr", "create", "--name", f"{n}.csr.example.test", "--key", k) for n, k in (("x", "p256"), ("y", "p384"), ("z", "p256"))]
    listed = bed.server.call("csr", "list", "--name", "csr.example", "--key-type", "p256", "--sort", "oldest")["items"]
    assert [c["num"] for c in listed] == [csrs[0]["num"], csrs[2]["num"]]
    assert [a["num"] for a in pages(bed, "/accounts", q="TWO@")] == [two["num"]]
    assert [a["num"] for a in bed.server.call("account", "list", "--status", "valid", "--sort", "oldest")["items"]] == [one["num"], two["num"]]
    assert pages(bed, "/accounts", q="%") == [] and pages(bed, "/accounts", vendor="zerossl") == []
    assert [d["name"] for d in pages(bed, "/delegations", name="other", sort="oldest")] in ([], ["other.example.test"])
    done = bed.server.call("job", "list", "--kind", "account-register", "--state", "done", "--sort", "oldest")["items"]
    assert [j["subject_id"] for j in done] == [one["id"], two["id"]]
    assert pages(bed, "/jobs", kind="account-register", state="failed") == []
    times = [a["at"] for a in pages(bed, "/audit", action="order.create", sort="oldest")]
    assert len(times) == 5 and times == sorted(times)
