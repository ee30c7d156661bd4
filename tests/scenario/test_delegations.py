# SPDX-License-Identifier: Apache-2.0
"""Delegations: what the Internet asked, many from a list, the lines for the parents, and the look that never calls "not seen from here" broken."""
import time

import dnsviews
import pytest
from helpers import order, wait_order


def test_what_was_asked_stands_beside_the_delegation(bed):
    account = bed.account()
    made = order(bed, account, ["asked.example.test"])
    assert wait_order(bed, made["id"])["status"] == "valid"
    row = bed.server.call("delegation", "list")["items"][0]
    until = time.monotonic() + 120
    while not (asked := bed.server.call("delegation", "asked", str(row["num"]))["items"]):
        assert time.monotonic() < until
        time.sleep(0.3)
    txt = [a for a in asked if a["type"] == "TXT" and a["answer"] == "answered"]
    assert txt and txt[0]["network"] == "127.0.0.0/24" and txt[0]["times"] >= 1, asked


def test_a_pasted_list_has_a_result_for_each_line_and_gives_the_lines_to_set(make_bed):
    bed = make_bed(settings={"dns.hostname": "ns.certwright.test"})
    server = bed.server
    server.call("delegation", "create", "there.example.test")
    path = bed.folder / "names"
    path.write_text("new.example.test\n# a comment\n\n*.wild.example.test\nthere.example.test.\nnot a name!\n-bad-.test\n_acme-challenge.full.example.test ; zone file\n")
    rows = server.call("delegation", "paste", str(path))["items"]
    assert [(r["line"], r["result"]) for r in rows] == [(1, "made"), (4, "made"), (5, "exists"), (6, "refused"), (7, "refused"), (8, "made")], rows
    assert rows[3]["detail"] and rows[1]["name"] == "wild.example.test" and rows[5]["name"] == "full.example.test"
    again = server.call("delegation", "paste", str(path))["items"]
    assert {r["result"] for r in again} == {"exists", "refused"}
    lines = server.cli("delegation", "lines").out
    assert sorted(line.split()[0] for line in lines.splitlines()) == [
        f"_acme-challenge.{n}.example.test." for n in ("full", "new", "there", "wild")], lines
    assert "_acme-challenge.new.example.test. 3600 IN NS ns.certwright.test." in lines


def test_a_pasted_list_leads_names_to_a_provider_and_refuses_what_leads_elsewhere(make_bed):
    bed = make_bed(settings={"dns.hostname": "ns.certwright.test", "dns.zone": "ours.certwright.test"})
    server, path = bed.server, bed.folder / "names"
    secret = bed.folder / "key"
    secret.write_text("key")
    writer = str(server.call("provider", "create", "--kind", "powerdns", "--name", "inside", "--set", "url=http://127.0.0.1:8081", "--secret-file",
                             f"api_key={secret}")["num"])
    alias = server.call("delegation", "create", "ours.example.test")["cname_line"].split()[-1]

    def paste(text, *more):
        path.write_text(text)
        return [(r["line"], r["name"] or r["typed"], r["target"], r["result"]) for r in server.call("delegation", "paste", str(path), *more)["items"]]

    long = ".".join(("w" * 40, "x" * 60, "y" * 60, "z" * 60, "example.test"))
    lists = "\n".join(("a.example.test", "*.b.example.test, there.acme.test # its own", "_acme-challenge.c.example.test. 3600 IN CNAME c.acme.test.",
                        "ours.example.test", "d.example.test d.acme.test", long, "e.example.test one two"))
    assert paste(lists, "--provider", writer, "--zone", "acme.test") == [
        (1, "a.example.test", "_acme-challenge.a.example.test.acme.test", "made"), (2, "b.example.test", "there.acme.test", "made"),
        (3, "c.example.test", "c.acme.test", "made"), (4, "ours.example.test", "_acme-challenge.ours.example.test.acme.test", "refused"),
        (5, "d.example.test", "d.acme.test", "made"), (6, long, f"_acme-challenge.{long}.acme.test", "refused"),
        (7, "e.example.test", None, "refused")]
    assert paste("a.example.test\nf.example.test", "--provider", writer) == [(1, "a.example.test", None, "refused"), (2, "f.example.test", None, "refused")]
    # without a provider a line may say our own alias, and nobody else's
    assert paste(f"g.example.test g.elsewhere.test\nours.example.test CNAME {alias}\na.example.test\nh.example.test 3600 IN NS ns.certwright.test.") == [
        (1, "g.example.test", None, "refused"), (2, "ours.example.test", None, "exists"), (3, "a.example.test", None, "refused"), (4, "h.example.test", None, "made")]
    lines = server.cli("delegation", "lines").out
    assert "_acme-challenge.a.example.test. 3600 IN CNAME _acme-challenge.a.example.test.acme.test.\n" in lines
    assert "_acme-challenge.h.example.test. 3600 IN NS ns.certwright.test.\n" in lines
    for body, pointer in (({"text": "x.test", "provider_id": "99"}, "/provider_id"), ({"text": "x.test", "zone": "acme.test"}, "/provider_id"),
                          ({"text": "x.test", "provider_id": writer, "zone": "not a zone"}, "/zone"), ({"text": "x.test", "provider_id": writer, "zone": "*.acme.test"}, "/zone")):
        status, doc, _ = server.request("POST", "/delegation-list", body)
        assert status == 400 and doc["errors"][0]["pointer"] == pointer, doc
    assert len(server.call("delegation", "list")["items"]) == 6


