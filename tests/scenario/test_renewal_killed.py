# SPDX-License-Identifier: Apache-2.0
"""Certificates of every kind become due at once, and core is killed with what it asked the authority unanswered, again and again: what can be
renewed by itself is, once, and for the rest somebody is told, once. `make crash` does so at every write and request (tests/crash/renewals.py)."""
import sqlite3
import threading
import time

import bed as beds
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from helpers import names_of, nothing_left, wait_order

KILLED_AT = (2, 6, 11, 17)  # requests of all renewals together, or as soon after as all have got on: directory, orders, challenges, finalize, certificate


def csr_of(bed, name):
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, hashes.SHA256())
    status, doc, _ = bed.server.request("POST", "/csrs/upload", {"pem": csr.public_bytes(serialization.Encoding.PEM).decode()})
    assert status == 201, doc
    return doc["id"]


def issued(bed, account, name, csr=None):
    body = {"account_id": account["id"], "names": [name], "validation": "http-01", "mode": "automatic", **({"csr_id": csr} if csr else {})}
    status, made, _ = bed.server.request("POST", "/orders", body)
    assert status == 201, made
    done = wait_order(bed, made["id"])
    assert done["status"] == "valid", done
    return done["certificate_id"]


def change(bed, *statements):
    """What time, or somebody else, would have brought while the server was off."""
    bed.server.stop()
    with sqlite3.connect(bed.server.state / "certwright.db") as db:
        for text in statements:
            db.execute(text)
    bed.server.start()


def kill_at_requests(bed, numbers):
    """Core dies at the n-th request to the authority, before it is answered, or at a later one when something was not got on with since it
    died last: that would be set aside. The numbers at which it did."""
    note, killed, seen, left, one_at_a_time = bed.ca.note, [], [0], list(numbers), threading.Lock()

    def noted(row, answer, rule):
        note(row, answer, rule)
        with one_at_a_time:
            seen[0] += 1
            if left and seen[0] >= left[0] and not bed.server.near_set_aside():
                left.pop(0)
                killed.append(seen[0])
                bed.server.kill("core")

    bed.ca.note = noted
    return killed


def answered(bed, path):
    """An answer of a server that dies again and again."""
    def ask():
        try:
            status, doc, _ = bed.server.request("GET", path)
        except OSError:
            return None
        return doc if status == 200 else None

    return beds.wait_for(ask, 120, f"{path} is answered")


def test_every_kind_is_due_and_killed_and_what_can_be_renewed_is_renewed_once_and_the_rest_told_once(make_bed):
    bed = make_bed(ca="fake")
    ours, closed = bed.account(), bed.account("closed@certwright.test")
    old = csr_of(bed, "old.example.test")
    made = {"here": issued(bed, ours, "here.example.test"), "elsewhere": issued(bed, ours, "elsewhere.example.test", csr_of(bed, "elsewhere.example.test")),
            "old": issued(bed, ours, "old.example.test", old), "hand": issued(bed, ours, "hand.example.test"),
            "closed": issued(bed, closed, "closed.example.test")}
    by_hand = bed.server.cli("certificate", "manage", made["hand"], "--account", ours["id"], "--validation", "http-01", "--http", "manual", "--key", "new")
    assert by_hand.status == 0, by_hand
    first = {kind: answered(bed, f"/certificates/{one}")["versions"][0]["id"] for kind, one in made.items()}
    issued_before = bed.ca.issued()
    killed = kill_at_requests(bed, KILLED_AT)
    change(bed, f"UPDATE certificate SET next_attempt_ms = {int(time.time() * 1000) - 1000}", "UPDATE job SET due_ms = 0 WHERE kind = 'renewal'",
           f"UPDATE csr SET created_ms = 1 WHERE id = '{old}'", f"UPDATE account SET status = 'invalid' WHERE id = '{closed['id']}'")

    def renewed():
        for kind in ("here", "elsewhere"):
            for order in answered(bed, f"/orders?certificate_id={made[kind]}")["items"]:
                if order["attempts"]:
                    bed.server.cli("order", "refresh", order["id"])  # what waits out an error is asked again, as a person would
        return all(answered(bed, f"/certificates/{made[kind]}")["versions"][0]["id"] != first[kind] for kind in ("here", "elsewhere"))

    beds.wait_for(renewed, 300, "what can be renewed by itself is renewed", 1)
    notices = beds.wait_for(lambda: (n := answered(bed, "/notices")["items"]) and len(n) >= 4 and n, 120, "somebody is told about the rest")
    assert len(killed) == len(KILLED_AT), f"core was killed at {killed}"
    assert bed.ca.issued() - issued_before == 2, "one certificate for each renewal"
    for kind, one in made.items():
        versions = answered(bed, f"/certificates/{one}")["versions"]
        states = ["current", "replaced"] if kind in ("here", "elsewhere") else ["current"]
        assert [v["state"] for v in versions] == states and versions[-1]["id"] == first[kind], (kind, versions)
        orders = answered(bed, f"/orders?certificate_id={one}")["items"]
        assert len(orders) == len(states) and {o["status"] for o in orders} == {"valid"}, (kind, orders)
    assert sorted((n["kind"], n["subject_id"]) for n in notices) == [
        ("account-needs-attention", closed["id"]), ("csr-needed", made["old"]), ("waiting-for-you", made["hand"]), ("waiting-to-be-installed", made["elsewhere"])]
    newest = bed.ca.certificate("here.example.test")
    assert names_of(newest) == ["here.example.test"]
    assert answered(bed, f"/certificates/{made['here']}")["versions"][0]["serial"].lstrip("0") == f"{newest.serial_number:x}".lstrip("0")
    nothing_left(bed, ["here.example.test", "elsewhere.example.test"])
