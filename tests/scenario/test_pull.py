# SPDX-License-Identifier: Apache-2.0
"""Hosts fetch their certificate with a token that was made for it and can do nothing else: every format as other programs read it, 304 while
nothing is new, keys only by right and reason, each fetch in the audit; who waited for an installation has it then."""
import io
import shutil
import subprocess
import zipfile

import bed as beds
import pytest
from api_client import Client, operations
from helpers import wait_order

NAME = "pull.example.test"


class World:
    def __init__(self, bed, certificates=({"names": [NAME]}, {"names": ["other.example.test"]})):
        self.bed, self.server = bed, bed.server
        self.admin = Client(bed.server.url, token=bed.server.token_file.read_text().strip())
        assert self.admin.ask("PATCH", "/users/admin", json={"rights": ["audit", "key-export"]}, headers={"If-Match": "*"}).status_code == 200
        self.account = bed.account()["id"]
        self.certificate, self.other = [*(self.issue(**c) for c in certificates), None][:2]

    def issue(self, **what):
        order = self.admin.post("/orders", {"account_id": self.account, "validation": "http-01", **what})
        assert order.status_code in (200, 201), order.text
        assert wait_order(self.bed, order.json()["id"])["status"] == "valid"
        return self.admin.get(f"/orders/{order.json()['id']}").json()["certificate_id"]

    def renew(self, certificate):
        made = self.admin.post("/renewals", {"certificate_ids": [certificate]}).json()
        assert wait_order(self.bed, made["items"][0]["order_id"])["status"] == "valid"

    def token(self, certificate, **body):
        made = self.admin.post("/tokens", {"name": f"host of {certificate}", "certificate": certificate, **body})
        assert made.status_code == 201, made.text
        return Client(self.server.url, token=made.json()["token"]), made.json()["info"]

    def audit(self, action):
        return self.admin.get(f"/audit?action={action}&limit=50").json()["items"]


@pytest.fixture(scope="module")
def world():
    folder = beds.scratch("certwright-pull-")
    bed = beds.Bed(folder).start()
    yield World(bed)
    bed.stop()
    shutil.rmtree(folder, ignore_errors=True)


def fetch(client, certificate, kind, method="GET", prefix="", **headers):
    return client.http.request(method, f"{client.url}{prefix}/download/{certificate}/{kind}", timeout=30,
                               headers={"Authorization": f"Bearer {client.token}", **headers})


def x509(folder, data, form):
    (folder / "x").write_bytes(data)
    return beds.openssl("x509", "-in", str(folder / "x"), "-inform", form, "-noout", "-fingerprint", "-sha256")


def test_it_is_fetched_in_every_public_form(world, scratch):
    host, info = world.token(world.certificate)
    assert (info["role"], info["certificate_id"], info["certificate_name"], info["rights"]) == ("pull", world.certificate, NAME, [])
    pem = fetch(host, world.certificate, "pem")
    assert pem.status_code == 200 and pem.headers["Content-Disposition"] == f'attachment; filename="{NAME}.pem"', pem.text
    assert pem.text.count("BEGIN CERTIFICATE") == 1 and pem.headers["Cache-Control"] == "no-store"
    full, chain = fetch(host, world.certificate, "fullchain").text, fetch(host, world.certificate, "chain").text
    assert full == pem.text + chain and chain
    assert fetch(host, world.certificate, "fullchain", prefix="/api/v1").text == full
    assert x509(scratch, fetch(host, world.certificate, "der").content, "DER") == x509(scratch, pem.content, "PEM")
    with zipfile.ZipFile(io.BytesIO(fetch(host, world.certificate, "zip").content)) as z:
        assert z.testzip() is None and "privkey.pem" not in z.namelist() and z.read("fullchain.pem").decode() == full
    assert fetch(host, world.admin.get(f"/certificates/{world.certificate}").json()["num"], "pem").content == pem.content
    viewer = Client(world.server.url, token=world.admin.post("/tokens", {"name": "viewer", "role": "viewer"}).json()["token"])
    assert fetch(viewer, world.certificate, "pem").content == pem.content


