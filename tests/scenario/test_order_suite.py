# SPDX-License-Identifier: Apache-2.0
"""The order suite: what every order has to do, at each authority that can be had: Debian's Pebble, the newest Pebble, Debian's Caddy (an
independent implementation, Smallstep's), and the scripted CA of tests/fake. One bed an authority; names of their own for each test."""
import os
import shutil
import signal

import bed as beds
import caddy
import pytest
from helpers import chain, key_kind, names_of, nothing_left, order, wait_all, wait_order

NOWHERE = "nowhere.test"
AUTHORITIES = ["pebble", "pebble-newest", "caddy", "fake"]


@pytest.fixture(scope="module", params=AUTHORITIES)
def there(request):
    """One bed of this authority, with an account."""
    options = {"never": [NOWHERE]}
    if request.param in ("caddy", "fake"):
        options["ca"] = request.param
    elif request.param == "pebble-newest":
        options = {**options, "pebble": beds.newest_pebble() or pytest.skip("no Pebble newer than Debian's ($PEBBLE_NEWEST, or go install)")}
    if request.param == "caddy" and caddy.why_not():
        pytest.skip(caddy.why_not())
    folder = beds.scratch("certwright-suite-")
    bed = beds.Bed(folder, **options)
    try:
        bed.start()
        bed.kind, bed.holder = request.param, bed.account()
        yield bed
    finally:
        bed.stop()
        if not os.environ.get("BED_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


def issue(bed, names, validation, *extra):
    before = bed.ca.issued()
    over = wait_order(bed, order(bed, bed.holder, names, validation, *extra)["id"])
    assert over["status"] == "valid", over
    assert bed.ca.issued() == before + 1, "issued once"
    return over


def test_a_wildcard_and_its_base_by_dns_01(there):
    over = issue(there, ["wild.example.test", "*.wild.example.test"], "dns-01")
    leaf, *rest = chain(there, over["id"])
    assert names_of(leaf) == ["*.wild.example.test", "wild.example.test"] and rest
    nothing_left(there, ["wild.example.test"])


def test_several_names_by_http_01(there):
    names = [f"h{i}.example.test" for i in range(5)]
    assert names_of(chain(there, issue(there, names, "http-01")["id"])[0]) == names
    nothing_left(there, [])


@pytest.mark.parametrize("key,kind", [("p256", "ec"), ("p384", "ec"), ("rsa2048", "rsa"), ("rsa4096", "rsa")])
def test_every_kind_of_key(there, key, kind):
    over = issue(there, [f"{key}.example.test"], "http-01", "--key", key)
    assert key_kind(chain(there, over["id"])[0]) == kind


def test_a_csr_made_elsewhere(there):
    beds.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(there.folder / "k.pem"), "-out", str(there.folder / "r.pem"), "-subj",
                 "/CN=own.example.test", "-addext", "subjectAltName=DNS:own.example.test,DNS:www.own.example.test")
    csr = there.server.call("csr", "upload", there.folder / "r.pem")
    made = there.server.call("order", "create", "--account", there.holder["id"], "--csr", csr["id"], "--validation", "http-01", "--wait")
    assert made["status"] == "valid"
    assert names_of(chain(there, made["id"])[0]) == ["own.example.test", "www.own.example.test"]


def test_step_by_step_waits_for_finalize(there):
    before = there.ca.issued()
    made = there.server.cli("order", "create", "--account", there.holder["id"], "--name", "steps.example.test", "--validation", "dns-01", "--dns",
                            "delegation", "--step-by-step", "--wait", "--json")
    assert made.status == 7 and made.json["status"] == "ready", made
    assert there.ca.issued() == before
    done = there.server.cli("order", "finalize", made.json["id"], "--wait", "--json")
    assert done.status == 0 and done.json["status"] == "valid", done
    assert there.ca.issued() == before + 1


def test_the_same_names_again_get_their_own_certificate(there):
    first, second = (issue(there, ["again.example.test"], "dns-01", "--key", key) for key in ("p256", "p384"))
    a, b = (chain(there, o["id"])[0] for o in (first, second))
    assert a.public_key() != b.public_key() and a.serial_number != b.serial_number


def test_twenty_at_once_are_issued_once_each(there):
    before = there.ca.issued()
    made = [order(there, there.holder, [f"crowd{i}.example.test"], ("dns-01", "http-01")[i % 2]) for i in range(20)]
    over = wait_all(there, [o["id"] for o in made], 120)
    assert len(over) == 20 and {o["status"] for o in over.values()} == {"valid"}, over
    assert there.ca.issued() == before + 20
    nothing_left(there, [f"crowd{i}.example.test" for i in range(0, 20, 2)])


