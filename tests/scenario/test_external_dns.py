# SPDX-License-Identifier: Apache-2.0
"""External DNS against a real PowerDNS that the test CA asks: what is not written there cannot be validated."""
import random
import signal
import time

import bed as beds
import pdns
import pytest
from helpers import order, wait_all, wait_order

pytestmark = pytest.mark.skipif(pdns.missing() is not None, reason=str(pdns.missing()))


@pytest.fixture
def make_world(make_bed, scratch):
    """A bed whose CA asks PowerDNS, and the provider that writes there."""
    server = pdns.PowerDns(scratch, ["example.test", "other.test"])

    def make(**options):
        bed = make_bed(forward=[server.port], settings={"resolve.servers": f"127.0.0.1:{server.port}", "resolve.ask_view": "yes"}, **options)
        bed.key = bed.folder / "key"
        bed.key.write_text(pdns.KEY + "\n")
        bed.pdns = server
        return bed

    yield make
    server.stop()


@pytest.fixture
def world(make_world):
    return make_world()


def provider(bed, name="inside", url=None):
    return bed.server.call("provider", "create", "--kind", "powerdns", "--name", name, "--set", f"url={url or bed.pdns.url}",
                           "--secret-file", f"api_key={bed.key}")


def nothing_left(bed, zone="example.test", keep=()):
    until = time.monotonic() + 240
    while True:
        left = {n: v for n, v in bed.pdns.texts(zone).items() if n not in keep}
        owed = bed.server.call("debt", "list")["items"]
        if not left and not owed:
            return
        assert time.monotonic() < until, (left, owed)
        time.sleep(0.2)


def test_apex_and_wildcard_in_one_order_are_proved_at_the_real_server_and_others_records_survive(world):
    p = provider(world)
    account = world.account()
    world.pdns.put("example.test", "_acme-challenge.example.test", ["somebody-elses-value"])
    world.pdns.put("example.test", "www.example.test", ["192.0.2.1"], "A")
    made = order(world, account, ["example.test", "*.example.test", "deep.www.example.test"], "dns-01", "--dns", p["id"])
    done = wait_order(world, made["id"])
    assert done["status"] == "valid", done
    assert done["external_dns"] == "inside"
    assert {r["type"] for r in done["records"]} == {"PowerDNS"}
    assert {m["by"] for m in done["methods"]} == {"order"}
    nothing_left(world, keep=["_acme-challenge.example.test"])
    assert world.pdns.texts("example.test")["_acme-challenge.example.test"] == ["somebody-elses-value"]


def test_test_and_save_writes_finds_and_removes_a_probe_and_says_what_is_wrong(world):
    p = provider(world)
    assert p["status"] == "new" and p["fields"]["api_key"] == "set"
    read = world.server.call("provider", "test", p["id"])
    assert read["status"] == "ok" and read["zones"] == ["example.test", "other.test"]
    full = world.server.call("provider", "test", p["id"], "--zone", "example.test")
    assert full["status"] == "ok" and full["test"]["seen"] is True, full
    assert full["test"]["name"] == f"{p['probe_label']}.example.test"
    assert not world.pdns.texts("example.test")
    world.key.write_text("wrong-key-of-the-same-length\n")
    world.server.call("provider", "update", p["id"], "--secret-file", f"api_key={world.key}")
    bad = world.server.cli("provider", "test", p["id"], "--zone", "example.test", "--json")
    assert bad.json["status"] == "refused" and "401" in bad.json["reason"]["detail"] + str(bad.json["reason"]["chain"]), bad
    assert "wrong-key" not in bad.out


def test_a_refused_credential_parks_what_uses_it_until_a_good_one_is_tested(world):
    p = provider(world)
    account = world.account()
    good = world.key.read_text()
    world.key.write_text("stolen-and-revoked\n")
    world.server.call("provider", "update", p["id"], "--secret-file", f"api_key={world.key}")
    ids = [order(world, account, [f"park{i}.example.test"], "dns-01", "--dns", p["id"])["id"] for i in range(3)]
    until = time.monotonic() + 120
    while any("credential" not in str(world.server.call("order", "show", i)["reason"]) for i in ids):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert world.server.call("provider", "show", p["id"])["status"] == "refused"
    assert "provider-refused" in [w["code"] for w in world.server.request("GET", "/status")[1]["warnings"]]
    world.key.write_text(good)
    world.server.call("provider", "update", p["id"], "--secret-file", f"api_key={world.key}")
    assert world.server.call("provider", "test", p["id"], "--zone", "example.test")["status"] == "ok"
    assert {o["status"] for o in wait_all(world, ids).values()} == {"valid"}
    nothing_left(world)


