# SPDX-License-Identifier: Apache-2.0
"""Manage: a certificate made elsewhere is taken over, and its renewal brings the successor from a real authority: with a new key, with the
key it has, with a CSR whose key is elsewhere; what cannot be ordered is refused with the field before anything is kept."""
import sqlite3

import bed as beds
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from helpers import chain, nothing_left, wait_order


def foreign(bed, folder, names, *extra, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
    """A certificate of nobody we know, imported: its id."""
    san = ",".join(f"DNS:{n}" for n in names)
    beds.openssl("req", "-x509", "-newkey", *key, "-nodes", "-keyout", "f.key", "-out", "f.pem", "-days", "20", "-subj", f"/CN={names[0]}",
                 "-addext", f"subjectAltName={san}", cwd=folder)
    if "--with-keys" in extra:
        (folder / "f.pem").write_text((folder / "f.pem").read_text() + (folder / "f.key").read_text())
    assert bed.server.cli("import", folder / "f.pem", *extra).status == 0
    return bed.server.call("certificate", "list", "--q", f"name:{names[0]}")["items"][0]["id"]


def shown(bed, certificate):
    return bed.server.call("certificate", "show", certificate)


def renewed(bed, certificate):
    row = bed.server.call("certificate", "renew", certificate)["items"][0]
    assert wait_order(bed, row["order_id"])["status"] == "valid"
    return chain(bed, row["order_id"])[0]


def spki(cert):
    return cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_a_foreign_certificate_is_taken_over_and_its_successor_replaces_it(bed, scratch):
    names = ["over.example.test", "www.over.example.test"]
    one = foreign(bed, scratch, names)
    old = shown(bed, one)
    assert old["managed"] is False and bed.server.cli("certificate", "renew", one).status == 4
    account = bed.account()["id"]
    preview = bed.server.call("certificate", "manage", one, "--validation", "http-01", "--account", account, "--preview")["names"]
    assert [(p["name"], p["method"]) for p in preview] == [(n, "builtin") for n in names] and shown(bed, one)["managed"] is False
    done = bed.server.call("certificate", "manage", one, "--account", account, "--validation", "http-01", "--key", "new")
    assert done["managed"] is True and done["account_id"] == account and done["renew_at"] < old["not_after"]
    assert done["source"] == "imported" and done["fingerprint"] == old["fingerprint"], "what is in use stays"
    assert not bed.server.call("order", "list")["items"], "the order that was tried is not there"
    assert [p["certificate_id"] for p in bed.server.call("certificate", "schedule")["items"]] == [one]
    leaf = renewed(bed, one)
    assert sorted(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)) == names
    now = shown(bed, one)
    assert [(v["state"], v["fingerprint"] == old["fingerprint"]) for v in now["versions"]] == [("current", False), ("replaced", True)]
    assert now["has_key"] is True and bed.ca.issued() == 1
    audit = bed.server.request("GET", "/audit?action=certificate.manage")[1]["items"]
    assert len(audit) == 1 and audit[0]["before"]["managed"] is False and audit[0]["after"]["managed"] is True
    nothing_left(bed, names)


def test_its_time_having_come_it_is_renewed_by_itself(bed, scratch):
    one = foreign(bed, scratch, ["soon.example.test"])
    bed.server.stop()
    with sqlite3.connect(bed.server.state / "certwright.db", timeout=120) as db:  # as if three quarters of its life were over
        assert db.execute("UPDATE certificate SET not_before_ms = not_before_ms - 3 * (not_after_ms - not_before_ms)").rowcount == 1
    bed.server.start()
    bed.server.call("certificate", "manage", one, "--account", bed.account()["id"], "--validation", "http-01", "--key", "new")
    beds.wait_for(lambda: [v["state"] for v in shown(bed, one)["versions"]] == ["current", "replaced"], 240, "nobody asked, and it is renewed")


