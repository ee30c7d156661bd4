# SPDX-License-Identifier: Apache-2.0
"""Accounts against a CA that wants external accounts: every spelling of the key, several on one URL, their keys, their end."""
import base64
import hashlib
import json
import secrets
import urllib.error
import urllib.request

import bed as beds
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from helpers import order, wait_all, wait_order

KEYS = {f"kid-{n}": base64.urlsafe_b64encode(hashlib.sha512(b"%d" % n).digest()[:size]).decode().rstrip("=")
        for n, size in ((1, 48), (2, 32), (3, 33), (4, 35), (5, 64))}
EMAIL = "pki@bank.example"


@pytest.fixture
def bed(make_bed):
    return make_bed(eab=KEYS)


def register(bed, kid, text=None, *extra, email=EMAIL):
    path = bed.folder / f"hmac-{secrets.token_hex(4)}"
    path.write_text((text or KEYS[kid]) + "\n")
    path.chmod(0o600)
    return bed.server.call("account", "register", "--directory", bed.ca.directory, "--email", email, "--agree-tos", "--eab-kid", kid,
                           "--eab-hmac-file", path, *extra)


def spellings(text):
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return {"base64url": base64.urlsafe_b64encode(raw).decode().rstrip("="), "base64url, padded": base64.urlsafe_b64encode(raw).decode(),
            "base64": base64.b64encode(raw).decode().rstrip("="), "base64, padded": base64.b64encode(raw).decode()}


def test_the_hmac_key_is_taken_in_all_four_spellings_and_forgotten(bed):
    for kid in ("kid-3", "kid-4"):
        for name, text in spellings(KEYS[kid]).items():
            account = register(bed, kid, text)
            assert account["status"] == "valid", name
            assert account["eab_bytes"] == {"kid-3": 33, "kid-4": 35}[kid], name
            assert account["eab_held"] is False, name


def test_the_decoded_length_is_said_before_anything_is_sent(bed):
    path = bed.folder / "hmac"
    path.write_text(KEYS["kid-1"])
    path.chmod(0o600)
    done = bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", EMAIL, "--agree-tos", "--eab-kid", "kid-1",
                          "--eab-hmac-file", path)
    assert done.status == 0, done
    assert "HMAC key: 48 bytes" in done.err
    path.write_text("not base64!")
    done = bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", EMAIL, "--agree-tos", "--eab-kid", "kid-1",
                          "--eab-hmac-file", path)
    assert done.status == 2, done
    assert "base64" in done.err


def test_a_wrong_hmac_key_leaves_an_account_that_says_why(bed):
    with pytest.raises(beds.BedError):
        register(bed, "kid-1", KEYS["kid-2"])
    account = bed.server.call("account", "list")["items"][0]
    assert account["status"] == "invalid" and account["url"] is None
    assert account["reason"]["remote"]


def test_two_accounts_of_one_url_and_address_are_told_apart(bed):
    one = register(bed, "kid-1")
    alone = bed.server.call("account", "show", one["id"])
    assert alone["label"] == f"{EMAIL} --- Custom"
    two = register(bed, "kid-2", None, "--name", "Shop certificates")
    items = {a["id"]: a for a in bed.server.call("account", "list")["items"]}
    assert items[one["id"]]["label"] == f"{EMAIL} --- Custom (key id ...id-1)"
    assert items[two["id"]]["label"] == f"{EMAIL} --- Custom (Shop certificates, key id ...id-2)"
    assert items[one["id"]]["url"] != items[two["id"]]["url"]
    listed = bed.server.cli("account", "list").out
    assert "kid-1" in listed and "kid-2" in listed and "Shop certificates" in listed


def five_certificates(bed, account):
    orders = [order(bed, account, [f"a{n}.certwright.test"], "dns-01", "--dns", "delegation") for n in range(5)]
    done = wait_all(bed, [o["id"] for o in orders])
    assert all(o["status"] == "valid" for o in done.values())
    return [o["certificate_id"] for o in done.values()]


def delete(bed, account, query=""):
    _, _, head = bed.server.request("GET", f"/accounts/{account['id']}")
    return bed.server.request("DELETE", f"/accounts/{account['id']}{query}", headers={"If-Match": head["ETag"]})


def managed(bed, certificates):
    """Certificates that are renewed by themselves, whatever the default is."""
    for c in certificates:
        status, doc, head = bed.server.request("GET", f"/certificates/{c}")
        assert status == 200
        if not doc["managed"]:
            status, doc, _ = bed.server.request("PATCH", f"/certificates/{c}", {"managed": True}, {"If-Match": head["ETag"]})
            assert status == 200, doc


