# SPDX-License-Identifier: Apache-2.0
"""Secrets stay in: canaries that went in by every door are looked for in every place a secret could come out of, after everything
ran at debug level. A new kind of secret is one line of `canaries`, a new place one line of `sinks`."""
import base64
import io
import json
import pathlib
import re
import tarfile

import bed as beds
import canary
import pytest
from api_client import Client, operations
from canary import HEADS, spellings
from helpers import wait_order

EAB = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
WORDS = {name: f"canary {name} 7f3kQ2 horse" for name in ("password", "new-password", "wrong-password", "reset-password", "proxy-password", "mail-password", "pkcs12-password")}
TSIG = base64.b64encode(b"canary TSIG 7f3kQ2 horse, 32 byte").decode()
# of each kind of provider the secrets it has: (what else it needs, {its secret fields})
PROVIDERS = {
    "powerdns": ({"url": "http://127.0.0.1:8081"}, {"api_key": "canary-api-key-7f3kQ2"}),
    "rfc2136": ({"server": "127.0.0.1:5300", "tsig_key": "canary."}, {"tsig_secret": TSIG}),
    "akamai": ({"host": "akab-canary.luna.akamaiapis.net"}, {"client_token": "akab-canary-client-7f3kQ2", "client_secret": "canaryEdgeGridSecret7f3kQ2=", "access_token": "akab-canary-access-7f3kQ2"}),
    "cloudflare": ({}, {"token": "canary-cloudflare-token-7f3kQ2"}),
    "route53": ({"access_key_id": "AKIACANARY7F3KQ2XYZ0"}, {"secret_access_key": "canary/secret/access/key/7f3kQ2"}),
    "f5": ({"url": "https://bigip.canary.example.test", "username": "canary"}, {"password": "canary-bigip-password-7f3kQ2"}),
}


