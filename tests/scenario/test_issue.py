# SPDX-License-Identifier: Apache-2.0
"""From an empty state folder to issued certificates, both validations, both databases."""
import json

import pytest
from helpers import chain, key_kind, names_of, nothing_left, order, wait_all, wait_order

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def any_bed(request, make_bed):
    if request.param == "sqlite":
        return make_bed()
    return make_bed(settings=request.getfixturevalue("postgres").settings())


def test_dns01_by_delegation_and_http01_issue_from_the_command_line(any_bed):
    bed = any_bed
    account = bed.account()
    assert account["status"] == "valid"
    csr = bed.server.call("csr", "create", "--name", "dns.example.test", "--name", "*.dns.example.test", "--key", "p256", "--org", "Example")
    dns = bed.server.cli("order", "create", "--account", account["id"], "--csr", csr["id"], "--validation", "dns-01", "--wait", "--json")
    assert dns.status == 0, dns
    assert dns.json["status"] == "valid"
    http = bed.server.cli("order", "create", "--account", account["num"], "--name", "http.example.test", "--key", "rsa2048", "--validation", "http-01",
                          "--wait", "--json")
    assert http.status == 0, http
    first, second = chain(bed, dns.json["id"]), chain(bed, str(http.json["num"]))
    assert names_of(first[0]) == ["*.dns.example.test", "dns.example.test"]
    assert names_of(second[0]) == ["http.example.test"]
    assert (key_kind(first[0]), key_kind(second[0])) == ("ec", "rsa")
    assert len(first) >= 2
    assert bed.ca.issued() == 2
    nothing_left(bed, ["dns.example.test"])
    for stage in ("order made", "published by Certwright itself", "validated", "finalized", "valid"):
        assert stage in dns.err, f"a progress line per stage: {dns.err}"
    certificates = bed.server.call("certificate", "list")["items"]
    assert sorted(c["names"][0] for c in certificates) == ["*.dns.example.test", "http.example.test"]


def test_step_by_step_stops_at_ready_and_finalize_carries_it_through(bed):
    account = bed.account()
    made = bed.server.cli("order", "create", "--account", account["id"], "--name", "steps.example.test", "--validation", "dns-01", "--step-by-step",
                          "--wait", "--json")
    assert made.status == 7, made
    assert made.json["status"] == "ready"
    assert bed.ca.issued() == 0
    early = bed.server.cli("order", "download", made.json["id"])
    assert early.status == 4, early
    done = bed.server.cli("order", "finalize", made.json["id"], "--wait", "--json")
    assert done.status == 0, done
    assert done.json["status"] == "valid"
    nothing_left(bed, ["steps.example.test"])


def test_a_csr_made_elsewhere_is_ordered_and_only_its_certificate_comes_back(bed, scratch):
    import bed as beds
    beds.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(scratch / "k.pem"), "-out", str(scratch / "r.pem"), "-subj",
                 "/CN=own.example.test", "-addext", "subjectAltName=DNS:own.example.test")
    csr = bed.server.call("csr", "upload", scratch / "r.pem")
    assert csr["has_key"] is False
    account = bed.account()
    made = bed.server.call("order", "create", "--account", account["id"], "--csr", csr["id"], "--validation", "http-01", "--wait")
    assert made["status"] == "valid"
    refused = bed.server.cli("certificate", "export", made["certificate_id"], "--with-key", "--reason", "test", "--json")
    assert refused.status in (3, 4), refused


def test_a_key_is_exported_only_with_a_reason_and_leaves_an_audit_row(bed, scratch):
    account = bed.account()
    made = bed.server.call("order", "create", "--account", account["id"], "--name", "export.example.test", "--validation", "dns-01", "--wait")
    out = scratch / "both.pem"
    without = bed.server.cli("certificate", "export", made["certificate_id"], "--with-key", "--out", out)
    assert without.status == 2 and not out.exists(), without
    done = bed.server.cli("certificate", "export", made["certificate_id"], "--with-key", "--reason", "move to new host", "--format", "pem", "--out", out)
    assert done.status == 0, done
    assert "PRIVATE KEY" in out.read_text() and (out.stat().st_mode & 0o777) == 0o600
    assert any("export" in row["action"] for row in bed.server.call("audit", "list")["items"])


def test_the_same_request_gets_the_live_order_and_another_csr_waits_its_turn(bed):
    account = bed.account()
    first = order(bed, account, ["turn.example.test"], "dns-01", "--step-by-step")
    again = order(bed, account, ["turn.example.test"], "dns-01", "--step-by-step")
    assert again["id"] == first["id"]
    csr = bed.server.call("csr", "create", "--name", "turn.example.test", "--key", "rsa2048")
    other = bed.server.call("order", "create", "--account", account["id"], "--csr", csr["id"], "--validation", "dns-01")
    assert other["id"] != first["id"]
    bed.server.cli("order", "watch", first["id"])
    assert bed.server.call("order", "show", other["id"])["status"] == "pending"
    assert bed.server.call("order", "finalize", first["id"])["id"] == first["id"]
    over = wait_all(bed, [first["id"], other["id"]])
    assert {o["status"] for o in over.values()} == {"valid"}, json.dumps(over)


def test_rsa_and_ecdsa_for_one_name_set_at_the_same_moment_give_two_certificates(bed):
    account = bed.account()
    orders = [order(bed, account, ["both.example.test", "*.both.example.test"], "dns-01", "--key", key) for key in ("p256", "rsa2048")]
    over = [wait_order(bed, o["id"]) for o in orders]
    assert [o["status"] for o in over] == ["valid", "valid"]
    kinds = [key_kind(chain(bed, o["id"])[0]) for o in over]
    assert kinds == ["ec", "rsa"]
    assert bed.ca.issued() == 2
    nothing_left(bed, ["both.example.test"])


def test_external_account_binding_registers_and_is_refused_with_a_wrong_key(make_bed, scratch):
    bed = make_bed(eab=True)
    good, bad = scratch / "hmac", scratch / "bad"
    good.write_text("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n")
    bad.write_text("AAAAZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n")
    refused = bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", "a@example.test", "--agree-tos", "--eab-kid", "kid-1",
                             "--eab-hmac-file", bad)
    assert refused.status == 5, refused
    assert bed.account("b@example.test", "--eab-kid", "kid-1", "--eab-hmac-file", good)["status"] == "valid"


def test_deleting_an_order_withdraws_its_records_and_keeps_the_rest(bed):
    account = bed.account()
    made = order(bed, account, ["gone.example.test"], "dns-01", "--step-by-step")
    bed.server.cli("order", "watch", made["id"])
    assert bed.server.cli("order", "delete", made["id"]).status == 0
    nothing_left(bed, ["gone.example.test"])
    assert bed.server.cli("order", "show", made["id"]).status == 3
    assert bed.server.call("order", "list")["items"] == []
