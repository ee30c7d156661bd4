# SPDX-License-Identifier: Apache-2.0
"""The playbook for a BIG-IP's client-ssl profile, run by Ansible with F5's own modules against a device that keeps files and profiles as a real
one does: a key is never bound beside another's certificate, the second run changes nothing, a renewed certificate has names of its own."""
import os
import shutil
import subprocess

import bed as beds
import bigip
import pytest
from test_examples import EXAMPLES, has_f5, world  # noqa: F401

pytestmark = pytest.mark.skipif(not shutil.which("ansible-playbook"), reason="Ansible is not installed")
FILES = "mgmt/tm/sys/file/"


class SslUnit(bigip.Unit):
    """With uploads, ssl-cert, ssl-key and client-ssl profiles."""

    def __init__(self, group, number, port, tls):
        self.uploads, self.files, self.profile = {}, {"ssl-cert": {}, "ssl-key": {}}, {"name": "www", "partition": "Common", "fullPath": "/Common/www", "certKeyChain": [
            {"name": "default", "cert": "/Common/default.crt", "key": "/Common/default.key"}]}
        self.switched = []
        super().__init__(group, number, port, tls)

    def answer(self, method, path, headers, raw):
        if path.startswith("/mgmt/shared/file-transfer/uploads/"):
            self.role(headers)
            self.uploads[path.rsplit("/", 1)[1]] = raw.decode()
            return 200, {"remainingByteCount": 0}
        return super().answer(method, path, headers, raw)

    def tm(self, method, parts, options, body, role):
        path = "/".join(p for p in parts if p)
        if path == "mgmt/tm/util/unix-rm" and method == "POST":
            self.uploads.pop(body["utilCmdArgs"].rsplit("/", 1)[1], None)
            return {"kind": "tm:util:unix-rm:runstate"}
        if path.startswith(FILES):
            return self.file(method, path[len(FILES):].split("/"), options, body)
        if path == "mgmt/tm/ltm/profile/client-ssl/~Common~www":
            if method == "PATCH":
                self.bind(body["certKeyChain"])
            return {"kind": "tm:ltm:profile:client-ssl:client-sslstate", **self.profile}
        return super().tm(method, parts, options, body, role)

    def file(self, method, parts, options, body):
        kept = self.files[parts[0]]
        if method == "POST":
            name = body["name"]
            if name in kept:
                raise bigip.there_already(f"The requested file ({name})")
            kept[name] = {"name": name, "partition": "Common", "fullPath": f"/Common/{name}", "content": self.uploads[body["sourcePath"].rsplit("/", 1)[1]]}
            return {k: v for k, v in kept[name].items() if k != "content"}
        if len(parts) == 1:
            skip = int(options.get("$skip", ["0"])[0])
            return self.collection("tm/sys/file/" + parts[0], [] if skip else [{k: v for k, v in f.items() if k != "content"} for f in kept.values()])
        name = parts[1].replace("~Common~", "")
        if name not in kept:
            raise bigip.not_found(f"The requested file ({name})")
        return {k: v for k, v in kept[name].items() if k != "content"}

    def bind(self, chains):
        """As a device does it: a key that is not the certificate's is refused."""
        for one in chains:
            cert, key = (self.files[kind].get(one[what].replace("/Common/", "")) for kind, what in (("ssl-cert", "cert"), ("ssl-key", "key")))
            chain = self.files["ssl-cert"].get(one["chain"].replace("/Common/", ""))
            if not cert or not key or not chain or public(cert["content"], "x509") != public(key["content"], "pkey"):
                raise bigip.Refused(400, "01070317:3: profile /Common/www's key and certificate do not match")
        self.profile["certKeyChain"] = chains
        self.switched.append(chains)


def public(text, what):
    folder = beds.scratch("certwright-f5-key-")
    (folder / "x").write_text(text)
    out = beds.openssl(what, "-in", str(folder / "x"), *(["-noout", "-pubkey"] if what == "x509" else ["-pubout"]))
    shutil.rmtree(folder)
    return out


@pytest.fixture
def device(tls, monkeypatch):
    monkeypatch.setattr(bigip, "Unit", SslUnit)
    group = bigip.Group([beds.free_port()], tls, None)
    yield group.units[0]
    group.stop()


@pytest.mark.slow
def test_a_client_ssl_profile_has_each_new_certificate(world, scratch, device):  # noqa: F811
    if not has_f5():
        pytest.skip("the collection f5networks.f5_modules is not installed")
    token = scratch / "token"
    done = world.server.cli("token", "create", "--name", "f5", "--certificate", world.certificate, "--right", "key-export", "--reason", "F5", "--out", token)
    assert done.status == 0, done

    def play():
        values = {"certwright_url": world.server.url, "certificate": world.certificate, "certwright_token": token.read_text().strip(), "ca_file": world.trust, "profile": "www",
                  "bigip_server": "127.0.0.1", "bigip_port": device.port, "bigip_user": bigip.USER, "bigip_password": bigip.PASSWORD, "bigip_validate": "false",
                  "ansible_python_interpreter": "/usr/bin/python3"}
        return subprocess.run(["ansible-playbook", "-i", "localhost,", *[x for k, v in values.items() for x in ("-e", f"{k}={v}")], EXAMPLES / "f5-client-ssl.yml"],
                              capture_output=True, text=True, timeout=900, check=False,
                              env={**os.environ, "F5_TELEMETRY_OFF": "true", "HOME": str(scratch), "ANSIBLE_NOCOLOR": "1"})
    first = play()
    assert first.returncode == 0 and "failed=0" in first.stdout, first.stdout + first.stderr
    assert len(device.switched) == 1 and not device.uploads
    bound = device.profile["certKeyChain"][0]["cert"].rsplit("/", 1)[1]
    assert public(device.files["ssl-cert"][bound]["content"], "x509") == public(ssl_chain(world), "x509")
    assert "PRIVATE KEY" not in first.stdout and token.read_text().strip() not in first.stdout
    again = play()
    assert again.returncode == 0 and "changed=0" in again.stdout and len(device.switched) == 1, again.stdout
    world.renew(world.certificate)
    third = play()
    assert third.returncode == 0 and len(device.switched) == 2, third.stdout
    assert len(device.files["ssl-key"]) == 2 and device.profile["certKeyChain"][0]["cert"].rsplit("/", 1)[1] != bound
    assert len(world.admin.get("/audit?action=certificate.export-key&limit=50").json()["items"]) == 2, "a key was fetched when it was new, and only then"


def ssl_chain(world):  # noqa: F811
    return world.admin.get(f"/certificates/{world.certificate}").json()["chain"]