def test_nothing_is_handed_out_while_nothing_is_new(world):
    host, _ = world.token(world.certificate)
    first = fetch(host, world.certificate, "fullchain")
    rows = len(world.audit("certificate.export"))
    tag = first.headers["ETag"]
    for value in (tag, f'"x", {tag}', "W/" + tag, "*", f'"a" , W/{tag}'):
        again = fetch(host, world.certificate, "fullchain", **{"If-None-Match": value})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag), value
    look = fetch(host, world.certificate, "fullchain", method="HEAD")
    assert (look.status_code, look.content, look.headers["ETag"]) == (200, b"", tag) and look.headers.get("Content-Length") is None
    assert len(world.audit("certificate.export")) == rows
    for value in ('"other"', "nonsense", '"', '""', tag.strip('"')):
        assert fetch(host, world.certificate, "fullchain", **{"If-None-Match": value}).status_code == 200, value
    assert fetch(host, world.certificate, "pem", **{"If-None-Match": tag}).status_code == 200, "a tag is one format's"
    world.renew(world.certificate)
    new = fetch(host, world.certificate, "fullchain", **{"If-None-Match": tag})
    assert new.status_code == 200 and new.headers["ETag"] != tag and new.text != first.text
    shown = world.admin.get(f"/certificates/{world.certificate}").json()
    assert shown["fetched_by"] == f"host of {world.certificate}" and shown["fetched_at"]


def test_such_a_token_can_do_nothing_else(world):
    host, info = world.token(world.certificate, rights=["key-export"], reason="test")
    assert fetch(host, world.other, "pem").status_code == 404
    assert fetch(host, "01JZZZZZZZZZZZZZZZZZZZZZZZ", "pem").text.replace("01JZZZZZZZZZZZZZZZZZZZZZZZ", world.other).split('"instance"')[0] \
        == fetch(host, world.other, "pem").text.split('"instance"')[0], "what it is not for looks as what is not there"
    assert fetch(host, world.certificate, "pem", method="POST").status_code == 405
    for method, path, op in operations():
        if op["x-permission"] == "none" or op["operationId"] == "downloadCertificate":
            continue
        at = path.replace("{id}", world.certificate)
        body = {"json": {}} if "requestBody" in op else {}
        r = host.http.request(method, f"{host.url}/api/v1{at}", headers={"Authorization": f"Bearer {host.token}", "If-Match": "*"}, timeout=30, **body)
        assert r.status_code == 403, (op["operationId"], r.status_code, r.text)
    assert host.http.get(f"{host.url}/metrics?x", headers={"Authorization": f"Bearer {host.token}"}, timeout=30).status_code in (200, 403)
    assert world.admin.ask("DELETE", f"/tokens/{info['id']}").status_code == 204
    assert fetch(host, world.certificate, "pem").status_code == 401


def test_a_key_goes_by_right_and_reason_and_each_time_into_the_audit(world, scratch):
    plain, _ = world.token(world.certificate)
    for kind in ("key", "combined", "pkcs12", "pkcs12-legacy"):
        refused = fetch(plain, world.certificate, kind)
        assert refused.status_code == 403 and "token create" in refused.json()["hint"], refused.text
        assert fetch(world.admin, world.certificate, kind).status_code == 403, "nobody gave a reason"
    host, info = world.token(world.certificate, rights=["key-export"], reason="nginx on edge-7")
    assert info["reason"] == "nginx on edge-7"
    before = len(world.audit("certificate.export-key"))
    assert fetch(host, world.certificate, "key", method="HEAD").status_code == 200
    assert len(world.audit("certificate.export-key")) == before
    key, both = fetch(host, world.certificate, "key"), fetch(host, world.certificate, "combined")
    row = world.audit("certificate.export-key")[0]
    assert row["reason"] == "nginx on edge-7" and row["token_name"] == info["name"] and row["object_id"] == world.certificate, row
    assert len(world.audit("certificate.export-key")) == before + 2
    assert both.text == fetch(host, world.certificate, "fullchain").text + key.text
    (scratch / "key").write_bytes(key.content)
    (scratch / "pem").write_bytes(fetch(host, world.certificate, "pem").content)
    public = beds.openssl("x509", "-in", str(scratch / "pem"), "-noout", "-pubkey")
    assert beds.openssl("pkey", "-in", str(scratch / "key"), "-pubout") == public
    for kind in ("pkcs12", "pkcs12-legacy"):
        assert fetch(host, world.certificate, kind).status_code == 400
        made = fetch(host, world.certificate, kind, **{"X-Pkcs12-Password": "geheim-42"})
        assert made.status_code == 200 and made.headers["ETag"].startswith("W/"), made.text
        (scratch / "p12").write_bytes(made.content)
        assert "PRIVATE KEY" in beds.openssl("pkcs12", "-in", str(scratch / "p12"), "-passin", "pass:geheim-42", "-nodes", "-legacy")
        assert fetch(host, world.certificate, kind, **{"If-None-Match": made.headers["ETag"], "X-Pkcs12-Password": "geheim-42"}).status_code == 304
    assert fetch(host, world.certificate, "cab").status_code == 400
    # what its owner loses, it loses
    assert world.admin.ask("PATCH", "/users/admin", json={"rights": ["audit"]}, headers={"If-Match": "*"}).status_code == 200
    assert fetch(host, world.certificate, "key").status_code == 403 and fetch(host, world.certificate, "pem").status_code == 200
    assert world.admin.ask("PATCH", "/users/admin", json={"rights": ["audit", "key-export"]}, headers={"If-Match": "*"}).status_code == 200
    assert fetch(host, world.certificate, "key").status_code == 200