def test_the_secret_never_goes_to_an_address_it_was_not_entered_for(world):
    p = provider(world)
    moved = world.server.call("provider", "update", p["id"], "--set", "url=http://127.0.0.1:9999")
    assert moved["fields"]["api_key"] is None
    back = world.server.call("provider", "update", p["id"], "--set", f"url={world.pdns.url}")
    assert back["fields"]["api_key"] is None
    status, said, _ = world.server.request("GET", f"/providers/{p['id']}")
    assert status == 200 and pdns.KEY not in str(said)


@pytest.fixture(params=["the newest Pebble", "the scripted CA"])
def crowd(request, make_world):
    """Forty values at one name do not fit into UDP. Debian's Pebble asks by UDP alone and takes the truncated, empty answer for "no TXT
    records"; these two ask by TCP, as the authorities of the Internet do."""
    if request.param == "the scripted CA":
        return make_world(ca="fake")
    program = beds.newest_pebble()
    if not program:
        pytest.skip("the newest Pebble is not installed (go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest)")
    return make_world(pebble=program)


def test_twenty_orders_for_one_name_at_once_lose_no_value(crowd):
    world = crowd
    p = provider(world)
    accounts = [world.account(f"many{i}@certwright.test") for i in range(20)]
    ids = [order(world, a, ["crowd.example.test", "*.crowd.example.test"], "dns-01", "--dns", p["id"])["id"] for a in accounts]
    over = wait_all(world, ids)
    assert {o["status"] for o in over.values()} == {"valid"} and len(over) == 20, over
    nothing_left(world)


def test_two_providers_for_two_names_of_one_order_and_a_rule_and_a_preview(world):
    first, second = provider(world, "one"), provider(world, "two")
    account = world.account()
    world.server.call("rule", "create", "--suffix", "other.test", "--validation", "dns-01", "--method", second["id"])
    names = ["--name", "a.example.test", "--name", "b.other.test"]
    preview = world.server.call("order", "preview", "--account", account["id"], "--validation", "dns-01", *names, "--method", f"a.example.test={first['id']}")
    assert [(n["name"], n["method_name"], n["by"]) for n in preview["names"]] == [("a.example.test", "one", "name"), ("b.other.test", "two", "rule")]
    made = world.server.call("order", "create", "--account", account["id"], "--validation", "dns-01", *names, "--method", f"a.example.test={first['id']}")
    done = wait_order(world, made["id"])
    assert done["status"] == "valid", done
    assert done["external_dns"] == "one, two"
    refused = world.server.cli("provider", "delete", first["id"])
    assert refused.status == 4 and "certificate" in refused.err, refused
    nothing_left(world)
    nothing_left(world, "other.test")


def test_a_zone_at_two_providers_is_asked_about_and_not_guessed(world):
    for name in ("one", "two"):
        world.server.call("provider", "test", provider(world, name)["id"])
    preview = world.server.call("order", "preview", "--validation", "dns-01", "--name", "x.other.test")
    row = preview["names"][0]
    assert (row["method"], row["by"], row["ask"]) == ("manual", "default", True), row
    assert sorted(o["name"] for o in row["offers"]) == ["one", "two"]


def test_kill_9_at_any_moment_leaves_nothing_at_the_provider(world):
    p = provider(world)
    account = world.account()
    dice = random.Random(7)
    ids = []
    for i in range(6):
        ids.append(order(world, account, [f"kill{i}.example.test", f"*.kill{i}.example.test"], "dns-01", "--dns", p["id"])["id"])
        beds.wait_for(lambda: not world.server.near_set_aside(), 120, "nobody is killed for the third time")
        time.sleep(dice.uniform(0.05, 0.6))
        world.server.kill("core", signal.SIGKILL)
        beds.wait_for(world.server.ready, 180, "Certwright is ready again")
    over = wait_all(world, ids)
    assert {o["status"] for o in over.values()} == {"valid"} and len(over) == 6, over
    nothing_left(world)