def test_a_deletion_names_what_it_does_and_the_other_account_takes_over(bed):
    one, two = register(bed, "kid-1"), register(bed, "kid-2")
    certificates = five_certificates(bed, one)
    managed(bed, certificates)
    preview = bed.server.call("account", "deletion", one["id"])
    assert (preview["orders"], preview["live_orders"], preview["certificates"], preview["renewed"]) == (5, 0, 5, 5)
    assert {c["id"] for c in preview["certificate_list"]} == set(certificates)
    status, problem, _ = delete(bed, one)
    assert status == 409 and problem["errors"][0]["pointer"] == "/takeover", problem
    status, problem, _ = delete(bed, one, "?takeover=" + one["id"])
    assert status == 400, problem
    status, _, _ = delete(bed, one, f"?takeover={two['id']}&authority=deactivate&key=destroy")
    assert status == 204
    assert bed.server.request("GET", f"/accounts/{one['id']}")[0] == 404
    assert bed.server.call("order", "list")["items"] == []
    for c in certificates:
        doc = bed.server.request("GET", f"/certificates/{c}")[1]
        assert doc["account_id"] == two["id"]
        assert bed.server.cli("certificate", "export", c, "--out", bed.folder / "out.pem").status == 0
        renewed = bed.server.cli("certificate", "renew", c, "--json")
        assert renewed.status == 0, renewed
    beds.wait_for(lambda: all(bed.server.request("GET", f"/certificates/{c}")[1]["order_id"] for c in certificates), 240, "renewals end")
    made = beds.wait_for(lambda: (lambda l: l if len(l) == 5 and all(o["status"] == "valid" for o in l) else None)(
        bed.server.call("order", "list", "--account", two["id"])["items"]), 240, "all five renew under the other account")
    assert {o["account_id"] for o in made} == {two["id"]}
    # closed at the authority too, and its key is gone
    beds.wait_for(lambda: all(j["state"] == "done" for j in bed.server.call("job", "list")["items"] if j["kind"] == "account-deactivate"), 240,
                  "the account is closed")
    audit = bed.server.request("GET", "/audit")[1]["items"]
    assert "account.delete" in {a["action"] for a in audit}


def test_without_a_successor_every_certificate_alarms(bed):
    one = register(bed, "kid-1")
    certificates = five_certificates(bed, one)
    managed(bed, certificates)
    assert delete(bed, one, "?takeover=none")[0] == 204
    assert bed.server.request("GET", f"/certificates/{certificates[0]}")[0] == 200
    status, doc, _ = bed.server.request("GET", "/notices")
    assert status == 200, doc
    notices = [n for n in doc["items"] if n["kind"] == "account-needs-attention"]
    assert len(notices) == 1 and notices[0]["touched"] == 5, notices


def test_a_live_order_is_ended_before_its_account_is_closed(bed):
    one = register(bed, "kid-1")
    live = order(bed, one, ["manual.certwright.test"], "dns-01", "--dns", "manual")
    beds.wait_for(lambda: bed.server.request("GET", f"/orders/{live['id']}")[1].get("stage") == "waiting for you", 240, "it waits")
    assert bed.server.call("account", "deletion", one["id"])["live_orders"] == 1
    assert delete(bed, one, "?authority=deactivate")[0] == 204
    assert bed.server.request("GET", f"/orders/{live['id']}")[0] == 404
    beds.wait_for(lambda: [j for j in bed.server.call("job", "list")["items"] if j["kind"] == "account-deactivate" and j["state"] == "done"], 240,
                  "the account is closed")


def test_a_new_key_works_and_the_old_one_is_gone(bed):
    one = register(bed, "kid-1")
    before = bed.server.call("account", "show", one["id"])
    after = bed.server.call("account", "rollover", one["id"])
    assert after["url"] == before["url"] and not after["key_changing"]
    assert wait_order(bed, order(bed, one, ["rolled.certwright.test"], "dns-01", "--dns", "delegation")["id"])["status"] == "valid"
    assert bed.server.call("account", "refresh", one["id"])["status"] == "valid"


def test_the_contact_is_changed_and_the_default_name_follows(bed):
    one = register(bed, "kid-1")
    changed = bed.server.call("account", "contact", one["id"], "--email", "new@bank.example")
    assert changed["email"] == "new@bank.example" and changed["name"].startswith("new@bank.example ---")


# ---- importing: an account that somebody else has made ----