@pytest.mark.parametrize("body,field", [
    ({"role": "viewer"}, "/role"), ({"rights": ["audit"]}, "/rights"), ({"rights": ["key-export"]}, "/reason"), ({"rights": ["key-export"], "reason": " "}, "/reason"),
    ({"reason": "why"}, "/reason"), ({"certificate": "999"}, "/certificate"), ({"certificate": "no such"}, "/certificate")])
def test_what_a_token_for_one_certificate_cannot_be_is_said_at_the_field(world, body, field):
    refused = world.admin.post("/tokens", {"name": "x", "certificate": world.certificate, **body})
    assert refused.status_code == 400 and refused.json()["errors"][0]["pointer"] == field, refused.text


def test_a_reason_alone_or_the_role_pull_by_itself_is_refused(world):
    assert world.admin.post("/tokens", {"name": "x", "reason": "why"}).status_code == 400
    assert world.admin.post("/tokens", {"name": "x", "role": "pull"}).status_code == 400
    assert world.admin.post("/users", {"name": "x", "role": "pull", "password": "long enough to pass"}).status_code == 400


def test_what_waited_to_be_installed_does_not_wait_when_it_was_fetched(world, scratch):
    subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch / "k", "-out", scratch / "c", "-subj", "/",
                    "-addext", "subjectAltName=DNS:appliance.example.test"], check=True, capture_output=True)
    csr = world.admin.post("/csrs/upload", {"pem": (scratch / "c").read_text()}).json()["id"]
    certificate = world.issue(csr_id=csr)
    host, _ = world.token(certificate)
    def waits():
        return [n for n in world.admin.get("/notices").json()["items"] if n["kind"] == "waiting-to-be-installed"]

    world.renew(certificate)
    beds.wait_for(waits, 120, "somebody is told that it waits to be installed")
    assert fetch(host, certificate, "key").status_code == 403
    assert fetch(host, certificate, "chain").status_code == 200 and waits(), "the authority's part alone installs nothing"
    assert fetch(host, certificate, "fullchain").status_code == 200
    assert not waits()


def test_the_command_line_makes_such_a_token_and_fetches_with_it(world, scratch):
    token = scratch / "token"
    done = world.server.cli("token", "create", "--name", "cli", "--certificate", world.certificate, "--right", "key-export", "--reason", "test", "--out", token)
    assert done.status == 0 and NAME in done.out, done
    assert NAME in world.server.cli("token", "list").out
    with_token = ("--token-file", token, "--etag", scratch / "tag", "--out", scratch / "out.pem")
    assert world.server.cli("certificate", "fetch", world.certificate, *with_token, "--format", "combined").status == 0
    text = (scratch / "out.pem").read_text()
    assert "PRIVATE KEY" in text and (scratch / "out.pem").stat().st_mode & 0o777 == 0o600
    again = world.server.cli("certificate", "fetch", world.certificate, *with_token, "--format", "combined")
    assert again.status == 0 and "nothing new" in again.err, again
    (scratch / "out.pem").unlink()
    assert world.server.cli("certificate", "fetch", world.certificate, *with_token, "--format", "combined").status == 0
    assert (scratch / "out.pem").read_text() == text, "the tag counts only beside its file"
    assert world.server.cli("certificate", "fetch", world.other, *with_token).status == 3
    assert world.server.cli("certificate", "list", "--token-file", token).status == 8


def test_a_certificate_that_is_deleted_takes_its_tokens_along(world):
    gone = world.issue(names=["gone.example.test"])
    host, info = world.token(gone)
    assert fetch(host, gone, "pem").status_code == 200
    assert world.admin.ask("DELETE", f"/certificates/{gone}", headers={"If-Match": "*"}).status_code == 204
    assert fetch(host, gone, "pem").status_code == 401
    shown = world.admin.get(f"/tokens/{info['id']}").json()
    assert shown["revoked_at"] and shown["certificate_name"] is None
