# SPDX-License-Identifier: Apache-2.0
"""The shelf: CSRs in the shapes in which openssl, Java's keytool, Windows' certreq, IIS, Exchange and appliances make them (tests/data/csrs), each
against each vendor's rules, and what of them every authority ignores. The table says all of it; a difference in either direction fails."""
import base64
import importlib.machinery
import importlib.util
import shutil
import subprocess

import bed as beds
import pytest
from api_fixtures import api  # noqa: F401

SHELF = beds.TOP / "tests" / "data" / "csrs"
FILES = sorted(p.stem for p in SHELF.glob("*.csr"))
SUBJECT = {"subject.O", "subject.OU", "subject.L", "subject.ST", "subject.C"}
MICROSOFT = {"microsoftOsVersion", "microsoftClientInfo", "microsoftEnrollmentCsp"}
USAGE = {"keyUsage", "extendedKeyUsage"}
SKI = {"subjectKeyIdentifier"}
ANY = object()  # every vendor

# file: (a sentence of the refusal, or None when it is taken; {rule: who refuses}; what is ignored). Rules are words of the finding.
# Who takes a common name alone and which keys is in the registry (src/model/vendor.c); here it is said once more.
NO_CN_ONLY = "wants the names as subject alternative names"
CLIENT = "asks for client authentication"
COVERED = "is covered by"
WANT = {
    "openssl-san-p256": (None, {"p256": "key"}, set()),
    "openssl-san-only-p384": (None, {"p384": "key"}, set()),
    "openssl-cn-only-rsa2048": (None, {"rsa2048": "key", NO_CN_ONLY: "cn"}, SUBJECT | {"subject.emailAddress", "challengePassword", "unstructuredName"}),
    "openssl-usual-extensions": (None, {"rsa3072": "key"}, USAGE | SKI | {"basicConstraints"}),
    "openssl-client-auth": (None, {"p256": "key", CLIENT: "client"}, {"extendedKeyUsage"}),
    "openssl-must-staple": (None, {"p256": "key"}, set()),
    "openssl-wildcard": (None, {"rsa2048": "key", "wildcard names": "wildcard"}, set()),
    "openssl-wildcard-twice-over": (None, {"rsa2048": "key", "wildcard names": "wildcard", COVERED: ANY}, set()),
    "openssl-p521": (None, {"p521": "key"}, set()),
    "openssl-ed25519": ("key", {}, set()),
    "openssl-names-do-not-match": ("not among its subject alternative names", {}, set()),
    "certreq-web-server": (None, {"rsa2048": "key"}, SUBJECT | MICROSOFT | USAGE | SKI | {"smimeCapabilities"}),
    "certreq-template": (None, {"rsa2048": "key"}, MICROSOFT | USAGE | SKI | {"microsoftTemplate", "microsoftApplicationPolicies"}),
    "iis-manager": (None, {"rsa2048": "key", NO_CN_ONLY: "cn"}, SUBJECT | MICROSOFT | USAGE | SKI | {"smimeCapabilities"}),
    "windows-computer": (None, {"rsa2048": "key", CLIENT: "client"}, MICROSOFT | USAGE | SKI | {"microsoftTemplateName"}),
    "exchange": ("'SERVER01' has only one label", {}, set()),
    "exchange-public-names": (None, {"rsa2048": "key"}, SUBJECT | MICROSOFT | SKI | {"keyUsage", "basicConstraints"}),
    "f5-tmsh": (None, {"rsa2048": "key"}, SUBJECT | {"subject.emailAddress", "challengePassword"}),
    "f5-cn-only": (None, {"rsa2048": "key", NO_CN_ONLY: "cn"}, SUBJECT),
    "f5-ecdsa": (None, {"p384": "key"}, {"subject.O", "subject.C"}),
    "cisco-ios": (None, {"rsa2048": "key"}, {"keyUsage", "subject.serialNumber", "subject.unstructuredName"}),
    "cisco-ios-old": ("1024", {}, set()),
    "cisco-asa": (None, {"rsa2048": "key"}, {"keyUsage", "subject.unstructuredName", "subject.O"}),
    "netscaler": (None, {"rsa2048": "key"}, SUBJECT | {"subject.emailAddress", "challengePassword", "unstructuredName"}),
    "netscaler-cn-only": (None, {"rsa2048": "key", NO_CN_ONLY: "cn"}, {"subject.O", "subject.ST", "subject.C"}),
    "hp-ilo": ("'ILOCZJ1234567' has only one label", {}, set()),
    "hp-ilo-address": ("only DNS names can be ordered", {}, set()),
    "dell-idrac": ("its common name 'idrac-AB12CD3' is no host name", {}, set()),
    "vmware-vcenter": ("an e-mail address", {}, set()),
    "paloalto": (None, {"rsa2048": "key"}, USAGE | {"basicConstraints", "subject.O"}),
    "fortigate": (None, {"rsa4096": "key"}, SUBJECT | {"subject.emailAddress"}),
    "keytool-san": (None, {"rsa2048": "key"}, SUBJECT | SKI),
    "keytool-unknown": (None, {"rsa2048": "key", NO_CN_ONLY: "cn"}, SUBJECT | SKI),
    "keytool-ec": (None, {"p256": "key"}, SKI | USAGE),
}
# who refuses what, as the authorities document it
KEYS = {"sslcom-rsa": {"rsa2048", "rsa3072", "rsa4096"}, "sslcom-ecc": {"p256", "p384"}, "custom": None}
TAKES_CN_ONLY = {"letsencrypt", "letsencrypt-staging", "custom"}
REFUSES_CLIENT = {"google", "google-staging"}