class Story:
    """Everything that takes or makes a secret happens once."""

    def __init__(self, bed, folder):
        self.bed, self.server = bed, bed.server
        self.admin = Client(self.server.url, token=self.server.token_file.read_text().strip())
        self.canaries = {}
        self.answers = []
        self.setup_link = self.server.setup().out
        hmac = folder / "hmac"
        hmac.write_text(EAB + "\n")
        account = bed.account("canary@example.test", "--eab-kid", "kid-1", "--eab-hmac-file", hmac)
        order = self.server.call("order", "create", "--account", account["id"], "--name", "canary.example.test", "--validation", "http-01")
        assert wait_order(bed, order["id"])["status"] == "valid"
        certificate = self.admin.get(f"/orders/{order['id']}").json()["certificate_id"]
        exported = self.admin.post(f"/certificates/{certificate}/export", {"format": "pem", "with_key": True, "reason": "canary"})
        key = re.search("-----BEGIN PRIVATE KEY-----(.*?)-----END", exported.text, re.S).group(1)
        self.people()
        ids = {"order": order["id"], "certificate": certificate, "account": account["id"], **self.integrations()}
        self.pkcs12(certificate)
        self.canaries |= WORDS | {
            "EAB key": EAB, "EAB key, bytes": base64.urlsafe_b64decode(EAB + "=="),
            "certificate key": base64.b64decode(key)[36:68],
            "setup token": re.search(r"#setup=(\S+)", self.setup_link).group(1),
            "administrator's token": self.admin.token, "administrator's password": self.server.password_file.read_text().strip(),
            "master key": next(line for line in (self.server.state / "master.key").read_text().split() if len(line) > 30),
        }
        self.ask_everything(ids)

    def people(self):
        add = self.admin.post
        for role in ("viewer", "operator", "admin"):
            assert add("/users", {"name": f"c-{role}", "role": role, "password": WORDS["password"] + role, "rights": ["audit"]}).status_code == 201
        assert add("/users", {"name": "canary", "role": "viewer", "password": WORDS["password"]}).status_code == 201
        add("/session", {"name": "canary", "password": WORDS["wrong-password"]})
        session = self.admin.sign_in("canary", WORDS["password"])
        assert session.ask("PUT", "/password", json={"old_password": WORDS["password"], "new_password": WORDS["new-password"]}).status_code == 204
        self.canaries |= {"session cookie": session.cookie, "CSRF token": session.csrf, "API token": session.post("/tokens", {"name": "c"}).json()["token"]}
        assert self.admin.ask("PATCH", "/users/canary", json={"password": WORDS["reset-password"]}, headers={"If-Match": "*"}).status_code == 200
        # secrets in the wrong places: they come back in no error
        self.answers += [add("/orders", {"account_id": WORDS["password"], "validation": "dns-01", "eab": EAB}).content,
                         add("/users", {"name": "x", "role": "viewer", "password": "short"}).content,
                         Client(self.server.url, token=self.canaries["API token"] + "x").get("/orders").content]

    def integrations(self):
        """One of each, with its secrets changed once, since what was forgotten elsewhere was the way of the update; the newest of each kind of path."""
        for kind, (fields, secrets) in PROVIDERS.items():
            body = {"kind": kind, "name": kind, "fields": {**fields, **{name: secret[::-1] if name != "tsig_secret" else secret for name, secret in secrets.items()}}}
            made = self.admin.post("/providers", body)
            assert made.status_code == 201, (kind, made.text)
            at = f"/providers/{made.json()['id']}"
            changed = self.admin.ask("PATCH", at, json={"fields": secrets}, headers={"If-Match": "*"})
            assert changed.status_code == 200, (kind, changed.text)
            self.answers += [made.content, changed.content, self.admin.get(at).content]
            self.canaries |= {f"{kind}: {name}": secret for name, secret in secrets.items()}
            self.canaries |= {f"{kind}: {name} before": body["fields"][name] for name in secrets}
            # what is wrong with it comes back without it
            self.answers.append(self.admin.post("/providers", {**body, "fields": {**body["fields"], "no-such-field": "x"}}).content)
        mail = {"host": "mail.canary.example.test", "user": "canary", "password": WORDS["mail-password"], "from": "c@example.test", "to": ["d@example.test"]}
        made = [self.admin.post("/channels", {"kind": "email", "name": "mail", "settings": mail}),
                self.admin.post("/channels", {"kind": "webhook", "name": "hook", "settings": {"url": "https://hook.canary.example.test/"}})]
        assert [r.status_code for r in made] == [201, 201], [r.text for r in made]
        channels = [r.json() for r in made]
        self.answers += [made[0].content, *(self.admin.get(f"/channels/{c['id']}").content for c in channels)]  # a webhook's secret is told once, when it is made
        self.canaries["webhook secret"] = channels[1]["secret"]
        return {"provider": at.rsplit("/", 1)[1], "channel": channels[1]["id"]}

    def pkcs12(self, certificate):
        """A file with a password, given out and taken in again; and with a wrong one."""
        ask = {"format": "pkcs12", "with_key": True, "reason": "canary", "password": WORDS["pkcs12-password"]}
        made = self.admin.post(f"/certificates/{certificate}/export", ask)
        assert made.status_code == 200, made.text
        content = base64.b64encode(made.content).decode()
        taken = self.admin.post("/imports", {"content": content, "password": WORDS["pkcs12-password"]})
        refused = self.admin.post("/imports", {"content": content, "password": WORDS["wrong-password"]})
        assert (taken.status_code, refused.status_code) == (200, 400), (taken.text, refused.text)
        self.answers += [taken.content, refused.content]

    def ask_everything(self, ids):
        for role in ("viewer", "operator", "admin"):
            one = self.admin.sign_in(f"c-{role}", WORDS["password"] + role)
            self.canaries[f"session of c-{role}"] = one.cookie
            for method, path, op in operations():
                if method != "GET" or op["operationId"] in ("streamEvents", "getSession"):
                    continue
                for kind, value in ids.items():
                    if "{id}" not in path or kind in path:
                        self.answers.append(one.raw("GET", "/api/v1" + path.replace("{id}", value)).content)
        for path in ("/", "/healthz", "/readyz", "/metrics", "/nothing-here"):
            self.answers.append(self.admin.raw("GET", path).content)

    def sinks(self):
        """(where, bytes)"""
        yield "API answers", b"\0".join(self.answers)
        yield from self.server.canary.files(self.bed.folder, self.server.state)
        yield from self.server.canary.processes(self.server.parts())


@pytest.fixture(scope="module")
def story(tls):
    folder = beds.scratch("certwright-canary-")
    (folder / "proxy-password").write_text(WORDS["proxy-password"])
    (folder / "proxy-password").chmod(0o644)
    bed = beds.Bed(folder, tls=tls, eab=True,
                   settings={"log.level": "debug", "net.proxy": "http://127.0.0.1:1", "net.no_proxy": "127.0.0.1,127.0.0.0/8,localhost",
                             "net.proxy_user": "somebody", "net.proxy_password_file": str(folder / "proxy-password")}).start()
    yield Story(bed, folder)
    bed.stop()


def test_no_canary_is_found_anywhere(story):
    assert len(story.canaries) >= 16, sorted(story.canaries)
    found, looked = [], 0
    for where, data in story.sinks():
        looked += 1
        for name, secret in story.canaries.items():
            found += [f"{name} in {where}" for one in spellings(secret) if one in data]
        if where.startswith(("state", "log", "API")):
            found += [f"{name} in {where}" for name, head in HEADS.items() if head in data]
    assert looked >= 8 and not found, found