def test_killed_in_the_middle_it_carries_on_and_issues_once(there):
    before = there.ca.issued()
    made = [order(there, there.holder, [f"killed{i}.example.test"], ("dns-01", "http-01")[i % 2]) for i in range(8)]
    for _ in range(2):  # what was under way at three deaths in a row is set aside for a person
        there.server.kill("core", signal.SIGKILL)
        beds.wait_for(there.server.ready, 120, "core is back")
    over = wait_all(there, [o["id"] for o in made], 240)
    assert len(over) == 8 and {o["status"] for o in over.values()} == {"valid"}, over
    assert there.ca.issued() == before + 8
    nothing_left(there, [f"killed{i}.example.test" for i in range(0, 8, 2)])


def test_a_name_that_nobody_answers_for_ends_with_the_authoritys_words(there):
    """The names of this zone do not exist for the authority: it looks, finds nothing, and says so."""
    made = order(there, there.holder, [f"gone.{NOWHERE}"], "dns-01")
    if there.kind == "caddy":  # calls it pending for ever, and says why beside it: the order goes on asking, and a person may end it
        doc = beds.wait_for(lambda: next((d for d in [show(there, made)] if d["authorizations"] and d["authorizations"][0]["reason"]), None), 150, "it says why")
        assert doc["status"] == "pending" and doc["authorizations"][0]["reason"]["remote"], doc
        assert there.server.cli("order", "delete", made["id"]).status == 0
    else:
        over = wait_order(there, made["id"])
        assert over["status"] == "invalid" and over["reason"]["code"] == "remote-refused" and over["reason"]["remote"], over["reason"]
    nothing_left(there, [])


def test_an_order_deleted_before_its_end_leaves_nothing(there):
    before = there.ca.issued()
    made = order(there, there.holder, ["deleted.example.test"], "dns-01", "--step-by-step")
    assert wait_ready(there, made)["status"] == "ready"
    assert there.server.cli("order", "delete", made["id"]).status == 0
    assert there.server.cli("order", "show", made["id"]).status == 3
    nothing_left(there, ["deleted.example.test"])
    assert there.ca.issued() == before


def show(bed, made):
    return bed.server.request("GET", f"/orders/{made['id']}")[1]


def wait_ready(bed, made):
    return beds.wait_for(lambda: next((d for d in [show(bed, made)] if d["status"] != "pending"), None), 120, "it is ready")


def test_a_renewal_by_a_person_is_a_new_version_of_the_certificate(there):
    made = issue(there, ["renewed.example.test"], "http-01")
    done = there.server.call("certificate", "renew", made["certificate_id"])["items"][0]
    assert wait_order(there, done["order_id"])["status"] == "valid"
    shown = there.server.call("certificate", "show", made["certificate_id"])
    assert [v["state"] for v in shown["versions"]] == ["current", "replaced"]


def test_a_certificate_is_revoked(there):
    made = issue(there, ["revoked.example.test"], "http-01")
    rows = there.server.call("certificate", "revoke", made["certificate_id"], "--reason", "superseded")["items"]
    assert rows[0]["reason"] is None, rows
    beds.wait_for(lambda: there.server.call("certificate", "show", made["certificate_id"])["status"] == "revoked", 120, "it is revoked")


def test_the_account_is_asked_about_and_its_contact_changed(there):
    account = there.holder
    assert there.server.call("account", "refresh", account["id"])["status"] == "valid"
    changed = there.server.cli("account", "contact", account["id"], "--email", "new@example.test", "--json")
    assert changed.status == 0, changed
    issue(there, ["contact.example.test"], "http-01")


def test_the_accounts_key_is_changed_or_the_authority_says_why_not_and_orders_go_on(there):
    done = there.server.cli("account", "rollover", there.holder["id"], "--json")
    if there.kind == "caddy":
        assert done.status != 0 and done.err.strip(), done
    else:
        assert done.status == 0, done
    issue(there, ["rolled.example.test"], "http-01")


def test_a_profile_is_ordered_where_it_is_offered_and_dropped_with_a_word_where_it_is_not(there):
    over = issue(there, ["profile.example.test"], "http-01", "--profile", "shortlived", "--profile-fallback")
    if there.kind == "pebble-newest":
        assert over["profile"] == "shortlived" and not over["profile_dropped"]
    elif there.kind == "fake":  # says so itself; one that knows no profiles takes the order as any other
        assert "ordered without a profile" in str(there.server.request("GET", f"/orders/{over['id']}/events")[1])