def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Foreign:
    """A client of its own: registers a P-256 key at the CA and keeps it."""

    def __init__(self, ca):
        self.ca, self.key = ca, ec.generate_private_key(ec.SECP256R1())
        self.directory = json.loads(ca.get(ca.directory))

    def jws(self, payload, url, nonce=None, head=None, hmac_key=None):
        numbers = self.key.public_key().public_numbers()
        jwk = {"crv": "P-256", "kty": "EC", "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}
        head = b64(json.dumps({"alg": "ES256", "jwk": jwk, "url": url, "nonce": nonce, **(head or {})}).encode())
        body = b64(json.dumps(payload).encode())
        r, s = utils.decode_dss_signature(self.key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
        return {"protected": head, "payload": body, "signature": b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}

    def register(self):
        url = self.directory["newAccount"]
        for _ in range(20):
            with urllib.request.urlopen(urllib.request.Request(self.directory["newNonce"], method="HEAD"), context=self.ca.trust) as r:
                nonce = r.headers["Replay-Nonce"]
            doc = self.jws({"termsOfServiceAgreed": True}, url, nonce)
            q = urllib.request.Request(url, json.dumps(doc).encode(), {"Content-Type": "application/jose+json", "User-Agent": "test"})
            try:
                with urllib.request.urlopen(q, context=self.ca.trust) as r:
                    return r.headers["Location"]
            except urllib.error.HTTPError as e:
                if b"badNonce" not in e.read():
                    raise
        raise AssertionError("no nonce was good")

    def pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def test_an_existing_account_is_found_by_its_key_and_never_made(make_bed):
    bed = make_bed()
    foreign = Foreign(bed.ca)
    path = bed.folder / "account.pem"
    path.write_bytes(foreign.pem())
    path.chmod(0o600)
    done = bed.server.cli("account", "register", "--directory", bed.ca.directory, "--key-file", path)
    assert done.status == 3, done  # the CA has none yet, and none is made
    failed = bed.server.call("account", "list")["items"][0]
    bed.server.cli("account", "delete", failed["id"])
    other = Foreign(bed.ca)
    url = other.register()
    path.write_bytes(other.pem())
    account = bed.server.call("account", "register", "--directory", bed.ca.directory, "--key-file", path, "--email", EMAIL)
    assert account["url"] == url and account["status"] == "valid"
    assert wait_order(bed, order(bed, account, ["imported.certwright.test"], "dns-01", "--dns", "delegation")["id"])["status"] == "valid"
    again = bed.server.cli("account", "register", "--directory", bed.ca.directory, "--key-file", path)
    assert again.status == 4 and "is here already" in again.err, again


def test_an_authority_that_nobody_trusts_is_named_at_once(make_bed):
    bed = make_bed(settings={"net.trust": "/etc/ssl/certs/ca-certificates.crt"})
    done = bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", EMAIL, "--agree-tos")
    jobs = bed.server.call("job", "list", "--kind", "account-register")["items"]
    assert [(j["state"], j["attempts"]) for j in jobs] == [("failed", 1)], f"no ladder of attempts: {jobs}"
    assert done.status == 6 and "certificate of" in done.err and "issuer met" in done.err and "net.trust" in done.err, done
    assert bed.server.call("account", "list")["items"][0]["reason"]["code"] == "untrusted"


# ---- vendors ----

def test_a_directory_is_read_when_asked(bed):
    read = bed.server.call("vendor", "check", "--directory", bed.ca.directory)
    assert read["facts"]["eab_required"] is True and read["facts"]["key_change"]
    register(bed, "kid-1")
    assert [v["accounts"] for v in bed.server.call("vendor", "check")["items"] if v["directory_url"] == bed.ca.directory] == [1]


def test_vendors_say_all_that_is_known_and_a_built_in_row_stays(bed):
    items = {v["key"]: v for v in bed.server.call("vendor", "list")["items"]}
    assert {"letsencrypt", "zerossl", "buypass", "sslcom-rsa", "google", "digicert", "sectigo", "actalis"} <= set(items)
    assert items["buypass"]["discontinued_since"] == "2025-10-31"
    assert len(items["digicert"]["regions"]) == 7 and items["digicert"]["costs_money"]
    done = bed.server.cli("account", "register", "--vendor", "buypass", "--email", EMAIL, "--agree-tos")
    assert done.status == 2 and "ended" in done.err
    changed = bed.server.call("vendor", "set", "digicert", "--directory", "https://gateway.bank.example/acme?x=1")
    assert changed["overridden"] and changed["builtin_url"] == items["digicert"]["directory_url"]
    assert not bed.server.call("vendor", "set", "digicert", "--built-in")["overridden"]


def test_what_a_vendor_would_refuse_is_said_with_the_field(bed):
    csr = bed.server.call("csr", "create", "--name", "rsa.certwright.test", "--key", "rsa2048")
    findings = bed.server.call("csr", "check", csr["id"], "--vendor", "sslcom-ecc")["findings"]
    assert [f["field"] for f in findings] == ["/csr_id"] and "SSL.com RSA" in findings[0]["hint"]
    assert bed.server.call("csr", "check", csr["id"], "--vendor", "letsencrypt")["findings"] == []