def refuses(vendor, rule, key, who):
    if who is ANY:
        return True
    if who == "key":
        takes = KEYS.get(vendor["key"], set(vendor["key_types"]) or None)
        return takes is not None and rule not in takes
    return {"cn": vendor["key"] not in TAKES_CN_ONLY, "client": vendor["key"] in REFUSES_CLIENT,
            "wildcard": not vendor["wildcards"]}[who]


def ask(api, name, vendor=None):
    return api.admin.post("/csrs/lint", {"pem": (SHELF / f"{name}.csr").read_text(), **({"vendor": vendor} if vendor else {})})


def test_the_shelf_has_every_maker_and_no_book_is_missing():
    assert set(FILES) == set(WANT) and len(FILES) >= 20
    for maker in ("openssl", "keytool", "certreq", "iis", "f5", "cisco", "netscaler", "hp-ilo", "exchange"):
        assert any(f.startswith(maker) for f in FILES), maker


@pytest.mark.parametrize("name", sorted(WANT))
def test_each_is_judged_by_each_vendors_rules(api, name):
    error, rules, ignored = WANT[name]
    vendors = [*{v["key"]: v for v in api.admin.get("/vendors").json()["items"]}.values()]
    custom = next((v for v in vendors if v["key"] == "custom"), {"key": "custom", "key_types": [], "wildcards": True})
    for vendor in [v for v in vendors if v["key"] != "custom"] + [custom]:
        r = ask(api, name, vendor["key"])
        if error:
            assert r.status_code == 400 and r.json()["errors"][0]["pointer"] == "/pem" and error in r.text, (vendor["key"], r.text)
            continue
        assert r.status_code == 200, r.text
        got = r.json()
        want = [rule for rule, who in rules.items() if refuses(vendor, rule, got["key_type"], who)]
        texts = [f["text"] for f in got["findings"]]
        assert len(texts) == len(want) and all(any(w in x for x in texts) for w in want), (vendor["key"], want, texts)
        assert {i["name"] for i in got["ignored"]} == ignored, (vendor["key"], got["ignored"])


def test_what_was_judged_before_sending_is_judged_the_same_when_it_is_stored(api):
    for name in ("exchange-public-names", "iis-manager", "windows-computer"):
        stored = api.admin.post("/csrs/upload", {"pem": (SHELF / f"{name}.csr").read_text()})
        assert stored.status_code == 201, stored.text
        for vendor in ("google", "letsencrypt", "custom"):
            was, now = ask(api, name, vendor).json(), api.admin.get(f"/csrs/{stored.json()['id']}/check?vendor={vendor}").json()
            assert (was["findings"], was["ignored"]) == (now["findings"], now["ignored"])
        assert ask(api, name).json()["subject"] == stored.json()["subject"] and ask(api, name).json()["names"] == stored.json()["names"]


def test_nothing_is_stored_and_bad_input_is_told_at_its_field(api):
    before = len(api.admin.get("/csrs?limit=200").json()["items"])
    good = (SHELF / "openssl-san-p256.csr").read_text()
    assert ask(api, "openssl-san-p256").json()["findings"] == [], "without a vendor nothing is judged"
    broken = good.replace("M", "N", 1)
    for body, pointer in (({"pem": "x"}, "/pem"), ({"pem": broken}, "/pem"), ({"pem": good + good}, "/pem"), ({"pem": good, "vendor": "nobody"}, "/vendor"),
                          ({"pem": good, "vendor": "letsencrypt", "x": 1}, "/x"), ({"pem": "A" * 70000}, "/pem")):
        r = api.admin.post("/csrs/lint", body)
        assert r.status_code in (400, 413) and r.json()["errors"][0]["pointer"] == pointer, (pointer, r.text)
    assert len(api.admin.get("/csrs?limit=200").json()["items"]) == before


def test_the_command_line_reads_pem_and_der_and_says_what_is_ignored(api, scratch):
    done = api.server.cli("csr", "lint", SHELF / "certreq-web-server.csr", "--vendor", "sslcom-ecc")
    assert done.status == 0 and "takes no rsa2048 keys" in done.out and "S/MIME capabilities" in done.out and "www.example.com" in done.out, done
    lines = (SHELF / "f5-tmsh.csr").read_text().splitlines()
    (scratch / "der").write_bytes(base64.b64decode("".join(lines[1:-1])))
    done = api.server.cli("csr", "lint", scratch / "der", "--json")
    assert done.status == 0 and {"challengePassword"} < {i["name"] for i in done.json["ignored"]} and done.json["findings"] == [], done
    assert api.server.cli("csr", "lint", SHELF / "cisco-ios-old.csr").status == 2
    stored = api.server.call("csr", "upload", scratch / "der")
    assert "will ignore" in api.server.cli("csr", "check", stored["id"], "--vendor", "google").out.lower()


@pytest.mark.skipif(not shutil.which("keytool"), reason="Java's keytool is not installed")
@pytest.mark.parametrize("name", [n for n in WANT if n.startswith("keytool")])
def test_keytool_of_today_still_makes_what_lies_on_the_shelf(api, scratch, name):
    loader = importlib.machinery.SourceFileLoader("make_csrs", str(SHELF / "make"))
    maker = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_csrs", loader))
    loader.exec_module(maker)
    maker.java(name, scratch, scratch)
    fresh = api.admin.post("/csrs/lint", {"pem": (scratch / f"{name}.csr").read_text(), "vendor": "letsencrypt"}).json()
    shelf = ask(api, name, "letsencrypt").json()
    assert fresh == shelf


def test_openssl_reads_every_book(scratch):
    for name in FILES:
        done = subprocess.run(["openssl", "req", "-in", SHELF / f"{name}.csr", "-noout", "-verify"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (name, done.stderr)