def test_the_search_finds_what_is_there(story):
    """The oracle is judged: a canary that is put down in any spelling is found."""
    for one in spellings(WORDS["password"]):
        assert any(s in b"x" + one + b"y" for s in spellings(WORDS["password"]))
    assert any(b"canary.example.test" in data for where, data in story.sinks() if where.startswith("log"))
    assert any(b"canary.example.test" in data for where, data in story.sinks() if where.startswith("state"))


def test_what_is_searched_whenever_a_server_stops_finds_what_was_let_out(tmp_path):
    """The other oracle, which runs at the end of every test with a server, is judged too: each door, and each place."""
    (tmp_path / "state").mkdir()
    (tmp_path / "file").write_text("secret of an option\n")
    one = canary.Canary()
    one.options(["provider", "create", "--secret-file", f"api_key={tmp_path / 'file'}"])
    one.settings({"net.proxy_password_file": str(tmp_path / "file"), "log.level": "debug"})
    one.body({"password": "secret of a field", "secrets": {"token": "secret of a provider"}, "name": "no secret at all"})
    assert sorted(one.secrets) == ["secret of a field", "secret of a provider", "secret of an option"]
    (tmp_path / "state" / "certwright.db").write_bytes(b"x" + base64.b64encode(b"secret of a field") + b"y")
    (tmp_path / "core.log").write_text('{"msg":"secret of an option"}')
    (tmp_path / "edge.log").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    (tmp_path / "other.log").write_text("secret of a field")
    said = one.search([("environ of core", b"A=1\0B=secret%20of%20a%20provider\0"), *one.files(tmp_path, tmp_path / "state")])
    assert said == ["a private key as PEM in log edge.log", "net.proxy_password_file in log core.log", "password in state certwright.db",
                    "secret token in environ of core"]


def test_no_part_leaves_a_core_file(story):
    for part, pid in story.server.parts().items():
        line = next(x for x in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines() if x.startswith("Max core file size"))
        assert line.split()[4:6] == ["0", "0"], (part, line)


def test_no_canary_and_no_mailbox_is_in_a_support_bundle(story):
    story.admin.post("/checks")
    beds.wait_for(lambda: story.admin.get("/checks").json()["ran_at"], 240, "the doctor has looked")
    answer = story.admin.post("/support-bundle")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/gzip", answer
    files = {}
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as tar:
        for member in tar.getmembers():
            assert member.isfile() and member.mode == 0o600 and re.fullmatch(r"certwright-support-\d{8}T\d{6}Z/[A-Za-z.]+", member.name), member
            files[member.name.split("/")[1]] = tar.extractfile(member).read()
    assert set(files) == {"README.txt", "version.json", "config.txt", "checks.json", "metrics.txt", "jobs.json", "log.jsonl", "events.jsonl"}
    found = [f"{name} in {where}" for where, data in files.items() for name, secret in story.canaries.items() for one in spellings(secret) if one in data]
    found += [f"{name} in {where}" for where, data in files.items() for name, head in HEADS.items() if head in data]
    assert not found, found
    # it is worth something: names are there, mailboxes are not
    version = json.loads(files["version.json"])
    assert version["schema"] > 0 and version["rows"]["orders"] >= 1 and version["rows"]["users"] >= 4 and version["certwright"]
    assert b"canary.example.test" in files["log.jsonl"] and b"canary.example.test" in files["events.jsonl"]
    assert b"canary@example.test" not in b"".join(files.values()) and "…@example.test".encode() in files["log.jsonl"]
    assert json.loads(files["checks.json"])["rows"] and json.loads(files["jobs.json"])["kinds"]["renewal"]["live"] == 1
    assert b"net.proxy_user = (set)" in files["config.txt"] and b"somebody" not in files["config.txt"] and b"log.level = debug" in files["config.txt"]
    assert b"certwright_build_info" in files["metrics.txt"]
    for line in files["log.jsonl"].splitlines() + files["events.jsonl"].splitlines():
        assert isinstance(json.loads(line), dict)
    done = story.server.cli("support-bundle", "--out", story.bed.folder / "bundle.tar.gz")
    assert done.status == 0 and (story.bed.folder / "bundle.tar.gz").stat().st_mode & 0o777 == 0o600
    row = story.server.call("audit", "list", "--action", "support.bundle")["items"][0]
    assert row["actor_name"] == "admin" and row["object_kind"] == "server"