@pytest.mark.skipif(dnsviews.missing() is not None, reason=str(dnsviews.missing()))
def test_a_look_tells_missing_from_broken_from_not_seen(make_bed, scratch):
    address, dark = dnsviews.addresses(2)
    extra = ("_acme-challenge.good IN NS ns.certwright.parent.test.\n_acme-challenge.other IN NS ns.elsewhere.test.\n"
             "_acme-challenge.signed IN NS ns.certwright.parent.test.\n"
             "_acme-challenge.signed IN DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n"
             f"ns.certwright IN A {dark}\n")
    bind = dnsviews.Bind(scratch / "parent", address, "parent.test", [address], extra)
    try:
        bed = make_bed(settings={"dns.hostname": "ns.certwright.parent.test", "resolve.servers": f"{address}:53", "dns.public_addresses": "192.0.2.77"})
        state = {}
        for name in ("good", "other", "signed", "none"):
            row = bed.server.call("delegation", "create", f"{name}.parent.test")
            assert row["facts"] is None
            done = bed.server.cli("delegation", "check", str(row["num"]), "--json")
            facts = done.json["facts"]
            state[name] = {(f["check"], f["state"]) for f in facts}
            state[name, "text"] = " ".join(f["text"] + " " + (f["todo"] or "") for f in facts)
            assert done.status == (0 if name == "good" else 7), done
        assert ("delegation", "good") in state["good"] and ("ds", "good") in state["good"]
        assert ("server", "unknown") in state["good"] and ("server", "bad") not in state["good"]  # nobody answers there: not seen from here
        assert "not one of dns.public_addresses" in state["good", "text"]
        assert f"has the address {dark} here (loopback)" in state["good", "text"] and "resolvers on the Internet never ask such an address" in state["good", "text"]
        assert ("delegation", "bad") in state["other"] and "ns.elsewhere.test" in state["other", "text"]
        assert ("ds", "bad") in state["signed"]
        assert ("delegation", "bad") in state["none"] and "3600 IN NS ns.certwright.parent.test." in state["none", "text"]
        lines = bed.server.cli("delegation", "lines").out
        assert "good.parent.test" not in lines and "none.parent.test" in lines
        # the names were asked at the parent, whose answers no cache keeps
        assert bind.asked("_acme-challenge.none.parent.test", "NS")
    finally:
        bind.stop()