def test_the_key_that_was_imported_is_used_again(bed, scratch):
    one = foreign(bed, scratch, ["keep.example.test"], "--with-keys", key=("rsa:2048",))
    before = x509.load_pem_x509_certificate(shown(bed, one)["chain"].encode())
    bed.server.call("certificate", "manage", one, "--account", bed.account()["id"], "--validation", "http-01", "--key", "reuse")
    first, second = renewed(bed, one), renewed(bed, one)
    assert spki(first) == spki(second) == spki(before) and first.serial_number != second.serial_number
    assert len(bed.server.call("csr", "list")["items"]) == 1


def test_a_csr_whose_key_is_elsewhere_is_used_again_and_waits_to_be_installed(bed, scratch):
    one = foreign(bed, scratch, ["far.example.test"])
    account = bed.account()["id"]
    refused = bed.server.cli("certificate", "manage", one, "--account", account, "--validation", "http-01", "--key", "reuse")
    assert refused.status == 2 and "/csr_id" in refused.err and "not kept here" in refused.err, refused
    beds.openssl("req", "-new", "-key", "f.key", "-subj", "/CN=far.example.test", "-addext", "subjectAltName=DNS:far.example.test", "-out", "f.csr", cwd=scratch)
    csr = bed.server.call("csr", "upload", scratch / "f.csr")["id"]
    bed.server.call("certificate", "manage", one, "--account", account, "--validation", "http-01", "--key", "reuse", "--csr", csr)
    assert spki(renewed(bed, one)) == spki(x509.load_pem_x509_certificate((scratch / "f.pem").read_bytes()))
    assert bed.server.call("certificate", "renewal", one)["waiting_to_be_installed_since"]


def test_what_cannot_be_ordered_is_refused_and_nothing_is_changed(bed, scratch):
    account = bed.account()["id"]
    wild = foreign(bed, scratch, ["*.wild.example.test"])
    other = foreign(bed, scratch, ["other.example.test"])
    beds.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "o.key", "-subj", "/", "-addext", "subjectAltName=DNS:x.example.test",
                 "-out", "o.csr", cwd=scratch)
    csr = bed.server.call("csr", "upload", scratch / "o.csr")["id"]
    for certificate, field, args in (
            (wild, "/names/0", ["--account", account, "--validation", "http-01", "--key", "new"]),
            (other, "/account_id", ["--account", "999", "--validation", "http-01", "--key", "new"]),
            (other, "/http", ["--account", account, "--validation", "http-01", "--http", "nowhere", "--key", "new"]),
            (other, "/methods", ["--account", account, "--validation", "http-01", "--method", "no.example.test=builtin", "--key", "new"]),
            (other, "/csr_id", ["--account", account, "--validation", "http-01", "--key", "reuse", "--csr", csr]),
            (other, "/csr_id", ["--account", account, "--validation", "http-01", "--key", "new", "--csr", csr])):
        done = bed.server.cli("certificate", "manage", certificate, *args)
        assert done.status == 2 and field in done.err, (args, done)
    for certificate in (wild, other):
        now = shown(bed, certificate)
        assert now["managed"] is False and now["account_id"] is None and now["validation"] == ""
    assert not bed.server.call("order", "list")["items"] and not bed.server.request("GET", "/audit?action=certificate.manage")[1]["items"]


def test_a_certificate_that_is_being_renewed_is_not_moved(bed):
    account = bed.account()["id"]
    made = bed.server.call("order", "create", "--account", account, "--name", "busy.example.test", "--validation", "http-01", "--wait")
    second = bed.account("second@example.test")["id"]
    moved = bed.server.call("certificate", "manage", made["certificate_id"], "--account", second, "--validation", "dns-01", "--dns", "manual", "--key", "new")
    assert moved["validation"] == "dns-01" and moved["account_id"] == second
    order = bed.server.call("certificate", "renew", made["certificate_id"])["items"][0]
    done = bed.server.cli("certificate", "manage", made["certificate_id"], "--account", account, "--validation", "http-01", "--key", "new")
    assert done.status == 4 and f"order {order['order_num']}" in done.err, done
    assert bed.server.cli("order", "delete", order["order_id"]).status == 0
    beds.wait_for(lambda: bed.server.cli("certificate", "manage", made["certificate_id"], "--account", account, "--validation", "http-01", "--key", "new").status == 0, 240,
                  "the order is over")
    assert renewed(bed, made["certificate_id"])
